"""Our parts against numbers of the official X-CLIP code."""

import json

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.checkpoints.layouts.official import XCLIP_OFFICIAL

GOLDEN = ['xclip_tiny_t4', 'xclip_tiny_t8_mit4']


@pytest.fixture(params=GOLDEN)
def golden(request, shared):
    """Stored tensors and gradient norms of one tiny model."""
    folder = shared / 'golden'
    stored = torch.load(folder / f'{request.param}.pth', weights_only=True)
    stored['grads'] = json.loads((folder / f'{request.param}_grads.json').read_text())
    return stored


@pytest.fixture
def recognizer(golden):
    """The stock recognizer with our parts and the stored weights."""
    cfg = golden['config']
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(
                type='XCLIPViT',
                arch=dict(
                    img_size=cfg['image_resolution'],
                    patch_size=cfg['vision_patch_size'],
                    embed_dims=cfg['vision_width'],
                    depth=cfg['vision_layers'],
                    num_heads=cfg['vision_width'] // 64,
                    out_dims=cfg['embed_dim'],
                ),
            ),
            neck=dict(
                type='MIT',
                embed_dims=cfg['embed_dim'],
                num_frames=cfg['num_frames'],
                depth=cfg['mit_layers'],
            ),
            cls_head=dict(
                type='XCLIPHead',
                classes=list('abcde'),
                text_encoder=dict(
                    type='CLIPTextEncoder',
                    arch=dict(
                        embed_dims=cfg['transformer_width'],
                        depth=cfg['transformer_layers'],
                        num_heads=cfg['transformer_heads'],
                        out_dims=cfg['embed_dim'],
                        context_length=cfg['context_length'],
                        vocab_size=cfg['vocab_size'],
                    ),
                ),
                prompt=dict(
                    type='VideoSpecificPrompt',
                    embed_dims=cfg['embed_dim'],
                    context_dims=cfg['vision_width'],
                    depth=cfg['prompts_layers'],
                ),
            ),
        )
    )
    model.load_state_dict(XCLIP_OFFICIAL.to_ours(golden['state_dict']).tensors)
    # The reference got token ids of a tiny vocabulary, not names.
    model.cls_head.texts.tokens = golden['tokens'].unsqueeze(0)
    return model


def close(actual, expected, tolerance=1e-5):
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)


def test_every_stored_tensor(golden, recognizer):
    recognizer.eval()
    head = recognizer.cls_head
    video = golden['video'].transpose(1, 2)  # (N, T, 3, H, W) -> (N, 3, T, H, W)
    with torch.no_grad():
        frame_embeds, patch_tokens = recognizer.backbone(video)
        (video_embed, same_tokens), loss_aux = recognizer.neck(
            (frame_embeds, patch_tokens)
        )
        text = head.text_features()[0]
        adapted = head.prompt(text, head.prompt.prepare_context(patch_tokens))
        patch_features = head.prompt.context_ln(patch_tokens) @ head.prompt.context_proj
        logits = head((video_embed, patch_tokens))

    assert loss_aux == {}
    assert same_tokens is patch_tokens
    close(frame_embeds, golden['cls_features'])
    close(patch_tokens, golden['patch_tokens'])
    close(video_embed, golden['video_features'])
    close(patch_features, golden['patch_features'])
    close(text, golden['text_features'])
    close(adapted - text, golden['prompts'])
    close(logits, golden['logits'])


def test_loss_and_every_gradient(golden, recognizer):
    recognizer.train()
    expected = golden['grads']
    video = golden['video'].transpose(1, 2).unsqueeze(1)
    logits, _ = recognizer.extract_feat(video, stage='head')
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(expected['labels']))
    loss.backward()

    assert loss.item() == pytest.approx(expected['loss'], rel=1e-4)
    names = {id(p): name for name, p in recognizer.named_parameters()}
    # One table renames both: look our parameters up under their official names.
    ours = XCLIP_OFFICIAL.to_ours(
        {name: torch.tensor(0.0) for name in golden['state_dict']}
    ).tensors
    official = dict(zip(ours, golden['state_dict'], strict=True))
    norms = {
        official[names[id(p)]]: p.grad.norm().item()
        for p in recognizer.parameters()
        if p.grad is not None
    }
    assert norms.keys() == expected['grad_norm'].keys()
    for name, norm in expected['grad_norm'].items():
        assert norms[name] == pytest.approx(norm, rel=1e-4), name
