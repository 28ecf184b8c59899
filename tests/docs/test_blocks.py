"""Commands and code of the pages: they run in a small form, or say why not."""

import argparse
import itertools
import re
import shutil
import tarfile
import warnings
from pathlib import Path

import cv2
import mmaction
import numpy as np
import pytest
import torch
from blocks import ROOT, blocks
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.datasets.shape_actions import ShapeAction, draw_clip

BLOCKS = blocks()
DEMO = 'configs/xclip/demo/xclip_tiny-p8-res32_1xb16-u8-6e_shape-actions-rgb.py'
HOST = Path(mmaction.__file__).parent / '.mim/tools'

# What the pages call something large or of one's own, here small.
SMALL = {
    r'\$?\b(CONFIG|OTHER_CONFIG|B16|B32)(\.py)?\b': DEMO,
    r'\S*configs/xclip/(fully_supervised/\S+|mine|large_\w+)\.py': DEMO,
    r'\b(CHECKPOINT|FILE)(\.pth)?\b': 'demo.pth',
    r'work_dirs/mine/epoch_30\.pth': 'demo.pth',
    r'xclip-b16-zero-shot': f"{DEMO}', 'demo.pth",
    r'\bVIDEO\.mp4': 'clip.mp4',
    r'\bLIST\b': 'data/shape_actions/val.txt',
    r'hmdb51$|data/mine/lists/classes\.txt': 'classes.txt',
    r'merge_tokens=8': 'merge_tokens=4',
    r'^224$': '32',
    r'\$VIDEOS': 'data/shape_actions',
    r'\$HOST': str(HOST),
    r'^\.\.\.$': '',
}
FAST = [
    'train_cfg.max_epochs=1',
    'default_hooks.checkpoint.interval=1',
    *(
        f'{part}_dataloader.{setting}'
        for part in ('train', 'val', 'test')
        for setting in ('num_workers=0', 'persistent_workers=False')
    ),
]
# Options that make a command quick; pages that name epochs keep them.
MORE = {
    'predict.py': ['--config', DEMO, '--checkpoint', 'demo.pth'],
    'timeline.py': ['--config', DEMO, '--checkpoint', 'demo.pth'],
    'explain.py': ['--config', DEMO, '--checkpoint', 'demo.pth', '--patch', 16],
    'data/make_shape_actions.py': ['--train', 16, '--val', 8, '--workers', 1],
    'index.py': ['--config', DEMO, '--checkpoint', 'demo.pth'],
    'train.py': ['--cfg-options', *FAST],
    'test.py': ['--cfg-options', *FAST[2:]],
}


def small(word):
    for pattern, replacement in SMALL.items():
        word = re.sub(pattern, replacement.replace('\\', r'\\'), word)
    return word


def tool_and_args(words):
    """Return which tool a command line starts, and its arguments; or None."""
    while words and re.fullmatch(r'[A-Z_]+=.*', words[0]):
        words = words[1:]
    words = [word.strip('[]') for word in words]
    names = [i for i, word in enumerate(words) if re.match(r'(tools|\$HOST)/', word)]
    if not names or words[0] not in ('python', 'torchrun', words[names[0]]):
        return None
    name, args = words[names[0]].removeprefix('tools/'), words[names[0] + 1 :]
    if match := re.fullmatch(r'dist_(train|test)\.sh', name):
        count = 2 if match[1] == 'test' else 1
        return f'{match[1]}.py', args[:count] + args[count + 1 :]
    return (name, args) if name.endswith('.py') else None


def merged(args, more):
    """Join options; those of the page stand behind, and win."""
    args, more = list(args), [str(word) for word in more]
    if '--cfg-options' in args and '--cfg-options' in more:
        where = args.index('--cfg-options') + 1
        return args[:where] + more[1:] + args[where:]
    if set(more[:1]) & set(args) or '--list-models' in args:
        return args
    return args + more


class Accepted(BaseException):
    """The parser took the arguments; no handler of errors catches it."""


@pytest.mark.parametrize('block', [b for b in BLOCKS if b.language == 'bash'], ids=str)
def test_tools_take_the_options(block, tool, monkeypatch, capsys):
    parse = argparse.ArgumentParser.parse_args

    def only_parse(self, *args):
        parse(self, *args)
        raise Accepted

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', only_parse)
    for call in filter(None, map(tool_and_args, block.commands())):
        name, args = call
        args = [arg for arg in args if arg != '...']
        try:
            tool(name.replace('$HOST', str(HOST)), *args)
        except Accepted:
            continue
        except SystemExit as end:
            pytest.fail(f'{name} {args}: {end.code} {capsys.readouterr().err}')


