import random

import numpy as np
import pytest
from mmaction.datasets.transforms import Flip
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import Compose

import mmxclip  # noqa: F401 (registers)
from mmxclip.datasets.transforms.fused import fuse

SIZES = [(256, 340), (240, 320), (180, 320), (426, 240), (256, 256)]
TRAIN = [
    dict(type='Resize', scale=(-1, 256)),
    dict(
        type='MultiScaleCrop',
        input_size=224,
        scales=(1, 0.875, 0.75, 0.66),
        max_wh_scale_gap=1,
    ),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='VideoColorJitter', prob=0.8),
    dict(type='VideoGrayscale', prob=0.2),
]
VALIDATE = [
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
]
TEST = [dict(type='Resize', scale=(-1, 224)), dict(type='ThreeCrop', crop_size=224)]


def video(height, width, num_frames=4, num_clips=1):
    """Decoded frames of noise, as the decoder leaves them."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (num_frames * num_clips, height, width, 3), np.uint8)
    return dict(
        imgs=list(frames),
        img_shape=(height, width),
        original_shape=(height, width),
        num_clips=num_clips,
        clip_len=num_frames,
        modality='RGB',
        label=1,
    )


def run(steps, results, seed):
    random.seed(seed)
    np.random.seed(seed)
    return Compose(steps)(results)


def plain(steps):
    return [*steps, dict(type='FormatShape', input_format='NCTHW')]


def fused(steps):
    return [dict(type='FusedTransforms', transforms=steps)]


def assert_same(steps, seed=0, **kwargs):
    expected = run(plain(steps), video(**kwargs), seed)
    results = run(fused(steps), video(**kwargs), seed)
    after = np.random.rand(), random.random()
    assert results['imgs'].dtype == np.uint8
    assert results['imgs'].flags['C_CONTIGUOUS']
    np.testing.assert_array_equal(results['imgs'], expected['imgs'])
    for key in ('img_shape', 'input_shape', 'label'):
        assert tuple(np.atleast_1d(results[key])) == tuple(np.atleast_1d(expected[key]))
    run(plain(steps), video(**kwargs), seed)
    assert (np.random.rand(), random.random()) == after  # as many draws


@pytest.mark.parametrize('seed', range(8))
@pytest.mark.parametrize(('height', 'width'), SIZES)
def test_training_equals_the_plain_transforms(height, width, seed):
    assert_same(TRAIN, seed, height=height, width=width)


@pytest.mark.parametrize('steps', [VALIDATE, TEST])
@pytest.mark.parametrize(('height', 'width'), SIZES)
def test_testing_equals_the_plain_transforms(height, width, steps):
    assert_same(steps, height=height, width=width, num_clips=4, num_frames=2)


@pytest.mark.parametrize(
    'steps',
    [
        [],
        [dict(type='RandomResizedCrop'), dict(type='Resize', scale=(64, 48))],
        [dict(type='Flip', flip_ratio=1, direction='vertical')],
        [dict(type='Flip', flip_ratio=1, flip_label_map={1: 0})],
        [dict(type='Resize', scale=(50, 50), interpolation='nearest')],
        [dict(type='VideoColorJitter', prob=1, per_clip=True)],
        [dict(type='VideoGrayscale', prob=1), dict(type='RandomCrop', size=32)],
    ],
)
def test_options_equal_the_plain_transforms(steps):
    assert_same(steps, height=60, width=80, num_clips=2)


def test_decoded_frames_stay_as_they_are():
    results = video(60, 80)
    frames = results['imgs']
    before = np.array(frames)
    run(fused([dict(type='Flip', flip_ratio=1)]), results, seed=0)
    np.testing.assert_array_equal(frames, before)


@pytest.mark.parametrize(
    ('steps', 'message'),
    [
        ([dict(type='Resize', scale=(8, 8), lazy=True)], 'lazy=True'),
        ([dict(type='ColorJitter')], 'ColorJitter cannot be fused, only Resize'),
        ([*TEST, dict(type='Flip')], 'ThreeCrop must be the last'),
    ],
)
def test_what_cannot_be_fused_is_named(steps, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build(*fused(steps))


def kinds(pipeline):
    return [step['type'] for step in pipeline]


@pytest.mark.parametrize('name', ['u8-res224.py', 'u16-res336.py'])
@pytest.mark.parametrize('part', ['train', 'val', 'test'])
def test_published_pipelines_are_fused_whole(root, name, part):
    cfg = Config.fromfile(root / 'configs/_base_/pipelines' / name)
    pipeline = cfg[f'{part}_pipeline']
    before = kinds(pipeline)
    fused = fuse(pipeline)
    assert kinds(fused) == [*before[:3], 'FusedTransforms', 'PackActionInputs']
    assert kinds(fused[3]['transforms']) == before[3:-2]
    assert kinds(pipeline) == before


@pytest.mark.parametrize(
    ('steps', 'expected'),
    [
        (['DecordDecode', 'PackActionInputs'], None),
        (['DecordDecode', 'FormatShape', 'PackActionInputs'], None),
        (['Resize', 'ColorJitter', 'FormatShape'], None),
        (
            ['Resize', 'ColorJitter', 'Flip', 'FormatShape'],
            ['Resize', 'ColorJitter', 'FusedTransforms'],
        ),
        (
            ['ThreeCrop', 'Resize', 'FormatShape'],
            ['ThreeCrop', 'FusedTransforms'],
        ),
    ],
)
def test_what_cannot_be_fused_stays(steps, expected):
    pipeline = [
        dict(type=kind, **(dict(input_format='NCTHW') if kind == 'FormatShape' else {}))
        for kind in steps
    ]
    assert kinds(fuse(pipeline)) == (expected or steps)


class Mirror(Flip):
    """A user's transform that does something else than its parent."""

    def transform(self, results):
        results['imgs'] = [image[::-1] for image in results['imgs']]
        return results


