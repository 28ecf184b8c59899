"""Fully supervised: AdamW, 30 epochs, batch 256.

New parts (messages, MIT, prompt) learn ten times faster. Text tower and logit scale
are frozen in the model. Where batch_size x GPUs x accumulative_counts is not 256,
--auto-scale-lr scales the rate; it does not know about accumulative_counts.
"""

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=30, val_interval=1)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW',
        lr=8e-6,
        betas=(0.9, 0.98),
        eps=1e-8,
        weight_decay=0.001,
        fused=True,  # one kernel for many tensors
    ),
    constructor='GroupedOptimWrapperConstructor',
    paramwise_cfg=dict(
        fresh_lr_mult=10,
        no_decay=['positional_embedding'],
    ),
)
param_scheduler = dict(type='WarmupCosineLR', warmup=5, convert_to_iter_based=True)
auto_scale_lr = dict(enable=False, base_batch_size=256)
