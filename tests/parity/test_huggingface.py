"""Hugging Face's XCLIPModel and this model are one function of the same weights.

Where Hugging Face's implementation differs from the official code, a test says so.
"""

import pytest
import torch
from mmaction.registry import MODELS
from torch.overrides import TorchFunctionMode

from mmxclip.convert import (
    Geometry,
    Opened,
    from_mmxclip,
    make_config,
    read_checkpoint,
    recognize,
    to_mmxclip,
    write_foreign,
)
from mmxclip.text import tokenize

transformers = pytest.importorskip('transformers', minversion='5')

pytestmark = pytest.mark.parity

TINY = Geometry(
    patch_size=8,
    img_size=32,
    embed_dims=128,
    depth=2,
    out_dims=192,
    text_dims=64,
    text_depth=2,
    context_length=77,
    vocab_size=49408,
    num_frames=4,
    mit_depth=2,
    prompt_depth=3,
)
SIZES = dict(
    text_depth=12, context_length=77, vocab_size=49408, mit_depth=1, prompt_depth=2
)
BASE = dict(embed_dims=768, depth=12, out_dims=512, text_dims=512, **SIZES)
LARGE = dict(embed_dims=1024, depth=24, out_dims=768, text_dims=768, **SIZES)
# Every layer of every released width and depth. The costly ones see smaller
# frames, which changes nothing but the rows of the spatial position embedding.
FULL = {
    'b/32, 8 frames': Geometry(patch_size=32, img_size=224, num_frames=8, **BASE),
    'b/16, 8 frames': Geometry(patch_size=16, img_size=64, num_frames=8, **BASE),
    'b/16, 32 frames': Geometry(patch_size=16, img_size=64, num_frames=32, **BASE),
    'l/14, 8 frames': Geometry(patch_size=14, img_size=56, num_frames=8, **LARGE),
}
CLASSES = [
    'abseiling',
    'playing a very long and complicated game of chess',
    'zumba',
    'air drumming',
]


def random_weights(geometry):
    """Views into one pool of noise: quick, and no copy for the largest models."""
    shapes = geometry.shapes()
    pool = torch.randn(max(torch.Size(s).numel() for s in shapes.values()) + 997)
    weights = {}
    for index, (name, shape) in enumerate(shapes.items()):
        start, size = index % 997, torch.Size(shape).numel()
        noise = pool[start : start + size].view(shape)
        if 'ln_' in name or 'norm' in name or name.endswith(('bias', 'alpha')):
            noise = 0.1 * noise + float(name.endswith(('weight', 'alpha')))
        elif len(shape) > 1:
            noise = noise.mul(torch.Size(shape[1:]).numel() ** -0.5)
        weights[name] = noise
    weights['cls_head.logit_scale'] = torch.tensor(100.0).log()
    return weights


