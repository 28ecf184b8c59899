"""SigLIP, SigLIP 2 and others give an X-CLIP the features that transformers gives."""

import time

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from mmxclip.checkpoints.load import load
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import write
from mmxclip.export.graphs import graphs_of
from mmxclip.models import ContextVectors

transformers = pytest.importorskip('transformers', minversion='5')
pairs = pytest.importorskip('huggingface_pairs')

pytestmark = pytest.mark.parity

CLASSES = ['dancing', 'an archer', 'A Cat']
SIGLIPS = [pairs.siglip, pairs.siglip2]


@pytest.fixture
def make(tmp_path):
    """A pair, its tokenizer, and the folder that holds both."""
    return lambda build: (*pairs.save_pair(build, tmp_path), str(tmp_path))


def build_ours(folder, dims, head='XCLIPHead', *, message_frames=None, **head_kwargs):
    weights = dict(type='CLIPPretrained', checkpoint=folder)
    tower = dict(type='HFVisionTower', source=folder, message_frames=message_frames)
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            data_preprocessor=dict(
                type='ActionDataPreprocessor',
                mean=[127.5] * 3,
                std=[127.5] * 3,
                format_shape='NCTHW',
            ),
            backbone=dict(
                type='FrameEncoder',
                backbone=dict(**tower, init_cfg=weights),
                frozen='pretrained' if message_frames else False,
            ),
            neck=dict(type='MIT', embed_dims=dims, num_frames=4, num_heads=2),
            cls_head=dict(
                type=head,
                classes=CLASSES,
                text_encoder=dict(type='HFTextEncoder', source=folder),
                prompt=dict(
                    type='VideoSpecificPrompt',
                    embed_dims=dims,
                    context_dims=32,
                    num_heads=2,
                ),
                init_cfg=weights,
                **head_kwargs,
            ),
        )
    )
    model.init_weights()
    return model.eval()


