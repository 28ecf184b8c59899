"""CLIPs of others: their activation, heads and pixels are read, or must be said."""

import json
import time

import pytest
import torch
from huggingface_hub import constants
from mmaction.registry import MODELS
from mmengine.runner.checkpoint import CheckpointLoader

from mmxclip.checkpoints.formats import Opened, open_checkpoint
from mmxclip.checkpoints.layouts import HUGGINGFACE_CLIP, OPENAI_CLIP
from mmxclip.checkpoints.load import convert, fit, load
from mmxclip.checkpoints.model_settings import read_settings
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import convert_file, write
from mmxclip.checkpoints.zoo import DownloadError, OfflineError, find

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
BOTH = (
    r"model\.backbone\.activation = 'gelu'; "
    r"model\.cls_head\.text_encoder\.activation = 'gelu'"
)


def open_clip_config(quick_gelu=False, **vision):
    """Of the suite's tiny model."""
    config = dict(
        embed_dim=16,
        vision_cfg=dict(
            image_size=32, layers=2, width=32, head_width=16, patch_size=16, **vision
        ),
        text_cfg=dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=2),
    )
    if quick_gelu:
        config['quick_gelu'] = True
    return dict(
        model_cfg=config, preprocess_cfg=dict(mean=list(CLIP_MEAN), std=list(CLIP_STD))
    )


@pytest.fixture
def gelu_model(tiny_model):
    """The tiny model with GELU everywhere but in the prompt."""
    tiny_model['backbone']['activation'] = 'gelu'
    tiny_model['cls_head']['text_encoder']['activation'] = 'gelu'
    tiny_model['neck']['activation'] = 'gelu'
    return tiny_model


@pytest.fixture
def towers(weights):
    """The tiny model's CLIP under open_clip's names."""
    tensors = OPENAI_CLIP.from_ours(weights).tensors
    return {name: t for name, t in tensors.items() if 'message' not in name}


@pytest.fixture
def folder(tmp_path, towers):
    """open_clip's folder of it."""
    folder = tmp_path / 'open_clip'
    folder.mkdir()
    torch.save(towers, folder / 'open_clip_pytorch_model.bin')
    (folder / 'open_clip_config.json').write_text(json.dumps(open_clip_config()))
    return folder


def clip_parts(model):
    return MODELS.build(model['backbone']), MODELS.build(
        model['cls_head']['text_encoder']
    )


def test_the_other_activation_is_refused_with_the_lines_to_add(
    folder, tiny_model, gelu_model
):
    del gelu_model['cls_head']['text_encoder']['activation']
    backbone, text = clip_parts(gelu_model)
    load(backbone, folder, complete=False)
    with pytest.raises(CheckpointError, match=BOTH):
        load(text, folder, complete=False)


def test_what_nothing_says_must_be_said(tmp_path, towers, tiny_model):
    torch.save(towers, tmp_path / 'epoch_32.pt')
    for part in clip_parts(tiny_model):
        with pytest.raises(CheckpointError, match=r'model\.backbone\.activation = '):
            load(part, tmp_path / 'epoch_32.pt', complete=False)
    for place in (tiny_model['backbone'], tiny_model['cls_head']['text_encoder']):
        place['activation'] = 'quick_gelu'
    for part in clip_parts(tiny_model):
        load(part, tmp_path / 'epoch_32.pt', complete=False)
    with pytest.raises(CheckpointError, match='activation'):
        convert_file(tmp_path / 'epoch_32.pt', tmp_path / 'ours.pth')


def test_other_heads_are_refused(folder, gelu_model):
    gelu_model['backbone']['arch']['num_heads'] = 4
    backbone, _ = clip_parts(gelu_model)
    with pytest.raises(CheckpointError, match=r'backbone\.arch\.num_heads = 2'):
        load(backbone, folder, complete=False)


@pytest.mark.parametrize(
    'change', [dict(no_ln_pre=True), dict(timm_model_name='vit'), dict(pool_type='avg')]
)
def test_towers_that_compute_otherwise_are_refused(folder, gelu_model, change):
    config = json.dumps(open_clip_config(**change))
    (folder / 'open_clip_config.json').write_text(config)
    with pytest.raises(CheckpointError, match=next(iter(change))):
        load(clip_parts(gelu_model)[0], folder, complete=False)


