"""The two commands, run as a user would."""

import json
import re
import resource
from ast import literal_eval

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from safetensors.torch import load_file

from mmxclip.checkpoints.formats import open_checkpoint
from mmxclip.checkpoints.layouts import identify
from mmxclip.checkpoints.model_settings import PROMPT, TEXT, build_parts
from mmxclip.checkpoints.save import export, write
from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS

pytestmark = pytest.mark.slow


@pytest.fixture
def src(tmp_path, official):
    torch.save({'model': official, 'epoch': 29}, tmp_path / 'k400.pth')
    return tmp_path / 'k400.pth'


def convert(run_tool, *args):
    return run_tool('convert_checkpoint.py', *args)


def same(got, want):
    return got.keys() == want.keys() and all(torch.equal(got[n], want[n]) for n in want)


def test_official_to_ours_and_back(run_tool, tmp_path, src, official):
    out = convert(run_tool, src, tmp_path / 'ours.pth')
    assert 'official X-CLIP, ViT of 3 blocks' in out
    assert '4 frames, 2 MIT layers, 1 prompt layer' in out
    assert '  converted          142\n' in out
    assert identify(open_checkpoint(tmp_path / 'ours.pth').state_dict) is None
    out = convert(
        run_tool, tmp_path / 'ours.pth', tmp_path / 'back.pth', '--to', 'official'
    )
    assert 'mmxclip -> official X-CLIP' in out
    assert same(torch.load(tmp_path / 'back.pth')['model'], official)


def test_to_huggingface_and_back(run_tool, tmp_path, src, odd):
    folder = tmp_path / 'hf'
    convert(run_tool, src, folder, '--to', 'huggingface')
    assert json.loads((folder / 'config.json').read_text())['prompt_layers'] == 1
    convert(run_tool, folder, tmp_path / 'ours.pth')
    assert same(torch.load(tmp_path / 'ours.pth')['state_dict'], odd)
    convert(
        run_tool, src, folder, '--to', 'huggingface', '--dtype', 'float16', '--force'
    )
    half = load_file(folder / 'model.safetensors')
    assert {tensor.dtype for tensor in half.values()} == {torch.float16}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'hf',
        'k400.pth',
        'ours.pth',
    ]


def test_to_openai_clip(run_tool, tmp_path, src, odd):
    convert(run_tool, src, tmp_path / 'clip.pth', '--to', 'openai-clip')
    assert same(torch.load(tmp_path / 'clip.pth'), export(odd, 'openai-clip')[0])


def test_inference_strips_a_training_checkpoint(run_tool, tmp_path, odd):
    weights = odd
    meta = dict(epoch=3, cfg='model = dict()', dataset_meta=dict(classes=('a', 'b')))
    content = dict(optimizer={'state': {}}, ema_state_dict=weights, meta=meta)
    write(tmp_path / 'epoch.pth', weights, extras=content)
    convert(run_tool, tmp_path / 'epoch.pth', tmp_path / 'copy.pth')
    assert torch.load(tmp_path / 'copy.pth')['optimizer'] == {'state': {}}
    convert(run_tool, tmp_path / 'epoch.pth', tmp_path / 'small.pth', '--inference')
    small = torch.load(tmp_path / 'small.pth')
    assert small.keys() == {'meta', 'state_dict'}
    # What predict.py needs to do without --config, and nothing of the training.
    del meta['epoch']
    assert small['meta'] == meta
    assert same(small['state_dict'], odd)


def test_nothing_is_overwritten_without_force(run_tool, tmp_path, src):
    (tmp_path / 'ours.pth').write_text('precious')
    with pytest.raises(SystemExit, match=r'error: .* exists.*--force'):
        convert(run_tool, src, tmp_path / 'ours.pth')
    assert (tmp_path / 'ours.pth').read_text() == 'precious'
    convert(run_tool, src, tmp_path / 'ours.pth', '--force')
    assert identify(open_checkpoint(tmp_path / 'ours.pth').state_dict) is None


