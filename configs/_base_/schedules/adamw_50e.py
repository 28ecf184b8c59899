"""Few-shot: as fully supervised, but rate 2e-6, 50 epochs, batch 64."""

_base_ = './adamw_30e.py'

train_cfg = dict(max_epochs=50, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=2e-6))
auto_scale_lr = dict(base_batch_size=64)
