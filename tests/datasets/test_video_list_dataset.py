import os

import pytest
from mmaction.registry import DATASETS
from mmengine.dataset import ClassBalancedDataset

import mmxclip  # noqa: F401 (registers)
from mmxclip.datasets.lists import read_list


def make_dataset(path, text, **kwargs):
    path.write_text(text)
    given = dict(data_prefix=dict(video='videos'), pipeline=[]) | kwargs
    return DATASETS.build(dict(type='VideoListDataset', ann_file=str(path), **given))


def test_paths_with_blanks_and_empty_lines(tmp_path):
    text = 'arm wrestling/a b.mp4 3\n\n  c.mp4 0 \n'
    dataset = make_dataset(tmp_path / 'list.txt', text)
    assert [(s['filename'], s['label']) for s in dataset] == [
        ('videos/arm wrestling/a b.mp4', 3),
        ('videos/c.mp4', 0),
    ]
    assert dataset[1]['ann_file'] == str(tmp_path / 'list.txt')


def test_several_labels_a_line(tmp_path):
    several = dict(multi_class=True, num_classes=3)
    text = 'path,labels\na 1.mp4 0 2\nb.mp4, 1\n'
    dataset = make_dataset(tmp_path / 'list.txt', text, **several)
    assert [s['filename'] for s in dataset] == ['videos/a 1.mp4', 'videos/b.mp4']
    assert [s['label'].tolist() for s in dataset] == [[1, 0, 1], [0, 1, 0]]
    with pytest.raises(ValueError, match=r'3 .*a\.mp4.* 0 to 2'):
        make_dataset(tmp_path / 'list.txt', 'a.mp4 0 3\n', **several)


def test_line_without_label_is_for_prediction(tmp_path):
    dataset = make_dataset(tmp_path / 'list.txt', 'a.mp4\n')
    assert dataset[0]['label'] == -1


@pytest.mark.slow
@pytest.mark.parametrize(
    ('line', 'delimiter'),
    [('my clip.mp4', ' '), ('a b/c d.AVI', ' '), ('me, you.webm', ',')],
)
def test_paths_of_videos_to_predict_may_hold_the_separator(tmp_path, line, delimiter):
    text = f'{line}\n{line}{delimiter}3\n'
    dataset = make_dataset(tmp_path / 'list.txt', text, delimiter=delimiter)
    assert [(s['filename'], s['label']) for s in dataset] == [
        (f'videos/{line}', -1),
        (f'videos/{line}', 3),
    ]
    with pytest.raises(ValueError, match=r'list\.txt, line 1: '):
        read_list(tmp_path / 'list.txt', delimiter)


@pytest.mark.slow
@pytest.mark.parametrize(
    'header',
    ['path,label', 'Path', 'filename;class', '"video_id"\t"label"', '\nvideo class'],
)
def test_a_header_is_no_video(tmp_path, header):
    dataset = make_dataset(tmp_path / 'list.txt', f'{header}\na.mp4 0\n')
    assert [s['filename'] for s in dataset] == ['videos/a.mp4']
    assert read_list(tmp_path / 'list.txt') == [('a.mp4', 0)]


@pytest.mark.parametrize(
    ('line', 'path'),
    [
        ('b.mp4\t7', 'b.mp4'),
        ('b c.mp4,7', 'b c.mp4'),
        ('b.mp4 ; 7', 'b.mp4'),
        ('"b, c.mp4","7"', 'b, c.mp4'),
        ('"say ""hi"".mp4" 7', 'say "hi".mp4'),
        ('b c\t 7', 'b c'),
        ('b|7', 'b|7'),
    ],
)
def test_other_separators_are_read(tmp_path, line, path):
    text = f'a.mp4 0\n{line}\n'
    if '|' in line:
        with pytest.raises(ValueError, match=r'line 2.*b\|7'):
            read_list(make_list(tmp_path, text))
    else:
        assert read_list(make_list(tmp_path, text))[1] == (path, 7)


def make_list(folder, text):
    (folder / 'list.txt').write_text(text)
    return folder / 'list.txt'


@pytest.mark.parametrize(
    ('line', 'cure'),
    [
        ('b.mp4,arm wrestling', 'number of its line in the class list, counted from 0'),
        ('b.mp4 running', 'number of its line in the class list, counted from 0'),
        ('3 b.mp4', 'path comes first'),
        ('3,b.mp4', 'path comes first'),
        ('b.mp4 1 2', 'Several labels'),
        ('b.mp4\t1\t2', 'Several labels'),
    ],
)
def test_the_cure_of_what_cannot_be_read_is_named(tmp_path, line, cure):
    with pytest.raises(ValueError, match=rf'list\.txt, line 2: .*{cure}'):
        read_list(make_list(tmp_path, f'a.mp4 0\n{line}\n'))


@pytest.mark.parametrize('kind', ['folder', 'pipe', 'device', 'NUL', 'secret'])
def test_what_is_no_list_is_refused_at_once(tmp_path, kind):
    path = tmp_path / 'list.txt'
    if kind == 'folder':
        path.mkdir()
    elif kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'device':
        path.symlink_to('/dev/zero')
    elif kind == 'NUL':
        path.write_bytes(b'a\0b.mp4 0')
    else:
        path.write_text('a.mp4 0')
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip('root may read everything')
    with pytest.raises((OSError, ValueError), match=r'list\.txt'):
        DATASETS.build(
            dict(type='VideoListDataset', ann_file=str(path), pipeline=[])
            | dict(data_prefix=dict(video=''))
        )


