"""tools/data/make_few_shot_split.py, run as a user runs it."""

from mmxclip.datasets.lists import read_list


def test_few_shot_split_tool(run, tmp_path):
    lines = [f'v{i}.mp4 {i % 4}\n' for i in range(40)]
    (tmp_path / 'train.txt').write_text(''.join(lines))
    (tmp_path / 'again.txt').write_text(''.join(reversed(lines)))
    for name in ('train', 'again'):
        done = run('make_few_shot_split.py', tmp_path / f'{name}.txt', '--shots', 2, 4)
        assert done.returncode == 0, done.stderr
    for shots in (2, 4):
        first = (tmp_path / f'train_few_shot_{shots}.txt').read_text()
        assert first == (tmp_path / f'again_few_shot_{shots}.txt').read_text()
        assert len(first.splitlines()) == 4 * shots


def test_few_shot_split_of_a_subset_for_several_seeds(run, tmp_path):
    (tmp_path / 'train.txt').write_text(
        ''.join(f'v{i}.mp4 {i % 4}\n' for i in range(40))
    )
    (tmp_path / 'all.txt').write_text('a\nb\nc\nd\n')
    (tmp_path / 'base.txt').write_text('d\na\n')
    args = ['--classes', tmp_path / 'all.txt', '--subset', tmp_path / 'base.txt']
    args += ['--shots', 3, '--seeds', 1, 2]
    done = run('make_few_shot_split.py', tmp_path / 'train.txt', *args)
    assert done.returncode == 0, done.stderr
    one, two = (read_list(tmp_path / f'train_few_shot_3_s{s}.txt') for s in (1, 2))
    assert one != two
    assert [e.label for e in one] == [0, 0, 0, 1, 1, 1]
    assert all(int(e.path[1:-4]) % 4 == {0: 3, 1: 0}[e.label] for e in one)
    done = run('make_few_shot_split.py', tmp_path / 'train.txt', *args, '--out', 'x')
    assert done.returncode != 0
    assert 'one file twice' in done.stderr
    done = run('make_few_shot_split.py', tmp_path / 'train.txt', '--out', '{k}.txt')
    assert 'may hold {shots} and {seed}' in done.stderr


def test_few_shot_split_options(run, tmp_path):
    lines = [f'v{i}.mp4 {i % 4}\n' for i in range(17)]  # 5 of class 0, 4 of others
    (tmp_path / 'train.txt').write_text(''.join(lines))

    def split(*args, name='train.txt'):
        return run('make_few_shot_split.py', tmp_path / name, *args)

    def made(shots):
        return (tmp_path / f'train_few_shot_{shots}.txt').read_text()

    split('--shots', 0, 2)
    assert sorted(made(0).splitlines(True)) == sorted(lines)
    split('--shots', 2, '--seeds', 0, '--out', str(tmp_path / 'zero.txt'))
    assert (tmp_path / 'zero.txt').read_text() == made(2), 'the seed is 0'
    assert '3 classes have less than 5' in split('--shots', 3, 5).stderr
    assert not (tmp_path / 'train_few_shot_3.txt').exists(), 'all lists or none'
    assert split('--shots', 5, '--allow-fewer').returncode == 0
    assert len(made(5).splitlines()) == 17
    (tmp_path / 'train_few_shot_2.txt').write_text('mine 0\n')
    assert '--overwrite' in split('--shots', 2).stderr
    assert made(2) == 'mine 0\n'
    assert split('--shots', 2, '--overwrite').returncode == 0
    assert len(made(2).splitlines()) == 8
    assert 'belong together' in split('--classes', 'all.txt').stderr
    (tmp_path / 'empty.txt').touch()
    assert 'names no video' in split(name='empty.txt').stderr
