"""Conversion between checkpoint layouts: pure renaming tables, torch only."""

from collections.abc import Mapping

from torch import Tensor

from mmxclip.convert.openai_clip import OPENAI_CLIP
from mmxclip.convert.report import ConversionError, ConversionReport
from mmxclip.convert.table import Row, StateDict, Table
from mmxclip.convert.xclip_official import XCLIP_OFFICIAL

__all__ = [
    'OPENAI_CLIP',
    'XCLIP_OFFICIAL',
    'ConversionError',
    'ConversionReport',
    'Row',
    'StateDict',
    'Table',
    'mmxclip_to_official',
    'official_to_mmxclip',
]


def official_to_mmxclip(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Rename an official X-CLIP state dict to the parameters of our recognizer.

    Raises:
        ConversionError: If a tensor is unknown.
    """
    result, report = XCLIP_OFFICIAL.to_ours(state_dict)
    report.require_complete()
    return result


def mmxclip_to_official(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Rename our recognizer's parameters to those of official X-CLIP.

    Raises:
        ConversionError: If a tensor is unknown.
    """
    result, report = XCLIP_OFFICIAL.from_ours(state_dict)
    report.require_complete()
    return result
