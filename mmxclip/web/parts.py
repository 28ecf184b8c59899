"""Parts that the tabs have in common."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component


def clip_and_words(
    elem_id: str, samples: Sequence[tuple[str, str]]
) -> tuple[gr.Video, gr.Textbox]:
    """Make a place for a video, a field for texts, and what fills them.

    Args:
        elem_id: Of the video.
        samples: Paths of videos, each with texts.
    """
    video, texts = _upload(elem_id), words()
    gr.Examples(
        [list(sample) for sample in samples],
        [video, texts],
        label='Samples',
        example_labels=[Path(path).stem for path, _ in samples],
    )
    return video, texts


def _upload(elem_id: str) -> gr.Video:
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
        info=info or 'What may be seen: separated by commas, or one a line',
        placeholder='playing guitar, juggling, a dog runs',
        lines=lines,
    )


def shown(text: str) -> str:
    """Return a text as HTML."""
    return html.escape(text, quote=False)


class Work:
    """Buttons that start and stop work with a model, and a line that tells of it.

    Args:
        name: What the button says that starts it.
        api_name: Name for programs.
    """

    def __init__(self, name: str, api_name: str) -> None:
        with gr.Row():
            self._start = gr.Button(
                name, variant='primary', elem_id=f'{api_name}-start'
            )
            self._stop = gr.Button('Stop', elem_id=f'{api_name}-stop')
        self.status = gr.HTML(label='Status', elem_id=f'{api_name}-status')
        self._api_name = api_name

    def does(
        self,
        work: Callable[..., Any],
        inputs: Sequence[Component],
        outputs: Sequence[Component],
    ) -> None:
        """Say what the work is.

        Args:
            work: A generator of dicts of components and values.
            inputs: What it gets.
            outputs: What it fills beside the status.
        """
        running = self._start.click(
            work,
            inputs,
            [self.status, *outputs],
            api_name=self._api_name,
            concurrency_id='model',
            concurrency_limit=1,
            show_progress='minimal',
            show_progress_on=self.status,
        )
        stopped = self._stop.click(None, cancels=[running], api_visibility='private')
        # Only then: what the work has told before would come later.
        stopped.then(
            lambda: 'Stopped.',
            outputs=self.status,
            queue=False,
            api_visibility='private',
        )

    def progress(self, what: str) -> Callable[[int, int], dict[Any, Any]]:
        """Return what shows the number of steps that are done, and of all, as a bar."""

        def show(done: int, total: int) -> dict[Any, Any]:
            total = max(total, done)
            bar = f'<progress value="{done}" max="{total}" aria-label="{what}">'
            return {self.status: f'{bar}</progress> {done} of {total} {what}'}

        return show