@pytest.mark.parametrize('block', [b for b in BLOCKS if b.mark == 'run by'], ids=str)
def test_marks_name_tests_that_run_the_tools(block):
    test = ROOT / block.why
    known = ''.join(p.read_text() for p in [test, *test.parent.glob('conftest.py')])
    for call in filter(None, map(tool_and_args, block.commands())):
        name = Path(call[0]).stem
        assert re.search(rf'\b{name}\b', known), f'{block.why} does not run {call[0]}'


def test_blocks_that_are_not_run_say_why():
    assert all(len(block.why) > 8 for block in BLOCKS if block.mark == 'not run')


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """A folder with small forms of all that the pages name."""
    world = tmp_path_factory.mktemp('world')
    for name in ('configs', 'tools'):
        (world / name).symlink_to(ROOT / name)
    config = Config.fromfile(ROOT / DEMO)
    torch.manual_seed(0)
    weights = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=weights, meta={}), world / 'demo.pth')
    classes = config.model.cls_head.classes
    (world / 'classes.txt').write_text('\n'.join(classes))
    videos = world / 'data/shape_actions'
    for split in ('train', 'val'):
        (videos / split).mkdir(parents=True)
        lines = []
        for label, motion in enumerate(classes):
            write_film(videos / f'{split}/{label}.mp4', [motion])
            lines.append(f'{split}/{label}.mp4 {label}\n')
        (videos / f'{split}.txt').write_text(''.join(lines))
    write_film(world / 'clip.mp4', classes[:1])
    write_film(world / 'film.mp4', classes[:3])
    (world / 'labels.txt').write_text('juggling\na dog runs\n')
    for folder in ('films', 'data/kinetics400/videos_original'):
        (world / folder).mkdir(parents=True)
        shutil.copy(world / 'clip.mp4', world / folder)
    with tarfile.open(world / 'videos.tar', 'w') as archive:
        archive.add(world / 'clip.mp4', 'clip.mp4')
    return world


def write_film(path, motions):
    """Encode 2 s of each motion at 8 frames per second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 8, (32, 32))
    for seed, motion in enumerate(motions):
        shape = ShapeAction('circle', 'red', motion)
        for frame in draw_clip(shape, np.random.default_rng(seed)):
            writer.write(frame[..., ::-1])
    writer.release()


@pytest.fixture
def here(world, tmp_path, monkeypatch):
    """A copy of the world, which the block may change."""
    shutil.copytree(world, tmp_path / 'here', symlinks=True)
    monkeypatch.chdir(tmp_path / 'here')


RUN = [block for block in BLOCKS if block.mark is None]


@pytest.mark.usefixtures('here')
@pytest.mark.parametrize(
    'block',
    [
        pytest.param(block, marks=[pytest.mark.slow] * ('train.py' in block.code))
        for block in RUN
        if block.language == 'bash'
    ],
    ids=str,
)
def test_commands_run(block, tool):
    names = {}
    for words in block.commands():
        if len(words) == 1 and (match := re.fullmatch(r'(\w+)=(.*)', words[0])):
            names[match[1]] = small(match[2])
            continue
        known = re.compile(rf'\$({"|".join(names or "-")})\b')
        call = tool_and_args([known.sub(lambda m: names[m[1]], w) for w in words])
        assert call, f'{block}: what is {words}? Say why it is not run.'
        name, args = call[0], [small(word) for word in call[1]]
        more = MORE.get(name, [])
        if 'epoch_6' in block.code:  # trained as the page says, on fewer videos
            more = [word for word in more if word not in FAST[:2]]
        if name == 'data/make_shape_actions.py':
            shutil.rmtree('data/shape_actions')
        with warnings.catch_warnings():
            if '$HOST' in name:  # its packages have warnings of their own
                warnings.simplefilter('ignore')
            tool(small(name), *merged([arg for arg in args if arg], more))


@pytest.mark.slow
@pytest.mark.usefixtures('here')
@pytest.mark.parametrize(
    'page',
    [
        list(group)
        for _, group in itertools.groupby(
            (b for b in RUN if b.language == 'python'), lambda block: block.page
        )
    ],
    ids=lambda group: str(group[0]),
)
def test_code_runs(page):
    """The blocks of a page share their names."""
    names = {}
    for block in page:
        exec(compile(small(block.code), str(block), 'exec'), names)


@pytest.mark.slow
@pytest.mark.usefixtures('here')
@pytest.mark.parametrize('name', [p.name for p in ROOT.glob('docs/tutorials/*.py')])
def test_tutorials_run(name):
    path = ROOT / 'docs/tutorials' / name
    exec(compile(small(path.read_text()), name, 'exec'), {})
    MODELS.module_dict.pop('ChannelGate', None)
