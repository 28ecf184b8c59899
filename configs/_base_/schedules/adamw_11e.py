"""Base-to-novel: as few-shot, 11 epochs (the protocol of ViFi-CLIP)."""

_base_ = './adamw_50e.py'

train_cfg = dict(max_epochs=11)
