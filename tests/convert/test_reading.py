"""Opening files: every good form, every bad one, and nothing executed."""

import argparse
import json
import random
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer
from safetensors.torch import save_file
from torch import nn
from yacs.config import CfgNode

from mmxclip.convert import (
    ConversionError,
    UnsafeCheckpointError,
    identify_form,
    read_checkpoint,
    recognize,
    to_mmxclip,
)


def test_pytorch_files_old_and_new(tmp_path, official):
    for zipped in (True, False):
        path = tmp_path / f'{zipped}.pth'
        torch.save(official, path, _use_new_zipfile_serialization=zipped)
        opened = read_checkpoint(path)
        assert opened.form == 'PyTorch file'
        assert opened.content.keys() == official.keys()


def test_safetensors_file_and_folder(tmp_path, clip):
    save_file(clip, tmp_path / 'model.safetensors')
    (tmp_path / 'config.json').write_text(json.dumps({'model_type': 'xclip'}))
    for path in (tmp_path, tmp_path / 'model.safetensors', str(tmp_path)):
        opened = read_checkpoint(path)
        assert opened.form == 'safetensors file'
        assert opened.config == {'model_type': 'xclip'}
        assert torch.equal(opened.content['logit_scale'], clip['logit_scale'])


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{oops', 'is not JSON'),
        ('[]', r'must be an object of settings, is \[\]'),
        ('{"vision_config": null}', 'vision_config must be an object of settings'),
    ],
)
def test_broken_config_is_named(tmp_path, clip, text, message):
    save_file(clip, tmp_path / 'model.safetensors')
    (tmp_path / 'config.json').write_text(text)
    with pytest.raises(ConversionError, match=rf'config\.json.* {message}'):
        read_checkpoint(tmp_path)


def test_folder_with_bin(tmp_path, clip):
    torch.save(clip, tmp_path / 'pytorch_model.bin')
    assert read_checkpoint(tmp_path).form == 'PyTorch file'


def test_official_checkpoint_with_its_settings(tmp_path, official):
    settings = CfgNode({'MODEL': {'ARCH': 'ViT-B/32'}, 'SEED': 1024})
    settings.freeze()
    content = {'model': official, 'max_accuracy': 80.4, 'epoch': 29, 'config': settings}
    torch.save(content, tmp_path / 'k400.pth')
    source = recognize(read_checkpoint(tmp_path / 'k400.pth'))
    assert source.kind == 'official X-CLIP'
    assert source.extras == ('max_accuracy', 'epoch', 'config')


def test_training_checkpoint_of_mmengine(tmp_path, weights):
    content = {
        'state_dict': {f'module.{name}': t for name, t in weights.items()},
        'optimizer': {'state': {}, 'param_groups': []},
        'message_hub': {'loss': HistoryBuffer([1.0], [1])},
    }
    torch.save(content, tmp_path / 'epoch_1.pth')
    source = recognize(read_checkpoint(tmp_path / 'epoch_1.pth'))
    assert source.kind == 'mmxclip'
    assert source.extras == ('optimizer', 'message_hub')
    assert source.state_dict.keys() == weights.keys()


class Tree(nn.Module):
    """Modules that hold tensors under dotted names; runs a program when scripted."""

    def __init__(self, state):
        super().__init__()
        for name, tensor in state.items():
            node = self
            *path, leaf = name.split('.')
            for part in path:
                if part not in node._modules:
                    node.add_module(part, Tree({}))
                node = node._modules[part]
            node.register_buffer(leaf, tensor)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.parametrize('dtype', [torch.float16, torch.float32])
@pytest.mark.filterwarnings('ignore:.*torch.jit:DeprecationWarning')
def test_torchscript_archive_loads_like_its_state_dict(tmp_path, clip, dtype):
    clip = {name: tensor.to(dtype) for name, tensor in clip.items()}
    clip['input_resolution'] = torch.tensor(32)
    traced = torch.jit.trace(Tree(clip), torch.ones(1))
    torch.jit.save(traced, tmp_path / 'ViT.pt')
    opened = read_checkpoint(tmp_path / 'ViT.pt')
    assert opened.form == 'TorchScript archive'
    want, report = to_mmxclip(recognize(opened))
    torch.save(clip, tmp_path / 'ViT.pth')
    got, _ = to_mmxclip(recognize(read_checkpoint(tmp_path / 'ViT.pth')))
    assert got.keys() == want.keys()
    for name, tensor in got.items():
        assert torch.equal(tensor, want[name]), name
        assert want[name].dtype == dtype
    assert 'input_resolution' in report.dropped


class Program:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_program_in_a_pickle_is_refused_and_runs_only_if_trusted(tmp_path, official):
    mark = tmp_path / 'executed'
    path = tmp_path / 'evil.pth'
    torch.save({'model': official, 'args': Program(mark)}, path)
    with pytest.raises(UnsafeCheckpointError, match=r'asks for more than.*--trust'):
        read_checkpoint(path)
    assert not mark.exists()
    read_checkpoint(path, trust=True)
    assert mark.exists()


