"""X-CLIP-L/14 (MetaCLIP), 8 frames, Kinetics-400.

Not trained by us. Starts from facebook/metaclip-l14-fullcc2.5b (CC BY-NC 4.0).
The paper's recipe; batch 256 = 8 GPUs x 8 x 4 steps of accumulation.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    './xclip_large-p14-res224_clip-pre_8xb8-u8-30e_kinetics400-rgb.py',
    '../../_base_/towers/metaclip_l14.py',
]

model = _base_.tower
