"""The head: scores, classes, templates, losses."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

FIVE = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


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


@pytest.mark.slow
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
    with pytest.raises(ValueError, match='neck'):
        head(torch.randn(2, 16, 1, 7, 7))
    with pytest.raises(ValueError, match=r' 8 .* 16'):
        head(torch.randn(2, 8))


def test_bad_arguments_say_what_to_do(cfg, feats):
    with pytest.raises(ValueError, match='holds 5 names'):
        build(cfg, num_classes=400)
    with pytest.raises(ValueError, match='logit_scale must be above 0'):
        build(cfg, logit_scale=0)
    with pytest.raises(ValueError, match=r'label_smooth_eps.*\[0, 1\)'):
        build(cfg, label_smooth_eps=1)
    with pytest.raises(ValueError, match='PromptLearner, got MIT'):
        build(cfg, prompt=dict(type='MIT', embed_dims=16))
    with pytest.raises(ValueError, match='TextEncoder, got MIT'):
        build(cfg, text_encoder=dict(type='MIT', embed_dims=16))
    with pytest.raises(ValueError, match='average_clips'):
        build(cfg, average_clips='mean')
    with pytest.raises(ValueError, match='Set context_dims'):
        build(cfg)((feats[0], torch.randn(3, 4, 4, 8)))
    with pytest.raises(ValueError, match='at most 77'):
        build(cfg, classes=['short', 'long ' * 80])
    with pytest.raises(ValueError, match=r"'Jump'.*'jump'"):
        build(cfg, classes=['Jump', 'run', 'jump'])
    with pytest.raises(ValueError, match='no class names'):
        build(cfg, classes=[])
    with pytest.raises(ValueError, match='prompt=None'):
        build(cfg)(feats[0])
    with pytest.raises(ValueError, match='arch of'):
        build(cfg)((torch.randn(3, 32), feats[1]))
