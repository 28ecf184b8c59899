"""Parameter groups of the X-CLIP recipe."""

import logging
import math
from collections.abc import Mapping

from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from mmxclip.checkpoints.parts import fresh_names, full_shape, plain_name


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GroupedOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Few parameter groups by learning rate and weight decay.

    Trained parameters that share both values share a group, where MMEngine and
    MMAction2 make one group of each parameter: with a handful of groups the
    optimizer updates many tensors in one kernel. Frozen parameters are left out.
    Scalars and vectors (biases, norms, scales) are never decayed.

    ``paramwise_cfg`` has the keys

    - ``lr_mult``: part of a parameter's name -> factor on its learning rate; the
      factors of all parts that a name contains are multiplied;
    - ``fresh_lr_mult``: one more factor for parameters that no CLIP brings, which
      modules declare in ``fresh_parameters``;
    - ``no_decay``: parts of the names of matrices that are not decayed either.

    Raises:
        ValueError: ``paramwise_cfg`` has other keys or types, or the optimizer's
            ``lr`` is no number.

    Examples:
        >>> optim_wrapper = dict(
        ...     constructor='GroupedOptimWrapperConstructor',
        ...     optimizer=dict(type='AdamW', lr=8e-6, weight_decay=0.001),
        ...     paramwise_cfg=dict(
        ...         fresh_lr_mult=10,
        ...         no_decay=['positional_embedding']))
    """

    def __init__(
        self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None
    ) -> None:
        # MMEngine asks for groups only where paramwise_cfg has a key.
        super().__init__(optim_wrapper_cfg, paramwise_cfg or dict(lr_mult={}))

    def _validate_cfg(self) -> None:
        unknown = set(self.paramwise_cfg) - {'lr_mult', 'fresh_lr_mult', 'no_decay'}
        if unknown:
            raise ValueError(
                f'paramwise_cfg has unknown keys {sorted(unknown)}; '
                f'{type(self).__name__} knows lr_mult, fresh_lr_mult and no_decay'
            )
        lr_mult = self.paramwise_cfg.get('lr_mult', {})
        no_decay = self.paramwise_cfg.get('no_decay', ())
        if not isinstance(lr_mult, Mapping) or isinstance(no_decay, str):
            raise ValueError(
                'paramwise_cfg takes lr_mult as a dict {part: factor} and no_decay as '
                f'a list of parts, got {lr_mult!r} and {no_decay!r}'
            )
        if not isinstance(self.base_lr, (int, float)):
            raise ValueError(
                'the rates of all groups are multiples of optim_wrapper.optimizer.lr, '
                f'which must be a number, got {self.base_lr!r}'
            )
        kind = self.optimizer_cfg.get('type')
        if isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
            OPTIMIZERS.build(self.optimizer_cfg)  # says so

    def add_params(self, params: list[dict], module: nn.Module) -> None:
        """Add the groups of a model.

        Args:
            params: Groups for the optimizer, extended in place.
            module: The model.
        """
        lr_mult = self.paramwise_cfg.get('lr_mult', {})
        no_decay = self.paramwise_cfg.get('no_decay', ())
        names = [name for name, _ in module.named_parameters()]
        for part in (*lr_mult, *no_decay):
            if not any(part in name for name in names):
                print_log(
                    f'paramwise_cfg names {part!r}, which is part of no parameter',
                    logger='current',
                    level=logging.WARNING,
                )
        fresh = fresh_names(module)
        fresh_factor = self.paramwise_cfg.get('fresh_lr_mult', 1)
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, param in module.named_parameters():
            if param.requires_grad:
                factor = math.prod(lr_mult[part] for part in lr_mult if part in name)
                factor *= fresh_factor if plain_name(name) in fresh else 1
                is_matrix = len(full_shape(param)) > 1
                decayed = is_matrix and not any(part in name for part in no_decay)
                groups.setdefault((factor, decayed), []).append(param)
        for (factor, decayed), members in groups.items():
            group = dict(params=members, lr=self.base_lr * factor)
            if self.base_wd is not None:
                group['weight_decay'] = self.base_wd if decayed else 0.0
            params.append(group)
            print_log(
                f'Optimizer group {len(params)}: {len(members)} tensors, '
                f'lr {group["lr"]:g}, weight decay {group.get("weight_decay", 0):g}',
                logger='current',
                level=logging.INFO,
            )
