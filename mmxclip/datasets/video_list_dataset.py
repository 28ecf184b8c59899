"""A data set from a list of videos, with errors that name the line."""

import logging
import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.dataset import Compose
from mmengine.fileio import exists
from mmengine.logging import print_log

from mmxclip.datasets.lists import parse_multi_label_list, read_list, read_text
from mmxclip.datasets.readers import VideoError
from mmxclip.datasets.undecodable import UndecodableSample


class _TellingCompose(Compose):
    """A pipeline whose packed samples say which video, and whether it was decoded.

    Whatever ``meta_keys`` the packing keeps: without these, blank frames in the place
    of an undecodable video would be scored like any others.
    """

    def __call__(self, data: dict) -> dict | None:
        filename, undecodable = data['filename'], False
        results: Any = data
        for transform in self.transforms:
            results = transform(results)
            if results is None:
                return None
            if isinstance(results, dict):
                undecodable |= bool(results.get('undecodable'))
        if isinstance(results, dict) and 'data_samples' in results:
            packed = results['data_samples']
            told = dict(filename=filename, undecodable=undecodable)
            kind = UndecodableSample if undecodable else ActionDataSample
            results['data_samples'] = (
                [_tell(sample, kind, told) for sample in packed]
                if isinstance(packed, list)
                else _tell(packed, kind, told)
            )
        return results


def _tell(sample: Any, kind: type[ActionDataSample], told: dict) -> ActionDataSample:
    return kind(metainfo=dict(sample.metainfo_items()) | told, **dict(sample.items()))


@DATASETS.register_module()
class VideoListDataset(VideoDataset):
    """``VideoDataset`` that checks its list and survives undecodable videos.

    Each line of the list is ``path label``: the path relative to
    ``data_prefix['video']`` (blanks in it are fine), the label an integer from 0, or
    several with ``multi_class=True`` (docs/howto/custom_dataset.md, 'Several labels').
    A header, and commas, semicolons or tabs between them, are read too. A line without
    a label gets -1, for prediction; a path with blanks must then end as videos do
    (.mp4, .avi, ...). Empty lines are skipped. Every sample carries ``ann_file``, so
    that an error about its video can say which list the video stands in.

    A video that cannot be decoded is logged. In training another takes its place; in
    testing blank frames do, so that ``VideoAccMetric`` can count it as wrong: packed
    samples tell ``filename`` and ``undecodable`` in their metainfo, whatever
    ``meta_keys`` the packing keeps. For an evaluator that does not look at that, it is
    an error, see :class:`UndecodableSample`.

    Args:
        ann_file: The list.
        pipeline: Configs of the transforms.
        max_refetch: Undecodable videos in a row that training replaces by others
            before it gives up.
        **kwargs: As for :class:`mmaction.datasets.VideoDataset`.

    Raises:
        FileNotFoundError: The list does not exist.
        ValueError: A line cannot be read, the list names no video, one of several
            labels is none of ``num_classes``, or ``data_prefix`` has no ``video``.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: list,
        *,
        max_refetch: int = 50,
        **kwargs: Any,
    ) -> None:
        super().__init__(ann_file, pipeline, max_refetch=max_refetch, **kwargs)
        self.pipeline: Compose = _TellingCompose(self.pipeline.transforms)

    def load_data_list(self) -> list[dict]:
        """Read the list.

        Returns:
            One dict per video with ``filename`` and ``label``.
        """
        if not exists(self.ann_file):
            raise FileNotFoundError(
                f'ann_file {self.ann_file!r} does not exist; it lists the videos, '
                'one "path label" a line. Those of the benchmarks are made by '
                'tools/data/prepare.py, see docs/howto/protocols.md'
            )
        if 'video' not in self.data_prefix:
            raise ValueError(
                "data_prefix must say where the videos are, dict(video='FOLDER'), got "
                f'{self.data_prefix!r}'
            )
        folder = self.data_prefix['video'] or ''
        listed = self._read_list()
        if not listed:
            raise ValueError(f'ann_file {self.ann_file!r} names no video')
        return [
            dict(filename=osp.join(folder, path), label=label) for path, label in listed
        ]

    def _read_list(self) -> Sequence[tuple[str, Any]]:
        """Return the paths, each with its label or labels."""
        if not self.multi_class:
            return read_list(self.ann_file, self.delimiter, unlabelled=True)
        text = read_text(self.ann_file)
        listed = parse_multi_label_list(text, self.ann_file, self.delimiter)
        for path, labels in listed:
            if max(labels) >= self.num_classes:
                raise ValueError(
                    f'Label {max(labels)} of {path} in {self.ann_file} is outside '
                    f'num_classes={self.num_classes} of the data set: labels are 0 to '
                    f'{self.num_classes - 1}'
                )
        return listed

    def get_cat_ids(self, idx: int) -> list[int]:
        """Classes of a sample, which :class:`ClassBalancedDataset` balances."""
        label = self.get_data_info(idx)['label']
        return np.flatnonzero(label).tolist() if self.multi_class else [int(label)]

    def __getitem__(self, idx: int) -> dict:
        """One sample after the pipeline; in training another if it cannot be decoded.

        Raises:
            RuntimeError: None of many videos could be decoded.
        """
        if self.test_mode:
            return super().__getitem__(idx)
        for _ in range(self.max_refetch + 1):
            data = self.prepare_data(idx)
            if data is not None:
                return data
            idx = self._rand_another()
        raise RuntimeError(
            f'None of {self.max_refetch + 1} videos in a row of {self.ann_file!r} '
            'could be decoded (the log names them). tools/data/check_dataset.py CONFIG '
            'finds all that are broken.'
        )

    def get_data_info(self, idx: int) -> dict:
        """One sample, with the name of its list."""
        told = dict(ann_file=self.ann_file, keep_undecodable=self.test_mode)
        return super().get_data_info(idx) | told

    def prepare_data(self, idx: int) -> dict | None:
        """One sample after the pipeline; None if training cannot decode it."""
        try:
            return super().prepare_data(idx)
        except VideoError as error:
            if self.test_mode:
                raise
            print_log(
                f'{error}. Another video takes its place',
                logger='current',
                level=logging.WARNING,
            )
            return None
