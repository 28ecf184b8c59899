import pytest
from mmaction.registry import DATASETS

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
    dataset = make_dataset(tmp_path / 'list.txt', 'a.mp4 0 2\n', **several)
    assert dataset[0]['label'].tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match=r'Label 3 of videos/a\.mp4 in .* 0 to 2'):
        make_dataset(tmp_path / 'list.txt', 'a.mp4 0 3\n', **several)


def test_line_without_label_is_for_prediction(tmp_path):
    dataset = make_dataset(tmp_path / 'list.txt', 'a.mp4\n')
    assert dataset[0]['label'] == -1


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
    with pytest.raises(ValueError, match=r'list\.txt, line 1: the label must be'):
        read_list(tmp_path / 'list.txt', delimiter)


@pytest.mark.parametrize('header', ['path,label', 'Path', 'filename;class'])
def test_a_header_is_no_video(tmp_path, header):
    with pytest.raises(ValueError, match=r"list\.txt, line 1: '.*' is a header"):
        make_dataset(tmp_path / 'list.txt', f'{header}\na.mp4 0\n')


def test_another_separator_that_the_config_names(tmp_path):
    dataset = make_dataset(tmp_path / 'list.txt', 'a 1.mp4,3\n', delimiter=',')
    assert (dataset[0]['filename'], dataset[0]['label']) == ('videos/a 1.mp4', 3)


def test_paths_may_need_no_prefix(tmp_path):
    dataset = make_dataset(
        tmp_path / 'list.txt', 'disk/a.mp4 3\n', data_prefix=dict(video='')
    )
    assert dataset[0]['filename'] == 'disk/a.mp4'


@pytest.mark.parametrize(('given', 'fused'), [({}, True), (dict(fused=False), False)])
def test_transforms_are_fused_unless_told_otherwise(tmp_path, given, fused):
    steps = [dict(type='Resize', scale=(8, 8))]
    steps += [dict(type='FormatShape', input_format='NCTHW')]
    dataset = make_dataset(tmp_path / 'list.txt', 'a.mp4 0', pipeline=steps, **given)
    assert ('FusedTransforms' in repr(dataset.pipeline)) == fused


def test_several_labels(tmp_path):
    dataset = make_dataset(
        tmp_path / 'list.txt', 'a.mp4 0 2\n', multi_class=True, num_classes=3
    )
    assert dataset[0]['label'].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    'line', ['a.mp4 running', 'a.mp4 1.0', 'a.mp4 -2', 'a.mp4 ²', 'path label']
)
def test_wrong_label_names_list_and_line(tmp_path, line):
    with pytest.raises(ValueError, match=r'list\.txt, line 2: the label must be'):
        make_dataset(tmp_path / 'list.txt', f'a.mp4 0\n{line}\n')


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
    with pytest.raises(ValueError, match=r'list\.txt, line 2: the label') as training:
        make_dataset(tmp_path / 'list.txt', f'b.mp4 0\n{line}\n')
    with pytest.raises(ValueError, match=r'list\.txt, line 2: the label') as tools:
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


@pytest.mark.parametrize('line', ['b.mp4\t0', 'b.mp4,0', 'b.mp4;12', 'b c.mp4,1'])
def test_another_separator_is_named(tmp_path, line):
    with pytest.raises(ValueError, match=r"list\.txt, line 2: .* separated by ' '"):
        make_dataset(tmp_path / 'list.txt', f'a.mp4 0\n{line}\n')


def test_training_gives_up_when_nothing_can_be_decoded(tmp_path):
    for name in 'abc':
        (tmp_path / f'{name}.mp4').write_bytes(b'no video')
    dataset = make_dataset(
        tmp_path / 'list.txt',
        'a.mp4 0\nb.mp4 1\nc.mp4 0\n',
        data_prefix=dict(video=str(tmp_path)),
        pipeline=[dict(type='SafeDecordInit')],
        max_refetch=4,
    )
    with pytest.raises(RuntimeError, match=r'None of 5 videos .*list\.txt.* decoded'):
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
