"""Archives that change, and what is kept of their index."""

import multiprocessing
import os
import tarfile

import pytest
from tar_members import add

from mmxclip.datasets import TarBackend


def test_the_index_is_made_once_and_anew_when_the_archive_changes(archive):
    TarBackend().get(f'{archive}/a.txt')
    index = archive.with_name('videos.tar.index')
    made = index.stat().st_mtime_ns, index.stat().st_ino
    TarBackend().get(f'{archive}/sub/b.txt')
    assert (index.stat().st_mtime_ns, index.stat().st_ino) == made
    with tarfile.open(archive, 'a') as tar:
        add(tar, 'a.txt', b'a later file of the same name counts')
        add(tar, 'new.txt', b'new')
    assert TarBackend().get(f'{archive}/new.txt') == b'new'
    assert TarBackend().get_text(f'{archive}/a.txt').startswith('a later file')


@pytest.mark.parametrize('same', ['size', 'time'])
def test_an_archive_in_place_of_another_is_indexed_anew(tmp_path, same):
    path = tmp_path / 'x.tar'
    for content in (dict(a=b'old', b=b''), dict(b=b'x' * 600, a=b'new')):
        with tarfile.open(path, 'w') as tar:
            for name, data in content.items():
                add(tar, name, data)
        if same == 'size':  # archives are filled up to 10 KB
            assert path.stat().st_size == 10240
        else:
            with path.open('ab') as file:
                file.write(bytes(512 * len(content['b'])))
            os.utime(path, (1e9, 1e9))
        assert TarBackend().get(path / 'a') == content['a']


def test_indexes_of_archives_with_one_name_may_lie_in_one_folder(tmp_path):
    backend = TarBackend(index_dir=tmp_path)
    for folder in ('train', 'val'):
        (tmp_path / folder).mkdir()
        with tarfile.open(tmp_path / folder / 'videos.tar', 'w') as tar:
            add(tar, f'{folder}.txt', folder.encode())
        os.utime(tmp_path / folder / 'videos.tar', (1e9, 1e9))
    for folder in ('train', 'val', 'train'):
        path = tmp_path / folder / f'videos.tar/{folder}.txt'
        assert backend.get(path) == folder.encode()
        assert TarBackend(index_dir=tmp_path).get(path) == folder.encode()
    assert len(list(tmp_path.glob('*.index'))) == 2


def test_damaged_index_is_replaced(archive):
    archive.with_name('videos.tar.index').write_bytes(b'no database' * 100)
    assert TarBackend().get(f'{archive}/a.txt') == b'first'


def test_index_elsewhere(archive, tmp_path):
    folder = tmp_path / 'indexes'
    folder.mkdir()
    assert TarBackend(index_dir=folder).get(f'{archive}/a.txt') == b'first'
    assert len(list(folder.iterdir())) == 1
    assert not archive.with_name('videos.tar.index').exists()
    with pytest.raises(NotADirectoryError, match='index_dir'):
        TarBackend(index_dir=archive / 'none').get(f'{archive}/a.txt')


def read_all(backend, archive, barrier, results):
    barrier.wait()
    results.put([bytes(backend.get(f'{archive}/{i}')) for i in range(200)])


def test_many_processes_index_and_read_at_once(tmp_path):
    path = tmp_path / 'many.tar'
    content = [f'file {i}'.encode() * (i + 1) for i in range(200)]
    with tarfile.open(path, 'w') as tar:
        for i, data in enumerate(content):
            add(tar, str(i), data)
    context = multiprocessing.get_context('fork')
    barrier, results = context.Barrier(3), context.Queue()
    args = (TarBackend(), path, barrier, results)
    processes = [context.Process(target=read_all, args=args) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [content] * 3
    for process in processes:
        process.join()
    assert sorted(os.listdir(tmp_path)) == ['many.tar', 'many.tar.index']


def test_archive_cut_off_after_it_was_indexed(archive):
    backend = TarBackend()
    backend.get(f'{archive}/a.txt')
    with archive.open('r+b') as file:
        file.truncate(514)
    with pytest.raises(ValueError, match=f'{archive} cannot be indexed'):
        backend.get(f'{archive}/a.txt')


def test_a_member_that_is_longer_than_its_archive(archive):
    """And says so only since the archive was indexed."""
    stat = archive.stat()
    backend = TarBackend()
    backend.get(f'{archive}/a.txt')
    header = tarfile.TarInfo('a.txt')
    header.size = 20_000
    with archive.open('r+b') as file:
        file.write(header.tobuf())
    os.utime(archive, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(OSError, match=r'videos\.tar.*a\.txt'):
        backend.get(f'{archive}/a.txt')


def pack(path, **content):
    with tarfile.open(path, 'w') as tar:
        for name, data in content.items():
            add(tar, name, data)
    os.utime(path, (1e9, 1e9))


@pytest.mark.parametrize(
    'new', [dict(b=b'B', a=b'new'), dict(a=b'longer'), dict(c=b'', d=b'', a=b'new')]
)
def test_another_archive_of_the_same_name_size_and_time(tmp_path, new):
    """Indexed before by this process or another, read through no old index."""
    path = tmp_path / 'x.tar'
    pack(path, a=b'old', b=b'b')
    backend = TarBackend()
    assert backend.get(path / 'a') == b'old'
    pack(path, **new)
    assert path.stat().st_size == 10240
    assert backend.get(path / 'a') == new['a']
    assert TarBackend().get(path / 'a') == new['a']


def test_an_archive_that_is_replaced_while_a_worker_lives(tmp_path):
    path = tmp_path / 'x.tar'
    pack(path, a=b'old')
    backend = TarBackend()
    assert backend.get(path / 'a') == b'old'
    with tarfile.open(path, 'w') as tar:
        add(tar, 'more', b'more')
        add(tar, 'a', b'new')
    assert backend.get(path / 'a') == b'new'
    assert backend.get(path / 'more') == b'more'
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'x\.tar'):
        backend.get(path / 'a')