def test_force_replaces_no_folder_of_others(run_tool, tmp_path, src):
    folder = tmp_path / 'papers'
    args = [src, folder, '--to', 'huggingface', '--force']
    convert(run_tool, *args)
    (folder / 'thesis.tex').write_text('precious')
    with pytest.raises(SystemExit, match=r'papers exists.*thesis\.tex'):
        convert(run_tool, *args)
    assert len(list(folder.iterdir())) == 3
    (folder / 'thesis.tex').unlink()
    (folder / 'config.json').write_text('old')
    convert(run_tool, *args)
    assert json.loads((folder / 'config.json').read_text())
    assert {path.name for path in tmp_path.iterdir()} == {'papers', 'k400.pth'}


@pytest.mark.parametrize(
    ('dst', 'target', 'message'),
    [
        ('folder', 'mmxclip', r'folder is a folder'),
        ('k400.pth', 'huggingface', r'k400\.pth is a file'),
        ('k400.pth/x/y.pth', 'official', r'k400\.pth is a file'),
    ],
)
def test_destination_of_the_wrong_kind(run_tool, src, dst, target, message):
    (src.parent / 'folder').mkdir()
    with pytest.raises(SystemExit, match=message):
        convert(run_tool, src, src.parent / dst, '--to', target, '--force')


