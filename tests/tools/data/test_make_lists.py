"""tools/data/make_lists.py, run as a user runs it."""

import re

import pytest

from mmxclip.datasets.lists import Entry, read_list
from mmxclip.datasets.lists.splitting import split_entries
from mmxclip.text import words


@pytest.fixture
def make(run, tmp_path, monkeypatch):
    """Make lists of empty files; return names, training and validation videos."""
    monkeypatch.chdir(tmp_path)

    def make(paths, *args, table=None, source=''):
        (tmp_path / 'mine').mkdir(exist_ok=True)
        for path in paths:
            (tmp_path / 'mine' / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / 'mine' / path).touch()
        if table:
            (tmp_path / 'mine' / 'names.csv').write_text(table)
        out = tmp_path / 'mine/lists'
        done = run('make_lists.py', tmp_path / 'mine' / source, *args)
        if done.returncode:
            return done.stderr
        names = (out / 'classes.txt').read_text().splitlines()
        return names, read_list(out / 'train.txt'), read_list(out / 'val.txt')

    return make


def clips(folder, count):
    return [f'{folder}/{i}.mp4' for i in range(count)]


def test_real_clips(run, shared, tmp_path):
    (tmp_path / 'mine').mkdir()
    four = 'falling_down', 'daily_living', 'skateboard_ollie', 'skateboard_kickflip'
    for name in four:
        (tmp_path / 'mine' / name).symlink_to(shared / 'videos' / name)
    # One person in two classes; the clips of skateboards are of one person each.
    people = r'/(Subject\d|\w+\d+)'
    done = run('make_lists.py', tmp_path / 'mine', '--group-by', people)
    assert done.returncode == 0, done.stderr
    lists = tmp_path / 'mine/lists'
    names = (lists / 'classes.txt').read_text().splitlines()
    assert names == sorted(name.replace('_', ' ') for name in four)
    train, val = (read_list(lists / f'{kind}.txt') for kind in ('train', 'val'))
    assert len({*train, *val}) == len(train) + len(val) == 51
    assert {e.label for e in train} == {e.label for e in val} == {0, 1, 2, 3}
    for entry in (*train, *val):
        assert entry.path.startswith(names[entry.label].replace(' ', '_'))

    def persons(entries):
        return {e.path.split('/')[1][:8] for e in entries if 'Subject' in e.path}

    assert persons(train)
    assert persons(val)
    assert not persons(train) & persons(val)


def test_the_split_depends_on_names_and_seed_alone(make):
    paths = clips('a', 10) + clips('b', 50)
    first = make(paths)
    _, train, val = first
    assert [sum(e.label == c for e in val) for c in (0, 1)] == [2, 10]
    assert not set(train) & set(val)
    assert make(reversed(paths)) == first
    other = make([], '--seed', 1, '--overwrite')
    assert other != first
    assert len(make([], '--val', 0.5, '--overwrite')[2]) == 30


def test_the_smallest_classes_have_a_video_on_each_side(make):
    _, train, val = make(clips('a', 2) + clips('b', 3))
    assert [e.label for e in val] == [0, 1]
    assert [e.label for e in train] == [0, 1, 1]


def test_large_groups_are_parted_between_groups(make):
    paths = [f'a/film1_{i}.mp4' for i in range(5)]
    paths += [f'a/film2_{i}.mp4' for i in range(4)] + clips('b', 5)
    _, _, val = make(paths, '--group-by', r'(film\d|b/\d)')
    assert sorted(e.path for e in val if e.label == 0) == sorted(paths[5:9])


def test_a_class_of_one_group_cannot_be_split(make):
    said = make(clips('run', 4) + clips('walk', 4), '--group-by', '^(run|walk/.)')
    assert "'run'" in said
    assert '4 videos' in said


def test_names(make):
    table = 'folder,name\nC3,a cat sleeps\n'
    paths = clips('falling_down', 2) + clips('TaiChi', 2) + clips('C3', 2)
    names, *_ = make(paths, table=table)
    assert names == ['C3', 'Tai Chi', 'falling down']
    names, *_ = make([], '--names', 'mine/names.csv', '--overwrite')
    assert names == ['a cat sleeps', 'Tai Chi', 'falling down']


def test_words():
    assert words('HandstandPushups') == 'Handstand Pushups'
    assert words('a-b__c') == 'a b c'
    assert words('YoYo') == 'Yo Yo'
    assert words('playing TV') == 'playing TV'


def test_a_table(make):
    lines = [f'{folder}/{i}.mp4,{folder}' for folder in 'xy' for i in range(3)]
    table = '\n'.join(['video,class', *lines]).replace(',y', ',"jump_high, far"')
    names, train, val = make([], source='names.csv', table=table)
    assert names == ['jump high, far', 'x']
    assert {(e.path[0], e.label) for e in (*train, *val)} == {('x', 1), ('y', 0)}


@pytest.mark.parametrize(
    ('paths', 'args', 'named'),
    [
        ([], [], 'no class'),
        (clips('run', 5), [], 'run'),
        (clips('run', 2) + clips('walk', 1), [], "'walk' has 1 of the 3"),
        (clips('fall_down', 2) + clips('FallDown', 2), [], 'one text'),
        (clips('1', 2) + clips('2', 2), [], "'1' is a number"),
        ([*clips('run', 2), *clips('walk', 2), 'x.mp4'], [], 'x.mp4'),
        (clips('run', 2) + clips('walk', 2), ['--val', 1], '--val|share'),
        (clips('run', 2) + clips('walk', 2), ['--group-by', 'a('], r'a\('),
        (clips('run', 2) + clips('walk', 2), ['--group-by', 'run'], 'one group'),
        (clips('run', 2) + clips('walk', 2), ['--group-by', '(run)'], 'walk/0'),
        (clips('run', 2) + clips('walk', 2), ['--names', 'no.csv'], 'no.csv'),
        (clips(' '.join('x' * 99), 2) + clips('walk', 2), [], '77'),
    ],
)
def test_what_cannot_be_listed_is_one_line(make, tmp_path, paths, args, named):
    said = make(paths, *args)
    assert re.search(named, said), said
    assert said.strip().count('\n') == 0
    assert not (tmp_path / 'mine/lists').exists()


def test_wrong_tables(make):
    assert "'run'" in make(clips('a', 2), '--names', 'mine/names.csv', table='run,x\n')
    assert 'nowhere' in make([], source='nowhere')
    assert 'line 2' in make([], source='names.csv', table='path,name\na.mp4\n')


def test_lists_are_not_replaced_silently(make, tmp_path):
    make(clips('a', 2) + clips('b', 2))
    (tmp_path / 'mine/lists/val.txt').write_text('mine 0\n')
    assert '--overwrite' in make([])
    assert (tmp_path / 'mine/lists/val.txt').read_text() == 'mine 0\n'


def test_no_class_is_left_without_a_video_to_train_on():
    """Though a group, film2, would bring the other classes nearer to their share."""
    counts = dict(film1=(1, 0, 0), film2=(1, 5, 5))
    counts |= {f'other{i}': (0, 5, 5) for i in range(4)}
    entries = [
        Entry(f'{film}/{label}_{i}.mp4', label)
        for film, labels in counts.items()
        for label, count in enumerate(labels)
        for i in range(count)
    ]
    for seed in range(20):
        train, _ = split_entries(entries, 'abc', seed=seed, group_by='(.+)/')
        assert {entry.label for entry in train} == {0, 1, 2}
