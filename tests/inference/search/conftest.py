"""Four films, their index, and the tools that make and search it."""

import shutil
from pathlib import Path

import pytest
import torch
from indexed_films import CUT, write_film

from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.index import build_index
from mmxclip.inference.search import FilmSearch


@pytest.fixture(scope='session')
def drawn(tmp_path_factory) -> Path:
    """Four films of 1 to 5 s in two folders, and a file that is none."""
    folder = tmp_path_factory.mktemp('drawn') / 'films'
    for i, name in enumerate(['a/1.mp4', 'a/2.mp4', 'b/1.mp4', 'b/deep/2.mp4']):
        write_film(folder / name, 8 + 10 * i, seed=i)
    (folder / 'b/bad.mp4').write_bytes(b'no film')
    return folder


@pytest.fixture
def films(drawn, tmp_path) -> Path:
    """A copy of them."""
    return Path(shutil.copytree(drawn, tmp_path / 'films'))


@pytest.fixture
def other(config_file, checkpoint, tmp_path) -> XCLIPInferencer:
    """A model of other weights."""
    weights = torch.load(checkpoint)
    weights['state_dict']['backbone.ln_post.weight'] += 1
    torch.save(weights, tmp_path / 'other.pth')
    return XCLIPInferencer(config_file, tmp_path / 'other.pth', device='cpu')


@pytest.fixture
def made(inferencer, films, tmp_path) -> str:
    """An index of the films."""
    build_index(inferencer, str(films), str(tmp_path / 'index'), **CUT, context=True)
    return str(tmp_path / 'index')


@pytest.fixture
def search(inferencer, made) -> FilmSearch:
    return FilmSearch(inferencer, FilmIndex(made))


@pytest.fixture
def faiss():
    pytest.importorskip('faiss', reason='it is the extra mmxclip[faiss]')


@pytest.fixture
def model(config_file, checkpoint) -> tuple:
    return '--config', config_file, '--checkpoint', checkpoint


@pytest.fixture
def tools(tool, model, films, tmp_path):
    """Run tools/index.py, then tools/search.py with arguments."""
    index = tmp_path / 'index'
    cut = ('--window', 1.5, '--stride', 0.5)

    def run(*args):
        if not index.exists():
            said = tool('index.py', films, '--out', index, *cut, *model)
            assert '4 films' not in said
            assert 'b/bad.mp4' in said
        return tool('search.py', index, *args)

    return run
