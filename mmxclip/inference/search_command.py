"""Indexing and searching for commands."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process

from mmxclip.inference.approximate import import_faiss, make_approximate
from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.film_writer import write_cut
from mmxclip.inference.films import path_of
from mmxclip.inference.hits import Hit
from mmxclip.inference.index import build_index
from mmxclip.inference.outputs import check_outputs
from mmxclip.inference.picture_files import save_picture
from mmxclip.inference.predict import ERRORS, open_inferencer
from mmxclip.inference.search import FilmSearch, Where
from mmxclip.inference.timeline_files import clock
from mmxclip.text import Classes
from mmxclip.utils.files import check_writable
from mmxclip.utils.processes import with_progress

Found = Sequence[tuple[str, Sequence[Hit]]]


def index_command(
    folder: str,
    out: str,
    *,
    model: Mapping[str, str | None],
    approximate: bool = False,
    **options: Any,
) -> None:
    """Index films, and tell what has become of them.

    Args:
        folder: Of the films.
        out: Of the index.
        model: ``config``, ``checkpoint``, ``device``, ``engine``, ``dtype``, see
            :func:`open_inferencer`.
        approximate: Whether to prepare the approximate search, too.
        **options: Of :func:`build_index`.

    Raises:
        ImportError: ``approximate`` without faiss.
        OSError: Films, index or model cannot be read or written.
        ValueError: They do not fit each other, a setting is wrong, or no film could be
            read.
    """
    with redirect_stdout(sys.stderr):  # libraries print; the answers are for stdout
        if approximate:
            import_faiss()
        inferencer = open_inferencer(**model)
        kept = {name: _whole(model[name]) for name in ('config', 'checkpoint')}
        kept |= {name: model[name] for name in ('engine', 'dtype')}
        report = build_index(
            inferencer, folder, out, model=kept, track=with_progress, **options
        )
        if not is_main_process():
            return
        if not report.windows:
            why = next(iter(report.problems.values()))
            raise ValueError(f'no film in {folder} could be read: {why}')
        recall = None
        if approximate:
            with FilmIndex(out) as index:
                texts = Classes.of('kinetics400')[::8]  # as people might ask
                queries = FilmSearch(inferencer, index).queries(texts)
                recall = make_approximate(index, queries)
    lines = [
        f'{out}: {report.films} films, {report.windows} windows '
        f'({report.new} new, {report.changed} changed, {report.removed} removed)'
    ]
    if recall is not None:
        lines.append(f'approximate search: recall at 10 is {recall:.3f}')
    if report.problems:
        lines.append(f'{len(report.problems)} films could not be read whole:')
        lines += [f'  {name}: {why}' for name, why in report.problems.items()]
    sys.stdout.write('\n'.join(lines) + '\n')


def search_command(
    index: str,
    texts: Sequence[str],
    *,
    model: Mapping[str, str | None],
    queries: str | None = None,
    like: Sequence[str] = (),
    films: str | None = None,
    where: Where = Where(),  # noqa: B008 (immutable)
    top: int = 10,
    best: int = 200,
    approximate: bool = False,
    in_json: bool = False,
    sheet: str | None = None,
    overwrite: bool = False,
    cut: str | None = None,
) -> None:
    """Search an index, and print, draw or cut out what is found.

    Args:
        index: Its folder.
        texts: What to look for, in words.
        model: See :func:`index_command`. Default: what the index was made with.
        queries: File with more texts, one a line, or with descriptions of them.
        like: Clips to look for the like of.
        films: Where the films are. Default: where they were.
        where: See :meth:`FilmSearch.by_words`.
        top: See there.
        best: See there.
        approximate: Whether to look at a part of the windows only.
        in_json: Print JSON and nothing else.
        sheet: A .png file for a contact sheet.
        overwrite: Whether it may be replaced.
        cut: Folder that every hit is written into as a film.

    Raises:
        OSError: Index, model or films cannot be read, or files be written.
        ValueError: They do not fit each other, or a setting is wrong.
        ImportError: ``approximate`` without faiss.
    """
    asked = Classes((), ())
    for source in (texts, queries):
        if source:
            asked += Classes.of(source)
    if not asked and not like:
        raise ValueError(
            'there is nothing to look for: give words, as in "a person falls", or '
            '--like CLIP'
        )
    check_outputs([sheet] if sheet else [], '', ['.png'], overwrite=overwrite)
    if cut:
        check_writable(Path(cut, 'cut.mp4'))
    with redirect_stdout(sys.stderr), FilmIndex(index) as opened:
        given = model['config'] or model['checkpoint']
        search = FilmSearch(
            open_inferencer(**(model if given else {**model, **opened.manifest.model})),
            opened,
            approximate=approximate,
        )
        options: dict[str, Any] = dict(top=top, best=best, where=where)
        hits = search.by_words(asked, **options) if asked else []
        hits += [search.by_example(clip, **options) for clip in like]
        found = list(zip([*asked, *like], hits, strict=True))
        folder = films or opened.manifest.folder
        if sheet:
            # It takes a second to load.
            from mmxclip.inference.contact_sheet import draw_sheet  # noqa: PLC0415

            save_picture(draw_sheet(found, folder), sheet)
        if cut:
            cut_hits(found, folder, cut)
    sys.stdout.write(_as_json(found, folder) if in_json else _as_table(found))


def cut_hits(found: Found, folder: str, out: str) -> list[Path]:
    """Write every hit as a film of its own, exact to the frame, re-encoded.

    Args:
        found: Queries, each with its hits.
        folder: Where the films are.
        out: Folder for them; it is made.

    Returns:
        The files: number and text of the query, rank, film.

    Raises:
        FileExistsError: One of them is there; none is written then.
        OSError: Some cannot be written, or their films be read; the others are.
    """
    jobs = [
        (hit, Path(out, f'{n:02}-{_slug(query, 40)}-{rank:03}-{_slug(name, 60)}.mp4'))
        for n, (query, hits) in enumerate(found, 1)
        for rank, hit in enumerate(hits, 1)
        for name in [Path(hit.film).stem]
    ]
    there = [path for _, path in jobs if path.exists()]
    if there:
        raise FileExistsError(
            f'{there[0]} exists and is not replaced; nothing has been cut: give '
            'another --cut'
        )
    errors = []
    for hit, path in jobs:
        try:
            write_cut(path_of(folder, hit.film), hit.start, hit.end, path)
        except ERRORS as error:
            errors.append(str(error))
    if errors:
        raise OSError(
            f'{len(errors)} of {len(jobs)} cuts could not be written: {errors[0]}'
        )
    return [path for _, path in jobs]


def _whole(given: str | None) -> str | None:
    """Return a name as it is, a path so that it is found from elsewhere."""
    return os.path.abspath(given) if given and os.path.exists(given) else given


def _slug(text: str, most: int) -> str:
    return re.sub(r'\W+', '-', text)[:most].strip('-') or 'film'


def _as_table(found: Found) -> str:
    lines = []
    for query, hits in found:
        lines.append(query)
        for rank, hit in enumerate(hits, 1):
            times = f'{clock(hit.start)} - {clock(hit.end)}'
            lines.append(f'  {rank:3}  {hit.score:6.3f}  {times}  {hit.film}')
        if not hits:
            lines.append('  nothing: no window takes part')
    return '\n'.join(lines) + '\n'


def _as_json(found: Found, folder: str) -> str:
    rows = [
        dict(
            query=query,
            hits=[
                asdict(hit)
                | dict(score=round(hit.score, 6), path=path_of(folder, hit.film))
                for hit in hits
            ],
        )
        for query, hits in found
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + '\n'
