"""One source for the released models: the metafile, which the documents show."""

import functools
import re
from pathlib import Path

import mmaction
import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmengine.config import Config
from modelindex.load_model_index import load

DOCUMENTS = ('README.md', 'docs/reference/model_zoo.md')
HOST_CONFIGS = Path(mmaction.__file__).parent / '.mim/configs/recognition'


@pytest.fixture(scope='module')
def zoo(root):
    models = yaml.safe_load((root / 'configs/xclip/metafile.yml').read_text())['Models']
    return [model for model in models if 'Weights' in model]


@pytest.fixture
def run_table(tool):
    return functools.partial(tool, 'model_table.py')


def test_documents_show_the_zoo(root, run_table):
    run_table(*(root / name for name in DOCUMENTS), '--check')


def test_stale_table_is_found_and_repaired(root, tmp_path, run_table):
    stale = tmp_path / 'README.md'
    stale.write_text((root / 'README.md').read_text().replace('| 80.4 |', '| 99.9 |'))
    with pytest.raises(SystemExit, match='out of date'):
        run_table(stale, '--check')
    run_table(stale)
    run_table(stale, '--check')
    assert '| 80.4 |' in stale.read_text()


def test_document_without_marks_is_refused(tmp_path, run_table):
    (tmp_path / 'x.md').write_text('nothing')
    with pytest.raises(SystemExit, match=r'error: .*model-zoo:begin'):
        run_table(tmp_path / 'x.md')


@pytest.mark.slow
def test_parameters_are_those_of_the_models(root, zoo):
    for model in zoo:
        cfg = Config.fromfile(root / model['Config']).model
        head = cfg.cls_head
        with torch.device('meta'):
            parts = [
                MODELS.build(part)
                for part in (cfg.backbone, cfg.neck, head.text_encoder, head.prompt)
            ]
        count = 1 + sum(p.numel() for part in parts for p in part.parameters())
        assert model['Metadata']['Parameters'] == f'{count / 1e6:.0f}M', model['Name']


def test_every_released_file_is_listed_once_per_result(zoo):
    assert len(zoo) == 20
    files = {model['Weights'] for model in zoo}
    assert len(files) == 18
    assert sum('-zero-shot/' in model['Weights'] for model in zoo) == 3


@pytest.mark.slow
def test_configs_are_those_of_the_weights(root, zoo):
    archs = {'B/32': 'b/32', 'B/16': 'b/16', 'L/14': 'l/14'}
    for model in zoo:
        facts = model['Metadata']
        config = Config.fromfile(root / model['Config'])
        arch = config.model.backbone.arch
        assert (
            arch.split('@')[0] == archs[facts['Architecture'].removeprefix('X-CLIP-')]
        )
        side = config.model.backbone.get('img_size', 336 if '@' in arch else 224)
        assert facts['Resolution'] == f'{side}x{side}'
        assert config.model.neck.num_frames == facts['Frames']


def test_numbers_equal_those_of_the_recipes(root, zoo):
    """configs/xclip/README.md is arranged by protocol, with the same numbers."""
    text = (root / 'configs/xclip/README.md').read_text()
    for model in zoo:
        link = model['Config'].removeprefix('configs/xclip/')
        lines = [line for line in text.splitlines() if link in line]
        assert lines, link
        if 'fully_supervised' in link:
            metrics = model['Results'][0]['Metrics']
            gflops = model['Metadata']['FLOPs'].rstrip('G')
            row = f'| {gflops} | {metrics["Top 1 Accuracy"]} | '
            assert row + str(metrics['Top 5 Accuracy']) in lines[0]
        elif 'few_shot' in link:
            number = model['Results'][0]['Metrics']['Top 1 Accuracy']
            assert f'[{number}]({link})' in lines[0]


def test_mim_can_read_it(root):
    index = load(str(root / 'model-index.yml'))
    index.build_models_with_collections()
    names = {model.name for model in index.models}
    assert 'xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb' in names


def test_links_of_documents_lead_somewhere(root):
    readmes = (root / 'configs').glob('*/README.md')
    for path in [*(root / name for name in DOCUMENTS), *readmes]:
        for link in re.findall(r'\]\(([^)#]+)', path.read_text()):
            if not link.startswith('http'):
                assert (path.parent / link).exists(), f'{path}: {link}'


@pytest.mark.parametrize(
    'baseline', ['actionclip', 'swin', 'timesformer', 'tsm', 'uniformerv2']
)
def test_baselines_show_all_configs_and_the_numbers_of_the_host(root, baseline):
    folder = root / 'configs' / baseline
    text = (folder / 'README.md').read_text()
    assert set(re.findall(r'\]\((\w[\w-]+\.py)\)', text)) == {
        path.name for path in folder.glob('*.py')
    }
    metafile = HOST_CONFIGS / baseline / 'metafile.yml'
    known = set()
    if metafile.is_file():
        for model in yaml.safe_load(metafile.read_text())['Models']:
            for result in model.get('Results', []):
                metrics = result['Metrics']
                known.add((metrics['Top 1 Accuracy'], metrics['Top 5 Accuracy']))
    shown = re.findall(r'\| (\d\d\.\d+) \| (\d\d\.\d+) \| [\[M]', text)
    assert {tuple(map(float, row)) for row in shown} <= known
    assert bool(shown) == bool(known)
