r"""Prompts of vision and language, as ViFi-CLIP's (CVPR 2023), both towers frozen.

ViFi-CLIP trains its prompts on top of a CLIP that was fine-tuned on Kinetics-400:
63.0 / 65.1 / 69.6 / 72.0 % with 2 / 4 / 8 / 16 videos per class of HMDB-51. Ours start
from CLIP and are gated; rate, batch and schedule are X-CLIP's.

    bash tools/dist_train.sh CONFIG 8 --amp
    python tools/run_protocol.py zero-shot --dataset hmdb51 --config CONFIG \
        --checkpoint EPOCH_10.pth
"""

_base_ = '../zero_shot/xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py'

model = dict(
    backbone=dict(
        communication='none',
        out_type='pooled',
        frozen=True,
        adapters=[dict(type='PromptTokens')],
    ),
    neck=None,
    cls_head=dict(prompt=None, text_encoder=dict(adapters=[dict(type='PromptTokens')])),
)
