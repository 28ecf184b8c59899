"""What may be in an archive, or happen to it, while its index is made."""

import errno
import os
import sqlite3
import tarfile
import tracemalloc
from contextlib import closing

import numpy as np
import pytest
from tar_members import add

from mmxclip.datasets import TarBackend
from mmxclip.datasets.readers.tar_index import TarIndex


def test_an_archive_that_grows_while_it_is_indexed_is_indexed_again(
    archive, monkeypatch
):
    scan = TarIndex._scan

    def scan_slowly(index):
        yield from scan(index)
        with tarfile.open(archive, 'a') as tar:
            add(tar, 'late.txt', bytes(20_000))

    with monkeypatch.context() as patch:
        patch.setattr(TarIndex, '_scan', scan_slowly)
        assert not TarBackend().exists(f'{archive}/late.txt')
    assert TarBackend().exists(f'{archive}/late.txt')


@pytest.mark.parametrize('layout', [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_need_not_be_utf_8(tmp_path, layout):
    path = tmp_path / 'latin.tar'
    with tarfile.open(path, 'w', format=layout) as tar:
        add(tar, 'a\udce9.txt', b'latin')
        add(tar, 'aé.txt', b'unicode')
    backend = TarBackend()
    assert backend.get(f'{path}/aé.txt') == b'unicode'
    assert backend.get(f'{path}/a\udce9.txt') == b'latin'


def test_an_index_of_many_files_costs_no_memory(tmp_path):
    path = tmp_path / 'many.tar'
    with tarfile.open(path, 'w') as tar:
        for i in range(3000):
            add(tar, f'{i:0100}')
    tracemalloc.start()
    TarIndex(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150_000, 'half of what 3000 names of 100 letters take'


def test_hard_links_are_followed_however_they_spell_the_file(tmp_path):
    path = tmp_path / 'links.tar'
    with tarfile.open(path, 'w') as tar:
        add(tar, './real.txt', b'real')
        add(tar, 'link.txt', type=tarfile.LNKTYPE, linkname='real.txt')
        add(tar, 'again.txt', type=tarfile.LNKTYPE, linkname='link.txt')
    assert TarBackend().get(f'{path}/again.txt') == b'real'


def test_an_archive_damaged_in_the_middle_is_not_taken_for_a_short_one(archive):
    data = bytearray(archive.read_bytes())
    second = 2 * tarfile.BLOCKSIZE  # behind the header and the content of the first
    data[second : second + 8] = b'garbage!'
    archive.write_bytes(data)
    with pytest.raises(ValueError, match=f'byte {second}'):
        TarBackend().get(f'{archive}/a.txt')
    assert not list(archive.parent.glob('*.index*')), 'half an index is left'


def with_checksum(block):
    total = sum(block[:148]) + 8 * 32 + sum(block[156:])
    return block[:148] + b'%06o\0 ' % total + block[156:]


@pytest.mark.parametrize('kind', [b'0', b'x', b'g', b'L'])
@pytest.mark.parametrize('size', [-1024, -512, -1, 2**40, 2**63, 2**70])
def test_a_header_of_an_impossible_size_ends_the_indexing(tmp_path, kind, size):
    path = tmp_path / 'x.tar'
    blocks = [tarfile.TarInfo(name).tobuf() for name in 'xy']
    block = bytearray(tarfile.TarInfo('a.mp4').tobuf())
    block[124:136] = (size % 256**12).to_bytes(12, 'big')
    block[124] = 0xFF if size < 0 else 0x80
    block[156:157] = kind
    path.write_bytes(b''.join([*blocks, with_checksum(bytes(block)), bytes(10240)]))
    with pytest.raises(ValueError, match=r'x\.tar cannot be indexed'):
        TarBackend().get(path / 'x')
    assert os.listdir(tmp_path) == ['x.tar']


def test_a_damaged_or_tampered_index_gives_the_right_file_or_none(tmp_path):
    path = tmp_path / 'x.tar'
    content = {f'{i}.mp4': bytes([i]) * (i + 1) for i in range(40)}
    with tarfile.open(path, 'w') as tar:
        for name, data in content.items():
            add(tar, name, data)
    index = tmp_path / 'x.tar.index'
    assert TarBackend().get(path / '0.mp4') == b'\0'
    whole, rng = index.read_bytes(), np.random.default_rng(0)
    for i in range(100):
        data = bytearray(whole)
        if i % 2:
            start = rng.integers(len(data))
            data[start : start + 64] = rng.bytes(len(data[start : start + 64]))
        else:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        index.write_bytes(data)
        backend = TarBackend()
        for name in ('3.mp4', f'{i % 40}.mp4'):
            assert backend.get(path / name) == content[name]


@pytest.mark.parametrize(
    'change',
    [
        "UPDATE members SET header = 'text'",
        'UPDATE members SET header = NULL',
        'UPDATE members SET header = -1',
        'UPDATE members SET header = 9223372036854775807',
        'UPDATE members SET header = 0.5',
        'UPDATE members SET header = 0 WHERE name = CAST("b" AS BLOB)',
        'UPDATE members SET header = 0',
        'DELETE FROM members',
        'DROP TABLE members',
        'DELETE FROM archive',
        'UPDATE archive SET digest = "text"',
    ],
)
def test_an_index_that_leads_elsewhere_is_made_anew(tmp_path, change):
    path = tmp_path / 'x.tar'
    with tarfile.open(path, 'w') as tar:
        add(tar, 'a', b'first')
        add(tar, 'b', b'second')
    assert TarBackend().get(path / 'b') == b'second'
    with closing(sqlite3.connect(tmp_path / 'x.tar.index')) as database, database:
        database.execute(change)
    backend = TarBackend()
    assert backend.get(path / 'b') == b'second'
    assert not backend.exists(path / 'c')


def test_a_full_disk_is_no_lack_of_permission(tiny_disk, tmp_path):
    path = tmp_path / 'x.tar'
    with tarfile.open(path, 'w') as tar:
        for i in range(3000):
            add(tar, f'{i:0100}')
    with pytest.raises(OSError, match=r'No space left on device.*index_dir') as caught:
        TarBackend(index_dir=tiny_disk).get(path / f'{0:0100}')
    assert caught.value.errno == errno.ENOSPC
    assert not os.listdir(tiny_disk)
