"""Each variant of the paper changes exactly the component in its name."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.benchmarks.methods import fit_to_budget
from mmxclip.models import MIT

# MMEngine still asks pkg_resources where 'mmaction::' configs lie.
pytestmark = pytest.mark.filterwarnings('ignore')
ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / 'configs/xclip/ablations'
FULL = (
    ROOT / 'configs/xclip/fully_supervised/'
    'xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)
BENCHMARK = ROOT / 'configs/benchmarks/benchmark_shape-actions.py'


def variant(name):
    return FOLDER / f'xclip_base-p16_{name}_8xb32-u8-30e_kinetics400-rgb.py'


@pytest.fixture(scope='module')
def build():
    """Build a config's model, small; models of one name are the same object."""
    benchmark = Config.fromfile(BENCHMARK)
    models = {}

    def build(name):
        if name not in models:
            path = FULL if name == 'x-clip' else variant(name)
            cfg = fit_to_budget(
                Config.fromfile(path), benchmark.budget, benchmark.parts
            )
            torch.manual_seed(0)
            models[name] = MODELS.build(cfg.model).eval()
        return models[name]

    return build


def parts(model):
    """Names of parameters without the numbers of layers."""
    return {name for name, _ in model.named_parameters()}


def logits(model, video):
    with torch.no_grad():
        return model(video, mode='tensor', stage='head')


@pytest.fixture
def video():
    return torch.randn(2, 1, 3, 8, 32, 32)  # 2 videos, 1 view


@pytest.mark.parametrize(
    ('less', 'more', 'added'),
    [
        ('clip-mean', 'cct', ('message_',)),
        ('cct', 'cct-mit', ('neck.',)),
        ('cct-mit', 'x-clip', ('cls_head.prompt.',)),
        ('clip-mean', 'clip-joint', ()),
        ('clip-mean', 'clip-one', ()),
        ('prompt-depth1', 'x-clip', ('cls_head.prompt.decoder.1.',)),
        ('x-clip', 'prompt-depth3', ('cls_head.prompt.decoder.2.',)),
        ('prompt-depth3', 'prompt-depth4', ('cls_head.prompt.decoder.3.',)),
        ('cct-mit', 'context-vectors', ('cls_head.prompt.vectors',)),
        ('cct-mit', 'content-prompt', ()),
        ('vit-mean-scratch', 'cct-mit-scratch', ('message_', 'neck.')),
        ('x-clip', 'prompt-alpha-fixed', ()),
        ('x-clip', 'prompt-frames', ()),
        ('x-clip', 'frozen-nothing', ()),
        ('x-clip', 'imagenet-pre', ()),
        ('cct-mit', 'templates16', ()),
        ('cct-mit', 'template1', ()),
    ],
)
def test_parameters_that_a_component_adds(build, less, more, added):
    new = parts(build(more)) - parts(build(less))
    assert parts(build(less)) <= parts(build(more))
    assert all(any(part in name for part in added) for name in new)
    assert all(any(part in name for name in new) for part in added)


@pytest.mark.parametrize(
    ('less', 'more', 'switch_off'),
    [
        ('cct-mit', 'x-clip', {'cls_head.prompt.alpha': 0.0}),
        ('x-clip', 'prompt-alpha-fixed', {}),
        ('x-clip', 'frozen-nothing', {}),
        ('x-clip', 'frozen-all-but-new', {}),
        ('clip-mean', 'clip-one', {}),
        ('x-clip', 'dense', {}),
        ('x-clip', 'imagenet-pre', {}),
    ],
)
def test_all_else_stays(build, video, less, more, switch_off):
    """With the weights of the smaller model, only the switched part can differ."""
    small, large = build(less), build(more)
    state = {k: v.clone() for k, v in large.state_dict().items()}
    loaded = {**large.state_dict(), **small.state_dict()}
    loaded |= {k: torch.full_like(loaded[k], v) for k, v in switch_off.items()}
    large.load_state_dict(loaded)
    torch.testing.assert_close(logits(large, video), logits(small, video))
    large.load_state_dict(state)


@pytest.mark.parametrize(
    ('one', 'other'),
    [
        ('clip-mean', 'clip-joint'),
        ('x-clip', 'prompt-frames'),
        ('cct-mit', 'templates16'),
        ('cct-mit', 'template1'),
    ],
)
def test_switch_without_parameters_changes_the_result(build, video, one, other):
    build(other).load_state_dict(build(one).state_dict())
    assert not torch.allclose(logits(build(one), video), logits(build(other), video))


