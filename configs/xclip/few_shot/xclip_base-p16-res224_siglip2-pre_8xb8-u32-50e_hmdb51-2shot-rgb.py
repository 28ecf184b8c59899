"""X-CLIP-B/16 (SigLIP 2), 32 frames, 2 videos per class of HMDB-51.

Not trained by us. Starts from google/siglip2-base-patch16-224 (Apache 2.0).
The paper's few-shot recipe: first test split, one view. Batch 64 = 8 GPUs x 8.
For K videos (2, 4, 8, 16) add ``--cfg-options
train_dataloader.dataset.ann_file=lists/train1_few_shot_K.txt``.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    './xclip_base-p16-res224_clip-pre_8xb8-u32-50e_hmdb51-2shot-rgb.py',
    '../../_base_/towers/siglip2_b16.py',
]

model = _base_.tower
