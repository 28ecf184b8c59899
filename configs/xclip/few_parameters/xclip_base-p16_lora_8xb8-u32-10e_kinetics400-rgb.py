r"""LoRA (ICLR 2022) in the vision tower of X-CLIP: messages, MIT and prompt learn, too.

Not published for X-CLIP; X-CLIP itself has 44.6 +- 5.2 % zero-shot on HMDB-51.

    bash tools/dist_train.sh CONFIG 8 --amp
    python tools/run_protocol.py zero-shot --dataset hmdb51 --config CONFIG \
        --checkpoint EPOCH_10.pth
"""

_base_ = '../zero_shot/xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py'

model = dict(backbone=dict(frozen='pretrained', adapters=[dict(type='LoRA', rank=8)]))
