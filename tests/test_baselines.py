"""Every config of the comparisons trains, is tested, saved and resumed, at small size.

Model and optimizer are the config's own, at the benchmark's sizes; the data are small
encoded videos.
"""

import tarfile
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.runner import Runner

from mmxclip.benchmarks.methods import count_parameters, count_view, fit_to_budget

# MMEngine still asks pkg_resources where 'mmaction::' configs lie.
pytestmark = pytest.mark.filterwarnings('ignore')
ROOT = Path(__file__).resolve().parent.parent
BENCHMARK = Config.fromfile(ROOT / 'configs/benchmarks/benchmark_shape-actions.py')
BASELINES = sorted(
    path
    for folder in ('tsm', 'swin', 'timesformer', 'uniformerv2', 'actionclip')
    for path in (ROOT / 'configs' / folder).glob('*.py')
)
# On other data the small config is the same, which a test shows.
OTHER_DATA = [path for path in BASELINES if 'kinetics400' not in path.stem]
WHOLE = [path for path in BASELINES if 'kinetics400' in path.stem] + sorted(
    (ROOT / 'configs/xclip/ablations').glob('*.py')
)
ROWS = {str(ROOT / row.config): row for row in BENCHMARK.methods}


def names(paths):
    return [path.stem for path in paths]


def small(path, row, shapes, work_dir):
    """Shrink a config to the size of a row, but keep how it learns."""
    cfg = Config.fromfile(path)
    budget = {k: v for k, v in BENCHMARK.budget.items() if k != 'optim_wrapper'}
    options = ROWS.get(str(row), {}).get('options', {})
    fitted = fit_to_budget(cfg, budget, BENCHMARK.parts, options)
    for loader in (fitted.train_dataloader, fitted.test_dataloader):
        loader.update(batch_size=2)
        loader.dataset.update(data_root=str(shapes), indices=2)
    fitted.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    fitted.train_cfg.max_epochs = 1
    fitted.param_scheduler = None  # the first rates of a warm-up change nothing
    if fitted.optim_wrapper.get('type') == 'AmpOptimWrapper':
        fitted.optim_wrapper.type = 'OptimWrapper'  # the other needs a GPU
    fitted.update(work_dir=str(work_dir), log_level='ERROR', experiment_name=path.stem)
    return fitted


@pytest.mark.slow
@pytest.mark.parametrize('path', WHOLE, ids=names(WHOLE))
def test_trains_tests_saves_and_resumes(path, shapes, tmp_path, request):
    cfg = small(path, path, shapes, tmp_path / 'work')
    if 'florence' in path.stem:
        request.getfixturevalue('mmpretrain')
    runner = Runner.from_cfg(cfg)
    before = {k: v.detach().clone() for k, v in runner.model.named_parameters()}
    runner.train()
    learned = {
        name
        for name, p in runner.model.named_parameters()
        if not torch.equal(p, before[name])
    }
    assert learned, 'nothing learned'
    assert all(dict(runner.model.named_parameters())[n].requires_grad for n in learned)
    assert 0 <= runner.test()['acc/top1'] <= 1
    trained = {k: v.clone() for k, v in runner.model.state_dict().items()}

    for p in runner.model.parameters():
        p.data.zero_()
    runner.resume(str(tmp_path / 'work/epoch_1.pth'))
    assert runner.iter == 1
    for name, tensor in runner.model.state_dict().items():
        assert torch.equal(tensor, trained[name]), name
    # What the table says about it can be counted.
    assert count_parameters(runner.model)['trained'] > 0
    inputs = runner.test_dataloader.dataset[0]['inputs']
    assert count_view(runner.model, inputs)['gmacs_video'] > 0


@pytest.mark.slow
@pytest.mark.parametrize('path', OTHER_DATA, ids=names(OTHER_DATA))
def test_other_data_change_nothing_else(path, shapes, tmp_path):
    """What trains on Kinetics-400 trains on HMDB-51 and UCF-101."""
    stem, data = path.stem.removesuffix('-rgb').rsplit('_', 1)
    on_kinetics = path.with_name(f'{stem}_kinetics400-rgb.py')
    fitted = [small(p, on_kinetics, shapes, tmp_path) for p in (path, on_kinetics)]
    assert unscoped(fitted[0].model) == unscoped(fitted[1].model)
    for key in ('train_cfg', 'optim_wrapper', 'train_dataloader', 'test_dataloader'):
        assert unscoped(fitted[0][key]) == unscoped(fitted[1][key])

    cfg = Config.fromfile(path)
    assert cfg.train_dataloader.dataset.ann_file == 'lists/train1.txt'
    assert cfg.test_dataloader.dataset.ann_file == 'lists/val1.txt'
    assert cfg.train_dataloader.dataset.data_root == f'data/{data}'
    assert cfg.test_dataloader.dataset.data_root == f'data/{data}'
    assert cfg.model.cls_head.num_classes == dict(hmdb51=51, ucf101=101)[data]


