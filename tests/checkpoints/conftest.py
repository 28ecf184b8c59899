"""Weights of a tiny model in every layout, a server and a cache for them."""

import logging
import sys
import threading
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from runpy import run_path

import pytest
import torch
from mmaction.registry import MODELS
from odd_model import ODD, random_weights

from mmxclip.checkpoints.save import export, write


@pytest.fixture
def odd() -> dict:
    """Weights of the odd model under our names."""
    return random_weights(ODD)


@pytest.fixture
def official(odd) -> dict:
    """The same under the official names."""
    return export(odd, 'official')[0]


@pytest.fixture
def timm() -> dict:
    """An ImageNet ViT under timm's names."""
    dims, state = 64, {}
    for n in range(2):
        block = {
            'norm1.weight': (dims,),
            'norm1.bias': (dims,),
            'attn.qkv.weight': (3 * dims, dims),
            'attn.qkv.bias': (3 * dims,),
            'attn.proj.weight': (dims, dims),
            'attn.proj.bias': (dims,),
            'norm2.weight': (dims,),
            'norm2.bias': (dims,),
            'mlp.fc1.weight': (4 * dims, dims),
            'mlp.fc1.bias': (4 * dims,),
            'mlp.fc2.weight': (dims, 4 * dims),
            'mlp.fc2.bias': (dims,),
        }
        state |= {f'blocks.{n}.{name}': shape for name, shape in block.items()}
    state |= {
        'cls_token': (1, 1, dims),
        'pos_embed': (1, 5, dims),
        'patch_embed.proj.weight': (dims, 3, 16, 16),
        'patch_embed.proj.bias': (dims,),
        'norm.weight': (dims,),
        'norm.bias': (dims,),
        'head.weight': (1000, dims),
        'head.bias': (1000,),
    }
    return {name: torch.randn(shape) for name, shape in state.items()}


@pytest.fixture
def mmpretrain(timm) -> dict:
    """The same ViT under MMPretrain's names."""
    names = {
        'cls_token': 'backbone.cls_token',
        'pos_embed': 'backbone.pos_embed',
        'patch_embed.proj.': 'backbone.patch_embed.projection.',
        'blocks.': 'backbone.layers.',
        'norm1': 'ln1',
        'norm2': 'ln2',
        'mlp.fc1': 'ffn.layers.0.0',
        'mlp.fc2': 'ffn.layers.1',
        'head.': 'head.layers.head.',
    }
    renamed = {}
    for name, tensor in timm.items():
        new = name if not name.startswith('norm.') else f'backbone.ln1.{name[5:]}'
        for old, other in names.items():
            new = new.replace(old, other)
        renamed[new] = tensor
    return renamed


@pytest.fixture
def weights(tiny_model) -> dict:
    """Weights of the suite's tiny model, which can be run."""
    torch.manual_seed(1)
    return MODELS.build(tiny_model).state_dict()


@pytest.fixture
def clip(tmp_path, weights):
    """File with the CLIP part of these."""
    path = tmp_path / 'clip.pth'
    write(path, weights, 'openai-clip')
    return path


@pytest.fixture
def run_tool(root, monkeypatch, capsys) -> Callable[..., str]:
    """Run a file of tools/ as its command line would; returns what it printed."""

    def run(tool: str, *args: object) -> str:
        command = [str(root / 'tools' / tool), *map(str, args)]
        monkeypatch.setattr(sys, 'argv', command)
        run_path(command[0], run_name='__main__')
        return capsys.readouterr().out

    return run


@pytest.fixture
def closed_logs():
    """Close the files of MMEngine's loggers after a test."""
    yield
    logging.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    return tmp_path / 'torch' / 'hub' / 'checkpoints'


@pytest.fixture
def server(tmp_path):
    """Serves tmp_path; `server.requests` are the paths that were asked for."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def do_GET(self):
            httpd.requests.append(self.path)
            if self.path.startswith('/cut/'):
                self.path = self.path.removeprefix('/cut')
                data = (tmp_path / self.path[1:]).read_bytes()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    httpd.requests = []
    httpd.url = f'http://127.0.0.1:{httpd.server_port}'
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()
