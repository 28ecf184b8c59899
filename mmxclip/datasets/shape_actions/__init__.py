"""A data set of drawn videos that needs no download."""

from mmxclip.datasets.shape_actions.data_set import (
    FPS,
    Labels,
    Plan,
    make_data_set,
    write_clip,
)
from mmxclip.datasets.shape_actions.drawing import (
    COLOURS,
    MOTIONS,
    SHAPES,
    ShapeAction,
    all_actions,
    cover_clip,
    draw_clip,
    draw_paths,
)

__all__ = [
    'COLOURS',
    'FPS',
    'MOTIONS',
    'SHAPES',
    'Labels',
    'Plan',
    'ShapeAction',
    'all_actions',
    'cover_clip',
    'draw_clip',
    'draw_paths',
    'make_data_set',
    'write_clip',
]
