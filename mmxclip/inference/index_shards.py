"""The shards of an index: windows of films, and how few large ones come of many.

A shard holds, for n windows, ``embeddings`` (n, E), float16, of length one; ``times``
(n, 2), float64, seconds; and perhaps ``context`` (n, L, E), float16, for the prompts.
Its metadata lists the films that it is of, each with its number of windows, in order.
Its name is the digest of its content.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmxclip.inference.index_store import FilmFile, IndexedFilm, Manifest
from mmxclip.inference.storage import Storage

SHARDS = 'shards'
_BYTES = 256 << 20  # of a shard, about
_NAME = re.compile('[0-9a-f]{32}[.]safetensors')
Tensors: TypeAlias = dict[str, Tensor]
Part: TypeAlias = tuple[IndexedFilm, Tensors]  # a film with its windows


@dataclass(frozen=True)
class Shard:
    """Windows of some films, memory-mapped.

    Attributes:
        name: Of the file.
        key: Of the settings of its index.
        films: The films.
        tensors: See the module.
    """

    name: str
    key: str
    films: Sequence[IndexedFilm]
    tensors: Tensors

    def __len__(self) -> int:
        return len(self.tensors['times'])

    @property
    def is_full(self) -> bool:
        """Whether it stays as it is."""
        return _size(self.tensors) >= _BYTES // 2

    def parts(self) -> Iterator[Part]:
        """Go through the films with their windows."""
        first = 0
        for film in self.films:
            last = first + film.windows
            yield film, {name: t[first:last] for name, t in self.tensors.items()}
            first = last


def write_shard(storage: Storage, key: str, parts: Sequence[Part]) -> str:
    """Write a shard; the same content has the same name.

    Args:
        storage: The index.
        key: Of its settings.
        parts: Films with their windows.

    Returns:
        Its name.
    """
    from safetensors.torch import save  # noqa: PLC0415 (slow to import)

    # As one text: safetensors writes several in an order that chance gives.
    about = json.dumps(dict(key=key, films=[film for film, _ in parts]))
    data = save(concatenate([tensors for _, tensors in parts]), dict(index=about))
    name = _name_of(data)
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
        with safe_open(path, 'pt') as file:  # which has the length that it says
            about = json.loads(file.metadata()['index'])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        films = [
            IndexedFilm(FilmFile(*film), windows, problem)
            for film, windows, problem in about['films']
        ]
        _check(tensors, sum(film.windows for film in films))
    except PermissionError:
        raise
    except Exception as error:  # safetensors has a type of its own, backends too
        raise damaged(storage, name, str(error)) from error
    return Shard(name, about['key'], films, tensors)


def _check(tensors: Tensors, windows: int) -> None:
    if {len(tensor) for tensor in tensors.values()} != {windows}:
        raise ValueError('its parts differ in length')
    for name, dtype in dict(embeddings=torch.float16, times=torch.float64).items():
        if tensors[name].ndim != 2 or tensors[name].dtype != dtype:
            raise ValueError(f'{name} are no windows')


def damaged(storage: Storage, name: str, reason: str) -> ValueError:
    """Return an error that names a shard and the cure."""
    return ValueError(
        f'{storage.path(name)} is damaged or missing ({reason}); remove it and run '
        'tools/index.py again, which makes what is in it anew'
    )


def open_shards(storage: Storage, manifest: Manifest, undo: ExitStack) -> list[Shard]:
    """Open all shards, also those of a call that was stopped.

    Damaged ones are removed, with a warning. A full one that counts is read no more:
    its content was compared with its name when it came to count.

    Args:
        storage: The index.
        manifest: What counts.
        undo: Removes copies that had to be made.

    Raises:
        ValueError: One is of other settings.
    """
    shards = []
    for file in filter(_NAME.fullmatch, storage.names(SHARDS)):
        name = f'{SHARDS}/{file}'
        try:
            shard = read_shard(storage, name, undo)
            counts = name in manifest.shards and shard.is_full
            if not counts and _name_of(storage.read(name)) != name:
                raise damaged(storage, name, 'its content is not that of its name')
        except ValueError:
            print_log(
                f'{storage.path(name)} is damaged: what was in it is made anew',
                logger='current',
                level=logging.WARNING,
            )
            storage.remove(name)
            continue
        if shard.key != manifest.settings.key:
            raise ValueError(
                f'{storage.path(name)} is of another model, pipeline or window; give '
                'another --out, or use what it was made with'
            )
        shards.append(shard)
    return shards


def pack(
    storage: Storage, manifest: Manifest, shards: Sequence[Shard], films: list[FilmFile]
) -> tuple[Manifest, list[IndexedFilm]]:
    """Make few large shards of many, without films that are gone, and count these.

    A search sees what was there before, or all of the new.

    Args:
        storage: The index.
        manifest: What it is, with the shards that have counted so far.
        shards: All that there are.
        films: What it is to hold.

    Returns:
        tuple: The new manifest, which is written, and the films.
    """
    rest = set(films)
    kept = []
    for shard in shards:
        files = {film.file for film in shard.films}
        if shard.name in manifest.shards and shard.is_full and files <= rest:
            kept.append(shard)
            rest -= files
    loose: dict[FilmFile, Part] = {}
    for film, tensors in (part for shard in shards for part in shard.parts()):
        if film.file in rest:
            loose.setdefault(film.file, (film, tensors))
    groups = list(_groups(loose[file] for file in sorted(loose)))
    names = [shard.name for shard in kept]
    names += [write_shard(storage, manifest.settings.key, group) for group in groups]
    indexed = [film for shard in kept for film in shard.films]
    indexed += [film for group in groups for film, _ in group]
    found = {film.file.path: film.problem for film in indexed if film.problem}
    problems = dict(sorted((found | dict(manifest.problems)).items()))
    if sorted(names) != [*manifest.shards]:
        manifest = replace(manifest, approximate=None)
    manifest = replace(manifest, shards=sorted(names), problems=problems)
    manifest.write(storage)
    for shard in shards:
        if shard.name not in names:
            storage.remove(shard.name)
    return manifest, indexed


def concatenate(parts: Sequence[Tensors]) -> Tensors:
    """Join windows of films, of which some have none."""
    filled = [part for part in parts if len(part['times'])] or parts[:1]
    return {name: torch.cat([part[name] for part in filled]) for name in filled[0]}


def _groups(parts: Iterable[Part]) -> Iterator[list[Part]]:
    group, size = [], 0
    for part in parts:
        group.append(part)
        size += _size(part[1])
        if size >= _BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _size(tensors: Tensors) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def _name_of(data: bytes) -> str:
    return f'{SHARDS}/{hashlib.sha256(data).hexdigest()[:32]}.safetensors'
