"""Renaming tables between checkpoint layouts, applied forwards or backwards.

A row pairs a pattern of foreign names with a pattern of ours. Patterns are plain
names with fields in braces; a field that stands in both patterns carries its value
over:

    {n}        a number, such as a layer's index
    {wb}       weight or bias
    {vision}   a bare parameter of the vision tower
    {text}     a parameter of the text tower outside its blocks
    {ln}       the norm before or after the vision tower's blocks
    {tower}    any prefix, also none
    {rest}     anything
    {block}    every parameter of a CLIP block
    {message}  every parameter that X-CLIP adds to a block
    {cross}    a projection of the prompt's cross attention
    {qkv}      q, k and v: three foreign tensors make one of ours, stacked along the
               first dimension
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mmxclip.convert.report import ConversionReport

StateDict = dict[str, Tensor]

_ATTENTION = r'(?:in_proj_|out_proj\.)(?:weight|bias)'
_FIELDS = {
    'n': r'\d+',
    'wb': 'weight|bias',
    'vision': 'class_embedding|positional_embedding|proj',
    'text': (
        r'token_embedding\.weight|positional_embedding|text_projection'
        r'|ln_final\.(?:weight|bias)'
    ),
    'ln': 'ln_pre|ln_post',
    'rest': '.+',
    'tower': r'(?:.*\.)?',
    'cross': r'[qkv]_proj\.weight',
    'qkv': '[qkv]',
    'block': (
        rf'ln_[12]\.(?:weight|bias)|attn\.{_ATTENTION}'
        r'|mlp\.c_(?:fc|proj)\.(?:weight|bias)'
    ),
    'message': rf'message_(?:fc|ln)\.(?:weight|bias)|message_attn\.{_ATTENTION}',
}


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Args:
        theirs: Pattern of the foreign names. None where the foreign layout has no
            such tensors: they are new in ours and dropped on the way back.
        ours: Pattern of our names. None drops the foreign tensors on purpose.
        why: Reason of a None, for the report.
        transpose: Whether the two sides store each other's transpose.
    """

    theirs: str | None
    ours: str | None
    why: str = ''
    transpose: bool = False

    @cached_property
    def their_regex(self) -> re.Pattern[str]:
        """Matches the foreign names of this row."""
        return _compile(self.theirs)

    @cached_property
    def our_regex(self) -> re.Pattern[str]:
        """Matches our names of this row."""
        return _compile(self.ours)

    @property
    def stacks(self) -> bool:
        """Whether theirs keeps queries, keys and values in three tensors."""
        return self.theirs is not None and '{qkv}' in self.theirs


class Table:
    """An ordered list of rows; the first row that matches a name decides.

    Args:
        source: Name of the foreign layout, for reports.
        rows: The rows.
    """

    def __init__(self, source: str, rows: Iterable[Row]) -> None:
        self.source = source
        self.rows = tuple(rows)

    def to_ours(
        self, state_dict: Mapping[str, Tensor]
    ) -> tuple[StateDict, ConversionReport]:
        """Rename foreign tensors to ours.

        Args:
            state_dict: Tensors under foreign names.

        Returns:
            The tensors under our names and the report, in which every foreign name
            is converted, dropped or unexpected.
        """
        report = ConversionReport(self.source, 'mmxclip')
        result: StateDict = {}
        thirds: dict[str, dict[str, Tensor]] = {}
        for name, tensor in state_dict.items():
            row, fields = self._find(name, 'their_regex')
            if row is None:
                report.unexpected.append(name)
            elif row.ours is None:
                report.dropped[name] = row.why
            elif row.stacks:
                target = _fill(row.ours, fields)
                thirds.setdefault(target, {})[fields['qkv']] = tensor
                report.converted.append((name, target))
                if len(thirds[target]) == len('qkv'):
                    parts = thirds.pop(target)
                    result[target] = torch.cat([parts[part] for part in 'qkv'])
            else:
                target = _fill(row.ours, fields)
                result[target] = _turn(row, tensor)
                report.converted.append((name, target))
        for target, parts in thirds.items():
            report.missing += [f'{target} ({q})' for q in 'qkv' if q not in parts]
        return result, report

    def from_ours(
        self, state_dict: Mapping[str, Tensor]
    ) -> tuple[StateDict, ConversionReport]:
        """Rename our tensors to foreign names; the inverse of `to_ours`.

        Args:
            state_dict: Tensors under our names.

        Returns:
            The tensors under foreign names and the report, in which every one of our
            names is converted, dropped or unexpected.
        """
        report = ConversionReport('mmxclip', self.source)
        result: StateDict = {}
        for name, tensor in state_dict.items():
            row, fields = self._find(name, 'our_regex')
            if row is None:
                report.unexpected.append(name)
            elif row.theirs is None:
                report.dropped[name] = row.why
            elif row.stacks:
                for part, third in zip('qkv', tensor.chunk(3), strict=True):
                    target = _fill(row.theirs, {**fields, 'qkv': part})
                    result[target] = third.clone()
                    report.converted.append((name, target))
            else:
                target = _fill(row.theirs, fields)
                result[target] = _turn(row, tensor)
                report.converted.append((name, target))
        return result, report

    def is_new(self, name: str) -> bool:
        """Whether one of our names has no counterpart in the foreign layout."""
        row, _ = self._find(name, 'our_regex')
        return row is not None and row.theirs is None

    def _find(self, name: str, side: str) -> tuple[Row | None, dict[str, str]]:
        for row in self.rows:
            match = getattr(row, side).fullmatch(name)
            if match:
                return row, match.groupdict()
        return None, {}


def _compile(pattern: str | None) -> re.Pattern[str]:
    if pattern is None:
        return re.compile(r'(?!)')  # matches nothing
    parts = re.split(r'\{(\w+)\}', pattern)  # text, field, text, field, ... text
    return re.compile(
        ''.join(
            f'(?P<{part}>{_FIELDS[part]})' if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )


def _fill(pattern: str, fields: Mapping[str, str]) -> str:
    return re.sub(r'\{(\w+)\}', lambda field: fields[field[1]], pattern)


def _turn(row: Row, tensor: Tensor) -> Tensor:
    return tensor.t().contiguous() if row.transpose else tensor
