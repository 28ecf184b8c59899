"""The worst mistakes of a model on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmxclip.inference.films import middle_frame
from mmxclip.inference.picture_files import save_picture
from mmxclip.inference.picture_grid import draw_grid

_MOST = 20


@dataclass(frozen=True)
class Mistake:
    """A video that was taken for something else.

    Attributes:
        path: The video.
        label: What it is.
        taken_for: What the model says.
        score: How sure it is of that, a probability.
    """

    path: str
    label: int
    taken_for: int
    score: float


def find_mistakes(samples: Sequence[dict]) -> list[Mistake]:
    """Return the mistakes among scored videos, those that are surest first.

    Args:
        samples: As ``load_samples`` reads them; undecodable ones are left out.
    """
    mistakes = [
        Mistake(
            path=sample['filename'],
            label=int(sample['gt_label']),
            taken_for=int(sample['pred_score'].argmax()),
            score=float(sample['pred_score'].max()),
        )
        for sample in samples
        if not sample.get('undecodable')
    ]
    wrong = [m for m in mistakes if m.label != m.taken_for]
    return sorted(wrong, key=lambda m: (-m.score, m.path))


def draw_mistakes(
    mistakes: Sequence[Mistake], classes: Sequence[str], path: Path
) -> None:
    """Draw the middle frame of the first mistakes, with what they are taken for.

    Args:
        mistakes: In order; at most twenty are drawn.
        classes: Names by label.
        path: The picture.

    Raises:
        OSError: A video cannot be read, or the picture not written.
    """
    cells = []
    for mistake in mistakes[:_MOST]:
        taken, true = classes[mistake.taken_for], classes[mistake.label]
        name = Path(mistake.path).name
        text = f'{taken} ({mistake.score:.0%})\nis {true}\n{name[-34:]}'
        cells.append((middle_frame(mistake.path), text))
    shown = f'{len(cells)} of ' if len(cells) < len(mistakes) else ''
    save_picture(draw_grid(f'{shown}{len(mistakes)} mistakes', cells), path)
