"""Renaming tables: complete, exact, and their own inverses."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmaction.registry import MODELS
from odd_model import ODD, random_weights

from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.layouts import LAYOUTS, identify
from mmxclip.checkpoints.load import convert
from mmxclip.checkpoints.model_settings import PROMPT, TEXT, build_parts, read_settings
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import export

LAYERS = st.integers(1, 3)
WIDTHS = st.sampled_from([64, 128])


@st.composite
def any_settings(draw):
    dims, width, text_dims = (draw(WIDTHS) for _ in range(3))
    patch_size = draw(st.sampled_from([2, 7, 8]))
    heads = {64: 1, 128: 2}
    return {
        'backbone': dict(
            arch=dict(
                img_size=draw(st.integers(1, 4)) * patch_size,
                patch_size=patch_size,
                embed_dims=dims,
                depth=draw(LAYERS),
                num_heads=heads[dims],
                out_dims=width,
            )
        ),
        'neck': dict(
            embed_dims=width,
            num_frames=draw(st.integers(1, 32)),
            depth=draw(LAYERS),
            num_heads=heads[width],
        ),
        TEXT: dict(
            arch=dict(
                embed_dims=text_dims,
                depth=draw(LAYERS),
                num_heads=heads[text_dims],
                out_dims=width,
                context_length=draw(st.sampled_from([16, 77])),
                vocab_size=draw(st.integers(2, 40)),
            )
        ),
        PROMPT: dict(
            embed_dims=width,
            context_dims=dims,
            depth=draw(LAYERS),
            num_heads=heads[width],
        ),
    }


def assert_identical(got, want):
    assert got.keys() == want.keys()
    for name, tensor in want.items():
        assert got[name].dtype == tensor.dtype, name
        assert torch.equal(got[name], tensor), name


def to_ours(state_dict, **about):
    return convert(Opened(state_dict, **about))[:2]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(chosen=any_settings(), layout=st.sampled_from(['official', 'huggingface']))
def test_round_trip_is_bit_identical(chosen, layout):
    ours = random_weights(chosen)
    theirs, there = export(ours, layout)
    assert not there.dropped
    back, report = to_ours(theirs)
    assert_identical(back, ours)
    assert [*report.dropped, *report.kept, *report.unused] == []
    assert read_settings(back) == chosen


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    chosen=any_settings(),
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32]),
)
def test_clip_round_trip_keeps_clip_and_names_the_rest(chosen, dtype):
    ours = {name: t.to(dtype) for name, t in random_weights(chosen).items()}
    clip, there = export(ours, 'openai-clip')
    back, report = to_ours(clip)
    assert_identical(back, {name: ours[name] for name in back})
    rest = ours.keys() - back.keys()
    assert rest == there.dropped.keys()
    assert all(
        'message_' in n or n.startswith(('neck.', 'cls_head.prompt.')) for n in rest
    )
    # MIT and prompt are listed at their published depths: nothing else is known
    assert {n for n in report.kept if 'message_' in n} == {
        n for n in rest if 'message_' in n
    }


@pytest.mark.parametrize('name', ['xclip_tiny_t4.pth', 'xclip_tiny_t8_mit4.pth'])
def test_golden_checkpoint_returns_bit_identical(shared, name):
    official = torch.load(shared / 'golden' / name, weights_only=True)['state_dict']
    ours, report = to_ours(official)
    assert_identical(export(ours, 'official')[0], official)
    assert report.source == 'official X-CLIP'
    assert not report.kept


def test_golden_clip_is_complete(shared):
    path = shared / 'golden' / 'openai_clip_tiny.pth'
    clip = torch.load(path, weights_only=True)['state_dict']
    ours, report = to_ours(clip)
    assert set(report.dropped) == {'input_resolution', 'context_length', 'vocab_size'}
    assert not report.notes
    back, _ = export(ours, 'openai-clip')
    assert_identical(back, clip)


@pytest.mark.parametrize('layout', ['timm', 'mmpretrain'])
def test_imagenet_vit_gives_the_backbone(request, layout):
    vit = request.getfixturevalue(layout)
    ours, report = to_ours(vit)
    assert all(name.startswith('backbone.') for name in ours)
    assert {'backbone.ln_pre.weight', 'cls_head.logit_scale'} <= set(report.kept)
    assert any('QuickGELU' in note for note in report.notes)
    assert [n for n in report.dropped if n.startswith('head.')]
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
    assert_identical(to_ours(timm)[0], to_ours(mmpretrain)[0])


@pytest.mark.parametrize('layout', LAYOUTS, ids=lambda layout: layout.name)
def test_no_name_of_ours_has_two_rows(layout):
    for name, _ in build_parts(ODD).named_parameters():
        rows = [row for regex, row in layout.rows['ours'] if regex.fullmatch(name)]
        assert len(rows) <= 1


def test_unknown_tensors_are_refused(official):
    for name in ('visual.oops', 'visual.transformer.resblocks.3000000.ln_1.weight'):
        with pytest.raises(CheckpointError, match=f'1 tensors.*{name}'):
            to_ours({**official, name: torch.ones(1)})


@pytest.mark.parametrize(
    'gone', ['visual.ln_pre.bias', 'mit.resblocks.0.ln_1.weight', 'logit_scale']
)
def test_missing_tensors_are_refused(official, gone):
    del official[gone]
    with pytest.raises(CheckpointError, match='lacks 1 parameters'):
        to_ours(official)


def test_missing_third_of_an_attention_is_refused(odd):
    hf, _ = export(odd, 'huggingface')
    del hf['mit.encoder.layers.0.self_attn.k_proj.weight']
    with pytest.raises(CheckpointError, match=r'neck.*in_proj_weight \(k\)'):
        to_ours(hf)


@pytest.mark.parametrize(
    ('name', 'shape'),
    [('visual.ln_post.weight', (3,)), ('visual.proj', (64, 1, 128))],
)
def test_wrong_shapes_are_refused(official, name, shape):
    official[name] = torch.ones(shape)
    with pytest.raises(CheckpointError, match=rf'\({shape[0]},'):
        to_ours(official)


def test_layers_that_leave_a_gap_are_refused(odd):
    odd['backbone.resblocks.3000000.ln_1.weight'] = torch.zeros(64)
    with pytest.raises(CheckpointError, match=r'resblocks\.3000000'):
        to_ours(odd)


def test_incomplete_model_is_not_exported(odd):
    del odd['neck.positional_embedding']
    with pytest.raises(CheckpointError, match=r'neck\.positional_embedding'):
        export(odd, 'official')
    with pytest.raises(ValueError, match="target='onnx' must be one of"):
        export(odd, 'onnx')


def test_what_a_layout_has_no_name_for_keeps_ours(tiny_model):
    """Learned context vectors, and the prompt that they take the place of."""
    prompt = dict(type='ContextVectors', num_vectors=4, embed_dims=16)
    tiny_model['cls_head']['prompt'] = prompt
    model = MODELS.build(tiny_model)
    weights = model.state_dict()
    for target in ('official', 'huggingface'):
        theirs, report = export(weights, target)
        assert report.unused == ['cls_head.prompt.vectors']
        assert 'cls_head.prompt.vectors' in theirs
    assert export(weights, 'openai-clip')[1].dropped['cls_head.prompt.vectors']


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('visual.layer1.0.conv1.weight', 'CLIP with a ResNet'),
        ('text.transformer.resblocks.0.ln_1.weight', 'custom text tower'),
        ('logit_bias', 'SigLIP'),
        ('backbone.conv5.weight', r'belong to no model that is known \(backbone.conv5'),
    ],
)
def test_strangers_are_described(name, words):
    with pytest.raises(CheckpointError, match=words):
        to_ours({name: torch.ones(1)})


def test_a_model_of_ours_is_known_by_its_slots_whatever_its_backbone():
    names = [f'backbone.backbone.x{i}' for i in range(200)]
    assert identify([*names, *(f'neck.y{i}' for i in range(100))]) is None
    with pytest.raises(CheckpointError, match='no model that is known'):
        identify(names)


def test_other_heads_in_a_huggingface_config_are_noted(odd):
    hf, _ = export(odd, 'huggingface')
    config = {
        'prompt_num_attention_heads': 8,
        'prompt_hidden_act': 'gelu',
        'vision_config': {'num_attention_heads': 1, 'mit_num_attention_heads': 2},
    }
    _, report = to_ours(hf, config=config)
    assert [note.split(';')[0] for note in report.notes] == [
        'config.json says prompt_num_attention_heads=8',
        "config.json says prompt_hidden_act='gelu'",
    ]
