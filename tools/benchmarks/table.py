"""The table that the benchmark prints."""

from collections.abc import Mapping

from benchmarks.cases import Result

COLUMNS = (
    ('case', 11),
    ('ours', 10),
    ('theirs', 10),
    ('ratio', 6),
    ('(spread)', 13),
    ('videos/s', 9),
    ('GFLOPs', 8),
    ('of peak', 8),
    ('memory', 8),
    ('theirs', 8),
)
HEADER = ' '.join(f'{name:>{width}}' for name, width in COLUMNS)


def format_row(result: Result) -> str:
    """Return one line of the table."""
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
        _megabytes(result.memory_mb),
        _megabytes(result.their_memory_mb),
    )
    pairs = zip(cells, COLUMNS, strict=True)
    return ' '.join(f'{cell:>{width}}' for cell, (_, width) in pairs)


def format_agreement(agreement: Mapping[str, float]) -> str:
    """Return in words how well the logits agree."""
    return (
        f'logits of {agreement["videos"]} videos: largest difference '
        f'{agreement["max_difference"]:.2g}, mean {agreement["mean_difference"]:.2g}, '
        f'same best class {agreement["top1_agreement"]:.1%}'
    )


def _seconds(value: float | None) -> str:
    return '' if value is None else f'{value * 1e3:.1f} ms'


def _number(value: float | None, form: str) -> str:
    return '' if value is None else format(value, form)


def _megabytes(value: float | None) -> str:
    return '' if value is None else f'{value:.0f} MB'
