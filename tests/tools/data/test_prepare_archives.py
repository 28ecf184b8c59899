"""Archives of benchmarks: unpacked whole, once or again, beside what is there."""

import io
import shutil
import tarfile
import zipfile

import numpy as np
import pytest

from mmxclip.datasets.lists import unpack


@pytest.fixture
def rar_program(tmp_path, monkeypatch):
    """A bsdtar, as it may be installed, for archives that hold tar after all."""
    script = tmp_path / 'bin/bsdtar'
    script.parent.mkdir()
    script.write_text('#!/bin/sh\nexec tar --skip-old-files -xf "$2" -C "$4"\n')
    script.chmod(0o755)
    monkeypatch.setenv('PATH', f'{script.parent}:/usr/bin:/bin')


def _pack(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, 'w') as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.mark.usefixtures('rar_program')
def test_only_archives_that_came_out_of_an_archive_are_replaced(run, tmp_path):
    """The given one and others beside the videos are the user's."""
    videos = tmp_path / 'videos'
    _pack(tmp_path / 'wave.rar', {'a_wave.avi': b''})
    wave = (tmp_path / 'wave.rar').read_bytes()
    _pack(videos / 'hmdb51_org.rar', {'wave.rar': wave})
    _pack(videos / 'holiday.rar', {'beach.avi': b''})
    args = ['hmdb51', '--videos', videos, '--lists', tmp_path / 'lists']
    done = run('prepare.py', *args, '--archives', videos / 'hmdb51_org.rar')
    found = sorted(path.relative_to(videos).as_posix() for path in videos.rglob('*.*'))
    assert found == ['hmdb51_org.rar', 'holiday.rar', 'wave/a_wave.avi']
    assert 'hmdb51_org.rar' in done.stdout


@pytest.mark.usefixtures('rar_program')
def test_an_interrupted_unpacking_is_taken_up_again(run, tmp_path):
    videos, archive = tmp_path / 'videos', tmp_path / 'hmdb51_org.rar'
    _pack(tmp_path / 'wave.rar', {'a_wave.avi': b'whole'})
    wave = (tmp_path / 'wave.rar').read_bytes()
    args = ['hmdb51', '--videos', videos, '--lists', tmp_path / 'lists']
    for second in (b'broken', wave):
        _pack(archive, {'run.rar': wave, 'wave.rar': second})
        run('prepare.py', *args, '--archives', archive)
    found = sorted(path.relative_to(videos).as_posix() for path in videos.rglob('*'))
    assert found == ['run', 'run/a_wave.avi', 'wave', 'wave/a_wave.avi']


@pytest.mark.usefixtures('rar_program')
def test_what_an_interrupted_unpacking_left_is_no_video(run, tmp_path):
    videos = tmp_path / 'videos'
    wave = io.BytesIO()
    with tarfile.open(fileobj=wave, mode='w') as tar:
        tar.addfile(tarfile.TarInfo('a_wave.avi'))
    _pack(tmp_path / 'hmdb.rar', {'run.rar': wave.getvalue(), 'wave.rar': b'broken'})
    args = ['hmdb51', '--videos', videos, '--lists', tmp_path / 'lists']
    done = run('prepare.py', *args, '--archives', tmp_path / 'hmdb.rar')
    assert 'wave.rar cannot be unpacked' in done.stderr
    assert not list(videos.rglob('*.avi'))


@pytest.mark.usefixtures('rar_program')
def test_what_a_killed_unpacking_left_is_no_video(run, tmp_path):
    videos = tmp_path / 'videos'
    _pack(tmp_path / 'hmdb.tar', {'a_wave.avi': b'whole'})
    (videos / '.unpacking').mkdir(parents=True)
    (videos / '.unpacking/b_wave.avi').write_bytes(b'half')
    args = ['hmdb51', '--videos', videos, '--lists', tmp_path / 'lists']
    done = run('prepare.py', *args, '--archives', tmp_path / 'hmdb.tar')
    assert f'1 videos in {videos}' in done.stdout
    assert [path.name for path in videos.rglob('*')] == ['a_wave.avi']


@pytest.fixture
def unrar(rar_program, tmp_path):
    """An unrar that, as the real one with -o-, fails where all files exist."""
    script = tmp_path / 'bin/unrar'
    script.write_text('#!/bin/sh\nexec tar --keep-old-files -xf "$4" -C "$5"\n')
    script.chmod(0o755)
    return script


