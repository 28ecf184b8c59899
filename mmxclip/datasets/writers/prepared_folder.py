"""A folder of videos, encoded anew into another."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from mmxclip.datasets.lists.video_files import FoundVideos, find_videos
from mmxclip.datasets.writers.reencoding import Outcome, Reencoder, Settings
from mmxclip.utils.files import sweep, write_text
from mmxclip.utils.processes import Lost, map_isolated, with_progress

SETTINGS_FILE = 'prepared.json'


class PreparedFolder:
    """The videos of a folder, encoded anew, each under its own name in another.

    Args:
        source: Folder of the videos as they are.
        target: Folder of the new ones.
        settings: How to encode.

    Raises:
        FileNotFoundError: There is no source.
        ValueError: It holds no video, or two that would get one name; the target lies
            in the source, or holds videos made with other settings.
    """

    def __init__(self, source: Path, target: Path, settings: Settings) -> None:
        if target.resolve().is_relative_to(source.resolve()):
            raise ValueError(
                f'{target} must not lie inside {source}: it would be read, too'
            )
        self.settings = settings
        self.target = target
        self.found: FoundVideos = find_videos(source)
        if not self.found.paths:
            raise ValueError(f'{self.found} below {source}')
        self.pairs: list[tuple[Path, Path]] = []
        places: dict[Path, Path] = {}
        for path in self.found.paths:
            new = target / path.relative_to(source).with_suffix('.mp4')
            if new in places:
                raise ValueError(f'{places[new]} and {path} would both become {new}')
            places[new] = path
            self.pairs.append((path, new))
        self._remember()

    def _remember(self) -> None:
        """Keep videos of different settings out of one folder."""
        path = self.target / SETTINGS_FILE
        given = json.dumps(asdict(self.settings)) + '\n'
        try:
            write_text(path, given)
        except FileExistsError as error:
            raise ValueError(
                f'{self.target} holds videos made with {path.read_text().strip()}, not '
                f'{given.strip()}; take those settings or another folder'
            ) from error

    def missing(self) -> list[tuple[Path, Path]]:
        """Paths of the old and the new video of all that are not done."""
        return [pair for pair in self.pairs if not _is_done(*pair)]

    def encode(
        self, pairs: list[tuple[Path, Path]], *, workers: int, psnr: bool = False
    ) -> Iterator[tuple[Path, Outcome]]:
        """Encode videos in parallel, with a progress bar.

        Yields:
            The old video and what became of it, also where a decoder crashed.

        Raises:
            OSError: The new ones cannot be written.
        """
        encoder = Reencoder(self.settings, psnr=psnr)
        results = map_isolated(encoder, pairs, workers=workers)
        for place, outcome in with_progress(results, len(pairs)):
            source = pairs[place][0]
            lost = isinstance(outcome, Lost)
            reason = f'{source} {outcome.reason}' if lost else ''
            yield source, Outcome(error=reason) if lost else outcome

    def report(self, encoded: Sequence[tuple[Path, Outcome]]) -> Iterator[str]:
        """Say what became of videos that were encoded, and what there is now."""
        yield from (f'broken: {o.error}' for _, o in encoded if o.error)
        yield from (
            f'short: {path} ({o.shortfall})' for path, o in encoded if o.shortfall
        )
        broken = {path for path, outcome in encoded if outcome.error}
        made = [pair for pair in self.pairs if pair[0] not in broken]
        before = _megabytes(old for old, _ in made)
        after = _megabytes(new for _, new in made)
        read, written = (
            sum(getattr(o, name) for _, o in encoded) for name in ('frames', 'written')
        )
        yield (
            f'{len(made)} videos in {self.target}: {after:.1f} MB, before {before:.1f} '
            f'MB; {written} frames written of {read} read'
        )
        psnr = [o.psnr for _, o in encoded if o.psnr is not None]
        if psnr:
            mean = sum(psnr) / len(psnr)
            yield f'PSNR: mean {mean:.1f} dB, least {min(psnr):.1f} dB'


def _megabytes(paths: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 1e6


def _is_done(source: Path, target: Path) -> bool:
    """Whether the new video is there, and made from this source."""
    if not (target.exists() and source.exists()):  # a link may lead nowhere
        return False
    sweep(target)
    return target.stat().st_mtime >= source.stat().st_mtime
