"""A test pipeline as plain settings, for programs that know no transforms."""

from collections.abc import Sequence
from typing import Any

from mmaction.utils import ConfigType, get_str_type


def pipeline_settings(pipeline: Sequence[ConfigType]) -> dict[str, int]:
    """Return what is done with a video before the model sees it.

    Args:
        pipeline: Steps of a test pipeline.

    Returns:
        dict: ``num_frames``, ``num_views``, ``short_side``, ``crop_size``,
        ``num_crops`` (1 in the centre, or 3 along the long side).

    Raises:
        ValueError: A step is none of those that X-CLIP's protocols use; names it.
    """
    settings: dict[str, int] = {}
    for step in pipeline:
        settings |= _settings_of(step)
    missing = {'num_frames', 'short_side', 'crop_size'} - set(settings)
    if missing:
        raise ValueError(
            f'the pipeline says nothing of {", ".join(sorted(missing))}: it needs '
            'SegmentSampleFrames, Resize, and CenterCrop or ThreeCrop'
        )
    return settings


def _settings_of(step: ConfigType) -> dict[str, Any]:
    args = dict(step)
    kind = get_str_type(args.pop('type'))
    match kind, args:
        case 'SegmentSampleFrames', {'num_frames': frames, 'test_mode': True}:
            return dict(num_frames=frames, num_views=args.get('num_views', 1))
        case 'Resize', {'scale': (-1, side)}:
            return dict(short_side=side)
        case (('CenterCrop' | 'ThreeCrop'), {'crop_size': int(side)}):
            return dict(crop_size=side, num_crops=1 if kind == 'CenterCrop' else 3)
        case 'FormatShape', {'input_format': 'NCTHW'}:
            return {}
        case 'PackActionInputs', _:
            return {}
        case _ if kind.endswith(('Init', 'Decode')):
            return {}
    raise ValueError(
        f'the pipeline cannot be exported: {dict(step)} is not among '
        'SegmentSampleFrames(test_mode=True), Resize(scale=(-1, S)), CenterCrop, '
        "ThreeCrop, FormatShape('NCTHW')"
    )
