"""Files of adapters alone: small, used as any other, refused on another base."""

import shutil

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.fileio import dump
from mmengine.runner.checkpoint import CheckpointLoader

from mmxclip.checkpoints.load import load
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import export, write
from mmxclip.evaluation.calibrate import calibrate
from mmxclip.layers import Adapter

LORA = dict(type='LoRA', rank=2)


@pytest.fixture
def base(tiny_model):
    return MODELS.build(tiny_model)


@pytest.fixture
def trained(tiny_model, base):
    tiny_model['backbone']['adapters'] = [LORA, dict(type='PromptTokens')]
    model = MODELS.build(tiny_model)
    model.load_state_dict({**model.state_dict(), **base.state_dict()})
    for adapter in model.modules():
        if isinstance(adapter, Adapter):
            for parameter in adapter.parameters():
                torch.nn.init.normal_(parameter)
    return model


@pytest.fixture(params=['mmxclip', 'official', 'openai-clip'])
def files(request, base, trained, tmp_path, tool):
    """A base of any layout, and the adapters that were trained on top of it."""
    write(tmp_path / 'base.pth', base.state_dict(), request.param)
    write(tmp_path / 'epoch_1.pth', trained.state_dict(), extras=dict(optimizer=1))
    paths = [tmp_path / name for name in ('epoch_1.pth', 'lora.pth')]
    said = tool('convert_checkpoint.py', *paths, '--adapter-only', 'base.pth')
    assert 'base.pth' in said
    return tmp_path


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_it_holds_what_was_trained_and_is_read_as_the_whole(
    files, base, trained, tiny_model
):
    names = set(torch.load(files / 'lora.pth', weights_only=True)['state_dict'])
    new = {name for name, _ in trained.named_parameters() if 'adapters.' in name}
    known = torch.load(files / 'base.pth', weights_only=True)
    if 'state_dict' in known:
        assert names == new
    assert new <= names < set(trained.state_dict())
    model = MODELS.build(tiny_model)
    load(model, files / 'lora.pth')
    by_address = CheckpointLoader.load_checkpoint('mmxclip://lora.pth')
    for name, tensor in trained.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
        if 'adapters.' in name:
            assert torch.equal(by_address['state_dict'][name], tensor), name


def test_another_base_is_refused_and_a_missing_one_named(files, base, tool):
    (files / 'alone').mkdir()
    shutil.copy('lora.pth', 'alone')
    with pytest.raises(CheckpointError, match=r'base\.pth: put that file beside it'):
        load(base, files / 'alone/lora.pth')
    other = {name: tensor + 1 for name, tensor in base.state_dict().items()}
    write(files / 'base.pth', other, force=True)
    with pytest.raises(CheckpointError, match=r'needs base\.pth .*another one'):
        load(base, files / 'lora.pth')
    with pytest.raises(SystemExit, match='another one'):
        tool('inspect_checkpoint.py', 'lora.pth')


def test_the_whole_can_be_written_again(files, trained, tool):
    tool('convert_checkpoint.py', 'lora.pth', 'whole.pth')
    (files / 'base.pth').unlink()
    whole = torch.load(files / 'whole.pth', weights_only=True)['state_dict']
    assert all(torch.equal(whole[n], t) for n, t in trained.state_dict().items())


def test_it_is_calibrated_as_the_whole(files, trained):
    logits = torch.randn(200, 5)
    labels = torch.multinomial(logits.softmax(dim=1), 1)
    samples = [
        dict(pred_score=3 * score[None], gt_label=label)
        for score, label in zip(logits, labels, strict=True)
    ]
    dump(samples, 'scores.pkl')
    classes = list(trained.cls_head.classes)
    calibrate('lora.pth', 'calibrated.pth', 'scores.pkl', classes=classes)
    (files / 'base.pth').unlink()
    whole = torch.load(files / 'calibrated.pth', weights_only=True)['state_dict']
    assert whole.pop('cls_head.logit_scale') < trained.cls_head.logit_scale
    assert all(torch.equal(trained.state_dict()[n], t) for n, t in whole.items())
    assert len(whole) == len(trained.state_dict()) - 1


def test_nothing_trained_is_no_file(base, tmp_path, tool):
    write(tmp_path / 'base.pth', base.state_dict())
    with pytest.raises(SystemExit, match='nothing differs'):
        tool('convert_checkpoint.py', 'base.pth', 'x.pth', '--adapter-only', 'base.pth')
    assert not (tmp_path / 'x.pth').exists()


@pytest.mark.parametrize('needed', [dict(name='../base.pth', sha256='0'), 7])
def test_what_a_file_says_of_its_base_is_not_trusted(base, tmp_path, needed):
    folder = tmp_path / 'inside'
    folder.mkdir()
    write(tmp_path / 'base.pth', base.state_dict())
    write(folder / 'x.pth', {}, extras=dict(meta=dict(base=needed)))
    with pytest.raises(CheckpointError):
        load(base, folder / 'x.pth')


def test_lora_becomes_weights_for_other_code(tiny_model, base, trained):
    del tiny_model['backbone']['adapters'][1:]
    lora = MODELS.build(tiny_model)
    lora.load_state_dict(trained.state_dict(), strict=False)
    tensors, _ = export(lora.state_dict(), 'official')
    assert not any('adapters' in name for name in tensors)
    frames = torch.randn(1, 1, 3, 4, 32, 32)
    with torch.no_grad():
        ours = lora.eval().backbone(frames[0])[0]
        write('merged.pth', lora.state_dict(), 'official')
        load(base, 'merged.pth')
        theirs = base.eval().backbone(frames[0])[0]
    torch.testing.assert_close(theirs, ours, atol=1e-4, rtol=1e-4)
