"""What a conversion did with every tensor."""

from dataclasses import dataclass, field

from mmxclip.checkpoints.report import CheckpointError as ConversionError
from mmxclip.checkpoints.report import Shape


@dataclass
class ConversionReport:
    """The account of one conversion.

    Args:
        source: Name of the layout that was read.
        target: Name of the layout that was made.
        converted: (name before, name after) of each converted tensor.
        dropped: Name of each tensor dropped on purpose, with the reason.
        initialised: Parameters of the target that this kind of source never has.
        missing: Parameters of the target that the source should have and has not.
        unexpected: Tensors of the source that nothing is known about.
        reshaped: Name, shape before and shape after of each interpolated tensor.
        notes: Remarks for the reader.
    """

    source: str
    target: str
    converted: list[tuple[str, str]] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    initialised: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    reshaped: list[tuple[str, Shape, Shape]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def require_complete(self) -> 'ConversionReport':
        """Raise ConversionError unless every tensor is accounted for."""
        if self.missing or self.unexpected:
            raise ConversionError(
                f'this {self.source} checkpoint cannot become {self.target}: '
                + '; '.join(
                    f'{len(names)} {what} ({_some(names)})'
                    for what, names in (
                        ('tensors are missing', self.missing),
                        ('tensors are unknown', self.unexpected),
                    )
                    if names
                )
                + '. The file may be damaged or come from another model: '
                'tools/inspect_checkpoint.py says what it holds.'
            )
        return self

    def __str__(self) -> str:
        """Return the report as a table, one line per verdict."""
        rows = [
            ('converted', len(self.converted), ''),
            ('dropped', len(self.dropped), _reasons(self.dropped)),
            ('new, initialised', len(self.initialised), _groups(self.initialised)),
            ('reshaped', len(self.reshaped), _shapes(self.reshaped)),
            ('missing', len(self.missing), _some(self.missing)),
            ('unexpected', len(self.unexpected), _some(self.unexpected)),
        ]
        lines = [f'{self.source} -> {self.target}']
        lines += [
            f'  {what:<17}{count:>5}  {text}'.rstrip() for what, count, text in rows
        ]
        lines += [f'  note: {note}' for note in self.notes]
        return '\n'.join(lines)


def _some(names: list[str], limit: int = 4) -> str:
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more


def _reasons(dropped: dict[str, str]) -> str:
    return '; '.join(f'{name}: {why}' for name, why in list(dropped.items())[:4])


def _groups(names: list[str]) -> str:
    """Sum names up by module: message tokens of the backbone, neck, prompt."""
    groups: dict[str, int] = {}
    for name in names:
        if '.message_' in name:
            group = 'backbone message tokens'
        elif name.startswith('cls_head.'):
            group = '.'.join(name.split('.')[:2])
        else:
            group = name.split('.')[0]
        groups[group] = groups.get(group, 0) + 1
    return ', '.join(f'{group} ({count})' for group, count in groups.items())


def _shapes(reshaped: list[tuple[str, Shape, Shape]]) -> str:
    return '; '.join(f'{name} {old} -> {new}' for name, old, new in reshaped)
