"""The tab that tells what is seen when."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from mmxclip.inference import make_timeline, write_timeline
from mmxclip.inference.ranges import Range, Rules
from mmxclip.web import parts
from mmxclip.web.service import Service, told_on_page
from mmxclip.web.steps import in_steps
from mmxclip.web.timeline_html import timeline_html

_PLAYER = 'timeline-film'
_FILES = ('timeline.json', 'timeline.csv', 'timeline.srt')


def add_timeline(service: Service) -> None:
    """Put the tab on the page that is being built.

    Args:
        service: The models.
    """
    with gr.Row():
        with gr.Column():
            film, texts = parts.clip_and_words(_PLAYER, service.samples)
            others = parts.words(
                'Background',
                info='Texts for what is none of these; they are never shown',
                lines=1,
            )
            with gr.Row():
                window = gr.Number(4, label='Window', info='Seconds', minimum=0.5)
                threshold = gr.Slider(0.05, 1, 0.5, step=0.05, label='Threshold')
            work = parts.Work('Make the timeline', 'timeline')
        with gr.Column():
            line = gr.HTML(label='Timeline', elem_id='timeline-line')
            ranges = gr.Dataframe(
                headers=list(Range._fields), label='Ranges', interactive=False
            )
            files = gr.File(label='Files', file_count='multiple', interactive=False)

    def timeline(  # noqa: PLR0917 (as Gradio passes them)
        film: str | None,
        texts: str,
        others: str,
        window: float,
        threshold: float,
        request: gr.Request,
    ) -> Iterator[dict[Any, Any]]:
        with told_on_page():
            path = service.take(film, request)
            background = service.limits.check_words(others, least=0)
            known = service.limits.check_words(texts, least=1 if background else 2)
            if not window >= 0.5:
                raise ValueError(f'a window has at least 0.5 seconds, got {window}')
            make = partial(
                make_timeline,
                service.model,
                path,
                known,
                window=window,
                stride=window / 4,
                background=background,
                rules=Rules(threshold),
                batch_size=4,
            )
            found = yield from in_steps(make, work.progress('windows'))
            named = replace(found, film=Path(path).name)
            with TemporaryDirectory() as folder:
                paths = [Path(folder, name) for name in _FILES]
                for each in paths:
                    write_timeline(named, each)
                yield {
                    work.status: 'A click on the timeline moves the player.',
                    line: timeline_html(found, _PLAYER),
                    ranges: [list(one) for one in found.ranges],
                    files: list(map(str, paths)),
                }

    work.does(timeline, [film, texts, others, window, threshold], [line, ranges, files])
