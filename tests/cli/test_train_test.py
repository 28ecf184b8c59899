"""The commands that train and test, ours and the host's."""

import importlib.util
import pickle
import re
import sys
import time
from pathlib import Path

import mmaction
import pytest
import torch
from mmaction.apis import inference_recognizer, init_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.checkpoints.save import write
from mmxclip.cli.launch import build_runner
from mmxclip.cli.train import training_config

HOST_TOOLS = Path(mmaction.__file__).parent / '.mim/tools'


def load(path):
    """Import a command as a module."""
    spec = importlib.util.spec_from_file_location(f'command_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def train_options(root, monkeypatch, tmp_path):
    """What tools/train.py makes of a config and a command line."""
    train = load(root / 'tools/train.py')

    def apply(cfg, *argv):
        needed = dict(model={}, train_cfg=dict(max_epochs=1), optim_wrapper={})
        file = tmp_path / 'some.py'
        Config(needed | cfg).dump(file)
        monkeypatch.setattr(sys, 'argv', ['train.py', str(file), *argv])
        return training_config(**vars(train.parse_args()))

    return apply


@pytest.mark.parametrize('name', ['train.py', 'test.py'])
def test_takes_every_option_of_the_host(root, name, monkeypatch, capsys):
    def options(tool):
        monkeypatch.setattr(sys, 'argv', [name, '--help'])
        with pytest.raises(SystemExit):
            load(tool).parse_args()
        return set(re.findall(r'--[\w-]+', capsys.readouterr().out))

    assert options(HOST_TOOLS / name) - options(root / 'tools' / name) == set()


@pytest.mark.slow
@pytest.mark.usefixtures('shapes')
def test_trains_resumes_and_tests(demo, tool, tmp_path):
    options = ['--cfg-options', 'default_hooks.checkpoint.interval=1']
    for part in ('train', 'val', 'test'):
        options += [f'{part}_dataloader.num_workers=0']
        options += [f'{part}_dataloader.persistent_workers=False']

    def train(*args):
        before = set(tmp_path.glob('work/*/*.log'))
        tool('train.py', demo, '--work-dir', 'work', *args, 'train_cfg.val_interval=1')
        (log,) = set(tmp_path.glob('work/*/*.log')) - before
        return log.read_text()

    log = train('--amp', '--seed', 3, *options, 'train_cfg.max_epochs=1')
    assert re.search('AutocastOptimWrapper|AmpOptimWrapper', log)
    assert 'Epoch(val) [1]' in log
    assert 'mlp.c_fc.weight - torch.Size' not in log  # how each was initialised
    time.sleep(1.1)  # MMEngine names the folder of a log by the second
    log = train('--resume', '--no-validate', *options, 'train_cfg.max_epochs=2')
    assert 'resumed epoch: 1' in log
    assert 'Epoch(val)' not in log
    dump = tmp_path / 'new/scores.pkl'
    show = ('--show-dir', 'pictures', '--interval', 2)
    tool('test.py', demo, 'work/epoch_2.pth', '--dump', dump, *show, *options)
    pictures = sorted((tmp_path / 'pictures').iterdir())
    assert [path.name for path in pictures] == [f'0000{i}_{i}.png' for i in (0, 2, 4)]
    assert (tmp_path / 'work_dirs' / demo.stem).is_dir()
    scores = pickle.loads(dump.read_bytes())
    assert [int(score['gt_label']) for score in scores] == [0, 1, 2, 3, 4]
    assert all(score['pred_score'].sum() == pytest.approx(1) for score in scores)


def test_amp_fits_the_machine(train_options, monkeypatch):
    assert train_options({}).optim_wrapper.get('type') is None
    scale = dict(loss_scale='dynamic', dtype='float16')
    for cuda, expected in ((True, 'AmpOptimWrapper'), (False, 'AutocastOptimWrapper')):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda cuda=cuda: cuda)
        for given in (dict(type='OptimWrapper'), dict(type='AmpOptimWrapper', **scale)):
            wrapper = train_options(dict(optim_wrapper=given), '--amp').optim_wrapper
            assert wrapper.type == expected
            assert ('loss_scale' in wrapper) == cuda


