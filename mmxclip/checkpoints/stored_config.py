"""The config that a training stored beside its weights, read as data.

MMEngine would run it as the Python program that it is.
"""

import ast
from collections.abc import Mapping
from typing import Any

from mmxclip.checkpoints.report import CheckpointError


def stored_config(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config in a checkpoint; empty where there is none.

    Args:
        content: What the file holds.

    Raises:
        CheckpointError: It is more than assignments of values and ``dict(...)``.
    """
    meta = content.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    if not isinstance(text, str):
        return {}
    try:
        return dict(_assignment(line) for line in ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CheckpointError(
            'the config that is stored in it is more than settings, and nothing in a '
            f'checkpoint is run ({error or type(error).__name__}). Give the config as '
            'a file (--config)'
        ) from error


def _assignment(line: ast.stmt) -> tuple[str, Any]:
    match line:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, _value(value)
    raise ValueError(f'line {line.lineno} assigns no value to a name')


def _value(node: ast.expr | None) -> Any:
    match node:
        case ast.Dict(keys=keys, values=values):
            return {_value(k): _value(v) for k, v in zip(keys, values, strict=True)}
        case ast.Call(func=ast.Name(id='dict'), args=args, keywords=keywords):
            # MMEngine writes dict({'a.b': 1}) where keys are no names.
            plain = args == [] or (len(args) == 1 and isinstance(args[0], ast.Dict))
            if plain and all(keyword.arg for keyword in keywords):
                named = {keyword.arg: _value(keyword.value) for keyword in keywords}
                return {**(_value(args[0]) if args else {}), **named}
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.expr():
            try:
                return ast.literal_eval(node)
            except ValueError:
                pass
    line = getattr(node, 'lineno', '?')
    raise ValueError(f'line {line}: {ast.unparse(node)[:60] if node else "**"}')
