"""Every config parses; every X-CLIP config, shrunk, learns from and tests a clip."""

import copy
import functools
import inspect
import re
from collections import Counter
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, METRICS, MODELS, PARAM_SCHEDULERS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmxclip.layers.clip_sizes import TEXT_ARCHS

# MMEngine still asks pkg_resources where 'mmaction::' configs lie.
pytestmark = pytest.mark.filterwarnings('ignore:pkg_resources is deprecated')
ROOT = Path(__file__).resolve().parent.parent
ALL = sorted((ROOT / 'configs').rglob('*.py'))
BASES = [path for path in ALL if '_base_' in path.parts]
WHOLE = [path for path in ALL if not {'_base_', 'benchmarks'} & set(path.parts)]
XCLIP = [
    path
    for path in WHOLE
    if path.parent.name
    in (
        *('fully_supervised', 'few_shot', 'zero_shot', 'base_to_novel'),
        *('few_parameters', 'not_forgetting'),
    )
]


@functools.cache
def parsed(path):
    """A config, which is not to be changed: each takes a tenth of a second."""
    return Config.fromfile(path)


def kind(path):
    """What of a config makes it learn, whatever the data."""
    cfg = copy.deepcopy(parsed(path))
    del cfg.model.cls_head.classes
    for augment in (cfg.model.data_preprocessor.get('blending') or {}).get(
        'augments', []
    ):
        del augment.num_classes
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    pipelines = [loader and loader.dataset.pipeline for loader in loaders]
    return repr((cfg.model, pipelines, cfg.get('optim_wrapper')))


KINDS = sorted({kind(path): path for path in reversed(XCLIP)}.values())
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
# What a config may hold beside the arguments of the Runner.
OTHER_KEYS = {
    'auto_scale_lr',
    'blending',
    'classes',
    'custom_imports',
    'data_root',
    'num_classes',
    'num_frames',
    'size',
    'test_pipeline',
    'train_pipeline',
    'tower',
    'val_pipeline',
    'vis_backends',
}


def names(paths):
    return [path.stem for path in paths]


@pytest.mark.parametrize('path', BASES, ids=names(BASES))
def test_base_parses(path):
    Config.fromfile(path)


@pytest.mark.parametrize('path', WHOLE, ids=names(WHOLE))
def test_parses_and_has_no_key_that_nobody_reads(path):
    known = set(inspect.signature(Runner.__init__).parameters) | OTHER_KEYS
    assert set(parsed(path)) <= known
    assert parsed(path).custom_imports.imports == ['mmxclip']  # for the host's tools


def test_names_are_unique_since_mim_finds_configs_by_name():
    assert [name for name, n in Counter(p.name for p in ALL).items() if n > 1] == []


@pytest.mark.parametrize('path', XCLIP, ids=names(XCLIP))
def test_pixels_and_activation_are_those_of_the_tower(path):
    """From OpenAI's CLIP, X-CLIPs were trained on ImageNet's, as published."""
    model = parsed(path).model
    checkpoint = model.cls_head.init_cfg.checkpoint
    if 'siglip' in checkpoint:
        tower, text = model.backbone.backbone, model.cls_head.text_encoder
        assert {tower.source, text.source, tower.init_cfg.checkpoint} == {checkpoint}
        assert (
            model.data_preprocessor.mean == model.data_preprocessor.std == [127.5] * 3
        )
        return
    assert model.backbone.init_cfg.checkpoint == checkpoint
    of_others = checkpoint.startswith('hf-hub:')
    mean = CLIP_MEAN if of_others else IMAGENET_MEAN
    std = CLIP_STD if of_others else IMAGENET_STD
    pixels = model.data_preprocessor
    assert pixels.mean == pytest.approx([255 * x for x in mean], abs=0.001)
    assert pixels.std == pytest.approx([255 * x for x in std], abs=0.001)
    towers = (model.backbone, model.cls_head.text_encoder)
    wanted = {'gelu' if re.search('DataComp|DFN2B', checkpoint) else 'quick_gelu'}
    assert {tower.get('activation', 'quick_gelu') for tower in towers} == wanted
    assert all('activation' in tower for tower in towers) == of_others


def shrink(cfg, pair=None):
    """Make the model tiny and the frames 32 pixels; keep all else."""
    model = cfg.model
    arch = dict(
        img_size=32, patch_size=16, embed_dims=16, depth=1, num_heads=2, out_dims=16
    )
    text_arch = dict(
        embed_dims=16,
        depth=1,
        num_heads=2,
        out_dims=16,
        context_length=77,
        vocab_size=49408,
    )
    model.cls_head.update(init_cfg=None)
    if model.backbone.type == 'FrameEncoder':
        model.backbone.backbone.update(source=pair, init_cfg=None)
        model.cls_head.text_encoder.update(source=pair)
    else:
        model.backbone.update(arch=arch, init_cfg=None)
        model.cls_head.text_encoder.update(arch=text_arch)
    width = 32 if model.backbone.type == 'FrameEncoder' else 16
    if model.neck:
        model.neck.update(embed_dims=width, num_heads=2)
    if model.cls_head.prompt:
        model.cls_head.prompt.update(embed_dims=width, context_dims=width, num_heads=2)
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    for loader in filter(None, loaders):
        for step in loader.dataset.pipeline:
            if step.type in ('CenterCrop', 'ThreeCrop'):
                step.crop_size = 32
            elif step.type == 'MultiScaleCrop':
                step.input_size = 32
            elif step.type == 'Resize':
                step.scale = (-1, 32) if step.scale[0] == -1 else (32, 32)
    return cfg


