"""Commands, run in this process."""

import runpy
import sys

import pytest


@pytest.fixture
def tool(root, tmp_path, monkeypatch):
    """Run `python tools/NAME ARGS` in ``tmp_path``, without a new interpreter."""
    monkeypatch.chdir(tmp_path)

    def run(name, *args):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, args)])
        runpy.run_path(str(root / 'tools' / name), run_name='__main__')

    return run
