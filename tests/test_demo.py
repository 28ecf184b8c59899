"""The demo, small: the same commands on few videos, one epoch."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from mmengine.config import Config

from mmxclip.datasets.shape_actions import MOTIONS
from mmxclip.inference.named_models import DEMO

NAME = 'xclip_tiny-p8-res32_1xb16-u8-6e_shape-actions-rgb'


def test_the_config_and_the_tool_name_the_classes_alike(root):
    cfg = Config.fromfile(root / f'configs/xclip/demo/{NAME}.py')
    assert cfg.model.cls_head.classes == list(MOTIONS)


def test_every_file_names_the_same_config(root):
    assert NAME in (root / 'tools/demo.sh').read_text()
    assert NAME == DEMO


def test_readme_names_things_that_exist(root):
    text = (root / 'README.md').read_text()
    paths = re.findall(r'\]\((?!http)([^)]+)\)', text)  # links
    paths += re.findall(r'(?:python |^)(tools/\w+\.\w+)', text, re.MULTILINE)
    paths += re.findall(r'configs/\S+\.py', text)
    assert len(paths) > 10
    for path in paths:
        assert (root / path).exists(), path


@pytest.mark.slow
def test_demo_trains_tests_and_predicts(root, tool, tmp_path):
    data, work = tmp_path / 'data', tmp_path / 'work'
    options = ['--train', '32', '--val', '8', '--workers', '1']
    tool('data/make_shape_actions.py', '--out', data, *options)

    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    settings = dict(DATA=str(data), WORK=str(work), EPOCHS='1', PATH=path)
    done = subprocess.run(
        [root / 'tools/demo.sh'],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ending = dict(
        line.split(None, 1) for line in done.stdout.rsplit('===', 1)[1].splitlines()[1:]
    )
    assert list(ending) == ['accuracy', 'checkpoint', 'log', 'picture']
    assert ending['accuracy'].startswith('acc/top1: ')
    assert ending['checkpoint'] == str(work / 'epoch_1.pth')
    assert Path(ending['checkpoint']).is_file()
    assert 'Epoch(train)' in Path(ending['log']).read_text()
    assert cv2.imread(ending['picture']).shape[1] > 500
