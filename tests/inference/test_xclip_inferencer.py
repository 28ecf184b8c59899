"""The inferencer, and MMAction2's own on our configs."""

import copy
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cv2
import numpy as np
import pytest
import torch
from huggingface_hub import constants
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.fileio import load

from mmxclip.checkpoints.zoo import DownloadError
from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.picture import draw_prediction
from mmxclip.inference.picture_files import picture_paths

CLASSES = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


def test_scores_are_those_of_the_test_pipeline(
    inferencer, config_file, checkpoint, videos
):
    cfg = Config.fromfile(config_file)
    model = MODELS.build(cfg.model).eval()
    model.load_state_dict(torch.load(checkpoint, weights_only=True)['state_dict'])
    pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
    for video in videos:
        data = pipeline(dict(filename=video, label=0, start_index=0, modality='RGB'))
        assert data['inputs'].shape == (6, 3, 4, 32, 32)  # all views
        expected = model.test_step(pseudo_collate([data]))[0].pred_score
        got = inferencer(video)['predictions'][0]
        torch.testing.assert_close(torch.tensor(got['pred_scores']), expected)
        assert got['pred_class'] == CLASSES[int(expected.argmax())]
        assert list(got['scores'].values()) == sorted(got['pred_scores'], reverse=True)
        assert sum(got['pred_scores']) == pytest.approx(1)


def test_batches_do_not_change_scores(inferencer, videos):
    one = inferencer(videos)['predictions']
    two = inferencer(videos, batch_size=2)['predictions']
    for a, b in zip(one, two, strict=True):
        assert a['pred_scores'] == pytest.approx(b['pred_scores'], abs=1e-6)


def test_classes_are_free_text(inferencer, videos, tmp_path):
    names = ['a dog runs', 'a cat sleeps, alone']
    scores = inferencer(videos[0], names)['predictions'][0]['scores']
    assert set(scores) == set(names)
    assert list(inferencer.classes) == CLASSES  # a call changes nothing
    assert set(inferencer(videos[0])['predictions'][0]['scores']) == set(CLASSES)
    inferencer.set_classes(names)
    assert list(inferencer.classes) == list(names)
    assert inferencer(videos[0])['predictions'][0]['scores'] == scores
    file = tmp_path / 'names.txt'
    file.write_text('x\ny\nz\n')
    assert len(inferencer(videos[0], file)['predictions'][0]['scores']) == 3
    assert len(inferencer(videos[0], 'hmdb51')['predictions'][0]['scores']) == 51
    with pytest.raises(ValueError, match='class names'):
        inferencer(videos[0], [])


def test_threads_share_an_inferencer_and_get_their_own_answers(inferencer, videos):
    lists = [[f'action {i} of {n}' for i in range(n)] for n in range(2, 10)]
    expected = [inferencer(videos[n % 2], names) for n, names in enumerate(lists)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            given = pool.map(inferencer, [videos[0], videos[1]] * 4, lists)
            for one, other in zip(given, expected, strict=True):
                scores = one['predictions'][0]['scores']
                wanted = other['predictions'][0]['scores']
                assert scores == pytest.approx(wanted, abs=1e-6)
    assert list(inferencer.classes) == CLASSES


def test_classes_that_are_replaced_are_not_read(config_file, checkpoint, videos):
    cfg = Config.fromfile(config_file)
    cfg.model.cls_head.classes = 'gone.txt'
    cfg.model.cls_head.num_classes = 99
    inferencer = XCLIPInferencer(cfg, checkpoint, classes=['a', 'b'], device='cpu')
    assert list(inferencer.classes) == ['a', 'b']
    assert cfg.model.cls_head.num_classes == 99
    with pytest.raises(FileNotFoundError, match=r'gone\.txt'):
        XCLIPInferencer(cfg, checkpoint, device='cpu')


def test_scores_follow_the_name_not_its_place(inferencer, videos):
    before = inferencer(videos[0], CLASSES)['predictions'][0]['scores']
    after = inferencer(videos[0], CLASSES[::-1])['predictions'][0]['scores']
    assert before == pytest.approx(after, abs=1e-6)


@pytest.mark.slow
def test_the_picture_shows_the_frames_the_model_saw(inferencer, videos, tmp_path):
    out = tmp_path / 'pictures'
    results = inferencer(videos, return_vis=True, vid_out_dir=out)
    assert sorted(path.name for path in out.iterdir()) == ['clip0.png', 'clip1.png']
    saved = cv2.imread(str(out / 'clip0.png'))[..., ::-1]
    assert np.array_equal(saved, results['visualization'][0])
    for i, video in enumerate(videos):
        scores = results['predictions'][i]['scores']
        first_view = inferencer.pipeline(video)['inputs'][0]  # (3, T, H, W)
        expected = draw_prediction(
            first_view.permute(1, 2, 3, 0).numpy(),
            scores,
            f'clip{i}.mp4: {next(iter(scores))}',
        )
        assert np.array_equal(results['visualization'][i], expected)
    inferencer(videos[:1], vid_out_dir=tmp_path / 'alone')
    assert np.array_equal(
        cv2.imread(str(tmp_path / 'alone/clip0.png'))[..., ::-1], saved
    )
    assert inferencer(videos)['visualization'] is None


def test_a_picture_costs_no_second_decoding(inferencer, videos):
    decoded = []
    pipeline = inferencer.pipeline
    inferencer.pipeline = lambda video: (decoded.append(video), pipeline(video))[1]
    plain = inferencer(videos, return_datasamples=True)
    results = inferencer(videos, return_vis=True, return_datasamples=True)
    assert decoded == videos * 2
    for a, b in zip(plain['predictions'], results['predictions'], strict=True):
        assert a.keys() == b.keys()


def test_pictures_of_videos_with_one_name_do_not_collide():
    array = np.zeros((1, 1, 1, 3), np.uint8)
    paths = picture_paths(['a/x.mp4', 'b/x.avi', 'c/x-2.mp4', array, array], 'out')
    assert [p.name for p in paths] == [
        'x.png', 'x-2.png', 'x-2-2.png', 'array.png', 'array-2.png'
    ]  # fmt: skip


def test_arrays_and_image_folders(config_file, checkpoint, videos, tmp_path):
    capture, frames = cv2.VideoCapture(videos[0]), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
        file = tmp_path / 'frames' / f'img_{len(frames):05}.png'
        file.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(file), read[1])
    options = dict(device='cpu', classes=['a', 'b'])
    array = XCLIPInferencer(config_file, checkpoint, input_format='array', **options)
    folder = XCLIPInferencer(
        config_file,
        checkpoint,
        input_format='rawframes',
        pack_cfg=dict(filename_tmpl='img_{:05}.png'),
        **options,
    )
    one = array(np.stack(frames))['predictions'][0]['scores']
    assert folder(str(tmp_path / 'frames'))['predictions'][0]['scores'] == one
    with pytest.raises(ValueError, match=r"input_format .*'gif'"):
        XCLIPInferencer(config_file, checkpoint, input_format='gif')


