"""Downloads: once, checked, into the cache, with advice where they fail."""

import hashlib
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import torch
from crafted_files import Program
from huggingface_hub import constants
from mmengine.runner.checkpoint import CheckpointLoader

from mmxclip.checkpoints.formats import UnsafeCheckpointError
from mmxclip.checkpoints.save import write
from mmxclip.checkpoints.zoo import DownloadError, download


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_progress_is_shown(clip, cache, server, capsys):
    download(f'{server.url}/clip.pth')
    assert '100%' in capsys.readouterr().err


def test_processes_that_start_together_download_once(clip, cache, server):
    url, digest = f'{server.url}/clip.pth', sha256(clip)
    # forked: each holds the lock on its own, as ranks do
    with ProcessPoolExecutor(2, mp_context=get_context('fork')) as pool:
        jobs = [pool.submit(download, url, digest) for _ in range(4)]
        assert {job.result() for job in jobs} == {cache / f'clip-{digest[:8]}.pth'}
    assert server.requests == ['/clip.pth']


BY_HAND = r'curl -L -o clip.*\.pth http.*/checkpoints'


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
        ('/cut/clip.pth', None, 'is damaged or truncated'),
        ('/cut/clip.pth', '0' * 64, 'invalid hash value'),
        ('/clip.pth', '0' * 64, 'invalid hash value'),
        ('/nothing/clip.pth', None, '404'),
    ],
)
def test_bad_download_leaves_nothing_and_says_how(cache, server, path, digest, reason):
    with pytest.raises(DownloadError, match=f'{reason}.*{BY_HAND}'):
        download(server.url + path, digest)
    assert [path.suffix for path in cache.iterdir()] == ['.lock']


def test_files_of_one_name_are_kept_apart(tmp_path, clip, cache, server):
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'clip.pth').write_bytes(clip.read_bytes() + b' ')
    paths = {download(f'{server.url}{path}/clip.pth') for path in ('', '/other')}
    assert len({path.stat().st_size for path in paths}) == 2
    assert {path.parent for path in paths} == {cache}


def test_a_checksum_keeps_files_of_one_name_apart(tmp_path, clip, cache, server):
    (tmp_path / 'other').mkdir()
    other = tmp_path / 'other' / 'clip.pth'
    other.write_bytes(clip.read_bytes() + b' ')
    for _ in range(2):
        paths = {
            download(f'{server.url}/clip.pth', sha256(clip)),
            download(f'{server.url}/other/clip.pth', sha256(other)),
        }
        assert {sha256(path) for path in paths} == {sha256(clip), sha256(other)}
    assert server.requests == ['/clip.pth', '/other/clip.pth']


@pytest.mark.usefixtures('cache')
def test_a_scheme_takes_a_url(tmp_path, weights, server):
    write(tmp_path / 'k400.pth', weights, 'official')
    loaded = CheckpointLoader.load_checkpoint(f'mmxclip://{server.url}/k400.pth', 'cpu')
    assert loaded['state_dict'].keys() == weights.keys()


@pytest.mark.usefixtures('cache')
def test_address_without_a_file_name(tmp_path, clip, server):
    (tmp_path / 'index.html').write_bytes(clip.read_bytes())
    for address in ('', '/', '/?id=1'):
        assert download(server.url + address).name.startswith('checkpoint-')


def test_a_scheme_runs_no_program_behind_a_url(tmp_path, cache, server):
    mark = tmp_path / 'executed'
    torch.save({'state_dict': {}, 'args': Program(mark)}, tmp_path / 'evil.pth')
    with pytest.raises(UnsafeCheckpointError, match='asks for more than weights'):
        CheckpointLoader.load_checkpoint(f'mmxclip://{server.url}/evil.pth', 'cpu')
    assert not mark.exists()


def test_a_scheme_keeps_no_web_page(tmp_path, cache, server):
    (tmp_path / 'k400.pth').write_text('<html>Please log in')
    with pytest.raises(DownloadError, match='is a web page'):
        CheckpointLoader.load_checkpoint(f'mmxclip://{server.url}/k400.pth', 'cpu')
    assert [path.suffix for path in cache.iterdir()] == ['.lock']


@pytest.mark.usefixtures('cache', 'clip')
def test_a_scheme_heeds_the_offline_switch(server, monkeypatch):
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    with pytest.raises(DownloadError, match='HF_HUB_OFFLINE is set'):
        CheckpointLoader.load_checkpoint(f'mmxclip://{server.url}/clip.pth', 'cpu')
    assert server.requests == []


@pytest.mark.usefixtures('cache')
def test_a_scheme_takes_safetensors_behind_a_url(tmp_path, weights, server):
    write(tmp_path / 'hf', weights, 'huggingface')
    url = f'mmxclip://{server.url}/hf/model.safetensors'
    loaded = CheckpointLoader.load_checkpoint(url, 'cpu')
    assert loaded['state_dict'].keys() == weights.keys()


def test_login_page_is_no_checkpoint(tmp_path, cache, server):
    (tmp_path / 'clip.pth').write_text('<html>Please log in')
    with pytest.raises(DownloadError, match='is a web page'):
        download(f'{server.url}/clip.pth')


def test_no_network(cache):
    with pytest.raises(DownloadError, match=f'could not get.*{BY_HAND}'):
        download('http://127.0.0.1:9/clip.pth')


def test_offline_switch(clip, cache, server, monkeypatch):
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    with pytest.raises(DownloadError, match=f'HF_HUB_OFFLINE is set.*{BY_HAND}'):
        download(f'{server.url}/clip.pth')
    assert server.requests == []
    path = cache / f'clip-{sha256(clip)[:8]}.pth'
    path.write_bytes(clip.read_bytes())  # fetched by hand
    assert download(f'{server.url}/clip.pth', sha256(clip)) == path


def test_full_disk(clip, cache, server):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(DownloadError, match=r'too large.*TORCH_HOME'):
            download(f'{server.url}/clip.pth')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.suffix for path in cache.iterdir()] == ['.lock']
