"""All transforms between decoding and packing, frame by frame."""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from mmaction.datasets.transforms import (
    CenterCrop,
    Flip,
    MultiScaleCrop,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    ThreeCrop,
)
from mmaction.registry import TRANSFORMS
from mmcv.image.geometric import cv2_interp_codes
from mmcv.transforms import BaseTransform

from mmxclip.datasets.transforms.photometric import VideoColorJitter, VideoGrayscale

FrameStep = Callable[[np.ndarray, int], np.ndarray]


def fuse(pipeline: list) -> list:
    """Fuse what a pipeline does between decoding and packing, where it can be.

    The transforms before ``FormatShape('NCTHW')``, as many as
    :class:`FusedTransforms` takes, are put into one. A pipeline without such a place
    is returned as it is.

    Args:
        pipeline: Configs of transforms for RGB videos, or transforms; not changed.

    Returns:
        A pipeline with the same results.
    """
    packings = [i for i, step in enumerate(pipeline) if _is_plain_packing(step)]
    if not packings:
        return pipeline
    start = end = packings[0]
    while start > 0 and _can_precede(pipeline[start - 1], pipeline[start:end]):
        start -= 1
    if start == end:
        return pipeline
    fused = dict(type='FusedTransforms', transforms=pipeline[start:end])
    return [*pipeline[:start], fused, *pipeline[end + 1 :]]


def _is_plain_packing(step: object) -> bool:
    return isinstance(step, dict) and (
        dict(step) == dict(type='FormatShape', input_format='NCTHW')
    )


def _can_precede(step: object, behind: list) -> bool:
    if not isinstance(step, dict) or step.get('lazy'):
        return False
    kind = step.get('type')
    if isinstance(kind, str):
        kind = TRANSFORMS.get(kind)
    return kind in _PLANNERS and not (kind is ThreeCrop and behind)


def _resize(
    image: np.ndarray, _: int, *, shape: tuple[int, int], interpolation: int
) -> np.ndarray:
    if image.shape[:2] == shape:
        return image
    return cv2.resize(image, shape[::-1], interpolation=interpolation)


def _crop(image: np.ndarray, _: int, *, box: np.ndarray) -> np.ndarray:
    left, top, right, bottom = box
    return image[top:bottom, left:right]


def _flip(image: np.ndarray, _: int, *, code: int) -> np.ndarray:
    return cv2.flip(image, code)


def _plan_resize(transform: Resize, results: dict, _: int) -> list[FrameStep]:
    shape = transform(results)['img_shape']
    interpolation = cv2_interp_codes[transform.interpolation]
    return [partial(_resize, shape=shape, interpolation=interpolation)]


def _plan_crop(transform: RandomCrop, results: dict, _: int) -> list[FrameStep]:
    return [partial(_crop, box=transform(results)['crop_bbox'])]


def _plan_flip(transform: Flip, results: dict, _: int) -> list[FrameStep]:
    if not transform(results)['flip']:
        return []
    return [partial(_flip, code=int(transform.direction == 'horizontal'))]


def _plan_jitter(
    transform: VideoColorJitter, results: dict, num_frames: int
) -> list[FrameStep]:
    change = transform.draw(num_frames, results['clip_len'])
    return [change] if change else []


def _plan_grayscale(
    transform: VideoGrayscale, results: dict, _: int
) -> list[FrameStep]:
    change = transform.draw()
    return [change] if change else []


def _plan_three_crops(transform: ThreeCrop, results: dict, _: int) -> list:
    # It reads the size from a picture: one that has no channels will do.
    blank = np.empty((*results['img_shape'], 0), np.uint8)
    boxes = transform(results | dict(imgs=[blank]))['crop_bbox']
    results['crop_bbox'] = boxes
    left, top, right, bottom = boxes[0]
    results['img_shape'] = (bottom - top, right - left)
    return boxes.tolist()


# By exact class: a subclass may do something else.
_PLANNERS: dict[type, Callable] = {
    Resize: _plan_resize,
    RandomCrop: _plan_crop,
    CenterCrop: _plan_crop,
    MultiScaleCrop: _plan_crop,
    RandomResizedCrop: _plan_crop,
    Flip: _plan_flip,
    VideoColorJitter: _plan_jitter,
    VideoGrayscale: _plan_grayscale,
    ThreeCrop: _plan_three_crops,
}


