"""The table of what is learned and forgotten: two steps of each row."""

import json
import math

import pytest
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.checkpoints.save import write

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings('ignore')]

SMALL = """
_base_ = '{base}'
seeds = [0]
budget = dict(
    train_dataloader=dict(batch_size=2),
    test_dataloader=dict(batch_size=8),
    train_cfg=dict(max_epochs=1),
)
"""


@pytest.fixture
def small(root, tmp_path, tool, monkeypatch):
    """A benchmark of two base and two novel classes, with random weights to start."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').symlink_to(root / 'configs')
    data = tmp_path / 'data/shape_compositions'
    options = ['--labels', 'composition', '--held-out', 0.9, '--workers', 1]
    options += ['--train', 8, '--val', 8]
    tool('data/make_shape_actions.py', '--out', data, *options)
    lines = (data / 'val.txt').read_text().splitlines()
    paths = {int(label): path for path, label in map(str.split, lines)}
    classes = (data / 'classes.txt').read_text().splitlines()
    base, novel = sorted(paths)[:2], sorted(paths)[2:4]
    lists = data / 'base2novel'
    lists.mkdir()
    for name, labels in (('base', base), ('novel', novel)):
        names = '\n'.join(classes[label] for label in labels)
        (lists / f'{name}_classes.txt').write_text(names)
    for name, labels in (
        ('fs_base_s1_train', 2 * base),
        ('base_val', base),
        ('novel_val', novel),
        ('unknown_val', base + novel),
    ):
        of = base + novel if name == 'unknown_val' else list(dict.fromkeys(labels))
        rows = [f'{paths[label]} {of.index(label)}' for label in labels]
        (lists / f'{name}.txt').write_text('\n'.join(rows))
    benchmark = root / 'configs/benchmarks/benchmark_base-to-novel.py'
    cfg = Config.fromfile(Config.fromfile(benchmark).methods[0].config)
    start = tmp_path / 'work_dirs/start/epoch_10.pth'
    start.parent.mkdir(parents=True)
    write(start, MODELS.build(cfg.model).state_dict())
    (tmp_path / 'small.py').write_text(SMALL.format(base=benchmark))
    return tmp_path


def test_every_row_starts_from_one_model_and_is_measured(small, tool):
    printed = tool('benchmark_methods.py', 'small.py', '--out', 'out')
    assert 'FAILED' not in printed
    table = json.loads((small / 'out/small.json').read_text())
    runs = {name: run for name, (run,) in table.items()}
    cfg = Config.fromfile(small / 'small.py')
    assert list(runs) == [method.name for method in cfg.methods]
    for run in runs.values():
        assert all(math.isfinite(run[key]) for key, _, _ in cfg.columns.values())
        assert run['step_seconds'] > 0
    trained = {name: run['trained'] for name, run in runs.items()}
    few = ('LoRA', 'AIM', 'ST-Adapter', 'prompts of vision and language')
    for name in (*few, 'low-rank messages'):
        assert trained['towers rest'] < trained[name] < trained['all but new rests']
    assert trained["X-CLIP's recipe"] < trained['all learns, with one rate']
    header = (small / 'out/small.md').read_text().splitlines()[0]
    assert [cell.strip() for cell in header.split('|')[3:-1]] == list(cfg.columns)