def test_harmless_class_is_named(tmp_path, official):
    content = {'model': official, 'args': argparse.Namespace(lr=1)}
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(UnsafeCheckpointError, match=r'argparse\.Namespace'):
        read_checkpoint(tmp_path / 'x.pth')
    opened = read_checkpoint(tmp_path / 'x.pth', trust=True)
    assert opened.content['args'].lr == 1


def test_program_in_a_torchscript_pickle_is_refused(tmp_path, official):
    path = tmp_path / 'evil.pt'
    mark = tmp_path / 'executed'
    torch.save({'model': official, 'args': Program(mark)}, path)
    with zipfile.ZipFile(path, 'a') as archive:  # now it poses as an archive
        archive.writestr('evil/constants.pkl', b'')
    with pytest.raises(ConversionError, match='which no CLIP model needs'):
        read_checkpoint(path)
    assert not mark.exists()


BAD_FILES = {
    b'': 'is empty',
    b'<!DOCTYPE html><html>not found</html>': 'is a web page, not a checkpoint',
    b'\n <html><title>Google Drive</title>': 'with a browser or gdown',
    b'version https://git-lfs.github.com/spec/v1\n': 'git lfs pull',
    b'hello, world': "is no checkpoint: it begins with b'hello, w'",
    b'PK\x03\x04 and no more': r'is truncated \(16 bytes\)',
    b'\x80\x02 and no more': 'is damaged or truncated',
    b'\x40\x00\x00\x00\x00\x00\x00\x00{"a":': 'is truncated',
}


@pytest.mark.parametrize(('content', 'message'), BAD_FILES.items())
def test_bad_file(tmp_path, content, message):
    path = tmp_path / 'weights.pth'
    path.write_bytes(content)
    with pytest.raises(ConversionError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize('share', [0.1, 0.5, 0.99])
@pytest.mark.parametrize('form', ['zip', 'legacy', 'safetensors'])
def test_truncated_file(tmp_path, clip, share, form):
    path = tmp_path / 'weights'
    if form == 'safetensors':
        save_file(clip, path)
    else:
        torch.save(clip, path, _use_new_zipfile_serialization=form == 'zip')
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ConversionError, match='truncated'):
        read_checkpoint(path)
    if form != 'legacy':  # which does not tell its length
        with pytest.raises(ConversionError, match='truncated'):
            identify_form(path)


def test_damaged_archive(tmp_path, clip):
    path = tmp_path / 'weights.pth'
    torch.save(clip, path)
    damaged = bytearray(path.read_bytes())
    damaged[100:2000] = bytes(1900)
    path.write_bytes(damaged)
    with pytest.raises(ConversionError, match='damaged'):
        read_checkpoint(path)


READ_IN_TOO_LITTLE_MEMORY = """
import resource, sys
from mmxclip.convert import read_checkpoint
from mmxclip.engine.weights import load_from_local

with open('/proc/self/statm') as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26,) * 2)
for read in (read_checkpoint, load_from_local):
    try:
        read(sys.argv[1])
    except MemoryError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='limits memory by /proc')
def test_a_full_memory_is_no_damage(tmp_path, command):
    path = tmp_path / 'weights.pth'
    torch.save({'weight': torch.zeros(2**26)}, path)
    said = command(sys.executable, '-c', READ_IN_TOO_LITTLE_MEMORY, path)
    assert said.count(f'{path} does not fit into memory') == 2


@pytest.mark.filterwarnings('ignore')  # whatever the libraries say on the way
@pytest.mark.parametrize('form', ['zip', 'legacy', 'safetensors', 'torchscript'])
def test_damage_anywhere_is_an_error_of_ours_or_harmless(tmp_path, form):
    path, state = tmp_path / 'weights', {f'layer{n}.bias': torch.ones(4) for n in 'ab'}
    if form == 'safetensors':
        save_file(state, path)
    elif form == 'torchscript':
        torch.jit.save(torch.jit.trace(Tree(state), torch.ones(1)), path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == 'zip')
    whole, refused = path.read_bytes(), 0
    for _ in range(200):
        damaged = bytearray(whole[: random.choice([len(whole), len(whole) - 30])])
        for _ in range(random.choice([1, 4, 30])):
            damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        path.write_bytes(damaged)
        try:
            read_checkpoint(path)
        except ConversionError:
            refused += 1
    assert refused > 50


def test_missing_file_and_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        read_checkpoint(tmp_path / 'nothing.pth')
    with pytest.raises(ConversionError, match=r'has none of model\.safetensors'):
        read_checkpoint(tmp_path)


def test_not_a_dict(tmp_path):
    torch.save(torch.ones(2), tmp_path / 'x.pth')
    with pytest.raises(ConversionError, match='holds a Tensor, not a dict'):
        read_checkpoint(tmp_path / 'x.pth')


def test_zip_without_weights(tmp_path):
    with zipfile.ZipFile(tmp_path / 'x.zip', 'w') as archive:
        archive.writestr('readme.txt', 'hello')
    with pytest.raises(ConversionError, match='zip file without weights'):
        identify_form(tmp_path / 'x.zip')
