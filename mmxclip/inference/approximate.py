"""Approximate search with faiss, for indexes that are too large for the exact one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmxclip.inference.film_index import FilmIndex

_FILE = 'approximate.faiss'
_ENOUGH = 0.95  # recall
_PER_LIST = 40  # windows at least, for its centre to mean something
_BLOCK = 1 << 16  # windows that are added at once


def import_faiss() -> Any:
    """Return the package.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import faiss  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise ImportError(
            '--approximate needs faiss: pip install "mmxclip[faiss]"'
        ) from error
    return faiss


class ApproximateSearch:
    """Finds nearly the best windows, looking at a part of them.

    Args:
        index: An index that :func:`make_approximate` was called for.

    Attributes:
        recall: Which part of the ten best of the exact search was found for texts.

    Raises:
        ImportError: faiss is not installed.
        ValueError: The index has nothing for it, or it is damaged.
    """

    def __init__(self, index: FilmIndex) -> None:
        faiss = import_faiss()
        made = index.manifest.approximate
        if made is None:
            raise ValueError(
                f'{index.root} has nothing for --approximate, or has changed since: '
                'run tools/index.py with --approximate'
            )
        self.recall: float = made['recall']
        self._index, self._probes = index, made['probes']
        where = index.storage.path(_FILE)
        try:
            data = np.frombuffer(index.storage.read(_FILE), np.uint8)
            self._lists = faiss.deserialize_index(data)
            if self._lists.ntotal != len(index):
                raise RuntimeError(f'it has {self._lists.ntotal} windows')
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f'{where} is damaged or missing ({" ".join(str(error).split())}); '
                'remove it and run tools/index.py with --approximate'
            ) from error

    def best(
        self, query: Tensor, count: int, allowed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See :meth:`FilmIndex.best`; products are exact, windows may be missing."""
        selector = None
        if allowed is not None:
            bits = np.packbits(allowed.numpy(), bitorder='little')
            selector = import_faiss().IDSelectorBitmap(bits)
        rows = self._search(query, 2 * count, self._probes, selector)
        exact = self._index.gather('embeddings', rows) @ query if len(rows) else rows
        order = exact.argsort(descending=True, stable=True)[:count]
        return rows[order], exact[order].float()

    def _search(
        self, query: Tensor, count: int, probes: int, selector: Any = None
    ) -> Tensor:
        """Return windows, sorted by number."""
        options = import_faiss().SearchParametersIVF(nprobe=probes, sel=selector)
        count = min(count, len(self._index))
        _, rows = self._lists.search(query[None].numpy(), count, params=options)
        found = torch.from_numpy(rows[0])
        return found[found >= 0].sort().values

    def tune(self, queries: Sequence[Tensor]) -> tuple[int, float]:
        """Return how many lists are to be looked at, and the recall at ten then."""
        expected = [set(self._index.best(query, 10)[0].tolist()) for query in queries]
        self._probes = 1
        while True:
            found = [set(self.best(query, 10)[0].tolist()) for query in queries]
            hits = [len(f & e) / len(e) for f, e in zip(found, expected, strict=True)]
            recall = sum(hits) / len(hits)
            if recall >= _ENOUGH or self._probes >= self._lists.nlist:
                return self._probes, recall
            self._probes *= 2


def make_approximate(index: FilmIndex, queries: Sequence[Tensor]) -> float:
    """Give an index what the approximate search needs, unless it has that.

    Windows are gathered in lists of like ones, each number in eight bits. As many lists
    are looked at as find 95 % of the ten best windows of the exact search.

    Args:
        index: The index.
        queries: For that, such as texts people might search for; of length one.

    Returns:
        The recall that was reached.

    Raises:
        ImportError: faiss is not installed.
        OSError: It cannot be written.
    """
    faiss = import_faiss()
    made = index.manifest.approximate
    if made is not None and index.storage.exists(_FILE):
        return made['recall']
    number = max(min(round(4 * len(index) ** 0.5), len(index) // _PER_LIST), 1)
    width = len(queries[0])
    lists = faiss.index_factory(width, f'IVF{number},SQ8', faiss.METRIC_INNER_PRODUCT)
    step = max(len(index) // (2 * _PER_LIST * number), 1)
    lists.train(index.gather('embeddings', torch.arange(0, len(index), step)).numpy())
    for rows in torch.arange(len(index)).split(_BLOCK):
        lists.add(index.gather('embeddings', rows).numpy())
    index.storage.write(_FILE, faiss.serialize_index(lists).tobytes())
    index.manifest = replace(index.manifest, approximate=dict(probes=1, recall=0.0))
    probes, recall = ApproximateSearch(index).tune(queries)
    about = dict(probes=probes, recall=round(recall, 3))
    index.manifest = replace(index.manifest, approximate=about)
    index.manifest.write(index.storage)
    return recall
