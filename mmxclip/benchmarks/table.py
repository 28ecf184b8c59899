"""The table that the benchmark prints."""

from collections.abc import Mapping, Sequence

from mmxclip.benchmarks.cases import Memory, Result

Columns = Sequence[tuple[str, int]]
COLUMNS: Columns = (
    ('case', 11),
    ('ours', 10),
    ('theirs', 10),
    ('ratio', 6),
    ('(spread)', 13),
    ('videos/s', 9),
    ('GFLOPs', 8),
    ('of peak', 8),
)
MEMORY_COLUMNS: Columns = (('case', 11), ('memory', 10), ('theirs', 10), ('ratio', 6))


def format_header(columns: Columns) -> str:
    """Return the names of the columns."""
    return _format([name for name, _ in columns], columns)


def format_row(result: Result) -> str:
    """Return one line of the table of times."""
    spread = result.ratio_spread
    cells = (
        result.case,
        _seconds(result.ours),
        _seconds(result.theirs),
        _number(result.ratio, '.2f'),
        '' if spread is None else f'({spread[0]:.2f}-{spread[1]:.2f})',
        _number(result.videos_per_second, '.2f'),
        _number(result.gflops_per_video, '.1f'),
        _number(result.share_of_peak, '.0%'),
    )
    return _format(cells, COLUMNS)


def format_memory(result: Memory) -> str:
    """Return one line of the table of memory."""
    ours, theirs = result.ours, result.theirs
    ratio = ours / theirs if ours is not None and theirs else None
    cells = (
        result.case,
        _megabytes(ours),
        _megabytes(theirs),
        _number(ratio, '.0%'),
    )
    return _format(cells, MEMORY_COLUMNS)


def format_agreement(agreement: Mapping[str, float]) -> str:
    """Return in words how well the logits agree."""
    return (
        f'logits of {agreement["videos"]} videos: largest difference '
        f'{agreement["max_difference"]:.2g}, mean {agreement["mean_difference"]:.2g}, '
        f'same best class {agreement["top1_agreement"]:.1%}'
    )


def _format(cells: Sequence[str], columns: Columns) -> str:
    pairs = zip(cells, columns, strict=True)
    return ' '.join(f'{cell:>{width}}' for cell, (_, width) in pairs)


def _seconds(value: float | None) -> str:
    return '' if value is None else f'{value * 1e3:.1f} ms'


def _number(value: float | None, form: str) -> str:
    return '' if value is None else format(value, form)


def _megabytes(value: float | None) -> str:
    return '' if value is None else f'{value:.0f} MB'
