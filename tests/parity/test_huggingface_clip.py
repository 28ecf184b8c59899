"""`transformers.CLIPModel` and these towers are one function of the same file."""

import json

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.checkpoints.formats import open_checkpoint
from mmxclip.checkpoints.layouts import HUGGINGFACE_CLIP, OPENAI_CLIP
from mmxclip.checkpoints.load import convert, load
from mmxclip.checkpoints.model_settings import TEXT

transformers = pytest.importorskip('transformers', minversion='5')

pytestmark = pytest.mark.parity

# Of vision and text tower: width, MLP, depth, heads; length of texts, patch, pixels.
SHAPES = {
    'as b/16': ((64, 256, 2, 1), (64, 256, 2, 1), 77, 16, 32),
    'heads of 88': ((176, 704, 2, 2), (64, 256, 1, 1), 77, 14, 42),
    'MLP not 4 times wider': ((96, 200, 1, 3), (48, 100, 2, 2), 77, 8, 24),
    'short texts': ((64, 256, 1, 2), (32, 128, 3, 4), 20, 16, 48),
}


def build_theirs(shape, activation, **changes):
    vision, text, length, patch_size, pixels = shape
    names = ('hidden_size', 'intermediate_size', 'num_hidden_layers')
    names += ('num_attention_heads',)
    config = transformers.CLIPConfig(
        text_config=dict(zip(names, text, strict=True))
        | dict(hidden_act=activation, max_position_embeddings=length, vocab_size=99)
        | changes,
        vision_config=dict(zip(names, vision, strict=True))
        | dict(hidden_act=activation, image_size=pixels, patch_size=patch_size)
        | changes,
        projection_dim=40,
    )
    model = transformers.CLIPModel(config).eval()
    for name, p in model.named_parameters():  # also of what starts at zero or one
        torch.nn.init.normal_(p, float('norm.weight' in name), 0.1)
    return model


def build_ours(folder):
    """The model that `inspect_checkpoint` would tell one to write."""
    _, _, settings = convert(open_checkpoint(folder))
    vision = dict(type='XCLIPViT', communication='none', **settings['backbone'])
    vision = MODELS.build(vision)
    text = MODELS.build(dict(type='CLIPTextEncoder', **settings[TEXT]))
    for part in (vision, text):
        load(part, folder)
    return vision.eval(), text.eval()


@torch.no_grad()
def assert_same_features(theirs, vision, text, tolerance=1e-5):
    config = theirs.config
    pixels = config.vision_config.image_size
    images = torch.randn(3, 3, pixels, pixels)
    tokens = torch.randint(1, 98, (4, config.text_config.max_position_embeddings))
    tokens[:, -3] = 98  # the end of a text is its largest id
    # Theirs finds the end by its id.
    config.text_config.eos_token_id = theirs.text_model.eos_token_id = 98
    pairs = [
        (
            theirs.get_image_features(images).pooler_output,
            vision(images.unsqueeze(2))[0][:, 0],
        ),
        (theirs.get_text_features(tokens).pooler_output, text(tokens)),
    ]
    for want, got in pairs:
        assert want.std(dim=0).min() > 1e-3, 'a comparison worth the name'
        torch.testing.assert_close(got, want, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize('activation', ['quick_gelu', 'gelu'])
@pytest.mark.parametrize('shape', SHAPES.values(), ids=SHAPES)
def test_same_features_and_back(shape, activation, tmp_path):
    theirs = build_theirs(shape, activation)
    theirs.save_pretrained(tmp_path)
    vision, text = build_ours(tmp_path)
    assert vision.untraced.activation == text.untraced.activation == activation
    assert_same_features(theirs, vision, text)

    ours = {f'backbone.{n}': p for n, p in vision.named_parameters()}
    ours |= {f'{TEXT}.{n}': p for n, p in text.named_parameters()}
    ours['cls_head.logit_scale'] = theirs.logit_scale
    back = HUGGINGFACE_CLIP.from_ours(ours).tensors
    assert back.keys() == dict(theirs.named_parameters()).keys()
    again = build_theirs(shape, activation)
    again.load_state_dict(back, strict=False)
    assert_same_features(again, vision, text)


@pytest.mark.parametrize('activation', ['quick_gelu', 'gelu'])
def test_open_clip_folder(activation, tmp_path):
    """The same weights under open_clip's names, with its config, in its folder."""
    shape = SHAPES['MLP not 4 times wider']
    theirs = build_theirs(shape, activation)
    weights = HUGGINGFACE_CLIP.to_ours(theirs.state_dict()).tensors
    torch.save(
        OPENAI_CLIP.from_ours(weights).tensors,
        tmp_path / 'open_clip_pytorch_model.bin',
    )
    (width, _, layers, heads), (text_width, _, text_layers, text_heads), *_ = shape
    model = dict(
        embed_dim=40,
        quick_gelu=activation == 'quick_gelu',
        vision_cfg=dict(
            image_size=24,
            layers=layers,
            width=width,
            head_width=width // heads,
            mlp_ratio=200 / 96,
            patch_size=8,
        ),
        text_cfg=dict(
            context_length=77,
            vocab_size=99,
            width=text_width,
            heads=text_heads,
            layers=text_layers,
        ),
    )
    (tmp_path / 'open_clip_config.json').write_text(json.dumps(dict(model_cfg=model)))
    assert_same_features(theirs, *build_ours(tmp_path))
