"""The table of a protocol: ours beside the published rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, harmonic_mean, pstdev

from mmxclip.protocols.published import PublishedRow, published_rows
from mmxclip.utils.tables import to_csv, to_markdown


@dataclass(frozen=True)
class Outcome:
    """Outcome of one test of a protocol.

    Args:
        column: Column of the table.
        repeat: Split or seed that the column is averaged over.
        metrics: What the evaluator reported, accuracies as fractions.
    """

    column: str
    repeat: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class Cell:
    """An accuracy in percent.

    Args:
        mean: It.
        values: What it is the mean of, for each split or seed.
    """

    mean: float
    values: dict[str, float]

    @property
    def std(self) -> float | None:
        """Standard deviation of exactly these values; None for a single one.

        Divided by their number, not by one less, as the published codes compute it.

        Source: ``np.std`` in naver-ai/tc-clip, main.py.
        """
        return pstdev(self.values.values()) if len(self.values) > 1 else None

    def __str__(self) -> str:
        return f'{self.mean:.1f}' + (f'±{self.std:.1f}' if self.std is not None else '')


class ProtocolTable:
    """Averages of a protocol, and their text in three formats.

    Args:
        protocol: Name of the protocol.
        dataset: Data set that was tested.
        results: All tests.
        method: What our row is called.
        setting: Frames, views and whatever else a reader of the number must know.

    Raises:
        ValueError: No results.
    """

    def __init__(
        self,
        protocol: str,
        dataset: str,
        results: Sequence[Outcome],
        *,
        method: str,
        setting: str,
    ) -> None:
        if not results:
            raise ValueError(
                f'no results of {protocol} on {dataset} to make a table of'
            )
        self.protocol, self.dataset = protocol, dataset
        self.results, self.method, self.setting = results, method, setting
        self.columns = self._columns()
        self.published = published_rows(protocol, dataset)

    def _columns(self) -> dict[str, Cell]:
        columns = {}
        for name in dict.fromkeys(result.column for result in self.results):
            columns[name] = self._cell(name, 'acc/top1')
        if set(columns) == {'base', 'novel'}:
            columns['HM'] = self._harmonic(columns['base'], columns['novel'])
        if set(columns) == {'top-1'}:
            columns['top-5'] = self._cell('top-1', 'acc/top5')
            columns['mean class'] = self._cell('top-1', 'acc/mean1')
        return columns

    def _cell(self, column: str, metric: str) -> Cell:
        values = {
            result.repeat: 100 * result.metrics[metric]
            for result in self.results
            if result.column == column
        }
        return Cell(fmean(values.values()), values)

    def _harmonic(self, base: Cell, novel: Cell) -> Cell:
        """Harmonic mean of the means, as published; its deviation is over seeds."""
        values = {
            repeat: harmonic_mean((base.values[repeat], novel.values[repeat]))
            for repeat in base.values
        }
        return Cell(harmonic_mean((base.mean, novel.mean)), values)

    def notes(self) -> list[str]:
        """Return what a reader must know beside the numbers."""
        total = sum(int(r.metrics['acc/num_videos']) for r in self.results)
        lost = sum(int(r.metrics['acc/undecodable']) for r in self.results)
        repeats = max(len(cell.values) for cell in self.columns.values())
        notes = [f'{len(self.results)} tests, {total} videos, each counted once']
        if repeats > 1:
            notes.append(f'mean ± standard deviation over {repeats} splits or seeds')
        if lost:
            notes.append(f'{lost} videos could not be decoded and count as wrong')
        return notes

    def to_markdown(self) -> str:
        """Return a heading, the table and the notes."""
        columns = list(self.columns)
        ours = f'{self.protocol}, {self.setting}'
        rows: list[list[object]] = [
            ['method', 'protocol', *columns, 'source'],
            [f'**{self.method}**', ours, *self.columns.values(), 'this run'],
        ]
        for row in self.published:
            numbers = [row.values.get(column, '') for column in columns]
            rows.append([row.method, self._name(row), *numbers, row.source])
        title = f'## {self.protocol} on {self.dataset}: top-1 in percent'
        return f'{title}\n\n{to_markdown(rows)}\n{"; ".join(self.notes())}.\n'

    def _name(self, row: PublishedRow) -> str:
        return f'{self.protocol}, {row.note}' if row.note else self.protocol

    def to_json(self) -> str:
        """Return everything, with the value of each split or seed."""
        ours = {
            name: dict(mean=cell.mean, std=cell.std, values=cell.values)
            for name, cell in self.columns.items()
        }
        return json.dumps(
            dict(
                protocol=self.protocol,
                dataset=self.dataset,
                method=self.method,
                setting=self.setting,
                ours=ours,
                tests=[vars(result) for result in self.results],
                notes=self.notes(),
                published=[vars(row) for row in self.published],
            ),
            indent=2,
        )

    def to_csv(self) -> str:
        """Return one line per number."""
        head = ['dataset', 'protocol', 'method', 'column', 'mean', 'std', 'source']
        ours = [self.dataset, f'{self.protocol}, {self.setting}', self.method]
        rows = [head]
        for name, cell in self.columns.items():
            std = '' if cell.std is None else f'{cell.std:.4f}'
            rows.append([*ours, name, f'{cell.mean:.4f}', std, 'this run'])
        for row in self.published:
            for name, value in row.values.items():
                mean, _, std = value.partition('±')
                numbers = [name, mean, std, row.source]
                rows.append([self.dataset, self._name(row), row.method, *numbers])
        return to_csv(rows)
