"""What all configs share: our registered parts, hooks, logging, testing."""

custom_imports = dict(imports=['mmxclip'], allow_failed_imports=False)
default_scope = 'mmaction'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='BriefLoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='SafeCheckpointHook', interval=1, max_keep_ckpts=3, save_best='auto'
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    seed=dict(type='SeedHook'),  # resumed, a training draws as if never stopped
    sync_buffers=dict(type='SyncBuffersHook'),
    labels=dict(type='CheckLabelsHook'),
    convert=dict(type='ConvertCheckpointHook'),  # load_from takes any published file
)

val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
val_evaluator = dict(type='VideoAccMetric')
test_evaluator = dict(type='VideoAccMetric')

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# Processes mix their videos by draws of their own, as in the reference.
randomness = dict(seed=1024, diff_rank_seed=True)
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='ActionVisualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
