"""Initialisation by name: downloads, caches, checks, and explains failures."""

import copy
import hashlib
import resource
import threading
from concurrent.futures import ProcessPoolExecutor
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import CheckpointLoader

from mmxclip.convert import (
    ConversionError,
    UnsafeCheckpointError,
    write_foreign,
)
from mmxclip.engine import clip_pretrained
from mmxclip.engine.clip_pretrained import CLIP_MODELS, CLIPPretrained
from mmxclip.engine.download import DownloadError, download


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


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_part_takes_its_share(tiny_model, weights, clip):
    config = copy.deepcopy(tiny_model)
    init = dict(type='CLIPPretrained', checkpoint=str(clip))
    config['backbone']['init_cfg'] = init
    config['cls_head']['init_cfg'] = init
    torch.manual_seed(2)
    model = MODELS.build(config)
    before = copy.deepcopy(model.state_dict())
    model.init_weights()
    for name, tensor in model.state_dict().items():
        new = 'message_' in name or name.startswith(('neck', 'cls_head.prompt'))
        assert torch.equal(tensor, (before if new else weights)[name]), name


def test_text_tower_alone(tiny_model, weights, clip):
    config = dict(tiny_model['cls_head']['text_encoder'])
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    tower = MODELS.build(config)
    tower.init_weights()
    for name, tensor in tower.state_dict().items():
        assert torch.equal(tensor, weights[f'cls_head.text_encoder.{name}']), name


def test_other_image_size(tiny_model, clip):
    config = dict(tiny_model['backbone'], img_size=48)
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    backbone = MODELS.build(config)
    backbone.init_weights()
    assert backbone.positional_embedding.shape == (10, 32)


def test_part_without_a_share_is_refused(tiny_model, clip):
    config = dict(tiny_model['neck'])
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    with pytest.raises(ConversionError, match=r'OpenAI CLIP\) has nothing for MIT'):
        MODELS.build(config).init_weights()


def test_wrong_arch_is_refused(tiny_model, clip):
    config = copy.deepcopy(tiny_model['backbone'])
    config['arch']['depth'] = 4
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint=str(clip))
    with pytest.raises(ConversionError, match=r'2 layers in resblocks, the model 4'):
        MODELS.build(config).init_weights()


def test_names_are_those_of_openai():
    assert WEIGHT_INITIALIZERS.get('CLIPPretrained') is CLIPPretrained
    assert list(CLIP_MODELS) == ['ViT-B/32', 'ViT-B/16', 'ViT-L/14', 'ViT-L/14@336px']
    with pytest.raises(ValueError, match="'ViT-H/14' is neither a file nor one of"):
        clip_pretrained.find_checkpoint('ViT-H/14')
    with pytest.raises(FileNotFoundError, match=r'no checkpoint clip\.pt'):
        clip_pretrained.find_checkpoint('clip.pt')


def test_name_downloads_once_and_is_checked(
    tiny_model, clip, cache, server, monkeypatch
):
    monkeypatch.setattr(clip_pretrained, '_SERVER', server.url)
    digest = sha256(clip)
    (clip.parent / digest).mkdir()
    clip.rename(clip.parent / digest / 'tiny.pt')
    monkeypatch.setitem(CLIP_MODELS, 'ViT-B/32', (digest, 'tiny.pt'))
    config = dict(tiny_model['backbone'])
    config['init_cfg'] = dict(type='CLIPPretrained', checkpoint='ViT-B/32')
    for _ in range(2):
        MODELS.build(config).init_weights()
    assert server.requests == [f'/{digest}/tiny.pt']
    (cache / 'tiny.pt').write_bytes(b'broken')  # by a crash, long ago
    MODELS.build(config).init_weights()
    assert len(server.requests) == 2
    assert sha256(cache / 'tiny.pt') == digest


def test_progress_is_shown(clip, cache, server, capsys):
    download(f'{server.url}/clip.pth')
    assert '100%' in capsys.readouterr().err


def test_processes_that_start_together_download_once(clip, cache, server):
    url, digest = f'{server.url}/clip.pth', sha256(clip)
    # forked: each holds the lock on its own, as ranks do
    with ProcessPoolExecutor(2, mp_context=get_context('fork')) as pool:
        jobs = [pool.submit(download, url, digest) for _ in range(4)]
        assert {job.result() for job in jobs} == {cache / 'clip.pth'}
    assert server.requests == ['/clip.pth']


BY_HAND = r'curl -L -o (clip.*\.pth) http.*mkdir -p .*checkpoints && mv \1'


def test_what_is_there_needs_no_right_to_write(clip, cache, server):
    url, digest = f'{server.url}/clip.pth', sha256(clip)
    path = download(url, digest)
    locks = list(cache.glob('*.lock'))
    for lock in locks:
        lock.unlink()
    assert download(url, digest) == path
    assert not list(cache.glob('*.lock')), 'a cache that may only be read refuses it'


