from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from torch.utils.data import DataLoader

import mmxclip  # noqa: F401 (registers)


def pipeline(test_mode, num_views=1):
    return [
        dict(type='VideoInit'),
        dict(
            type='SegmentSampleFrames',
            num_frames=4,
            num_views=num_views,
            test_mode=test_mode,
        ),
        dict(type='VideoDecode'),
        dict(type='Resize', scale=(-1, 32)),
        dict(type='ThreeCrop' if test_mode else 'CenterCrop', crop_size=32),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ]


def make_dataset(tmp_path, lines, test_mode, prefix=None, **kwargs):
    (tmp_path / 'list.txt').write_text('\n'.join(lines))
    return DATASETS.build(
        dict(
            type='VideoListDataset',
            ann_file=str(tmp_path / 'list.txt'),
            data_prefix=dict(video=str(prefix or tmp_path)),
            pipeline=pipeline(test_mode, **kwargs),
            test_mode=test_mode,
        )
    )


def read(path, test_mode=False, num_views=1):
    steps = Compose(pipeline(test_mode, num_views)[:3])
    return steps(dict(filename=str(path), start_index=0, label=0, modality='RGB'))


def grey_levels(frames):
    return [round(frame.mean() / 10) for frame in frames]


def test_views_come_in_the_asked_order(make_video):
    results = read(make_video(num_frames=16), test_mode=True, num_views=2)
    expected = results['frame_inds']
    assert expected.tolist() == [1, 5, 9, 13, 3, 7, 11, 15]
    assert grey_levels(results['imgs']) == expected.tolist()
    assert results['undecodable'] is False


@pytest.mark.parametrize('opener', ['SafeDecordInit', 'SafePyAVInit'])
def test_pipelines_that_earlier_trainings_stored_still_run(make_video, opener):
    path = str(make_video('clip.mp4'))
    sample = dict(type='SegmentSampleFrames', num_frames=4, test_mode=True)
    frames = [
        Compose([dict(type=first, **old), sample, dict(type=then, **old)])(
            dict(filename=path, start_index=0, modality='RGB')
        )['imgs']
        for first, then, old in (
            (opener, 'SafeDecordDecode', dict(test_mode=True)),
            ('VideoInit', 'VideoDecode', {}),
        )
    ]
    assert np.abs(np.subtract(*frames, dtype=int)).max() <= 3  # decord's rounding


def test_repeated_frames_do_not_share_memory(make_video):
    results = read(make_video(num_frames=2), test_mode=True)
    frames = results['imgs']
    assert len(frames) == 4
    assert not any(
        np.shares_memory(frames[i], frames[j]) for i in range(4) for j in range(i)
    )


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['noise', 'cut', 'empty'])
def test_undecodable_video_in_training_is_logged_and_replaced(
    kind, tmp_path, make_video, bad_videos, logged
):
    make_video('good.mp4')
    dataset = make_dataset(tmp_path, [f'{kind}.mp4 0', 'good.mp4 1'], test_mode=False)
    np.random.seed(0)
    sample = dataset[0]
    assert sample['data_samples'].filename == str(tmp_path / 'good.mp4')
    assert int(sample['data_samples'].gt_label) == 1
    assert str(bad_videos[kind]) in logged.text
    assert 'Another video takes its place' in logged.text


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['noise', 'cut', 'empty'])
def test_undecodable_video_in_testing_is_reported_and_flagged(
    kind, tmp_path, bad_videos, logged
):
    dataset = make_dataset(tmp_path, [f'{kind}.mp4 3'], test_mode=True, num_views=2)
    sample = dataset[0]
    assert sample['inputs'].shape == (6, 3, 4, 32, 32)
    assert not sample['inputs'].any()
    assert sample['data_samples'].undecodable is True
    assert int(sample['data_samples'].gt_label) == 3
    assert str(bad_videos[kind]) in logged.text
    assert 'counts it as wrong' in logged.text


class Relabel:
    """A user's transform that hands on another dict, without all of the first."""

    def __call__(self, results):
        return {key: results[key] for key in ('imgs', 'label')}


@pytest.mark.slow
@pytest.mark.parametrize('steps', [[], [Relabel()]])
def test_undecodable_videos_count_as_wrong_whatever_is_packed(
    tmp_path, make_video, bad_videos, steps
):
    make_video('good.mp4')
    (tmp_path / 'list.txt').write_text('cut.mp4 0\ngood.mp4 0\nnoise.mp4 0\n')
    *decoding, packing = pipeline(test_mode=True)
    dataset = DATASETS.build(
        dict(
            type='VideoListDataset',
            ann_file=str(tmp_path / 'list.txt'),
            data_prefix=dict(video=str(tmp_path)),
            pipeline=[*decoding, *steps, dict(packing, meta_keys=())],
            test_mode=True,
        )
    )
    samples = [sample['data_samples'] for sample in dataset]
    for sample in samples:
        sample.set_pred_score(torch.tensor([1.0, 0]))
    result = Evaluator(dict(type='VideoAccMetric')).offline_evaluate(samples)
    assert result['acc/top1'] == pytest.approx(1 / 3)
    assert [sample.filename for sample in samples if sample.undecodable] == [
        str(bad_videos['cut']),
        str(bad_videos['noise']),
    ]