@pytest.mark.slow
@pytest.mark.parametrize('name', ['out.json', 'out.yaml', 'out.pickle'])
def test_predictions_are_written(inferencer, videos, tmp_path, name):
    file = tmp_path / name
    results = inferencer(videos, pred_out_file=str(file))
    assert load(file)['predictions'] == results['predictions']


def test_a_missing_or_undecodable_video_is_named(inferencer, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.mp4'):
        inferencer(str(tmp_path / 'gone.mp4'))
    for content in (b'', b'no video at all' * 99):
        (tmp_path / 'bad.mp4').write_bytes(content)
        with pytest.raises(RuntimeError, match=r'bad\.mp4'):
            inferencer(str(tmp_path / 'bad.mp4'))


def test_videos_and_weights_may_have_addresses(
    inferencer, config_file, videos, tmp_path, monkeypatch
):
    monkeypatch.setenv('no_proxy', '*')
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}'
        (from_server,) = inferencer(f'{address}/clip0.mp4')['predictions']
        server.shutdown()
    assert from_server == inferencer(videos[0])['predictions'][0]
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    with pytest.raises(DownloadError, match='HF_HUB_OFFLINE is set'):
        XCLIPInferencer(config_file, f'{address}/tiny.pth', device='cpu')


@pytest.mark.slow
@pytest.mark.parametrize(
    ('given', 'input_format', 'message'),
    [
        (np.zeros((4, 40, 40, 3)), 'array', r'\(4, 40, 40, 3\) of float64'),
        (np.zeros((40, 40, 3), np.uint8), 'array', r'\(40, 40, 3\) of uint8'),
        (np.zeros((0, 40, 40, 3), np.uint8), 'array', r'\(0, 40, 40, 3\)'),
        (np.zeros((4, 3, 40, 40), np.uint8), 'array', r'\(4, 3, 40, 40\)'),
        ('clip.mp4', 'array', 'got str'),
        (torch.zeros(4, 40, 40, 3), 'array', 'got Tensor'),
        (np.zeros((4, 40, 40, 3), np.uint8), 'video', "input_format='array'"),
        (None, 'rawframes', 'got NoneType'),
        ('.', 'video', "folder.*input_format='rawframes'"),
    ],
)
def test_inputs_of_another_format_are_refused(
    config_file, checkpoint, given, input_format, message
):
    inferencer = XCLIPInferencer(
        config_file, checkpoint, device='cpu', input_format=input_format
    )
    with pytest.raises(ValueError, match=message):
        inferencer(given)


@pytest.mark.filterwarnings('ignore:Checkpoint is not loaded:UserWarning')
def test_configs_that_cannot_serve_are_named(config_file, inferencer, videos):
    cfg = Config.fromfile(config_file)
    with pytest.raises(ValueError, match=r'\.json.*\.yaml'):
        inferencer(videos[0], pred_out_file='scores.txt')
    with pytest.raises(ValueError, match=r'clip0\.mp4 is no config'):
        XCLIPInferencer(videos[0])
    with pytest.raises(ValueError, match=r'batch_size.* 1'):
        inferencer(videos, batch_size=0)
    without = copy.deepcopy(cfg)
    without.pop('test_dataloader')
    with pytest.raises(ValueError, match=r'model.*test_dataloader'):
        XCLIPInferencer(without, device='cpu')
    cfg.model.neck = None
    cfg.model.backbone.out_type = 'pooled'
    cfg.model.cls_head = dict(type='TimeSformerHead', num_classes=5, in_channels=16)
    with pytest.raises(ValueError, match='TimeSformerHead'):
        XCLIPInferencer(cfg, device='cpu')
