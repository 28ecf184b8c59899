"""Re-encode a folder of videos so that training reads them several times faster.

    python tools/data/prepare_videos.py data/kinetics400/videos_original \
        data/kinetics400/videos

Short side 256, a key frame every 12 frames, H.264 in .mp4 without sound, all frames
kept; docs/performance.md has what that gains and costs. Folders stay as they are.
Run it again after an interruption or with new videos: what is done is not done again.
Broken videos are listed, are not written, and make the exit status 1. Then make the
lists anew with tools/data/prepare.py, which finds videos whatever their suffix.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from mmxclip.datasets.lists.video_files import find_videos as find

SETTINGS_FILE = 'prepared.json'


@dataclass(frozen=True)
class Settings:
    """How videos are encoded."""

    short_side: int
    gop: int
    crf: int
    preset: str

    @property
    def scaling(self) -> str:
        """Filter that gives the short side; smaller videos keep their size."""
        size = self.short_side
        # H.264 with 4:2:0 colours has even sizes only.
        return (
            f"scale=w='if(lte(iw,ih),trunc(min({size},iw)/2)*2,-2)'"
            f":h='if(lte(iw,ih),-2,trunc(min({size},ih)/2)*2)':flags=bicubic"
        )

    @property
    def encoding(self) -> list[str]:
        """Arguments of ffmpeg for the output."""
        codec = f'-c:v libx264 -preset {self.preset} -crf {self.crf} -pix_fmt yuv420p'
        # Without B-frames a frame needs no later one; regular key frames only.
        frames = f'-g {self.gop} -bf 0 -sc_threshold 0 -fps_mode passthrough'
        return f'{codec} {frames} -threads 1 -movflags +faststart -f mp4'.split()


@dataclass
class Outcome:
    """What became of a video."""

    source: Path
    target: Path
    error: str = ''
    psnr: float | None = None


class Encoder:
    """Encode videos of one folder into another.

    Args:
        ffmpeg: The command.
        settings: Of the output.
        psnr: Whether to compare the output with the scaled original.
    """

    def __init__(self, ffmpeg: str, settings: Settings, *, psnr: bool) -> None:
        self.ffmpeg = ffmpeg
        self.settings = settings
        self.psnr = psnr

    def __call__(self, source: Path, target: Path) -> Outcome:
        """Encode one video; the target appears when it is complete."""
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f'{target.name}.part')
        reading = ['-xerror', '-i', str(source), '-map', '0:v:0', '-an', '-sn', '-dn']
        scaling = ['-vf', self.settings.scaling]
        try:
            self._run([*reading, *scaling, *self.settings.encoding, str(part)])
            outcome = Outcome(source, target)
            if self.psnr:
                outcome.psnr = self._compare(part, source)
            part.replace(target)
        except (ValueError, OSError) as error:
            return Outcome(source, target, error=str(error))
        finally:
            part.unlink(missing_ok=True)
        return outcome

    def _compare(self, part: Path, source: Path) -> float:
        # Frame by frame, not by time: an mp4 rounds its time stamps.
        filters = (
            f'[0:v:0]settb=1,setpts=N[new];'
            f'[1:v:0]{self.settings.scaling},settb=1,setpts=N[old];[new][old]psnr'
        )
        inputs = ['-i', str(part), '-i', str(source)]
        text = self._run(
            ['-loglevel', 'info', *inputs, '-lavfi', filters, '-f', 'null', '-']
        )
        found = re.search(r'PSNR.* average:([\d.]+|inf)', text)
        if found is None:
            raise ValueError('ffmpeg gave no PSNR')
        return float(found[1])

    def _run(self, args: list[str]) -> str:
        command = [self.ffmpeg, '-y', '-nostdin', '-loglevel', 'error', *args]
        # A title is quoted as it stands in the file, in whatever encoding.
        done = subprocess.run(
            command,
            capture_output=True,
            encoding='utf-8',
            errors='replace',
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ['no message']
            raise ValueError(f'ffmpeg: {lines[0][-200:]}')
        return done.stderr


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, help='folder of the videos as they are')
    parser.add_argument('target', type=Path, help='folder of the new videos')
    parser.add_argument('--short-side', type=int, default=256, help='pixels, at most')
    parser.add_argument('--gop', type=int, default=12, help='frames per key frame')
    parser.add_argument('--crf', type=int, default=20, help='less is better, bigger')
    parser.add_argument('--preset', default='veryfast', help='of x264')
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count() or 1, help='videos at a time'
    )
    parser.add_argument(
        '--psnr', action='store_true', help='measure the loss (takes longer)'
    )
    parser.add_argument('--ffmpeg', help='command (default: that of imageio-ffmpeg)')
    args = parser.parse_args()
    if not args.source.is_dir():
        parser.error(f'{args.source} is not a folder')
    if args.target.resolve().is_relative_to(args.source.resolve()):
        parser.error('TARGET must not lie inside SOURCE: it would be read, too')
    if args.ffmpeg and not shutil.which(args.ffmpeg):
        parser.error(f'--ffmpeg {args.ffmpeg}: there is no such command')
    for name in ('short_side', 'gop', 'workers'):
        if getattr(args, name) < 1:
            parser.error(f'{name} must be at least 1, got {getattr(args, name)}')
    return args


def find_videos(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Return the videos below a folder, and what they become."""
    pairs: dict[Path, Path] = {}
    for path in find(source).paths:
        new = target / path.relative_to(source).with_suffix('.mp4')
        if new in pairs:
            raise SystemExit(f'{pairs[new]} and {path} would both become {new}')
        pairs[new] = path
    return [(path, new) for new, path in pairs.items()]


