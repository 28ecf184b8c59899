"""Files that are damaged, hostile or no checkpoints: one error that names them."""

import argparse
import os
import random
import sys
import zipfile

import pytest
import torch
from crafted_files import Program, save_archive
from safetensors.torch import load_file, save_file

from mmxclip.checkpoints.formats import (
    UnsafeCheckpointError,
    identify_form,
    open_checkpoint,
)
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import write


def test_program_in_a_pickle_is_refused_and_runs_only_if_trusted(tmp_path, official):
    mark = tmp_path / 'executed'
    path = tmp_path / 'evil.pth'
    torch.save({'model': official, 'args': Program(mark)}, path)
    with pytest.raises(UnsafeCheckpointError, match=r'asks for more than.*--trust'):
        open_checkpoint(path)
    assert not mark.exists()
    open_checkpoint(path, trust=True)
    assert mark.exists()


def test_harmless_class_is_named(tmp_path, official):
    content = {'model': official, 'args': argparse.Namespace(lr=1)}
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(UnsafeCheckpointError, match=r'argparse\.Namespace'):
        open_checkpoint(tmp_path / 'x.pth')
    opened = open_checkpoint(tmp_path / 'x.pth', trust=True)
    assert opened.extras['args'].lr == 1


def test_program_in_a_torchscript_pickle_is_refused(tmp_path, official):
    path = tmp_path / 'evil.pt'
    mark = tmp_path / 'executed'
    torch.save({'model': official, 'args': Program(mark)}, path)
    with zipfile.ZipFile(path, 'a') as archive:  # now it poses as an archive
        archive.writestr('evil/constants.pkl', b'')
    with pytest.raises(CheckpointError, match='which no CLIP model needs'):
        open_checkpoint(path)
    assert not mark.exists()


BAD_FILES = {
    b'': 'is empty',
    b'\n <!DOCTYPE html><html>not found</html>': 'is a web page.*gdown',
    b'version https://git-lfs.github.com/spec/v1\n': 'git lfs pull',
    b'hello, world': "is no checkpoint: it begins with b'hello, w'",
    b'PK\x03\x04 and no more': r'is damaged or truncated at 16 bytes',
    b'\x80\x02 and no more': 'is damaged or truncated',
    b'\x40\x00\x00\x00\x00\x00\x00\x00{"a":': 'is damaged or truncated',
}


@pytest.mark.parametrize(('content', 'message'), BAD_FILES.items())
def test_bad_file(tmp_path, content, message):
    path = tmp_path / 'weights.pth'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(path)


@pytest.mark.parametrize('share', [0.1, 0.5, 0.99])
@pytest.mark.parametrize('form', ['zip', 'legacy', 'safetensors'])
def test_truncated_file(tmp_path, official, share, form):
    path = tmp_path / 'weights'
    if form == 'safetensors':
        save_file(official, path)
    else:
        torch.save(official, path, _use_new_zipfile_serialization=form == 'zip')
    os.truncate(path, int(share * path.stat().st_size))
    with pytest.raises(CheckpointError, match='truncated'):
        open_checkpoint(path)
    if form != 'legacy':  # which does not tell its length
        with pytest.raises(CheckpointError, match='truncated'):
            identify_form(path)


@pytest.mark.parametrize('form', ['zip', 'torchscript', 'written safetensors'])
@pytest.mark.filterwarnings('ignore:.*torch.jit:DeprecationWarning')
def test_a_changed_weight_is_noticed(tmp_path, odd, official, form):
    path = tmp_path / 'weights'
    if form == 'written safetensors':
        write(path, odd, 'huggingface')
        path /= 'model.safetensors'
    else:
        {'zip': torch.save, 'torchscript': save_archive}[form](official, path)
    whole = path.read_bytes()
    open_checkpoint(path)
    mark = official['visual.proj'].numpy().tobytes()[:64]
    if form == 'written safetensors':
        mark = load_file(path)['visual_projection.weight'].numpy().tobytes()[:64]
    assert whole.count(mark) == 1
    for damage in (bytes([mark[0] ^ 1]) + mark[1:], bytes(64)):
        path.write_bytes(whole.replace(mark, damage))
        with pytest.raises(CheckpointError, match=r'weights.* is damaged'):
            open_checkpoint(path)


