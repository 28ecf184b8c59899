"""TimeSformer (space only) as MMAction2 trains it, without its data set."""

_base_ = (
    'mmaction::recognition/timesformer/'
    'timesformer_spaceOnly_8xb8-8x32x1-15e_kinetics400-rgb.py'
)

from mmxclip.benchmarks.host_method import keep_method

keep_method(_base_)
