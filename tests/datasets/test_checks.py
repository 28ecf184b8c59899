"""What is said of the entries of a list alone."""

import pytest

from mmxclip.datasets.checking.problems import (
    check_class_order,
    check_duplicates,
    check_labels,
    check_overlap,
    check_protocol,
)
from mmxclip.datasets.lists import Entry, classes_of, published_lists
from mmxclip.text import load_class_names


def _texts(problems):
    return [problem.text for problem in problems]


def test_labels_from_one_are_recognised():
    entries = [Entry(f'{i}.mp4', i + 1) for i in range(3)]
    problem, note = check_labels(entries, 3)
    assert problem.rows == (2,)
    assert 'count from 1' in problem.text
    assert not note.fatal
    assert check_labels([Entry('a', 0), Entry('b', 1)], 2) == []


def test_duplicates_with_and_without_the_same_label():
    entries = [Entry(p, i) for p, i in (('a', 0), ('a', 0), ('b', 0), ('./b', 1))]
    again, torn = check_duplicates(entries)
    assert again.rows == (1,)
    assert torn.rows == (2, 3)


def test_overlap_names_the_training_rows():
    train, test = [Entry('x/a', 0), Entry('x/b', 0)], [Entry('x\\b', 0)]
    assert check_overlap(train, test)[0].rows == (1,)
    assert check_overlap(train, [Entry('b', 0)]) == []


@pytest.mark.parametrize(
    ('dataset', 'classes'), [('hmdb51', 'hmdb51_fixed'), ('ucf101', 'ucf101')]
)
def test_class_order_is_read_from_file_names(dataset, classes):
    names = load_class_names(classes)
    entries = published_lists(dataset)['val1.txt']
    assert check_class_order(entries, names) == []
    assert len(check_class_order(entries, sorted(names, reverse=True))) == 1
    swapped = [names[1], names[0], *names[2:]]
    wrong = check_class_order(entries, swapped)[0]
    assert set(wrong.rows) == {i for i, e in enumerate(entries) if e.label < 2}


@pytest.mark.parametrize('name', sorted(published_lists('hmdb51')))
def test_published_hmdb51_swaps_two_pairs_of_classes(name):
    """Found by this check: labels of the published lists against their own names."""
    entries = published_lists('hmdb51')[name]
    classes = classes_of('hmdb51', name)
    names = load_class_names(classes)
    wrong = check_class_order(entries, names)[0].rows
    assert {names[entries[row].label] for row in wrong} == {
        n for n in names if n in ('kick', 'kick ball', 'sword', 'sword exercise')
    }
    assert check_class_order(entries, load_class_names(f'{classes}_fixed')) == []


def test_class_order_is_read_from_folders():
    entries = [Entry('train/Blow_Dry hair/x.mp4', 0), Entry('other/y.mp4', 0)]
    assert check_class_order(entries, ['blow dry hair', 'z']) == []
    assert check_class_order(entries, ['z', 'blow dry hair'])[0].rows == (0,)


def test_most_videos_of_a_class_decide_whether_the_order_is_wrong():
    agree, differ = Entry('a/x.mp4', 0), Entry('b/y.mp4', 0)
    foreign = Entry('c/z.mp4', 7)
    (few,) = check_class_order([agree, differ, foreign], 'abc')
    (many,) = check_class_order([agree, differ, differ, foreign], 'abc')
    assert (few.rows, few.remedy) == ((1, 2), '')
    assert 'order of the labels' in many.remedy


@pytest.mark.parametrize('classes', [['C', 'C++'], ['push up', 'push-up']])
def test_classes_that_folders_cannot_tell_apart_are_left_alone(classes):
    entries = [Entry(f'{name}/x.mp4', label) for label, name in enumerate(classes)]
    assert check_class_order(entries, classes) == []
    foreign = Entry('other/x.mp4', 0)
    (problem,) = check_class_order([*entries, foreign], [*classes, 'other'])
    assert problem.rows == (2,)


def test_class_names_of_other_scripts_are_told_apart():
    entries = [Entry('跑步/x.mp4', 0), Entry('走路/y.mp4', 1)]
    assert check_class_order(entries, ['跑步', '走路']) == []
    assert check_class_order(entries, ['走路', '跑步'])[0].rows == (0, 1)


def test_lists_of_a_protocol_must_be_complete():
    entries = published_lists('hmdb51')['val1.txt']
    path = '/any/hmdb51/lists/val1.txt'
    moved = [Entry(f'folder/{e.path[:-4]}.mp4', e.label) for e in entries]
    assert check_protocol(moved, path) == []
    assert _texts(check_protocol(moved[1:], path)) == [
        '1529 videos, but val1.txt of hmdb51 has 1530'
    ]
    other = [Entry('foreign.mp4', 0), Entry(entries[1].path, 7), *entries[2:]]
    foreign, labels = check_protocol(other, path)
    assert (foreign.rows, labels.rows) == ((0,), (1,))
    assert check_protocol(moved[1:], '/any/mine/lists/val1.txt') is None