def remember(settings: Settings, target: Path) -> None:
    """Keep videos of different settings out of one folder."""
    path = target / SETTINGS_FILE
    given = asdict(settings)
    if path.exists():
        before = json.loads(path.read_text())
        if before != given:
            raise SystemExit(
                f'{target} holds videos made with {before}, not {given}; take those '
                'settings or another folder'
            )
        return
    target.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(given) + '\n')


def encode_all(
    encoder: Encoder, pairs: list[tuple[Path, Path]], workers: int
) -> Iterator[Outcome]:
    """Encode in parallel, with a progress bar."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    pool = ThreadPoolExecutor(workers)
    try:
        tasks: list[Future] = [pool.submit(encoder, *pair) for pair in pairs]
        with Progress(*columns) as progress:
            for task in progress.track(as_completed(tasks), total=len(tasks)):
                yield task.result()
    finally:
        pool.shutdown(cancel_futures=True)


def megabytes(paths: list[Path]) -> str:
    """Return the size of files."""
    return f'{sum(path.stat().st_size for path in paths) / 1e6:.1f} MB'


def main() -> int:
    """Encode what is not there yet, and report."""
    args = parse_args()
    encoder = Encoder(
        args.ffmpeg or get_ffmpeg_exe(),
        Settings(args.short_side, args.gop, args.crf, args.preset),
        psnr=args.psnr,
    )
    pairs = find_videos(args.source, args.target)
    if not pairs:
        raise SystemExit(f'no videos below {args.source}')
    remember(encoder.settings, args.target)
    todo = [(old, new) for old, new in pairs if not is_done(old, new)]
    print(f'{len(pairs)} videos, {len(pairs) - len(todo)} of them done before')
    outcomes = list(encode_all(encoder, todo, args.workers))
    broken = sorted((o for o in outcomes if o.error), key=lambda o: o.source)
    for outcome in broken:
        print(f'broken: {outcome.source} ({outcome.error})')
    lost = {outcome.source for outcome in broken}
    made = [(old, new) for old, new in pairs if old not in lost]
    before, after = megabytes([o for o, _ in made]), megabytes([n for _, n in made])
    print(f'{len(made)} videos in {args.target}: {after}, before {before}')
    psnr = sorted(o.psnr for o in outcomes if o.psnr is not None)
    if psnr:
        mean = sum(psnr) / len(psnr)
        print(f'PSNR: mean {mean:.1f} dB, least {psnr[0]:.1f} dB')
    return 1 if broken else 0


def is_done(source: Path, target: Path) -> bool:
    """Whether the new video is there, and made from this source."""
    if not (target.exists() and source.exists()):  # a link may lead nowhere
        return False
    return target.stat().st_mtime >= source.stat().st_mtime


if __name__ == '__main__':
    sys.exit(main())
