"""What is seen in a live stream, told as it happens."""

import threading
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from time import time
from typing import Any

from mmxclip.inference.ranges import Range, RangeFinder, Rules
from mmxclip.inference.stream import Stream
from mmxclip.inference.timeline import Scored, WindowScorer
from mmxclip.inference.windows import Window, cut_pieces
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.text import ClassSource

_QUEUE = 2  # windows that wait for the model


class LiveTimeline:
    """Watches a live source and tells what begins and ends in it.

    One thread receives and decodes; windows wait for the model in a queue of two, which
    drops the oldest when a third comes: however slow the model is, answers are not late
    by more than that, and memory does not grow.

    Args:
        inferencer: The model.
        source: See :class:`Stream`.
        labels: Class names. Default: those of the inferencer.
        window: Seconds that the model sees at once.
        stride: Seconds from the start of one window to that of the next.
        background: Texts for what is none of the labels.
        rules: When something counts as seen.
        **options: Of :class:`Stream`, ``stall`` and ``patience``.

    Attributes:
        dropped: Windows that the model did not see.
        scored: Windows that it did see.

    Raises:
        StreamError: The source is none.
        ValueError: Labels or settings are wrong.

    Examples:
        >>> live = LiveTimeline(inferencer, 'rtsp://camera')  # doctest: +SKIP
        >>> for event in live.events():  # doctest: +SKIP
        ...     print(event)
        {'event': 'connected', 'time': '2025-05-05T12:00:00.000+00:00'}
        {'event': 'begins', 'time': ..., 'label': 'falls', 'start': ..., 'latency': 0.4}
    """

    def __init__(
        self,
        inferencer: XCLIPInferencer,
        source: str,
        labels: ClassSource | None = None,
        *,
        window: float = 4.0,
        stride: float = 1.0,
        background: ClassSource = (),
        rules: Rules = Rules(),  # noqa: B008 (frozen)
        **options: float,
    ) -> None:
        self.dropped = self.scored = 0
        self._stream = Stream(source, tell=self._put, **options)
        self._scorer = WindowScorer(inferencer, labels, background)
        self._finder = RangeFinder(self._scorer.labels, rules, gap=window)
        self._cut = partial(
            cut_pieces,
            length=window,
            stride=stride,
            name=source,
            shrink=self._scorer.prepare.shrink,
        )
        self._windows: deque[Window] = deque()
        self._news: deque[dict[str, Any]] = deque()
        self._change = threading.Condition()
        self._ended: BaseException | bool = False
        self._latencies: list[float] = [0.0, 0.0]  # sum, most
        self._told: set[tuple[str, float]] = set()

    def events(self) -> Iterator[dict[str, Any]]:
        """Tell what happens, until the source ends or is given up.

        Yields:
            Dicts with ``event`` and ``time`` (ISO 8601, UTC): ``connected``; ``lost``
            with a ``reason``; ``dropped``, a window, with the ``total`` so far;
            ``begins`` with ``label`` and ``start``; ``ends`` with ``label``, ``start``,
            ``end`` and ``score``; both with ``latency``, the seconds between the end of
            the window that told it and now. In the end what :meth:`finish` tells.

        Raises:
            StreamError: The source has sent nothing for too long.
        """
        threading.Thread(target=self._receive, daemon=True).start()
        while True:
            news, window = self._take()
            yield from news
            if window is not None:
                (scored,) = self._scorer([window], batch_size=1)
                yield from self._judge(scored)
            elif not news:
                break
        yield from self.finish()
        if isinstance(self._ended, BaseException):
            raise self._ended

    def finish(self) -> Iterator[dict[str, Any]]:
        """End all ranges, also after an interruption of :meth:`events`.

        Yields:
            ``ends`` for each; then ``stopped`` with the numbers of windows that were
            ``scored`` and ``dropped``, and ``latency`` with its ``mean`` and ``most``.
        """
        for found in self._finder.finish():
            yield self._ends(found)
        total, most = self._latencies
        mean = total / max(self.scored, 1)
        latency = dict(mean=round(mean, 3), most=round(most, 3))
        yield _event(
            'stopped', scored=self.scored, dropped=self.dropped, latency=latency
        )

    def _receive(self) -> None:
        """Cut the stream into windows, in a thread of its own."""
        ended: BaseException | bool = True
        try:
            for window in self._cut(self._stream.pieces()):
                with self._change:
                    self._windows.append(window)
                    if len(self._windows) > _QUEUE:
                        self._windows.popleft()
                        self.dropped += 1
                        self._news.append(_event('dropped', total=self.dropped))
                    self._change.notify()
        except Exception as error:
            ended = error
        with self._change:
            self._ended = ended
            self._change.notify()

    def _put(self, event: str, reason: str) -> None:
        details = dict(reason=reason) if reason else {}
        with self._change:
            self._news.append(_event(event, **details))
            self._change.notify()

    def _take(self) -> tuple[list[dict[str, Any]], Window | None]:
        """Wait for news or a window; neither comes when all is over."""
        with self._change:
            self._change.wait_for(lambda: self._news or self._windows or self._ended)
            news = list(self._news)
            self._news.clear()
            window = self._windows.popleft() if self._windows else None
        return news, window

    def _judge(self, scored: Scored) -> Iterator[dict[str, Any]]:
        latency = time() - self._stream.began - scored.end
        self.scored += 1
        self._latencies[0] += latency
        self._latencies[1] = max(self._latencies[1], latency)
        for found in self._finder.add(scored.start, scored.end, scored.scores):
            yield self._ends(found, latency=round(latency, 3))
        running = {(found.label, found.start) for found in self._finder.running}
        for label, start in sorted(running - self._told):
            began = _iso(self._stream.began + start)
            yield _event('begins', label=label, start=began, latency=round(latency, 3))
        self._told = running

    def _ends(self, found: Range, **details: float) -> dict[str, Any]:
        start, end = (_iso(self._stream.began + t) for t in (found.start, found.end))
        score = found.score
        return _event(
            'ends', label=found.label, start=start, end=end, score=score, **details
        )


def _event(event: str, **details: Any) -> dict[str, Any]:
    return dict(event=event, time=_iso(time()), **details)


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec='milliseconds')
