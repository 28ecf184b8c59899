"""Published accuracies, to print beside ours; published.yml holds them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class PublishedRow:
    """One method's numbers on one data set.

    Args:
        method: Its name.
        values: Column -> percent as printed, with a deviation where one is given;
            columns that the source does not give are absent.
        source: Where the numbers were read.
        note: How the number was obtained, where it differs from ours.
    """

    method: str
    values: dict[str, str]
    source: str
    note: str = ''


def published_rows(protocol: str, dataset: str) -> list[PublishedRow]:
    """Rows of all methods that report a data set under a protocol.

    Args:
        protocol: ``few-shot``, ``zero-shot``, ``base-to-novel`` or
            ``fully-supervised``.
        dataset: Any name; one that no paper reports gives no rows.

    Raises:
        ValueError: An unknown protocol.
    """
    tables = _tables()
    if protocol not in tables:
        raise ValueError(f'protocol {protocol!r} is unknown; choose from {[*tables]}')
    columns = tables[protocol]['columns']
    return [
        PublishedRow(
            row['method'],
            _named(row[dataset].split(), columns),
            row['source'],
            row.get('note', ''),
        )
        for row in tables[protocol]['rows']
        if dataset in row
    ]


@cache
def _tables() -> dict:
    path = Path(__file__).with_name('published.yml')
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def _named(numbers: list[str], columns: list[str]) -> dict[str, str]:
    """Name the numbers; a single one of base-to-novel is the harmonic mean."""
    if len(numbers) == 1 and columns[-1] == 'HM':
        columns = columns[-1:]
    return dict(zip(columns, numbers, strict=False))
