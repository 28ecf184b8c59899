"""How well and how fast a search finds windows."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmaction.evaluation import RetrievalMetric

from mmxclip.datasets.shape_actions import FPS, all_actions, draw_clip
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.inference import FilmIndex, FilmSearch, XCLIPInferencer, build_index
from mmxclip.inference.approximate import ApproximateSearch, make_approximate
from mmxclip.inference.index_shards import write_shard
from mmxclip.inference.index_store import FilmFile, IndexedFilm, Manifest, Settings
from mmxclip.inference.storage import Storage

_CLIP = 16  # frames
_WINDOW = _CLIP / FPS  # seconds
_SHARD = 250_000  # windows


def make_gallery(folder: Path, texts: Sequence[str], seed: int) -> None:
    """Write a clip of each composition, such as 'a red circle moving left'.

    Args:
        folder: For the clips, which are numbered as their texts.
        texts: The compositions.
        seed: The same seed gives the same files.

    Raises:
        ValueError: A text is no composition.
    """
    folder.mkdir(parents=True)
    actions = {str(action): action for action in all_actions()}
    for number, text in enumerate(texts):
        if text not in actions:
            raise ValueError(f'{text!r} is none of the {len(actions)} compositions')
        rng = np.random.default_rng([2**21, seed, number])  # no clip of a data set has
        path = folder / f'{number:03}.mp4'
        with VideoWriter(path, fps=FPS, gop=_CLIP, options=dict(qp='14')) as video:
            for frame in draw_clip(actions[text], rng, _CLIP):
                video.write_image(frame)


def compare_searches(
    inferencer: XCLIPInferencer, folder: Path, texts: Sequence[str], rounds: int
) -> list[dict[str, Any]]:
    """Return the means of :func:`measure_retrieval` over several galleries.

    Args:
        inferencer: A model of the compositions.
        folder: For the galleries.
        texts: The compositions.
        rounds: How many galleries.
    """
    found = [
        measure_retrieval(inferencer, folder / str(seed), texts, seed)
        for seed in range(rounds)
    ]
    return [
        dict(search=kind, texts=len(texts))
        | {m: round(np.mean([f[kind][m] for f in found]), 2) for m in found[0][kind]}
        for kind in found[0]
    ]


def measure_retrieval(
    inferencer: XCLIPInferencer, folder: Path, texts: Sequence[str], seed: int
) -> dict[str, dict[str, float]]:
    """Search a gallery for each of its texts; MMAction2's metric judges the ranks.

    Args:
        inferencer: A model of the compositions.
        folder: A new one, for clips and index.
        texts: The compositions.
        seed: Of the clips.

    Returns:
        dict: Of the ``plain`` search and the one ``with prompts``: recall at 1 and 5 in
        percent (``R1``, ``R5``), and the mean rank (``MnR``).
    """
    make_gallery(folder / 'clips', texts, seed)
    index = str(folder / 'index')
    clips = str(folder / 'clips')
    build_index(inferencer, clips, index, window=_WINDOW, stride=_WINDOW, context=True)
    search = FilmSearch(inferencer, FilmIndex(index))
    found = {}
    for name, reranks in (('plain', False), ('with prompts', True)):
        search.reranks = reranks
        all_hits = search.by_words(texts, top=len(texts), best=len(texts))
        scores = torch.zeros(len(texts), len(texts))  # of text and clip
        for row, hits in zip(scores, all_hits, strict=True):
            for hit in hits:
                row[int(Path(hit.film).stem)] = hit.score
        found[name] = retrieval_metrics(scores)
    return found


def retrieval_metrics(scores: torch.Tensor) -> dict[str, float]:
    """Return what MMAction2's ``RetrievalMetric`` makes of scores.

    It multiplies features of texts and videos. Scores that are no products, as those
    with prompts, are given as features of the texts, with unit vectors as videos.

    Args:
        scores: Of K texts with K videos (K, K); text i is that of video i.
    """
    metric = RetrievalMetric(metric_list=('R1', 'R5', 'MnR'))
    features = [
        dict(features=dict(text_feature=row, video_feature=unit))
        for row, unit in zip(scores, torch.eye(len(scores)), strict=True)
    ]
    metric.process(None, features)
    found = metric.evaluate(len(scores))
    return {name.split('/')[1]: float(value) for name, value in found.items()}


def make_large_index(folder: Path, windows: int, width: int = 512) -> None:
    """Write an index of random windows, 100 near each other for each film.

    Args:
        folder: Of the index.
        windows: How many.
        width: Of their embeddings.
    """
    storage = Storage(str(folder))
    settings = Settings('', '', '', window=4.0, stride=4.0, context=False)
    generator = torch.Generator().manual_seed(0)
    shards = []
    for first in range(0, windows, _SHARD):
        count = min(_SHARD, windows - first)
        films = torch.randn(-(-count // 100), width, generator=generator)
        rows = films.repeat_interleave(100, dim=0)[:count]
        rows = rows + 0.7 * torch.randn(count, width, generator=generator)
        starts = torch.arange(count, dtype=torch.float64) % 100 * 4
        tensors = dict(
            embeddings=torch.nn.functional.normalize(rows).half(),
            times=torch.stack([starts, starts + 4], dim=1),
        )
        parts = []
        for n in range(0, count, 100):
            of_film = {name: tensor[n : n + 100] for name, tensor in tensors.items()}
            film = IndexedFilm(FilmFile(f'{first + n}.mp4'), len(of_film['times']))
            parts.append((film, of_film))
        shards.append(write_shard(storage, settings.key, parts))
    Manifest('films', settings, shards=shards).write(storage)


def measure_speed(
    folder: Path,
    windows: int,
    *,
    approximate: bool = False,
    runs: int = 10,
    best: int = 200,
) -> dict[str, float]:
    """Time the search for random queries, which are alike to nothing.

    Args:
        folder: For the index.
        windows: How many it has.
        approximate: Whether to prepare the approximate search, and time that.
        runs: Queries, one after the other.
        best: Windows of each.

    Returns:
        dict: Seconds of the ``first`` query; the ``median`` of the others, and that of
        the ``processor`` time of all threads, which other processes disturb less.
        ``build`` and ``recall`` of the approximate search.
    """
    make_large_index(folder, windows)
    found: dict[str, float] = dict(windows=windows)
    with FilmIndex(str(folder)) as index:
        width = index.gather('embeddings', torch.tensor([0])).shape[1]
        queries = torch.nn.functional.normalize(torch.randn(runs, width))
        search: Any = index
        if approximate:
            start = time.perf_counter()
            found['recall'] = make_approximate(index, queries)
            found['build'] = time.perf_counter() - start
            search = ApproximateSearch(index)
        times = []
        for query in queries:
            start, busy = time.perf_counter(), time.process_time()
            search.best(query, best)
            times.append((time.perf_counter() - start, time.process_time() - busy))
    median, processor = np.median(times[1:], axis=0)
    found |= dict(first=times[0][0], median=float(median), processor=float(processor))
    return {name: round(value, 3) for name, value in found.items()}
