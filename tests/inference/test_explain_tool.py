"""The tool that explains what a model saw."""

import json
import signal

import cv2
import numpy as np
import pytest

from mmxclip.layers import SelfAttention


@pytest.fixture
def tell(tool, config_file, checkpoint, videos, monkeypatch):
    """Run the tool on a video."""
    monkeypatch.chdir(config_file.parent)

    def run(*args, labels='a, b b, c', given=None):
        model = ('--config', config_file, '--checkpoint', checkpoint)
        clip = videos[0] if given is None else given
        return tool('explain.py', clip, '--labels', labels, *args, *model)

    return run


@pytest.mark.slow
def test_the_tool_writes_a_picture_and_all_numbers(tell, tmp_path):
    printed = tell()
    folder = tmp_path / 'work_dirs/explanations'
    assert sorted(path.name for path in folder.iterdir()) == ['clip0.json', 'clip0.png']
    found = json.loads((folder / 'clip0.json').read_text())
    assert found['best'] in printed
    assert [one['label'] for one in found['labels']] == ['a', 'b b', 'c']
    assert np.shape([one['map'] for one in found['labels']]) == (3, 4, 8, 8)
    assert np.shape(found['messages']) == (2, 4, 4)
    assert np.shape(found['deletion']['at_random'])[1] == len(
        found['deletion']['by_map']
    )
    picture = cv2.imread(str(folder / 'clip0.png'))
    assert picture.shape[1] > 1000
    with pytest.raises(SystemExit, match=r'clip0\.png exists'):
        tell()
    tell('--overwrite', '--patch', 16)
    again = json.loads((folder / 'clip0.json').read_text())
    assert again['patch'] == 16


def test_the_tool_prints_json_and_nothing_else(tell, tmp_path):
    found = json.loads(tell('--json', '--patch', 8))
    assert found['patch'] == 8
    assert np.shape(found['labels'][0]['map']) == (4, 4, 4)
    assert not (tmp_path / 'work_dirs').exists()


@pytest.mark.parametrize(
    ('args', 'named'),
    [
        (dict(labels=''), '--labels'),
        (dict(labels='walking'), 'walking'),
        (dict(labels='a, A'), 'one text'),
        (dict(given='gone.mp4'), r'gone\.mp4'),
        ('--out film.doc', r'film\.doc'),
        ('--out /dev/null/why.png', '/dev/null'),
        ('--patch 0', 'patch'),
        ('--patch 99', 'patch'),
        ('--batch-size 0', 'batch_size'),
    ],
)
def test_wrong_input_is_one_line(tell, args, named):
    options = args.split() if isinstance(args, str) else ()
    with pytest.raises(SystemExit, match=named) as error:
        tell(*options, **(args if isinstance(args, dict) else {}))
    assert str(error.value).startswith('error: ')
    assert '\n' not in str(error.value)


def test_clips_without_video_are_one_line(tell, tmp_path):
    noise = tmp_path / 'noise.mp4'
    noise.write_bytes(b'no film')
    with pytest.raises(SystemExit, match=r'error: .*noise\.mp4') as error:
        tell(given=noise)
    assert '\n' not in str(error.value)


def test_ctrl_c_is_one_line(tell, monkeypatch, capsys):
    def interrupted(*_):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(SelfAttention, 'weights', interrupted)
    with pytest.raises(SystemExit) as stopped:
        tell()
    assert stopped.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == 'error: stopped'
