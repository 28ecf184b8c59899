"""A tiny model on a page that is really served."""

import importlib.util
import os

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from served_page import LIMITS, USER, Page, started, write_film


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
    """One server for all tests, with small limits and a password."""
    if importlib.util.find_spec('gradio') is None:
        pytest.skip('no Gradio: pip install "mmxclip[web]"')
    here = tmp_path_factory.mktemp('page')
    films = here / 'films'
    films.mkdir()
    write_film(films / 'one.mp4', 2)
    write_film(films / 'two.mp4', 3)
    users = here / 'users.txt'
    users.write_text(':'.join(USER))
    args = ['--model', model[0], '--checkpoint', model[1], '--device', 'cpu']
    args += ['--films', films, '--index', here / 'index', '--auth', users]
    args += [word for name, n in LIMITS.items() for word in (f'--{name}', n)]
    with started(root, 'tools/web.py', args, here) as (port, log, temporary):
        url = f'http://127.0.0.1:{port}'
        yield Page(url, log, temporary, *model, films, here / 'index', film)
