"""One source for the released models: the metafile, which the documents show."""

import functools
import re
from pathlib import Path

import mmaction
import pytest
import yaml
from counting import build_parts, count_parameters, count_work
from mmengine.config import Config
from modelindex.load_model_index import load

DOCUMENTS = ('README.md', 'docs/reference/model_zoo.md')
HOST_CONFIGS = Path(mmaction.__file__).parent / '.mim/configs/recognition'


@pytest.fixture(scope='module')
def zoo(root):
    models = yaml.safe_load((root / 'configs/xclip/metafile.yml').read_text())['Models']
    return [model for model in models if 'Weights' in model]


@pytest.fixture(scope='module')
def unreleased(root):
    models = yaml.safe_load((root / 'configs/xclip/metafile.yml').read_text())['Models']
    return [m for m in models if 'Weights' not in m and 'FLOPs' in m['Metadata']]


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
        parts = build_parts(Config.fromfile(root / model['Config']).model)
        count = count_parameters(parts)
        assert model['Metadata']['Parameters'] == f'{count / 1e6:.0f}M', model['Name']


@pytest.mark.slow
def test_models_without_weights_are_counted(root, unreleased, tmp_path):
    text = (root / 'configs/xclip/README.md').read_text()
    assert len(unreleased) == 4
    for model in unreleased:
        cfg, facts = Config.fromfile(root / model['Config']).model, model['Metadata']
        if cfg.backbone.type == 'FrameEncoder':
            pairs = pytest.importorskip('huggingface_pairs')
            source = pairs.save_siglip2_base(tmp_path)
            cfg.backbone.backbone.source = cfg.cls_head.text_encoder.source = source
        parts = build_parts(cfg)
        params = f'{count_parameters(parts) / 1e6:.0f}'
        assert facts['Parameters'] == f'{params}M', model['Name']
        gflops = int(facts['FLOPs'].rstrip('G'))
        work = count_work(parts, facts['Frames'], 224) / 1e9
        assert gflops == pytest.approx(work, rel=0.03), model['Name']
        assert f'| {params} | {gflops} | ' in next(
            line for line in text.splitlines() if f'{model["Name"]}.py' in line
        )
        assert cfg.cls_head.init_cfg.checkpoint.split(':')[1] in facts['Pretrained']


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
