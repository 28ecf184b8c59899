"""The comparison: fitting a config to a budget, running, going on, reporting."""

import csv
import json
import re

import pytest
from mmengine.config import Config

from mmxclip.benchmarks.methods import fit_to_budget
from mmxclip.benchmarks.report import markdown, write_report

pytestmark = pytest.mark.filterwarnings('ignore')

CHILD = """
_base_ = '{base}'
seeds = [0]
budget = dict(
    train_dataloader=dict(batch_size=4),
    train_cfg=dict(max_epochs=1),
    param_scheduler=None,
)
methods = _base_.methods[1:2]
"""


RUN = dict(
    params=2e6,
    trained=1e6,
    gmacs_video=0.5,
    gmacs_head=0.25,
    train_clips_per_s=10,
    test_clips_per_s=20,
    memory_mb=30,
    seconds=40,
)


@pytest.fixture
def benchmark(root):
    return root / 'configs/benchmarks/benchmark_shape-actions.py'


@pytest.mark.slow
def test_the_page_s_slowfast_joins_and_runs_go_on(
    root, benchmark, shapes, tmp_path, tool
):
    page = (root / 'docs/howto/comparisons.md').read_text()
    _, slowfast = re.findall(r'```python\n(.*?)```', page, re.DOTALL)
    (tmp_path / 'my_slowfast.py').write_text(slowfast)
    (tmp_path / 'small.py').write_text(CHILD.format(base=benchmark))
    (tmp_path / 'configs').symlink_to(root / 'configs')
    call = ['benchmark_methods.py', 'small.py', '--data-root', shapes]
    call += ['--out', 'out', '--work-dir', 'work']
    assert '1/1 CLIP-Mean, seed 0' in tool(*call)
    said = tool(*call, '--add', 'my_slowfast.py')
    assert '1/1 my_slowfast, seed 0' in said
    assert 'CLIP-Mean, seed' not in said  # it has its result
    assert {path.suffix for path in (tmp_path / 'out').iterdir()} == {
        '.md',
        '.csv',
        '.json',
        '.png',
    }
    table = json.loads((tmp_path / 'out/small.json').read_text())
    assert table['CLIP-Mean'] == [
        json.loads((tmp_path / 'work/clip-mean_0.json').read_text())
    ]
    (result,) = table['my_slowfast']
    assert 0 <= result['top1'] <= 1
    assert 0 < result['trained'] == result['params']
    assert result['gmacs_video'] > result['gmacs_head'] > 0
    assert result['train_clips_per_s'] > 0
    assert result['test_clips_per_s'] > 0

    small = tmp_path / 'small.py'
    small.write_text(small.read_text().replace('batch_size=4', 'batch_size=2'))
    with pytest.raises(SystemExit, match=r'clip-mean_0\.json'):
        tool(*call)


@pytest.fixture
def report(tool, benchmark, tmp_path):
    """Write the table of results that are there."""

    def report(*args):
        folders = ['--work-dir', tmp_path / 'work', '--out', tmp_path / 'out']
        tool('benchmark_methods.py', benchmark, '--report-only', *args, *folders)

    return report


def test_two_methods_may_not_share_results(report, tmp_path):
    for folder in ('a', 'b'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'my.py').touch()
    with pytest.raises(SystemExit, match=r"'my' .*a/my\.py.*b/my\.py"):
        report('--add', tmp_path / 'a/my.py', tmp_path / 'b/my.py')


def test_a_table_is_not_replaced_by_less(report, benchmark, tmp_path):
    """As in a fresh clone, where the published table is and no result."""
    kept = {'X-CLIP': [dict(RUN, top1=0.5, seed=0), dict(RUN, top1=0.6, seed=1)]}
    table = write_report(kept, tmp_path / 'out', benchmark.stem)
    before = {path: path.read_bytes() for path in table.parent.iterdir()}
    with pytest.raises(SystemExit, match='no result'):
        report()

    def finish(name, seed):
        path = tmp_path / f'work/{name.lower()}_{seed}.json'
        path.write_text(json.dumps(dict(RUN, top1=0.7, seed=seed)))

    for name, seed in (('X-CLIP', 0), ('CLIP-Mean', 1)):
        finish(name, seed)
        with pytest.raises(SystemExit, match='X-CLIP, seed 1'):
            report('--seeds', 0, 1)
    assert before == {path: path.read_bytes() for path in table.parent.iterdir()}

    finish('X-CLIP', 1)
    with pytest.raises(SystemExit, match='no result'):
        report('--seeds', 0, 1)
    assert set(json.loads(table.with_suffix('.json').read_text())) == {
        'X-CLIP',
        'CLIP-Mean',
    }


def test_fitting_leaves_the_config_alone_and_keeps_the_clips_shape(root, benchmark):
    bench = Config.fromfile(benchmark)
    path = next((root / 'configs/tsm').glob('*kinetics400-rgb.py'))
    cfg = Config.fromfile(path)
    before = cfg.to_dict()
    parts = dict(bench.parts, ResNetTSM=dict(depth=18))
    fitted = fit_to_budget(cfg, bench.budget, parts, {'train_cfg.max_epochs': 7})
    assert cfg.to_dict() == before
    assert fitted.train_cfg.max_epochs == 7
    assert fitted.model.backbone.depth == 18
    assert fitted.model.cls_head.num_classes == 8
    shapes = {
        step.input_format
        for loader in (fitted.train_dataloader, fitted.test_dataloader)
        for step in loader.dataset.pipeline
        if step.type == 'FormatShape'
    }
    assert shapes == {'NCHW'}  # what a 2D recognizer takes


def test_a_row_is_fitted_for_every_seed_alike(root, benchmark):
    bench = Config.fromfile(benchmark)
    row = next(row for row in bench.methods if row.name == 'TSM')
    cfg = Config.fromfile(root / row.config)
    models = [
        fit_to_budget(cfg, bench.budget, bench.parts, row.options).model
        for _ in bench.seeds
    ]
    assert models[0].backbone.type == 'MobileNetV2TSM'
    assert 'depth' not in models[0].backbone
    assert models[1:] == models[:-1]


def test_table_has_means_and_deviations(tmp_path):
    runs = {
        'A': [RUN | dict(top1=t) for t in (0.5, 0.6, 0.7)],
        'B': [],
        'C': [RUN | dict(top1=0.25)],
    }
    path = write_report(runs, tmp_path / 'new', 'table')
    lines = path.read_text().splitlines()
    assert [line.split('|')[1].strip() for line in lines] == ['method', '---', 'A', 'C']
    assert '| 60.0 ± 10.0 | 1.00 | 2.00 | 0.5 | 0.25 |' in lines[2]
    assert '| 1 | 25.0 | ' in lines[3]
    with (tmp_path / 'new/table.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]['top1']) == pytest.approx(0.6)
    assert float(rows[0]['top1_std']) == pytest.approx(0.1)
    assert rows[1]['top1_std'] == ''
    assert json.loads((tmp_path / 'new/table.json').read_text())['A'][2]['top1'] == 0.7
    assert (tmp_path / 'new/table.png').stat().st_size > 1000
    assert markdown({'A': runs['A']}).splitlines() == lines[:3]
