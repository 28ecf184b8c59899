"""Renaming tables between checkpoint layouts, applied forwards or backwards.

A line of a table pairs a pattern of foreign names with one of ours; ``-`` in its place
drops the tensors, with the reason; ``^T`` behind it says that the two sides store each
other's transpose. Behind a line ``theirs = ours``, names that begin with a dot go on
from these two. Patterns are plain names with fields in braces, which carry over where
they stand in both; ``{a|b}`` stands for either.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

StateDict = dict[str, Tensor]

_WB = r'\.(?:weight|bias)'
_ATTENTION = rf'(?:in_proj_(?:weight|bias)|out_proj{_WB})'
_FIELDS = {
    'n': r'\d{1,4}',  # a layer's index
    'wb': 'weight|bias',
    # Bare parameters of the vision tower; parameters of the text tower beside blocks.
    'vision': 'class_embedding|positional_embedding|proj',
    'text': (
        r'token_embedding\.weight|positional_embedding|text_projection|ln_final' + _WB
    ),
    'ln': 'ln_pre|ln_post',
    'rest': '.+',
    'tower': r'(?:.*\.)?',  # any prefix, also none
    'cross': r'[qkv]_proj\.weight',  # a projection of the prompt's cross attention
    'qkv': '[qkv]',  # three foreign tensors make one of ours, stacked
    # Every parameter of a CLIP block, and every one that X-CLIP adds to it.
    'block': rf'ln_[12]{_WB}|attn\.{_ATTENTION}|mlp\.c_(?:fc|proj){_WB}',
    'message': rf'message_(?:fc|ln){_WB}|message_attn\.{_ATTENTION}',
}
_OUR_SLOTS = ('backbone.', 'neck.', 'cls_head.')


@dataclass
class Renamed:
    """Tensors under other names; names that were dropped, why; unknown, incomplete."""

    tensors: StateDict = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)


class _Row(NamedTuple):
    theirs: str
    ours: str
    why: str

    def turn(self, tensor: Tensor) -> Tensor:
        return tensor.t().contiguous() if self.ours.endswith('^T') else tensor


@dataclass(frozen=True)
class Layout:
    """How another code base names the parameters of our recognizer.

    Args:
        name: Its name in messages.
        table: See above.
        note: What to mind when weights of this layout are used.
        is_whole: Whether its checkpoints bring every part of an X-CLIP.
        is_start: Whether they bring a start for the backbone only, so that nothing
            that the layout has no name for is missed.
        prepare: Brings foreign tensors into the shapes that the table expects.
    """

    name: str
    table: str
    note: str = ''
    is_whole: bool = False
    is_start: bool = False
    prepare: Callable[[StateDict], StateDict] = dict

    @cached_property
    def rows(self) -> dict[str, list[tuple[re.Pattern[str], _Row]]]:
        """The lines of the table that are no headlines, by either side's pattern."""
        rows, their_base, our_base = [], '', ''
        for line in self.table.strip().splitlines():
            theirs, ours, *rest = line.split(maxsplit=2)
            if ours == '=':
                their_base, our_base = theirs, rest[0]
                continue
            if theirs.startswith('.'):
                theirs, ours = their_base + theirs, our_base + ours
            rows.append(_Row(theirs, ours, ''.join(rest)))
        return {
            'theirs': [(_compile(row.theirs), row) for row in rows],
            'ours': [(_compile(row.ours), row) for row in rows if row.ours != '-'],
        }

    def find(self, name: str, side: str = 'theirs') -> tuple[_Row, dict] | None:
        """Return the row of a name of either side and its fields, if there is one."""
        found = ((row, regex.fullmatch(name)) for regex, row in self.rows[side])
        return next(((row, m.groupdict()) for row, m in found if m), None)

    def our_name(self, name: str) -> str | None:
        """Return our name of a foreign one, if there is one."""
        found = self.find(name)
        return found and _fill(found[0].ours, found[1])

    def can_name(self, name: str) -> bool:
        """Whether the layout has a name for one of our parameters."""
        return self.find(name, 'ours') is not None

    def to_ours(self, state_dict: Mapping[str, Tensor]) -> Renamed:
        """Rename foreign tensors to ours; what has our names already keeps them."""
        result = Renamed()
        stacks: dict[str, StateDict] = {}
        for name, tensor in self.prepare(dict(state_dict)).items():
            found = self.find(name)
            if found is None and name.startswith(_OUR_SLOTS):
                result.tensors[name] = tensor
            elif found is None:
                result.unknown.append(name)
            elif found[0].ours == '-':
                result.dropped[name] = found[0].why
            else:
                row, fields = found
                ours = _fill(row.ours, fields)
                if 'qkv' in fields:
                    stacks.setdefault(ours, {})[fields['qkv']] = tensor
                else:
                    result.tensors[ours] = row.turn(tensor)
        for name, thirds in stacks.items():
            lost = [f'{name} ({third})' for third in 'qkv' if third not in thirds]
            result.incomplete += lost
            if not lost:
                result.tensors[name] = torch.cat([thirds[third] for third in 'qkv'])
        return result

    def from_ours(self, state_dict: Mapping[str, Tensor]) -> Renamed:
        """Rename our tensors to foreign names; the inverse of `to_ours`."""
        result = Renamed()
        for name, tensor in state_dict.items():
            found = self.find(name, 'ours')
            if found is None:
                result.unknown.append(name)
                continue
            row, fields = found
            stacked = '{qkv}' in row.theirs
            parts = [t.clone() for t in tensor.chunk(3)] if stacked else [tensor]
            for third, part in zip('qkv', parts, strict=False):
                theirs = _fill(row.theirs, {**fields, 'qkv': third})
                result.tensors[theirs] = row.turn(part)
        return result


def _compile(pattern: str) -> re.Pattern[str]:
    # text, field, text, field, ... text
    parts = re.split(r'\{([^}]+)\}', pattern.removesuffix('^T'))
    for index, part in enumerate(parts):
        is_field = index % 2 == 1
        either = '|'.join(map(re.escape, part.split('|')))
        named = f'(?P<{part}>{_FIELDS.get(part)})'
        parts[index] = named if is_field and part in _FIELDS else f'(?:{either})'
    return re.compile(''.join(parts))


def _fill(pattern: str, fields: Mapping[str, str]) -> str:
    return re.sub(r'\{(\w+)\}', lambda m: fields[m[1]], pattern.removesuffix('^T'))
