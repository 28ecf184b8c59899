"""Zero-shot test on HMDB-51: 44.6 % top-1 published, mean of 3 splits (+-5.2).

X-CLIP-B/16 trained on Kinetics-400 with 32 frames (the config below); one view.

    python tools/test.py CONFIG CHECKPOINT

This is split 1; for split N add ``--cfg-options
test_dataloader.dataset.ann_file=lists/valN.txt``.
"""

_base_ = './xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py'

model = dict(cls_head=dict(classes='hmdb51'))
test_dataloader = dict(dataset=dict(data_root='data/hmdb51', ann_file='lists/val1.txt'))
