"""Where the videos of a list lie in somebody's folder."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mmxclip.datasets.lists.annotation import Entry, write_list
from mmxclip.datasets.lists.video_files import VIDEO_SUFFIXES, find_videos


@dataclass
class Resolved:
    """A list with the paths of a folder, and what could not be found there."""

    entries: list[Entry] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)


class VideoFolder:
    """The videos below a folder, found by name whatever folders they lie in.

    Copies of one benchmark differ in class folders and containers (``x.avi`` here,
    ``brush_hair/x.mp4`` there), so a listed video is looked up by its file name
    without extension; where several files have it, the one whose folders agree
    with the list is taken.

    Args:
        root: Folder of the videos.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: There is no video in it.
    """

    def __init__(self, root: str | os.PathLike) -> None:
        self.root = Path(root)
        self.found = find_videos(self.root)
        self.paths = [
            path.relative_to(self.root).as_posix() for path in self.found.paths
        ]
        if not self.paths:
            raise ValueError(
                f'{self.root} holds {self.found}; known are the endings '
                f'{", ".join(sorted(VIDEO_SUFFIXES))}'
            )
        self._by_stem = defaultdict(list)
        for path in self.paths:
            self._by_stem[PurePosixPath(path).stem].append(path)

    def find(self, path: str) -> list[str]:
        """Files that a listed path may mean: none, one or several."""
        wanted = PurePosixPath(path.replace('\\', '/')).with_suffix('')
        found = self._by_stem.get(wanted.name, [])
        if len(found) < 2:
            return found
        same = [
            f'/{PurePosixPath(f).with_suffix("")}'.endswith(f'/{wanted}') for f in found
        ]
        return [f for f, agrees in zip(found, same, strict=True) if agrees] or found

    def resolve(self, entries: Iterable[Entry]) -> Resolved:
        """Replace the paths of a list by those of this folder."""
        result = Resolved()
        for entry in entries:
            found = self.find(entry.path)
            if len(found) == 1:
                result.entries.append(Entry(found[0], entry.label))
            elif found:
                result.ambiguous.append(entry.path)
            else:
                result.missing.append(entry.path)
        return result


def write_found(
    lists: Mapping[str, Sequence[Entry]],
    folder: VideoFolder,
    target: Path,
    *,
    counts: Mapping[str, int],
    allow_missing: bool = False,
    overwrite: bool = False,
) -> Iterator[tuple[str, bool]]:
    """Write lists with the paths of a folder, those that are complete.

    Args:
        lists: Name of a list -> its entries, with paths as published.
        folder: The videos.
        target: Folder of the lists.
        counts: How many videos a list must have, where that is known.
        allow_missing: Write the others too, without the videos that are not there.
        overwrite: Replace lists of other content.

    Yields:
        What was found, in a line, and whether the list is complete.
    """
    for name, entries in sorted(lists.items()):
        resolved = folder.resolve(entries)
        # Training lists of UCF-101 are what is found: only their length tells.
        expected = counts.get(name, len(entries))
        complete = len(resolved.entries) == len(entries) == expected
        line = f'{name:40} {len(resolved.entries):6} of {expected:6} videos'
        if resolved.missing:
            line += f', missing e.g. {resolved.missing[0]}'
        if resolved.ambiguous:
            line += f', found more than once e.g. {resolved.ambiguous[0]}'
        if resolved.entries and (allow_missing or complete):
            write_list(target / name, resolved.entries, overwrite)
        else:
            line += ' (not written)'
        yield line, complete