@pytest.mark.parametrize('target', ['mmxclip', 'huggingface'])
def test_full_disk_leaves_nothing_behind(run_tool, tmp_path, src, target):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(SystemExit, match=r'too large.*out'):
            convert(run_tool, src, tmp_path / 'out', '--to', target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ['k400.pth']


def test_trust_is_asked_for(run_tool, tmp_path, official):
    torch.save({'model': official, 'path': tmp_path}, tmp_path / 'x.pth')
    with pytest.raises(SystemExit, match=r'error: .*more than weights.*--trust'):
        convert(run_tool, tmp_path / 'x.pth', tmp_path / 'y.pth')
    assert not (tmp_path / 'y.pth').exists()
    convert(run_tool, tmp_path / 'x.pth', tmp_path / 'y.pth', '--trust')
    assert (tmp_path / 'y.pth').exists()


def test_inspect_says_what_a_file_is(run_tool, tmp_path, src, odd):
    out = run_tool('inspect_checkpoint.py', src)
    assert f'{src} is a checkpoint of official X-CLIP (PyTorch file).' in out
    assert 'ViT of 3 blocks, width 64, patch size 16, 32 pixels, 128 joint' in out
    assert '4 frames, 2 MIT layers, 1 prompt layer.' in out
    assert '142 tensors, 1.8 M parameters, float32' in out
    assert 'It also holds: epoch.' in out
    clip = export(odd, 'openai-clip')[0]
    torch.save(clip, tmp_path / 'clip.pth')
    out = run_tool('inspect_checkpoint.py', tmp_path / 'clip.pth')
    assert 'It lacks 69 parameters of X-CLIP' in out
    assert 'Activation: quick_gelu' in out
    del clip['input_resolution']  # now it may be open_clip's
    torch.save(clip, tmp_path / 'clip.pth')
    assert 'Activation: not' in run_tool('inspect_checkpoint.py', tmp_path / 'clip.pth')


def test_inspect_gives_settings_that_fit_the_weights(run_tool, tmp_path, tiny_model):
    """Also where a tower is narrower than one head of CLIP."""
    want = MODELS.build(tiny_model).state_dict()
    torch.save(want, tmp_path / 'tiny.pth')
    out = run_tool('inspect_checkpoint.py', tmp_path / 'tiny.pth')
    assert 'Mind: the number of heads leaves no trace' in out
    for line in out.splitlines():
        if line.startswith('  model.'):
            key, value = line.split(' = ')
            *path, leaf = key.split('.')[1:]
            part = tiny_model
            for name in path:
                part = part[name]
            part[leaf] = literal_eval(value)
    assert tiny_model['backbone']['arch']['num_heads'] >= 1
    MODELS.build(tiny_model).load_state_dict(want)


def test_heads_of_a_stored_config_are_kept(run_tool, tmp_path, tiny_model):
    """Four heads in 32 channels: no rule would guess that."""
    tiny_model['backbone']['arch']['num_heads'] = 4
    state = MODELS.build(tiny_model).state_dict()
    meta = dict(cfg=Config(dict(model=tiny_model)).pretty_text)
    write(tmp_path / 'tiny.pth', state, extras=dict(meta=meta))
    out = run_tool('inspect_checkpoint.py', tmp_path / 'tiny.pth')
    assert "'depth': 2, 'num_heads': 4, 'out_dims': 16}" in out
    assert 'model.neck.num_heads = 2\n' in out
    assert 'model.cls_head.prompt.num_heads = 2\n' in out
    assert 'Mind:' not in out
    folder = tmp_path / 'hf'
    convert(run_tool, tmp_path / 'tiny.pth', folder, '--to', 'huggingface')
    config = json.loads((folder / 'config.json').read_text())
    assert config['vision_config']['num_attention_heads'] == 4
    assert config['vision_config']['mit_num_attention_heads'] == 2
    assert config['text_config']['num_attention_heads'] == 2
    assert config['prompt_num_attention_heads'] == 2


def test_inspect_names_released_models(run_tool, tmp_path):
    """The sizes are read off shapes: the file is as large as such a model's."""
    settings = {
        'backbone': dict(arch={**VISION_ARCHS['b/32'], 'img_size': 448, 'depth': 12}),
        'neck': dict(embed_dims=512, num_frames=8),
        TEXT: dict(arch=TEXT_ARCHS['b/32']),
        PROMPT: dict(embed_dims=512, context_dims=768),
    }
    shapes = {n: p.shape for n, p in build_parts(settings).named_parameters()}
    state = {n: torch.zeros(s, dtype=torch.float16) for n, s in shapes.items()}
    torch.save(state, tmp_path / 'b32.pth')
    out = run_tool('inspect_checkpoint.py', tmp_path / 'b32.pth')
    assert "model.backbone.arch = 'b/32'\n" in out
    assert 'model.backbone.img_size = 448\n' in out
    assert "model.cls_head.text_encoder.arch = 'b/32'\n" in out


def test_part_of_our_own_model_is_said_to_be_a_part(run_tool, tmp_path, odd):
    part = {n: t for n, t in odd.items() if n.startswith('backbone.')}
    torch.save(part, tmp_path / 'part.pth')
    out = convert(run_tool, tmp_path / 'part.pth', tmp_path / 'copy.pth')
    assert re.search(r'new, initialised +[1-9]\d*  neck', out)
    out = run_tool('inspect_checkpoint.py', tmp_path / 'part.pth')
    assert re.search(r'It lacks [1-9]\d* parameters of X-CLIP', out)


def test_new_parameters_of_a_users_own_pass_through(run_tool, tmp_path, odd):
    name = 'backbone.resblocks.0.adapter.weight'
    torch.save({**odd, name: torch.ones(2)}, tmp_path / 'own.pth')
    out = run_tool('inspect_checkpoint.py', tmp_path / 'own.pth')
    assert f'X-CLIP has no place for {name}' in out
    for target in ('mmxclip', 'official', 'huggingface'):
        convert(run_tool, tmp_path / 'own.pth', tmp_path / target, '--to', target)
        convert(run_tool, tmp_path / target, tmp_path / f'{target}-back')
        back = torch.load(tmp_path / f'{target}-back')['state_dict']
        assert same(back, {**odd, name: torch.ones(2)})


def test_inspect_refuses_what_is_no_checkpoint(run_tool, tmp_path):
    (tmp_path / 'x.pth').write_text('<html>')
    with pytest.raises(SystemExit, match='is a web page'):
        run_tool('inspect_checkpoint.py', tmp_path / 'x.pth')


@pytest.mark.parametrize('tool', ['inspect_checkpoint.py', 'convert_checkpoint.py'])
def test_what_is_wrong_names_file_and_tensor(run_tool, tmp_path, odd, tool):
    path, name = tmp_path / 'int.pth', 'backbone.class_embedding'
    torch.save({n: t.to(torch.int32) for n, t in odd.items()}, path)
    to = [tmp_path / 'out.pth'] if tool.startswith('convert') else []
    with pytest.raises(SystemExit, match=rf'int\.pth.*{name}.*int32'):
        run_tool(tool, path, *to)
