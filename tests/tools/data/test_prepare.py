"""tools/data/prepare.py, run as a user runs it."""

import csv
import json
import re
import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest

from mmxclip.datasets.lists import COUNTS, published_lists, read_list
from mmxclip.text import load_class_names

pytestmark = pytest.mark.slow

LONG = 'a' * 200_000
KINETICS = 'label,youtube_id,time_start,time_end,split\n'


def _touch(folder, paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def _published_paths(dataset):
    return {e.path for entries in published_lists(dataset).values() for e in entries}


def test_ucf101_in_class_folders_and_another_container(run, tmp_path):
    """What no list names is only trained on, here all of one class."""
    names = {PurePosixPath(path).stem for path in _published_paths('ucf101')}
    unlisted = sum(COUNTS['ucf101'][f'{s}1.txt'] for s in ('train', 'val')) - len(names)
    names |= {f'v_YoYo_g{50 + i // 90}_c{i % 90:02}' for i in range(unlisted)}
    _touch(tmp_path / 'videos', [f'{n.split("_")[1]}/{n}.mp4' for n in names])
    done = run(
        'prepare.py', 'ucf101', '--videos', tmp_path / 'videos', '--lists', tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name, count in COUNTS['ucf101'].items():
        entries = read_list(tmp_path / name)
        assert len(entries) == count
        assert all((tmp_path / 'videos' / entry.path).exists() for entry in entries)
    for i in (1, 2, 3):
        train, test = (read_list(tmp_path / f'{s}{i}.txt') for s in ('train', 'val'))
        assert not set(train) & set(test)
        assert len(train) + len(test) == len(names)
    labels = load_class_names('ucf101')
    for entry in train:  # the data set itself writes HandstandPushups in two ways
        assert labels[entry.label].lower() == entry.path.split('/')[0].lower()


def test_an_incomplete_ucf101_gives_no_short_training_lists(run, tmp_path):
    _touch(tmp_path / 'videos', ['v_YoYo_g22_c01.avi'])
    args = ['ucf101', '--videos', tmp_path / 'videos', '--lists', tmp_path / 'lists']
    done = run('prepare.py', *args)
    assert done.returncode == 1
    assert '1 of   9537 videos (not written)' in done.stdout
    assert not (tmp_path / 'lists').exists()
    assert run('prepare.py', *args, '--allow-missing').returncode == 0
    assert read_list(tmp_path / 'lists/train1.txt') == [('v_YoYo_g22_c01.avi', 100)]


def test_a_foreign_file_among_ucf101_is_named(run, tmp_path):
    _touch(tmp_path, ['holiday.mp4'])
    done = run('prepare.py', 'ucf101', '--videos', tmp_path, '--lists', tmp_path)
    assert done.returncode == 1
    assert 'error: holiday.mp4 is not named like' in done.stderr


def _hmdb51_class(path):
    """The class in the name of a video, the longest that fits: climb_stairs."""
    name = re.split(r'_[fhlu]_[cn]m_np\d+_', path)[0]
    classes = (c.replace(' ', '_') for c in load_class_names('hmdb51'))
    return max((c for c in classes if name.endswith(f'_{c}')), key=len)


def test_hmdb51_from_official_archives(run, tmp_path):
    """Official files tell classes by name; labels must be those that are tested."""
    lists = published_lists('hmdb51')
    labels = {_hmdb51_class(path): label for path, label in lists['val1.txt']}
    assert len(labels) == 51
    used = {n: [f'{i}_{n}_f_cm_np1_ba_bad_0.avi' for i in range(54)] for n in labels}
    for path, _ in lists['train1_few_shot_16.txt']:
        used[_hmdb51_class(path)].append(path)
    with tarfile.open(tmp_path / 'hmdb.tar.gz', 'w:gz') as tar:
        for path in _published_paths('hmdb51').union(*used.values()):
            tar.addfile(tarfile.TarInfo(f'all/{path}'))
    with zipfile.ZipFile(tmp_path / 'splits.zip', 'w') as file:
        for name, paths in used.items():
            rows = ''.join(f'{path} 1 \n' for path in paths)
            for i in (1, 2, 3):
                text = f'{rows}other.avi 2 \nunused.avi 0 \n'
                file.writestr(f'{name}_test_split{i}.txt', text)
    args = ['hmdb51', '--videos', tmp_path / 'videos', '--lists', tmp_path / 'lists']
    args += ['--archives', tmp_path / 'hmdb.tar.gz']
    args += ['--annotations', tmp_path / 'splits.zip']
    done = run('prepare.py', *args)
    assert done.returncode == 0, done.stdout + done.stderr
    for i in (1, 2, 3):
        assert len(read_list(tmp_path / 'lists' / f'val{i}.txt')) == 1530
        train = read_list(tmp_path / 'lists' / f'train{i}.txt')
        assert set(train) == {
            (f'all/{path}', labels[name]) for name in used for path in used[name]
        }


def test_incomplete_lists_are_not_written_unless_asked(run, tmp_path):
    videos = sorted(_published_paths('hmdb51'))
    lost = published_lists('hmdb51')['val1.txt'][0].path
    _touch(tmp_path / 'videos', [path for path in videos if path != lost])
    args = ['hmdb51', '--videos', tmp_path / 'videos', '--lists', tmp_path / 'lists']
    done = run('prepare.py', *args)
    assert done.returncode == 1
    assert lost in done.stdout
    assert not (tmp_path / 'lists' / 'val1.txt').exists()
    done = run('prepare.py', *args, '--allow-missing')
    assert done.returncode == 0, done.stderr
    assert len(read_list(tmp_path / 'lists' / 'val1.txt')) == 1529


def test_kinetics_from_csv_and_from_folders(run, tmp_path):
    rows = [('zumba', 'abc', 5, 15, 'validate'), ('abseiling', 'a-_', 0, 10, 'train')]
    with (tmp_path / 'k.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['label', 'youtube_id', 'time_start', 'time_end', 'split'])
        writer.writerows(rows)
    paths = ['val/zumba/abc_000005_000015.mp4', 'train/abseiling/a-__000000_000010.mp4']
    _touch(tmp_path / 'videos', paths)
    for lists, extra in (('csv', ['--annotations', tmp_path / 'k.csv']), ('dirs', [])):
        args = ['kinetics400', '--videos', tmp_path / 'videos', '--allow-missing']
        done = run('prepare.py', *args, '--lists', tmp_path / lists, *extra)
        assert done.returncode == 0, done.stderr
        assert read_list(tmp_path / lists / 'val.txt') == [(paths[0], 399)]
        assert read_list(tmp_path / lists / 'train.txt') == [(paths[1], 0)]


def test_kinetics_in_the_folders_of_mmaction2(run, tmp_path):
    paths = ['videos_train/abseiling/a.mp4', 'videos_val/arm_wrestling/b.mp4']
    _touch(tmp_path / 'videos', paths)
    args = ['kinetics400', '--videos', tmp_path / 'videos', '--allow-missing']
    done = run('prepare.py', *args, '--lists', tmp_path / 'lists')
    assert done.returncode == 0, done.stderr
    assert read_list(tmp_path / 'lists/train.txt') == [(paths[0], 0)]
    assert read_list(tmp_path / 'lists/val.txt') == [(paths[1], 6)]
    assert len(list((tmp_path / 'lists').iterdir())) == 2


@pytest.mark.parametrize(
    'path',
    [
        'x.mp4',
        'abseiling/x.mp4',
        'kinetics400/train/abseiling/x.mp4',
        'train_256/abseiling/x.mp4',
        'train/no class/x.mp4',
        'train/abseiling/more/x.mp4',
    ],
)
def test_other_folders_of_kinetics_are_refused(run, tmp_path, path):
    _touch(tmp_path / 'videos', [path])
    args = ['kinetics400', '--videos', tmp_path / 'videos', '--allow-missing']
    done = run('prepare.py', *args, '--lists', tmp_path / 'lists')
    assert done.returncode == 1
    assert 'expected <split>/<class>/<video> in' in done.stderr
    assert f'found {path}; give the folder' in done.stderr
    assert not (tmp_path / 'lists').exists()


def test_ssv2_from_json(run, tmp_path):
    rows = [dict(id='7', template='Approaching [something] with your camera')]
    (tmp_path / 'something-validation.json').write_text(json.dumps(rows))
    _touch(tmp_path / 'videos', ['7.webm'])
    args = ['ssv2', '--videos', tmp_path / 'videos', '--allow-missing']
    args += ['--annotations', tmp_path / 'something-validation.json']
    done = run('prepare.py', *args, '--lists', tmp_path)
    assert done.returncode == 0, done.stderr
    assert read_list(tmp_path / 'val.txt') == [('7.webm', 0)]


@pytest.mark.parametrize(
    ('dataset', 'content', 'message'),
    [
        ('kinetics400', 'name,id\n', ' lacks label, youtube_id'),
        ('kinetics400', '', 'found: nothing'),
        ('kinetics400', KINETICS + 'zumba,abc,5\n', ', line 2 lacks time_end, split'),
        ('kinetics400', KINETICS + 'zumba,a,5,x,val\n', ", line 2: a time .* got 'x'"),
        ('kinetics400', KINETICS + 'zumba,a,inf,5,val\n', "got 'inf'"),
        (
            'kinetics400',
            KINETICS + f'zumba,{"a" * 200_000},0,5,val\n',
            ', line 2: field',
        ),
        ('kinetics400', KINETICS + 'zumba,a,0,5,../val\n', r", line 2: .*'\.\./val'"),
        ('kinetics400', KINETICS + 'zumba,a\0b,0,5,val\n', ' .*NUL byte'),
        ('ssv2', '[', ' is not JSON'),
        ('ssv2', 'null', ' is no list of entries, but None'),
        ('ssv2', '[1, 2]', ', entry 1 lacks id and template: 1'),
        ('ssv2', '[{"id": 7}]', ', entry 1 lacks template, .* found: id'),
        ('ssv2', '[{"id": 7, "template": null}]', ', entry 1 lacks template'),
        ('ssv2', '[{"id": 7, "template": 8}]', ', entry 1: 8 is not a class of SSv2'),
    ],
)
def test_other_annotations_are_named(run, tmp_path, dataset, content, message):
    name = 'train.json' if dataset == 'ssv2' else 'train.csv'
    _touch(tmp_path / 'videos', ['x.mp4'])
    (tmp_path / name).write_text(content)
    args = [dataset, '--videos', tmp_path / 'videos', '--lists', tmp_path / 'lists']
    done = run('prepare.py', *args, '--annotations', tmp_path / name)
    assert done.returncode == 1
    assert re.match(f'error: {tmp_path / name}.*{message}', done.stderr)


def test_videos_found_twice_or_not_at_all_make_no_list(run, tmp_path):
    rows = [
        dict(id=i, template='Approaching [something] with your camera') for i in '78'
    ]
    (tmp_path / 'something-validation.json').write_text(json.dumps(rows))
    _touch(tmp_path / 'videos', ['a/7.webm', 'b/7.webm', '8.webm'])
    args = ['ssv2', '--videos', tmp_path / 'videos', '--lists', tmp_path / 'lists']
    args += ['--annotations', tmp_path / 'something-validation.json']
    done = run('prepare.py', *args)
    assert done.returncode == 1
    assert 'found more than once e.g. 7' in done.stdout
    assert not (tmp_path / 'lists').exists()
    run('prepare.py', *args, '--allow-missing')
    assert [path.name for path in (tmp_path / 'lists').iterdir()] == ['val.txt']
    assert read_list(tmp_path / 'lists/val.txt') == [('8.webm', 0)]


def test_annotations_in_another_encoding_are_named(run, tmp_path):
    _touch(tmp_path / 'videos', ['x.mp4'])
    (tmp_path / 'k.csv').write_bytes(KINETICS.encode() + b'caf\xe9,a,0,5,val\n')
    args = ['kinetics400', '--videos', tmp_path / 'videos', '--lists', tmp_path]
    done = run('prepare.py', *args, '--annotations', tmp_path / 'k.csv')
    assert re.match(f'error: {tmp_path}/k.csv .*UTF-8', done.stderr)
