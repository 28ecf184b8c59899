"""What a user names, as a list of videos."""

import tarfile

import numpy as np
import pytest

from mmxclip.inference.sources import find_sources


@pytest.fixture
def films(tmp_path, monkeypatch):
    """A folder with two videos, one of them in a subfolder, and other things."""
    monkeypatch.chdir(tmp_path)
    for name in ('b.mp4', 'a/z.MKV', 'a/notes.txt', '.hidden.mp4', '.cache/c.mp4'):
        path = tmp_path / 'films' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / 'films'


def images(folder, names):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def names_of(*given):
    sources = list(find_sources(given))
    assert not any(source.problem for source in sources)
    return [source.name for source in sources]


def problem_of(given):
    (source,) = find_sources(given)
    return source.problem


def test_folders_files_and_patterns_give_each_video_once(films):
    assert names_of('films') == ['films/b.mp4', 'films/a/z.MKV']
    assert names_of('films/a', films) == ['films/a/z.MKV', f'{films}/b.mp4']
    assert names_of('films/*') == ['films/a/z.MKV', 'films/b.mp4']
    assert names_of('films/**/*.[mM]*') == ['films/a/z.MKV', 'films/b.mp4']
    assert names_of('films/a/notes.txt') == ['films/a/notes.txt'], 'of any name'
    assert names_of(f'file://{films}/b.mp4') == [f'{films}/b.mp4']
    address = 'http://127.0.0.1/a.mp4?x=[1]'
    assert names_of(address, 'gone.mp4', address) == [address, 'gone.mp4']
    (films / 'odd[1].mp4').touch()
    assert names_of('films/odd[1].mp4') == ['films/odd[1].mp4']


def test_a_link_to_the_folder_itself_is_no_endless_list(films):
    (films / 'loop').symlink_to(films)
    assert len(names_of('films')) == 2


def test_archives_give_their_videos(films):
    (films / '._b.mp4').touch()
    with tarfile.open('videos.tar', 'w') as archive:
        archive.add('films')
    inside = ['videos.tar/films/.cache/c.mp4', 'videos.tar/films/a/z.MKV']
    inside.append('videos.tar/films/b.mp4')
    assert names_of('videos.tar') == names_of('*.tar') == inside
    assert names_of('videos.tar/films/a') == inside[1:2]
    assert names_of('videos.tar/films/b.mp4') == inside[2:]
    assert 'gone' in problem_of('videos.tar/gone')
    assert problem_of('videos.tar/../../b.mp4')
    (films / 'broken.tar').write_bytes(b'no archive' * 99)
    assert 'broken.tar cannot be indexed' in problem_of('films/broken.tar')
    with tarfile.open('videos.tar.gz', 'w:gz') as archive:
        archive.add('films')
    assert 'videos.tar.gz is compressed' in problem_of('videos.tar.gz')


@pytest.mark.parametrize(
    ('template', 'first', 'found'),
    [
        ('img_{:05}.jpg', 1, 'img_{:05}.jpg'),
        ('img_{:05}.jpg', 0, 'img_{:05}.jpg'),
        ('{}.png', 1, '{:01}.png'),
        ('take2 {{a}} {:03}.JPG', 0, 'take2 {{a}} {:03}.JPG'),
    ],
)
def test_folders_of_numbered_images_are_videos(tmp_path, template, first, found):
    names = [template.format(first + i) for i in range(12)]
    folder = images(tmp_path / 'clips/one', names)
    (source,) = find_sources(tmp_path)
    assert source.name == str(folder)
    assert source.input_format == 'rawframes'
    packed = source.packed()
    assert (packed['start_index'], packed['total_frames']) == (first, 12)
    assert packed['filename_tmpl'] == found
    assert [packed['filename_tmpl'].format(first + i) for i in range(12)] == names


def test_optical_flow_lies_beside_the_frames(tmp_path):
    names = [f'{kind}_{i:05}.jpg' for kind in ('img', 'flow_x') for i in (1, 2)]
    images(tmp_path / 'clip', names)
    (source,) = find_sources(tmp_path)
    assert source.packed()['filename_tmpl'] == 'img_{:05}.jpg'


@pytest.mark.parametrize(
    'names',
    [
        ['IMG_0711.jpg', 'IMG_0712.jpg'],
        ['img_1.jpg', 'img_3.jpg'],
        ['img_1.jpg'],
        ['img_1.jpg', 'img_2.jpg', 'page.html'],
        ['a1.jpg', 'a2.jpg', 'b1.jpg', 'b2.jpg'],
        [],
    ],
)
def test_other_folders_of_images_are_none(tmp_path, names):
    folder = images(tmp_path / 'pictures', names)
    assert str(folder) in problem_of(folder)
    assert 'no video matches' in problem_of(f'{tmp_path}/*.mp4')


def test_frames_are_sources_and_wrong_ones_are_told():
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    good, bad = find_sources(one for one in (frames, frames.astype(float)))
    assert (good.name, good.input_format) == ('array 1', 'array')
    assert good.packed()['array'] is frames
    assert good.packed()['total_frames'] == 3
    assert 'float64' in bad.problem


def test_only_what_is_asked_for_is_looked_for(films):
    def given():
        yield 'films/b.mp4'
        raise AssertionError('asked too early')

    assert next(find_sources(given())).name == 'films/b.mp4'
    assert next(find_sources(films)).name == f'{films}/b.mp4'
