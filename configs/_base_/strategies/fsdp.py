"""Spread parameters, gradients and optimizer state over the processes (FSDP).

For models that do not fit a device otherwise, such as L/14@336: name this file in
_base_. Checkpoints are whole, as without it.
"""

runner_type = 'ShardedRunner'
strategy = dict(type='ShardedStrategy', model_wrapper=dict(type='ShardedRecognizer'))
