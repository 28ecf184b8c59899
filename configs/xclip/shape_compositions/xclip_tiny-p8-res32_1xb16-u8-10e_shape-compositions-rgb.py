"""A small X-CLIP for all protocols on made-up data: see docs/howto/protocols.md.

Classes are combinations such as 'a red circle moving left'. The text tower stays at
its random initialisation: it maps sentences that share words to similar features, so
combinations never seen in training can be recognised by their words.
"""

_base_ = '../demo/xclip_tiny-p8-res32_1xb16-u8-6e_shape-actions-rgb.py'

data_root = 'data/shape_compositions'
classes = f'{data_root}/classes.txt'
model = dict(cls_head=dict(classes=classes))
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
train_cfg = dict(max_epochs=10)
default_hooks = dict(checkpoint=dict(interval=1))