@pytest.mark.parametrize('registered', [True, False])
def test_children_of_the_fusable_stay_what_they_are(registered):
    step = dict(type=Mirror)
    with pytest.MonkeyPatch.context() as patch:
        if registered:
            patch.setitem(TRANSFORMS.module_dict, 'Mirror', Mirror)
            step = dict(type='Mirror')
        pipeline = plain([dict(type='Resize', scale=(8, 8)), step])
        assert fuse(pipeline) == pipeline
        with pytest.raises(ValueError, match='Mirror cannot be fused, only Resize'):
            TRANSFORMS.build(*fused([step]))


@pytest.mark.parametrize(
    'tail',
    [
        [dict(type='FormatShape', input_format='NCHW')],
        [dict(type='FormatShape', input_format='NCTHW', collapse=True)],
        [
            dict(type='Resize', lazy=True),
            dict(type='FormatShape', input_format='NCTHW'),
        ],
    ],
)
def test_other_shapes_and_lazy_transforms_stay(tail):
    pipeline = [dict(type='Flip', lazy=True), *tail]
    assert fuse(pipeline) == pipeline


def test_real_clips_through_the_data_set(root, shared):
    cfg = Config.fromfile(root / 'configs/_base_/pipelines/u8-res224.py')
    for part in ('train', 'test'):
        samples = []
        for fused in (True, False):
            dataset = DATASETS.build(
                dict(
                    type='VideoListDataset',
                    ann_file=str(shared / 'videos/val.txt'),
                    data_prefix=dict(video=str(shared / 'videos')),
                    pipeline=cfg[f'{part}_pipeline'],
                    fused=fused,
                    test_mode=part == 'test',
                )
            )
            random.seed(0)
            np.random.seed(0)
            samples.append(dataset[0])
        ours, plain = samples
        assert ours['inputs'].equal(plain['inputs'])
        assert ours['inputs'].is_contiguous()
        assert ours['data_samples'].img_shape == plain['data_samples'].img_shape
