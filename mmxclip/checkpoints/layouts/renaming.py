"""Renaming tables between checkpoint layouts, applied forwards or backwards.

A line of a table pairs a pattern of foreign names with one of ours; ``-`` in its place
drops the tensors, with the reason; ``^T`` behind it says that the two sides store each
other's transpose. Behind a line ``theirs = ours``, names that begin with a dot go on
from these two. Patterns are plain names with fields in braces, which carry over where
they stand in both.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

StateDict = dict[str, Tensor]

_ATTENTION = r'(?:in_proj_|out_proj\.)(?:weight|bias)'
_FIELDS = {
    'n': r'\d{1,4}',  # a layer's index
    'wb': 'weight|bias',
    # Bare parameters of the vision tower; parameters of the text tower beside blocks.
    'vision': 'class_embedding|positional_embedding|proj',
    'text': (
        r'token_embedding\.weight|positional_embedding|text_projection'
        r'|ln_final\.(?:weight|bias)'
    ),
    'ln': 'ln_pre|ln_post',
    'rest': '.+',
    'tower': r'(?:.*\.)?',  # any prefix, also none
    # A projection of the prompt's cross attention; q, k and v: three foreign tensors
    # make one of ours, stacked along the first dimension.
    'cross': r'[qkv]_proj\.weight',
    'qkv': '[qkv]',
    # Every parameter of a CLIP block, and every one that X-CLIP adds to it.
    'block': (
        rf'ln_[12]\.(?:weight|bias)|attn\.{_ATTENTION}'
        r'|mlp\.c_(?:fc|proj)\.(?:weight|bias)'
    ),
    'message': rf'message_(?:fc|ln)\.(?:weight|bias)|message_attn\.{_ATTENTION}',
}
_OUR_SLOTS = ('backbone.', 'neck.', 'cls_head.')


@dataclass
class Renamed:
    """Tensors under other names; names that were dropped, why; unknown, incomplete."""

    tensors: StateDict = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Row:
    theirs: str
    ours: str
    why: str

    def match(self, name: str, side: str) -> re.Match[str] | None:
        return self._regexes[side].fullmatch(name)

    @cached_property
    def _regexes(self) -> dict[str, re.Pattern[str]]:
        return {side: _compile(getattr(self, side)) for side in ('theirs', 'ours')}


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
    def _rows(self) -> list[_Row]:
        rows, their_base, our_base = [], '', ''
        for line in self.table.strip().splitlines():
            theirs, ours, *rest = line.split(maxsplit=2)
            if ours == '=':
                their_base, our_base = theirs, rest[0]
            elif theirs.startswith('.'):
                rows.append(_Row(their_base + theirs, our_base + ours, ''))
            else:
                rows.append(_Row(theirs, ours, ''.join(rest)))
        return rows

    def _find(self, name: str, side: str) -> tuple[_Row, dict[str, str]] | None:
        found = ((row, row.match(name, side)) for row in self._rows)
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
            else:
                row, fields = found
                target, transposed = _fill(row.ours, fields)
                if 'qkv' in fields and '{qkv}' not in row.ours:
                    thirds.setdefault(target, {})[fields['qkv']] = tensor
                else:
                    result.tensors[target] = _turn(tensor, transposed)
        for target, part in thirds.items():
            lost = [third for third in 'qkv' if third not in part]
            result.incomplete += [f'{target} ({third})' for third in lost]
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
            parts: Iterable[tuple[str, Tensor]] = [('', tensor)]
            if '{qkv}' in row.theirs:
                parts = zip('qkv', (t.clone() for t in tensor.chunk(3)), strict=True)
            for third, part in parts:
                target, _ = _fill(row.theirs, fields | {'qkv': third})
                result.tensors[target] = _turn(part, row.ours.endswith('^T'))
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


def _fill(pattern: str, fields: Mapping[str, str]) -> tuple[str, bool]:
    name = re.sub(r'\{(\w+)\}', lambda match: fields[match[1]], pattern)
    return name.removesuffix('^T'), name.endswith('^T')


def _turn(tensor: Tensor, transposed: bool) -> Tensor:
    return tensor.t().contiguous() if transposed else tensor
