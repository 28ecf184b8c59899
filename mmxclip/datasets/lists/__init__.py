"""Annotation lists: reading, the published ones, making and checking others."""

from mmxclip.datasets.lists.annotation import (
    Entry,
    parse_list,
    parse_multi_label_list,
    read_list,
    read_text,
    write_list,
)
from mmxclip.datasets.lists.folder import VideoFolder
from mmxclip.datasets.lists.named_videos import NamedVideos, name_videos, read_split
from mmxclip.datasets.lists.packaged_lists import COUNTS, classes_of, published_lists
from mmxclip.datasets.lists.selection import few_shot, keep_classes
from mmxclip.datasets.lists.unpacking import unpack
from mmxclip.datasets.lists.video_files import find_videos

__all__ = [
    'COUNTS',
    'Entry',
    'NamedVideos',
    'VideoFolder',
    'classes_of',
    'few_shot',
    'find_videos',
    'keep_classes',
    'name_videos',
    'parse_list',
    'parse_multi_label_list',
    'published_lists',
    'read_list',
    'read_split',
    'read_text',
    'unpack',
    'write_list',
]
