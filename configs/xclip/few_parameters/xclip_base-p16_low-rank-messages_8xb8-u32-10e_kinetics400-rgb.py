r"""X-CLIP with messages of 64 dimensions and frozen towers; not published.

X-CLIP itself has 44.6 +- 5.2 % zero-shot on HMDB-51.

    bash tools/dist_train.sh CONFIG 8 --amp
    python tools/run_protocol.py zero-shot --dataset hmdb51 --config CONFIG \
        --checkpoint EPOCH_10.pth
"""

_base_ = '../zero_shot/xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py'

model = dict(
    backbone=dict(
        communication='none',
        frozen=True,
        adapters=[dict(type='LowRankMessages', message_dims=64)],
    )
)
