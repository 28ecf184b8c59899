"""Files of the Hugging Face Hub, by its own client, from a server that speaks so."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from huggingface_hub import constants
from mmengine.logging import MMLogger
from mmengine.runner.checkpoint import CheckpointLoader

from mmxclip.checkpoints.save import write
from mmxclip.checkpoints.zoo import HUB, DownloadError, OfflineError, find

pytestmark = pytest.mark.slow

REPO = 'microsoft/xclip-tiny'
URL = f'{HUB}{REPO}/resolve/main/pytorch_model.bin'
FILE = f'{REPO}/pytorch_model.bin'
DATA = os.urandom(400_000)


@pytest.fixture
def hub(hub):
    hub.files[FILE] = DATA
    return hub


def left_over(cache):
    """Files of the cache that are neither locks nor its own marks."""
    files = (path for path in Path(cache).rglob('*') if path.is_file())
    return [
        path
        for path in files
        if path.suffix not in ('.lock', '.TAG')
        and not {'refs', '.no_exist'} & set(path.parts)
    ]


def test_a_file_is_fetched_once_and_then_not_even_asked_for(hub, capsys):
    MMLogger.get_instance('hub', logger_name='mmengine')
    path = find(URL)
    assert path.read_bytes() == DATA
    assert hub.downloads == [(FILE, None)]
    assert '0.4 MB' in ''.join(capsys.readouterr()), 'the size, before'
    hub.requests.clear()
    assert find(URL) == find(f'mmxclip://{URL}') == path
    assert hub.requests == []


def test_what_another_program_fetched_is_taken(hub):
    hub.files[f'{REPO}/model.safetensors'] = b'the same'
    other = find(URL.replace('pytorch_model.bin', 'model.safetensors'))
    assert find(URL) == other
    assert len(hub.downloads) == 1


def test_a_cut_connection_goes_on_where_it_was_cut(hub, monkeypatch):
    monkeypatch.setattr(constants, 'DOWNLOAD_CHUNK_SIZE', 1000)
    hub.cuts = 1
    assert find(URL).read_bytes() == DATA
    (_, first), (_, second) = hub.downloads
    assert first is None
    assert second == f'bytes={len(DATA) // 2}-'


def test_a_wrong_checksum_leaves_nothing(hub):
    hub.checksum = 'a' * 64
    with pytest.raises(DownloadError, match=rf'{REPO}.*checksum') as error:
        find(URL)
    assert not isinstance(error.value, OfflineError), 'another model would answer'
    assert not left_over(constants.HF_HUB_CACHE)
    hub.checksum = None
    assert find(URL).read_bytes() == DATA


def test_a_file_that_changed_in_the_cache_is_fetched_again(hub):
    find(URL).write_bytes(b'broken by a crash')
    assert find(URL).read_bytes() == DATA
    assert len(hub.downloads) == 2


@pytest.mark.parametrize('url', [URL + '.gone', URL.replace('tiny', 'huge')])
def test_what_the_hub_has_not_is_named(hub, url):
    with pytest.raises(DownloadError, match=r'xclip-.*404.*--checkpoint') as error:
        find(url)
    assert not isinstance(error.value, OfflineError)
    assert len(str(error.value).splitlines()) == 1
    assert not left_over(constants.HF_HUB_CACHE)


def test_processes_that_start_together_download_once(hub):
    with ProcessPoolExecutor(2, mp_context=get_context('fork')) as pool:
        paths = {job.result() for job in [pool.submit(find, URL) for _ in range(4)]}
    (path,) = paths
    assert path.read_bytes() == DATA
    assert len(hub.downloads) == 1


@pytest.mark.filterwarnings('ignore:Not enough free disk space')
def test_a_full_disk_is_called_one(hub, tiny_disk, monkeypatch):
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tiny_disk / 'hub'))
    with pytest.raises(DownloadError, match=r'No space left.*HF_HOME'):
        find(URL)
    assert not left_over(tiny_disk)


def test_without_a_network(hub, monkeypatch):
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    with pytest.raises(OfflineError, match=f'hf download {REPO} pytorch_model.bin'):
        find(URL)
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', False)
    path = find(URL)
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    assert find(URL) == path


def test_a_server_that_is_down(hub, monkeypatch):
    closed = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(
        hub.url, 'http://127.0.0.1:9'
    )
    monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE', closed)
    with pytest.raises(OfflineError, match=REPO):
        find(URL)


def test_mmengine_reads_the_released_models_by_their_addresses(hub, tmp_path, weights):
    write(tmp_path / 'hf', weights, 'huggingface')
    hub.files[FILE] = (tmp_path / 'hf/model.safetensors').read_bytes()
    loaded = CheckpointLoader.load_checkpoint(URL, 'cpu')
    assert loaded['state_dict'].keys() == weights.keys()
