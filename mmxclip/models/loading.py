"""Refuse weights that do not fit, and fit position embeddings to other sizes.

MMEngine loads checkpoints without strictness: tensors of another shape and layers too
many or too few end as a line in the log. Each part of the model checks its own share
of a checkpoint instead, whoever loads it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from mmxclip.convert import (
    ConversionError,
    count_layers,
    foreign_kind,
    require_finite,
)
from mmxclip.layers import resize_spatial_pos_embed, resize_temporal_pos_embed

Resize = Callable[[Tensor, tuple[int, ...]], Tensor]

# Where a module stands in a config; one that loads by itself does not know.
_SLOTS = ('backbone.', 'neck.', 'cls_head.')


def fit_spatial(pos_embed: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Interpolate (1 + L, D) to the number of patches in ``shape``."""
    return resize_spatial_pos_embed(pos_embed, round((shape[0] - 1) ** 0.5))


def fit_temporal(pos_embed: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Interpolate (1, T, E) to the number of frames in ``shape``."""
    return resize_temporal_pos_embed(pos_embed, shape[1])


@dataclass(frozen=True)
class LoadingGuard:
    """Checks what a module is about to load.

    Args:
        layers: Name of the module's list of layers.
        setting: Argument of the module that sets their number.
        resize: How ``positional_embedding`` is brought to another number of rows;
            None where it must fit.
        optional: Parts of names that a checkpoint need not have, such as
            '.message_'.
    """

    layers: str
    setting: str
    resize: Resize | None = None
    optional: tuple[str, ...] = ()

    def attach(self, module: nn.Module) -> None:
        """Let this guard check everything that ``module`` loads from now on."""
        module.register_load_state_dict_pre_hook(self._check)

    def _check(
        self,
        module: nn.Module,
        state_dict: dict[str, Tensor],
        prefix: str,
        _metadata: dict[str, Any],
        _strict: bool,
        _missing: list[str],
        unexpected: list[str],
        *_: Any,
    ) -> None:
        own = module.state_dict()
        loaded = {
            name: state_dict[prefix + name]
            for name in own
            if prefix + name in state_dict
        }
        layers = count_layers(state_dict, prefix + self.layers)
        if 'class_embedding' in own and not layers:  # a vision tower
            # A part is shown its share only; what has no place in the whole model is
            # in `unexpected` by now.
            _refuse_foreign({*state_dict, *unexpected}, type(module).__name__)
        if not loaded:  # the checkpoint has nothing for this module
            return
        require_finite({prefix + name: tensor for name, tensor in loaded.items()})
        self._check_depth(module, state_dict, prefix)
        name = 'positional_embedding'
        if self.resize and name in loaded and _resizable(loaded[name], own[name]):
            old = tuple(loaded[name].shape)
            loaded[name] = self.resize(loaded[name], tuple(own[name].shape))
            state_dict[prefix + name] = loaded[name]
            print_log(
                f'{prefix}{name} is interpolated from {old} to '
                f'{tuple(own[name].shape)}',
                logger='current',
            )
        self._check_shapes(loaded, own, prefix, type(module).__name__)
        self._check_missing(own.keys() - loaded.keys(), prefix)

    def _check_depth(
        self, module: nn.Module, names: Iterable[str], prefix: str
    ) -> None:
        required = [name for name in names if not self._is_optional(name)]
        found = count_layers(required, prefix + self.layers)
        built = len(getattr(module, self.layers))
        if not found and built:
            raise ConversionError(
                'the checkpoint is incomplete, or of another model: it has tensors of '
                f'{prefix.rstrip(".") or type(module).__name__}, but no layer '
                f'{prefix}{self.layers}'
            )
        if found != built:
            value = found if self.setting == 'depth' else '...'
            line = (
                f'this line of the config: model.{prefix}{self.setting} = {value}'
                if prefix.startswith(_SLOTS)
                else f'{self.setting} of {type(module).__name__} in the config'
            )
            raise ConversionError(
                f'the checkpoint has {found} layers in {prefix}{self.layers}, the '
                f'model {built}. Change {line}'
            )

    def _check_shapes(
        self,
        loaded: Mapping[str, Tensor],
        own: Mapping[str, Tensor],
        prefix: str,
        kind: str,
    ) -> None:
        for name, tensor in loaded.items():
            if tensor.shape != own[name].shape:
                raise ConversionError(
                    f'{prefix}{name} is {tuple(tensor.shape)} in the checkpoint and '
                    f'{tuple(own[name].shape)} in the model: it was made for another '
                    'architecture (tools/inspect_checkpoint.py says which). Change '
                    f'arch or embed_dims of {kind} in the config.'
                )

    def _check_missing(self, names: Iterable[str], prefix: str) -> None:
        missing = sorted(name for name in names if not self._is_optional(name))
        if missing:
            raise ConversionError(
                f'the checkpoint is incomplete: {len(missing)} tensors of '
                f'{prefix.rstrip(".") or "the model"} are missing, first '
                f'{prefix}{missing[0]}.'
            )

    def _is_optional(self, name: str) -> bool:
        return any(part in f'.{name}' for part in self.optional)


def _refuse_foreign(names: Iterable[str], kind: str) -> None:
    """Raise ConversionError if a vision tower waits here under another's names."""
    source = foreign_kind(set(names))
    if source is not None:
        raise ConversionError(
            f'this is a checkpoint of {source}, under its own names: {kind} would find '
            'nothing in it and stay random. Give it as load_from to a training that '
            'has ConvertCheckpointHook, as our configs have, or as '
            "init_cfg=dict(type='CLIPPretrained', checkpoint=...); or convert it "
            'first: python tools/convert_checkpoint.py FILE OUT.pth. (CLIP and '
            'ImageNet ViTs lack parts of X-CLIP: they start a training and cannot '
            'name actions.)'
        )


def _resizable(loaded: Tensor, own: Tensor) -> bool:
    return (
        loaded.shape != own.shape
        and loaded.ndim == own.ndim
        and loaded.shape[-1] == own.shape[-1]
    )
