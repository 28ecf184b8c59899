"""Annotation lists: the packaged ones, selection, looking videos up."""

import hashlib
import os
import random

import pytest

from mmxclip.datasets.lists import (
    COUNTS,
    Entry,
    VideoFolder,
    classes_of,
    few_shot,
    keep_classes,
    parse_list,
    published_lists,
    read_list,
    write_list,
)
from mmxclip.datasets.lists.names import labels_by_key
from mmxclip.text import load_class_names, packaged_class_names

# Published, but not carried: the tools make them from the official files.
MADE = {
    'hmdb51': {'train1.txt', 'train2.txt', 'train3.txt'},
    'ucf101': {'train1.txt', 'train2.txt', 'train3.txt'},
    'ssv2': {'train.txt', 'val.txt'},
}


@pytest.mark.slow
@pytest.mark.parametrize('dataset', COUNTS)
def test_packaged_lists_have_the_protocols_counts(dataset):
    lists = published_lists(dataset)
    assert set(lists) == set(COUNTS[dataset]) - MADE.get(dataset, set())
    for name, entries in lists.items():
        assert len(entries) == COUNTS[dataset][name], name
        assert len({entry.path for entry in entries}) == len(entries), name
        labels = {entry.label for entry in entries}
        names = load_class_names(classes_of(dataset, name))
        assert labels == set(range(len(names))), name


@pytest.mark.slow
@pytest.mark.parametrize('dataset', COUNTS)
def test_packaged_lists_equal_the_published_files(dataset, shared):
    folder = shared / 'benchmarks' / dataset
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob('*.txt')}
    lists = published_lists(dataset)
    assert set(files) == set(lists)
    for name, path in files.items():
        assert lists[name] == parse_list(path.read_text(), name), name


@pytest.mark.parametrize('dataset', ['hmdb51', 'ucf101', 'ssv2'])
@pytest.mark.parametrize('shots', [2, 4, 8, 16])
def test_published_few_shot_lists_hold_k_of_each_class(dataset, shots):
    entries = published_lists(dataset)[f'train1_few_shot_{shots}.txt']
    labels = [entry.label for entry in entries]
    assert {labels.count(label) for label in set(labels)} == {shots}


@pytest.mark.parametrize('name', packaged_class_names())
def test_every_packaged_class_is_known_by_its_key(name):
    """Or videos of two that share one could not be listed."""
    names = load_class_names(name)
    assert list(labels_by_key(names).values()) == list(range(len(names)))


@pytest.mark.parametrize('dataset', COUNTS)
def test_training_and_test_videos_differ(dataset):
    """Few-shot against test split 1; base training against both halves."""
    lists = {n: {e.path for e in es} for n, es in published_lists(dataset).items()}
    tests = {n for n in lists if 'val' in n and n not in ('val2.txt', 'val3.txt')}
    for train in (n for n in lists if 'train' in n):
        for test in tests:
            assert not lists[train] & lists[test], (train, test)


def test_a_list_survives_writing_and_reading(tmp_path):
    entries = [Entry('a b/c.mp4', 0), Entry('d.mp4', 11)]
    path = write_list(tmp_path / 'new' / 'list.txt', entries)
    assert read_list(path) == entries
    write_list(path, entries)  # nothing changes, so nothing is overwritten
    with pytest.raises(FileExistsError, match='--overwrite'):
        write_list(path, entries[:1])
    assert read_list(path) == entries
    write_list(path, entries[:1], overwrite=True)
    assert read_list(path) == entries[:1]
    assert [p.name for p in path.parent.iterdir()] == ['list.txt']


@pytest.mark.parametrize('line', ['video.mp4', 'video.mp4 x', 'a.mp4 1.0', '3'])
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / 'list.txt'
    path.write_text(f'ok.mp4 0\n\n{line}\n')
    with pytest.raises(ValueError, match=r'list\.txt, line 3'):
        read_list(path)


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none'):
        read_list(tmp_path / 'none.txt')


def _many(count=200, classes=5):
    return [Entry(f'videos/v{i:03d}.mp4', i % classes) for i in range(count)]


def test_few_shot_takes_k_of_each_class_whatever_the_order():
    entries = _many()
    chosen = few_shot(entries, 4, seed=1)
    assert [entry.label for entry in chosen] == [c for c in range(5) for _ in range(4)]
    shuffled = random.Random(0).sample(entries, len(entries))
    assert few_shot(shuffled, 4, seed=1) == chosen


