"""What a path holds while it is written, afterwards, and when that fails."""

import errno
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from mmxclip.utils.files import atomic, decode_text, write_text


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / 'new/table.csv'
    with atomic(path) as new:
        assert new.suffix == '.csv'
        new.write_text('half')
        assert not path.exists()
        new.write_text('whole')
    assert path.read_text() == 'whole'
    assert os.listdir(path.parent) == ['table.csv']


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / 'x'
    path.write_text('old')
    with pytest.raises(AttributeError), atomic(path) as new:
        new.write_text('half').no_such_method()
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['x']


def test_a_folder_takes_the_place_of_another(tmp_path):
    path = tmp_path / 'data'
    for name in ('old', 'new'):
        with atomic(path) as place:
            place.mkdir()
            (place / name).touch()
    assert os.listdir(path) == ['new']
    assert os.listdir(tmp_path) == ['data']


def test_a_file_does_not_take_the_place_of_a_folder(tmp_path):
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data/mine').touch()
    with pytest.raises(IsADirectoryError, match='data'), atomic(tmp_path / 'data') as x:
        x.touch()
    assert os.listdir(tmp_path) == ['data']
    assert os.listdir(tmp_path / 'data') == ['mine']


def test_a_device_is_written_directly(tmp_path):
    (tmp_path / 'null').symlink_to(os.devnull)
    with atomic(tmp_path / 'null') as new:
        new.write_text('gone')
    assert (tmp_path / 'null').is_symlink()


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def write_and_die(path, what, moment):
    with atomic(path) as new:
        new.mkdir() if what == 'folder' else new.touch()
        if moment == 'while writing':
            die()
        Path.replace = die


@pytest.mark.parametrize('what', ['file', 'folder'])
@pytest.mark.parametrize('moment', ['while writing', 'between the renames'])
@pytest.mark.slow
def test_what_a_killed_writer_left_is_cleared_by_the_next(tmp_path, what, moment):
    path = tmp_path / 'x'
    with atomic(path) as new:
        new.mkdir() if what == 'folder' else new.write_text('old')
    context = multiprocessing.get_context('fork')
    writer = context.Process(target=write_and_die, args=(path, what, moment))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    assert '.x.0.part' in os.listdir(tmp_path)
    with pytest.raises(KeyError), atomic(path) as new:
        raise KeyError  # even a failure puts the old one back
    assert os.listdir(tmp_path) == ['x']
    assert path.is_dir() if what == 'folder' else path.read_text() == 'old'


def test_what_is_left_of_a_writer_that_dies_meanwhile_is_cleared(tmp_path):
    path = tmp_path / 'x'
    context = multiprocessing.get_context('fork')
    with atomic(path) as new:
        writer = context.Process(
            target=write_and_die, args=(path, 'file', 'while writing')
        )
        writer.start()
        writer.join()
        assert len(os.listdir(tmp_path)) == 2
        new.touch()
    assert os.listdir(tmp_path) == ['x']


def write_together(path, number, barrier):
    with atomic(path) as new:
        new.write_text(f'{number}' * 1000)
        barrier.wait()
        assert new.read_text() == f'{number}' * 1000


def test_several_write_one_file_at_once(tmp_path):
    context = multiprocessing.get_context('fork')
    barrier = context.Barrier(3)
    writers = [
        context.Process(target=write_together, args=(tmp_path / 'x', i, barrier))
        for i in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert len(set((tmp_path / 'x').read_text())) == 1
    assert os.listdir(tmp_path) == ['x']


def write_much(path, telling):
    with atomic(path) as new:
        try:
            new.write_bytes(bytes(10_000_000))
        except OSError:
            if telling:
                raise
            raise RuntimeError('writing failed') from None


@pytest.mark.parametrize('telling', [True, False])
def test_a_full_disk_is_called_one(tiny_disk, telling):
    with pytest.raises(OSError, match=r'No space left.*/x') as caught:
        write_much(tiny_disk / 'x', telling)
    assert caught.value.errno == errno.ENOSPC
    assert not os.listdir(tiny_disk)


def test_text_is_replaced_only_when_told_to(tmp_path):
    write_text(tmp_path / 'x', 'one')
    write_text(tmp_path / 'x', 'one')
    with pytest.raises(FileExistsError, match='--overwrite'):
        write_text(tmp_path / 'x', 'two')
    write_text(tmp_path / 'x', 'two', overwrite=True)
    assert (tmp_path / 'x').read_text() == 'two'


def test_a_name_that_is_not_utf_8_is_told(tmp_path):
    with pytest.raises(ValueError, match=r'list\.txt .*udcff\.mp4 1.*rename'):
        write_text(tmp_path / 'list.txt', 'a.mp4 0\n\udcff.mp4 1\n')
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize('data', [b'caf\xe9', 'a.mp4 0'.encode('utf-16'), b'a\0b'])
def test_what_is_no_text_is_named(data):
    with pytest.raises(ValueError, match=r'x\.txt .*UTF-8'):
        decode_text(data, 'x.txt')
