"""Metrics that MMAction2 lacks, protocols and their published numbers."""

from mmxclip.evaluation.class_report import ClassReport
from mmxclip.evaluation.confidence_metrics import CalibrationMetric, UnknownMetric
from mmxclip.evaluation.video_acc_metric import VideoAccMetric

__all__ = ['CalibrationMetric', 'ClassReport', 'UnknownMetric', 'VideoAccMetric']
