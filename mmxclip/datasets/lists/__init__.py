"""Annotation lists: reading, the published ones, making and checking others."""

from .annotation import Entry, parse_list, read_list, write_list, write_text
from .folder import VideoFolder
from .published import COUNTS, classes_of, published_lists
from .selection import few_shot, keep_classes
from .unpacking import unpack

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
    'write_list',
    'write_text',
]