@TRANSFORMS.register_module()
class FusedTransforms(BaseTransform):
    """Resize, crop, flip, recolour and pack frames, one frame after the other.

    Takes the place of the listed transforms and of ``FormatShape('NCTHW')`` behind
    them, and gives the same pixels for the same random state, only faster: the
    transforms themselves decide what happens to the video, without pictures; then
    each frame passes through all of it while it is in the processor's cache, and its
    planes go straight to their places in the output.

    Required Keys:

    - imgs: RGB uint8
    - img_shape
    - num_clips
    - clip_len
    - modality: with Flip

    Modified Keys:

    - imgs: uint8, shape (views, 3, T, H, W); views are crop by crop, clip by clip
    - img_shape

    Added Keys:

    - input_shape
    - those of the listed transforms

    Args:
        transforms: Configs of the transforms, in order: ``Resize``, ``Flip``,
            ``RandomCrop``, ``CenterCrop``, ``MultiScaleCrop``, ``RandomResizedCrop``,
            ``VideoColorJitter``, ``VideoGrayscale``, and at the end at most one
            ``ThreeCrop``; these themselves, not children of theirs.

    Raises:
        ValueError: A transform that cannot be fused, or not in this place.

    Examples:
        >>> dict(type='FusedTransforms', transforms=[
        ...     dict(type='Resize', scale=(-1, 256)),
        ...     dict(type='CenterCrop', crop_size=224)])['type']
        'FusedTransforms'
    """

    def __init__(self, transforms: list[dict]) -> None:
        self.transforms = [TRANSFORMS.build(transform) for transform in transforms]
        for i, (config, transform) in enumerate(
            zip(transforms, self.transforms, strict=True)
        ):
            name = type(transform).__name__
            if type(transform) not in _PLANNERS:
                allowed = ', '.join(kind.__name__ for kind in _PLANNERS)
                raise ValueError(
                    f'{name} cannot be fused, only {allowed}; '
                    'put it before FusedTransforms'
                )
            if config.get('lazy'):
                raise ValueError(
                    f'{name} cannot be fused with lazy=True; leave that out'
                )
            if isinstance(transform, ThreeCrop) and i < len(transforms) - 1:
                raise ValueError(f'{name} must be the last of the fused transforms')

    def transform(self, results: dict) -> dict:
        """Draw what happens to the video, then do it to each frame."""
        frames = results.pop('imgs')
        steps: list[FrameStep] = []
        boxes = None
        for transform in self.transforms:
            planner = _PLANNERS[type(transform)]
            planned = planner(transform, results, len(frames))
            if isinstance(transform, ThreeCrop):
                boxes = planned
            else:
                steps += planned
        height, width = results['img_shape']
        boxes = boxes or [(0, 0, width, height)]
        results['imgs'] = _render(frames, steps, boxes, results['num_clips'])
        results['input_shape'] = results['imgs'].shape
        return results

    def __repr__(self) -> str:
        listed = ', '.join(map(repr, self.transforms))
        return f'{type(self).__name__}([{listed}])'


def _render(
    frames: list[np.ndarray],
    steps: list[FrameStep],
    boxes: list,
    num_clips: int,
) -> np.ndarray:
    """Put every frame through the steps and its crops into their places.

    Args:
        frames: RGB uint8 of shape (H, W, 3), ``num_clips`` times T.
        steps: Applied in order to a frame and its number.
        boxes: (left, top, right, bottom) of the crops, all of the same size.
        num_clips: Clips that the frames belong to, one after the other.

    Returns:
        uint8 of shape (crops * num_clips, 3, T, height, width).
    """
    clip_len = len(frames) // num_clips
    left, top, right, bottom = boxes[0]
    shape = (len(boxes), num_clips, 3, clip_len, bottom - top, right - left)
    views = np.empty(shape, np.uint8)
    for i, frame in enumerate(frames):
        image = frame
        for step in steps:
            image = step(image, i)
        for planes, (left, top, right, bottom) in zip(views, boxes, strict=True):
            place = planes[i // clip_len, :, i % clip_len]  # (3, height, width)
            cv2.split(image[top:bottom, left:right], list(place))
    return views.reshape(-1, *shape[2:])
