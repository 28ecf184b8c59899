"""Text tower and prompt learner."""

import pytest
import torch

from mmxclip.models import CLIPTextEncoder, VideoSpecificPrompt
from mmxclip.text import tokenize

ARCH = dict(
    embed_dims=16,
    depth=2,
    num_heads=2,
    out_dims=8,
    context_length=77,
    vocab_size=49408,
)


def test_what_stands_behind_the_end_token_does_not_matter():
    encoder = CLIPTextEncoder(ARCH)
    tokens = tokenize(['archery', 'playing the guitar'])
    garbage = tokens.clone()
    garbage[:, 20:] = 5
    torch.testing.assert_close(encoder(garbage), encoder(tokens))
    torch.testing.assert_close(encoder(tokens[:, :6]), encoder(tokens))


def test_checkpointing_changes_no_gradient():
    tokens = tokenize(['archery', 'playing the guitar'])
    plain = CLIPTextEncoder(ARCH, frozen=False)
    saving = CLIPTextEncoder(ARCH, frozen=False, with_cp=True)
    saving.load_state_dict(plain.state_dict())
    for encoder in (plain, saving):
        encoder(tokens).square().sum().backward()
    for ours, theirs in zip(saving.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_checkpointing_saves_where_gradients_only_pass_through():
    tower, calls = CLIPTextEncoder(ARCH, with_cp=True).train(), []
    tower.resblocks[0].register_forward_pre_hook(lambda *_: calls.append(0))
    words = torch.randn(2, 5, 16, requires_grad=True)
    tower.encode(words, torch.tensor([4, 4])).sum().backward()
    assert len(calls) == 2
    assert words.grad.any()


@pytest.mark.parametrize(('with_cp', 'runs'), [(False, 1), (True, 2)])
def test_checkpointing_computes_each_block_again(with_cp, runs):
    encoder, calls = CLIPTextEncoder(ARCH, frozen=False, with_cp=with_cp), []
    for block in encoder.resblocks:
        block.register_forward_pre_hook(lambda *_: calls.append(1))
    encoder(tokenize(['archery'])).sum().backward()
    assert len(calls) == runs * len(encoder.resblocks)


def test_frozen_means_frozen():
    frozen, free = CLIPTextEncoder(ARCH).train(), CLIPTextEncoder(ARCH, frozen=False)
    assert not any(p.requires_grad for p in frozen.parameters())
    assert not any(module.training for module in frozen.modules())
    assert all(p.requires_grad for p in free.train().parameters())
    assert free.training


@pytest.mark.parametrize(('arch', 'millions'), [('b/16', 63.4), ('l/14', 123.65)])
def test_arch_zoo_has_clips_sizes(arch, millions):
    with torch.device('meta'):
        encoder = CLIPTextEncoder(arch)
    count = sum(p.numel() for p in encoder.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.06)


def adapt(prompt, text, patches):
    return prompt(text, prompt.prepare_context(patches))


def test_prompt_adapts_classes_to_each_video():
    prompt = VideoSpecificPrompt(embed_dims=16, context_dims=32, num_heads=2).eval()
    text, patches = torch.randn(5, 16), torch.randn(3, 4, 9, 32)
    adapted = adapt(prompt, text, patches)
    assert adapted.shape == (3, 5, 16)
    for i in range(3):
        alone = adapt(prompt, text, patches[i : i + 1])
        torch.testing.assert_close(alone, adapted[i : i + 1])
    assert not torch.allclose(adapted[0], adapted[1])
    # It reads the video as a whole, in any order of frames.
    torch.testing.assert_close(adapt(prompt, text, patches.flip(1)), adapted)


def test_class_features_may_differ_between_videos():
    prompt = VideoSpecificPrompt(embed_dims=16, context_dims=32, num_heads=2).eval()
    text, patches = torch.randn(3, 5, 16), torch.randn(3, 4, 9, 32)
    adapted = adapt(prompt, text, patches)
    for i in range(3):
        alone = adapt(prompt, text[i], patches[i : i + 1])
        torch.testing.assert_close(alone[0], adapted[i])


def test_projection_after_the_mean_equals_the_mean_after_projection():
    prompt = VideoSpecificPrompt(embed_dims=16, context_dims=32, num_heads=2).eval()
    text, patches = torch.randn(5, 16), torch.randn(3, 4, 9, 32)
    context = (prompt.context_ln(patches) @ prompt.context_proj).mean(dim=1)
    x = text.expand(3, -1, -1)
    for block in prompt.decoder:
        x = block(x, prompt.norm(context))
    torch.testing.assert_close(adapt(prompt, text, patches), text + prompt.alpha * x)


def test_alpha_zero_switches_prompts_off():
    prompt = VideoSpecificPrompt(embed_dims=16, context_dims=32, num_heads=2, alpha=0.0)
    text = torch.randn(5, 16)
    adapted = adapt(prompt, text, torch.randn(3, 4, 9, 32))
    torch.testing.assert_close(adapted, text.expand(3, -1, -1))


@pytest.mark.parametrize('learn_alpha', [True, False])
def test_alpha_learns_unless_told_otherwise(learn_alpha):
    prompt = VideoSpecificPrompt(16, 32, num_heads=2, learn_alpha=learn_alpha)
    adapted = adapt(prompt, torch.randn(5, 16), torch.randn(3, 4, 9, 32))
    adapted.sum().backward()
    assert (prompt.alpha.grad is not None) == learn_alpha
    assert prompt.context_proj.grad is not None


def test_published_defaults():
    prompt = VideoSpecificPrompt()
    assert len(prompt.decoder) == 2
    assert prompt.decoder[0].cross_attn.num_heads == 8
    assert prompt.alpha.unique().item() == pytest.approx(0.1)


def test_a_prompt_has_at_least_one_block():
    with pytest.raises(ValueError, match=r'depth.* 1'):
        VideoSpecificPrompt(depth=0)