def test_communication_reaches_other_frames_only_when_on(build, video):
    """A video is, or is not, more than the mean of its frames."""
    for name, reached in [('clip-joint', True), ('cct', True), ('clip-mean', False)]:
        backbone = build(name).backbone
        with torch.no_grad():
            frames = [backbone(frame) for frame in video[:, 0].split(1, dim=2)]
            whole = backbone(video[:, 0])
        mean = torch.stack(frames).mean(0)
        assert torch.allclose(whole, mean, atol=1e-5) is not reached


@pytest.mark.parametrize(
    ('name', 'learning', 'resting'),
    [
        ('x-clip', {'backbone', 'neck', 'prompt'}, {'text_encoder', 'logit_scale'}),
        (
            'frozen-nothing',
            {'backbone', 'neck', 'prompt', 'text_encoder', 'logit_scale'},
            set(),
        ),
        (
            'frozen-image',
            {'message', 'neck', 'prompt', 'text_encoder', 'logit_scale'},
            {'backbone'},
        ),
        (
            'frozen-all-but-new',
            {'message', 'neck', 'prompt'},
            {'backbone', 'text_encoder', 'logit_scale'},
        ),
        (
            'context-vectors',
            {'backbone', 'neck', 'prompt'},
            {'text_encoder', 'logit_scale'},
        ),
    ],
)
def test_what_learns(build, name, learning, resting):
    frozen_image = name in ('frozen-image', 'frozen-all-but-new')

    def group(parameter):
        if frozen_image and '.message_' in parameter:
            return 'message'
        first, second = parameter.split('.')[:2]
        return second if first == 'cls_head' else first

    found = {True: set(), False: set()}
    for parameter, tensor in build(name).named_parameters():
        found[tensor.requires_grad].add(group(parameter))
    assert found == {True: learning, False: resting}


def test_fixed_alpha_rests_alone(build):
    free, fixed = (
        {n for n, p in build(name).named_parameters() if p.requires_grad}
        for name in ('x-clip', 'prompt-alpha-fixed')
    )
    assert free - fixed == {'cls_head.prompt.alpha'}


def test_prompt_that_asks_frames_sees_them(build, video):
    model = build('prompt-frames')
    embed, context = model(video, mode='tensor', stage='neck')
    assert context.shape == (2, 1, 8, 64)
    moved = context.clone()
    moved[:, :, 3] += torch.randn(64)
    assert not torch.allclose(
        model.cls_head((embed, context)), model.cls_head((embed, moved))
    )


def test_neck_gives_what_its_context_says():
    embeds, tokens = torch.randn(2, 4, 16), torch.randn(2, 4, 9, 24)
    given = {}
    for context in ('patch_tokens', 'frame_embeds', None):
        torch.manual_seed(0)
        neck = MIT(16, num_frames=4, num_heads=2, context=context)
        given[context], _ = neck((embeds, tokens))
    assert given['patch_tokens'][1] is tokens
    torch.testing.assert_close(given['frame_embeds'][1], embeds.unsqueeze(1))
    for context in ('patch_tokens', 'frame_embeds'):
        assert torch.equal(given[context][0], given[None])
    with pytest.raises(ValueError, match=r"context.*'frames'"):
        MIT(16, context='frames')


def test_ensemble_is_the_mean_of_single_templates(build, video):
    ensemble, single = build('templates16').cls_head, build('template1').cls_head
    single.load_state_dict(ensemble.state_dict())
    embed = build('templates16')(video, mode='tensor', stage='neck')
    scores = []
    for template in ensemble.templates:
        single.templates = (template,)
        single.set_classes(single.classes)
        scores.append(single(embed))
    assert len(scores) == 16
    torch.testing.assert_close(ensemble(embed), torch.stack(scores).mean(0))


def test_pipelines_differ_where_the_name_says():
    full = Config.fromfile(FULL)
    for name, frames in [('clip-one', 1), ('test-u16', 16)]:
        cfg = Config.fromfile(variant(name))
        sampling = cfg.test_dataloader.dataset.pipeline[1]
        assert sampling.num_frames == frames
        if name == 'test-u16':
            assert cfg.train_dataloader == full.train_dataloader
            assert cfg.val_dataloader == full.val_dataloader
    dense = Config.fromfile(variant('dense'))
    for part in ('train', 'val', 'test'):
        ours, theirs = (c[f'{part}_dataloader'].dataset.pipeline for c in (dense, full))
        assert ours[1].type == 'SampleFrames'
        assert ours[1].clip_len == 8
        assert ours[2:] == theirs[2:]
