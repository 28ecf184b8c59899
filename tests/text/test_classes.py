"""Class names: the packaged lists and what a user may hand in."""

import csv
import re

import pytest

from mmxclip.text.classes import load_class_names, packaged_class_names

SIZES = {
    'kinetics400': 400,
    'kinetics400_base': 200,
    'kinetics400_novel': 200,
    'kinetics600': 600,
    'kinetics600_zero_shot_split1': 160,
    'kinetics600_zero_shot_split2': 160,
    'kinetics600_zero_shot_split3': 160,
    'ucf101': 101,
    'ucf101_words': 101,
    'ucf101_base': 51,
    'ucf101_base_words': 51,
    'ucf101_novel': 50,
    'ucf101_novel_words': 50,
    'hmdb51': 51,
    'hmdb51_fixed': 51,
    'hmdb51_base': 26,
    'hmdb51_base_fixed': 26,
    'hmdb51_novel': 25,
    'hmdb51_novel_fixed': 25,
    'ssv2': 174,
    'ssv2_base': 87,
    'ssv2_novel': 87,
    'objects': 190,
    'scenes': 80,
    'attributes': 26,
}
PUBLISHED = {
    'kinetics_400_labels': 'kinetics400',
    'kinetics_400_base_labels': 'kinetics400_base',
    'kinetics_400_novel_labels': 'kinetics400_novel',
    'kinetics_600_labels': 'kinetics600',
    'ZS_split1_K600': 'kinetics600_zero_shot_split1',
    'ZS_split2_K600': 'kinetics600_zero_shot_split2',
    'ZS_split3_K600': 'kinetics600_zero_shot_split3',
    'ucf_101_labels': 'ucf101',
    'ucf_101_base_labels': 'ucf101_base',
    'ucf_101_novel_labels': 'ucf101_novel',
    'hmdb_51_labels': 'hmdb51',
    'hmdb_51_base_labels': 'hmdb51_base',
    'hmdb_51_novel_labels': 'hmdb51_novel',
    'ssv2_labels': 'ssv2',
    'ssv2_174_base_labels': 'ssv2_base',
    'ssv2_174_novel_labels': 'ssv2_novel',
}


def test_every_packaged_list_has_the_size_of_its_benchmark():
    assert {n: len(load_class_names(n)) for n in packaged_class_names()} == SIZES


def test_packaged_lists_equal_the_published_ones(shared):
    labels = shared / 'benchmarks' / 'labels'
    assert {path.stem for path in labels.glob('*.csv')} == set(PUBLISHED)
    for published, ours in PUBLISHED.items():
        with (labels / f'{published}.csv').open(encoding='utf-8') as file:
            names = [row['name'] for row in csv.DictReader(file)]
        assert load_class_names(ours) == names


@pytest.mark.parametrize('dataset', ['kinetics400', 'ucf101', 'hmdb51', 'ssv2'])
def test_base_and_novel_are_halves(dataset):
    base, novel = (set(load_class_names(f'{dataset}_{h}')) for h in ('base', 'novel'))
    assert base | novel == set(load_class_names(dataset))
    assert not base & novel


@pytest.mark.parametrize('split', [1, 2, 3])
def test_zero_shot_rounds_are_new_to_kinetics400(split):
    names = set(load_class_names(f'kinetics600_zero_shot_split{split}'))
    assert names < set(load_class_names('kinetics600'))
    assert not names & set(load_class_names('kinetics400'))


@pytest.mark.parametrize('name', ['ucf101', 'ucf101_base', 'ucf101_novel'])
def test_ucf101_with_words_split(name):
    published, words = load_class_names(name), load_class_names(f'{name}_words')
    assert [w.replace(' ', '') for w in words] == published
    assert not any(re.search('[a-z][A-Z]', w) for w in words)


@pytest.mark.parametrize('half', ['', '_base', '_novel'])
def test_hmdb51_with_the_swapped_names_put_right(half):
    published, fixed = (load_class_names(f'hmdb51{half}{s}') for s in ('', '_fixed'))
    partner = {'kick': 'kick ball', 'sword': 'sword exercise'}
    partner |= {b: a for a, b in partner.items()}
    assert fixed == [partner.get(name, name) for name in published]


