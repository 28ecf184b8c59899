"""Indexing films: the embeddings of all their windows, for searches by words."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.dist import all_gather_object, broadcast_object_list, get_dist_info

from mmxclip.datasets import VideoError
from mmxclip.inference.encoding import encode_samples, settings_of
from mmxclip.inference.films import find_films, path_of
from mmxclip.inference.index_shards import (
    concatenate,
    open_manifest,
    open_shards,
    pack,
    remove_damaged,
)
from mmxclip.inference.index_store import (
    SHARDS,
    FilmFile,
    IndexedFilm,
    Manifest,
    Settings,
    Tensors,
    write_shard,
)
from mmxclip.inference.storage import Storage
from mmxclip.inference.windows import Place, WindowPipeline, film_windows, open_film
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.utils.checks import check_count
from mmxclip.utils.processes import Track, untracked

_SECONDS = 60.0  # of work at most that a process loses when it is killed


@dataclass(frozen=True)
class IndexReport:
    """What became of the films.

    Attributes:
        films: How many the index has.
        windows: How many they have.
        new: Films that were not in it.
        changed: Films that were, in another state.
        removed: Films that were and are gone.
        problems: Films that could not be read, or not all of them, and why.
    """

    films: int
    windows: int
    new: int
    changed: int
    removed: int
    problems: Mapping[str, str] = field(default_factory=dict)


def build_index(
    inferencer: XCLIPInferencer,
    folder: str,
    out: str,
    *,
    window: float = 4.0,
    stride: float = 1.0,
    context: bool = False,
    batch_size: int = 8,
    model: Mapping[str, str | None] | None = None,
    track: Track = untracked,
) -> IndexReport:
    """Index all films below a folder, or bring their index up to date.

    Only films that are new or have changed are looked at. What has been done is kept
    when it is stopped: the next call goes on. In processes that torchrun has started,
    each takes a part of the films; the index is the same to the last bit.

    Args:
        inferencer: The model.
        folder: Of the films: a path, or an address such as ``s3://bucket/films``.
        out: Folder of the index, likewise.
        window: Seconds that the model sees at once.
        stride: Seconds from the start of one window to that of the next.
        context: Whether to keep what the prompts need, so that searches rank the best
            hits by them; many times the size.
        batch_size: Windows of a film that go through the model at once.
        model: Names of config and checkpoint, which searches then take by themselves.
        track: Gets the films to do, and their number, such as
            :func:`with_progress`.

    Returns:
        What became of the films, in every process.

    Raises:
        OSError: Films or index cannot be read or written.
        ValueError: The index is of another model, pipeline or window, or of other
            films; there are no films; a setting is wrong.
    """
    if context and not _needs_context(inferencer):
        raise ValueError(
            'the prompts of this model look at nothing of a video; leave out --context'
        )
    check_count('batch_size', batch_size)
    settings = settings_of(inferencer, window=window, stride=stride, context=context)
    storage = Storage(out)
    rank, processes = get_dist_info()
    plan: list[Any] = [None, None]
    if rank == 0:
        plan = [*_plan(storage, Manifest(folder, settings, model or {}))]
    broadcast_object_list(plan)
    films, known = plan
    to_do = [film for film in films if film not in known][rank::processes]
    index_film = _FilmIndexer(inferencer, folder, settings, batch_size)
    numbered: Iterable[FilmFile] = to_do
    if rank == 0 and to_do:
        numbered = track(to_do, len(to_do))
    failed = _index_films(numbered, index_film, storage)
    failures = {name: why for part in all_gather_object(failed) for name, why in part}
    report: list[Any] = [None]
    if rank == 0:
        new = Manifest(folder, settings, model or {}, problems=failures)
        report = [_finish(storage, new, films, known)]
    broadcast_object_list(report)
    return report[0]


def _plan(storage: Storage, new: Manifest) -> tuple[list[FilmFile], set[FilmFile]]:
    """Return all films, and those that the index has.

    Raises:
        ValueError: The index is of other films, or of another model.
    """
    films = find_films(new.folder)
    manifest = open_manifest(storage, new)
    remove_damaged(storage)
    with ExitStack() as undo:
        shards = open_shards(storage, new.settings.key, undo)
        known = {film.file for shard in shards for film in shard.films}
    paths = {film.path for film in films}
    if known and not any(film.path in paths for film in known):
        raise ValueError(
            f'{storage.root} is of {len(known)} films, such as {min(known).path}, none '
            f'of which is in {new.folder}: is a disk missing? For an index of other '
            'films give another --out'
        )
    manifest.write(storage)  # so that an --out that cannot be written into shows now
    return films, known


def _finish(
    storage: Storage, new: Manifest, films: list[FilmFile], known: set[FilmFile]
) -> IndexReport:
    """Pack the shards and tell what has become of the films."""
    manifest = open_manifest(storage, new)
    with ExitStack() as undo:
        shards = open_shards(storage, new.settings.key, undo)
        manifest, indexed = pack(storage, manifest, shards, films)
    storage.tidy(SHARDS)
    paths = {film.path for film in films}
    before = {film.path for film in known}
    added = {film.path for film in films if film not in known}
    return IndexReport(
        films=len(indexed),
        windows=sum(film.windows for film in indexed),
        new=len(added - before),
        changed=len(added & before),
        removed=len(before - paths),
        problems=manifest.problems,
    )


class _FilmIndexer:
    """Encodes the windows of a film, some at once, and none together with another's.

    So they are the same to the last bit whatever films a process has.
    """

    def __init__(
        self,
        inferencer: XCLIPInferencer,
        folder: str,
        settings: Settings,
        batch_size: int,
    ) -> None:
        self.settings = settings
        self._inferencer, self._folder = inferencer, folder
        self._batch_size = batch_size
        self._prepare = WindowPipeline(inferencer.cfg)

    def __call__(self, file: FilmFile) -> tuple[IndexedFilm, Tensors]:
        """Return a film with its windows, none if it is no video.

        Raises:
            OSError: It cannot be read now.
        """
        parts: list[Tensors] = []
        problem = None
        try:
            with open_film(path_of(self._folder, file.path)) as opened:
                cut = self.settings.window, self.settings.stride
                windows = film_windows(opened, length=cut[0], stride=cut[1])
                for places, samples in self._prepare.batches(windows, self._batch_size):
                    parts.append(self._encode(places, samples))
                problem = opened.shortfall
        except VideoError as error:
            parts, problem = [], str(error)
        tensors = concatenate(parts or [self._nothing()])
        return IndexedFilm(file, len(tensors['times']), problem or ''), tensors

    def _encode(self, places: Sequence[Place], samples: Sequence[Any]) -> Tensors:
        embedding, context = encode_samples(self._inferencer, samples)
        times = [[start, end] for _, start, end in places]
        tensors = dict(
            embeddings=embedding.half(), times=torch.tensor(times, dtype=torch.float64)
        )
        return tensors | (dict(context=context.half()) if self.settings.context else {})

    def _nothing(self) -> Tensors:
        width = self._inferencer.model.cls_head.in_channels
        return dict(
            embeddings=torch.zeros(0, width, dtype=torch.float16),
            times=torch.zeros(0, 2, dtype=torch.float64),
        )


def _index_films(
    files: Iterable[FilmFile], index_film: _FilmIndexer, storage: Storage
) -> list[tuple[str, str]]:
    """Index films, and write shards of what has been done from time to time.

    Returns:
        Films that could not be read now, and why.
    """
    done: list[tuple[IndexedFilm, Tensors]] = []
    failed = []
    written = time.monotonic()

    def write() -> None:
        films, tensors = [film for film, _ in done], [part for _, part in done]
        if films:
            key = index_film.settings.key
            write_shard(storage, key, films, concatenate(tensors))
        done.clear()

    try:
        for file in files:
            try:
                done.append(index_film(file))
            except OSError as error:
                failed.append((file.path, str(error)))
            if time.monotonic() - written > _SECONDS:
                write()
                written = time.monotonic()
    finally:
        write()
    return failed


def _needs_context(inferencer: XCLIPInferencer) -> bool:
    prompt = inferencer.model.cls_head.prompt
    return prompt is not None and prompt.needs_context