def test_amp_leaves_wrappers_of_others_alone(train_options):
    with pytest.raises(ValueError, match='DeepSpeedOptimWrapper'):
        train_options(dict(optim_wrapper=dict(type='DeepSpeedOptimWrapper')), '--amp')
    with pytest.raises(ValueError, match='there is none'):
        train_options(dict(optim_wrapper=None), '--amp')


def test_random_options_complete_those_of_the_config(train_options):
    given = dict(randomness=dict(seed=1024))
    assert train_options(given).randomness == dict(seed=1024)
    assert train_options({}).randomness == dict(seed=None)  # or Runner would fail
    cfg = train_options(given, '--seed', '0', '--diff-rank-seed', '--deterministic')
    assert cfg.randomness == dict(seed=0, diff_rank_seed=True, deterministic=True)


def test_a_config_that_only_tests_is_not_trained(train_options):
    with pytest.raises(ValueError, match=r'some\.py lacks train_cfg'):
        train_options(dict(train_cfg=None))


def test_nothing_is_validated_nor_kept_by_its_score(train_options):
    hook = dict(type='CheckpointHook', save_best='auto')
    for given in (hook, None):
        hooks = dict(default_hooks=dict(checkpoint=given))
        cfg = train_options(hooks, '--no-validate')
        assert cfg.val_cfg is None
        assert 'save_best' not in (cfg.default_hooks.checkpoint or {})


def test_auto_scale_lr(train_options):
    cfg = train_options(dict(auto_scale_lr=dict(base_batch_size=8)), '--auto-scale-lr')
    assert cfg.auto_scale_lr.enable
    with pytest.raises(ValueError, match='base_batch_size'):
        train_options({}, '--auto-scale-lr')


def test_resume_without_a_checkpoint_starts_from_the_config_s(train_options, tmp_path):
    """As the first start of a job that may be stopped and started again."""
    given = dict(load_from='k400.pth', work_dir=str(tmp_path))
    cfg = train_options(given, '--resume')
    assert (cfg.resume, cfg.load_from) == (False, 'k400.pth')
    torch.save(dict(meta=dict(epoch=1), state_dict={}), tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text('elsewhere/epoch_1.pth')
    cfg = train_options(given, '--resume')  # of a folder that was moved
    assert (cfg.resume, cfg.load_from) == (True, str(tmp_path / 'epoch_1.pth'))


def test_resume_from_a_file(train_options, tmp_path):
    file = tmp_path / 'epoch_1.pth'
    file.touch()
    cfg = train_options({}, '--resume', str(file))
    assert (cfg.resume, cfg.load_from) == (True, str(file))


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (['nowhere.py', 'x.pth'], "'nowhere.py'"),
        (['{demo}', 'x.pth'], "'x.pth'"),
        (['{runtime}', 'x.pth'], 'default_runtime.py.*model'),
        (['{demo}', 'x.pth', '--launcher', 'pytorch'], 'torchrun'),
    ],
)
def test_what_is_missing_is_named(root, demo, tool, argv, message):
    runtime = root / 'configs/_base_/default_runtime.py'
    argv = [arg.format(demo=demo, runtime=runtime) for arg in argv]
    with pytest.raises(SystemExit, match=f'error: .*{message}'):
        tool('test.py', *argv)