@pytest.mark.parametrize('test_mode', [True, False])
def test_missing_video_names_the_list_and_the_path(tmp_path, test_mode):
    dataset = make_dataset(tmp_path, ['gone.mp4 0'], test_mode)
    with pytest.raises(FileNotFoundError, match=r'gone\.mp4.*list\.txt lists') as error:
        dataset[0]
    assert str(tmp_path / 'gone.mp4') in str(error.value)


def test_workers_read_real_clips(shared):
    videos = shared / 'videos'
    dataset = DATASETS.build(
        dict(
            type='VideoListDataset',
            ann_file=str(videos / 'val.txt'),
            data_prefix=dict(video=str(videos)),
            pipeline=pipeline(test_mode=True),
            test_mode=True,
        )
    )
    dataset[0]  # opened before the workers are made, as a sanity check would
    samples = list(DataLoader(dataset, batch_size=None, num_workers=2))
    lines = (videos / 'val.txt').read_text().split('\n')
    labels = [int(line.split()[1]) for line in lines if line]
    assert [int(s['data_samples'].gt_label) for s in samples] == labels
    assert not any(s['data_samples'].undecodable for s in samples)
    assert all(s['inputs'].float().std() > 0 for s in samples)


@pytest.mark.slow
def test_containers_and_codecs_of_the_wild(shared):
    files = sorted((shared / 'videos/single').iterdir())
    assert {file.suffix for file in files} == {'.mp4', '.avi', '.mov'}
    for file in files:
        results = read(file, test_mode=True)
        assert [frame.std() > 0 for frame in results['imgs']] == [True] * 4


@pytest.mark.parametrize('name', ['local', 'disk'])
def test_other_storage_backends_of_mmengine_read_videos(make_video, name):
    reader = TRANSFORMS.build(dict(type='VideoInit', io_backend=name, num_threads=2))
    assert reader.num_threads == 2
    assert reader(dict(filename=str(make_video())))['total_frames'] == 20


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Address of what lies in tmp_path."""
    monkeypatch.setenv('no_proxy', '*')
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


def test_a_url_is_recognised(make_video, server):
    make_video()
    assert len(read(f'{server}/clip.mp4')['imgs']) == 4


@pytest.mark.slow
@pytest.mark.parametrize('test_mode', [True, False])
def test_a_missing_url_names_the_list_and_the_address(tmp_path, server, test_mode):
    dataset = make_dataset(tmp_path, ['gone.mp4 0'], test_mode, prefix=server)
    with pytest.raises(FileNotFoundError, match=r'gone\.mp4.*list\.txt'):
        dataset[0]


@pytest.mark.slow
@pytest.mark.parametrize('name', ['a.mp4', 'a b.mp4'])  # the second is no address
def test_an_address_that_cannot_be_read_is_named_with_the_list(
    tmp_path, monkeypatch, name
):
    monkeypatch.setenv('no_proxy', '*')
    server = 'http://127.0.0.1:1'
    dataset = make_dataset(tmp_path, [f'{name} 0'], test_mode=True, prefix=server)
    with pytest.raises(OSError, match=r'\.mp4.*list\.txt'):
        dataset[0]


def test_a_file_that_cannot_be_read_is_named_with_the_list(tmp_path):
    (tmp_path / 'folder.mp4').mkdir()
    dataset = make_dataset(tmp_path, ['folder.mp4 0'], test_mode=True)
    with pytest.raises(OSError, match=r'folder\.mp4'):
        dataset[0]


def test_raw_frames_are_sampled_too(tmp_path, make_video):
    for i in range(1, 9):
        frame = np.full((8, 8, 3), 10 * i, np.uint8)
        cv2.imwrite(str(tmp_path / f'img_{i:05}.png'), frame)
    steps = Compose(
        [
            dict(type='SegmentSampleFrames', num_frames=4, test_mode=True),
            dict(type='RawFrameDecode'),
        ]
    )
    results = steps(
        dict(
            frame_dir=str(tmp_path),
            filename_tmpl='img_{:05}.png',
            total_frames=8,
            start_index=1,
            modality='RGB',
        )
    )
    assert grey_levels(results['imgs']) == [2, 4, 6, 8]
