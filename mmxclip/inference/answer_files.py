"""Answers in files: a line as soon as an answer is known, the file when all are.

While answers come, they are lines at the end of ``FILE.part``, so that whatever ends
the program leaves all that were known. At the end they stand in ``FILE``, in the order
in which the videos were named.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from mmxclip.datasets.lists.video_files import is_video_name
from mmxclip.utils.files import atomic, check_writable

Row = dict[str, Any]  # video, made_with, and pred_class with scores or error


def as_json(row: Row) -> str:
    """Return a row as one line of JSON."""
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # the name of a file that is not UTF-8
        return json.dumps(row)
    return text


class AnswerFile:
    """A file of answers, which are beside it in ``part`` until all are there.

    Children have a ``head`` and say how a row becomes a line (``_encode``) and a text
    rows (``_decode``; a ValueError if it is another one).

    Args:
        path: The file.
    """

    head = ''

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.part = self.path.with_name(f'{self.path.name}.part')
        self._open: BinaryIO | None = None

    def _encode(self, row: Row) -> str:
        raise NotImplementedError

    def _decode(self, text: str) -> list[Row]:
        raise NotImplementedError

    def read(self) -> list[Row]:
        """Return the answers that are there, without a line that was cut off.

        Raises:
            ValueError: The file is another one.
        """
        path = next((p for p in (self.part, self.path) if p.exists()), None)
        if path is None:
            return []
        data = path.read_bytes()
        if path == self.part:
            data = data[: data.rfind(b'\n') + 1]
        try:
            return self._decode(data.decode('utf-8', 'surrogateescape'))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{path} has no answers of such a command ({error}); write into '
                'another file'
            ) from error

    def begin(self, rows: Iterable[Row]) -> None:
        """Start with answers that are known, in place of all that was there."""
        self._write(self.part, rows)
        self._open = self.part.open('ab')

    def add(self, row: Row) -> None:
        """Write an answer, which whatever ends this program leaves."""
        if self._open is not None:
            self._open.write(_bytes(self._encode(row)))
            self._open.flush()

    def finish(self, rows: Iterable[Row]) -> None:
        """Write all answers, as they shall stand."""
        self._write(self.path, rows)
        self.part.unlink()

    def close(self) -> None:
        """Write no more."""
        if self._open is not None:
            with suppress(OSError):  # a full disk, which adding has told
                self._open.close()

    def _write(self, path: Path, rows: Iterable[Row]) -> None:
        with atomic(path) as place, place.open('wb') as file:
            file.writelines(map(_bytes, [self.head, *map(self._encode, rows)]))


class JsonLines(AnswerFile):
    """One JSON object a line."""

    def _encode(self, row: Row) -> str:
        return as_json(row) + '\n'

    def _decode(self, text: str) -> list[Row]:
        rows = [json.loads(line) for line in text.splitlines()]
        if not all(isinstance(row, dict) and 'made_with' in row for row in rows):
            raise ValueError('a line is no answer')
        return rows


class Table(AnswerFile):
    """Comma-separated values: a head, and one line a video.

    Args:
        path: The file.
        top: Number of classes that a line has, best first.
    """

    def __init__(self, path: str | Path, top: int) -> None:
        super().__init__(path)
        pairs = [f'{kind}_{n + 1}' for n in range(top) for kind in ('class', 'score')]
        self._names = ['video', 'pred_class', *pairs, 'error', 'made_with']
        self.head = _line(self._names)

    def _encode(self, row: Row) -> str:
        scores = [part for pair in row.get('scores', {}).items() for part in pair]
        scores += [''] * (len(self._names) - 4 - len(scores))
        best, error = row.get('pred_class', ''), row.get('error', '')
        return _line([row['video'], best, *scores, error, row['made_with']])

    def _decode(self, text: str) -> list[Row]:
        reader = csv.reader(io.StringIO(text, newline=''))
        if next(reader, None) != self._names:
            raise ValueError('it has other columns')
        rows: list[Row] = []
        for video, best, *scores, error, made_with in reader:
            pairs = zip(
                scores[::2], map(float, filter(None, scores[1::2])), strict=False
            )
            found = dict(pred_class=best, scores=dict(pairs))
            found = dict(error=error) if error else found
            rows.append(dict(video=video, made_with=made_with) | found)
        return rows


class AnswerFiles(AbstractContextManager):
    """Writes answers into files as they come.

    Args:
        files: They, or none.
        order: Names of the videos, in which the answers stand at the end; others, that
            were there before, follow.
        rows: Answers that are known, by video.

    Attributes:
        rows: All answers, by video.
    """

    def __init__(
        self, files: Sequence[AnswerFile], order: Sequence[str], rows: dict[str, Row]
    ) -> None:
        self.rows = rows
        self._files, self._order = files, order

    def __enter__(self) -> 'AnswerFiles':
        for file in self._files:
            file.begin(self.rows.values())
        return self

    def add(self, row: Row) -> None:
        """Write an answer."""
        self.rows[row['video']] = row
        for file in self._files:
            file.add(row)

    def finish(self) -> None:
        """Give the files their names."""
        names = dict.fromkeys([*self._order, *self.rows])
        for file in self._files:
            file.finish(self.rows[name] for name in names)

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()
        left = len(set(self._order) - self.rows.keys())
        if left and self._files:
            parts = ' and '.join(str(file.part) for file in self._files)
            sys.stderr.write(
                f'\n{len(self._order) - left} of {len(self._order)} videos are '
                f'answered, in {parts}; the same command with --resume goes on\n'
            )


def check_answer_file(path: str | Path, *, may_exist: bool) -> None:
    """Look before the work whether answers can be written into a file.

    Args:
        path: The file.
        may_exist: Whether there may be some already.

    Raises:
        OSError: They cannot, or there are some already.
        ValueError: The file is called as videos are.
    """
    file = AnswerFile(path)
    if is_video_name(file.path.name):
        raise ValueError(
            f'{path} is no file for answers but called as videos are; name the videos '
            'first'
        )
    check_writable(path)
    for there in (file.part, file.path):
        if there.exists() and not may_exist:
            raise FileExistsError(
                f'{there} exists: --resume goes on with its answers, --overwrite '
                'replaces it'
            )


def _line(values: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator='\n').writerow(values)
    return line.getvalue()


def _bytes(line: str) -> bytes:
    return line.encode('utf-8', 'surrogateescape')


def kept_rows(files: Sequence[AnswerFile], made_with: str) -> dict[str, Row]:
    """Return the answers by video that need not be made again: those without an error.

    Args:
        files: Of which one or several are there.
        made_with: What they must have been made with: digests, joined by ``-``, of the
            model, the labels and the settings.

    Raises:
        ValueError: They were made with another model, other labels or settings.
    """
    rows = next(filter(None, (file.read() for file in files)), [])
    for row in rows:
        given, wanted = (text.split('-') for text in (row['made_with'], made_with))
        if given != wanted:
            names = ('another model', 'other labels', 'other settings')
            pairs = zip(names, given, wanted, strict=False)
            other = [name for name, one, two in pairs if one != two]
            raise ValueError(
                f'{files[0].path} has answers of {" and ".join(other)}; --resume goes '
                'on with the same only: write into another file, or --overwrite'
            )
    return {row['video']: row for row in rows if 'error' not in row}
