"""Parts of a protocol are known again by what they depend on."""

import pytest
from mmengine.config import Config

from mmxclip.protocols.plan import Split
from mmxclip.protocols.steps import (
    DataFolder,
    check_head,
    describe_views,
    fingerprint,
    make_test_config,
)


def config(**loader):
    return Config(
        dict(
            model=dict(type='Recognizer3D'),
            train_dataloader=dict(dict(batch_size=2, num_workers=4), **loader),
            test_evaluator=[dict(type='ClassReport', out_dir='/a/b')],
            work_dir='/a/b',
        )
    )


def test_what_changes_no_result_leaves_a_part_the_same(tmp_path):
    list_file = tmp_path / 'train.txt'
    list_file.write_text('a.mp4 0')
    first = fingerprint(config(), None, list_file)
    other = config(num_workers=0, persistent_workers=False)
    other.test_evaluator[0].out_dir = other.work_dir = 'b'
    assert fingerprint(other, None, list_file) == first


def test_what_changes_results_does_not(tmp_path):
    list_file, checkpoint = tmp_path / 'train.txt', tmp_path / 'clip.pth'
    list_file.write_text('a.mp4 0')
    checkpoint.write_bytes(b'weights')
    seen = [fingerprint(config(), None, list_file)]
    seen.append(fingerprint(config(batch_size=4), None, list_file))
    seen.append(fingerprint(config(), str(checkpoint), list_file))
    seen.append(fingerprint(config(), None, list_file, classes=['run', 'jump']))
    seen.append(fingerprint(config(), None, list_file, classes=['run', 'leap']))
    folder = tmp_path / 'huggingface'
    folder.mkdir()
    for content in (b'some', b'other'):
        (folder / 'model.safetensors').write_bytes(content)
        seen.append(fingerprint(config(), str(folder), list_file))
    list_file.write_text('a.mp4 1')
    seen.append(fingerprint(config(), None, list_file))
    assert all(seen.count(each) == 1 for each in seen)


@pytest.mark.parametrize(
    ('steps', 'expected'),
    [
        # X-CLIP
        (
            [
                dict(type='SegmentSampleFrames', num_frames=8, num_views=4),
                dict(type='ThreeCrop'),
                dict(type='FormatShape', input_format='NCTHW'),
            ],
            (8, '4x3'),
        ),
        # Video Swin
        (
            [
                dict(type='SampleFrames', clip_len=32, num_clips=4),
                dict(type='FormatShape', input_format='NCTHW'),
            ],
            (32, '4x1'),
        ),
        # TSM, on Kinetics and on Something-Something
        (
            [
                dict(type='SampleFrames', clip_len=1, num_clips=8),
                dict(type='TenCrop'),
                dict(type='FormatShape', input_format='NCHW'),
            ],
            (8, '1x10'),
        ),
        (
            [
                dict(type='SampleFrames', clip_len=1, num_clips=8, twice_sample=True),
                dict(type='ThreeCrop'),
                dict(type='FormatShape', input_format='NCHW'),
            ],
            (8, '2x3'),
        ),
    ],
)
def test_frames_and_views_are_what_the_model_sees(steps, expected):
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=steps))))
    assert describe_views(cfg) == expected


def test_heads_without_names_cannot_do_all_protocols():
    linear = Config(dict(model=dict(cls_head=dict(type='TSMHead', num_classes=5))))
    named = Config(dict(model=dict(cls_head=dict(type='XCLIPHead', classes='hmdb51'))))
    for protocol in ('zero-shot', 'base-to-novel'):
        check_head(named, protocol)
        others = r'TSMHead.* can do few-shot and fully-supervised'
        with pytest.raises(ValueError, match=others):
            check_head(linear, protocol)
    for protocol in ('few-shot', 'fully-supervised'):
        check_head(linear, protocol)


@pytest.mark.parametrize('several', [False, True])
def test_where_scores_are_collected_is_kept(tmp_path, several):
    for name in ('val.txt', 'classes.txt'):
        (tmp_path / name).write_text('a.mp4 0')
    cfg = config()
    cfg.model = dict(cls_head=dict(type='TSMHead'))
    cfg.test_dataloader = dict(dataset=dict(type='VideoListDataset'))
    metric = dict(type='AccMetric', collect_device='gpu')
    cfg.test_evaluator = [metric] if several else metric
    split = Split('mine', 'val.txt', 'classes.txt')
    made = make_test_config(cfg, split, DataFolder(tmp_path), tmp_path)
    assert [m.type for m in made.test_evaluator] == [
        'VideoAccMetric', 'ClassReport', 'DumpResults'
    ]  # fmt: skip
    assert all(m.collect_device == 'gpu' for m in made.test_evaluator)
