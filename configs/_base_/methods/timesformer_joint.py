"""TimeSformer (joint) as MMAction2 trains it, without its data set."""

_base_ = './timesformer_divided.py'

model = dict(backbone=dict(attention_type='joint_space_time'))
