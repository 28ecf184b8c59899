"""Texts of a frozen tower are encoded once, and again when anything changes."""

import copy
import pickle

import pytest
import torch
from mmaction.registry import MODELS

FIVE = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


def build(cfg, **kwargs):
    return MODELS.build({**copy.deepcopy(cfg), **kwargs})


class CountedEncoding:
    """Counts how often a head's text tower runs."""

    def __init__(self, head):
        self.calls = 0
        head.text_encoder.register_forward_pre_hook(self)

    def __call__(self, *_):
        self.calls += 1


def test_frozen_text_is_encoded_once_and_leaves_modes_alone(cfg, feats):
    head = build(cfg).train()
    modes = [module.training for module in head.modules()]
    counted = CountedEncoding(head)
    for _ in range(3):
        head.train()(feats)  # as MMEngine's loop by iterations does
    assert counted.calls == 1
    assert [module.training for module in head.modules()] == modes
    assert not head.text_features().requires_grad
    assert 'texts' not in head.state_dict()
    # Hooks average buffers over processes, which would round token ids.
    assert not list(head.buffers())


def change_a_weight(head):
    with torch.no_grad():
        head.text_encoder.ln_final.weight.mul_(2)


def load_other_weights(head):
    head.load_state_dict({k: v + 0.1 for k, v in head.state_dict().items()})


def load_other_text_tower(head):
    state = {k: v + 0.1 for k, v in head.text_encoder.state_dict().items()}
    head.text_encoder.load_state_dict(state, assign=True)


def replace_a_weight(head):
    for _ in range(3):  # the memory of the first serves the third again
        weight = head.text_encoder.ln_final.weight
        head.text_encoder.ln_final.weight = torch.nn.Parameter(weight * 2)


def load_other_text_towers(head):
    for _ in range(2):
        load_other_text_tower(head)
        head.text_features()
    load_other_text_tower(head)


def swap_in_average(head):
    head.text_encoder.ln_final.weight.data.mul_(2)  # as MMEngine's EMAHook does
    head.eval()


@pytest.mark.slow
@pytest.mark.parametrize(
    'change',
    [
        change_a_weight,
        load_other_weights,
        load_other_text_tower,
        load_other_text_towers,
        replace_a_weight,
        swap_in_average,
        lambda head: head.set_classes(FIVE[::-1]),
        lambda head: head.double(),
        lambda head: head.to(torch.bfloat16),
    ],
)
def test_cache_is_dropped_when_what_it_came_from_changes(cfg, feats, change):
    head = build(cfg).eval()
    head(feats)
    change(head)
    text = head.text_features()
    head.texts.forget()
    assert torch.equal(text, head.text_features())
    assert text.dtype == head.text_encoder.text_projection.dtype


def test_cache_made_in_inference_mode_serves_training(cfg, feats):
    head = build(cfg)
    with torch.inference_mode():
        head(feats)
    counted = CountedEncoding(head)
    head(feats).sum().backward()
    assert counted.calls == 0
    assert head.prompt.alpha.grad is not None


@pytest.mark.parametrize('frozen', [True, False])
def test_a_model_that_moved_in_inference_mode_can_be_trained(cfg, frozen):
    cfg['text_encoder']['frozen'] = frozen
    head = build(cfg, prompt=None).to('meta')  # a device that every machine has
    video = torch.randn(2, 16, device='meta', requires_grad=True)
    with torch.inference_mode():
        head(video)
    head(video).sum().backward()


@pytest.mark.slow
def test_a_compiled_head_encodes_once(cfg, feats):
    head = build(cfg).eval()
    counted, compiled = CountedEncoding(head), torch.compile(head, backend='eager')
    with torch.no_grad():
        for _ in range(3):
            compiled(feats)
    assert counted.calls == 1


def test_cache_does_not_depend_on_autocast(cfg, feats):
    head = build(cfg).eval()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cached = head.text_features()
    head.texts.forget()
    assert torch.equal(cached, head.text_features())


def test_trained_text_gets_gradient_in_every_step(cfg, feats):
    cfg['text_encoder']['frozen'] = False
    head = build(cfg).train()
    counted = CountedEncoding(head)
    for _ in range(2):
        head(feats).square().sum().backward()
    assert counted.calls == 2
    assert all(p.grad is not None for p in head.parameters())
    assert head.logit_scale.requires_grad


@pytest.mark.parametrize('learned', ['tower', 'prompt'])
def test_learned_text_is_encoded_once_while_nothing_is_learned(cfg, feats, learned):
    if learned == 'tower':
        cfg['text_encoder']['frozen'] = False
    else:
        cfg['prompt'] = dict(type='ContextVectors', num_vectors=2, embed_dims=16)
    head = build(cfg).eval()
    counted = CountedEncoding(head)
    words = []
    head.text_encoder.ln_final.register_forward_hook(lambda *_: words.append(1))
    with torch.no_grad():
        first = head(feats)
        assert torch.equal(head(feats), first)
        assert len(words) == 1
        learns = head.prompt if learned == 'prompt' else head.text_encoder
        next(learns.parameters()).add_(1)
        assert not torch.equal(head(feats), first)
    assert counted.calls == (2 if learned == 'tower' else 0)


