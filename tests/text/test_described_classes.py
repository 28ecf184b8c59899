"""Classes that are described by texts, in the forms of files that were published."""

import pytest

from mmxclip.text.classes import Classes, load_class_names

TEXTS = (('A person runs.', 'legs'), ('slow steps',))


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('a.json', '{"Run": ["A person runs.", "legs"], "Brisk walk": "slow steps"}'),
        (
            'a.json',
            '{"Brisk walk": ["slow steps"], "Run": ["A person runs.", "legs"]}',
        ),
        ('ost.json', '{"1": ["slow steps"], "0": ["A person runs.", "legs"]}'),
    ],
)
def test_files_describe_the_classes_of_a_list(tmp_path, monkeypatch, name, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(content)
    (tmp_path / 'names.txt').write_text('run\nbrisk_walk\n')
    classes = Classes.of(f'names.txt+{name}')
    assert list(classes) == ['run', 'brisk_walk']
    assert classes.texts == TEXTS
    (tmp_path / 'more.csv').write_text('id,name\n0,to run\n1,to walk\n')
    both = Classes.of(f'names.txt+{name}+more.csv')
    assert both.texts == ((*TEXTS[0], 'to run'), (*TEXTS[1], 'to walk'))
    assert Classes.of(both.plain()) == both
    assert Classes.of(['run', 'brisk_walk']).plain() == ['run', 'brisk_walk']


@pytest.mark.parametrize(
    ('name', 'content', 'names', 'texts'),
    [
        ('a.json', '{"run": "He runs.", "sit": ["a", "b"]}', 'run sit', 'He runs.|a b'),
        ('froster.json', '{"1": "Sit: b", "0": "Run: a"}', 'Run Sit', 'Run: a|Sit: b'),
        (
            'ez-clip.csv',
            'SNo,Class Name,GPT3 discription\n2,sit,b\n1,run,"\n\nRun\nis fast,"\n',
            'run sit',
            'Run is fast,|b',
        ),
        ('a.tsv', 'id\tname\ttext\n0\trun\ta\n1\tsit\tb\n', 'run sit', 'a|b'),
    ],
)
def test_published_files_name_and_describe(tmp_path, name, content, names, texts):
    (tmp_path / name).write_text(content)
    classes = Classes.of(tmp_path / name)
    assert list(classes) == names.split() == load_class_names(tmp_path / name)
    assert list(map(' '.join, classes.texts)) == texts.split('|')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{"0": ["a"], "1": ["b"]}', r"their numbers.*'LIST\+"),
        ('{"run": []}', 'list of class names'),
        ('{"run": " "}', "'run' has an empty text"),
        ('{"run": ["a", 1]}', 'list of class names'),
        ('{"run": "a\\u0000b"}', r"a text of the class 'run'.*x00"),
        ('{"0": ["a"], "2": ["b"]}', '0 to 1'),
    ],
)
def test_descriptions_that_are_none_are_refused(tmp_path, content, message):
    (tmp_path / 'a.json').write_text(content)
    with pytest.raises(ValueError, match=message):
        Classes.of(tmp_path / 'a.json')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{"run": "a"}', "does not describe 'walk'"),
        ('{"0": ["a"]}', '1 classes by their numbers, but there are 2'),
        ('{"Run": "a", "RUN": "b", "WALK": "c"}', "does not describe 'run', 'walk'"),
    ],
)
def test_descriptions_of_other_classes_are_refused(
    tmp_path, monkeypatch, content, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'names.txt').write_text('run\nwalk\n')
    (tmp_path / 'a.json').write_text(content)
    with pytest.raises(ValueError, match=message):
        Classes.of('names.txt+a.json')
