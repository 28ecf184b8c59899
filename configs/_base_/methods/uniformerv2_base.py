"""UniFormerV2-B/16 as MMAction2 trains it (CLIP), without its data set."""

_base_ = (
    'mmaction::recognition/uniformerv2/'
    'uniformerv2-base-p16-res224_clip_8xb32-u8_kinetics400-rgb.py'
)

from mmxclip.benchmarks.host_method import keep_method

keep_method(_base_)
