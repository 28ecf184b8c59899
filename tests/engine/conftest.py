"""Weights of the tiny model, and a server and a cache for them."""

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.convert import write_foreign


@pytest.fixture
def weights(tiny_model):
    torch.manual_seed(1)
    return MODELS.build(tiny_model).state_dict()


@pytest.fixture
def clip(tmp_path, weights):
    path = tmp_path / 'clip.pth'
    write_foreign(path, weights, 'openai-clip')
    return path


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
