"""From the scores of windows, as they come, to ranges of time with a label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

Scores: TypeAlias = Sequence[float] | np.ndarray


class Range(NamedTuple):
    """A time in which something is seen.

    Attributes:
        label: What.
        start: Seconds since the first frame.
        end: Seconds.
        score: Mean of the label's scores, over the windows that show it.
    """

    label: str
    start: float
    end: float
    score: float


@dataclass(frozen=True)
class Rules:
    """When something counts as seen.

    Args:
        threshold: Score at which a range starts.
        release: Score below which it ends; lower than the threshold, so that a score
            that wavers does not tear it apart. Default: 0.7 of the threshold.
        least: Seconds that a range, or the nothing between two, lasts at least; what is
            shorter belongs to what was before.
        overlapping: Whether several labels may be seen at once. Otherwise only the best
            is, until another that reaches the threshold is better.

    Raises:
        ValueError: A value outside its range.
    """

    threshold: float = 0.5
    release: float | None = None
    least: float = 1.0
    overlapping: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f'threshold must be in (0, 1], got {self.threshold}')
        if not 0 <= self.low <= self.threshold:
            raise ValueError(
                f'release must be from 0 to the threshold of {self.threshold}, got '
                f'{self.release}'
            )
        if not self.least >= 0:
            raise ValueError(f'least must be seconds from 0, got {self.least}')

    @property
    def low(self) -> float:
        """Score below which a range ends."""
        return 0.7 * self.threshold if self.release is None else self.release


class RangeFinder:
    """Finds ranges in the scores of windows, which come in the order of their times.

    A window speaks for the time around its middle: up to halfway to the middles of its
    neighbours; the first and the last one up to their ends.

    Args:
        labels: Names of the classes, in the order of the scores.
        rules: When something counts as seen.
        gap: Seconds without a window that a range goes on over.

    Examples:
        >>> finder = RangeFinder(['sits', 'walks'], Rules(least=0.1))
        >>> finder.add(0, 2, [0.9, 0.1]), finder.add(1, 3, [0.2, 0.8])
        ([], [Range(label='sits', start=0, end=1.5, score=0.9)])
        >>> finder.finish()
        [Range(label='walks', start=1.5, end=3, score=0.8)]
    """

    def __init__(self, labels: Sequence[str], rules: Rules, gap: float = 0.0) -> None:
        self.labels = labels
        self.rules = rules
        self._gap = gap + 1e-3
        self._window: tuple[float, float] | None = None  # the last one
        self._tracks: list[_Track] = []

    @property
    def running(self) -> list[Range]:
        """The ranges that have not ended, each until the end of the last window."""
        end = self._window[1] if self._window else 0.0
        states = [track.state for track in self._tracks]
        return [self._range(state, end) for state in states if state.label is not None]

    def add(self, start: float, end: float, scores: Scores) -> list[Range]:
        """Take the scores of a window.

        Args:
            start: Seconds, not before the start of the last one.
            end: Seconds.
            scores: One for each label.

        Returns:
            The ranges that are over.
        """
        ended = []
        if self._window is not None and start - self._window[1] > self._gap:
            ended = self.finish()
        middle = (start + end) / 2
        begin, until = start, middle
        if self._window is None:
            self._tracks = [_Track(group, start) for group in self._groups()]
        else:
            last_start, last_end = self._window
            begin = (last_end + start) / 2
            if start < last_end:
                begin = ((last_start + last_end) / 2 + middle) / 2
            until = 2 * middle - begin  # if the next one is as far away
        self._window = start, end
        for track in self._tracks:
            track.add(begin, scores, self.rules)
            ended += self._settle(track, until)
        return ended

    def finish(self) -> list[Range]:
        """Return the ranges that run until the end, and start anew."""
        ended = []
        if self._window is not None:
            for track in self._tracks:
                ended += self._settle(track, self._window[1])
        ended += self.running
        self._window = None
        self._tracks = []
        return ended

    def _settle(self, track: '_Track', until: float) -> list[Range]:
        past = track.settle(until, self.rules.least)
        if past is None or past.label is None:
            return []
        return [self._range(past, track.state.since)]

    def _groups(self) -> list[range]:
        count = len(self.labels)
        if self.rules.overlapping:
            return [range(i, i + 1) for i in range(count)]
        return [range(count)]

    def _range(self, state: '_State', end: float) -> Range:
        label = self.labels[state.label or 0]
        score = state.total / state.windows
        return Range(label, round(state.since, 3), round(end, 3), round(score, 4))


@dataclass
class _State:
    """One label, or None for nothing, from a time on."""

    label: int | None
    since: float
    total: float = 0.0  # of the scores
    windows: int = 0

    def confirm(self, scores: Scores) -> None:
        self.total += 0.0 if self.label is None else float(scores[self.label])
        self.windows += 1


class _Track:
    """Which of some labels is seen, over time."""

    def __init__(self, labels: range, start: float) -> None:
        self._labels = labels
        self.state = _State(None, start)
        self._next: _State | None = None  # has not lasted long enough yet
        self._chosen: int | None = None  # in the last window

    def add(self, begin: float, scores: Scores, rules: Rules) -> None:
        """Take the scores of a time that begins where the last one ends."""
        self._chosen = self._choose(scores, rules)
        if self._chosen == self.state.label:
            self._next = None
            self.state.confirm(scores)
            return
        if self._next is None or self._next.label != self._chosen:
            self._next = _State(self._chosen, begin)
        self._next.confirm(scores)

    def settle(self, until: float, least: float) -> _State | None:
        """Go over to the next state if it has lasted; return the one that is over."""
        if self._next is None or until - self._next.since < least - 1e-3:
            return None
        past, self.state, self._next = self.state, self._next, None
        return past

    def _choose(self, scores: Scores, rules: Rules) -> int | None:
        best = max(self._labels, key=lambda label: scores[label])
        if scores[best] >= rules.threshold:
            return best
        last = self._chosen
        return last if last is not None and scores[last] >= rules.low else None
