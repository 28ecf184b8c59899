"""OpenAI CLIP, loaded in every form, gives the features that OpenAI's code gave."""

import importlib.util
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.checkpoints.formats import Opened, open_checkpoint
from mmxclip.checkpoints.load import convert
from mmxclip.checkpoints.save import export

pytestmark = pytest.mark.parity
TOLERANCE = dict(atol=1e-5, rtol=0)


@pytest.fixture(scope='module')
def golden(shared):
    return torch.load(shared / 'golden' / 'openai_clip_tiny.pth', weights_only=True)


@pytest.fixture(scope='module')
def openai():
    """OpenAI's own module; the package itself would import torchvision."""
    [folder] = importlib.util.find_spec('clip').submodule_search_locations
    spec = importlib.util.spec_from_file_location('clip_model', f'{folder}/model.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def save_state_dict(golden, _, path):
    torch.save(golden['state_dict'], path)


def save_float32(golden, _, path):
    state_dict = golden['state_dict'].items()
    turned = {n: t.float() if t.is_floating_point() else t for n, t in state_dict}
    torch.save(turned, path)


def save_archive(golden, openai, path):
    """As OpenAI did: the model in half precision, as a traced program.

    The numbers of input pixels and so on are buffers of their archives.
    """
    model = openai.build_model(dict(golden['state_dict'])).float()
    for name in ('input_resolution', 'context_length', 'vocab_size'):
        if not hasattr(model, name):
            model.register_buffer(name, golden['state_dict'][name])
    traced = torch.jit.trace(model, (golden['images'].float(), golden['tokens']))
    torch.jit.save(traced.half(), path)


@pytest.mark.filterwarnings('ignore:.*torch.jit:DeprecationWarning')
@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
@pytest.mark.parametrize('save', [save_state_dict, save_float32, save_archive])
def test_features_equal_openais(tmp_path, golden, openai, save):
    path = tmp_path / 'ViT.pt'
    save(golden, openai, path)
    init = dict(type='CLIPPretrained', checkpoint=str(path))
    size = golden['config']
    backbone = MODELS.build(
        dict(
            type='XCLIPViT',
            arch=dict(
                img_size=size['image_resolution'],
                patch_size=size['vision_patch_size'],
                embed_dims=size['vision_width'],
                depth=size['vision_layers'],
                num_heads=size['vision_width'] // 64,
                out_dims=size['embed_dim'],
            ),
            communication='none',
            init_cfg=init,
        )
    )
    text = MODELS.build(
        dict(
            type='CLIPTextEncoder',
            arch=dict(
                embed_dims=size['transformer_width'],
                depth=size['transformer_layers'],
                num_heads=size['transformer_heads'],
                out_dims=size['embed_dim'],
                context_length=size['context_length'],
                vocab_size=size['vocab_size'],
            ),
            init_cfg=init,
        )
    )
    for module in (backbone, text):
        module.init_weights()
        module.eval()
    with torch.no_grad():
        frames, _ = backbone(golden['images'].float().transpose(0, 1)[None])
        texts = text(golden['tokens'])
    torch.testing.assert_close(frames[0], golden['image_features'], **TOLERANCE)
    torch.testing.assert_close(texts, golden['text_features'], **TOLERANCE)


@pytest.mark.filterwarnings('ignore:.*torch.jit:DeprecationWarning')
@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
def test_archive_holds_what_the_state_dict_holds(tmp_path, golden, openai):
    save_archive(golden, openai, tmp_path / 'ViT.pt')
    opened = open_checkpoint(Path(tmp_path / 'ViT.pt'))
    assert opened.form == 'TorchScript archive'
    got, report, _ = convert(opened)
    want, _, _ = convert(Opened.of(golden['state_dict']))
    assert report.source == 'OpenAI CLIP'
    assert got.keys() == want.keys()
    for name, tensor in want.items():
        assert got[name].dtype == torch.float16
        assert torch.equal(got[name], tensor), name


def test_openai_opens_what_we_write(golden, openai):
    ours, _, _ = convert(Opened.of(golden['state_dict']))
    clip, _ = export(ours, 'openai-clip')
    model = openai.build_model(clip).float()
    with torch.no_grad():
        images = model.encode_image(golden['images'].float())
        texts = model.encode_text(golden['tokens'])
    torch.testing.assert_close(images, golden['image_features'], **TOLERANCE)
    torch.testing.assert_close(texts, golden['text_features'], **TOLERANCE)