def test_a_part_of_the_tower_may_learn(cfg, feats):
    """As adapters do that are put into a frozen tower."""
    head = build(cfg).train()
    head(feats)
    head.text_encoder.ln_final.requires_grad_(True)
    head(feats).square().sum().backward()
    assert head.text_encoder.ln_final.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('classes', [FIVE[::-1], FIVE[:3]])
def test_classes_that_change_during_an_encoding_are_the_next_ones(cfg, feats, classes):
    """As those of another thread do: what is kept belongs to its own names."""
    head = build(cfg).eval()

    def change(*_):
        handle.remove()
        head.set_classes(classes)

    handle = head.text_encoder.register_forward_pre_hook(change)
    assert head(feats).shape == (len(feats[0]), 5)
    kept = head.text_features()
    head.texts.forget()
    assert torch.equal(kept, head.text_features())


def test_a_copy_is_like_the_original_and_has_its_own_cache(cfg, feats):
    head = build(cfg).eval()
    head(feats)
    for other in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        assert torch.equal(other(feats), head(feats))
        change_a_weight(other)
        assert not torch.equal(other(feats), head(feats))
        assert not torch.allclose(other.text_features(), head.text_features())


def test_a_moved_head_moves_its_texts(cfg):
    head = build(cfg).eval()
    head.text_features()
    assert head.to('meta').text_features().is_meta  # a device that every machine has


def test_a_head_built_in_inference_mode_encodes_once(cfg, feats):
    with torch.inference_mode():
        head = build(cfg).eval()
        counted = CountedEncoding(head)
        for _ in range(2):
            head(feats)
    assert counted.calls == 1


def test_what_a_wrapper_hides_learns_nevertheless(cfg, feats):
    """FSDP takes parameters out of their modules while it computes."""
    prompt = dict(type='ContextVectors', num_vectors=2, embed_dims=16)
    head = build(cfg, prompt=prompt).train()
    vectors = head.prompt._parameters.pop('vectors')
    head.prompt.vectors = vectors.view_as(vectors)
    head(feats[0]).square().sum().backward()
    assert vectors.grad.abs().sum() > 0


def test_learned_text_is_never_kept_in_training(cfg, feats):
    """Fused optimizers write into weights without raising their versions."""
    cfg['text_encoder']['frozen'] = False
    head = build(cfg).train()
    with torch.no_grad():
        first = head(feats)
        head.text_encoder.ln_final.weight.data.mul_(2)  # nor does this
        assert not torch.equal(head(feats), first)


def test_a_head_can_be_built_and_filled_without_memory(cfg, feats):
    real = build(cfg).eval()
    with torch.device('meta'):
        head = build(cfg).eval()
    head(tuple(feat.to('meta') for feat in feats))
    head.load_state_dict(real.state_dict(), assign=True)
    assert torch.equal(head(feats), real(feats))


def test_classes_set_in_inference_mode_can_be_learned(cfg, feats):
    cfg['text_encoder']['frozen'] = False
    head = build(cfg)
    with torch.inference_mode():
        head.set_classes(FIVE[:2])
    head(feats).sum().backward()


def test_frozen_text_gets_none(cfg, feats):
    head = build(cfg).train()
    head(feats).square().sum().backward()
    without = {n.split('.')[0] for n, p in head.named_parameters() if p.grad is None}
    assert without == {'text_encoder', 'logit_scale'}
    assert not head.logit_scale.requires_grad


@pytest.mark.slow
def test_an_exported_graph_leaves_the_cache_alone(cfg, feats):
    head = build(cfg).eval()
    expected = head(feats)
    head.texts.forget()
    exported = torch.export.export(head, (feats,)).module()
    torch.testing.assert_close(exported(feats), expected)
    torch.testing.assert_close(head(feats), expected)


def test_many_classes_are_encoded_in_batches(cfg, feats):
    head = build(cfg).eval()
    head.set_classes([f'action {i}' for i in range(600)])
    counted = CountedEncoding(head)
    many = head.text_features()
    assert counted.calls == 3
    head.set_classes([f'action {i}' for i in (0, 256, 599)])
    torch.testing.assert_close(many[:, [0, 256, 599]], head.text_features())


def test_the_texts_of_a_class_are_averaged(cfg):
    """Each template around each text; one text a class is that text alone."""
    templates = ['{}', 'a video of {}']
    described = {'run': ['he runs', 'fast legs', 'a race'], 'sit': 'she sits'}
    head = build(cfg, classes=described, templates=templates)
    assert (list(head.classes), head.num_classes) == (['run', 'sit'], 2)
    found = head.text_features()  # (2, 2, E)
    texts = [*described['run'], described['sit']]
    single = head.text_features(head.make_texts(texts))
    torch.testing.assert_close(found[:, 0], single[:, :3].mean(dim=1))
    torch.testing.assert_close(found[:, 1], single[:, 3])


def test_classes_may_share_texts_but_not_all(cfg):
    head = build(cfg)
    head.set_classes({'draw': ['a sword', 'draw'], 'fence': ['a sword', 'fence']})
    with pytest.raises(ValueError, match="'draw' and 'fence' are one text"):
        head.set_classes({'draw': ['a sword', 'x'], 'fence': ['A sword', 'X']})
