"""Spread parameters, gradients and optimizer state over the processes (FSDP).

For models that do not fit a device otherwise, such as L/14@336: name this file in
_base_. Checkpoints are whole, as without it.
"""

runner_type = 'FlexibleRunner'
strategy = dict(
    type='FSDPStrategy',
    model_wrapper=dict(type='ShardedRecognizer'),
    # Not state_dict_cfg='full', which moves tensors to the CPU: torch 2.13 crashes
    # where they are on the CPU already.
    state_dict_cfg=dict(
        state_dict_type='FULL_STATE_DICT',
        state_dict_config=dict(type='FullStateDictConfig', rank0_only=True),
        optim_state_dict_config=dict(type='FullOptimStateDictConfig', rank0_only=True),
    ),
)
