"""TSM-R50 as MMAction2 trains it (ImageNet-1k), without its data set."""

_base_ = (
    'mmaction::recognition/tsm/'
    'tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb.py'
)

from mmxclip.benchmarks.host_method import keep_method

keep_method(_base_)
