"""Opening files: every good form."""

import json

import pytest
import torch
from crafted_files import save_archive
from mmengine.logging import HistoryBuffer
from safetensors.torch import save_file
from yacs.config import CfgNode

from mmxclip.checkpoints.formats import (
    open_checkpoint,
)
from mmxclip.checkpoints.load import convert
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import export


def test_pytorch_files_old_and_new(tmp_path, official):
    for zipped in (True, False):
        path = tmp_path / f'{zipped}.pth'
        torch.save(official, path, _use_new_zipfile_serialization=zipped)
        opened = open_checkpoint(path)
        assert opened.form == 'PyTorch file'
        assert opened.state_dict.keys() == official.keys()


def test_safetensors_file_and_folder(tmp_path, official):
    save_file(official, tmp_path / 'model.safetensors')
    (tmp_path / 'config.json').write_text(json.dumps({'model_type': 'xclip'}))
    for path in (tmp_path, tmp_path / 'model.safetensors', str(tmp_path)):
        opened = open_checkpoint(path)
        assert opened.form == 'safetensors file'
        assert opened.config == {'model_type': 'xclip'}
        assert torch.equal(opened.state_dict['logit_scale'], official['logit_scale'])


@pytest.mark.parametrize('name', ['model.safetensors', 'pytorch_model.bin'])
def test_folder_whose_weights_are_split(tmp_path, odd, name):
    hf, _ = export(odd, 'huggingface')
    stem, ending = name.split('.')
    names = list(hf)
    places = {}
    for part in (0, 1):
        share = {n: hf[n].contiguous() for n in names[part::2]}
        file = f'{stem}-0000{part + 1}-of-00002.{ending}'
        places |= dict.fromkeys(share, file)
        save = save_file if ending == 'safetensors' else torch.save
        save(share, tmp_path / file)
    index = tmp_path / f'{name}.index.json'
    index.write_text(json.dumps(dict(weight_map=places)))
    got, _, _ = convert(open_checkpoint(tmp_path))
    assert got.keys() == odd.keys()
    assert all(torch.equal(got[n], t) for n, t in odd.items())
    for wrong in ({'weight_map': {'a': '../model.bin'}}, {'weight_map': 3}, {}):
        index.write_text(json.dumps(wrong))
        with pytest.raises(CheckpointError, match=r'index\.json'):
            open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    'text', ['{oops', '[]', '{"vision_config": null}', '[' * 10**5]
)
def test_broken_config_is_named(tmp_path, official, text):
    save_file(official, tmp_path / 'model.safetensors')
    (tmp_path / 'config.json').write_text(text)
    with pytest.raises(CheckpointError, match=r'config\.json'):
        open_checkpoint(tmp_path)


def test_official_checkpoint_with_its_settings(tmp_path, official):
    settings = CfgNode({'MODEL': {'ARCH': 'ViT-B/32'}, 'SEED': 1024})
    settings.freeze()
    content = {'model': official, 'max_accuracy': 80.4, 'epoch': 29, 'config': settings}
    torch.save(content, tmp_path / 'k400.pth')
    opened = open_checkpoint(tmp_path / 'k400.pth')
    assert convert(opened)[1].source == 'official X-CLIP'
    assert [*opened.extras] == ['max_accuracy', 'epoch', 'config']


@pytest.mark.parametrize(
    'prefix', ['module.', 'module._orig_mod.', '_orig_mod.module.']
)
def test_training_checkpoint_of_wrapped_models(tmp_path, odd, prefix):
    content = {
        'state_dict': {f'{prefix}{name}': t for name, t in odd.items()},
        'optimizer': {'state': {}, 'param_groups': []},
        'message_hub': {'loss': HistoryBuffer([1.0], [1])},
    }
    torch.save(content, tmp_path / 'epoch_1.pth')
    opened = open_checkpoint(tmp_path / 'epoch_1.pth')
    assert [*opened.extras] == ['optimizer', 'message_hub']
    assert opened.state_dict.keys() == odd.keys()


@pytest.mark.slow
@pytest.mark.parametrize('dtype', [torch.float16, torch.float32])
@pytest.mark.filterwarnings('ignore:.*torch.jit:DeprecationWarning')
def test_torchscript_archive_loads_like_its_state_dict(tmp_path, odd, dtype):
    clip = {n: tensor.to(dtype) for n, tensor in export(odd, 'openai-clip')[0].items()}
    clip['input_resolution'] = torch.tensor(32)
    save_archive(clip, tmp_path / 'ViT.pt')
    opened = open_checkpoint(tmp_path / 'ViT.pt')
    assert opened.form == 'TorchScript archive'
    want, report, _ = convert(opened)
    torch.save(clip, tmp_path / 'ViT.pth')
    got, _, _ = convert(open_checkpoint(tmp_path / 'ViT.pth'))
    assert got.keys() == want.keys()
    for name, tensor in got.items():
        assert torch.equal(tensor, want[name]), name
        assert want[name].dtype == dtype
    assert 'input_resolution' in report.dropped
