"""Parts that the tabs have in common."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component


def upload(elem_id: str) -> gr.Video:
    """Make a place for a video; no address is followed."""
    video: Any = gr.Video(
        label='Video',
        sources=['upload', 'webcam'],
        webcam_options=gr.WebcamOptions(mirror=False),
        include_audio=True,  # or Gradio would write the file anew
        elem_id=elem_id,
        height=320,
    )
    take = video.async_move_resource_to_block_cache

    async def take_file(path: Any) -> str | None:
        if str(path).lower().startswith(('http:', 'https:')):
            told = 'upload the video: addresses are not followed'
            raise gr.Error(told, print_exception=False)
        return await take(path)

    # A class of its own would make Gradio write a file of types beside this one.
    video.async_move_resource_to_block_cache = take_file
    return video


def words(label: str = 'Words', *, info: str = '', lines: int = 3) -> gr.Textbox:
    """Make a field for texts."""
    return gr.Textbox(
        '',
        label=label,
        info=info or 'What may be seen, with commas or in lines',
        placeholder='playing guitar, juggling, a dog runs',
        lines=lines,
    )


def progress(status: gr.HTML, what: str) -> Callable[[int, int], dict[Any, Any]]:
    """Return what shows the number of steps that are done, and of all, as a bar."""

    def show(done: int, total: int) -> dict[Any, Any]:
        total = max(total, done)
        bar = f'<progress value="{done}" max="{total}" aria-label="{what}"></progress>'
        return {status: f'{bar} {done} of {total} {what}'}

    return show


def shown(text: str) -> str:
    """Return a text as HTML."""
    return html.escape(text, quote=False)


def runs(
    work: Callable[..., Any],
    inputs: Sequence[Component],
    outputs: Sequence[Component],
    *,
    button: str,
    api_name: str,
) -> None:
    """Make buttons that start and stop work with a model.

    Args:
        work: A generator of dicts of components and values.
        inputs: What it gets.
        outputs: What it fills; the first one tells how far it is.
        button: What the one that starts it says.
        api_name: Name for programs.
    """
    status = outputs[0]
    with gr.Row():
        start = gr.Button(button, variant='primary', elem_id=f'{api_name}-start')
        stop = gr.Button('Stop', elem_id=f'{api_name}-stop')
    running = start.click(
        work,
        inputs,
        outputs,
        api_name=api_name,
        concurrency_id='model',
        concurrency_limit=1,
        show_progress='minimal',
        show_progress_on=status,
    )
    stop.click(
        lambda: 'Stopped.',
        outputs=status,
        cancels=[running],
        queue=False,
        api_visibility='private',
    )
