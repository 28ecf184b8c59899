r"""Open-VCLIP (ICML 2023): 53.9 +- 1.2 % zero-shot on HMDB-51 published.

As published in FROSTER (ICLR 2024), table 2, mean over the three splits. Interpolation
in training and the mean of its weights (SWA); for points between that and CLIP see
docs/howto/averages.md. Frames communicate by their mean alone, while those of
Open-VCLIP attend to their neighbours. Rate, batch and schedule are X-CLIP's.

    bash tools/dist_train.sh CONFIG 8 --amp
    python tools/run_protocol.py zero-shot --dataset hmdb51 --config CONFIG \
        --checkpoint EPOCH_10.pth
"""

_base_ = '../zero_shot/xclip_base-p16-res224_clip-pre_8xb8-u32-10e_kinetics400-rgb.py'

model = dict(
    type='InterpolatedRecognizer',
    backbone=dict(communication='none', out_type='pooled'),
    neck=None,
    cls_head=dict(prompt=None),
)
custom_hooks = [dict(type='EMAHook', ema_type='StochasticWeightAverage', begin_epoch=5)]
