"""What a user names, as a list of videos: files, folders, archives, addresses, arrays.

One line for all that works on people's videos::

    for source in find_sources(['films/', 'clips/*.mp4', 'videos.tar', 'http://...']):
        print(source.name, source.input_format, source.problem)
"""

import glob
import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmxclip.datasets.lists.video_files import is_video_name, walk
from mmxclip.datasets.readers import is_compressed_archive, split_tar_path
from mmxclip.datasets.readers.tar_index import TarIndex
from mmxclip.inference.inputs import check_input, local_path

_IMAGE = re.compile(r'(.*?)(\d+)(\.(?:jpe?g|png|bmp|webp))', re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Source:
    """One video, of which nothing has been read yet.

    Attributes:
        name: What answers and errors call it: its path, its address,
            ``ARCHIVE.tar/MEMBER``, or the number of an array among arrays. A file is
            opened by it, see :class:`VideoInit`.
        input_format: ``'video'``, ``'rawframes'`` (a folder of numbered images) or
            ``'array'`` (RGB frames, uint8 (T, H, W, 3)).
        content: What its pipeline starts with, but for a ``'video'``.
        problem: Why there is no such video; empty if nothing is known against it.
    """

    name: str
    input_format: str = 'video'
    content: dict[str, Any] = field(default_factory=dict)
    problem: str = ''

    def packed(self) -> dict[str, Any]:
        """Return what its pipeline starts with, as ``InferencerPackInput`` does."""
        common = dict(label=-1, start_index=0, modality='RGB')
        if self.input_format == 'video':
            return common | dict(filename=self.name)
        return common | self.content


Given = str | os.PathLike | np.ndarray | Source


def find_sources(given: Given | Iterable[Given]) -> Iterator[Source]:
    """List videos, each once, in the order in which they are named.

    Args:
        given: One or several, also from a generator, each

            - a file, of any name; a member of an archive, ``videos.tar/a/1.mp4``;
            - a folder: all files below it that are called as videos are, and folders of
              frames, each its files first, by name, then its subfolders;
            - a folder of frames: images numbered from 0 or 1 without a gap, such as
              MMAction2's ``img_00001.jpg``, and nothing else;
            - an archive, ``videos.tar``, or a folder in one: all videos in it;
            - a pattern with ``*``, ``?``, ``[...]`` or, for any folders, ``**``, of
              videos, folders and archives;
            - an address, such as ``http://`` or ``file://``;
            - frames, RGB, uint8 (T, H, W, 3);
            - what this has found before.

    Yields:
        The videos, found while they are asked for, folder by folder. What is no video
        comes, too, with its ``problem``: so it stops nothing and is not lost.
    """
    if isinstance(given, (str, os.PathLike, np.ndarray, Source)):
        given = [given]
    numbers = itertools.count(1)
    seen: set[str] = set()
    for one in given:
        if isinstance(one, (str, os.PathLike)):
            found = _from_path(local_path(one))
        elif isinstance(one, Source):
            found = iter([one])
        else:
            found = iter([_from_array(one, next(numbers))])
        for source in found:
            key = source.name if '://' in source.name else os.path.abspath(source.name)
            if key not in seen:
                seen.add(key)
                yield source


def _from_array(given: Any, number: int) -> Source:
    name = f'array {number}'
    try:
        frames = check_input(given, 'array')
    except ValueError as error:
        return Source(name, 'array', problem=str(error))
    return Source(name, 'array', dict(array=frames, total_frames=len(frames)))


def _from_path(path: str) -> Iterator[Source]:
    """List what a path names, or what is wrong with it."""
    empty = True
    try:
        for source in _expand(path):
            empty = False
            yield source
    except (OSError, ValueError) as error:
        yield Source(path, problem=str(error))
        return
    if empty:
        yield Source(path, problem=_nothing(path))


def _expand(path: str) -> Iterator[Source]:
    if '://' in path:
        yield Source(path)
    elif os.path.isdir(path):
        yield from _in_folder(Path(path))
    elif (member := split_tar_path(path)) is not None:
        yield from _in_archive(*member, path)
    elif os.path.isfile(path) and path.endswith('.tar'):
        yield from _in_archive(Path(path), '', path)
    elif is_compressed_archive(path):
        raise ValueError(
            f'{path} is compressed: unpack it, or pack the videos into an uncompressed '
            '.tar'
        )
    elif glob.has_magic(path) and not os.path.lexists(path):
        for match in sorted(glob.iglob(path, recursive=True)):
            if os.path.isdir(match) or is_video_name(match) or match.endswith('.tar'):
                yield from _expand(match)
    else:  # also what does not exist, which shows when it is opened
        yield Source(path)


def _in_folder(root: Path) -> Iterator[Source]:
    """List the videos below a folder."""
    if not os.access(root, os.R_OK | os.X_OK):
        raise PermissionError(f'{root} cannot be read: no right to look into it')
    for folder, names in walk(root):
        shown = [name for name in names if not name.startswith('.')]
        if frames := _numbered_images(shown):
            yield Source(str(folder), 'rawframes', dict(frame_dir=str(folder)) | frames)
        yield from (Source(str(folder / name)) for name in shown if is_video_name(name))


def _in_archive(archive: Path, member: str, path: str) -> Iterator[Source]:
    """List a member of an archive, or the videos below a folder in it."""
    index = TarIndex(archive)
    if member and index.find(member) is not None:
        yield Source(path)
        return
    below = f'{member}/' if member else ''
    for name in index.names():
        shown = name.startswith(below) and not os.path.basename(name).startswith('.')
        if shown and is_video_name(name):
            yield Source(str(archive / name))


def _numbered_images(names: Sequence[str]) -> dict[str, Any] | None:
    """Return how the frames of a folder are called, if its files are frames."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        match = _IMAGE.fullmatch(name)
        if match is None:
            return None
        groups[match[1], match[3]].append(match[2])
    # Beside the pictures there may be optical flow.
    groups = {
        key: found for key, found in groups.items() if not key[0].startswith('flow_')
    }
    if len(groups) != 1:
        return None
    (((start, ending), digits),) = groups.items()
    first, width = min(map(int, digits)), min(map(len, digits))
    template = f'{{:0{width}}}'
    there = set(digits)
    whole = all(template.format(first + i) in there for i in range(len(digits)))
    if first > 1 or len(digits) < 2 or not whole:
        return None
    start, ending = (
        part.replace('{', '{{').replace('}', '}}') for part in (start, ending)
    )
    return dict(
        filename_tmpl=f'{start}{template}{ending}',
        start_index=first,
        total_frames=len(digits),
    )


def _nothing(path: str) -> str:
    if glob.has_magic(path) and not os.path.lexists(path):
        return f'no video matches {path}'
    return (
        f'there is no video in {path}: no file called as videos are, and no folder of '
        'images numbered from 0 or 1 without a gap'
    )