def test_a_protocol_needs_the_processes_of_its_launcher(demo, tool, monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    given = ['few-shot', '--dataset=mine', '--launcher=pytorch', f'--config={demo}']
    with pytest.raises(SystemExit, match=r'error: .*torchrun'):
        tool('run_protocol.py', *given)


def test_a_missing_checkpoint_to_go_on_from_is_named(demo, tool):
    with pytest.raises(SystemExit, match=r"error: .*no checkpoint 'gone\.pth'"):
        tool('train.py', demo, '--resume', 'gone.pth')


def test_wrong_options_of_a_test_are_named(demo, tool, tmp_path):
    (tmp_path / 'x.pth').touch()
    for options, message in (
        (['--dump', 'scores.csv'], "'scores.csv'"),
        (['--show-dir', 'here', '--interval', '0'], '--interval.* 1'),
    ):
        with pytest.raises(SystemExit, match=message):
            tool('test.py', demo, tmp_path / 'x.pth', *options)


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore')  # whatever the host says on the way
@pytest.mark.usefixtures('shapes')
def test_host_tools_and_host_inference(demo, tool):
    """MMAction2's own train.py and functions need to know nothing but our config."""
    options = ('default_hooks.checkpoint.interval=1', 'train_cfg.max_epochs=1')
    train = (HOST_TOOLS / 'train.py', demo, '--work-dir', 'work')
    tool(*train, '--cfg-options', *options)
    model = init_recognizer(str(demo), 'work/epoch_1.pth', device='cpu')
    result = inference_recognizer(model, 'data/shape_actions/val/0.mp4')
    assert result.pred_score.shape == (8,)


@pytest.mark.slow
@pytest.mark.usefixtures('shapes')
def test_own_configs_take_every_published_file(demo, tool, tmp_path):
    """A config in MMAction2's style knows nothing of our hooks."""
    cfg = Config.fromfile(demo)
    weights = MODELS.build(cfg.model).state_dict()
    cfg.pop('default_hooks')
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.dump(tmp_path / 'own.py')
    write(tmp_path / 'official.pth', weights, 'official')
    write(tmp_path / 'clip.pth', weights, 'openai-clip')

    def run(file):
        tool('test.py', 'own.py', file, '--dump', 'scores.pkl')

    run('official.pth')
    assert len(pickle.loads(Path('scores.pkl').read_bytes())) == 5
    with pytest.raises(SystemExit, match=r'lacks .*backbone\.resblocks\.0\.mess'):
        run('clip.pth')
    Path('data/shape_actions/val.txt').write_text('val/0.mp4 8')
    with pytest.raises(SystemExit, match=r'Label 8 of .*val/0.mp4'):
        run('official.pth')


def test_our_hooks_come_once_and_can_be_left_out(demo, tmp_path):
    cfg = Config.fromfile(demo)
    cfg.update(work_dir=str(tmp_path), launcher='none', log_level='ERROR')
    for hooks, count in (
        ({}, 1),
        (dict(convert=None), 0),
        (dict(other=dict(type='ConvertCheckpointHook')), 1),
    ):
        cfg.default_hooks = hooks
        cfg.experiment_name = f'{tmp_path.name}-{count}-{len(hooks)}'
        kinds = [type(hook).__name__ for hook in build_runner(cfg).hooks]
        assert kinds.count('ConvertCheckpointHook') == count


def test_options_are_checked_and_keep_their_blanks(root, demo, monkeypatch, capsys):
    train = load(root / 'tools/train.py')
    given = {
        'my data/x': 'my data/x',
        'my data/x (old)': 'my data/x (old)',
        "'my data, old'": 'my data, old',
        "don't stop": "don't stop",
        '1': 1,
        '1,2': [1, 2],
        '[1, (a b ,True)]': [1, ('a b', True)],
        '[playing guitar, a dog runs]': ['playing guitar', 'a dog runs'],
        "['playing guitar','a dog runs']": ['playing guitar', 'a dog runs'],
        "'playing guitar', 'a, b (c)'": ['playing guitar', 'a, b (c)'],
        "('a b', 1)": ('a b', 1),
    }
    for text, value in given.items():
        argv = ['train.py', str(demo), '--cfg-options', f'a.b={text}']
        monkeypatch.setattr(sys, 'argv', argv)
        assert train.parse_args().cfg_options == {'a.b': value}
    monkeypatch.setattr(sys, 'argv', ['train.py', str(demo), '--cfg-options', 'x'])
    with pytest.raises(SystemExit):
        train.parse_args()
    assert "takes KEY=VALUE, got 'x'" in capsys.readouterr().err
