"""Recognizers that do not forget what they started from."""

from mmxclip.models.recognizers.distilled import DistilledRecognizer
from mmxclip.models.recognizers.interpolated import InterpolatedRecognizer

__all__ = ['DistilledRecognizer', 'InterpolatedRecognizer']
