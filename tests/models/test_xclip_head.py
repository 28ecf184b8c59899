"""The head: scores, classes, templates and the cache of text features."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

FIVE = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


@pytest.fixture
def cfg(tiny_model):
    return tiny_model['cls_head']


@pytest.fixture
def feats():
    return torch.randn(3, 16), torch.randn(3, 4, 4, 32)


def build(cfg, **kwargs):
    return MODELS.build({**copy.deepcopy(cfg), **kwargs})


def samples(*labels):
    return [ActionDataSample().set_gt_label(label) for label in labels]


@pytest.mark.parametrize('given', [{}, dict(logit_scale=100.0)])
def test_logits_are_scaled_cosines(cfg, feats, given):
    head = build(cfg, prompt=None, **given).eval()
    video = feats[0]
    text = head.text_features()[0]
    cosine = torch.nn.functional.cosine_similarity(
        video.unsqueeze(1), text.unsqueeze(0), dim=-1
    )
    logits = head(video)
    assert logits.dtype == torch.float32
    scale = given.get('logit_scale', 1 / 0.07)
    torch.testing.assert_close(logits, cosine * scale)


def test_a_video_alone_equals_itself_in_a_batch(cfg, feats):
    head = build(cfg).eval()
    video, patches = feats
    logits = head(feats)
    for i in range(3):
        alone = head((video[i : i + 1], patches[i : i + 1]))
        torch.testing.assert_close(logits[i : i + 1], alone)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_logits_are_float32_whatever_the_model_is(cfg, feats, dtype):
    head = build(cfg).eval()
    reference = head(feats)
    logits = head.to(dtype)(tuple(f.to(dtype) for f in feats))
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, reference, atol=0.3, rtol=0.1)


class CountedEncoding:
    """Counts how often a head's text tower runs."""

    def __init__(self, head):
        self.calls = 0
        head.text_encoder.register_forward_pre_hook(self._count)

    def _count(self, *_):
        self.calls += 1


def test_frozen_text_is_encoded_once_and_leaves_modes_alone(cfg, feats):
    head = build(cfg).train()
    modes = [module.training for module in head.modules()]
    counted = CountedEncoding(head)
    for _ in range(3):
        head(feats)
    assert counted.calls == 1
    assert [module.training for module in head.modules()] == modes
    assert not head.cached_text.requires_grad
    assert 'cached_text' not in head.state_dict()
    assert 'class_tokens' not in head.state_dict()
    # Hooks average buffers over processes, which would round token ids.
    assert not list(head.buffers())


def change_a_weight(head):
    with torch.no_grad():
        head.text_encoder.ln_final.weight.mul_(2)


def load_other_weights(head):
    state = {k: v + 0.1 for k, v in head.state_dict().items()}
    head.load_state_dict(state)


def load_other_text_tower(head):
    state = {k: v + 0.1 for k, v in head.text_encoder.state_dict().items()}
    head.text_encoder.load_state_dict(state, assign=True)


def load_other_text_towers(head):
    for _ in range(2):
        load_other_text_tower(head)
        head.text_features()
    load_other_text_tower(head)


def swap_in_average(head):
    head.text_encoder.ln_final.weight.data.mul_(2)  # as MMEngine's EMAHook does
    head.eval()


