"""Weights without a config get the one that fits, or an error that names it."""

import pytest
import torch
from mmengine.config import Config

from mmxclip.apis import checkpoints
from mmxclip.convert import Geometry, write_foreign
from mmxclip.inference import XCLIPInferencer

CLASSES = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']
BASE = dict(embed_dims=768, depth=12, out_dims=512, text_dims=512)
LARGE = dict(embed_dims=1024, depth=24, out_dims=768, text_dims=768)
KINETICS = ['Kinetics-400', 'Kinetics-600']


@pytest.mark.parametrize('layout', ['official', 'huggingface'])
def test_weights_alone_take_the_config_of_their_sizes(
    config_file, checkpoint, videos, monkeypatch, layout
):
    names = ['a dog runs', 'a cat sleeps']
    given = XCLIPInferencer(config_file, checkpoint, classes=names, device='cpu')
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    path = checkpoint.with_name(layout)
    write_foreign(path, weights, layout)
    sizes = []
    monkeypatch.setattr(
        checkpoints, 'find_configs', lambda s: (sizes.append(s), {'x': config_file})[1]
    )
    alone = XCLIPInferencer(None, path, classes=names, device='cpu')
    assert alone(videos[0])['predictions'] == given(videos[0])['predictions']
    assert (sizes[0].patch_size, sizes[0].num_frames) == (16, 4)


def test_weights_alone_take_no_classes_by_chance(
    config_file, checkpoint, tmp_path, monkeypatch
):
    choices = {'Kinetics-400': config_file, 'Kinetics-600': tmp_path / 'k600.py'}
    monkeypatch.setattr(checkpoints, 'find_configs', lambda _: choices)
    with pytest.raises(
        ValueError, match=r'4 frames, .*--labels.*tiny\.py .*k600\.py \(Kinetics-600'
    ):
        XCLIPInferencer(None, checkpoint, device='cpu')
    del choices['Kinetics-600']
    assert XCLIPInferencer(None, checkpoint, device='cpu').classes == CLASSES


def test_weights_without_any_config_say_what_to_do(checkpoint, tmp_path):
    with pytest.raises(ValueError, match=r'tiny\.pth holds weights.* width 32.*config'):
        XCLIPInferencer(None, checkpoint, classes=['a', 'b'], device='cpu')
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    write_foreign(tmp_path / 'clip.pth', weights, 'openai-clip')
    with pytest.raises(ValueError, match=r'clip\.pth is a .*OpenAI CLIP.*cannot name'):
        XCLIPInferencer(None, tmp_path / 'clip.pth', classes=['a', 'b'], device='cpu')


def test_files_of_something_else_are_named(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match=r'list\.pth is no checkpoint.*list'):
        XCLIPInferencer(None, tmp_path / 'list.pth', device='cpu')


@pytest.mark.parametrize(
    ('sizes', 'arch', 'data'),
    [
        (dict(BASE, patch_size=32, num_frames=16), 'b/32', ['Kinetics-400']),
        (dict(BASE, patch_size=16, num_frames=8), 'b/16', KINETICS),
        (
            dict(BASE, patch_size=16, num_frames=32),
            'b/16',
            ['HMDB-51', 'UCF-101', 'Kinetics-600'],
        ),
        (dict(LARGE, patch_size=14, num_frames=8), 'l/14', KINETICS),
        (
            dict(LARGE, patch_size=14, num_frames=16, img_size=336),
            'l/14@336',
            ['Kinetics-400'],
        ),
        (dict(BASE, patch_size=16, num_frames=5), None, []),
        (dict(BASE, patch_size=8, num_frames=8), None, []),
    ],
)
def test_published_configs_are_found_by_size(sizes, arch, data):
    text = dict(text_depth=12, context_length=77, vocab_size=49408)
    rest = dict(img_size=224, mit_depth=1, prompt_depth=2)
    found = checkpoints.find_configs(Geometry(**(text | rest | sizes)))
    assert list(found) == data
    for path in found.values():
        model = Config.fromfile(path).model
        assert model.backbone.arch == arch
        assert model.neck.num_frames == sizes['num_frames']
