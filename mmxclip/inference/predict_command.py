"""Predictions for a command: in words, as JSON, into files."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from mmxclip.inference.answer_files import (
    AnswerFile,
    AnswerFiles,
    JsonLines,
    Row,
    Table,
    check_answer_file,
    kept_rows,
)
from mmxclip.inference.answer_printer import AnswerPrinter
from mmxclip.inference.inputs import name_of
from mmxclip.inference.labels import parse_labels
from mmxclip.inference.model_digests import model_digests, settings_digest
from mmxclip.inference.picture_files import picture_paths, save_picture
from mmxclip.inference.predict import open_inferencer
from mmxclip.inference.predict_videos import Answer, predict_videos
from mmxclip.inference.sources import find_sources
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.utils.files import check_writable
from mmxclip.utils.processes import with_progress

STDOUT = '-'
NONE = 'none of these'
PICTURES = 'work_dirs/predictions'


def predict(
    videos: Sequence[str],
    *,
    labels: str | None = None,
    model: Mapping[str, str | None],
    top: int = 5,
    out: str | None = None,
    json: str | None = None,
    csv: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **options: Any,
) -> bool:
    """Print the best classes of videos, or write them into files.

    Where a calibrated model is less sure than its threshold, the class is ``NONE``.

    Args:
        videos: See :func:`find_sources`.
        labels: Class names, see :func:`parse_labels`. Default: those of the config.
        model: ``config``, ``checkpoint``, ``device``, ``engine``, ``dtype``, see
            :func:`open_inferencer`.
        top: Classes of an answer, best first.
        out: Folder for a picture of each video. Default: ``PICTURES`` where one video
            is named and its scores are printed; else there are no pictures.
        json: File for the answers, one JSON object a line; ``STDOUT``: print them as a
            list, and nothing else.
        csv: File for the answers, as a table.
        resume: Go on with the answers of ``json`` and ``csv`` that are there.
        overwrite: Replace them.
        **options: Batch size, workers and time limit, see :func:`predict_videos`.

    Returns:
        Whether all videos could be read; of the others the error is told.

    Raises:
        OSError: A file of the model or the labels is missing, or one cannot be written.
        ValueError: They cannot be read, or do not fit each other.
        KeyboardInterrupt: After all that was answered is printed or written.
    """
    to_files = [path for path in (json, csv) if path and path != STDOUT]
    if (resume or overwrite) and not to_files:
        raise ValueError('--resume and --overwrite need --json FILE or --csv FILE')
    with redirect_stdout(sys.stderr):  # libraries print; the answers are for stdout
        names = None if labels is None else parse_labels(labels)
        for path in to_files:
            check_answer_file(path, may_exist=resume or overwrite)
        sources = list(find_sources(videos))
        if out is None and len(sources) == 1 and not (json or csv):
            out = PICTURES
        if out is not None:
            check_writable(Path(out, 'picture.png'))
        inferencer = open_inferencer(names, **model)
        files = _files(json, csv, min(top, len(inferencer.classes)))
        made_with = _made_with(inferencer, top) if files else ''
        rows = kept_rows(files, made_with) if resume else {}
    order = [source.name for source in sources]
    left = [source for source in sources if source.name not in rows]
    if len(left) == 1 and options.get('workers') is None:
        options['workers'] = 1  # which decodes with two threads
    to_stdout = json == STDOUT
    printed = [source.name for source in left] if to_stdout or not files else []
    pictures = dict(zip(order, picture_paths(order, out), strict=True)) if out else {}
    with (
        closing(
            predict_videos(inferencer, left, keep_frames=bool(out), **options)
        ) as stream,
        AnswerFiles(files, order, rows) as kept,
        AnswerPrinter(printed, as_json=to_stdout) as printer,
    ):
        for answer in _with_bar(_quietly(stream), len(left)):
            picture = pictures.get(answer.source.name)
            row = _row(answer, top, picture, inferencer.threshold)
            kept.add(row | dict(made_with=made_with))
            printer.add(row)
            if picture is not None and answer.frames is not None:
                _draw(answer.frames, answer.scores, answer.source.name, picture)
        kept.finish()
    return not any('error' in kept.rows[name] for name in order)


def _files(json: str | None, csv: str | None, top: int) -> list[AnswerFile]:
    files: list[AnswerFile] = []
    if json and json != STDOUT:
        files.append(JsonLines(json))
    if csv:
        files.append(Table(csv, top))
    return files


def _made_with(inferencer: XCLIPInferencer, top: int) -> str:
    """Return digests of model, labels and settings."""
    model = model_digests(inferencer)
    settings = [model['model'], model['pipeline'], top, inferencer.threshold]
    parts = model['weights'], inferencer.classes.plain(), settings
    return '-'.join(settings_digest(part)[:8] for part in parts)


def _with_bar(answers: Iterator[Answer], total: int) -> Iterator[Answer]:
    return with_progress(answers, total, stderr=True) if total > 1 else answers


def _quietly(answers: Iterator[Answer]) -> Iterator[Answer]:
    """Hand answers on; what libraries print meanwhile goes to stderr."""
    while True:
        with redirect_stdout(sys.stderr):
            answer = next(answers, None)
        if answer is None:
            return
        yield answer


def _row(
    answer: Answer, top: int, picture: Path | None, threshold: float | None
) -> Row:
    row: Row = dict(video=answer.source.name)
    if answer.error:
        return row | dict(error=answer.error)
    none = threshold is not None and answer.scores[answer.pred_class] < threshold
    row['pred_class'] = NONE if none else answer.pred_class
    row['scores'] = dict(list(answer.scores.items())[:top])
    return row if picture is None else row | dict(picture=str(picture))


def _draw(
    frames: np.ndarray, scores: Mapping[str, float], name: str, path: Path
) -> None:
    # It takes a second to load, for which no score needs to wait.
    from mmxclip.inference.picture import draw_prediction  # noqa: PLC0415

    title = f'{name_of(name)}: {next(iter(scores))}'
    save_picture(draw_prediction(frames, scores, title), path)
