"""Training for zero-shot transfer: as fully supervised, 10 epochs."""

_base_ = './adamw_30e.py'

train_cfg = dict(max_epochs=10)
