"""What is learned and what is forgotten: base and novel shape compositions.

    python tools/benchmark_methods.py THIS_FILE

Every row starts from the model that was trained on all 144 seen compositions, learns
16 videos each of half of them (base), and is tested on these and on the other half
(novel), which its start knew. Data and start: docs/howto/comparisons.md.
"""

_base_ = './benchmark_shape-actions.py'

seeds = [0, 1, 2]
parts = dict(_delete_=True)
num_frames = 8
_data = 'data/shape_compositions'
_lists = f'{_data}/base2novel'
_start = 'work_dirs/start/epoch_10.pth'
_size = [
    dict(type='SegmentSampleFrames', num_frames=num_frames),
    dict(type='VideoDecode'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_pipeline = [dict(type='InMemoryVideoInit'), *_size]
test_pipeline = [
    dict(type='InMemoryVideoInit'),
    dict(type='SegmentSampleFrames', num_frames=num_frames, test_mode=True),
    *_size[1:],
]
budget = dict(
    train_dataloader=dict(
        dataset=dict(
            data_root=_data,
            ann_file='base2novel/fs_base_s1_train.txt',
            pipeline=train_pipeline,
        )
    ),
    test_dataloader=dict(
        dataset=dict(
            data_root=_data,
            ann_file='base2novel/base_val.txt',
            pipeline=test_pipeline,
        )
    ),
    tests=dict(
        base=dict(
            classes=f'{_lists}/base_classes.txt',
            ann_file='base2novel/base_val.txt',
            evaluator=dict(type='CalibrationMetric'),
        ),
        unknown=dict(
            classes=f'{_lists}/base_classes.txt',
            ann_file='base2novel/unknown_val.txt',
            evaluator=dict(type='UnknownMetric'),
        ),
        novel=dict(
            classes=f'{_lists}/novel_classes.txt',
            ann_file='base2novel/novel_val.txt',
            evaluator=dict(type='VideoAccMetric'),
        ),
    ),
    load_from=_start,
    train_cfg=dict(max_epochs=5),
    optim_wrapper=dict(
        optimizer=dict(lr=1e-4),
        paramwise_cfg=dict(
            _delete_=True, fresh_lr_mult=10, no_decay=['positional_embedding']
        ),
    ),
    custom_hooks=[dict(type='ConvertCheckpointHook')],
)
columns = {
    'base (%)': ('top1', 100, '.1f'),
    'novel (%)': ('novel/acc/top1', 100, '.1f'),
    'mean (%)': ('harmonic_mean', 100, '.1f'),
    'ECE (%)': ('base/calibration/ece', 100, '.1f'),
    'AUROC (%)': ('unknown/unknown/auroc_probability', 100, '.1f'),
    'trained (M)': ('trained', 1e-6, '.3f'),
    'memory (MB)': ('memory_mb', 1, '.0f'),
    'step (ms)': ('step_seconds', 1000, '.0f'),
}

_config = (
    'configs/xclip/shape_compositions/'
    'xclip_tiny-p8-res32_1xb16-u8-10e_shape-compositions-rgb.py'
)
_classes = {'model.cls_head.classes': f'{_lists}/base_classes.txt'}
_backbone = 'model.backbone'
_frozen = {**_classes, f'{_backbone}.frozen': True}
_rate = 'optim_wrapper.optimizer.lr'
_whole = {
    **_classes,
    'model.cls_head.text_encoder.frozen': False,
    'optim_wrapper.paramwise_cfg.fresh_lr_mult': 1,
}
_rows = {
    'the start': {**_classes, _rate: 0.0},
    'all learns, with one rate': _whole,
    "X-CLIP's recipe": _classes,
    'all but new rests': {**_classes, f'{_backbone}.frozen': 'pretrained'},
    'towers rest': _frozen,
    'LoRA': {**_frozen, f'{_backbone}.adapters': [dict(type='LoRA')]},
    'AIM': {
        **_frozen,
        f'{_backbone}.adapters': [
            dict(type='TemporalAdapter', hidden_dims=24),
            dict(type='BottleneckAdapter', hidden_dims=24),
            dict(type='BottleneckAdapter', hidden_dims=24, place='mlp', scale=0.5),
        ],
    },
    'ST-Adapter': {
        **_frozen,
        f'{_backbone}.adapters': [dict(type='STAdapter', hidden_dims=48)],
    },
    'prompts of vision and language': {
        **_frozen,
        f'{_backbone}.adapters': [dict(type='PromptTokens')],
        'model.cls_head.text_encoder.adapters': [dict(type='PromptTokens')],
    },
    'low-rank messages': {
        **_frozen,
        f'{_backbone}.adapters': [dict(type='LowRankMessages', message_dims=16)],
    },
    'distilled': {
        **_whole,
        'model.type': 'DistilledRecognizer',
        'model.start': _start,
    },
    'interpolated': {
        **_whole,
        'model.type': 'InterpolatedRecognizer',
        'model.start': _start,
    },
    'averaged (SWA)': {
        **_whole,
        'custom_hooks': [
            dict(type='ConvertCheckpointHook'),
            dict(type='EMAHook', ema_type='StochasticWeightAverage', begin_epoch=1),
        ],
    },
}
methods = [
    dict(name=name, config=_config, options=options) for name, options in _rows.items()
]
