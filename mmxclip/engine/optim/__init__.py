"""Optimizer wrappers, parameter groups and schedules that the host lacks."""
