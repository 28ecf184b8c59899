"""X-CLIP-B/16 (SigLIP 2), 32 frames, trained on Kinetics-400 for zero-shot transfer.

Not trained by us. Starts from google/siglip2-base-patch16-224 (Apache 2.0).
The paper's recipe; batch 256 = 8 GPUs x 8 x 4 steps of accumulation.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    './xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py',
    '../../_base_/towers/siglip2_b16.py',
]

model = _base_.tower
