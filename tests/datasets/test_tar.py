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
    with pytest.raises(FileNotFoundError, match=r'c\.txt.*videos'):
        TarBackend().get(f'{archive}/c.txt')
    with pytest.raises(FileNotFoundError, match=r"other\.tar/a\.txt' is a tar"):
        TarBackend().get(archive.parent / 'other.tar/a.txt')


def test_missing_clip_names_the_list(clips, tmp_path):
    dataset = make_dataset(['gone.mp4 0'], clips[1], tmp_path)
    with pytest.raises(FileNotFoundError, match=r'gone\.mp4.*list\.txt'):
        dataset[0]


@pytest.mark.slow
@pytest.mark.parametrize('name', ['clips.tar.gz', 'clips.zip'])
def test_compressed_archives_are_named(clips, tmp_path, name):
    lines, archive = clips
    packed = archive.rename(tmp_path / name)  # its name is enough to know what to do
    dataset = make_dataset(lines, packed, tmp_path)
    with pytest.raises(OSError, match=rf'{name} is compressed.*uncompressed \.tar'):
        dataset[0]


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
