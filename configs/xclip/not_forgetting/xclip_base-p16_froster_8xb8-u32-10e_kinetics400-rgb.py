r"""FROSTER (ICLR 2024): 54.8 +- 1.3 % zero-shot on HMDB-51 published.

Table 2, mean over the three splits. Both towers learn, and are held to the frozen CLIP;
frames communicate by their mean alone. Rate, batch and schedule are X-CLIP's.

    bash tools/dist_train.sh CONFIG 8 --amp
    python tools/run_protocol.py zero-shot --dataset hmdb51 --config CONFIG \
        --checkpoint EPOCH_10.pth
"""

_base_ = '../zero_shot/xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py'

model = dict(
    type='DistilledRecognizer',
    backbone=dict(communication='none', out_type='pooled'),
    neck=None,
    cls_head=dict(prompt=None, text_encoder=dict(frozen=False)),
)
