"""Annotation lists: reading, the published ones, making and checking others."""

from mmxclip.datasets.lists.annotation import (
    Entry,
    parse_list,
    read_list,
    write_list,
)
from mmxclip.datasets.lists.folder import VideoFolder, walk_videos
from mmxclip.datasets.lists.published import COUNTS, classes_of, published_lists
from mmxclip.datasets.lists.selection import few_shot, keep_classes
from mmxclip.datasets.lists.unpacking import unpack

__all__ = [
    'COUNTS',
    'Entry',
    'VideoFolder',
    'classes_of',
    'few_shot',
    'keep_classes',
    'parse_list',
    'published_lists',
    'read_list',
    'unpack',
    'walk_videos',
    'write_list',
]
