"""Conversion between checkpoint layouts: pure renaming tables, torch only."""

from mmxclip.convert.conversion import (
    TARGETS,
    from_mmxclip,
    require_finite,
    to_mmxclip,
)
from mmxclip.convert.geometry import Geometry, count_layers, measure
from mmxclip.convert.heads import Heads
from mmxclip.convert.huggingface import HUGGINGFACE, make_config
from mmxclip.convert.imagenet_vit import MMPRETRAIN, TIMM
from mmxclip.convert.openai_clip import OPENAI_CLIP
from mmxclip.convert.reading import (
    Opened,
    UnsafeCheckpointError,
    identify_form,
    naming_full_memory,
    read_checkpoint,
)
from mmxclip.convert.recognize import (
    OURS,
    Source,
    foreign_kind,
    has_our_backbone,
    recognize,
)
from mmxclip.convert.report import ConversionError, ConversionReport
from mmxclip.convert.table import Row, StateDict, Table
from mmxclip.convert.writing import require_writable, write_foreign, write_mmxclip
from mmxclip.convert.xclip_official import XCLIP_OFFICIAL

__all__ = [
    'HUGGINGFACE',
    'MMPRETRAIN',
    'OPENAI_CLIP',
    'OURS',
    'TARGETS',
    'TIMM',
    'XCLIP_OFFICIAL',
    'ConversionError',
    'ConversionReport',
    'Geometry',
    'Heads',
    'Opened',
    'Row',
    'Source',
    'StateDict',
    'Table',
    'UnsafeCheckpointError',
    'count_layers',
    'foreign_kind',
    'from_mmxclip',
    'has_our_backbone',
    'identify_form',
    'make_config',
    'measure',
    'naming_full_memory',
    'read_checkpoint',
    'recognize',
    'require_finite',
    'require_writable',
    'to_mmxclip',
    'write_foreign',
    'write_mmxclip',
]