@pytest.mark.slow
@pytest.mark.parametrize('several', [False, True])
def test_rare_classes_can_be_shown_more_often(tmp_path, several):
    """By MMEngine's ClassBalancedDataset, which CheckLabelsHook reads through."""
    lines = [f'{i}.mp4 {int(i == 0)}\n' for i in range(16)]
    more = dict(multi_class=True, num_classes=2) if several else {}
    dataset = make_dataset(tmp_path / 'list.txt', ''.join(lines), **more)
    balanced = ClassBalancedDataset(dataset, oversample_thr=0.25)
    names = [balanced.get_data_info(i)['filename'] for i in range(len(balanced))]
    assert names.count('videos/0.mp4') == 2
    assert len(names) == 17


def test_another_separator_that_the_config_names(tmp_path):
    dataset = make_dataset(tmp_path / 'list.txt', 'a 1.mp4,3\n', delimiter=',')
    assert (dataset[0]['filename'], dataset[0]['label']) == ('videos/a 1.mp4', 3)


def test_paths_may_need_no_prefix(tmp_path):
    dataset = make_dataset(
        tmp_path / 'list.txt', 'disk/a.mp4 3\n', data_prefix=dict(video='')
    )
    assert dataset[0]['filename'] == 'disk/a.mp4'


@pytest.mark.parametrize(
    'line', ['a.mp4 running', 'a.mp4 1.0', 'a.mp4 -2', 'a.mp4 ²', 'path label']
)
def test_wrong_label_names_list_and_line(tmp_path, line):
    with pytest.raises(ValueError, match=r'list\.txt, line 2: .*label'):
        make_dataset(tmp_path / 'list.txt', f'a.mp4 0\n{line}\n')


@pytest.mark.slow
@pytest.mark.parametrize(
    ('text', 'delimiter', 'expected'),
    [
        ('\ufeffa.mp4 0\nb.mp4 1\n', ' ', [('a.mp4', 0), ('b.mp4', 1)]),
        ('a.mp4, 3\nb c.mp4 ,0\n', ',', [('a.mp4', 3), ('b c.mp4', 0)]),
        ('a\tb.mp4\t1\r\n\r\nc.mp4\t2', '\t', [('a\tb.mp4', 1), ('c.mp4', 2)]),
        (
            'a\u2028b.mp4 1\nc\x85d.mp4  2\n',
            ' ',
            [('a\u2028b.mp4', 1), ('c\x85d.mp4', 2)],
        ),
    ],
)
def test_tools_and_training_read_the_same(tmp_path, text, delimiter, expected):
    dataset = make_dataset(
        tmp_path / 'list.txt', text, delimiter=delimiter, data_prefix=dict(video='')
    )
    assert [(s['filename'], s['label']) for s in dataset] == expected
    assert read_list(tmp_path / 'list.txt', delimiter) == expected


@pytest.mark.parametrize('line', ['a.mp4 -1', 'a.mp4 --1', 'a.mp4 ²', 'a.mp4 x'])
def test_tools_and_training_refuse_the_same(tmp_path, line):
    with pytest.raises(ValueError, match=r'list\.txt, line 2: .*label') as training:
        make_dataset(tmp_path / 'list.txt', f'b.mp4 0\n{line}\n')
    with pytest.raises(ValueError, match=r'list\.txt, line 2: .*label') as tools:
        read_list(tmp_path / 'list.txt')
    assert str(tools.value) == str(training.value)


def test_a_list_in_another_encoding_is_refused_with_its_name(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('café.mp4 0', encoding='latin-1')
    with pytest.raises(ValueError, match=r'list\.txt is not UTF-8 text'):
        read_list(path)


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_every_end_of_line_is_one(tmp_path, end):
    path = tmp_path / 'list.txt'
    path.write_bytes(f'a.mp4 0{end}b.mp4 1{end}'.encode())
    assert [entry.path for entry in read_list(path)] == ['a.mp4', 'b.mp4']


def test_line_without_path(tmp_path):
    with pytest.raises(ValueError, match=r"line 1: there is no path in ', 3'"):
        make_dataset(tmp_path / 'list.txt', ', 3\n', delimiter=',')


def test_training_gives_up_when_nothing_can_be_decoded(tmp_path):
    for name in 'abc':
        (tmp_path / f'{name}.mp4').write_bytes(b'no video')
    dataset = make_dataset(
        tmp_path / 'list.txt',
        'a.mp4 0\nb.mp4 1\nc.mp4 0\n',
        data_prefix=dict(video=str(tmp_path)),
        pipeline=[dict(type='VideoInit')],
        max_refetch=4,
    )
    with pytest.raises(RuntimeError, match=r' 5 .*list\.txt'):
        dataset[0]


def test_empty_list(tmp_path):
    with pytest.raises(ValueError, match=r'list\.txt.* names no video'):
        make_dataset(tmp_path / 'list.txt', '\n')


def test_prefix_of_something_else(tmp_path):
    with pytest.raises(ValueError, match=r"dict\(video='FOLDER'\), got .*'img'"):
        make_dataset(tmp_path / 'list.txt', 'a.mp4 0', data_prefix=dict(img='videos'))


def test_missing_list(tmp_path):
    path = tmp_path / 'none.txt'
    with pytest.raises(FileNotFoundError, match=r'none\.txt.* does not exist'):
        DATASETS.build(dict(type='VideoListDataset', ann_file=str(path), pipeline=[]))