def test_few_shot_is_the_same_for_ever_and_in_every_folder():
    chosen = few_shot(_many(), 2, seed=0)
    digest = hashlib.sha256(repr([tuple(e) for e in chosen]).encode()).hexdigest()
    assert digest[:16] == 'e8a1593d2b054f45'
    moved = [Entry(f'D:\\x\\{e.path[7:-4]}.avi', e.label) for e in _many()]
    names = [e.path.split('\\')[-1][:-4] for e in few_shot(moved, 2, seed=0)]
    assert names == [e.path[7:-4] for e in chosen]


def test_few_shot_seeds_differ_and_shots_are_nested():
    entries = _many()
    assert few_shot(entries, 4, seed=0) != few_shot(entries, 4, seed=1)
    assert set(few_shot(entries, 2)) < set(few_shot(entries, 4))


def test_few_shot_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match=r'less than 3.*label 1 .*1'):
        few_shot([*_many(9, 1), Entry('x.mp4', 1)], 3)
    assert len(few_shot([*_many(9, 1), Entry('x.mp4', 1)], 3, allow_fewer=True)) == 4
    with pytest.raises(ValueError, match='twice'):
        few_shot([Entry('x.mp4', 0), Entry('x.mp4', 0)], 1)
    with pytest.raises(ValueError, match='at least 1, got 0'):
        few_shot(_many(), 0)


def test_keep_classes_renumbers():
    kept = keep_classes(_many(6, 3), ['a', 'b', 'c'], ['c', 'a'])
    assert [(e.path[-7:-4], e.label) for e in kept] == [
        ('000', 1),
        ('002', 0),
        ('003', 1),
        ('005', 0),
    ]
    with pytest.raises(ValueError, match="'z'"):
        keep_classes(_many(), ['a', 'b'], ['z'])
    with pytest.raises(ValueError, match='label 2'):
        keep_classes(_many(6, 3), ['a', 'b'], ['a'])


def test_videos_are_found_by_name_whatever_the_folder(tmp_path):
    for name in (
        'one/x.mp4',
        'train/y.mp4',
        'val/y.mp4',
        'p/z.avi',
        'q/z.avi',
        'n.txt',
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    folder = VideoFolder(tmp_path)
    assert len(folder.paths) == 5
    wanted = ['x.avi', 'val/y.webm', 'z.avi', 'gone.mp4']
    resolved = folder.resolve([Entry(path, i) for i, path in enumerate(wanted)])
    assert resolved.entries == [Entry('one/x.mp4', 0), Entry('val/y.mp4', 1)]
    assert resolved.ambiguous == ['z.avi']
    assert resolved.missing == ['gone.mp4']


def test_videos_behind_links_are_found_once(tmp_path):
    for path in ('disk/y.mp4', 'root/x.mp4'):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).touch()
    (tmp_path / 'root/linked').symlink_to(tmp_path / 'disk')
    (tmp_path / 'disk/back').symlink_to(tmp_path / 'root')
    assert VideoFolder(tmp_path / 'root').paths == ['linked/y.mp4', 'x.mp4']


def test_a_detour_to_the_folder_loses_no_video(tmp_path):
    (tmp_path / 'inner').mkdir()
    (tmp_path / 'inner/x.mp4').touch()
    assert VideoFolder(tmp_path / 'inner/..').paths == ['inner/x.mp4']


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='no video'):
        VideoFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        VideoFolder(tmp_path / 'nowhere')


@pytest.mark.parametrize(
    'name',
    ['a.mp4', 'A.MKV', 'b.mts', 'c.3gp', 'd.vob', 'e.ogv', 'f.gif', 'g.y4m', 'h.mxf'],
)
def test_whatever_ffmpeg_reads_is_a_video(tmp_path, name):
    (tmp_path / name).touch()
    assert VideoFolder(tmp_path).paths == [name]


def test_what_is_left_out_is_told(tmp_path):
    for name in ('a.mp4', 'b.txt', 'c.txt', 'README', '._a.mp4', ' d.mp4', 'e\n.mp4'):
        (tmp_path / name).touch()
    (tmp_path / os.fsdecode(b'caf\xe9.mp4')).touch()
    os.mkfifo(tmp_path / 'pipe.mp4')
    found = VideoFolder(tmp_path).found
    assert [path.name for path in found.paths] == ['a.mp4']
    assert found.left_out == {
        '.txt': 2,
        'without ending': 1,
        'hidden': 1,
        'no regular files': 1,
        'with a name that no list can hold': 2,
        'with a name that is not UTF-8': 1,
    }
    assert '2 .txt' in str(found)
