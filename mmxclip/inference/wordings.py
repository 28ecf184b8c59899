"""What other words for the same classes do to a model's accuracy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.runner import Runner
from torch import Tensor

from mmxclip.evaluation.calibration import to_probabilities
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.models import ClassTexts
from mmxclip.text import Classes, words
from mmxclip.utils.processes import Track, untracked

NAMES = 'names'


@dataclass(frozen=True)
class Wording:
    """Words for classes.

    Attributes:
        classes: The classes with their texts.
        templates: Sentences around these.
    """

    classes: Classes
    templates: str = 'name'


@dataclass(frozen=True)
class Comparison:
    """How many videos of each class each wording recognises.

    Attributes:
        classes: Names of the K classes.
        counts: Videos of each class (K,).
        right: Wording -> videos of each class that it recognises (K,).
    """

    classes: list[str]
    counts: list[int]
    right: dict[str, list[int]]

    def accuracy(self, wording: str) -> float:
        """Return the share of all videos that a wording recognises."""
        return sum(self.right[wording]) / sum(self.counts)

    def rows(self) -> list[list[Any]]:
        """Return a table: accuracies of the first wording, changes by the others."""
        first, *others = self.right
        table: list[list[Any]] = [['class', 'videos', first, *others]]
        whole = self.accuracy(first)
        changes = [self.accuracy(other) - whole for other in others]
        table.append(['all', sum(self.counts), f'{whole:.3f}', *map(_sign, changes)])
        for label, (name, count) in enumerate(
            zip(self.classes, self.counts, strict=True)
        ):
            if count:
                own = self.right[first][label]
                moved = [(self.right[o][label] - own) / count for o in others]
                table.append([name, count, f'{own / count:.3f}', *map(_sign, moved)])
        head, whole_row, *body = table
        return [head, whole_row, *sorted(body, key=lambda row: row[2])]

    def plain(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        top1 = {wording: self.accuracy(wording) for wording in self.right}
        return dict(vars(self), top1=top1)


def make_wordings(
    classes: Classes,
    *,
    templates: Sequence[str] = (),
    texts: Sequence[str] = (),
    split_words: bool = False,
) -> dict[str, Wording]:
    """Return wordings of classes by what they are called; the first is their own.

    Args:
        classes: The classes.
        templates: Sets of templates, or templates, each a wording.
        texts: Files of descriptions or other names, each a wording.
        split_words: Add one with the words of names split: 'ApplyEyeMakeup' ->
            'Apply Eye Makeup'.

    Raises:
        OSError: A file cannot be read.
        ValueError: It does not describe the classes.
    """
    found = {NAMES: Wording(classes)}
    if split_words:
        found['split words'] = Wording(Classes.of({n: words(n) for n in classes}))
    found |= {one: Wording(classes, one) for one in templates}
    return found | {file: Wording(classes.described_by(file)) for file in texts}


@torch.no_grad()
def compare_wordings(
    inferencer: XCLIPInferencer,
    wordings: Mapping[str, Wording],
    ann_file: str,
    folder: str,
    *,
    workers: int = 0,
    track: Track = untracked,
) -> Comparison:
    """Test wordings of the same classes on the same videos, which are encoded once.

    Args:
        inferencer: The model.
        wordings: By what they are called; the first is compared with.
        ann_file: List of videos and labels.
        folder: What its paths start from.
        workers: Processes that read videos.
        track: Gets what is iterated over, and the number.

    Raises:
        OSError: The list cannot be read.
        ValueError: A label is none of the classes, or no video can be decoded.
    """
    head = inferencer.model.cls_head
    tokenize = head.text_encoder.tokenize
    texts = {
        name: ClassTexts(wording.classes, wording.templates, tokenize=tokenize)
        for name, wording in wordings.items()
    }
    names = list(next(iter(wordings.values())).classes)
    counts = torch.zeros(len(names), dtype=torch.long)
    right = {name: counts.clone() for name in texts}
    batches = _batches(inferencer, ann_file, folder, workers)
    for batch in track(batches, len(batches)):
        data = inferencer.model.data_preprocessor(batch, False)
        labels, known = _labels(data['data_samples'], len(names))
        feats, _ = inferencer.model.extract_feat(data['inputs'], test_mode=True)
        views = data['inputs'].shape[1]
        counts += torch.bincount(labels, minlength=len(names))
        for name, one in texts.items():
            scores = head.average_clip(head(feats, texts=one), views)
            if scores.ndim == 3:  # views that the model leaves single
                scores = to_probabilities(scores)
            hits = scores.argmax(dim=-1).cpu()[known] == labels
            right[name] += torch.bincount(labels[hits], minlength=len(names))
    if not counts.any():
        raise ValueError(f'no video of {ann_file} below {folder} can be decoded')
    return Comparison(
        names, counts.tolist(), {name: found.tolist() for name, found in right.items()}
    )


def _batches(
    inferencer: XCLIPInferencer, ann_file: str, folder: str, workers: int
) -> Any:
    """Return the config's loader of test videos for another list."""
    loader = ConfigDict(inferencer.cfg.test_dataloader)
    loader.update(num_workers=workers, persistent_workers=False)
    loader.dataset.update(
        ann_file=ann_file, data_root=folder, data_prefix=dict(video=''), test_mode=True
    )
    return Runner.build_dataloader(loader)


def _labels(samples: Iterable[Any], num_classes: int) -> tuple[Tensor, Tensor]:
    """Return the labels of the videos that could be decoded, and which these are."""
    labels = torch.tensor([int(sample.gt_label) for sample in samples])
    if labels.max() >= num_classes:
        raise ValueError(
            f'the list has a label {int(labels.max())}, but there are {num_classes} '
            'classes, from 0'
        )
    known = torch.tensor([not sample.get('undecodable', False) for sample in samples])
    return labels[known], known


def _sign(change: float) -> str:
    return f'{change:+.3f}' if abs(change) > 5e-4 else '='
