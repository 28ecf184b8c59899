import multiprocessing
import os
import pickle
import tarfile

import numpy as np
import pytest
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.fileio import get, get_file_backend
from tar_members import add
from torch.utils.data import DataLoader

from mmxclip.datasets import TarBackend

PIPELINE = [
    dict(type='VideoInit'),
    dict(type='SegmentSampleFrames', num_frames=2, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(16, 16), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('filename',)),
]


def clips_of(shared, number=8):
    lines = (shared / 'videos/train.txt').read_text().splitlines()
    return lines[:: len(lines) // number]


def make_dataset(lines, folder, tmp_path):
    (tmp_path / 'list.txt').write_text('\n'.join(lines))
    return DATASETS.build(
        dict(
            type='VideoListDataset',
            ann_file=str(tmp_path / 'list.txt'),
            data_prefix=dict(video=str(folder)),
            pipeline=PIPELINE,
            test_mode=True,
        )
    )


@pytest.fixture
def clips(shared, tmp_path):
    """Real clips in an archive."""
    lines = clips_of(shared)
    with tarfile.open(tmp_path / 'clips.tar', 'w') as tar:
        for line in lines:
            name = line.split()[0]
            tar.add(shared / 'videos' / name, arcname=name)
    return lines, tmp_path / 'clips.tar'


def same(a, b):
    pairs = zip(a, b, strict=True)
    return all(np.array_equal(x['inputs'], y['inputs']) for x, y in pairs)


@pytest.mark.slow
@pytest.mark.parametrize('num_workers', [0, 2])
def test_clips_in_an_archive_equal_those_in_folders(
    clips, shared, tmp_path, num_workers
):
    lines, path = clips
    from_folder = list(make_dataset(lines, shared / 'videos', tmp_path))
    dataset = make_dataset(lines, path, tmp_path)
    if num_workers:
        dataset[0]  # the archive has been read from before the workers fork
    loader = DataLoader(dataset, batch_size=None, num_workers=num_workers)
    assert same(loader, from_folder)
    assert same(loader, from_folder)


def test_the_host_reads_archives_too(clips):
    lines, path = clips
    reader = TRANSFORMS.build(dict(type='DecordInit', io_backend='tar'))
    name = lines[0].split()[0]
    assert reader(dict(filename=f'{path}/{name}'))['total_frames'] > 1


def test_members_by_path(archive):
    backend = get_file_backend(backend_args=dict(backend='tar'))
    assert backend.get(f'{archive}/sub/b.txt') == b'second'
    assert backend.get(archive / 'a.txt') == b'first'
    assert backend.get(f'{archive}/a b/{"long" * 40}.txt') == b'third'
    assert backend.get_text(f'{archive}//sub/./b.txt') == 'second'
    assert get(f'{archive}/a.txt', backend_args=dict(backend='tar')) == b'first'
    assert backend.exists(f'{archive}/a.txt')
    assert not backend.exists(f'{archive}/c.txt')
    assert not backend.exists(f'{archive.parent}/none.tar/a.txt')


def test_missing_member_and_archive(archive):
    with pytest.raises(FileNotFoundError, match=r'c\.txt: no such file in .*videos'):
        TarBackend().get(f'{archive}/c.txt')
    with pytest.raises(FileNotFoundError, match=r"other\.tar/a\.txt' is a tar"):
        TarBackend().get(archive.parent / 'other.tar/a.txt')


def test_missing_clip_names_the_list(clips, tmp_path):
    dataset = make_dataset(['gone.mp4 0'], clips[1], tmp_path)
    with pytest.raises(FileNotFoundError, match=r'gone\.mp4, which .*list\.txt lists'):
        dataset[0]


@pytest.mark.slow
@pytest.mark.parametrize('name', ['clips.tar.gz', 'clips.zip'])
def test_compressed_archives_are_named(clips, tmp_path, name):
    lines, archive = clips
    packed = archive.rename(tmp_path / name)  # its name is enough to know what to do
    dataset = make_dataset(lines, packed, tmp_path)
    with pytest.raises(OSError, match=rf'{name} is compressed.*uncompressed \.tar'):
        dataset[0]


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


def test_survives_pickling_for_spawned_workers(archive):
    backend = TarBackend()
    backend.get(f'{archive}/a.txt')
    assert pickle.loads(pickle.dumps(backend)).get(f'{archive}/a.txt') == b'first'


@pytest.mark.parametrize('member', ['../secret.txt', 'sub/../../secret.txt', '..'])
def test_no_path_escapes_the_archive(archive, member):
    (archive.parent / 'secret.txt').write_text('secret')
    with pytest.raises(ValueError, match='not a path inside'):
        TarBackend().get(f'{archive}/{member}')


def test_links_do_not_lead_out_of_the_archive(tmp_path):
    (tmp_path / 'secret.txt').write_text('secret')
    path = tmp_path / 'links.tar'
    with tarfile.open(path, 'w') as tar:
        add(tar, 'real.txt', b'real')
        add(tar, 'soft.txt', type=tarfile.SYMTYPE, linkname='../secret.txt')
        add(tar, 'hard.txt', type=tarfile.LNKTYPE, linkname='../secret.txt')
        add(tar, 'same.txt', type=tarfile.LNKTYPE, linkname='real.txt')
        add(tar, '../out.txt', b'out')
        add(tar, '/root.txt', b'root')
    backend = TarBackend()
    for name in ('soft.txt', 'hard.txt', 'out.txt'):
        assert not backend.exists(f'{path}/{name}')
    assert backend.get(f'{path}/same.txt') == b'real'
    assert backend.get(f'{path}/root.txt') == b'root'


def test_archive_that_cannot_be_read(archive, tmp_path):
    with tarfile.open(tmp_path / 'gz.tar', 'w:gz') as tar:
        add(tar, 'a.txt', b'first')
    cut = tmp_path / 'cut.tar'
    with tarfile.open(cut, 'w') as tar:
        add(tar, 'a.txt', bytes(20_000))
    cut.write_bytes(cut.read_bytes()[:15_000])
    for path in (tmp_path / 'gz.tar', cut):
        with pytest.raises(ValueError, match=f'{path} cannot be indexed'):
            TarBackend().get(f'{path}/a.txt')
        assert not list(tmp_path.glob('*.index*')), 'half an index is left'


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
    with pytest.raises(OSError, match=r'videos\.tar is cut off within .*a\.txt'):
        backend.get(f'{archive}/a.txt')


def test_a_member_is_a_file_of_its_own(archive):
    with TarBackend().open(f'{archive}/sub/b.txt') as file:
        assert file.read(3) == b'sec'
        assert (file.tell(), file.seek(-2, os.SEEK_END), file.read()) == (3, 4, b'nd')
        assert (file.read(1), file.seek(1), file.seek(2, os.SEEK_CUR)) == (b'', 1, 3)
        buffer = bytearray(10)
        assert (file.readinto(buffer), buffer) == (3, b'ond' + bytes(7))
        with pytest.raises(OSError, match='Invalid argument'):
            file.seek(-1)
        file.seek(100)
        assert file.read() == b''


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