def test_list_and_files_give_the_same_names(tmp_path):
    names = ['run', 'walk, slowly', 'Yoga']
    text = tmp_path / 'names.txt'
    text.write_text('\ufeffrun\n walk, slowly \nYoga\n\n', encoding='utf-8')
    table = tmp_path / 'names.CSV'
    table.write_text('id, name\n2, Yoga\n0,run \n1, "walk, slowly"\n')
    assert load_class_names(names) == names
    assert load_class_names((' run', *names[1:])) == names
    assert load_class_names(text) == load_class_names(str(table)) == names


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('id,name\n', 'no class names'),
        ('id,name\n1,a\n2,b\n', '0 to 1'),
        ('id,name\n0,a\n0,b\n', '0 to 1'),
        ('id,name\n0,a\nx,b\n', '0 to 1'),
        ('id,name\n0,a\n1,a\n', "'a' named more than once"),
        ('id,name\n0,a\n1\n', 'class 1'),
        ('a,0\nb,1\n', 'columns "id,name"'),
    ],
)
def test_bad_csv_is_refused(tmp_path, content, message):
    path = tmp_path / 'names.csv'
    path.write_text(content)
    with pytest.raises((ValueError, TypeError), match=message):
        load_class_names(path)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', 'no class names'),
        ('\na\nb\n', 'class 0 is empty'),
        ('a\n\nb\n', 'class 1 is empty'),
        ('a\na\n', "'a'"),
    ],
)
def test_bad_text_file_is_refused(tmp_path, content, message):
    path = tmp_path / 'names.txt'
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        load_class_names(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('classInd.txt', '1 Apply Makeup\n2 Archery\n3 Yoga, slow\n'),
        ('classInd.txt', '\ufeff1 Apply Makeup\r\n2 Archery\r\n3 Yoga, slow\r\n'),
        ('names.txt', '0\tApply Makeup\n2\tYoga, slow\n1\tArchery\n'),
        ('names.txt', 'id,name\n1,Archery\n0,Apply Makeup\n2,"Yoga, slow"\n'),
        ('names.txt', '"Apply Makeup"\n"Archery"\n"Yoga, slow"\n'),
        ('names.csv', '"ID","Name"\n"0","Apply Makeup"\n1,Archery\n2,"Yoga, slow"\n'),
        ('names.tsv', 'name\tid\nApply Makeup\t0\nYoga, slow\t2\nArchery\t1\n'),
        ('names.csv', '0,Apply Makeup\n1,Archery\n2,"Yoga, slow"\n'),
        ('names.csv', 'id;name\n0;Apply Makeup\n1;Archery\n2;Yoga, slow\n'),
        ('names.json', '["Apply Makeup", "Archery", "Yoga, slow"]'),
        ('names.json', '{"Archery": 1, "Apply Makeup": 0, "Yoga, slow": 2}'),
        ('names.json', '{"1": "Archery", "0": "Apply Makeup", "2": "Yoga, slow"}'),
    ],
)
def test_files_are_taken_for_what_they_are(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding='utf-8', newline='')
    assert load_class_names(path) == ['Apply Makeup', 'Archery', 'Yoga, slow']


def test_names_may_begin_with_numbers(tmp_path):
    path = tmp_path / 'names.txt'
    path.write_text('2 people talk\n100 m race\n2 dogs run\n')
    assert load_class_names(path) == ['2 people talk', '100 m race', '2 dogs run']


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('a.json', '{"a": "b", "c": 1}', 'list of class names'),
        ('a.json', '["a", 1]', 'list of class names'),
        ('a.json', '["a"', 'no JSON'),
        ('a.json', '[' * 10**5, 'no JSON'),
        ('a.json', '{"a": 1, "b": 2}', '0 to 1'),
        ('a.csv', 'id,name\n0,"' + 'a' * 200_000 + '"\n', 'field larger'),
        ('a.txt', 'a\n' + 'b' * 200_000, 'class 1 has 200000 characters'),
        ('a.txt', 'a\nb\tc\n', r"class 1.*'\\t'"),
        ('a.txt', 'a\nb\u2028c\n', r'class 1.*u2028'),
        ('a.txt', 'a\nb\0c\n', 'NUL'),
    ],
)
def test_what_is_no_list_is_refused_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content, encoding='utf-8')
    with pytest.raises(ValueError, match=message) as error:
        load_class_names(path)
    assert name in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 500


@pytest.mark.parametrize('name', ['names.txt', 'names.csv'])
def test_another_encoding_is_refused_with_the_file(tmp_path, name):
    (tmp_path / name).write_text('café\n', encoding='latin-1')
    with pytest.raises(ValueError, match=rf'{name}.*UTF-8'):
        load_class_names(tmp_path / name)


def test_names_that_cannot_be_seen_are_empty():
    with pytest.raises(ValueError, match='class 1'):
        load_class_names(['run', '\u200b'])


def test_a_packaged_list_goes_before_a_file_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'hmdb51').write_text('mine\n')
    assert len(load_class_names('hmdb51')) == 51
    assert load_class_names('./hmdb51') == ['mine']


@pytest.mark.parametrize('names', [{'a', 'b'}, iter('ab'), dict(a=0), b'ab', None])
def test_names_without_an_order_are_refused(names):
    with pytest.raises(TypeError, match='list'):
        load_class_names(names)


def test_unknown_sources_say_what_exists(tmp_path):
    with pytest.raises(ValueError, match=r"'kinetics'.*kinetics400, "):
        load_class_names('kinetics')
    with pytest.raises(FileNotFoundError, match=r'missing\.txt.*ucf101_words'):
        load_class_names(tmp_path / 'missing.txt')
    with pytest.raises(ValueError, match='no class names'):
        load_class_names([])
    with pytest.raises(TypeError, match=r'class 1.*3'):
        load_class_names(['a', 3])