@pytest.mark.parametrize(
    'change',
    [
        change_a_weight,
        load_other_weights,
        load_other_text_tower,
        load_other_text_towers,
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
    head.cached_text = None
    assert torch.equal(text, head.text_features())
    assert text.dtype == head.text_encoder.text_projection.dtype


def test_cache_made_in_inference_mode_serves_training(cfg, feats):
    head = build(cfg)
    with torch.inference_mode():
        head(feats)
    assert head.cached_text is not None
    head(feats).sum().backward()
    assert head.prompt.alpha.grad is not None


def test_cache_does_not_depend_on_autocast(cfg, feats):
    head = build(cfg).eval()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cached = head.text_features()
    head.cached_text = None
    assert torch.equal(cached, head.text_features())


def test_a_copy_with_an_average_of_weights_has_its_own_cache(cfg, feats):
    head = build(cfg).eval()
    head(feats)
    other = copy.deepcopy(head)
    change_a_weight(other)
    assert not torch.allclose(other.text_features(), head.text_features())


def test_trained_text_gets_gradient_in_every_step(cfg, feats):
    cfg['text_encoder']['frozen'] = False
    head = build(cfg).train()
    counted = CountedEncoding(head)
    for _ in range(2):
        head(feats).square().sum().backward()
    assert counted.calls == 2
    assert all(p.grad is not None for p in head.parameters())
    assert head.logit_scale.requires_grad


def test_frozen_text_gets_none(cfg, feats):
    head = build(cfg).train()
    head(feats).square().sum().backward()
    without = {n.split('.')[0] for n, p in head.named_parameters() if p.grad is None}
    assert without == {'text_encoder', 'logit_scale'}
    assert not head.logit_scale.requires_grad


def test_classes_can_change_at_any_time(cfg, feats, tmp_path):
    head = build(cfg).eval()
    five = head(feats)
    head.set_classes(['one', 'two'])
    assert head(feats).shape == (3, 2)
    assert head.num_classes == 2
    names = tmp_path / 'names.csv'
    names.write_text('id,name\n' + '\n'.join(f'{i},{n}' for i, n in enumerate(FIVE)))
    head.set_classes(names)
    torch.testing.assert_close(head(feats), five)
    head.set_classes('hmdb51')
    assert head(feats).shape == (3, 51)


def test_new_classes_go_where_the_model_is(cfg, feats):
    head = build(cfg).eval().to('meta')  # which stands for a GPU
    head.set_classes(['one', 'two'])
    assert head(tuple(f.to('meta') for f in feats)).shape == (3, 2)
    assert head.class_tokens.is_meta


def test_many_classes_are_encoded_in_batches(cfg, feats):
    head = build(cfg).eval()
    head.set_classes([f'action {i}' for i in range(600)])
    counted = CountedEncoding(head)
    many = head.text_features()
    assert counted.calls == 3
    head.set_classes([f'action {i}' for i in (0, 256, 599)])
    torch.testing.assert_close(many[:, [0, 256, 599]], head.text_features())


@pytest.mark.parametrize('prompt', [None, 'as configured'])
def test_ensemble_equals_the_mean_of_single_templates(cfg, feats, prompt):
    prompt = cfg['prompt'] if prompt else None
    ensemble = build(cfg, prompt=prompt, templates='action16').eval()
    feats = feats if prompt else feats[0]
    single = []
    for template in ensemble.templates:
        head = build(cfg, prompt=prompt, templates=template).eval()
        head.load_state_dict(ensemble.state_dict())
        single.append(head(feats))
    torch.testing.assert_close(ensemble(feats), torch.stack(single).mean(dim=0))


def test_training_draws_one_template_a_step(cfg, feats):
    head = build(cfg, templates='action16').train()
    drawn = torch.cat([head.text_features() for _ in range(256)])  # (256, K, E)
    assert drawn.shape == (256, 5, 16)
    assert len(drawn.unique(dim=0)) == 16


def test_loss_reports_accuracy_of_hard_and_blended_labels(cfg, feats):
    head = build(cfg, label_smooth_eps=0.1, topk=(1, 2)).train()
    losses = head.loss(feats, samples(0, 1, 2))
    assert losses.keys() == {'loss_cls', 'top1_acc', 'top2_acc'}
    soft = [torch.tensor([0.1, 0.7, 0.2, 0.0, 0.0])] * 3
    blended = head.loss(feats, samples(*soft))
    logits = head(feats)
    assert blended['top1_acc'] == (logits.argmax(dim=1) == 1).float().mean()
    smooth = 0.9 * torch.stack(soft) + 0.1 / 5
    torch.testing.assert_close(
        blended['loss_cls'], torch.nn.functional.cross_entropy(logits, smooth)
    )


@pytest.mark.parametrize('smoothing', [0.0, 0.1])
@pytest.mark.parametrize('labels', ['hard', 'blended'])
def test_loss_is_that_of_stock_heads(cfg, feats, smoothing, labels):
    head = build(cfg, label_smooth_eps=smoothing, topk=[1, 3, 9])
    stock = MODELS.build(
        dict(
            type='TimeSformerHead',
            num_classes=5,
            in_channels=16,
            label_smooth_eps=smoothing,
            topk=(1, 3, 9),
        )
    )
    given = samples(*([0, 3, 1] if labels == 'hard' else torch.rand(3, 5)))
    logits = head(feats)
    ours = head.loss_by_feat(logits, given)
    for name, value in stock.loss_by_feat(logits, given).items():
        assert ours[name] == value.float(), name


def test_a_video_embedding_of_another_model(cfg):
    head = build(cfg, prompt=None).eval()
    assert head(torch.randn(2, 16)).shape == (2, 5)


def test_maps_and_vectors_of_another_width_are_told_apart(cfg):
    head = build(cfg, prompt=None)
    with pytest.raises(ValueError, match=r'Merge frames and places by a neck'):
        head(torch.randn(2, 16, 1, 7, 7))
    with pytest.raises(ValueError, match=r'are 8 wide, text embeddings 16'):
        head(torch.randn(2, 8))


def test_an_exported_graph_leaves_the_cache_alone(cfg, feats):
    head = build(cfg).eval()
    expected = head(feats)
    head.cached_text = None
    exported = torch.export.export(head, (feats,)).module()
    torch.testing.assert_close(exported(feats), expected)
    torch.testing.assert_close(head(feats), expected)


def test_bad_arguments_say_what_to_do(cfg, feats):
    with pytest.raises(ValueError, match='holds 5 names'):
        build(cfg, num_classes=400)
    with pytest.raises(ValueError, match='logit_scale must be above 0'):
        build(cfg, logit_scale=0)
    with pytest.raises(ValueError, match=r'label_smooth_eps must lie in \[0, 1\)'):
        build(cfg, label_smooth_eps=1)
    with pytest.raises(ValueError, match='must be a PromptLearner, MIT is none'):
        build(cfg, prompt=dict(type='MIT', embed_dims=16))
    with pytest.raises(ValueError, match='average_clips must be one of'):
        build(cfg, average_clips='mean')
    with pytest.raises(ValueError, match='Set both to these widths'):
        build(cfg)((feats[0], torch.randn(3, 4, 4, 8)))
    with pytest.raises(ValueError, match='at most 77'):
        build(cfg, classes=['short', 'long ' * 80])
    with pytest.raises(ValueError, match="'Jump' and 'jump' are one text"):
        build(cfg, classes=['Jump', 'run', 'jump'])
    with pytest.raises(ValueError, match='no class names'):
        build(cfg, classes=[])
    with pytest.raises(ValueError, match='prompt=None'):
        build(cfg)(feats[0])
    with pytest.raises(ValueError, match='arch of'):
        build(cfg)((torch.randn(3, 32), feats[1]))
