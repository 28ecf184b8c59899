"""Run the tools of tools/data as a user does."""

import runpy
import shutil
import sys
from typing import NamedTuple

import pytest
from two_classes import CONFIG

from mmxclip.datasets.lists import Entry, write_list


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(root, monkeypatch, capsys):
    """Run a tool as `python TOOL ARGS` does, without a new interpreter."""

    def run(tool, *args):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(root / 'tools' / 'data' / tool), run_name='__main__')
        out, err = capsys.readouterr()
        if isinstance(end.value.code, str):  # what the interpreter would print
            return Done(1, out, err + end.value.code)
        return Done(end.value.code or 0, out, err)

    return run


@pytest.fixture
def data(tmp_path, shared):
    """A sound data set of two classes with real clips, and its config."""
    source = shared / 'videos' / 'single'
    clips = ['yoga.mp4', 'tai_chi.mp4', 'apply_eye_makeup.avi', 'playing_guitar.mp4']
    for i, clip in enumerate(clips):
        folder = tmp_path / 'videos' / ('sport' if i < 2 else 'else')
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / clip, folder)
    write_list(
        tmp_path / 'lists/train.txt',
        [Entry('sport/yoga.mp4', 0), Entry('else/apply_eye_makeup.avi', 1)],
    )
    write_list(
        tmp_path / 'lists/val.txt',
        [Entry('sport/tai_chi.mp4', 0), Entry('else/playing_guitar.mp4', 1)],
    )
    config = CONFIG.format(classes=['sport', 'else'], root=str(tmp_path))
    (tmp_path / 'config.py').write_text(config)
    return tmp_path
