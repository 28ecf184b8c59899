"""The tab that names the action in a clip."""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr
import numpy as np

from mmxclip.inference import Answer, predict_videos
from mmxclip.inference.sources import Source
from mmxclip.web import parts
from mmxclip.web.service import Service, told_on_page

_NONE = 'none of these'
_TIME_LIMIT = 300.0  # seconds to decode a clip


def add_recognise(service: Service) -> None:
    """Put the tab on the page that is being built.

    Args:
        service: The models.
    """
    names = list(service.models)
    with gr.Row():
        with gr.Column():
            film, texts = parts.clip_and_words('recognise-film', service.samples)
            work = parts.Work('Recognise', 'recognise')
            with gr.Accordion('Options', open=False):
                others = parts.words(
                    _NONE.capitalize(),
                    info='Texts that are also compared, and whose scores add up',
                    lines=1,
                )
                threshold = gr.Slider(
                    0,
                    1,
                    step=0.05,
                    label='Threshold',
                    info='Below this score, the answer is none of these',
                )
                temperature = gr.Slider(
                    0.1,
                    10,
                    1,
                    step=0.1,
                    label='Temperature',
                    info='Above 1, the scores move closer together',
                )
                model = gr.Dropdown(
                    names, value=names[0], label='Model', visible=len(names) > 1
                )
        with gr.Column():
            scores = gr.Label(
                label='Scores',
                num_top_classes=10,
                show_heading=False,
                elem_id='recognise-scores',
            )
            frames = gr.Gallery(
                label='What the model saw',
                columns=4,
                interactive=False,
                format='png',
            )

    def recognise(  # noqa: PLR0917 (as Gradio passes them)
        film: str | None,
        texts: str,
        others: str,
        threshold: float,
        temperature: float,
        model: str,
        request: gr.Request,
    ) -> Iterator[dict[Any, Any]]:
        with told_on_page():
            clip = service.take(film, request)
            background = service.limits.check_words(others, least=0)
            known = service.limits.check_words(texts, least=1 if background else 2)
            yield {work.status: 'Looking ...'}
            found = _ask(service, model, clip, [*known, *background])
        shown = _tempered(found.scores, temperature)
        if background:
            shown[_NONE] = sum(shown.pop(name) for name in background)
        best = max(shown, key=shown.__getitem__)
        unsure = shown[best] < threshold
        yield {
            work.status: parts.shown(f'{_NONE}, as no score reaches {threshold}')
            if unsure
            else parts.shown(best),
            scores: shown,
            frames: list(found.frames),  # type: ignore[arg-type]
        }

    options = [others, threshold, temperature, model]
    work.does(recognise, [film, texts, *options], [scores, frames])


def _ask(service: Service, model: str, clip: str, names: list[str]) -> Answer:
    if model not in service.models:
        raise ValueError(f'there is no model {model!r} here')
    (answer,) = predict_videos(
        service.models[model],
        Source(clip),
        names,
        workers=1,
        time_limit=_TIME_LIMIT,
        keep_frames=True,
    )
    if answer.error:
        raise ValueError(answer.error)
    return answer


def _tempered(scores: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Return probabilities at another temperature, best first; 1 changes nothing."""
    if temperature == 1:
        return dict(scores)
    if not temperature > 0:
        raise ValueError(f'the temperature must be above 0, got {temperature}')
    logits = np.log(np.maximum(list(scores.values()), 1e-30)) / temperature
    powers = np.exp(logits - logits.max())
    return dict(zip(scores, (powers / powers.sum()).tolist(), strict=True))
