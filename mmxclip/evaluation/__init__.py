"""Metrics that MMAction2 lacks, protocols and their published numbers."""

from .class_report import ClassReport
from .statistics import harmonic_mean, mean_std
from .video_acc_metric import VideoAccMetric

__all__ = ['ClassReport', 'VideoAccMetric', 'harmonic_mean', 'mean_std']