@pytest.mark.parametrize(
    ('folder', 'host'),
    [
        ('tsm', 'tsm/tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb.py'),
        ('swin', 'swin/swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_{}.py'),
        (
            'timesformer',
            'timesformer/timesformer_{}_8xb8-8x32x1-15e_kinetics400-rgb.py',
        ),
    ],
)
def test_hyper_parameters_are_mmaction2s(folder, host):
    """What the host's file says about model and schedule is what ours trains with."""
    path = next(p for p in OTHER_DATA if p.match(f'{folder}/*_hmdb51-rgb.py'))
    host = host.format('divST' if folder == 'timesformer' else 'kinetics400-rgb')
    theirs = Config._get_cfg_path(f'mmaction::recognition/{host}', '')[0]
    ours, theirs = Config.fromfile(path), Config.fromfile(theirs)
    for key in ('train_cfg', 'param_scheduler', 'optim_wrapper'):
        assert unscoped(ours[key]) == unscoped(theirs[key])
    assert ours.model.cls_head.num_classes == 51
    for part in ('train', 'val', 'test'):
        steps = [c[f'{part}_dataloader'].dataset.pipeline for c in (ours, theirs)]
        assert unscoped(steps[0]) == with_our_readers(unscoped(steps[1]))
    assert ours.train_dataloader.batch_size == theirs.train_dataloader.batch_size
    assert ours.train_dataloader.dataset.data_root == 'data/hmdb51'


def with_our_readers(steps):
    for step in steps:
        if step['type'].startswith('Decord'):
            step.pop('io_backend', None)
            step.update(type=step['type'].replace('Decord', 'Video'))
    return steps


def unscoped(node):
    if isinstance(node, dict):
        return {k: unscoped(v) for k, v in node.items() if k != '_scope_'}
    return [unscoped(child) for child in node] if isinstance(node, list) else node


FIRST = [
    next(p for p in WHOLE if p.parent.name == folder)
    for folder in ('tsm', 'swin', 'timesformer', 'uniformerv2')
]


@pytest.mark.slow
@pytest.mark.parametrize('path', FIRST, ids=names(FIRST))
def test_full_size_pipelines_take_a_real_clip(path, shared):
    cfg = Config.fromfile(path)
    for part in ('train', 'test'):
        data = cfg[f'{part}_dataloader'].dataset
        # RandAugment of UniFormerV2 needs pytorchvideo, which nothing else does.
        data.pipeline = [s for s in data.pipeline if s.type != 'PytorchVideoWrapper']
        data.update(
            data_root=None,
            ann_file=str(shared / 'videos/val.txt'),
            data_prefix=dict(video=str(shared / 'videos')),
        )
        assert DATASETS.build(data)[0]['inputs'].shape[-2:] == (224, 224)


@pytest.mark.slow
@pytest.mark.parametrize('path', FIRST, ids=names(FIRST))
def test_archives_are_read_and_a_broken_video_stops_nothing(path, shapes, tmp_path):
    """The frames of an archive are those that MMAction2's readers take from a file."""
    (shapes / 'val/4.mp4').write_bytes(b'no video')
    with tarfile.open(tmp_path / 'videos.tar', 'w') as archive:
        archive.add(shapes / 'val', 'val')

    def data(part, prefix):
        data = Config.fromfile(path)[f'{part}_dataloader'].dataset
        # RandAugment of UniFormerV2 needs pytorchvideo, which nothing else does.
        data.pipeline = [s for s in data.pipeline if s.type != 'PytorchVideoWrapper']
        data.update(
            data_root=None,
            ann_file=str(shapes / 'val.txt'),
            data_prefix=dict(video=str(prefix)),
        )
        return data

    theirs = data('test', shapes)
    for step in theirs.pipeline:
        step.type = dict(VideoInit='DecordInit', VideoDecode='DecordDecode').get(
            step.type, step.type
        )
    archived = DATASETS.build(data('test', tmp_path / 'videos.tar'))
    gap = archived[0]['inputs'].int() - DATASETS.build(theirs)[0]['inputs'].int()
    assert gap.abs().float().mean() < 1  # decord has another FFmpeg
    assert archived[4]['data_samples'].undecodable
    training = DATASETS.build(data('train', tmp_path / 'videos.tar'))
    assert not training[4]['data_samples'].filename.endswith('4.mp4')
