"""What may be in an archive, or happen to it, while its index is made."""

import os
import sqlite3
import tarfile
import tracemalloc
from contextlib import closing

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


def test_an_index_that_was_never_finished_is_in_nobodys_way(archive):
    """Its writer, of another machine, had our process id."""
    half = archive.with_name(f'videos.tar.index.{os.getpid()}')
    with closing(sqlite3.connect(half)) as database:
        database.execute('CREATE TABLE archive (layout)')
    assert TarBackend().get(f'{archive}/a.txt') == b'first'
    assert half.exists()


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
    with pytest.raises(
        ValueError, match=f'cannot be indexed: damaged at byte {second}'
    ):
        TarBackend().get(f'{archive}/a.txt')
    assert not list(archive.parent.glob('*.index*')), 'half an index is left'
