"""The benchmark runs, its sides agree, and its work adds up."""

import json

import pytest

COMPARED = {'tower', 'model', 'as-shipped', 'train-step'}
SMALL = (
    'model.backbone.arch.embed_dims=128',
    'model.backbone.arch.num_heads=2',
    'model.cls_head.prompt.context_dims=128',
)


@pytest.mark.slow
@pytest.mark.parametrize(
    'options',
    [
        ('--dtype', 'bfloat16', '--frames', '4'),
        ('--clock', 'cpu', '--num-classes', '7'),
    ],
)
def test_every_case_runs(demo, tool, tmp_path, options):
    tool(
        'benchmark.py',
        demo,
        *(
            '--compare',
            'huggingface',
            '--repeats',
            2,
            '--agree-on',
            3,
            '--device',
            'cpu',
            *options,
        ),
        *('--json', tmp_path / 'new/out.json', '--cfg-options', *SMALL),
    )
    report = json.loads((tmp_path / 'new/out.json').read_text())
    results = {result['case']: result for result in report['results']}
    assert results.keys() == COMPARED | {'head', 'head-texts', 'data', 'end-to-end'}
    for case, result in results.items():
        assert result['ours'] > 0
        assert (result['ratio'] is not None) == (case in COMPARED)
        known = result['gflops_per_video'] is not None
        assert (result['share_of_peak'] is not None) == known
    assert report['agreement']['videos'] == 4
    # bfloat16 rounds to 2^-9; a cosine of 1 is a logit of 100.
    assert report['agreement']['max_difference'] < 100 * 2**-7
    work = {case: result['gflops_per_video'] for case, result in results.items()}
    assert work['model'] == pytest.approx(work['tower'] + work['head'])
    assert work['head-texts'] > work['head'] > 0
    model = results['model']
    rate = work['model'] * 2 / model['ours']  # two videos
    assert model['share_of_peak'] == pytest.approx(rate / model['peak_gflops'])


@pytest.mark.parametrize('engine', ['onnx', 'onnx-int8'])
def test_engines_are_held_against_pytorch(demo, tool, tmp_path, monkeypatch, engine):
    pytest.importorskip('onnxscript', reason='it is the extra mmxclip[onnx]')
    pytest.importorskip('onnxruntime', reason='it is the extra mmxclip[onnx]')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    tool(
        *('benchmark.py', demo, '--engine', engine, '--compare', 'torch'),
        *('--repeats', 1, '--device', 'cpu', '--json', tmp_path / 'out.json'),
        *('--cfg-options', 'model.backbone.arch.depth=1'),
    )
    report = json.loads((tmp_path / 'out.json').read_text())
    cases = [result['case'] for result in report['results']]
    assert 'model' in cases
    assert 'train-step' not in cases
    most = 1e-3 if engine == 'onnx' else 10
    assert 0 < report['agreement']['max_difference'] < most


def test_memory_of_both_sides(root, demo, command, tmp_path):
    command(
        *('python', root / 'tools/benchmark.py', demo, '--memory'),
        *('--compare', 'huggingface', '--cases', 'tower', 'train-step', 'head'),
        *('--batch-size', 16),
        *('--json', tmp_path / 'out.json', '--cfg-options', *SMALL),
    )
    results = json.loads((tmp_path / 'out.json').read_text())['results']
    tower, step, head = results
    assert 0 < tower['ours'] < step['ours']
    assert 0 < tower['theirs'] < step['theirs']
    assert head['theirs'] is None


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', ['benchmark.py', 'benchmark_methods.py', 'data/check_dataset.py']
)
def test_a_missing_config_is_one_line(tool, name):
    with pytest.raises(SystemExit, match=r"error: .*'missing\.py'"):
        tool(name, 'missing.py')


@pytest.mark.slow
def test_it_refuses_to_time_different_functions(demo, tool):
    with pytest.raises(SystemExit, match='64 channels'):
        tool('benchmark.py', demo, '--compare', 'huggingface')


@pytest.mark.slow
@pytest.mark.parametrize(
    'setting',
    [
        ('head', 'cls_head', 'BestPromptedHead', 'prompt_best=50', True),
        ('head', 'cls_head', 'BestPromptedHead', 'prompt_best=1', False),
        ('tower', 'backbone', 'TokenMergingXCLIPViT', 'with_cp=False', False),
    ],
)
def test_approximations_are_compared_with_the_exact_model(
    demo, tool, tmp_path, setting
):
    case, part, kind, amount, same = setting
    tool(
        *('benchmark.py', demo, '--compare', 'exact'),
        *('--cases', case, '--repeats', 1, '--num-classes', 50, '--agree-on', 3),
        *('--cfg-options', f'model.{part}.type={kind}', f'model.{part}.{amount}'),
        *('--json', tmp_path / 'out.json'),
    )
    report = json.loads((tmp_path / 'out.json').read_text())
    assert report['results'][0]['ratio'] > 0
    assert (report['agreement']['max_difference'] == 0) == same


@pytest.mark.slow
def test_a_model_without_approximations_has_no_exact_one(demo, tool):
    with pytest.raises(SystemExit, match='approximated'):
        tool('benchmark.py', demo, '--compare', 'exact')
