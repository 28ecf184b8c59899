"""What one user may ask for, so that others need not wait for ever."""

import os
from dataclasses import dataclass
from pathlib import Path

from mmxclip.inference.labels import separate_names
from mmxclip.inference.windows import open_film
from mmxclip.text import load_class_names


@dataclass(frozen=True)
class Limits:
    """Limits of one request.

    Args:
        megabytes: Of a video.
        seconds: Of a video.
        words: Texts that a video is compared with.
        characters: Of one text.
        waiting: Requests that wait for the model at once.

    Raises:
        ValueError: One of them is not above 0.
    """

    megabytes: float = 200
    seconds: float = 600
    words: int = 100
    characters: int = 200
    waiting: int = 20

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f'the limit {name} must be above 0, got {value}')

    def check_clip(self, path: str | None) -> str:
        """Return the path of a video that is short and small enough.

        Raises:
            VideoError: It is no video.
            ValueError: There is none, or it is too large or too long.
        """
        if path is None:
            raise ValueError('choose a video first')
        name, size = Path(path).name, os.path.getsize(path) / 1e6
        if size > self.megabytes:
            raise ValueError(
                f'{name} has {size:.1f} MB; at most {self.megabytes:g} MB are allowed'
            )
        with open_film(path) as film:
            duration = film.duration
        if not duration:
            raise ValueError(
                f'{name} does not tell how long it is; save it as MP4 or WebM'
            )
        if duration > self.seconds:
            raise ValueError(
                f'{name} lasts {duration:.1f} s; at most {self.seconds:g} s are allowed'
            )
        return path

    def check_words(self, text: str | None, *, least: int = 2) -> list[str]:
        """Return the texts that stand between commas or in lines; no file is read.

        Args:
            text: What a user has typed.
            least: How many texts there must be.

        Raises:
            ValueError: They are too few, too many, too long or not all different.
        """
        lines = (text or '').splitlines()
        names = [name for line in lines for name in separate_names(line, 'the list')]
        if len(names) < least:
            raise ValueError(
                f'type {least} texts or more, with commas or in lines; got {len(names)}'
            )
        if len(names) > self.words:
            raise ValueError(
                f'{len(names)} texts are given; at most {self.words} are allowed'
            )
        for name in names:
            if len(name) > self.characters:
                raise ValueError(
                    f'the text that begins {name[:30]!r} has {len(name)} characters; '
                    f'at most {self.characters} are allowed'
                )
        return load_class_names(names) if names else []
