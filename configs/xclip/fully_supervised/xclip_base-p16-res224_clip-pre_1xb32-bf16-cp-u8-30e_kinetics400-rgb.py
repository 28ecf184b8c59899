"""X-CLIP-B/16, 8 frames, Kinetics-400 on one GPU of 24 GB.

Batch 256 = 32 x 8 steps of accumulation; bfloat16, activations recomputed. The memory
is an estimate, with room to spare; it has not been measured.

    python tools/train.py CONFIG
"""

_base_ = './xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'

model = dict(backbone=dict(with_cp=True))
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(type='AutocastOptimWrapper', accumulative_counts=8)
auto_scale_lr = dict(base_batch_size=32)
