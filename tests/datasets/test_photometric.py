import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from PIL import Image, ImageEnhance

import mmxclip  # noqa: F401 (registers)
from mmxclip.datasets.transforms import photometric


@pytest.fixture
def image():
    """All hues, saturations and values, with noise."""
    rng = np.random.RandomState(0)
    hue = np.linspace(0, 255, 96)[None, :].repeat(64, 0)
    saturation = np.linspace(0, 255, 64)[:, None].repeat(96, 1)
    value = rng.uniform(40, 255, (64, 96))
    hsv = np.stack([hue, saturation, value], axis=-1).astype(np.uint8)
    return np.asarray(Image.fromarray(hsv, mode='HSV').convert('RGB'))


def build(kind, **kwargs):
    return TRANSFORMS.build(dict(type=kind, **kwargs))


def difference(a, b):
    return np.abs(a.astype(int) - np.asarray(b).astype(int))


@pytest.mark.parametrize('factor', [0.6, 0.93, 1.0, 1.4])
@pytest.mark.parametrize(
    ('change', 'enhance', 'tolerance'),
    [
        (photometric.adjust_brightness, ImageEnhance.Brightness, 1),
        (photometric.adjust_contrast, ImageEnhance.Contrast, 1),
        (photometric.adjust_saturation, ImageEnhance.Color, 1),
    ],
)
def test_changes_equal_pillow(image, change, enhance, tolerance, factor):
    expected = enhance(Image.fromarray(image)).enhance(factor)
    assert difference(change(image, factor), expected).max() <= tolerance


@pytest.mark.parametrize('shift', [-0.1, 0.0, 0.04, 0.1])
def test_hue_equals_pillow(image, shift):
    hue, saturation, value = Image.fromarray(image).convert('HSV').split()
    turned = (np.asarray(hue).astype(int) + int(shift * 255)) % 256
    turned = Image.fromarray(turned.astype(np.uint8))
    expected = Image.merge('HSV', (turned, saturation, value)).convert('RGB')
    gap = difference(photometric.adjust_hue(image, shift), expected)
    assert gap.max() <= 12  # two of the 256 steps of hue, by rounding
    assert gap.mean() < 1.5


def test_grayscale_equals_pillow(image):
    expected = Image.fromarray(image).convert('L').convert('RGB')
    assert difference(photometric.grayscale(image), expected).max() <= 1


def frames_after(image, num_frames=6, **kwargs):
    transform = build('VideoColorJitter', prob=1.0, **kwargs)
    frames = [image[:, ::-1]] * num_frames  # flipped views are not contiguous
    return transform(dict(imgs=frames, clip_len=num_frames // 2))['imgs']


def test_jitter_is_drawn_anew_for_every_frame(image):
    frames = frames_after(image)
    assert not any(np.array_equal(frames[0], frame) for frame in frames[1:])


def test_jitter_drawn_once_for_each_clip(image):
    frames = frames_after(image, per_clip=True)
    assert all(np.array_equal(frames[0], frame) for frame in frames[:3])
    assert all(np.array_equal(frames[3], frame) for frame in frames[3:])
    assert not np.array_equal(frames[0], frames[3])


def test_no_strength_changes_almost_nothing(image):
    none = dict(brightness=0, contrast=0, saturation=0, hue=0)
    frame = frames_after(image, num_frames=2, **none)[0]
    assert difference(frame, image[:, ::-1]).mean() < 1


def test_ranges_are_those_of_the_recipe():
    assert repr(build('VideoColorJitter')) == (
        'VideoColorJitter(prob=0.8, (0.6, 1.4), (0.6, 1.4), (0.8, 1.2), (-0.1, 0.1), '
        'per_clip=False)'
    )


@pytest.mark.parametrize(
    ('kind', 'default'), [('ColorJitter', 0.8), ('Grayscale', 0.2)]
)
def test_share_of_changed_videos(image, kind, default):
    transform = build(f'Video{kind}')
    tile = image[:4, :4]
    changed = 0
    for _ in range(400):
        frames = transform(dict(imgs=[tile, tile]))['imgs']
        changed += any(difference(frame, tile).any() for frame in frames)
    assert changed / 400 == pytest.approx(default, abs=0.06)


def test_the_input_frames_are_not_written_to(image):
    before = image.copy()
    frames_after(image)
    build('VideoGrayscale', prob=1.0)(dict(imgs=[image]))
    assert np.array_equal(image, before)


@pytest.mark.parametrize(
    ('kind', 'kwargs'),
    [
        ('VideoColorJitter', dict(prob=1.2)),
        ('VideoColorJitter', dict(hue=0.6)),
        ('VideoColorJitter', dict(contrast=-0.1)),
        ('VideoGrayscale', dict(prob=-1)),
    ],
)
def test_values_out_of_range(kind, kwargs):
    with pytest.raises(ValueError, match=rf'{next(iter(kwargs))}.*\[0, '):
        build(kind, **kwargs)
