"""Zero-shot test on HMDB-51 of X-CLIP-B/16 (SigLIP 2).

Trained on Kinetics-400 by the config beside this one; one view. No accuracy is known.

    python tools/test.py CONFIG CHECKPOINT

This is split 1; for split N add ``--cfg-options
test_dataloader.dataset.ann_file=lists/valN.txt``.
"""

_base_ = [
    './xclip_base-p16-res224_zero-shot-u32_hmdb51-rgb.py',
    '../../_base_/towers/siglip2_b16.py',
]

model = _base_.tower
