"""The exported folder and the full installation are measured on the same answer."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config


@pytest.mark.slow
def test_both_answer_and_are_compared(demo, shapes, tool, tmp_path, monkeypatch):
    pytest.importorskip('onnxscript', reason='it is the extra mmxclip[onnx]')
    pytest.importorskip('onnxruntime', reason='it is the extra mmxclip[onnx]')
    cfg = Config.fromfile(demo)
    cfg.model.backbone.arch.depth = cfg.model.cls_head.text_encoder.arch.depth = 1
    weights, folder = tmp_path / 'weights.pth', tmp_path / 'exported'
    state_dict = MODELS.build(cfg.model).state_dict()
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=state_dict), weights)
    tool('export_onnx.py', weights, '--out', folder)
    said = tool(
        *('benchmark_export.py', weights, folder, shapes / 'val/0.mp4'),
        *('--labels', 'growing, shrinking', '--repeats', 1),
    )
    rows = re.findall(
        r'^\| (.+) \| ([\d.]+) \w+ \| ([\d.]+) \w+ \|', said, re.MULTILINE
    )
    numbers = {name: (float(full), float(alone)) for name, full, alone in rows}
    assert len(numbers) == 4
    assert numbers['packages'][0] > numbers['packages'][1] > 1
    assert float(said.split()[-1]) < 1e-3
