"""CLIP's byte-pair tokenizer, taken from the ``clip`` package.

References:
    https://github.com/openai/CLIP/blob/main/clip/clip.py (tokenize)
"""

import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from mmxclip.text.classes import Classes

CONTEXT_LENGTH = 77


class _BPE(Protocol):
    encoder: dict[str, int]

    def encode(self, text: str) -> list[int]: ...


def clip_file(name: str) -> Path:
    """Return the path of a file of the ``clip`` package, which is not imported.

    Raises:
        ImportError: The package is missing.
    """
    spec = importlib.util.find_spec('clip')
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    for folder in folders:
        path = Path(folder) / name
        if path.is_file():
            return path
    raise ImportError(
        f"mmxclip needs OpenAI's tokenizer (clip/{name}), which is not installed (clip "
        f'found in: {folders or "nowhere"}). Run: pip install openai-clip==1.0.1'
    )


@functools.cache
def _load_bpe() -> _BPE:
    """Load ``clip.simple_tokenizer`` without ``import clip``.

    The package's ``__init__`` imports torchvision, which its tokenizer does not
    need; so the module is executed from its file.
    """
    path = clip_file('simple_tokenizer.py')
    module_spec = importlib.util.spec_from_file_location('_mmxclip_bpe', path)
    if module_spec is None or module_spec.loader is None:
        raise ImportError(f'Cannot load {path}. Run: pip install openai-clip==1.0.1')
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def tokenize(
    texts: str | Sequence[str], context_length: int = CONTEXT_LENGTH
) -> Tensor:
    """Turn texts into token ids, as ``clip.tokenize`` does.

    Args:
        texts: One text, or K of them.
        context_length: Row length; 77 for every released CLIP.

    Returns:
        Tensor: int64 (K, context_length): start token, text, end token (the largest
        id of a row), zeros.

    Raises:
        ImportError: The ``clip`` package is missing.
        ValueError: A text does not fit; it is named.
    """
    texts = [texts] if isinstance(texts, str) else texts
    bpe = _load_bpe()
    start, end = bpe.encoder['<|startoftext|>'], bpe.encoder['<|endoftext|>']
    # Real numbers also where models are built without memory, under device meta.
    tokens = torch.zeros(len(texts), context_length, dtype=torch.long, device='cpu')
    for row, text in zip(tokens, texts, strict=True):
        ids = [start, *bpe.encode(text), end]
        if len(ids) > context_length:
            raise ValueError(
                f'This text has {len(ids)} tokens (start and end included), CLIP '
                f'reads at most {context_length}: {_shown(text)}. Shorten it.'
            )
        row[: len(ids)] = torch.tensor(ids, device='cpu')
    return tokens


def refuse_equal_texts(classes: Classes, tokens: Tensor) -> None:
    """Raise a ValueError if all texts of two classes have the same tokens (R, S)."""
    seen: dict[tuple[int, ...], str] = {}
    groups = tokens.split([len(texts) for texts in classes.texts])
    for name, rows in zip(classes, groups, strict=True):
        other = seen.setdefault(tuple(rows.flatten().tolist()), name)
        if other != name:
            raise ValueError(
                f'Classes {other!r} and {name!r} are one text to CLIP, which does not '
                'tell capitals from small letters. Rename or merge them.'
            )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else f'{text[:200]}...')
