"""The tab that finds places in the operator's films."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from mmxclip.inference import FilmIndex, FilmSearch, build_index
from mmxclip.inference.film_writer import write_cut
from mmxclip.inference.films import middle_frame, path_of
from mmxclip.inference.hits import Hit
from mmxclip.inference.timeline_files import clock
from mmxclip.web import parts
from mmxclip.web.service import Service, told_on_page
from mmxclip.web.steps import in_steps

_MOST_HITS = 24


def add_search(service: Service, films: str, index: str) -> None:
    """Put the tab on the page that is being built.

    Args:
        service: The models.
        films: Folder of the films; nothing outside it is read.
        index: Folder of their index, which is made if there is none.
    """
    found = gr.State([])
    with gr.Row():
        with gr.Column():
            texts = gr.Textbox(label='What to look for', placeholder='a dog runs')
            top = gr.Slider(1, _MOST_HITS, 12, step=1, label='Hits')
            looking = parts.Work('Search', 'search')
            grid = gr.Gallery(
                label='Hits',
                columns=3,
                interactive=False,
                allow_preview=False,
                elem_id='search-hits',
            )
        with gr.Column():
            player = gr.Video(
                label='Player',
                interactive=False,
                autoplay=True,
                elem_id='search-player',
                height=360,
            )
            with gr.Accordion('As JSON', open=False):
                table = gr.JSON(label='Hits')
            indexing = parts.Work('Update the index', 'update_index')

    def search(texts: str, top: int) -> Iterator[dict[Any, Any]]:
        with told_on_page():
            (query, *more) = service.limits.check_words(texts, least=1)
            if more:
                raise ValueError('look for one text at a time, without a comma')
            yield {looking.status: 'Looking ...'}
            with FilmIndex(index) as opened:
                finder = FilmSearch(service.model, opened)
                (hits,) = finder.by_words([query], top=min(int(top), _MOST_HITS))
            yield {
                found: hits,
                looking.status: 'A click on a hit plays it.',
                grid: [(_picture(films, hit), _caption(hit)) for hit in hits],
                table: [vars(hit) for hit in hits],
            }

    def update() -> Iterator[dict[Any, Any]]:
        with told_on_page():
            make = partial(build_index, service.model, films, index)
            done = yield from in_steps(make, indexing.progress('films'))
        told = f'{done.films} films, {done.windows} windows, {done.new} new.'
        yield {indexing.status: told}

    def play(hits: list[Hit], event: gr.SelectData) -> Iterator[Any]:
        hit = hits[event.index]
        with told_on_page(), TemporaryDirectory() as folder:
            path = Path(folder, f'{Path(hit.film).stem}.mp4')
            write_cut(path_of(films, hit.film), hit.start, hit.end, path)
            yield gr.Video(str(path), label=_caption(hit))

    looking.does(search, [texts, top], [found, grid, table])
    indexing.does(update, [], [])
    grid.select(play, [found], [player], api_visibility='private')


def _picture(films: str, hit: Hit) -> Any:
    return middle_frame(path_of(films, hit.film), hit.start, hit.end)


def _caption(hit: Hit) -> str:
    times = f'{clock(hit.start)[:-4]} - {clock(hit.end)[:-4]}'
    return f'{hit.film}, {times} ({hit.score:.2f})'
