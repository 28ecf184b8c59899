"""Initialisation by name: each part takes its share of the right file."""

import copy
import hashlib

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.logging import MMLogger
from mmengine.registry import WEIGHT_INITIALIZERS

from mmxclip.checkpoints import host, zoo
from mmxclip.checkpoints.formats import open_checkpoint
from mmxclip.checkpoints.host import CLIPPretrained
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import write
from mmxclip.checkpoints.zoo import CLIP_MODELS, DownloadError


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_part_takes_its_share_and_the_file_is_read_once(
    tiny_model, weights, clip, monkeypatch
):
    config = copy.deepcopy(tiny_model)
    init = dict(type='CLIPPretrained', checkpoint=str(clip))
    config['backbone']['init_cfg'] = init
    config['cls_head']['init_cfg'] = init
    torch.manual_seed(2)
    model = MODELS.build(config)
    before = copy.deepcopy(model.state_dict())
    read = []
    monkeypatch.setattr(
        host, 'open_whole', lambda path: read.append(path) or open_checkpoint(path)
    )
    model.init_weights()
    assert read == [clip]
    for name, tensor in model.state_dict().items():
        new = 'message_' in name or name.startswith(('neck', 'cls_head.prompt'))
        assert torch.equal(tensor, (before if new else weights)[name]), name


def test_each_part_reports_its_own_share(tiny_model, clip, capsys):
    MMLogger.get_instance('shares', logger_name='mmengine')
    reports = []
    for part in ('backbone', 'cls_head', 'backbone'):
        CLIPPretrained(str(clip))(MODELS.build(tiny_model[part]))
        reports.append(''.join(capsys.readouterr()))
    assert 'backbone message tokens (16)' in reports[0]
    assert 'without a place' in reports[0]
    assert 'cls_head.prompt (32)' in reports[1]
    assert 'XCLIPViT' not in reports[1]
    lines = [[x for x in r.splitlines() if x[:1] == ' '] for r in reports]
    assert lines[0] == lines[2] != lines[1]


def test_text_tower_alone(tiny_model, weights, clip):
    config = dict(tiny_model['cls_head']['text_encoder'])
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    tower = MODELS.build(config)
    tower.init_weights()
    for name, tensor in tower.state_dict().items():
        assert torch.equal(tensor, weights[f'cls_head.text_encoder.{name}']), name


def test_other_image_size(tiny_model, clip):
    config = dict(tiny_model['backbone'], img_size=48)
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    backbone = MODELS.build(config)
    backbone.init_weights()
    assert backbone.positional_embedding.shape == (10, 32)


def test_part_without_a_share_is_refused(tiny_model, clip):
    config = dict(tiny_model['neck'])
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    with pytest.raises(CheckpointError, match=r'OpenAI CLIP.*MIT'):
        MODELS.build(config).init_weights()


@pytest.mark.parametrize('part', ['backbone', 'neck', 'cls_head'])
def test_any_part_takes_its_share_of_an_xclip(tmp_path, tiny_model, weights, part):
    write(tmp_path / 'k400.pth', weights, 'official')
    config = dict(tiny_model[part])
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=f'{tmp_path}/k400.pth')
    module = MODELS.build(config)
    module.init_weights()
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, weights[f'{part}.{name}']), name


def test_wrong_arch_is_refused(tiny_model, clip):
    config = copy.deepcopy(tiny_model['backbone'])
    config['arch']['depth'] = 4
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    with pytest.raises(CheckpointError, match=r'2 .*resblocks.* 4'):
        MODELS.build(config).init_weights()


def test_names_are_those_of_openai():
    assert WEIGHT_INITIALIZERS.get('CLIPPretrained') is CLIPPretrained
    assert list(CLIP_MODELS) == ['ViT-B/32', 'ViT-B/16', 'ViT-L/14', 'ViT-L/14@336px']
    with pytest.raises(ValueError, match=r"'ViT-H/14'.*hf-hub:"):
        zoo.find('ViT-H/14')
    with pytest.raises(FileNotFoundError, match=r'no checkpoint .clip\.pt'):
        zoo.find('clip.pt')


def test_name_downloads_once_and_is_checked(
    tiny_model, clip, cache, server, monkeypatch
):
    monkeypatch.setattr(zoo, 'CLIP_SERVER', server.url)
    digest = sha256(clip)
    (clip.parent / digest).mkdir()
    clip.rename(clip.parent / digest / 'ViT-B-32.pt')
    monkeypatch.setitem(CLIP_MODELS, 'ViT-B/32', digest)
    config = dict(tiny_model['backbone'])
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint='ViT-B/32')
    for _ in range(2):
        MODELS.build(config).init_weights()
    assert server.requests == [f'/{digest}/ViT-B-32.pt']
    (cache / 'ViT-B-32.pt').write_bytes(b'broken')  # by a crash, long ago
    MODELS.build(config).init_weights()
    assert len(server.requests) == 2
    assert sha256(cache / 'ViT-B-32.pt') == digest


def test_path_from_the_home_folder(clip, monkeypatch):
    monkeypatch.setenv('HOME', str(clip.parent))
    assert zoo.find('~/clip.pth') == clip


def test_address_and_its_checksum(tiny_model, weights, clip, cache, server):
    backbone = MODELS.build(tiny_model['backbone'])
    url = f'{server.url}/clip.pth'
    with pytest.raises(DownloadError, match='invalid hash value'):
        CLIPPretrained(url, sha256='0' * 64)(backbone)
    CLIPPretrained(url, sha256=sha256(clip))(backbone)
    name = 'backbone.class_embedding'
    assert torch.equal(backbone.class_embedding, weights[name])
    assert (cache / f'clip-{sha256(clip)[:8]}.pth').exists()