def build_dataset(loader, shared, ann_file):
    return DATASETS.build(
        loader.dataset
        | dict(
            data_root=None,
            ann_file=str(ann_file),
            data_prefix=dict(video=str(shared / 'videos')),
        )
    )


@pytest.fixture
def two_clips(shared, tmp_path):
    lines = (shared / 'videos/val.txt').read_text().splitlines()
    path = tmp_path / 'two.txt'
    path.write_text('\n'.join([lines[0], lines[-1]]))
    return path


def train_step(cfg, model, batch):
    """One step as the training loop takes it; what is logged."""
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    end = cfg.train_cfg.max_epochs
    PARAM_SCHEDULERS.build(
        cfg.param_scheduler,
        default_args=dict(optimizer=optim_wrapper, end=end, epoch_length=2),
    )
    return model.train().train_step(batch, optim_wrapper)


@pytest.mark.slow
@pytest.mark.parametrize('path', KINDS, ids=names(KINDS))
def test_learns_from_and_tests_real_clips(path, shared, two_clips, request):
    cfg = copy.deepcopy(parsed(path))
    is_pair = cfg.model.backbone.type == 'FrameEncoder'
    cfg = shrink(cfg, request.getfixturevalue('siglip') if is_pair else None)
    model = MODELS.build(cfg.model)
    fully_supervised = path.parent.name == 'fully_supervised'
    views = dict(train=1, val=1, test=12 if fully_supervised else 1)
    for part, num_views in views.items():
        loader = cfg[f'{part}_dataloader']
        if loader is None:
            assert path.parent.name == 'zero_shot'
            continue
        batch = pseudo_collate(list(build_dataset(loader, shared, two_clips)))
        steps = loader.dataset.pipeline
        (num_frames,) = (s.num_frames for s in steps if 'num_frames' in s)
        shape = (num_views, 3, num_frames, 32, 32)
        assert [x.shape for x in batch['inputs']] == [shape, shape]
        if part == 'train':
            logged = train_step(cfg, model, batch)
            assert logged['loss'].isfinite()
            assert {'loss_cls', 'top1_acc', 'top5_acc'} <= set(logged)
            continue
        with torch.no_grad():
            samples = model.eval().test_step(batch)
        assert samples[0].pred_score.shape == (len(model.cls_head.classes),)
        assert samples[0].undecodable is False
        metric = METRICS.build(cfg[f'{part}_evaluator'])
        metric.process(batch, [sample.to_dict() for sample in samples])
        assert any('top1' in name for name in metric.evaluate(size=2))


@pytest.mark.parametrize('part', ['backbone', 'neck', 'cls_head'])
def test_unknown_arguments_fail(part):
    cfg = shrink(copy.deepcopy(parsed(XCLIP[0])))
    cfg.model[part].num_framez = 8
    with pytest.raises(TypeError, match='num_framez'):
        MODELS.build(cfg.model)


@pytest.mark.slow
def test_published_model_takes_a_training_step(root):
    folder = root / 'configs/xclip/fully_supervised'
    name = 'xclip_base-p32-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
    cfg = Config.fromfile(folder / name)
    del cfg.model.data_preprocessor.blending  # one video cannot be blended
    # The frozen text tower and 400 classes would cost most of the time.
    head = cfg.model.cls_head
    head.classes = ['archery', 'bowling', 'canoeing', 'dancing', 'golf']
    head.text_encoder.arch = dict(TEXT_ARCHS['b/16'], depth=1)
    cfg.model.backbone.init_cfg = head.init_cfg = None
    model = MODELS.build(cfg.model)
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    video = torch.randint(0, 256, (1, 3, 8, 224, 224), dtype=torch.uint8)
    batch = dict(inputs=[video], data_samples=[ActionDataSample().set_gt_label(3)])
    before = model.neck.positional_embedding.detach().clone()
    logged = model.train().train_step(batch, optim_wrapper)
    assert logged['loss'].isfinite()
    assert not torch.equal(model.neck.positional_embedding, before)


@pytest.mark.slow
def test_custom_dataset_page(root, shared, tmp_path, monkeypatch):
    """Follow docs/howto/custom_dataset.md with real clips, at toy size."""
    page = (root / 'docs/howto/custom_dataset.md').read_text()
    classes, lines, _ = re.findall(r'```text\n(.*?)```', page, re.DOTALL)
    config, *_, no_flip = re.findall(r'```python\n(.*?)```', page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    lists = tmp_path / 'data/mine/lists'
    lists.mkdir(parents=True)
    (tmp_path / 'data/mine/videos').symlink_to(shared / 'videos')
    (tmp_path / 'configs').symlink_to(root / 'configs')
    (lists / 'classes.txt').write_text(classes)
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    for name in ('train.txt', 'val.txt'):
        (lists / name).write_text(f'{lines}{tmp_path}/broken.mp4 1\n')
    path = tmp_path / 'mine.py'
    path.write_text(config.replace("'./", "'configs/xclip/"))

    cfg = shrink(Config.fromfile(path))
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.train_cfg.max_epochs, cfg.param_scheduler.warmup = 2, 1
    cfg.optim_wrapper.accumulative_counts = 1
    cfg.work_dir = str(tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert (tmp_path / 'work/epoch_2.pth').exists()
    metrics = runner.test()
    assert (metrics['acc/num_videos'], metrics['acc/undecodable']) == (3, 1)
    assert list(runner.model.cls_head.classes) == classes.splitlines()

    path.write_text(path.read_text() + no_flip)
    steps = Config.fromfile(path).train_dataloader.dataset.pipeline
    assert 'Flip' not in [step.type for step in steps]
    assert len(steps) == len(cfg.train_dataloader.dataset.pipeline) - 1
