"""The page, of one file for each tab."""

import gradio as gr

from mmxclip.web.explain import add_explain
from mmxclip.web.recognise import add_recognise
from mmxclip.web.search import add_search
from mmxclip.web.service import Service
from mmxclip.web.timeline import add_timeline

_SWEEP = 60  # seconds


def build_page(
    service: Service, *, films: str | None = None, index: str, keep: int = 3600
) -> gr.Blocks:
    """Return the page; all work with a model waits in one queue.

    Args:
        service: The models.
        films: Folder of films to search. Default: there is no search.
        index: Folder of their index.
        keep: Seconds after which files are deleted whose user has not left.
    """
    page = gr.Blocks(
        title='mmxclip', analytics_enabled=False, delete_cache=(_SWEEP, keep)
    )
    with page:
        gr.Markdown('# What is seen in a video?')
        with gr.Tab('Recognise', id='recognise'):
            add_recognise(service)
        with gr.Tab('Timeline', id='timeline'):
            add_timeline(service)
        if films:
            with gr.Tab('Search', id='search'):
                add_search(service, films, index)
        with gr.Tab('Explain', id='explain'):
            add_explain(service)
        page.unload(service.forget)
    return page.queue(max_size=service.limits.waiting, api_open=False)
