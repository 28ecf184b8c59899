"""Files of answers: resumed, refused, on a full disk."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch


def read_lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.mark.slow
def test_bad_videos_cost_themselves_and_no_others(tool, model, films, capsys):
    films('a.mp4', 'crash.mp4', 'b.mp4', 'hang.mp4', 'c.mp4', 'bad.mp4', 'd.mp4')
    Path('films/bad.mp4').write_bytes(b'no video')
    given = ['films', 'gone.mp4', 'none/*.mp4', '--time-limit', 3, '--workers', 2]
    with pytest.raises(SystemExit) as end:
        tool('predict.py', *given, *model, '--json', 'a.jsonl')
    assert end.value.code == 1
    printed = capsys.readouterr().err
    rows = {row['video']: row for row in read_lines('a.jsonl')}
    assert len(rows) == 9
    good = [f'films/{name}.mp4' for name in 'abcd']
    assert [name for name, row in rows.items() if 'scores' in row] == good
    for name, reason in (
        ('films/crash.mp4', 'SIGKILL'),
        ('films/hang.mp4', '3 s'),
        ('films/bad.mp4', 'cannot be decoded'),
        ('gone.mp4', 'does not exist'),
        ('none/*.mp4', 'no video'),
    ):
        assert reason in rows[name]['error']
        assert rows[name]['error'] in printed
    Path('awake').touch()
    with pytest.raises(SystemExit):
        tool('predict.py', *given, *model, '--json', 'a.jsonl', '--resume')
    again = {row['video']: row for row in read_lines('a.jsonl')}
    assert 'scores' in again['films/hang.mp4'], 'failures are tried again'
    assert all(again[name] == rows[name] for name in good)


@pytest.fixture
def start(tool):
    """Run the tool in a process of its own."""
    processes = []

    def work(args):
        torch.set_num_threads(1)
        tool(*args)

    def run(*args):
        fork = multiprocessing.get_context('fork')
        processes.append(fork.Process(target=work, args=(args,)))
        processes[0].start()
        return processes[0]

    yield run
    for process in processes:
        process.kill()
        process.join()


def wait_for(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError


@pytest.mark.slow
@pytest.mark.parametrize('end', ['json SIGINT', 'csv SIGKILL'])
def test_an_end_loses_nothing_and_resume_goes_on(tool, start, model, films, end):
    kind, number = end.split()[0], signal.Signals[end.split()[1]]
    films('0.mp4', '1.mp4', '2.mp4', 'hang.mp4', 'x.mp4')
    given = ['predict.py', 'films', *model, f'--{kind}', 'answers', '--workers', 2]
    process = start(*given, '--time-limit', 500)
    part = Path('answers.part')
    wait_for(lambda: part.exists() and part.read_bytes().count(b'mp4') >= 3)
    os.kill(process.pid, number)
    process.join()
    assert process.exitcode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert not Path('answers').exists()
    lines = part.read_bytes().splitlines()
    with part.open('ab') as file:
        file.write(lines[-1][:20])  # cut off
    with pytest.raises(SystemExit, match=r'answers\.part.*--resume'):
        tool(*given)
    Path('awake').touch()
    Path('films/0.mp4').write_bytes(b'no video')  # is not looked at again
    tool(*given, '--resume')
    assert not part.exists()
    done = Path('answers').read_bytes().splitlines()
    assert set(lines) <= set(done)
    assert len(done) == 5 + (kind == 'csv')
    before = Path('answers').read_bytes()
    tool(*given, '--resume')
    assert Path('answers').read_bytes() == before


def test_answers_of_another_kind_are_not_gone_on_with(tool, model, films, checkpoint):
    films('0.mp4')
    given = ['predict.py', 'films', *model, '--workers', 0]
    tool(*given, '--json', 'a.jsonl', '--csv', 'a.csv')
    before = Path('a.jsonl').read_bytes()
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    weights['cls_head.logit_scale'] += 1
    torch.save(dict(state_dict=weights), 'other.pth')
    for change, reason in (
        (['--labels', 'growing, shrinking'], 'other labels'),
        (['--checkpoint', 'other.pth'], 'another model'),
        (['--top', '2'], 'other settings'),
    ):
        with pytest.raises(SystemExit, match=f'answers of {reason}'):
            tool(*given, '--json', 'a.jsonl', '--resume', *change)
    with pytest.raises(SystemExit, match=r'a\.jsonl exists'):
        tool(*given, '--json', 'a.jsonl')
    Path('a.txt').write_text('a text')
    for option in ('--json', '--csv'):
        with pytest.raises(SystemExit, match=r'a\.txt has no answers'):
            tool(*given, option, 'a.txt', '--resume')
    assert Path('a.jsonl').read_bytes() == before
    tool(*given, '--json', 'a.jsonl', '--overwrite', '--labels', 'growing, shrinking')
    assert len(read_lines('a.jsonl')[0]['scores']) == 2


def test_a_full_disk_is_told_and_leaves_whole_lines(tool, model, films, tiny_disk):
    films(*(f'{n}.mp4' for n in range(9)))
    labels = ', '.join(f'{letter} {"very " * 55}long' for letter in 'abcde')
    given = ['predict.py', 'films', *model, '--labels', labels, '--workers', 0]
    (tiny_disk / 'filler').write_bytes(bytes(2**18 - 3 * 2**12))
    file = tiny_disk / 'a.jsonl'
    with pytest.raises(SystemExit, match='No space left'):
        tool(*given, '--json', file)
    (tiny_disk / 'filler').unlink()
    assert not file.exists()
    some = file.with_name('a.jsonl.part').read_bytes().count(b'\n')
    assert 0 < some < 9
    tool(*given, '--json', file, '--resume')
    assert len(read_lines(file)) == 9


def test_wrong_files_for_answers_are_told_before_the_work(tool, model, films):
    films('0.mp4')
    for options, reason in (
        (['--json', 'films/0.mp4'], 'called as videos'),
        (['--json', 'films'], 'is a folder'),
        (['--resume'], '--json FILE'),
    ):
        with pytest.raises(SystemExit, match=reason):
            tool('predict.py', 'films', *model, *options)
