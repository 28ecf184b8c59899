"""The table of a comparison: Markdown, CSV, JSON and a plot."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from mmxclip.utils.files import write_text
from mmxclip.utils.tables import to_csv, to_markdown

Run = Mapping[str, float]
Columns = Mapping[str, tuple[str, float, str]]
# column: (name in a run, factor, format); percents (factor 100) have deviations
COLUMNS: Columns = {
    'top-1 (%)': ('top1', 100, '.1f'),
    'trained (M)': ('trained', 1e-6, '.2f'),
    'all (M)': ('params', 1e-6, '.2f'),
    'GFLOPs video': ('gmacs_video', 1, '.4g'),
    'GFLOPs head': ('gmacs_head', 1, '.2g'),
    'train (clips/s)': ('train_clips_per_s', 1, '.0f'),
    'test (clips/s)': ('test_clips_per_s', 1, '.0f'),
    'memory (MB)': ('memory_mb', 1, '.0f'),
    'time (s)': ('seconds', 1, '.0f'),
}


def write_report(
    runs: Mapping[str, Sequence[Run]],
    folder: Path,
    stem: str,
    columns: Columns = COLUMNS,
) -> Path:
    """Write ``<stem>.md``, ``.csv``, ``.json`` and ``.png``.

    Args:
        runs: For each method, in the order of the table, its runs, one per seed.
        folder: Where to; it is made.
        stem: Name of the files.
        columns: Those of the table.

    Returns:
        Path: The Markdown table.

    Raises:
        ValueError: The files there hold a run that is not among these and would be
            lost.
    """
    done = {name: list(results) for name, results in runs.items() if results}
    refuse_to_lose(done, folder / f'{stem}.json')
    keys = [key for key, _, _ in columns.values()]
    means = [
        [name, len(results), spread(results), *(_mean(results, key) for key in keys)]
        for name, results in done.items()
    ]
    texts = dict(
        md=markdown(done, columns),
        csv=to_csv([['method', 'runs', 'top1_std', *keys], *means]),
        json=json.dumps(done, indent=1) + '\n',
    )
    for ending, text in texts.items():
        write_text(folder / f'{stem}.{ending}', text, overwrite=True)
    plot(done, folder / f'{stem}.png')
    return folder / f'{stem}.md'


def refuse_to_lose(runs: Mapping[str, Sequence[Run]], path: Path) -> None:
    """Raise a ValueError if a table's json has runs that are not among these."""
    known = json.loads(path.read_text()) if path.exists() else {}
    lost = [
        f'{name}, seed {run.get("seed")}'
        for name, results in known.items()
        for run in results
        if run.get('seed') not in [ours.get('seed') for ours in runs.get(name, [])]
    ]
    if lost:
        raise ValueError(
            f'{path} has {len(lost)} runs that are not here and would be lost, first '
            f'{lost[0]}: do these too, write to another folder, or delete that file'
        )


def _mean(results: Sequence[Run], key: str) -> float:
    return mean(run[key] for run in results)


def spread(results: Sequence[Run], key: str = 'top1') -> float | None:
    """Return the sample deviation over seeds; None for a single run."""
    return stdev(run[key] for run in results) if len(results) > 1 else None


def markdown(runs: Mapping[str, Sequence[Run]], columns: Columns = COLUMNS) -> str:
    """Return the table: means over seeds, percents with their deviation."""
    rows = [['method', 'runs', *columns]]
    for name, results in runs.items():
        cells = []
        for key, factor, form in columns.values():
            cell = format(factor * _mean(results, key), form)
            deviation = spread(results, key)
            if factor == 100 and deviation is not None:
                cell += f' ± {factor * deviation:.1f}'
            cells.append(cell)
        rows.append([name, str(len(results)), *cells])
    return to_markdown(rows)


def plot(runs: Mapping[str, Sequence[Run]], path: Path) -> None:
    """Draw top-1 over the multiply-adds of one view: each run small, the mean large."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to import)

    figure = Figure(figsize=(10, 6.5), layout='constrained')
    axes = figure.add_subplot(
        xlabel='GFLOPs of one view (tower and head)',
        ylabel='top-1 (%)',
        xscale='log',
        ylim=(0, 100),
    )
    looks = product('os^Dv*', [f'C{i}' for i in range(10)])
    for (name, results), (marker, color) in zip(runs.items(), looks, strict=False):
        x = results[0]['gmacs_video'] + results[0]['gmacs_head']
        y = [100 * run['top1'] for run in results]
        look: dict[str, Any] = dict(marker=marker, color=color, linestyle='none')
        axes.plot([x] * len(y), y, markersize=3, alpha=0.5, **look)
        axes.plot(x, mean(y), markersize=8, label=name, **look)
    axes.grid(alpha=0.3)
    figure.legend(loc='outside right upper', fontsize=8)
    figure.savefig(path, dpi=110)