@pytest.mark.parametrize('config', ['{"model_cfg": 3}', '{"model_cfg": {}}', '[]', '{'])
def test_a_damaged_config_is_called_so(folder, gelu_model, config):
    (folder / 'open_clip_config.json').write_text(config)
    with pytest.raises(CheckpointError, match='open_clip'):
        load(clip_parts(gelu_model)[0], folder, complete=False)


def test_an_unknown_activation_is_named(tmp_path, weights):
    tensors = HUGGINGFACE_CLIP.from_ours(weights).tensors
    config = dict(vision_config=dict(hidden_act='gelu_new'))
    with pytest.raises(CheckpointError, match='gelu_new'):
        convert(Opened.of(tensors, config=config))


def test_a_whole_model_is_told_the_pixels_of_its_tower(folder, gelu_model):
    model = MODELS.build(gelu_model)
    _, report = fit(model, open_checkpoint(folder), complete=False)
    assert 'data_preprocessor.mean = [122.771, 116.746, 104.094]' in str(report)
    gelu_model['data_preprocessor'] |= dict(
        mean=[122.771, 116.746, 104.094], std=[68.501, 66.632, 70.323]
    )
    _, report = fit(MODELS.build(gelu_model), open_checkpoint(folder), complete=False)
    assert not report.notes


def test_the_scheme_keeps_what_the_config_said(folder, tiny_model):
    """As for ``load_from``, where MMEngine passes the tensors only."""
    checkpoint = CheckpointLoader.load_checkpoint(f'mmxclip://{folder}', 'cpu')
    with pytest.raises(CheckpointError, match=BOTH):
        fit(MODELS.build(tiny_model), Opened.of(checkpoint), complete=False)


def test_a_conversion_keeps_what_the_config_said(folder, tiny_model, tmp_path):
    for _ in range(2):  # also of what was converted
        convert_file(folder, tmp_path / 'ours.pth', inference=True, force=True)
        folder = tmp_path / 'ours.pth'
    with pytest.raises(CheckpointError, match=BOTH):
        load(MODELS.build(tiny_model), tmp_path / 'ours.pth', complete=False)


def test_a_trained_model_is_not_taken_for_the_other(tmp_path, tiny_model, weights):
    config = "model = dict(backbone=dict(arch='b/16', activation='gelu'))"
    content = dict(state_dict=weights, meta=dict(cfg=config))
    with pytest.raises(CheckpointError, match=r"backbone\.activation = 'gelu'"):
        load(MODELS.build(tiny_model), Opened.of(content))


def test_huggingface_holds_one_activation_of_backbone_and_neck(tmp_path, gelu_model):
    weights = MODELS.build(gelu_model).state_dict()
    stated = dict(gelu_model)
    settings = read_settings(weights, stated)
    write(tmp_path / 'hf', weights, 'huggingface', settings=settings)
    tensors, _, again = convert(open_checkpoint(tmp_path / 'hf'))
    assert all(torch.equal(tensors[name], weights[name]) for name in weights)
    assert again['neck']['activation'] == 'gelu'
    del gelu_model['backbone']['activation']
    model = MODELS.build(gelu_model)
    with pytest.raises(CheckpointError, match=BOTH):
        load(model, tmp_path / 'hf')
    settings['neck'].pop('activation')
    with pytest.raises(CheckpointError, match='neck'):
        write(tmp_path / 'other', weights, 'huggingface', settings=settings)
    for target in ('official', 'openai-clip'):
        with pytest.raises(CheckpointError, match='QuickGELU'):
            write(tmp_path / 'x.pth', weights, target, settings=settings)


def test_inspect_names_activation_and_pixels(tool, folder):
    said = tool('inspect_checkpoint.py', folder)
    assert 'Activation: gelu' in said
    assert "'activation': 'gelu'" in said
    assert 'model.data_preprocessor.std = [68.501, 66.632, 70.323]' in said


@pytest.fixture
def on_hub(hub, folder):
    def put(repo, *names):
        for name in names:
            hub.files[f'{repo}/{name}'] = (folder / name).read_bytes()

    return put


@pytest.mark.slow
def test_by_name_from_the_hub(hub, on_hub, gelu_model, weights):
    repo = 'laion/CLIP-tiny'
    on_hub(repo, 'open_clip_config.json', 'open_clip_pytorch_model.bin')
    gelu_model['backbone']['init_cfg'] = gelu_model['cls_head']['init_cfg'] = dict(
        type='CLIPPretrained', checkpoint=f'hf-hub:{repo}'
    )
    model = MODELS.build(gelu_model)
    model.init_weights()
    assert torch.equal(model.backbone.proj, weights['backbone.proj'])
    hub.requests.clear()
    assert find(f'hf-hub:{repo}') == find(f'mmxclip://hf-hub:{repo}')
    assert not hub.downloads


