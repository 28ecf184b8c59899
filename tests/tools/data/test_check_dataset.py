"""tools/data/check_dataset.py finds what is wrong, and nothing else."""

import pytest
from two_classes import CONFIG

from mmxclip.datasets.lists import Entry, published_lists, read_list, write_list


def _append(path, text):
    path.write_text(path.read_text() + text)


@pytest.mark.slow
def test_a_sound_data_set_passes(data, run):
    done = run('check_dataset.py', data / 'config.py', '--workers', 2, '--fix')
    assert done.returncode == 0, done.stdout + done.stderr
    assert '0 errors in 2 lists' in done.stdout
    assert not list(data.glob('lists/*cleaned*'))


@pytest.mark.slow
def test_everything_wrong_is_reported_and_fixed(data, run):
    (data / 'videos/sport/noise.mp4').write_bytes(bytes(range(256)) * 20)
    whole = (data / 'videos/sport/yoga.mp4').read_bytes()
    (data / 'videos/sport/cut.mp4').write_bytes(whole[: len(whole) // 2])
    before = read_list(data / 'lists/train.txt')
    _append(
        data / 'lists/train.txt',
        'sport/yoga.mp4 0\n'  # again
        'sport/gone.mp4 0\n'  # missing
        'sport/noise.mp4 0\n'  # no video
        'sport/cut.mp4 0\n'  # truncated
        'sport/tai_chi.mp4 1\n'  # of the test list, and its folder says 0
        'else/playing_guitar.mp4 2\n',  # outside, and of the test list
    )
    done = run('check_dataset.py', data / 'config.py', '--workers', 2, '--fix')
    assert done.returncode == 1
    for text in (
        '1 videos are listed again',
        '1 videos: missing',
        'sport/gone.mp4 0',
        'sport/noise.mp4 0',
        'sport/cut.mp4 0',
        '2 training videos are in the test list',
        '1 labels are outside 0 to 1',
        'labels mean another class',
    ):
        assert text in done.stdout, text
    assert read_list(data / 'lists/train.cleaned.txt') == before
    assert not (data / 'lists/val.cleaned.txt').exists()
    fixed = dict(ann_file='train_dataloader.dataset.ann_file=lists/train.cleaned.txt')
    args = ['--workers', 1, '--cfg-options', fixed['ann_file']]
    assert run('check_dataset.py', data / 'config.py', *args).returncode == 0


def _refused(done, data, name='train'):
    """Whether --fix refused a list and wrote nothing in its place."""
    assert done.returncode == 1
    assert not (data / f'lists/{name}.cleaned.txt').exists()
    return f'error: {data}/lists/{name}.txt is not cleaned' in done.stdout


@pytest.mark.parametrize('more', ['', 'sport/other.mp4\n', 'sport/other.mp4 9\n'])
def test_labels_from_one_are_not_cured_by_leaving_videos_out(data, run, more):
    """Without its last class the list would train on labels that are all wrong."""
    path = data / 'lists/train.txt'
    path.write_text(f'clips/a.mp4 1\nclips/b.mp4 2\n{more}')
    done = run('check_dataset.py', data / 'config.py', '--no-decode', '--fix')
    assert _refused(done, data)
    assert 'remedy: subtract 1 from every label' in done.stdout
    assert 'cure: subtract 1 from every label' in done.stdout


def test_another_order_of_classes_is_not_cured_by_leaving_videos_out(data, run):
    lines = [f'sport/{i}.mp4 1\nelse/{i}.mp4 0\n' for i in range(3)]
    (data / 'lists/train.txt').write_text(''.join(lines))
    done = run('check_dataset.py', data / 'config.py', '--no-decode', '--fix')
    assert _refused(done, data)
    assert 'put the class list into the order of the labels' in done.stdout


def test_another_order_of_a_benchmark_is_made_anew(data, run):
    entries = [Entry(p, (y + 1) % 51) for p, y in published_lists('hmdb51')['val1.txt']]
    root = data / 'hmdb51'
    write_list(root / 'lists/val1.txt', entries)
    config = CONFIG.format(classes='hmdb51', root=str(root)).replace('/val.', '/val1.')
    (data / 'config.py').write_text(config)
    args = ['--no-decode', '--fix', '--cfg-options', 'train_dataloader=None']
    done = run('check_dataset.py', data / 'config.py', *args)
    assert _refused(done, root, 'val1')
    assert 'make the list anew with tools/data/prepare.py' in done.stdout


def test_several_labels_a_line_are_refused(data, run):
    """They would be read as videos that are missing: 'a.mp4 0'."""
    (data / 'lists/train.txt').write_text('sport/yoga.mp4 0 1\n')
    more = "train_dataloader['dataset'].update(multi_class=True, num_classes=2)\n"
    _append(data / 'config.py', more)
    done = run('check_dataset.py', data / 'config.py', '--fix')
    assert 'lists/train.txt has several labels a line' in done.stderr
    args = ['--workers', 1, *done.stderr.split()[-2:]]  # as it advises
    assert run('check_dataset.py', data / 'config.py', *args).returncode == 0


@pytest.mark.parametrize('spelling', ['lists/train.txt', 'lists/../lists/train.txt'])
def test_a_list_to_train_and_to_test_with_is_found(data, run, spelling):
    args = ['--no-decode', '--fix', '--cfg-options', 'val_dataloader=None']
    args += [f'test_dataloader.dataset.ann_file={spelling}']
    done = run('check_dataset.py', data / 'config.py', *args)
    assert _refused(done, data)
    assert '2 training videos are in the test list' in done.stdout
    assert 'test with a list of other videos' in done.stdout


def test_published_lists_may_swap_names_but_others_not(data, run):
    """HMDB-51 as published is noted; the same list under another name is an error."""
    entries = published_lists('hmdb51')['val1.txt']
    config = CONFIG.format(classes='hmdb51', root=str(data / 'hmdb51'))
    (data / 'config.py').write_text(config)
    for name in ('train1', 'val1'):
        write_list(data / f'hmdb51/lists/{name}.txt', entries)
    args = [data / 'config.py', '--no-decode', '--cfg-options']
    args += ['train_dataloader=None', 'val_dataloader=None']
    args += ['test_dataloader.dataset.ann_file=lists/{}.txt']
    done = run('check_dataset.py', *args[:-1], args[-1].format('val1'))
    assert done.returncode == 0, done.stdout
    assert 'note: 120 labels' in done.stdout
    assert 'remedy' not in done.stdout
    done = run('check_dataset.py', *args[:-1], args[-1].format('train1'))
    assert 'error: 120 labels' in done.stdout


@pytest.mark.slow
def test_lists_are_read_as_in_training(data, run):
    """Another delimiter, a byte order mark, a line without a label."""
    config = (data / 'config.py').read_text()
    config = config.replace('pipeline=', "delimiter=',', pipeline=")
    (data / 'config.py').write_text(config)
    for name in ('train', 'val'):
        path = data / f'lists/{name}.txt'
        path.write_text(path.read_text().replace(' ', ', '), encoding='utf-8-sig')
    args = [data / 'config.py', '--no-decode']
    assert run('check_dataset.py', *args[:1], '--workers', 1).returncode == 0
    _append(data / 'lists/train.txt', 'sport/other.mp4\n')
    done = run('check_dataset.py', *args)
    assert done.returncode == 1
    assert (
        '-1 stands for a line without a label\n      sport/other.mp4 -1' in done.stdout
    )
    _append(data / 'lists/train.txt', 'sport/other.mp4, --1\n')
    done = run('check_dataset.py', *args)
    assert (
        "train.txt, line 4: the label must be an integer from 0, got '--1'"
        in done.stdout
    )


def test_every_part_of_a_concatenated_data_set_is_checked(data, run):
    (data / 'lists/more.txt').write_text('sport/yoga.mp4 0\ngone.mp4 7\n')
    (data / 'lists/none.txt').touch()
    _append(
        data / 'config.py',
        "parts = [dict(dataset, ann_file=f'lists/{n}.txt') for n in ('more', 'none')]\n"
        "train_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=parts))\n",
    )
    done = run('check_dataset.py', data / 'config.py', '--no-decode')
    assert '1 labels are outside 0 to 1' in done.stdout
    assert 'the list is empty' in done.stdout
    assert '2 errors in 3 lists' in done.stdout


def test_training_videos_in_the_validation_list_are_found(data, run):
    _append(data / 'lists/train.txt', 'sport/tai_chi.mp4 0\n')
    args = ['--no-decode', '--cfg-options', 'test_dataloader=None']
    done = run('check_dataset.py', data / 'config.py', *args)
    assert '1 training videos are in the test list' in done.stdout


def test_other_separators_and_heads_that_know_a_number_only(data, run):
    (data / 'lists/train.txt').write_text('sport/a yoga.mp4,0\nelse/x.avi,2\n')
    config = (data / 'config.py').read_text()
    config = config.replace("classes=['sport', 'else']", 'num_classes=2')
    config = config.replace("ann_file='lists/tr", "delimiter=',', ann_file='lists/tr")
    (data / 'config.py').write_text(config)
    done = run('check_dataset.py', data / 'config.py', '--no-decode', '--fix')
    assert '1 labels are outside 0 to 1' in done.stdout
    cleaned = (data / 'lists/train.cleaned.txt').read_text()
    assert cleaned == 'sport/a yoga.mp4,0\n'


@pytest.mark.slow
def test_cleaned_lists_are_not_replaced_silently(data, run):
    _append(data / 'lists/train.txt', 'sport/gone.mp4 0\n')
    (data / 'lists/train.cleaned.txt').write_text('mine 0\n')
    args = [data / 'config.py', '--workers', 1, '--fix']
    assert '--overwrite' in run('check_dataset.py', *args).stderr
    assert (data / 'lists/train.cleaned.txt').read_text() == 'mine 0\n'
    assert run('check_dataset.py', *args, '--overwrite').returncode == 1
    assert len(read_list(data / 'lists/train.cleaned.txt')) == 2


def test_missing_and_broken_lists_are_reported(data, run):
    (data / 'lists/val.txt').unlink()
    (data / 'lists/train.txt').write_text('a.mp4 first\n')
    done = run('check_dataset.py', data / 'config.py')
    assert done.returncode == 1
    assert 'train.txt, line 1' in done.stdout
    assert 'val.txt does not exist; tools/data/prepare.py makes' in done.stdout
    assert '2 errors' in done.stdout


def test_wrong_use_is_explained(data, run):
    done = run('check_dataset.py', data / 'config.py', '--workers', 0)
    assert '--workers must be above 0' in done.stderr
    config = (data / 'config.py').read_text()
    (data / 'config.py').write_text(config.replace('cls_head', 'head'))
    done = run('check_dataset.py', data / 'config.py')
    assert 'error: the config has neither model.cls_head.classes nor' in done.stderr
