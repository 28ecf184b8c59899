"""Spread optimizer state and gradients over the processes by DeepSpeed (ZeRO 2).

Name this file in _base_ and replace the optimizer wrapper: docs/howto/scaling.md.
DeepSpeed accumulates and casts by itself. MMEngine's strategy loads DeepSpeed from
0.13.2 to 0.19.6. epoch_*.pth are folders to resume from; the best checkpoint is a
file as ever. Tested on processors over gloo, not on GPUs.
"""

runner_type = 'ShardedRunner'
strategy = dict(
    type='DeepSpeedStrategy',
    zero_optimization=dict(stage=2),
    gradient_clipping=0,  # not at all; DeepSpeed's default is a norm of 1
    config=dict(torch_autocast=dict(enabled=True, dtype='bfloat16')),
)
