"""The format of an index of films: its description, and shards of windows.

An index is a folder::

    index.json                  what it was made with, and the shards that count
    shards/DIGEST.safetensors   windows of some films

A shard holds, for n windows, ``embeddings`` (n, E), float16, of length one; ``times``
(n, 2), float64, seconds; and perhaps ``context`` (n, L, E), float16, for the prompts.
Its metadata lists the films that it is of, each with its number of windows, in order.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from mmxclip.inference.storage import Storage

FORMAT = 1
MANIFEST = 'index.json'
SHARDS = 'shards'
Tensors: TypeAlias = dict[str, Tensor]


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
        differ = [name for name in mine if mine[name] != given[name]]
        if differ:
            reasons = [
                _REASONS[name].format(mine[name], given[name]) for name in differ
            ]
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


@dataclass(frozen=True)
class Shard:
    """Windows of some films, memory-mapped.

    Attributes:
        name: Of the file.
        key: Of the settings.
        films: The films.
        tensors: See the module.
    """

    name: str
    key: str
    films: Sequence[IndexedFilm]
    tensors: Tensors

    def __len__(self) -> int:
        return len(self.tensors['times'])

    def parts(self) -> Iterable[tuple[IndexedFilm, Tensors]]:
        """Go through the films with their windows."""
        first = 0
        for film in self.films:
            last = first + film.windows
            yield film, {name: t[first:last] for name, t in self.tensors.items()}
            first = last


def write_shard(
    storage: Storage, key: str, films: Sequence[IndexedFilm], tensors: Tensors
) -> str:
    """Write a shard; the same content has the same name.

    Args:
        storage: The index.
        key: Of its settings.
        films: The films.
        tensors: Their windows, see the module.

    Returns:
        Its name.
    """
    from safetensors.torch import save  # noqa: PLC0415 (slow to import)

    # As one text: safetensors writes several in an order that chance gives.
    data = save(tensors, dict(index=json.dumps(dict(key=key, films=films))))
    name = f'{SHARDS}/{hashlib.sha256(data).hexdigest()[:32]}.safetensors'
    storage.write(name, data)
    return name


def read_shard(storage: Storage, name: str, undo: ExitStack) -> Shard:
    """Open a shard; its windows are read when they are needed.

    Args:
        storage: The index.
        name: The shard.
        undo: Removes a copy that had to be made.

    Raises:
        ValueError: It is damaged or not there.
    """
    from safetensors import safe_open  # noqa: PLC0415 (slow to import)

    try:
        path = undo.enter_context(storage.local_copy(name))
        with safe_open(path, 'pt') as file:
            about = json.loads(file.metadata()['index'])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        films = [
            IndexedFilm(FilmFile(*film), windows, problem)
            for film, windows, problem in about['films']
        ]
        shard = Shard(name, about['key'], films, tensors)
        if {len(t) for t in tensors.values()} != {sum(f.windows for f in films)}:
            raise ValueError('its parts differ in length')
        _check_types(tensors)
    except PermissionError:
        raise
    except Exception as error:  # safetensors has a type of its own, backends too
        raise damaged(storage, name, str(error)) from error
    return shard


def damaged(storage: Storage, name: str, reason: str) -> ValueError:
    """Return an error that names a shard and the cure."""
    return ValueError(
        f'{storage.path(name)} is damaged or missing ({reason}); run tools/index.py '
        'again, which makes what is in it anew'
    )


def is_intact(storage: Storage, name: str) -> bool:
    """Whether a shard has the content that its name is the digest of."""
    digest = hashlib.sha256(storage.read(name)).hexdigest()[:32]
    return name == f'{SHARDS}/{digest}.safetensors'


def _check_types(tensors: Tensors) -> None:
    types = {'embeddings': torch.float16, 'times': torch.float64}
    for name, dtype in types.items():
        if tensors[name].ndim != 2 or tensors[name].dtype != dtype:
            raise ValueError(f'{name} are no windows')
