"""Parts of a protocol are known again by what they depend on."""

import pytest
from mmengine.config import Config

from mmxclip.protocols.plan import Split
from mmxclip.protocols.steps import (
    DataFolder,
    check_head,
    describe_views,
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
