"""A tiny model on a page that is really served."""

import importlib.util
import os
import socket
import subprocess
import sys
import time

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from served_page import LIMITS, PATIENCE, SERVER, Page, write_film


@pytest.fixture(scope='session')
def film(tmp_path_factory) -> str:
    """Six seconds."""
    return write_film(tmp_path_factory.mktemp('film') / 'film.mp4', 3)


@pytest.fixture(scope='session')
def model(demo, tmp_path_factory) -> tuple[str, str]:
    """The demo's config, and random weights; on pictures for the docs, trained ones."""
    if trained := os.environ.get('MMXCLIP_SCREENSHOTS_WEIGHTS'):
        return str(demo), trained
    torch.manual_seed(0)
    weights = MODELS.build(Config.fromfile(demo).model).state_dict()
    path = tmp_path_factory.mktemp('model') / 'demo.pth'
    torch.save(dict(state_dict=weights, meta={}), path)
    return str(demo), str(path)


@pytest.fixture(scope='session')
def page(root, model, film, tmp_path_factory):
    """One server for all tests, with small limits."""
    if importlib.util.find_spec('gradio') is None:
        pytest.skip('no Gradio: pip install "mmxclip[web]"')
    here = tmp_path_factory.mktemp('page')
    films = here / 'films'
    films.mkdir()
    write_film(films / 'one.mp4', 2)
    write_film(films / 'two.mp4', 3)
    (here / 'temporary').mkdir()
    (here / 'work').mkdir()
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    args = ['--model', model[0], '--checkpoint', model[1], '--port', port]
    args += ['--films', films, '--index', here / 'index', '--device', 'cpu']
    args += [word for name, n in LIMITS.items() for word in (f'--{name}', n)]
    log = here / 'log'
    with log.open('w') as file:
        process = subprocess.Popen(
            [sys.executable, '-c', SERVER, str(root / 'tools/web.py'), *map(str, args)],
            cwd=here / 'work',
            env=os.environ
            | dict(
                TMPDIR=str(here / 'temporary'),
                PYTHONPATH=str(root),
                PYTHONUNBUFFERED='1',
            ),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + PATIENCE
    while 'Running on' not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)
    url = f'http://127.0.0.1:{port}'
    temporary = here / 'temporary'
    yield Page(url, process, log, temporary, *model, films, here / 'index', film)
    process.terminate()
    process.wait()
