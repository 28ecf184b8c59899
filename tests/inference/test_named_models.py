"""Models by name: in Python, for commands, for MMAction2, from an installed package."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import constants
from mmaction.apis import inference_recognizer, init_recognizer
from mmaction.apis.inferencers import ActionRecogInferencer, MMAction2Inferencer
from mmengine.infer import BaseInferencer
from mmengine.registry import init_default_scope

from mmxclip.checkpoints.save import write
from mmxclip.checkpoints.zoo import HUB, DownloadError
from mmxclip.inference import XCLIPInferencer, find_model, named_models
from mmxclip.inference.named_models import listed_models

REPO = 'microsoft/xclip-tiny'
FILE = 'pytorch_model.bin'
NAME = 'xclip-b16-zero-shot'


@pytest.fixture
def released(tmp_path, config_file, checkpoint, hub) -> Path:
    """A folder as of a wheel whose recommended model is tiny, and is on the Hub."""
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    write(tmp_path / 'hf', weights, 'huggingface')
    hub.files[f'{REPO}/{FILE}'] = (tmp_path / 'hf/model.safetensors').read_bytes()
    root = tmp_path / 'mim'
    demo = root / 'configs/xclip/demo'
    demo.mkdir(parents=True)
    shutil.copy(config_file, root / 'configs/xclip/tiny.py')
    tiny = dict(
        Name='tiny',
        Alias=[NAME],
        Config='configs/xclip/tiny.py',
        Weights=f'{HUB}{REPO}/resolve/main/{FILE}',
    )
    new = dict(Name='new', Alias=['untrained'], Config='configs/xclip/tiny.py')
    own = dict(Name='own', Alias=['xclip-demo'], Config='configs/xclip/tiny.py')
    listed = yaml.safe_dump(dict(Models=[tiny, new, own]))
    (root / 'configs/xclip/metafile.yml').write_text(listed)
    (root / 'model-index.yml').write_text('Import: [configs/xclip/metafile.yml]')
    return root


@pytest.fixture
def as_installed(released, monkeypatch, tmp_path):
    """This process finds that folder, and stands in an empty one."""
    monkeypatch.setattr(named_models, 'configs_root', lambda: released)
    (tmp_path / 'empty').mkdir()
    monkeypatch.chdir(tmp_path / 'empty')


@pytest.mark.slow
@pytest.mark.usefixtures('as_installed')
def test_a_name_is_enough(config_file, checkpoint, videos, hub):
    given = XCLIPInferencer(config_file, checkpoint, device='cpu')
    expected = given(videos[0])['predictions'][0]['scores']
    for name in (NAME, NAME.upper(), 'tiny'):
        named = XCLIPInferencer(name, device='cpu')
        assert named(videos[0])['predictions'][0]['scores'] == expected
    assert len(hub.downloads) == 1
    own = XCLIPInferencer(NAME, checkpoint, device='cpu')
    assert own(videos[0])['predictions'][0]['scores'] == expected


@pytest.mark.usefixtures('as_installed')
def test_the_recommended_model_answers_where_none_is_given(tool, videos, hub):
    rows = [
        json.loads(tool('predict.py', videos[0], '--labels', 'a, b', '--json', *given))
        for given in ([], ['--model', NAME])
    ]
    assert rows[0] == rows[1]
    assert set(rows[0][0]['scores']) == {'a', 'b'}
    assert len(hub.downloads) == 1


@pytest.mark.usefixtures('as_installed')
def test_without_a_network_nothing_else_answers_by_that_name(tool, videos, monkeypatch):
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    ask = ('predict.py', videos[0], '--labels', 'a, b')
    for given in ([], ['--model', NAME]):  # the demo has not been trained
        with pytest.raises(SystemExit, match=f'error: .*{REPO}'):
            tool(*ask, *given)


@pytest.mark.usefixtures('as_installed')
def test_a_hub_that_lacks_the_model_is_no_reason_for_another(tool, videos, hub):
    hub.files.clear()
    with pytest.raises(SystemExit, match=f'error: .*{REPO}.*404'):
        tool('predict.py', videos[0], '--labels', 'a, b')
    with pytest.raises(DownloadError, match='404'):
        XCLIPInferencer(NAME)


def test_mmactions_inferencer_takes_the_name(released, videos, monkeypatch):
    monkeypatch.setattr(BaseInferencer, '_get_repo_or_mim_dir', lambda _: str(released))
    try:
        host = ActionRecogInferencer(NAME, scope='mmxclip', device='cpu')
        (theirs,) = host(videos[0])['predictions']
    finally:
        init_default_scope('mmaction')
    assert len(theirs['pred_scores']) == 5
    expected = XCLIPInferencer(host.cfg, find_weights(released), device='cpu')
    for name, tensor in expected.model.state_dict().items():
        assert torch.equal(host.model.state_dict()[name], tensor), name


@pytest.mark.usefixtures('as_installed')
def test_what_takes_config_and_weights_takes_those_of_a_name(videos):
    """As MMAction2 looks for names in its own list only."""
    config, weights = find_model(NAME)
    theirs = init_recognizer(config, weights, device='cpu')
    (found,) = inference_recognizer(theirs, videos[0]).pred_score[None].tolist()
    host = MMAction2Inferencer(config, weights, device='cpu')
    (one,) = host(videos[0])['predictions']
    ours = XCLIPInferencer(NAME, device='cpu')
    (expected,) = ours(videos[0])['predictions']
    assert found == pytest.approx(expected['pred_scores'], abs=1e-5)
    assert len(one['rec_scores'][0]) == len(found)
    for model in (theirs, host.actionrecog_inferencer.model):
        for name, tensor in ours.model.state_dict().items():
            assert torch.equal(model.state_dict()[name], tensor), name


def find_weights(released):
    return released.parent / 'tiny.pth'


def test_an_unknown_name_is_told_with_those_near_it():
    with pytest.raises(ValueError, match=r"'xclip-b16-zeroshot'.*xclip-b16-zero-shot"):
        XCLIPInferencer('xclip-b16-zeroshot')


@pytest.mark.usefixtures('as_installed')
def test_a_model_without_weights_is_to_be_trained():
    with pytest.raises(FileNotFoundError, match=r"'untrained'.*train\.py .*tiny\.py"):
        find_model('untrained')


def test_names_are_unique_and_what_mim_shows(root):
    models = list(listed_models())
    names = [name for model in models for name in (model['Name'], *model['Alias'])]
    assert len(names) == len(set(names))
    for model in models:
        assert model['Alias'] == [model['Metadata']['Name']]
        if 'Weights' in model:
            config, weights = find_model(model['Alias'][0])
            assert Path(config).is_file()
            assert weights == model['Weights']
            assert weights.startswith(f'{HUB}microsoft/xclip-')


def test_models_are_listed(tool):
    (line,) = (
        line
        for line in tool('predict.py', '--list-models').splitlines()
        if line.startswith(f'{NAME} ')
    )
    assert ' '.join(line.split()) == f'{NAME} 32 780 MB 65.2 % Kinetics-600 MIT'


def test_an_installed_package_in_an_empty_folder(released, videos, hub, command, root):
    tmp_path = released.parent
    site = tmp_path / 'site'
    ignored = shutil.ignore_patterns('__pycache__')
    shutil.copytree(root / 'mmxclip', site / 'mmxclip', ignore=ignored)
    shutil.copytree(released, site / 'mmxclip/.mim')
    shutil.copytree(root / 'tools', site / 'mmxclip/.mim/tools', ignore=ignored)
    place = dict(PYTHONPATH=str(site), HF_ENDPOINT=hub.url, HF_HOME=f'{tmp_path}/home')
    tool = site / 'mmxclip/.mim/tools/predict.py'
    line = f'{sys.executable} {tool} {videos[0]} --labels "a, b" --json 2>/dev/null'
    (row,) = json.loads(command('sh', '-c', line, **place))
    assert set(row['scores']) == {'a', 'b'}
    assert len(hub.downloads) == 1
