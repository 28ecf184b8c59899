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
        lines = _DictCalls().visit(ast.parse(text)).body
        return {_name(line): ast.literal_eval(line.value) for line in lines}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CheckpointError(
            'the config that is stored in it is more than settings, and nothing in a '
            f'checkpoint is run ({error or type(error).__name__}). Give the config as '
            'a file (--config)'
        ) from error


def _name(line: ast.stmt) -> str:
    match line:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    raise ValueError(f'line {line.lineno} assigns no value to a name')


class _DictCalls(ast.NodeTransformer):
    """Write ``dict({'a.b': 1}, c=2)``, as MMEngine does, as a literal."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace a call of ``dict``; `ast.literal_eval` refuses the others."""
        self.generic_visit(node)
        named = all(word.arg for word in node.keywords)  # and no **more
        match node:
            case ast.Call(func=ast.Name(id='dict'), args=args) if named:
                literal = args[0] if args else ast.Dict([], [])
                if isinstance(literal, ast.Dict) and len(args) < 2:
                    literal.keys += [ast.Constant(word.arg) for word in node.keywords]
                    literal.values += [word.value for word in node.keywords]
                    return literal
        return node
