"""Answers on the screen, or for another program, in the order of their videos."""

import sys
from collections import deque
from collections.abc import Iterable
from contextlib import AbstractContextManager

from mmxclip.inference.answer_files import Row, as_json


class AnswerPrinter(AbstractContextManager):
    """Prints answers as soon as those of all videos before them are known.

    Args:
        names: The videos whose answers are to be printed, in this order; those that
            come in another one wait, at most until the end.
        as_json: Print a list, and nothing else; else bars, and errors to stderr.
    """

    def __init__(self, names: Iterable[str], *, as_json: bool) -> None:
        self._names = deque(names)
        self._waiting: dict[str, Row] = {}
        self._as_json = as_json
        self._printed = 0

    def __enter__(self) -> 'AnswerPrinter':
        return self

    def add(self, row: Row) -> None:
        """Take an answer."""
        if not self._names:  # they are written into files
            self._tell_error(row)
            return
        self._waiting[row['video']] = row
        while self._names and self._names[0] in self._waiting:
            self._print(self._waiting.pop(self._names.popleft()))

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            if name in self._waiting:
                self._print(self._waiting[name])
        if self._as_json:
            sys.stdout.write('\n]\n' if self._printed else '[]\n')

    def _print(self, row: Row) -> None:
        if self._as_json:
            sys.stdout.write((',\n ' if self._printed else '[\n ') + as_json(row))
        elif 'error' in row:
            self._tell_error(row)
        else:
            sys.stdout.write(_in_words(row))
        sys.stdout.flush()
        self._printed += 1

    def _tell_error(self, row: Row) -> None:
        if 'error' in row:
            sys.stderr.write(f'\nerror: {row["error"]}\n')


def _in_words(row: Row) -> str:
    """Return the scores of a video as bars."""
    width = max(len(name) for name in row['scores'])
    lines = [f'\n{row["video"]}: {row["pred_class"]}']
    for name, score in row['scores'].items():
        lines.append(f'  {name:<{width}}  {score:6.1%}  {"█" * round(30 * score)}')
    if 'picture' in row:
        lines.append(f'  picture: {row["picture"]}')
    return '\n'.join(lines) + '\n'