def image_inputs(pair, images):
    if not isinstance(pair, transformers.Siglip2Model):
        return dict(pixel_values=images)
    theirs = pytest.importorskip(
        'transformers.models.siglip2.image_processing_pil_siglip2'
    )
    patches = [theirs.convert_image_to_patches(image.numpy(), 16) for image in images]
    shape = [size // 16 for size in images.shape[2:]]
    return dict(
        pixel_values=torch.from_numpy(np.stack(patches)),
        pixel_attention_mask=torch.ones(len(images), len(patches[0])),
        spatial_shapes=torch.tensor([shape] * len(images)),
    )


def text_inputs(pair, tokenizer):
    if 'Siglip' in type(pair).__name__:  # as trained: no mask, the full length
        texts = [name.lower() for name in CLASSES]
        rows = tokenizer(texts, padding='max_length', max_length=64)
        return dict(input_ids=torch.tensor(rows['input_ids']))
    return tokenizer(
        CLASSES,
        padding=True,
        return_tensors='pt',
        return_attention_mask=True,
        return_token_type_ids=False,
    )


@torch.no_grad()
@pytest.mark.parametrize('build', [*SIGLIPS, pairs.clip, pairs.chinese_clip])
def test_same_features(make, build):
    pair, tokenizer, folder = make(build)
    dims = 32 if build in SIGLIPS else 24
    model = build_ours(folder, dims)
    images = torch.randn(4, 3, 32, 48 if build is pairs.siglip2 else 32)
    video = images.unflatten(0, (2, 2)).transpose(1, 2)  # (N, 3, T, H, W)
    embeds, tokens = model.backbone(video)
    theirs = pair.get_image_features(**image_inputs(pair, images))
    want = theirs.pooler_output
    assert want.std(dim=0).min() > 1e-3, 'a comparison worth the name'
    torch.testing.assert_close(embeds.flatten(0, 1), want, atol=1e-5, rtol=1e-5)
    grid = (images.shape[2] // 16) * (images.shape[3] // 16)
    hidden = theirs.last_hidden_state[:, -grid:]
    torch.testing.assert_close(tokens.flatten(0, 1), hidden, atol=1e-5, rtol=1e-5)
    text = model.cls_head.text_features()[0]
    want = pair.get_text_features(**text_inputs(pair, tokenizer)).pooler_output
    assert want.std(dim=0).min() > 1e-3
    torch.testing.assert_close(text, want, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('build', SIGLIPS)
def test_same_scale_and_bias(make, build):
    pair, tokenizer, folder = make(build)
    head = build_ours(folder, 32, 'MultiLabelHead', logit_bias=None).cls_head
    images = torch.randn(2, 3, 32, 32)
    inputs = image_inputs(pair, images) | text_inputs(pair, tokenizer)
    embeds = pair.get_image_features(**image_inputs(pair, images)).pooler_output
    logits = head.log_odds(head.similarity(embeds, head.text_features()[0]))
    want = pair(**inputs).logits_per_image
    torch.testing.assert_close(logits, want, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('message_frames', [None, 4])
def test_learns_and_is_loaded(make, message_frames, tmp_path):
    _, _, folder = make(pairs.siglip)
    model = build_ours(folder, 32, message_frames=message_frames).train()
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 2)]
    frames = torch.randn(2, 1, 3, 4, 32, 32)
    sum(model(frames, samples, mode='loss').values()).backward()
    learns = {name for name, p in model.named_parameters() if p.grad is not None}
    towers = {name.split('.')[2] for name in learns if name.startswith('backbone')}
    assert towers == {'messages' if message_frames else 'pair'}
    assert not any('text_encoder' in name for name in learns)
    write(tmp_path / 'ours.pth', model.state_dict())
    other = build_ours(folder, 32, message_frames=message_frames)
    for p in other.parameters():
        p.data.zero_()
    load(other, tmp_path / 'ours.pth')
    assert all(
        torch.equal(p, q)
        for p, q in zip(model.parameters(), other.parameters(), strict=True)
    )


@torch.no_grad()
@pytest.mark.parametrize('build', [*SIGLIPS, pairs.clip])
def test_frames_talk_by_messages(make, build):
    _, _, folder = make(build)
    dims = 32 if build in SIGLIPS else 24
    video = torch.randn(2, 3, 4, 32, 32)
    other = video.clone()
    other[0, :, 3] = 0
    for frames, reached in ((None, 1), (4, 4)):
        tower = build_ours(folder, dims, message_frames=frames).backbone
        changed = (tower(video)[0] - tower(other)[0]).abs().amax(dim=-1) > 1e-7
        assert changed.sum(dim=1).tolist() == [reached, 0]


@pytest.mark.slow
def test_trains_resumes_tests_and_predicts(demo, tool, siglip, shapes, tmp_path):
    config = tmp_path / 'siglip.py'
    config.write_text(
        f"""
_base_ = {str(demo)!r}
source = {siglip!r}
weights = dict(type='CLIPPretrained', checkpoint=source)
model = dict(
    backbone=dict(
        _delete_=True,
        type='FrameEncoder',
        backbone=dict(type='HFVisionTower', source=source, init_cfg=weights),
    ),
    neck=dict(embed_dims=32),
    cls_head=dict(
        text_encoder=dict(_delete_=True, type='HFTextEncoder', source=source),
        prompt=dict(embed_dims=32, context_dims=32),
        init_cfg=weights,
    ),
)
default_hooks = dict(checkpoint=dict(interval=1))
"""
    )
    for epochs, resume in ((1, ()), (2, ('--resume',))):
        epoch = f'train_cfg.max_epochs={epochs}'
        tool('train.py', config, '--work-dir', 'work', *resume, '--cfg-options', epoch)
        time.sleep(1.1)  # MMEngine names the folder of a log by the second
    assert 'acc/top1' in tool('test.py', config, 'work/epoch_2.pth')
    weights = '--checkpoint', 'work/epoch_2.pth'
    assert 'growing' in tool('predict.py', shapes / 'val/0.mp4', *weights)
    said = tool('inspect_checkpoint.py', 'work/epoch_2.pth')
    assert 'Towers: FrameEncoder of HFVisionTower, HFTextEncoder.' in said


def test_mistakes_say_what_to_do(make, tmp_path, tiny_model):
    _, _, folder = make(pairs.siglip)
    model = build_ours(folder, 32)
    with pytest.raises(ValueError, match='made for 32x32 pixels, got 48x32'):
        model.backbone(torch.randn(1, 3, 2, 32, 48))
    with pytest.raises(ValueError, match=r"65 tokens.*at most 64: 'a{65}'"):
        model.cls_head.set_classes(['a' * 65, 'b'])
    text = model.cls_head.text_encoder
    with pytest.raises(ValueError, match=r'CLIPTextEncoder.*got HFTextEncoder'):
        ContextVectors(2, 32).encode(text, text.tokenize(['a']))
    with pytest.raises(ValueError, match=r'FrameEncoder is no .XCLIPViT'):
        next(graphs_of(model))
    with pytest.raises(CheckpointError, match=r'SigLIP.*HFVisionTower'):
        load(MODELS.build(tiny_model), folder, complete=False)
    with pytest.raises(ValueError, match=r'elsewhere gives no config: .*hf-hub:'):
        MODELS.build(dict(type='HFVisionTower', source=str(tmp_path / 'elsewhere')))
    bert = tmp_path / 'bert'
    sizes = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    transformers.BertConfig(**sizes, vocab_size=9).save_pretrained(bert)
    with pytest.raises(ValueError, match='BertModel, without a text_model'):
        MODELS.build(dict(type='HFTextEncoder', source=str(bert)))


def test_inspect_names_it(make, tool):
    _, _, folder = make(pairs.siglip)
    said = tool('inspect_checkpoint.py', folder)
    assert 'language-image pair, siglip (safetensors file)' in said
    assert 'Activation: gelu_pytorch_tanh.' in said
    assert (
        f"model.backbone.backbone = {{'type': 'HFVisionTower', 'source': '{folder}'"
        in said
    )
