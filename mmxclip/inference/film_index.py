"""An index of films that is open for searching."""

from contextlib import AbstractContextManager, ExitStack
from itertools import accumulate

import torch
from torch import Tensor

from mmxclip.inference.index_shards import damaged, read_shard
from mmxclip.inference.index_store import Manifest
from mmxclip.inference.storage import Storage

# What a cosine in half precision can be wrong by: the query and the product are
# rounded to 11 bits each, which is 0.001 together.
_ROUNDING = 0.002
_BLOCK = 1 << 16  # rows that are made float32 at once


class FilmIndex(AbstractContextManager):
    """Windows of films, numbered through, memory-mapped.

    Args:
        root: The folder of the index, a path or an address; an object store's shards
            are copied into temporary files, until :meth:`close`.

    Attributes:
        root: The folder.
        storage: Its files.
        manifest: What it was made with.
        films: Films that have windows, by their paths below the folder of films.
        times: Start and end of each window in seconds (n, 2).

    Raises:
        FileNotFoundError: It is no index.
        ValueError: It is damaged, or has no windows yet.
    """

    def __init__(self, root: str) -> None:
        self.storage = Storage(root)
        self.root = self.storage.root
        self.manifest = Manifest.read(self.storage)
        with ExitStack() as undo:
            shards = [
                read_shard(self.storage, name, undo) for name in self.manifest.shards
            ]
            for shard in shards:
                if shard.key != self.manifest.settings.key:
                    raise damaged(self.storage, shard.name, 'it is of another index')
            self._shards = [shard for shard in shards if len(shard)]
            self._close = undo.pop_all()
        if not self._shards:
            raise ValueError(
                f'{self.storage.root} has no windows yet; run tools/index.py to the end'
            )
        films = [film for s in self._shards for film in s.films if film.windows]
        self.films = [film.file.path for film in films]
        self._ends = torch.tensor(list(accumulate(film.windows for film in films)))
        self._shard_ends = torch.tensor(list(accumulate(map(len, self._shards))))
        self.times = torch.cat([shard.tensors['times'] for shard in self._shards])

    def __len__(self) -> int:
        return len(self.times)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was copied; nothing can be read any more."""
        self._shards = []
        self._close.close()

    def films_of(self, rows: Tensor) -> list[str]:
        """Return the film of each window."""
        numbers = torch.bucketize(rows, self._ends, right=True)
        return [self.films[number] for number in numbers.tolist()]

    def rows_below(self, folder: str) -> Tensor:
        """Return for each window whether its film lies below a folder (n, ), bool.

        Args:
            folder: Below the folder of films; or a film.

        Raises:
            ValueError: There is no film below it.
        """
        folder = folder.strip('/')
        inside = [f'{film}/'.startswith(f'{folder}/') for film in self.films]
        if not any(inside):
            raise ValueError(
                f'{self.storage.root} has no film below {folder!r}; folders are given '
                f'as they lie below {self.manifest.folder}, as in {self.films[0]}'
            )
        windows = torch.diff(self._ends, prepend=self._ends.new_zeros(1))
        return torch.tensor(inside).repeat_interleave(windows)

    def gather(self, name: str, rows: Tensor) -> Tensor:
        """Return a tensor of some windows, float32.

        Args:
            name: ``'embeddings'`` or ``'context'``.
            rows: Numbers of the windows.
        """
        numbers = torch.bucketize(rows, self._shard_ends, right=True)
        picked = torch.zeros(0)
        for number in numbers.unique().tolist():
            of_shard = numbers == number
            tensor = self._shards[number].tensors[name]
            first = self._shard_ends[number] - len(tensor)
            if not len(picked):
                picked = torch.empty(len(rows), *tensor.shape[1:])
            picked[of_shard] = tensor[rows[of_shard] - first].float()
        return picked

    def best(
        self, query: Tensor, count: int, allowed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Find the windows whose embeddings have the largest product with a query.

        The products of all are computed in half precision, as fast as memory is read,
        and those that can be among the best once more in float32: the result is exact.

        Args:
            query: A vector of length one or less (E, ).
            count: How many are wanted.
            allowed: Which windows count (n, ), bool. Default: all.

        Returns:
            tuple: Numbers of windows, and their products, the largest first; of equal
            ones the first first.

        Raises:
            ValueError: A shard is damaged.
        """
        rough = self._products(query, torch.float16)
        if allowed is not None:
            rough[~allowed] = -torch.inf
            count = min(count, int(allowed.sum()))
        count = min(count, len(rough))
        if not count:
            return torch.zeros(0, dtype=torch.long), torch.zeros(0)
        rows, exact = self._refine(rough, query, count)
        if (exact - rough[rows]).abs().max() > _ROUNDING:  # another kind of processor
            precise = self._products(query, torch.float32)
            rough = precise.where(rough > -torch.inf, rough)
            rows, exact = self._refine(rough, query, count)
        order = exact.argsort(descending=True, stable=True)[:count]
        return rows[order], exact[order]

    def _products(self, query: Tensor, dtype: torch.dtype) -> Tensor:
        products = []
        for shard in self._shards:
            query = query.to(dtype)
            blocks = shard.tensors['embeddings'].split(
                len(shard) if dtype == torch.float16 else _BLOCK
            )
            found = torch.cat([block.to(dtype) @ query for block in blocks]).float()
            if not found.isfinite().all():
                raise damaged(self.storage, shard.name, 'it holds no numbers')
            products.append(found)
        return torch.cat(products)

    def _refine(
        self, rough: Tensor, query: Tensor, count: int
    ) -> tuple[Tensor, Tensor]:
        """Return all windows that may be among the best, with exact products."""
        least = rough.topk(count).values[-1] - 2 * _ROUNDING
        rows = (rough >= least).nonzero().flatten()
        exact = []
        for some in rows.split(_BLOCK):
            embeddings = self.gather('embeddings', some)
            lengths = embeddings.norm(dim=1)
            wrong = some[(lengths - 1).abs() > 0.01]
            if len(wrong):
                number = int(torch.bucketize(wrong[0], self._shard_ends, right=True))
                raise damaged(
                    self.storage, self._shards[number].name, 'lengths are not one'
                )
            exact.append(embeddings @ query.float())
        return rows, torch.cat(exact)