class ZeroInit(TorchFunctionMode):
    """Builds modules of zeros: drawing random numbers takes seconds."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, '__name__', '').endswith(('normal_', 'uniform_')):
            return (args[0] if args else kwargs['tensor']).detach().zero_()
        return func(*args, **(kwargs or {}))


def build_hf(geometry, hf_weights):
    config = make_config(geometry)
    del config['architectures'], config['model_type']
    with torch.device('meta'):
        model = transformers.XCLIPModel(transformers.XCLIPConfig(**config))
    model.load_state_dict(hf_weights, assign=True)
    for module in model.modules():
        if hasattr(module, 'position_ids'):  # not in the weights
            module.position_ids = torch.arange(module.position_ids.shape[-1])[None]
    return model.eval()


def build_ours(geometry, weights, **backbone):
    vision = dict(
        img_size=geometry.img_size,
        patch_size=geometry.patch_size,
        embed_dims=geometry.embed_dims,
        depth=geometry.depth,
        num_heads=geometry.embed_dims // 64,
        out_dims=geometry.out_dims,
    )
    text = dict(
        embed_dims=geometry.text_dims,
        depth=geometry.text_depth,
        num_heads=geometry.text_dims // 64,
        out_dims=geometry.out_dims,
        context_length=geometry.context_length,
        vocab_size=geometry.vocab_size,
    )
    custom = geometry.arch not in ('b/32', 'b/16') or geometry.img_size != 224
    config = dict(
        type='Recognizer3D',
        backbone=dict(
            type='XCLIPViT', arch=vision if custom else geometry.arch, **backbone
        ),
        neck=dict(
            type='MIT',
            embed_dims=geometry.out_dims,
            num_frames=geometry.num_frames,
            depth=geometry.mit_depth,
        ),
        cls_head=dict(
            type='XCLIPHead',
            classes=CLASSES,
            text_encoder=dict(
                type='CLIPTextEncoder', arch=text if custom else geometry.arch
            ),
            prompt=dict(
                type='VideoSpecificPrompt',
                embed_dims=geometry.out_dims,
                context_dims=geometry.embed_dims,
                depth=geometry.prompt_depth,
            ),
        ),
    )
    with ZeroInit():
        model = MODELS.build(config)
    model.load_state_dict(weights, assign=True)
    return model.eval()


@torch.no_grad()
def ours_logits(model, video):
    return model(video.transpose(1, 2)[:, None], stage='head', mode='tensor')


@torch.no_grad()
def hf_logits(model, video):
    return model(input_ids=tokenize(CLASSES), pixel_values=video).logits_per_video


def frames(geometry, num_videos=1):
    size = geometry.img_size
    return torch.randn(num_videos, geometry.num_frames, 3, size, size)


def assert_same_function(geometry, num_videos=1):
    """Ours -> Hugging Face -> ours: all three give the same scores."""
    weights = random_weights(geometry)
    hf_weights, report = from_mmxclip(weights, 'huggingface')
    assert not report.dropped
    back, _ = to_mmxclip(recognize(Opened(hf_weights, 'test')))
    video = frames(geometry, num_videos)
    got = ours_logits(build_ours(geometry, back), video)
    want = hf_logits(build_hf(geometry, hf_weights), video)
    assert want.std(dim=1).min() > 0.01, 'a comparison worth the name'
    torch.testing.assert_close(got, want, atol=1e-4, rtol=0)


def test_tiny():
    assert_same_function(TINY, num_videos=3)


@pytest.mark.slow
@pytest.mark.parametrize('geometry', FULL.values(), ids=FULL)
def test_full_size(geometry):
    assert_same_function(geometry)


def test_folder_opens_by_from_pretrained(tmp_path):
    weights, video = random_weights(TINY), frames(TINY, 2)
    write_foreign(tmp_path / 'hf', weights, 'huggingface')
    hf = transformers.XCLIPModel.from_pretrained(tmp_path / 'hf').eval()
    want = ours_logits(build_ours(TINY, weights), video)
    torch.testing.assert_close(hf_logits(hf, video), want, atol=1e-4, rtol=0)


@pytest.mark.parametrize('full', FULL.values(), ids=FULL)
def test_folder_of_a_released_size_is_complete(tmp_path, full):
    """All tensors of the class that the config describes, each of its shape."""
    weights = {n: torch.empty(s, device='meta') for n, s in full.shapes().items()}
    hf_weights, _ = from_mmxclip(weights, 'huggingface')
    build_hf(full, hf_weights)


@pytest.mark.parametrize('safe', [True, False], ids=['safetensors', 'bin'])
def test_folder_of_save_pretrained_becomes_ours(tmp_path, safe):
    hf_weights, _ = from_mmxclip(random_weights(TINY), 'huggingface')
    hf = build_hf(TINY, {name: t.clone() for name, t in hf_weights.items()})
    hf.save_pretrained(tmp_path)
    if not safe:
        torch.save(hf.state_dict(), tmp_path / 'pytorch_model.bin')
        (tmp_path / 'model.safetensors').unlink()
    weights, report = to_mmxclip(recognize(read_checkpoint(tmp_path)))
    assert not report.notes
    video = frames(TINY)
    got = ours_logits(build_ours(TINY, weights), video)
    torch.testing.assert_close(got, hf_logits(hf, video), atol=1e-4, rtol=0)


# Where Hugging Face's implementation differs from the official code


def test_their_default_heads_are_those_of_the_b_models():
    """`XCLIPConfig` does not derive heads from widths; an L/14 made with its defaults
    has 8 heads of 96 in MIT and prompt, where the official code has 12 of 64. The
    scores differ, the weights tell nothing; `config.json` does, so the report warns.
    """
    weights = random_weights(TINY)
    hf_weights, _ = from_mmxclip(weights, 'huggingface')
    config = make_config(TINY)
    config['vision_config']['mit_num_attention_heads'] = 8
    config['prompt_num_attention_heads'] = 8
    changed = transformers.XCLIPModel(
        transformers.XCLIPConfig(**{k: v for k, v in config.items() if '_' in k[4:]})
    )
    changed.load_state_dict(hf_weights)
    video = frames(TINY)
    right = hf_logits(build_hf(TINY, hf_weights), video)
    assert (hf_logits(changed.eval(), video) - right).abs().max() > 1e-2
    _, report = to_mmxclip(recognize(Opened(hf_weights, 'test', config)))
    assert [note.split(';')[0] for note in report.notes] == [
        'config.json says prompt_num_attention_heads=8',
        'config.json says vision_config.mit_num_attention_heads=8',
    ]


def test_their_number_of_frames_is_fixed():
    """Ours interpolates MIT's temporal position embedding, with a warning."""
    weights = random_weights(TINY)
    video = frames(TINY).repeat(1, 2, 1, 1, 1)
    hf = build_hf(TINY, from_mmxclip(weights, 'huggingface')[0])
    with pytest.raises(RuntimeError):
        hf_logits(hf, video)
    ours = build_ours(TINY, weights)
    with pytest.warns(UserWarning, match='4 frames.* 8'):
        assert ours_logits(ours, video).shape == (1, len(CLASSES))


def test_their_drop_path_is_on_messages_only():
    """The official code drops attention and MLP branches too, at a rising rate."""
    weights = random_weights(TINY)
    for name in weights:
        if 'message_attn.out_proj' in name:
            weights[name] = torch.zeros_like(weights[name])  # nothing left to drop
    hf = build_hf(TINY, from_mmxclip(weights, 'huggingface')[0])
    for layer in hf.vision_model.encoder.layers:
        layer.drop_path = type(layer).__init__.__globals__['XCLIPDropPath'](0.9)
    video = frames(TINY, 8)
    want = hf_logits(hf, video)
    assert torch.equal(hf_logits(hf.train(), video), want)
    ours = build_ours(TINY, weights, drop_path_rate=0.9)
    torch.testing.assert_close(ours_logits(ours, video), want, atol=1e-4, rtol=0)
    assert (ours_logits(ours.train(), video) - want).abs().max() > 1e-2


def test_their_text_embeddings_are_per_video():
    """They return texts with the prompt added, (N, K, E): not those of the tower."""
    weights = random_weights(TINY)
    hf = build_hf(TINY, from_mmxclip(weights, 'huggingface')[0])
    with torch.no_grad():
        out = hf(input_ids=tokenize(CLASSES), pixel_values=frames(TINY, 3))
    assert out.text_embeds.shape == (3, len(CLASSES), TINY.out_dims)
