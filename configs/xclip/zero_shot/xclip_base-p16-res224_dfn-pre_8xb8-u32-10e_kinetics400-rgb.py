"""X-CLIP-B/16 (DFN), 32 frames, trained on Kinetics-400 for zero-shot transfer.

Not trained by us. Starts from apple/DFN2B-CLIP-ViT-B-16 (Apple's research licence).
The paper's recipe; batch 256 = 8 GPUs x 8 x 4 steps of accumulation.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    './xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py',
    '../../_base_/towers/dfn_b16.py',
]

model = _base_.tower
