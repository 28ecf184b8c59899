"""Run the tools of tools/data as a user does."""

import runpy
import sys
from typing import NamedTuple

import pytest


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
