"""The description of an index of films: what it was made with, and what counts.

An index is a folder::

    index.json                  the description
    shards/DIGEST.safetensors   windows of some films, see index_shards.py
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from mmxclip.inference.storage import Storage

FORMAT = 1
MANIFEST = 'index.json'


class FilmFile(NamedTuple):
    """A film and its state: the same three are taken for the same film.

    Attributes:
        path: Below the folder of films.
        size: Bytes; None where it is not told, as by object stores.
        modified: Nanoseconds since 1970; likewise.
    """

    path: str
    size: int | None = None
    modified: int | None = None


class IndexedFilm(NamedTuple):
    """What an index has of a film.

    Attributes:
        file: The film.
        windows: How many.
        problem: Why it has none, or not all.
    """

    file: FilmFile
    windows: int
    problem: str = ''


@dataclass(frozen=True)
class Settings:
    """What windows of one index have in common; of others they mean something else.

    Attributes:
        weights: Digest of all weights of the model.
        model: Digest of its settings.
        pipeline: Digest of the steps that prepare a window.
        window: Seconds.
        stride: Seconds.
        context: Whether it has what the prompts need.
    """

    weights: str
    model: str
    pipeline: str
    window: float
    stride: float
    context: bool

    @property
    def key(self) -> str:
        """A digest of all."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:32]

    def check(self, other: 'Settings', where: str) -> None:
        """Raise a ValueError unless these, of an index, are those of a model.

        Args:
            other: What is to be used with it.
            where: The index.
        """
        mine, given = asdict(self), asdict(other)
        reasons = [
            reason.format(mine[name], given[name])
            for name, reason in _REASONS.items()
            if mine[name] != given[name]
        ]
        if reasons:
            raise ValueError(
                f'{where} is of another kind: {"; ".join(reasons)}. Use what it was '
                'made with, or make another index (--out)'
            )


_REASONS = dict(
    weights='its model has other weights',
    model='its model has other settings',
    pipeline='its windows were prepared by another pipeline',
    window='its windows have {} s, not {} s',
    stride='its windows start every {} s, not every {} s',
    context='its --context is {}, not {}',
)


@dataclass(frozen=True)
class Manifest:
    """The content of ``index.json``.

    Attributes:
        folder: Where the films are.
        settings: See there.
        model: Names of config and checkpoint, for those who search.
        shards: Names of the shards that count.
        problems: Films that could not be read, or not all of them, and why.
        approximate: ``probes`` and ``recall`` of the approximate search, if it has one
            for these shards.
    """

    folder: str
    settings: Settings
    model: Mapping[str, str | None] = field(default_factory=dict)
    shards: Sequence[str] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    approximate: Mapping[str, Any] | None = None

    def write(self, storage: Storage) -> None:
        """Write it into an index."""
        text = json.dumps(dict(format=FORMAT) | asdict(self), indent=1)
        storage.write(MANIFEST, text.encode())

    @classmethod
    def read(cls, storage: Storage) -> 'Manifest':
        """Read it from an index.

        Raises:
            FileNotFoundError: It is not there.
            ValueError: It is damaged, or of a later version.
        """
        where = storage.path(MANIFEST)
        if not storage.exists(MANIFEST):
            raise FileNotFoundError(
                f'{where} is missing: {storage.root} is no index, or it has never been '
                'completed; run tools/index.py, which keeps what is there'
            )
        try:
            content = json.loads(storage.read(MANIFEST))
            version = content.pop('format')
            if version == FORMAT:
                settings = Settings(**content.pop('settings'))
                return cls(settings=settings, **content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f'{where} cannot be read ({error}); remove it and run tools/index.py '
                'again, which keeps the shards'
            ) from error
        raise ValueError(
            f'{where} has format {version!r}, and {FORMAT} is read here; use the '
            'version of mmxclip that wrote it, or make another index'
        )
