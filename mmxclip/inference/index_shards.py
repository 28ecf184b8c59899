"""The shards of an index: which hold what, and how few large ones come of many."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import torch
from mmengine.logging import print_log

from mmxclip.inference.index_store import (
    MANIFEST,
    SHARDS,
    FilmFile,
    IndexedFilm,
    Manifest,
    Shard,
    Tensors,
    is_intact,
    read_shard,
    write_shard,
)
from mmxclip.inference.storage import Storage

_BYTES = 256 << 20  # of a shard, about

_NAME = re.compile('[0-9a-f]{32}[.]safetensors')


def open_manifest(storage: Storage, new: Manifest) -> Manifest:
    """Return what an index has been so far, or a new one.

    Args:
        storage: The index.
        new: What it is to be.

    Raises:
        ValueError: It is of another model, pipeline or window, or damaged.
    """
    if not storage.exists(MANIFEST):
        return new
    old = Manifest.read(storage)
    old.settings.check(new.settings, storage.root)
    return replace(new, shards=old.shards, approximate=old.approximate)


def open_shards(storage: Storage, key: str, undo: ExitStack) -> list[Shard]:
    """Open all shards, also those of a call that was stopped.

    Args:
        storage: The index.
        key: Of its settings.
        undo: Removes copies that had to be made.

    Raises:
        ValueError: One is of other settings.
    """
    names = [f'{SHARDS}/{n}' for n in storage.names(SHARDS) if _NAME.fullmatch(n)]
    shards = [read_shard(storage, name, undo) for name in names]
    for shard in shards:
        if shard.key != key:
            raise ValueError(
                f'{storage.path(shard.name)} is of another model, pipeline or window; '
                'give another --out, or use what it was made with'
            )
    return shards


def remove_damaged(storage: Storage) -> None:
    """Remove shards that are not as they were written, with a warning."""
    for name in storage.names(SHARDS):
        path = f'{SHARDS}/{name}'
        if _NAME.fullmatch(name) and not is_intact(storage, path):
            print_log(
                f'{storage.path(path)} is damaged: what was in it is made anew',
                logger='current',
                level=logging.WARNING,
            )
            storage.remove(path)


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
    kept = [shard for shard in shards if shard.name in manifest.shards]
    kept = [shard for shard in kept if _is_full(shard) and _take(shard, rest)]
    names = [shard.name for shard in kept]
    indexed = [film for shard in kept for film in shard.films]
    loose: dict[FilmFile, tuple[IndexedFilm, Tensors]] = {}
    for shard in shards:
        for film, tensors in shard.parts():
            if film.file in rest:
                loose.setdefault(film.file, (film, tensors))
    parts = [loose[file] for file in sorted(loose)]
    for group in _groups(parts):
        of_group = [film for film, _ in group]
        tensors = concatenate([tensors for _, tensors in group])
        names.append(write_shard(storage, manifest.settings.key, of_group, tensors))
        indexed += of_group
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


def _is_full(shard: Shard) -> bool:
    return sum(map(_size, shard.tensors.values())) >= _BYTES // 2


def _take(shard: Shard, rest: set[FilmFile]) -> bool:
    """Take the films of a shard out of the rest, if all of them are in it."""
    files = {film.file for film in shard.films}
    if not files <= rest:
        return False
    rest -= files
    return True


def _groups(
    parts: Sequence[tuple[IndexedFilm, Tensors]],
) -> Iterator[list[tuple[IndexedFilm, Tensors]]]:
    group, size = [], 0
    for film, tensors in parts:
        group.append((film, tensors))
        size += sum(map(_size, tensors.values()))
        if size >= _BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
