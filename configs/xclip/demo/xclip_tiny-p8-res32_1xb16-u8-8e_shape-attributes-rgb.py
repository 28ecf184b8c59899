"""Several labels a video: the demo's model learns motion, colour and shape at once.

python tools/data/make_shape_actions.py --labels attributes --out data/shape_attributes
python tools/train.py configs/xclip/demo/xclip_tiny-p8-res32_1xb16-u8-8e_shape-attributes-rgb.py
"""  # noqa: E501

_base_ = './xclip_tiny-p8-res32_1xb16-u8-6e_shape-actions-rgb.py'

classes = [
    *_base_.classes,
    *('red', 'green', 'blue', 'yellow', 'purple', 'white'),
    *('circle', 'square', 'triangle', 'diamond'),
]
model = dict(cls_head=dict(type='MultiLabelHead', classes=classes, logit_bias=0))
train_cfg = dict(max_epochs=8)
data_root = 'data/shape_attributes'
train_dataloader = dict(
    dataset=dict(data_root=data_root, multi_class=True, num_classes=len(classes))
)
val_dataloader = train_dataloader
test_dataloader = train_dataloader
val_evaluator = dict(metric_list='mean_average_precision')
test_evaluator = val_evaluator
