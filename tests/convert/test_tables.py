"""Renaming tables: complete, exact, and their own inverses."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxclip.convert import (
    HUGGINGFACE,
    OPENAI_CLIP,
    TIMM,
    XCLIP_OFFICIAL,
    ConversionError,
    Geometry,
    Opened,
    from_mmxclip,
    measure,
    recognize,
    to_mmxclip,
)

LAYERS = st.integers(1, 3)
WIDTHS = st.sampled_from([64, 128])
GEOMETRIES = st.builds(
    lambda grid, patch_size, **sizes: Geometry(
        img_size=grid * patch_size, patch_size=patch_size, **sizes
    ),
    grid=st.integers(1, 4),
    patch_size=st.sampled_from([2, 7, 8]),
    embed_dims=WIDTHS,
    depth=LAYERS,
    out_dims=WIDTHS,
    text_dims=WIDTHS,
    text_depth=LAYERS,
    context_length=st.sampled_from([16, 77]),
    vocab_size=st.integers(2, 40),
    num_frames=st.integers(1, 32),
    mit_depth=LAYERS,
    prompt_depth=LAYERS,
)


def assert_identical(got, want):
    assert got.keys() == want.keys()
    for name, tensor in want.items():
        assert got[name].dtype == tensor.dtype, name
        assert torch.equal(got[name], tensor), name


def convert(state_dict):
    return to_mmxclip(recognize(Opened(state_dict, 'test')))


@settings(max_examples=15, deadline=None)
@given(geometry=GEOMETRIES, layout=st.sampled_from(['official', 'huggingface']))
def test_round_trip_is_bit_identical(random_weights, geometry, layout):
    ours = random_weights(geometry)
    theirs, there = from_mmxclip(ours, layout)
    assert not there.dropped
    back, report = convert(theirs)
    assert_identical(back, ours)
    assert len(report.converted) == len(theirs)
    assert measure(back) == geometry


@settings(max_examples=10, deadline=None)
@given(
    geometry=GEOMETRIES,
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32]),
)
def test_clip_round_trip_keeps_clip_and_names_the_rest(random_weights, geometry, dtype):
    ours = {name: t.to(dtype) for name, t in random_weights(geometry).items()}
    clip, there = from_mmxclip(ours, 'openai-clip')
    back, report = convert(clip)
    assert_identical(back, {name: ours[name] for name in back})
    rest = ours.keys() - back.keys()
    assert rest == there.dropped.keys()
    assert all(
        'message_' in n or n.startswith(('neck.', 'cls_head.prompt.')) for n in rest
    )
    # MIT and prompt are listed at their published depths: nothing else is known
    assert {n for n in report.initialised if 'message_' in n} == {
        n for n in rest if 'message_' in n
    }


@pytest.mark.parametrize('name', ['xclip_tiny_t4.pth', 'xclip_tiny_t8_mit4.pth'])
def test_golden_checkpoint_returns_bit_identical(shared, name):
    official = torch.load(shared / 'golden' / name, weights_only=True)['state_dict']
    ours, report = convert(official)
    assert_identical(from_mmxclip(ours, 'official')[0], official)
    assert report.source == 'official X-CLIP'
    assert not report.initialised


def test_golden_clip_is_complete(shared, random_weights):
    path = shared / 'golden' / 'openai_clip_tiny.pth'
    clip = torch.load(path, weights_only=True)['state_dict']
    ours, report = convert(clip)
    assert set(report.dropped) == {'input_resolution', 'context_length', 'vocab_size'}
    assert not report.notes
    back, _ = from_mmxclip({**random_weights(measure(ours)), **ours}, 'openai-clip')
    assert_identical(back, {n: t for n, t in clip.items() if n not in report.dropped})


def test_huggingface_stacks_queries_keys_values(weights):
    hf, _ = from_mmxclip(weights, 'huggingface')
    fused = weights['backbone.resblocks.1.message_attn.in_proj_weight']
    prefix = 'vision_model.encoder.layers.1.message_attn'
    for third, part in zip('qkv', fused.chunk(3), strict=True):
        assert torch.equal(hf[f'{prefix}.{third}_proj.weight'], part)
    assert torch.equal(hf['visual_projection.weight'], weights['backbone.proj'].t())
    assert torch.equal(
        hf['prompts_visual_projection'], weights['cls_head.prompt.context_proj']
    )


@pytest.mark.parametrize('layout', ['timm', 'mmpretrain'])
def test_imagenet_vit_gives_the_backbone(request, layout):
    vit = request.getfixturevalue(layout)
    ours, report = convert(vit)
    assert all(name.startswith('backbone.') for name in ours)
    assert 'backbone.ln_pre.weight' in report.initialised
    assert 'cls_head.logit_scale' in report.initialised
    assert any('QuickGELU' in note for note in report.notes)
    # the same tokens go into the blocks
    prefix, projection = (
        ('', 'proj') if layout == 'timm' else ('backbone.', 'projection')
    )
    image = torch.randn(2, 3, 32, 32).double()  # else kernels decide what is close
    patch = f'{prefix}patch_embed.{projection}'
    weight, bias = (vit[f'{patch}.{name}'].double() for name in ('weight', 'bias'))
    tokens = torch.nn.functional.conv2d(image, weight, bias, stride=16)
    want = tokens.flatten(2).transpose(1, 2) + vit[f'{prefix}pos_embed'][:, 1:]
    weight = ours['backbone.conv1.weight'].double()
    got = torch.nn.functional.conv2d(image, weight, stride=16)
    got = got.flatten(2).transpose(1, 2) + ours['backbone.positional_embedding'][1:]
    torch.testing.assert_close(got, want, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(
        ours['backbone.positional_embedding'][0], vit[f'{prefix}pos_embed'][0, 0]
    )


def test_both_imagenet_layouts_agree(timm, mmpretrain):
    assert_identical(convert(timm)[0], convert(mmpretrain)[0])


@pytest.mark.parametrize(
    'table', [XCLIP_OFFICIAL, HUGGINGFACE, OPENAI_CLIP, TIMM], ids=lambda t: t.source
)
def test_no_name_of_ours_has_two_rows(table, tiny):
    for name in tiny.shapes():
        rows = [row for row in table.rows if row.our_regex.fullmatch(name)]
        assert len(rows) == 1, name


def test_unknown_tensors_are_refused(official, weights):
    with pytest.raises(ConversionError, match=r'1 tensors are unknown \(visual.oops\)'):
        convert({**official, 'visual.oops': torch.ones(1)})
    with pytest.raises(ConversionError, match='mmxclip checkpoint cannot become'):
        from_mmxclip({**weights, 'backbone.oops': torch.ones(1)}, 'official')


@pytest.mark.parametrize(
    'gone', ['visual.ln_pre.bias', 'mit.resblocks.0.ln_1.weight', 'logit_scale']
)
def test_missing_tensors_are_refused(official, gone):
    del official[gone]
    with pytest.raises(ConversionError, match='1 tensors are missing'):
        convert(official)


def test_missing_third_of_an_attention_is_refused(weights):
    hf, _ = from_mmxclip(weights, 'huggingface')
    del hf['mit.encoder.layers.0.self_attn.k_proj.weight']
    with pytest.raises(ConversionError, match=r'neck.*in_proj_weight \(k\)'):
        convert(hf)


def test_wrong_shape_is_refused(official):
    official['visual.ln_post.weight'] = torch.ones(3)
    with pytest.raises(ConversionError, match=r'ln_post.weight has the shape \(3,\)'):
        convert(official)


def test_incomplete_model_is_not_exported(weights):
    del weights['neck.positional_embedding']
    with pytest.raises(ConversionError, match=r'neck\.positional_embedding'):
        from_mmxclip(weights, 'official')
    with pytest.raises(ValueError, match="target='onnx' must be one of"):
        from_mmxclip(weights, 'onnx')


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_nan_is_refused(official, value):
    official['visual.conv1.weight'][0, 0, 0, 0] = value
    with pytest.raises(ConversionError, match=r'NaN or infinity, first visual.conv1'):
        convert(official)
