r"""AIM (ICLR 2023) with the texts as classifier: 50.3 +- 0.8 % zero-shot on HMDB-51.

As published in FROSTER (ICLR 2024), table 2, mean over the three splits. Rate, batch
and schedule are X-CLIP's.

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
        adapters=[
            dict(type='TemporalAdapter'),
            dict(type='BottleneckAdapter'),
            dict(type='BottleneckAdapter', place='mlp', scale=0.5),
        ],
    ),
    neck=None,
    cls_head=dict(prompt=None),
)
