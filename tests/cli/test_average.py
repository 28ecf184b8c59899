"""Averages of checkpoints, by the tool, on a real training and validation."""

import json

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.fileio import load

from mmxclip.checkpoints.save import write

NEW = ('neck.', 'cls_head.prompt.', 'message_')


@pytest.fixture(scope='module')
def made(demo):
    """Two models of the demo's config, with that and a calibration."""
    torch.manual_seed(0)
    config = Config.fromfile(demo)
    meta = dict(cfg=config.pretty_text, calibration=dict(threshold=0.5))
    files = {}
    for name in ('start', 'tuned'):
        model = MODELS.build(config.model)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.02)
        files[name] = dict(state_dict=model.state_dict(), meta=meta)
    return files


@pytest.fixture
def models(made, tmp_path):
    """Their weights, in files, too."""
    for name, content in made.items():
        torch.save(content, tmp_path / f'{name}.pth')
    return [content['state_dict'] for content in made.values()]


def read(path):
    return torch.load(path)['state_dict']


def test_only_what_clip_has_is_mixed(tool, models, tmp_path):
    start, tuned = models
    write('clip.pth', start, 'openai-clip')
    for source in ('start.pth', 'clip.pth'):
        args = ('tuned.pth', '--start', source, '--alpha', '0.25', '--force')
        tool('average_checkpoints.py', 'new.pth', *args)
        mixed = read('new.pth')
        assert mixed.keys() == tuned.keys()
        for name, tensor in mixed.items():
            want = tuned[name]
            if not any(part in name for part in NEW):
                want = 0.75 * start[name] + 0.25 * want
            assert torch.allclose(tensor, want, atol=1e-6), name
    assert torch.load('new.pth')['meta'].keys() == {'cfg'}  # calibrated was another


def test_the_ends_are_exact(tool, models):
    start, tuned = models
    for alpha, want in ((0, start), (1, tuned)):
        args = ('--start', 'start.pth', '--alpha', alpha, '--force')
        tool('average_checkpoints.py', 'new.pth', 'tuned.pth', *args)
        mixed = read('new.pth')
        name = 'backbone.proj'
        assert torch.equal(mixed[name], want[name])
        assert torch.equal(
            mixed['neck.positional_embedding'], tuned['neck.positional_embedding']
        )


def test_the_mean_of_three(tool, models):
    start, tuned = models
    tool('average_checkpoints.py', 'mean.pth', 'start.pth', 'tuned.pth', 'start.pth')
    for name, tensor in read('mean.pth').items():
        assert torch.allclose(tensor, (2 * start[name] + tuned[name]) / 3, atol=1e-6)


@pytest.mark.usefixtures('shapes', 'models')
def test_alpha_is_chosen_by_validation(tool, demo, tmp_path):
    """The best mean is written; at its end the curve is what testing the model says."""
    classes = Config.fromfile(demo).model.cls_head.classes
    other = [*classes[4:], *classes[:4]]
    text = f'_base_ = {str(demo)!r}\nmodel = dict(cls_head=dict(classes={other}))\n'
    (tmp_path / 'held_out.py').write_text(text)
    quick = [
        f'val_dataloader.{key}' for key in ('num_workers=0', 'persistent_workers=False')
    ]
    args = ('--start', 'start.pth', '--validate', demo, 'held_out.py')
    printed = tool(
        'average_checkpoints.py', 'new.pth', 'tuned.pth', *args, '--cfg-options', *quick
    )
    curve = [json.loads(line) for line in printed.splitlines()]
    assert [point['alpha'] for point in curve] == [n / 10 for n in range(11)]
    for point in curve:
        base, novel = point[demo.stem], point['held_out']
        assert point['mean'] == pytest.approx(2 * base * novel / ((base + novel) or 1))
    best = max(curve, key=lambda point: point['mean'])['alpha']
    again = ('--start', 'start.pth', '--alpha', best)
    tool('average_checkpoints.py', 'again.pth', 'tuned.pth', *again)
    one, two = read('new.pth'), read('again.pth')
    assert all(torch.equal(one[name], two[name]) for name in one)
    quick = [option.replace('val_', 'test_') for option in quick]
    tool('test.py', demo, 'tuned.pth', '--dump', 'x.pkl', '--cfg-options', *quick)
    hits = [int(s['pred_score'].argmax()) == int(s['gt_label']) for s in load('x.pkl')]
    assert sum(hits) / len(hits) == pytest.approx(curve[-1][demo.stem])
    assert len({point[demo.stem] for point in curve}) > 1, 'the weights matter'


@pytest.mark.usefixtures('models')
@pytest.mark.parametrize(
    ('args', 'named'),
    [
        (['tuned.pth'], 'several'),
        (['tuned.pth', '--start', 'start.pth'], '--alpha or --validate'),
        (['tuned.pth', '--start', 'start.pth', '--alpha', '2'], r'\[0, 1\]'),
        (['tuned.pth', 'tuned.pth', '--start', 'start.pth', '--alpha', '1'], 'one'),
        (['tuned.pth', 'other.pth'], 'different models'),
    ],
)
def test_what_does_not_fit_is_one_line(tool, tiny_model, args, named):
    torch.save(MODELS.build(tiny_model).state_dict(), 'other.pth')
    with pytest.raises(SystemExit, match=named):
        tool('average_checkpoints.py', 'new.pth', *args)


@pytest.mark.slow
@pytest.mark.usefixtures('shapes')
@pytest.mark.parametrize(
    'kind',
    [dict(momentum=0.5), dict(ema_type='StochasticWeightAverage', begin_epoch=1)],
)
def test_mmengine_averages_while_training(tool, demo, tmp_path, kind):
    """docs/howto/averages.md: checkpoints hold the average, and can be tested."""
    (tmp_path / 'averaged.py').write_text(
        f'_base_ = {str(demo)!r}\ncustom_hooks = [dict(type="EMAHook", **{kind})]\n'
    )
    quick = ['train_cfg.max_epochs=3', 'default_hooks.checkpoint.interval=1']
    quick += ['default_hooks.checkpoint.max_keep_ckpts=3']
    for part in ('train', 'val', 'test'):
        quick += [f'{part}_dataloader.num_workers=0']
        quick += [f'{part}_dataloader.persistent_workers=False']
    tool('train.py', 'averaged.py', '--work-dir', 'work', '--cfg-options', *quick)
    found = torch.load('work/epoch_3.pth')
    assert 'ema_state_dict' in found
    plain = found['ema_state_dict']  # MMEngine swaps both when it saves
    name = 'backbone.proj'
    assert not torch.equal(found['state_dict'][name], plain[f'module.{name}'])
    tool('test.py', 'averaged.py', 'work/epoch_3.pth', '--cfg-options', *quick[3:])
