"""Samples of videos that could not be decoded."""

from typing import Any

from mmaction.structures import ActionDataSample

from mmxclip.datasets.readers import VideoError


class UndecodableSample(ActionDataSample):
    """Stands for a video of which blank frames went through the model.

    It is ``undecodable``, and what an evaluator is given of it refuses to tell
    ``pred_score``: a metric that does not look at the first ends with an error, in
    place of counting a label that blank frames got. One that does look takes the scores
    from ``dict(sample)``.
    """

    def to_dict(self) -> dict:
        """What evaluators are given."""
        return _ScorelessDict(super().to_dict())


class _ScorelessDict(dict):
    def __getitem__(self, key: str) -> Any:
        self._refuse(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._refuse(key)
        return super().get(key, default)

    def _refuse(self, key: str) -> None:
        if key == 'pred_score':
            raise VideoError(
                f'{super().get("filename")} cannot be decoded and has no scores; '
                'evaluate with VideoAccMetric, which counts it as wrong, or take it '
                'from the list'
            )
