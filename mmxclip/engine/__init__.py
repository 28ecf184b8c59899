"""Optimizer wrappers that MMEngine lacks, and process groups without a GPU."""

from mmxclip.engine.autocast_optim_wrapper import AutocastOptimWrapper
from mmxclip.engine.cpu_dist import init_cpu_dist

__all__ = ['AutocastOptimWrapper', 'init_cpu_dist']
