"""The words of a report."""

import pytest

from mmxclip.convert import (
    ConversionError,
    ConversionReport,
    Opened,
    recognize,
    to_mmxclip,
)


def test_report_of_a_clip(clip):
    _, report = to_mmxclip(recognize(Opened(clip, 'test')))
    report.reshaped.append(('neck.positional_embedding', (1, 8, 4), (1, 16, 4)))
    assert str(report) == (
        'OpenAI CLIP -> mmxclip\n'
        '  converted           74\n'
        '  dropped              0\n'
        '  new, initialised    69  '
        'backbone message tokens (24), neck (13), cls_head.prompt (32)\n'
        '  reshaped             1  neck.positional_embedding (1, 8, 4) -> (1, 16, 4)\n'
        '  missing              0\n'
        '  unexpected           0\n'
        '  note: a file of open_clip must be a *-quickgelu model: the activation '
        'leaves no trace in the weights, and with GELU they give other features'
    )


def test_dropped_tensors_are_explained(timm):
    _, report = to_mmxclip(recognize(Opened(timm, 'test')))
    assert report.dropped == {
        'patch_embed.proj.bias': 'added to the position embedding of every patch',
        'head.weight': "ImageNet's classifier",
        'head.bias': "ImageNet's classifier",
    }
    assert "head.weight: ImageNet's classifier" in str(report)


def test_incomplete_report_raises():
    report = ConversionReport('OpenAI CLIP', 'mmxclip', missing=list('abcde'))
    with pytest.raises(ConversionError) as error:
        report.require_complete()
    assert str(error.value) == (
        'this OpenAI CLIP checkpoint cannot become mmxclip: 5 tensors are missing '
        '(a, b, c, d and 1 more). The file may be damaged or come from another model: '
        'tools/inspect_checkpoint.py says what it holds.'
    )
    assert ConversionReport('a', 'b').require_complete()
