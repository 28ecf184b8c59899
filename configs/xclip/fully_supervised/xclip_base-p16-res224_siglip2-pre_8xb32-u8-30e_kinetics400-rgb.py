"""X-CLIP-B/16 (SigLIP 2), 8 frames, Kinetics-400.

Not trained by us. Starts from google/siglip2-base-patch16-224 (Apache 2.0).
The paper's recipe; batch 256 = 8 GPUs x 32.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    './xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py',
    '../../_base_/towers/siglip2_b16.py',
]

model = _base_.tower
