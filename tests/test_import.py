"""Importing mmxclip registers its parts, repairs the host and does nothing else."""

import ast
import importlib
import io
import re
import sys
from collections import OrderedDict

import mmaction
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.logging import HistoryBuffer

import mmxclip
from mmxclip import _compat

DRN = 'mmaction.models.localizers.drn'

# Prints what the import did beside importing. What it imports of others comes first:
# they change variables of the environment, one of random's states, one runs lscpu.
WATCH = """
import os, random, sys, threading
import cv2, decord, mmaction.datasets, mmaction.evaluation, mmengine.runner
import numpy.testing, torch

def seeds():
    state = torch.get_rng_state().tolist(), random.getstate()
    return state + (numpy.random.get_state()[1].tolist(),)

def watch(event, args):
    if event == 'open':
        path, mode, flags = args
        if isinstance(path, (str, bytes)) and flags & (os.O_WRONLY | os.O_RDWR):
            print('wrote', path)
    elif event in ('socket.connect', 'socket.getaddrinfo', 'subprocess.Popen'):
        print(event, args)

before = seeds(), threading.active_count(), dict(os.environ)
sys.addaudithook(watch)
import mmxclip
after = seeds(), threading.active_count(), dict(os.environ)
for name, old, new in zip(('seeds', 'threads', 'environment'), before, after):
    if old != new:
        print('changed', name)

mmxclip.text.tokenize('its vocabulary is a file of a package that needs torchvision')
for name in ('clip', 'torchvision', 'matplotlib.pyplot'):
    if name in sys.modules:
        print('imported', name)
"""


def test_has_no_side_effect_and_needs_no_torchvision(command):
    assert command(sys.executable, '-c', WATCH, PYTHONDONTWRITEBYTECODE='1') == ''


def test_no_module_imports_the_root(root):
    """It would close a cycle: the root imports all of them."""
    for path in (root / 'mmxclip').glob('*/**/*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert 'mmxclip' not in [alias.name for alias in node.names], path
            elif isinstance(node, ast.ImportFrom):
                assert node.module != 'mmxclip', path


def test_every_folder_of_modules_is_a_package(root):
    for path in (root / 'mmxclip').rglob('*.py'):
        assert (path.parent / '__init__.py').exists(), path


@pytest.mark.parametrize('version', ['1.1.0', '1.3.0'])
def test_other_host_version(monkeypatch, version):
    monkeypatch.setattr(mmaction, '__version__', version)
    message = rf'mmaction .*1\.2\.0.*{re.escape(version)}'
    with pytest.raises(ImportError, match=message):
        mmxclip._check_host_versions()


def test_torch_that_runs_pickles_by_default(monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.5.1+cpu')
    with pytest.raises(ImportError, match=r'torch .*2\.6.*2\.5\.1'):
        mmxclip._check_host_versions()


def test_missing_host(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmcv', None)
    with pytest.raises(ImportError, match='mmcv-lite'):
        mmxclip._check_host_versions()


def test_using_the_missing_drn_says_what_to_install():
    with pytest.raises(ImportError, match='issues/2714'):
        MODELS.build(dict(type='DRN'))


@pytest.fixture
def real_drn(monkeypatch, tmp_path):
    """Put a real ``drn`` beside the host's localizers; returns its import."""
    (tmp_path / 'drn').mkdir()
    (tmp_path / 'drn/__init__.py').touch()
    localizers = importlib.import_module('mmaction.models.localizers')
    monkeypatch.setattr(localizers, '__path__', [str(tmp_path)])

    def write(code):
        (tmp_path / 'drn/drn.py').write_text(code)
        for name in (DRN, f'{DRN}.drn'):
            monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(f'{DRN}.drn').DRN

    return write


def test_real_drn_wins(real_drn):
    assert real_drn('DRN = "real"') == 'real'


@pytest.mark.parametrize(
    'needs',
    ['import no_torchvision', 'raise RuntimeError("operator no_torchvision::nms")'],
)
def test_real_drn_without_torchvision_fails_only_when_it_is_used(real_drn, needs):
    drn = real_drn(f'{needs}\nDRN = "real"')
    with pytest.raises(ImportError, match=r'no_torchvision.*torchvision'):
        drn()


def test_drn_is_the_only_module_supplied():
    finder = _compat.MissingDRNFinder()
    assert finder.find_spec('mmaction.models.localizers.nothing') is None
    _compat.supply_missing_drn()
    assert sum(isinstance(f, _compat.MissingDRNFinder) for f in sys.meta_path) == 1


def save(content):
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    return file


def test_mmengine_checkpoints_load_restricted():
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    loaded = torch.load(save(dict(loss=history)), weights_only=True)['loss']
    assert loaded.mean() == 1.5
    assert loaded.statistics('max') == 2


class Getattr:
    """Pickles as ``getattr(OrderedDict, 'fromkeys')``, of a type that torch allows."""

    def __reduce__(self):
        return getattr, (OrderedDict, 'fromkeys')


def test_getattr_of_other_types_stays_forbidden():
    with pytest.raises(Exception, match=r'getattr|fromkeys'):
        torch.load(save(Getattr()), weights_only=True)
