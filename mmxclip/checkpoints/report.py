"""What became of every tensor of a checkpoint."""

from collections import Counter
from dataclasses import dataclass, field

Shape = tuple[int, ...]


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""


@dataclass
class Report:
    """The account of a loading or conversion.

    Args:
        source: Name of the layout that was read.
        target: Name of the layout, or class of the model, that got the tensors.
        taken: Number of tensors that the target got.
        dropped: Name of each tensor dropped on purpose, with the reason.
        kept: Parameters of the target that keep their initialisation.
        unused: Tensors that have no place in the target.
        notes: Remarks for the reader.
    """

    source: str
    target: str
    taken: int = 0
    dropped: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the report as a table, one line per verdict."""
        reasons = [f'{name}: {why}' for name, why in self.dropped.items()]
        rows = [
            ('converted', self.taken, ''),
            ('dropped', len(self.dropped), some(reasons, '; ')),
            ('new, initialised', len(self.kept), _groups(self.kept)),
            ('without a place', len(self.unused), some(self.unused)),
        ]
        lines = [f'{self.source} -> {self.target}']
        lines += [
            f'  {what:<17}{count:>5}  {text}'.rstrip() for what, count, text in rows
        ]
        lines += [f'  note: {note}' for note in self.notes]
        return '\n'.join(lines)


def some(names: list[str], separator: str = ', ', limit: int = 4) -> str:
    """Return the first of many names."""
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return separator.join(names[:limit]) + more


def _groups(names: list[str]) -> str:
    """Sum names up by module: messages of the backbone, neck, prompt."""
    counts = Counter(
        'backbone message tokens'
        if '.message_' in name
        else '.'.join(name.split('.')[: 2 if name.startswith('cls_head.') else 1])
        for name in names
    )
    return ', '.join(f'{group} ({count})' for group, count in counts.items())
