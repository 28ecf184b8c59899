"""Models in ONNX, held against PyTorch, and run where there is no PyTorch."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config

from mmxclip.export import export_onnx
from mmxclip.export.graphs import graphs_of
from mmxclip.inference import XCLIPInferencer
from mmxclip.models import encode_video

pytestmark = [
    pytest.mark.filterwarnings('ignore:MIT was built for 8 frames'),
    pytest.mark.skipif(  # not imported here: it takes seconds of each worker
        not all(map(find_spec, ('onnxscript', 'onnxruntime'))),
        reason='they are the extra mmxclip[onnx]',
    ),
]

LABELS = ['juggling, or not', "it's 2 dogs", 'yoga']
# Whoever asks for one of these does not find it.
WITHOUT = """
import os, runpy, sys
for name in ('torch', 'mmengine', 'mmaction', 'mmxclip', 'cv2', 'regex', 'ftfy'):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.fixture(scope='module')
def small(demo, tmp_path_factory):
    """A model of one block with its config and weights, exported by the tool."""
    folder = tmp_path_factory.mktemp('export')
    cfg = Config.fromfile(demo)
    cfg.model.backbone.arch.depth = cfg.model.cls_head.text_encoder.arch.depth = 1
    cfg.test_dataloader.dataset.pipeline[1].num_views = 2
    cfg.dump(folder / 'config.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    torch.save(dict(state_dict=model.state_dict()), folder / 'weights.pth')
    return SimpleNamespace(
        folder=folder,
        cfg=cfg,
        model=model,
        pipeline=cfg.test_dataloader.dataset.pipeline,
    )


@pytest.fixture(scope='module')
def exported(small, tool):
    out = small.folder / 'exported'
    tool(
        'export_onnx.py',
        *(small.folder / 'weights.pth', '--config', small.folder / 'config.py'),
        *('--out', out),
    )
    return out


@pytest.mark.slow
def test_exported_folder_needs_no_torch(small, exported, shared, tmp_path):
    moved = shutil.copytree(exported, tmp_path / 'elsewhere')
    videos = [shared / f'videos/single/{name}' for name in ('yoga.mp4', 'tai_chi.mp4')]
    (tmp_path / 'words.txt').write_text('\n'.join(LABELS))
    done = subprocess.run(
        [
            *(sys.executable, '-c', WITHOUT, moved / 'predict.py', *videos, 'no.mp4'),
            *('--json', '--labels', tmp_path / 'words.txt'),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'no.mp4' in done.stderr
    assert done.stderr.count('\n') == 1, done.stderr
    inferencer = XCLIPInferencer(small.cfg, small.folder / 'weights.pth')
    rows = inferencer([str(video) for video in videos], LABELS)['predictions']
    for line, row in zip(done.stdout.splitlines(), rows, strict=True):
        scores = json.loads(line)['scores']
        assert scores == pytest.approx(row['scores'], abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize('num_frames', [1, 4, 16])
def test_any_number_of_frames_and_classes(small, exported, num_frames):
    import onnxruntime  # noqa: PLC0415

    frames = torch.randint(256, (1, 3, num_frames, 32, 32), dtype=torch.uint8)
    video = onnxruntime.InferenceSession(exported / 'video.onnx')
    score = onnxruntime.InferenceSession(exported / 'score.onnx')
    embedding, context = video.run(None, dict(frames=frames.numpy()))
    given = dict(inputs=[frames], data_samples=[ActionDataSample()])
    normal = small.model.data_preprocessor(given)['inputs']
    with torch.no_grad():
        ours = encode_video(small.model, normal)
        text = small.model.cls_head.text_features()[:, :1]
        scale = small.model.cls_head.logit_scale.exp()
        logits = small.model.cls_head.score(*ours, text)
    np.testing.assert_allclose(embedding, ours[0], atol=1e-4)
    np.testing.assert_allclose(context, ours[1], atol=1e-4)
    given = dict(embedding=embedding, context=context, text=text.numpy())
    (theirs,) = score.run(None, given | dict(scale=scale.detach().numpy()))
    np.testing.assert_allclose(theirs, logits, atol=1e-3)


VARIANTS = {
    'no messages': (dict(backbone=dict(communication='none')), 'video'),
    'joint': (dict(backbone=dict(communication='joint')), 'video'),
    'no prompt': (dict(cls_head=dict(prompt=None)), 'video score'),
    'templates': (dict(cls_head=dict(templates=['{}', 'a {}'])), 'score'),
    'learned words': (
        dict(
            cls_head=dict(
                prompt=dict(_delete_=True, type='ContextVectors', embed_dims=128)
            )
        ),
        'text score',
    ),
    'frames as context': (
        dict(
            neck=dict(context='frame_embeds'),
            cls_head=dict(prompt=dict(context_dims=128)),
        ),
        'video score',
    ),
    'adapters': (
        dict(
            backbone=dict(
                adapters=[
                    dict(type='LoRA', rank=2),
                    dict(type='STAdapter', hidden_dims=8),
                    dict(type='TemporalAdapter', hidden_dims=8),
                    dict(type='LowRankMessages', message_dims=8),
                ]
            ),
            cls_head=dict(text_encoder=dict(adapters=[dict(type='PromptTokens')])),
        ),
        'video text',
    ),
    'several labels': (dict(cls_head=dict(type='MultiLabelHead')), 'score'),
}


@pytest.mark.slow
@pytest.mark.parametrize(('change', 'names'), VARIANTS.values(), ids=VARIANTS)
def test_every_kind_of_model_is_traced(small, change, names):
    cfg = Config(small.cfg.to_dict())
    cfg.merge_from_dict(dict(model=change))
    model = MODELS.build(cfg.model).eval()
    for name, parameter in model.named_parameters():
        if 'adapters.' in name:  # which say nothing at the start
            torch.nn.init.normal_(parameter, std=0.1)
    for graph in graphs_of(model):
        if graph.name in names:
            traced = graph.program().module()
            with torch.no_grad():
                ours, theirs = graph.module(*graph.others), traced(*graph.others)
            torch.testing.assert_close(theirs, ours, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_eight_bits_and_frozen_classes(small, exported, tmp_path):
    out = tmp_path / 'small'
    differences = export_onnx(
        small.model, small.pipeline, out, dtype='int8', freeze_classes=True
    )
    assert 0.9 < differences['video'] < 1
    assert not (out / 'text.onnx').exists()
    sizes = [(path / 'video.onnx').stat().st_size for path in (out, exported)]
    assert sizes[0] < 0.6 * sizes[1]
    sys.modules.pop('predict', None)
    from mmxclip.export.standalone.predict import Recognizer  # noqa: PLC0415

    frames = np.random.default_rng(0).integers(0, 256, (9, 40, 50, 3), np.uint8)
    whole = Recognizer(exported)
    exact, quick = whole(frames), Recognizer(out)(frames)
    assert quick == pytest.approx(exact, abs=0.2)
    with pytest.raises(ValueError, match='freeze-classes'):
        Recognizer(out)(frames, ['another'])
    described = {'run': ('he runs', 'legs'), 'sit': ('she sits',)}
    assert set(whole(frames, described)) == set(described)
    head = small.model.cls_head
    expected = head.text_features(head.make_texts(described))
    found = whole.encode_texts(tuple(described.items()))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.slow
def test_towers_are_exported_once(small, shared, tmp_path, monkeypatch, tool):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    video = str(shared / 'videos/single/yoga.mp4')
    model = (small.folder / 'config.py', small.folder / 'weights.pth')
    exact = XCLIPInferencer(*model)(video, LABELS)['predictions'][0]['scores']
    quick = XCLIPInferencer(*model, engine='onnx')
    scores = quick(video, LABELS)['predictions'][0]['scores']
    assert scores == pytest.approx(exact, abs=1e-4)
    (kept,) = tmp_path.glob('mmxclip/*/*.onnx')
    written = kept.stat().st_mtime_ns
    (tmp_path / 'words.txt').write_text('\n'.join(LABELS))
    printed = tool(
        *('predict.py', video, '--labels', tmp_path / 'words.txt', '--json'),
        *('--engine', 'onnx', '--config', model[0], '--checkpoint', model[1]),
    )
    assert json.loads(printed)[0]['scores'] == pytest.approx(exact, abs=1e-4)
    assert kept.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(dtype='int8'), 'int8.*onnx'),
        (dict(engine='onnx', device='cuda'), 'cuda'),
        (dict(engine='rocket'), 'rocket'),
    ],
)
def test_engines_that_are_not_there(small, options, message):
    with pytest.raises(ValueError, match=message):
        XCLIPInferencer(small.cfg, **options)


def test_what_cannot_be_exported_is_named(small, tmp_path):
    with pytest.raises(FileExistsError, match=small.folder.name):
        export_onnx(small.model, small.pipeline, small.folder)
    dense = [dict(type='SampleFrames', clip_len=8), *small.pipeline]
    with pytest.raises(ValueError, match='SampleFrames'):
        export_onnx(small.model, dense, tmp_path / 'out')
    cfg = Config(small.cfg.to_dict())
    cfg.model.cls_head.type = 'BestPromptedHead'
    with pytest.raises(ValueError, match='BestPromptedHead'):
        export_onnx(MODELS.build(cfg.model), small.pipeline, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