@pytest.mark.slow
def test_a_huggingface_clip_by_name(hub, tmp_path, weights, tiny_model, monkeypatch):
    tensors = HUGGINGFACE_CLIP.from_ours(weights).tensors
    torch.save(
        {n: t for n, t in tensors.items() if 'message' not in n}, tmp_path / 'x.bin'
    )
    heads = dict(num_attention_heads=2)
    files = {
        'pytorch_model.bin': (tmp_path / 'x.bin').read_bytes(),
        'config.json': dict(text_config=heads, vision_config=heads),
        'preprocessor_config.json': dict(image_mean=CLIP_MEAN, image_std=CLIP_STD),
    }
    for name, content in files.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        hub.files[f'openai/clip-tiny/{name}'] = data
    report = load(
        MODELS.build(tiny_model['backbone']), 'hf-hub:openai/clip-tiny', complete=False
    )
    assert 'mean = [122.771' in str(report)
    with pytest.raises(DownloadError, match='openai/clip-huge'):
        find('hf-hub:openai/clip-huge')
    hub.requests.clear()
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    assert (find('hf-hub:openai/clip-tiny') / 'pytorch_model.bin').is_file()
    assert not hub.requests, 'it was there'
    with pytest.raises(OfflineError, match='hf download openai/clip-huge'):
        find('hf-hub:openai/clip-huge')


@pytest.mark.slow
def test_split_weights_by_name(hub, towers, gelu_model, tmp_path):
    names = sorted(towers)
    parts = {'open_clip_pytorch_model-1.bin': names[::2]}
    parts['open_clip_pytorch_model-2.bin'] = names[1::2]
    for file, held in parts.items():
        torch.save({name: towers[name] for name in held}, tmp_path / file)
        hub.files[f'laion/big/{file}'] = (tmp_path / file).read_bytes()
    index = dict(weight_map={n: file for file, held in parts.items() for n in held})
    for name, content in (
        ('open_clip_config.json', open_clip_config()),
        ('open_clip_pytorch_model.bin.index.json', index),
    ):
        hub.files[f'laion/big/{name}'] = json.dumps(content).encode()
    backbone, _ = clip_parts(gelu_model)
    load(backbone, 'hf-hub:laion/big', complete=False)
    assert torch.equal(backbone.proj, towers['visual.proj'])


@pytest.mark.slow
@pytest.mark.usefixtures('shapes')
def test_trains_resumes_tests_and_converts(demo, tool, tmp_path):
    work = tmp_path / 'work'
    gelu = [
        f'model.{part}.activation=gelu'
        for part in ('backbone', 'neck', 'cls_head.text_encoder')
    ]
    options = ['default_hooks.checkpoint.interval=1', 'train_cfg.val_interval=1']
    for part in ('train', 'val', 'test'):
        options += [f'{part}_dataloader.num_workers=0']
        options += [f'{part}_dataloader.persistent_workers=False']
    for epochs, resume in ((1, ()), (2, ('--resume',))):
        epoch = f'train_cfg.max_epochs={epochs}'
        args = ['--work-dir', work, *resume, '--cfg-options', *options, *gelu, epoch]
        tool('train.py', demo, *args)
        time.sleep(1.1)  # MMEngine names the folder of a log by the second
    path = work / 'epoch_2.pth'
    tool('test.py', demo, path, '--work-dir', work, '--cfg-options', *options, *gelu)
    with pytest.raises(SystemExit, match=BOTH):
        tool('test.py', demo, path, '--work-dir', work, '--cfg-options', *options)
    said = tool('convert_checkpoint.py', path, tmp_path / 'hf', '--to', 'huggingface')
    assert 'Hugging Face' in said
    there, _, settings = convert(open_checkpoint(tmp_path / 'hf'))
    assert settings['neck']['activation'] == 'gelu'
    weights = open_checkpoint(path).state_dict
    assert all(torch.equal(tensor, weights[name]) for name, tensor in there.items())
    with pytest.raises(SystemExit, match='QuickGELU'):
        tool('convert_checkpoint.py', path, tmp_path / 'x.pth', '--to', 'official')
