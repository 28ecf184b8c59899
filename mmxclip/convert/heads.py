"""Numbers of attention heads: weights bear no trace of them, a stored config may."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

_PLACES = {
    'vision': ('backbone', 'arch'),
    'text': ('cls_head', 'text_encoder', 'arch'),
    'mit': ('neck',),
    'prompt': ('cls_head', 'prompt'),
}


@dataclass(frozen=True)
class Heads:
    """Attention heads of each part; None where nothing is said of them.

    Args:
        vision: Of the vision tower.
        text: Of the text tower.
        mit: Of the multi-frame integration transformer.
        prompt: Of the prompt's cross attention.
    """

    vision: int | None = None
    text: int | None = None
    mit: int | None = None
    prompt: int | None = None


def stored_heads(content: Mapping[str, Any]) -> Heads:
    """Read the heads from the config that a training stored beside its weights.

    The config is a program in Python, which is parsed and never run.

    Args:
        content: What a checkpoint file holds.
    """
    meta = content.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    model = _find_model(text) if isinstance(text, str) else None
    found = {
        part: reduce(_child, (*place, 'num_heads'), model)
        for part, place in _PLACES.items()
    }
    return Heads(
        **{
            part: node.value
            for part, node in found.items()
            if isinstance(node, ast.Constant) and type(node.value) is int
        }
    )


def _find_model(config: str) -> ast.expr | None:
    """Return what a config assigns to ``model`` last."""
    try:
        lines = ast.parse(config).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # too deep
        return None
    values = [
        line.value
        for line in lines
        if isinstance(line, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == 'model' for t in line.targets)
    ]
    return values[-1] if values else None


def _child(node: ast.expr | None, key: str) -> ast.expr | None:
    """Return the value of a key of ``dict(...)`` or ``{...}``."""
    pairs: list[tuple[Any, ast.expr]] = []
    if isinstance(node, ast.Call):
        pairs = [(keyword.arg, keyword.value) for keyword in node.keywords]
    elif isinstance(node, ast.Dict):
        pairs = [
            (name.value, value)
            for name, value in zip(node.keys, node.values, strict=True)
            if isinstance(name, ast.Constant)
        ]
    return dict(pairs).get(key)
