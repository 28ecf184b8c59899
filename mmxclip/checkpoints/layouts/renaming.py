"""Renaming tables between checkpoint layouts, applied forwards or backwards.

A line of a table pairs a pattern of foreign names with one of ours; ``-`` in its place
drops the tensors, with the reason; ``^T`` behind it says that the two sides store each
other's transpose. Behind a line ``theirs = ours``, names that begin with a dot go on
from these two. Patterns are plain names with fields in braces, which carry over where
they stand in both.
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
    regexes: dict[str, re.Pattern[str]]

    @property
    def stacks(self) -> bool:
        return '{qkv}' in self.theirs


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
    def rows(self) -> list[_Row]:
        """The table, one row for each line that is no headline."""
        rows, their_base, our_base = [], '', ''
        for line in self.table.strip().splitlines():
            theirs, ours, *rest = line.split(maxsplit=2)
            if ours == '=':
                their_base, our_base = theirs, rest[0]
                continue
            if theirs.startswith('.'):
                theirs, ours = their_base + theirs, our_base + ours
            regexes = dict(theirs=_compile(theirs), ours=_compile(ours))
            rows.append(_Row(theirs, ours, ''.join(rest), regexes))
        return rows

    def _find(self, name: str, side: str) -> tuple[_Row, dict[str, str]] | None:
        found = ((row, row.regexes[side].fullmatch(name)) for row in self.rows)
        return next(((row, m.groupdict()) for row, m in found if m), None)

    def knows(self, name: str) -> bool:
        """Whether a foreign name is in the table."""
        return self._find(name, 'theirs') is not None

    def can_name(self, name: str) -> bool:
        """Whether the layout has a name for one of our parameters."""
        return self._find(name, 'ours') is not None

    def to_ours(self, state_dict: Mapping[str, Tensor]) -> Renamed:
        """Rename foreign tensors to ours; what has our names already keeps them."""
        result = Renamed()
        thirds: dict[str, dict[str, Tensor]] = {}
        for name, tensor in self.prepare(dict(state_dict)).items():
            found = self._find(name, 'theirs')
            if found is None and name.startswith(_OUR_SLOTS):
                result.tensors[name] = tensor
            elif found is None:
                result.unknown.append(name)
            elif found[0].ours == '-':
                result.dropped[name] = found[0].why
            elif found[0].stacks:
                target = _fill(found[0].ours, found[1])
                thirds.setdefault(target, {})[found[1]['qkv']] = tensor
            else:
                _put(result.tensors, found[0].ours, found[0].ours, found[1], tensor)
        for target, part in thirds.items():
            lost = [f'{target} ({third})' for third in 'qkv' if third not in part]
            result.incomplete += lost
            if not lost:
                result.tensors[target] = torch.cat([part[third] for third in 'qkv'])
        return result

    def from_ours(self, state_dict: Mapping[str, Tensor]) -> Renamed:
        """Rename our tensors to foreign names; the inverse of `to_ours`."""
        result = Renamed()
        for name, tensor in state_dict.items():
            found = self._find(name, 'ours')
            if found is None:
                result.unknown.append(name)
                continue
            row, fields = found
            parts = [t.clone() for t in tensor.chunk(3)] if row.stacks else [tensor]
            for third, part in zip('qkv', parts, strict=False):
                named = {**fields, 'qkv': third}
                _put(result.tensors, row.theirs, row.ours, named, part)
        return result


def _compile(pattern: str) -> re.Pattern[str]:
    if pattern == '-':
        return re.compile('(?!)')  # matches nothing
    # text, field, text, field, ... text
    parts = re.split(r'\{(\w+)\}', pattern.removesuffix('^T'))
    return re.compile(
        ''.join(
            f'(?P<{part}>{_FIELDS[part]})' if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )


def _fill(pattern: str, fields: Mapping[str, str]) -> str:
    return re.sub(r'\{(\w+)\}', lambda m: fields[m[1]], pattern.removesuffix('^T'))


def _put(
    into: StateDict, pattern: str, ours: str, fields: Mapping[str, str], tensor: Tensor
) -> None:
    turned = tensor.t().contiguous() if ours.endswith('^T') else tensor
    into[_fill(pattern, fields)] = turned
