"""What counts as a video file."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Of all that FFmpeg reads as video; what a file really holds shows when it is opened.
_SUFFIXES = """
264 265 266 3g2 3gp 3gpp amv apng apv asf av1 avc avi cavs dav divx dnxhd dnxhr drc dv
dvd dvr-ms evc f4v flv gif gxf h261 h263 h264 h265 h266 hevc ismv ivf m1v m2p m2t m2ts
m2v m4v mj2 mjpeg mjpg mk3d mkv mod moflex mov mp4 mpe mpeg mpg mpv mts mxf nsv nut obu
ogg ogm ogv ogx qt rm rmvb roq swf tod tp trp ts vc1 viv vob vro vvc webm wmv wtv xvid
y4m
"""
VIDEO_SUFFIXES = frozenset(f'.{suffix}' for suffix in _SUFFIXES.split())


def is_video_name(name: str) -> bool:
    """Whether a file is called as videos are."""
    return os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES


@dataclass
class FoundVideos:
    """The videos below a folder, and why other files are not among them."""

    paths: list[Path] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        kinds = (f'{n} {kind}' for kind, n in sorted(self.left_out.items()))
        left_out = f' (left out: {", ".join(kinds)})' if self.left_out else ''
        return f'{len(self.paths) or "no"} videos{left_out}'


def find_videos(root: Path) -> FoundVideos:
    """Find the videos below a folder by their endings, links to folders followed.

    Hidden files, such as those that macOS puts beside others, and what is no regular
    file are left out, and names that no list can hold.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not root.is_dir():
        raise FileNotFoundError(f'no folder of videos at {str(root)!r}')
    found = FoundVideos()
    paths = (Path(folder, name) for folder, names in walk(root) for name in names)
    for path in paths:
        reason = _why_not(path, path.relative_to(root))
        if reason:
            found.left_out[reason] += 1
        else:
            found.paths.append(path)
    found.paths.sort()
    return found


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Go through a folder and all below it but hidden ones, links followed.

    Yields:
        A folder, and the names of its files, sorted; its subfolders follow by name.
    """
    for folder, subfolders, names in os.walk(root, followlinks=True):
        # A link back to where we come from would be followed again and again.
        place = Path(os.path.normpath(folder))  # without '..', which is no child
        above = {path.resolve() for path in (place, *place.parents)}
        subfolders[:] = sorted(
            name
            for name in subfolders
            if not name.startswith('.') and Path(folder, name).resolve() not in above
        )
        yield Path(folder), sorted(names)


def _why_not(path: Path, place: Path) -> str:
    """Why a file is no video of a data set; empty if it is one."""
    if path.name.startswith('.'):
        return 'hidden'
    if not is_video_name(path.name):
        return path.suffix.lower() or 'without ending'
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return 'no regular files'
    except OSError:  # a link that leads nowhere: to be told, not left out
        pass
    name = place.as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        return 'with a name that is not UTF-8'
    if name != name.strip() or any(end in name for end in '\r\n'):
        return 'with a name that no list can hold'
    return ''
