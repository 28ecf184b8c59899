"""X-CLIP-B/16 (DFN), 8 frames, Kinetics-400.

Not trained by us. Starts from apple/DFN2B-CLIP-ViT-B-16 (Apple's research licence).
The paper's recipe; batch 256 = 8 GPUs x 32.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    './xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py',
    '../../_base_/towers/dfn_b16.py',
]

model = _base_.tower
