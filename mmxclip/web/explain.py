"""The tab that tells what an answer rests on."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from mmxclip.inference import explain, write_explanation
from mmxclip.web import parts
from mmxclip.web.service import Service, told_on_page
from mmxclip.web.steps import in_steps


def add_explain(service: Service) -> None:
    """Put the tab on the page that is being built.

    Args:
        service: The models.
    """
    with gr.Row():
        with gr.Column():
            film, texts = parts.clip_and_words('explain-film', service.samples)
            method = gr.Radio(
                ['occlusion', 'gradient'],
                value='occlusion',
                label='Method',
                info='A gradient is an estimate, and takes less time',
            )
            work = parts.Work('Explain', 'explain')
        with gr.Column():
            picture = gr.Image(
                label='What the best label rests on',
                show_label=False,
                format='png',
                buttons=['download', 'fullscreen'],
            )
            file = gr.File(label='All numbers', interactive=False)

    def why(
        film: str | None, texts: str, method: str, request: gr.Request
    ) -> Iterator[dict[Any, Any]]:
        with told_on_page():
            path = service.take(film, request)
            names = service.limits.check_words(texts)
            make = partial(explain, service.model, path, names, method=method)
            found = yield from in_steps(make, work.progress('passes'))
            with TemporaryDirectory() as folder:
                paths = [str(Path(folder, f'explanation.{e}')) for e in ('png', 'json')]
                for each in paths:
                    write_explanation(found, each)
                label, score = found.labels[found.best], found.scores[found.best]
                told = parts.shown(f'{label}: {score:.1%}')
                yield {work.status: told, picture: paths[0], file: paths[1]}

    work.does(why, [film, texts, method], [picture, file])
