"""Indexing films: the embeddings of all their windows, for searches by words."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from mmengine.dist import all_gather_object, broadcast_object_list, get_dist_info

from mmxclip.datasets import VideoError
from mmxclip.inference.encoding import encode_samples
from mmxclip.inference.films import find_films, path_of
from mmxclip.inference.index_shards import (
    SHARDS,
    Part,
    Tensors,
    concatenate,
    open_shards,
    pack,
    write_shard,
)
from mmxclip.inference.index_store import (
    MANIFEST,
    FilmFile,
    IndexedFilm,
    Manifest,
    Settings,
)
from mmxclip.inference.model_digests import model_digests
from mmxclip.inference.storage import Storage
from mmxclip.inference.window_pipeline import WindowPipeline
from mmxclip.inference.windows import film_windows, open_film
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.utils.checks import check_count
from mmxclip.utils.processes import Track, untracked
from mmxclip.utils.threads import ahead

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
    settings = Settings(
        **model_digests(inferencer),
        window=float(window),
        stride=float(stride),
        context=context,
    )
    storage, new = Storage(out), Manifest(folder, settings, model or {})
    rank, processes = get_dist_info()
    films, known = _by_the_first(lambda: _plan(storage, new))
    to_do = [film for film in films if film not in known][rank::processes]
    prepare = WindowPipeline(inferencer.cfg)
    failed = _index_films(
        track(to_do, len(to_do)) if rank == 0 and to_do else to_do,
        lambda film: _encode_film(
            inferencer, prepare, path_of(folder, film), settings, batch_size
        ),
        lambda parts: write_shard(storage, settings.key, parts),
    )
    failures = {name: why for part in all_gather_object(failed) for name, why in part}
    new = replace(new, problems=failures)
    return _by_the_first(lambda: _finish(storage, new, films, known))


def _by_the_first(work: Callable[[], Any]) -> Any:
    """Return in all processes what the first one has done."""
    done = [work() if get_dist_info()[0] == 0 else None]
    broadcast_object_list(done)
    return done[0]


def _plan(storage: Storage, new: Manifest) -> tuple[list[FilmFile], set[FilmFile]]:
    """Return all films, and those that the index has.

    Raises:
        ValueError: The index is of other films, or of another model.
    """
    films = find_films(new.folder)
    manifest = _as_it_was(storage, new)
    with ExitStack() as undo:
        shards = open_shards(storage, manifest, undo)
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


def _as_it_was(storage: Storage, new: Manifest) -> Manifest:
    """Return a new manifest with what counts so far."""
    if not storage.exists(MANIFEST):
        return new
    old = Manifest.read(storage)
    old.settings.check(new.settings, storage.root)
    return replace(new, shards=old.shards, approximate=old.approximate)


def _finish(
    storage: Storage, new: Manifest, films: list[FilmFile], known: set[FilmFile]
) -> IndexReport:
    """Pack the shards and tell what has become of the films."""
    manifest = _as_it_was(storage, new)
    with ExitStack() as undo:
        shards = open_shards(storage, manifest, undo)
        manifest, indexed = pack(storage, manifest, shards, films)
    storage.tidy(SHARDS)
    before = {film.path for film in known}
    added = {film.path for film in films if film not in known}
    return IndexReport(
        films=len(indexed),
        windows=sum(film.windows for film in indexed),
        new=len(added - before),
        changed=len(added & before),
        removed=len(before - {film.path for film in films}),
        problems=manifest.problems,
    )


def _encode_film(
    inferencer: XCLIPInferencer,
    prepare: WindowPipeline,
    path: str,
    settings: Settings,
    batch_size: int,
) -> tuple[Tensors, str]:
    """Return the windows of a film, and what is wrong with it; none of what is no film.

    No window is encoded together with another film's, so they are the same to the last
    bit whatever films a process has.

    Raises:
        OSError: It cannot be read now.
    """
    width = inferencer.model.cls_head.in_channels
    none = dict(
        embeddings=torch.zeros(0, width).half(), times=torch.zeros(0, 2).double()
    )
    parts = [none]
    try:
        with open_film(path) as film:
            windows = film_windows(
                film,
                length=settings.window,
                stride=settings.stride,
                shrink=prepare.shrink,
            )
            with closing(ahead(prepare.batches(windows, batch_size))) as batches:
                for places, samples in batches:
                    embedding, context = encode_samples(inferencer, samples)
                    times = torch.tensor(
                        [place[1:] for place in places], dtype=torch.float64
                    )
                    parts.append(dict(embeddings=embedding.half(), times=times))
                    if settings.context:
                        parts[-1]['context'] = context.half()
            return concatenate(parts), film.shortfall or ''
    except VideoError as error:
        return none, str(error)


def _index_films(
    files: Iterable[FilmFile],
    encode: Callable[[str], tuple[Tensors, str]],
    write: Callable[[list[Part]], Any],
) -> list[tuple[str, str]]:
    """Index films, and write shards of what has been done from time to time.

    Returns:
        Films that could not be read now, and why.
    """
    done: list[Part] = []
    failed = []
    written = time.monotonic()
    try:
        for file in files:
            try:
                tensors, problem = encode(file.path)
                film = IndexedFilm(file, len(tensors['times']), problem)
                done.append((film, tensors))
            except OSError as error:
                failed.append((file.path, str(error)))
            if done and time.monotonic() - written > _SECONDS:
                write(done)
                done, written = [], time.monotonic()
    finally:
        if done:
            write(done)
    return failed


def _needs_context(inferencer: XCLIPInferencer) -> bool:
    prompt = inferencer.model.cls_head.prompt
    return prompt is not None and prompt.needs_context
