"""The parts together, and each with stock parts, in the stock recognizer."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample


def batch(n=2, views=1, labels=True):
    inputs = [
        torch.randint(0, 256, (views, 3, 4, 32, 32), dtype=torch.uint8)
        for _ in range(n)
    ]
    samples = [ActionDataSample() for _ in range(n)]
    if labels:
        for i, sample in enumerate(samples):
            sample.set_gt_label(i)
    return dict(inputs=inputs, data_samples=samples)


def losses_of(model, data):
    data = model.data_preprocessor(copy.deepcopy(data), training=True)
    return model(**data, mode='loss')


def scores_of(model, data):
    with torch.no_grad():
        predictions = model.test_step(copy.deepcopy(data))
    return torch.stack([p.pred_score for p in predictions])


def test_loss_and_prediction(tiny_model):
    model = MODELS.build(tiny_model).train()
    losses = losses_of(model, batch())
    losses['loss_cls'].backward()
    assert losses['loss_cls'].isfinite()
    model.eval()
    scores = scores_of(model, batch(labels=False))
    torch.testing.assert_close(scores.sum(dim=1), torch.ones(2))


def test_views_one_at_a_time_equal_all_at_once(tiny_model):
    model = MODELS.build(tiny_model).eval()
    data = batch(n=1, views=6)
    expected = scores_of(model, data)
    for views in (1, 4):
        model.test_cfg = dict(max_testing_views=views)
        torch.testing.assert_close(scores_of(model, data), expected)


def test_views_are_averaged_as_probabilities(tiny_model):
    model = MODELS.build(tiny_model).eval()
    data = batch(n=1, views=3)
    views = [
        scores_of(model, dict(data, inputs=[data['inputs'][0][i : i + 1]]))
        for i in range(3)
    ]
    torch.testing.assert_close(scores_of(model, data), torch.stack(views).mean(dim=0))


def test_forward_changes_no_mode(tiny_model):
    model = MODELS.build(tiny_model).train()
    before = [module.training for module in model.modules()]
    losses_of(model, batch())
    scores_of(model, batch())
    assert [module.training for module in model.modules()] == before


def test_everything_but_the_text_learns(tiny_model):
    model = MODELS.build(tiny_model).train()
    losses_of(model, batch())['loss_cls'].backward()
    without = {n for n, p in model.named_parameters() if p.grad is None}
    assert without
    assert all(
        n.startswith(('cls_head.text_encoder.', 'cls_head.logit_scale'))
        for n in without
    )


@pytest.mark.slow
@pytest.mark.parametrize('blended', [False, True])
@pytest.mark.parametrize('vectors', [False, True])
def test_a_training_step_reads_no_value(tiny_model, blended, vectors):
    """On a GPU, to read a value is to wait for it; tensors of 'meta' have none."""
    head = tiny_model['cls_head']
    head.update(templates='action16', label_smooth_eps=0.1)
    if vectors:
        head['prompt'] = dict(type='ContextVectors', num_vectors=4, embed_dims=16)
    model = MODELS.build(tiny_model).train().to('meta')
    samples = batch()['data_samples']
    for sample in samples:
        label = torch.rand(5) if blended else sample.gt_label
        sample.set_gt_label(label.to('meta'))
    videos = torch.rand(2, 1, 3, 4, 32, 32, device='meta')
    losses = model(videos, samples, mode='loss')
    losses['loss_cls'].backward()
    assert all(loss.is_meta for loss in losses.values())


def test_tensor_mode_gives_logits_on_request(tiny_model):
    model = MODELS.build(tiny_model).eval()
    logits = model(torch.randn(2, 1, 3, 4, 32, 32), mode='tensor', stage='head')
    assert logits.shape == (2, 5)


@pytest.mark.parametrize(
    ('out_type', 'head'),
    [
        ('featmap', dict(type='I3DHead', in_channels=32)),
        ('pooled', dict(type='TimeSformerHead', in_channels=16)),
    ],
)
def test_our_backbone_under_stock_heads(tiny_model, out_type, head):
    tiny_model['backbone']['out_type'] = out_type
    tiny_model['neck'] = None
    tiny_model['cls_head'] = dict(head, num_classes=5, average_clips='prob')
    model = MODELS.build(tiny_model).train()
    losses_of(model, batch())['loss_cls'].backward()
    # Data parallel training waits for every parameter that wants a gradient.
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    assert scores_of(model.eval(), batch()).shape == (2, 5)


@pytest.mark.slow
def test_our_neck_and_head_behind_a_stock_backbone(tiny_model):
    tiny_model['backbone'] = dict(
        type='ResNet3dSlowOnly',
        depth=18,
        pretrained=None,
        base_channels=2,
        conv1_kernel=(1, 7, 7),
        inflate=(0, 0, 0, 0),
    )
    tiny_model['cls_head']['prompt']['context_dims'] = 16
    model = MODELS.build(tiny_model).train()
    losses_of(model, batch())['loss_cls'].backward()
    assert model.neck.positional_embedding.grad is not None
    assert scores_of(model.eval(), batch()).shape == (2, 5)


def test_our_head_on_another_video_embedding(tiny_model):
    tiny_model['backbone'] = dict(
        type='TimeSformer',
        num_frames=4,
        img_size=32,
        patch_size=16,
        embed_dims=16,
        num_heads=2,
        num_transformer_layers=1,
        pretrained=None,
    )
    tiny_model['neck'] = None
    tiny_model['cls_head']['prompt'] = None
    model = MODELS.build(tiny_model).train()
    losses_of(model, batch())['loss_cls'].backward()
    assert scores_of(model.eval(), batch()).shape == (2, 5)


def test_bf16_autocast_trains(tiny_model):
    model = MODELS.build(tiny_model).train()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = losses_of(model, batch())
    losses['loss_cls'].backward()
    assert losses['loss_cls'].dtype == torch.float32
    assert all(p.grad.isfinite().all() for p in model.backbone.parameters())


def test_blending_trains_and_reports_accuracy(tiny_model):
    tiny_model['data_preprocessor']['blending'] = dict(
        type='RandomBatchAugment',
        augments=[
            dict(type='MixupBlending', alpha=0.8, num_classes=5),
            dict(type='CutmixBlending', alpha=1.0, num_classes=5),
        ],
        probs=[0.5, 0.5],
    )
    losses = losses_of(MODELS.build(tiny_model).train(), batch())
    assert losses.keys() == {'loss_cls', 'top1_acc', 'top5_acc'}


def test_blending_for_another_number_of_classes_says_so(tiny_model):
    tiny_model['data_preprocessor']['blending'] = dict(
        type='MixupBlending', alpha=0.8, num_classes=400
    )
    with pytest.raises(ValueError, match=r'num_classes.* 5'):
        losses_of(MODELS.build(tiny_model).train(), batch())


SLOW_FAST = dict(
    type='ResNet3dSlowFast',
    pretrained=None,
    resample_rate=2,
    speed_ratio=2,
    channel_ratio=2,
    slow_pathway=dict(
        type='resnet3d',
        depth=18,
        pretrained=None,
        base_channels=4,
        lateral=True,
        conv1_kernel=(1, 7, 7),
        inflate=(0, 0, 1, 1),
    ),
    fast_pathway=dict(
        type='resnet3d',
        depth=18,
        pretrained=None,
        base_channels=2,
        lateral=False,
        conv1_kernel=(5, 7, 7),
    ),
)
RESNET = dict(type='ResNet', depth=18, pretrained=None)


@pytest.mark.slow
@pytest.mark.parametrize('neck', [True, False])
@pytest.mark.parametrize(
    ('recognizer', 'backbone', 'frames'),
    [
        ('Recognizer3D', SLOW_FAST, torch.randn(1, 1, 3, 4, 32, 32)),
        ('Recognizer2D', RESNET, torch.randn(1, 4, 3, 32, 32)),
    ],
)
def test_features_of_slowfast_and_tsn_name_what_to_build(
    tiny_model, recognizer, backbone, frames, neck
):
    tiny_model.update(type=recognizer, backbone=backbone)
    if not neck:
        tiny_model['neck'] = None
    model = MODELS.build(tiny_model).eval()
    with pytest.raises(ValueError, match='FrameEncoder'):
        model(frames, [ActionDataSample()], mode='predict')


def test_what_they_name_can_be_built(tiny_model):
    tiny_model['backbone'] = dict(
        type='FrameEncoder', backbone=RESNET, in_channels=512, out_dims=16
    )
    tiny_model['cls_head']['prompt']['context_dims'] = 512
    model = MODELS.build(tiny_model).eval()
    assert scores_of(model, batch()).shape == (2, 5)


@pytest.mark.slow
def test_a_whole_model_is_exported_saved_and_loaded(tiny_model, tmp_path):
    model = MODELS.build(tiny_model).eval()
    whole = WholeModel(model).eval()
    frames = torch.randn(2, 1, 3, 4, 32, 32)
    expected = whole(frames)
    batch_size = torch.export.Dim('videos', min=1, max=64)
    program = torch.export.export(
        whole, (frames,), dynamic_shapes=({0: batch_size},), strict=False
    )
    torch.export.save(program, tmp_path / 'model.pt2')
    loaded = torch.export.load(tmp_path / 'model.pt2').module()
    torch.testing.assert_close(loaded(frames), expected)
    more = torch.randn(5, 1, 3, 4, 32, 32)
    torch.testing.assert_close(loaded(more), whole(more))
    torch.testing.assert_close(whole(frames), expected)


class WholeModel(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, frames):
        return self.model(frames, mode='tensor', stage='head')
