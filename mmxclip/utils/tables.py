"""Tables as text."""

import csv
import io
from collections.abc import Iterable, Sequence


def to_markdown(rows: Iterable[Sequence[object]]) -> str:
    """Return the lines of a Markdown table, whose first row is its head."""
    head, *body = (f'| {" | ".join(map(str, cells))} |\n' for cells in rows)
    return head + '|---' * (head.count(' | ') + 1) + '|\n' + ''.join(body)


def to_csv(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as comma-separated values; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows(rows)
    return text.getvalue()
