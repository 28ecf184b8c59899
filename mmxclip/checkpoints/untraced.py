"""Whether a model computes the function that weights were trained for.

The activation and the number of heads leave no trace in weights, and the pixels' mean
and deviation none in the model. What a checkpoint's config states must be so in the
model; what nothing states, the user's config must say.
"""

from collections.abc import Iterable
from typing import Any

from torch import nn

from mmxclip.checkpoints.clip_config import TEXT, Stated, find_setting
from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.layouts import OPENAI_CLIP, Layout
from mmxclip.checkpoints.report import CheckpointError

_TOWERS = ('backbone', TEXT)


def is_unsaid(opened: Opened, layout: Layout | None, said: Stated) -> bool:
    """Whether nothing tells a checkpoint's activation.

    OpenAI's files, X-CLIPs and ours without a config have QuickGELU, as published.
    """
    return (
        layout is OPENAI_CLIP
        and 'input_resolution' not in opened.state_dict  # OpenAI's own have it
        and not find_setting(said, 'backbone', 'activation')
    )


def check_untraced(
    parts: Iterable[tuple[str, nn.Module]], said: Stated, *, unsaid: bool
) -> None:
    """Compare parts of a model with what is stated about their weights.

    Args:
        parts: Place in a recognizer, such as 'backbone', and module, of all that get
            weights.
        said: From `stated`.
        unsaid: From `is_unsaid`.

    Raises:
        CheckpointError: They differ, or nobody says; with the lines to write.
    """
    for place, part in parts:
        if (has := getattr(part, 'untraced', None)) is None:
            continue
        if unsaid and not has.is_said:
            wanted = "'gelu' or 'quick_gelu' (OpenAI's, *-quickgelu of open_clip)"
            raise CheckpointError(
                'nothing beside it tells its activation, of which weights bear no '
                'trace. Write into the config: '
                + '; '.join(f'model.{tower}.activation = {wanted}' for tower in _TOWERS)
            )
        for key in ('activation', 'num_heads'):
            theirs, ours = find_setting(said, place, key), getattr(has, key)
            if theirs not in (None, ours):
                raise CheckpointError(
                    f'it was trained with {key}={theirs!r} of {place}, and this model '
                    f'has {ours!r}: it would give other features. Write into the '
                    f'config: {_cure(said, place, key)}'
                )


def _cure(said: Stated, place: str, key: str) -> str:
    """Return the lines of a config; those of the activation for both towers."""
    places = _TOWERS if key == 'activation' and place in _TOWERS else (place,)
    values = {place: find_setting(said, place, key) for place in places}
    arch = '.arch' if key == 'num_heads' and place in _TOWERS else ''
    lines = [f'model.{p}{arch}.{key} = {v!r}' for p, v in values.items() if v]
    return '; '.join(lines)


def compare_pixels(model: nn.Module, said: Stated) -> list[str]:
    """Say that frames are not normalised as they were for these weights.

    Args:
        model: A recognizer, whose preprocessor is looked at, or a part.
        said: From `stated`.
    """
    wanted = said.get('data_preprocessor')
    wanted = wanted if isinstance(wanted, dict) else {}
    preprocessor = getattr(model, 'data_preprocessor', None)
    lines = []
    for key in ('mean', 'std'):
        has = getattr(preprocessor, key, None)
        numbers = [] if has is None else has.flatten().tolist()
        if key in wanted and not _alike(numbers, wanted[key]):
            lines.append(f'model.data_preprocessor.{key} = {wanted[key]}')
    told = 'its pixels were normalised otherwise' if preprocessor else 'its pixels'
    return [f'{told}: {"; ".join(lines)}'] if lines else []


def _alike(numbers: list[float], wanted: Any) -> bool:
    pairs = zip(numbers, wanted, strict=False)
    return len(numbers) == len(wanted) and all(abs(a - b) < 0.01 for a, b in pairs)
