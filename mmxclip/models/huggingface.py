"""Towers of language-image models of Hugging Face's ``transformers``, an extra."""

from collections.abc import Callable
from typing import Any, Literal

from torch import nn

from mmxclip.checkpoints.zoo import HUB_NAME

_PROJECTIONS = {'vision': 'visual_projection', 'text': 'text_projection'}


def build_half(source: str, half: Literal['vision', 'text']) -> nn.Module:
    """Build a pair of towers with one of them only, without weights.

    Args:
        source: A folder of Hugging Face, or 'hf-hub:OWNER/NAME'. Only its config is
            read; nothing in it is executed.
        half: Which tower.

    Returns:
        The pair, for its ``get_image_features`` or ``get_text_features``.

    Raises:
        ImportError: ``transformers`` is not installed.
        ValueError: There is no config, or not that of two towers.
    """
    config = read(source, 'AutoConfig')
    pair = _transformers().AutoModel.from_config(config, trust_remote_code=False)
    kept = {f'{half}_model', _PROJECTIONS[half]}  # SigLIP has no projections
    if not (hasattr(pair, f'{half}_model') and hasattr(pair, 'logit_scale')):
        raise ValueError(
            f'{source} is a {type(pair).__name__}, without a {half}_model beside '
            'another one; take a language-image model of two towers, such as SigLIP'
        )
    for name in {*pair._modules, *pair._parameters} - kept:
        delattr(pair, name)
    pair.is_init = True  # MMEngine would call its init_weights after ours
    return pair


def read(source: str, kind: Literal['AutoConfig', 'AutoTokenizer']) -> Any:
    """Read a config or a tokenizer; arguments and errors as of `build_half`."""
    load: Callable = getattr(_transformers(), kind).from_pretrained
    try:
        return load(source.removeprefix(HUB_NAME), trust_remote_code=False)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().split('\n')[0]
        raise ValueError(
            f'{source} gives no {kind.removeprefix("Auto").lower()}: {reason} Give a '
            f"folder of Hugging Face, or '{HUB_NAME}OWNER/NAME'"
        ) from error


def _transformers() -> Any:
    try:
        import transformers  # noqa: PLC0415 (an extra, and slow to import)
    except ImportError as error:
        raise ImportError(
            "towers of Hugging Face need transformers: pip install 'mmxclip"
            "[transformers]'"
        ) from error
    return transformers