@pytest.mark.usefixtures('clip')
@pytest.mark.parametrize(
    ('path', 'digest', 'reason'),
    [
        ('/cut/clip.pth', None, 'is truncated'),
        ('/cut/clip.pth', '0' * 64, 'invalid hash value'),
        ('/clip.pth', '0' * 64, 'invalid hash value'),
        ('/nothing/clip.pth', None, '404'),
    ],
)
def test_bad_download_leaves_nothing_and_says_how(cache, server, path, digest, reason):
    with pytest.raises(DownloadError, match=f'(?s){reason}.*{BY_HAND}'):
        download(server.url + path, digest)
    assert [path.suffix for path in cache.iterdir()] == ['.lock']


def test_files_of_one_name_are_kept_apart(tmp_path, clip, cache, server):
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'clip.pth').write_bytes(clip.read_bytes() + b' ')
    paths = {download(f'{server.url}{path}/clip.pth') for path in ('', '/other')}
    assert len({path.stat().st_size for path in paths}) == 2
    assert {path.parent for path in paths} == {cache}


@pytest.mark.usefixtures('cache')
def test_load_from_takes_a_url(tmp_path, weights, server):
    write_foreign(tmp_path / 'k400.pth', weights, 'official')
    loaded = CheckpointLoader.load_checkpoint(f'{server.url}/k400.pth', 'cpu')
    assert loaded['state_dict'].keys() == weights.keys()


@pytest.mark.usefixtures('cache')
def test_address_without_a_file_name(tmp_path, clip, server):
    (tmp_path / 'index.html').write_bytes(clip.read_bytes())
    for address in ('', '/', '/?id=1'):
        assert download(server.url + address).name.startswith('checkpoint-')


class Program:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_load_from_runs_no_program_behind_a_url(tmp_path, cache, server):
    mark = tmp_path / 'executed'
    torch.save({'state_dict': {}, 'args': Program(mark)}, tmp_path / 'evil.pth')
    with pytest.raises(UnsafeCheckpointError, match='asks for more than weights'):
        CheckpointLoader.load_checkpoint(f'{server.url}/evil.pth', 'cpu')
    assert not mark.exists()


def test_load_from_keeps_no_web_page(tmp_path, cache, server):
    (tmp_path / 'k400.pth').write_text('<html>Please log in')
    with pytest.raises(DownloadError, match='is a web page'):
        CheckpointLoader.load_checkpoint(f'{server.url}/k400.pth', 'cpu')
    assert [path.suffix for path in cache.iterdir()] == ['.lock']


@pytest.mark.usefixtures('cache', 'clip')
def test_load_from_heeds_the_offline_switch(server, monkeypatch):
    monkeypatch.setenv('MMXCLIP_OFFLINE', '1')
    with pytest.raises(DownloadError, match='MMXCLIP_OFFLINE is set'):
        CheckpointLoader.load_checkpoint(f'{server.url}/clip.pth', 'cpu')
    assert server.requests == []


@pytest.mark.usefixtures('cache')
def test_load_from_takes_safetensors_behind_a_url(tmp_path, weights, server):
    write_foreign(tmp_path / 'hf', weights, 'huggingface')
    url = f'{server.url}/hf/model.safetensors'
    loaded = CheckpointLoader.load_checkpoint(url, 'cpu')
    assert loaded['state_dict'].keys() == weights.keys()


def test_login_page_is_no_checkpoint(tmp_path, cache, server):
    (tmp_path / 'clip.pth').write_text('<html>Please log in')
    with pytest.raises(DownloadError, match='is a web page'):
        download(f'{server.url}/clip.pth')


def test_no_network(cache):
    with pytest.raises(DownloadError, match=f'(?s)could not get.*{BY_HAND}'):
        download('http://127.0.0.1:9/clip.pth')


def test_offline_switch(clip, cache, server, monkeypatch):
    monkeypatch.setenv('MMXCLIP_OFFLINE', '1')
    with pytest.raises(DownloadError, match=f'(?s)MMXCLIP_OFFLINE is set.*{BY_HAND}'):
        download(f'{server.url}/clip.pth')
    assert server.requests == []
    cache.joinpath('clip.pth').write_bytes(clip.read_bytes())  # fetched by hand
    assert download(f'{server.url}/clip.pth', sha256(clip)) == cache / 'clip.pth'


def test_full_disk(clip, cache, server):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(DownloadError, match=r'(?s)too large.*TORCH_HOME'):
            download(f'{server.url}/clip.pth')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.suffix for path in cache.iterdir()] == ['.lock']