@pytest.mark.usefixtures('unrar')
def test_unpacking_again_keeps_what_is_there(tmp_path):
    _pack(tmp_path / 'x.rar', {'sub/a.txt': b'new', 'sub/b.txt': b'b'})
    (tmp_path / 'out/sub').mkdir(parents=True)
    (tmp_path / 'out/sub/a.txt').write_text('mine')
    for _ in range(2):
        unpack(tmp_path / 'x.rar', tmp_path / 'out')
        assert (tmp_path / 'out/sub/a.txt').read_text() == 'mine'
        assert (tmp_path / 'out/sub/b.txt').read_text() == 'b'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['bin', 'out', 'x.rar']


def test_an_interrupted_unpacking_leaves_no_half_files(unrar, tmp_path):
    _pack(tmp_path / 'x.rar', {'a.txt': b'whole'})
    program = unrar.read_text()
    unrar.write_text('#!/bin/sh\nprintf half > "$5/a.txt"\nexit 1\n')
    with pytest.raises(ValueError, match=r'x\.rar cannot be unpacked'):
        unpack(tmp_path / 'x.rar', tmp_path / 'out')
    unrar.write_text(program)
    unpack(tmp_path / 'x.rar', tmp_path / 'out')
    assert (tmp_path / 'out/a.txt').read_text() == 'whole'


def test_archives_cannot_leave_their_folder(tmp_path):
    with tarfile.open(tmp_path / 'bad.tar', 'w') as tar:
        member = tarfile.TarInfo('../outside.txt')
        member.size = 1
        tar.addfile(member, io.BytesIO(b'x'))
    with pytest.raises(ValueError, match='outside'):
        unpack(tmp_path / 'bad.tar', tmp_path / 'in')
    assert not (tmp_path / 'outside.txt').exists()
    (tmp_path / 'no.zip').write_text('not an archive')
    with pytest.raises(ValueError, match=r'no\.zip is not'):
        unpack(tmp_path / 'no.zip', tmp_path / 'in')


def _cut(data):
    return data[: len(data) // 2]


def _overwrite(data):
    middle = len(data) // 2
    return data[:middle] + b'\xff' * 2000 + data[middle + 2000 :]


def _spoil_rest(data):
    return data[: len(data) // 2] + np.random.bytes(len(data) // 2)


def _spoil_start(data):
    return data[:50] + b'\xff' * 100 + data[150:]  # behind the header of a zip


@pytest.mark.slow
@pytest.mark.parametrize(
    ('name', 'damage'),
    [
        ('x.tar.gz', _cut),
        ('x.tar.gz', _spoil_rest),
        ('x.tar.gz', _overwrite),
        ('x.tar.bz2', _overwrite),
        ('x.tar.xz', _overwrite),
        ('x.tar', _cut),
        ('x.zip', _overwrite),
        ('x.zip', _spoil_start),
    ],
)
def test_a_damaged_archive_is_named(tmp_path, name, damage):
    # Compressible, but not to nothing; bzip2 needs several blocks of 900 KB.
    size = 3_000_000 if name.endswith('bz2') else 300_000
    content = np.random.randint(0, 8, size, np.uint8).tobytes()
    (tmp_path / 'a.mp4').write_bytes(content)
    form = {'tar': 'tar', 'gz': 'gztar', 'bz2': 'bztar', 'xz': 'xztar', 'zip': 'zip'}
    kind = form[name.rpartition('.')[2]]
    shutil.make_archive(tmp_path / 'x', kind, tmp_path, 'a.mp4')
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    with pytest.raises(ValueError, match=f'{name} cannot be unpacked'):
        unpack(tmp_path / name, tmp_path / 'in')
    assert not list((tmp_path / 'in').iterdir())


def test_an_encrypted_archive_is_named(tmp_path):
    path = tmp_path / 'x.zip'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('a.mp4', b'secret')
        (member,) = file.infolist()
        member.flag_bits |= 1
    data = bytearray(path.read_bytes())
    data[6] |= 1  # in the header before the content too
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r'x\.zip.*encrypted'):
        unpack(path, tmp_path / 'in')


@pytest.mark.parametrize('kind', ['tar', 'zip', 'rar'])
@pytest.mark.usefixtures('rar_program')
def test_a_full_disk_is_no_damaged_archive(tmp_path, tiny_disk, kind):
    content = np.random.bytes(1_000_000)
    if kind == 'zip':
        with zipfile.ZipFile(tmp_path / 'x.zip', 'w') as file:
            file.writestr('a.mp4', content)
    else:
        _pack(tmp_path / f'x.{kind}', {'a.mp4': content})
    with pytest.raises(OSError, match='No space left'):
        unpack(tmp_path / f'x.{kind}', tiny_disk / 'in')
    assert not list(tiny_disk.rglob('*.mp4'))
