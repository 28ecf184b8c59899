"""X-CLIP-B/16, 32 frames, 8 videos per class of HMDB-51: 62.8 % top-1 published.

X-CLIP (ECCV 2022), few-shot; first test split, one view. Batch 64 = 8 GPUs x 8.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = './xclip_base-p16-res224_clip-pre_8xb8-u32-50e_hmdb51-2shot-rgb.py'

train_dataloader = dict(dataset=dict(ann_file='lists/train1_few_shot_8.txt'))