READ_IN_TOO_LITTLE_MEMORY = """
import resource, sys
from mmengine.runner import CheckpointLoader
from mmxclip.checkpoints.formats import open_checkpoint

with open('/proc/self/statm') as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26,) * 2)
for read in (open_checkpoint, CheckpointLoader.load_checkpoint):
    try:
        read('mmxclip://' * (read != open_checkpoint) + sys.argv[1])
    except MemoryError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='limits memory by /proc')
def test_a_full_memory_is_no_damage(tmp_path, command):
    path = tmp_path / 'weights.pth'
    torch.save({'weight': torch.zeros(2**26)}, path)
    said = command(sys.executable, '-c', READ_IN_TOO_LITTLE_MEMORY, path)
    assert said.count(f'{path} does not fit into memory') == 2


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore')  # whatever the libraries say on the way
@pytest.mark.parametrize('form', ['zip', 'legacy', 'safetensors', 'torchscript'])
def test_damage_anywhere_is_an_error_of_ours_or_harmless(tmp_path, form):
    path, state = tmp_path / 'weights', {f'layer{n}.bias': torch.ones(4) for n in 'ab'}
    if form == 'safetensors':
        save_file(state, path)
    elif form == 'torchscript':
        save_archive(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == 'zip')
    whole, refused = path.read_bytes(), 0
    for _ in range(200):
        damaged = bytearray(whole[: random.choice([len(whole), len(whole) - 30])])
        for _ in range(random.choice([1, 4, 30])):
            damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        path.write_bytes(damaged)
        try:
            read = open_checkpoint(path).state_dict
        except CheckpointError:
            refused += 1
            continue
        if form in ('zip', 'torchscript'):  # the checksums cover every weight
            assert all(torch.equal(read[name], state[name]) for name in read)
    assert refused > 50


def test_what_is_no_file_ends_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        open_checkpoint(tmp_path / 'nothing.pth')
    with pytest.raises(CheckpointError, match=r'model\.safetensors'):
        open_checkpoint(tmp_path)
    os.mkfifo(tmp_path / 'fifo')
    for path in (tmp_path / 'fifo', '/dev/zero'):
        with pytest.raises(CheckpointError, match=f'{path}.*pipe'):
            open_checkpoint(path)


@pytest.mark.skipif(not os.getuid(), reason='root may read everything')
def test_file_without_permission(tmp_path, official):
    torch.save(official, tmp_path / 'x.pth')
    (tmp_path / 'x.pth').chmod(0)
    with pytest.raises(PermissionError, match=r'x\.pth may not be read'):
        open_checkpoint(tmp_path / 'x.pth')


@pytest.mark.parametrize('content', [None, [1, 2], torch.ones(2)])
def test_not_a_dict(tmp_path, content):
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match=r'x\.pth.*dict'):
        open_checkpoint(tmp_path / 'x.pth')


def test_zip_without_weights(tmp_path):
    with zipfile.ZipFile(tmp_path / 'x.zip', 'w') as archive:
        archive.writestr('readme.txt', 'hello')
    with pytest.raises(CheckpointError, match='zip file without weights'):
        identify_form(tmp_path / 'x.zip')


@pytest.mark.filterwarnings('ignore:.*[Nn]ested:UserWarning', 'ignore:.*parse')
@pytest.mark.parametrize(
    ('make', 'kind'),
    [
        (lambda t: t.to(torch.float8_e4m3fn), 'float8'),
        (lambda t: t.to_sparse(), 'sparse'),
        (lambda t: torch.nested.nested_tensor([t, t[:1]]), 'nested'),
        (lambda t: t.to('meta'), 'meta'),
        (lambda t: torch.zeros(1 << 16)[0].expand(t.shape), 'stride 0'),
        (lambda t: t.to(torch.complex64), 'complex64'),
    ],
)
def test_tensors_that_are_no_plain_numbers_are_named(tmp_path, official, make, kind):
    official['visual.proj'] = make(official['visual.proj'])
    torch.save(official, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match=rf'x\.pth.*visual\.proj.*{kind}'):
        open_checkpoint(tmp_path / 'x.pth')


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:.*torch.jit:DeprecationWarning')
@pytest.mark.parametrize('form', ['pth', 'torchscript'])
def test_records_that_claim_more_than_the_file_holds(tmp_path, official, form):
    path, bomb = tmp_path / 'small', tmp_path / 'bomb'
    (torch.save if form == 'pth' else save_archive)(official, path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, 'w') as new:
        for record in old.infolist():
            packed = record.filename.endswith('/data/0')
            data = bytes(1 << 26) if packed else old.read(record)
            kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            new.writestr(record.filename, data, kind)
    with pytest.raises(CheckpointError, match=r'bomb.*bytes.*compressed'):
        open_checkpoint(bomb)
