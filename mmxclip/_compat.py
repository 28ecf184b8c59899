"""What MMAction2's wheel and a modern torch need before anything else is imported.

Four repairs, each of which does nothing where nothing is broken:

* MMAction2 1.2.0's wheel on PyPI lacks ``mmaction.models.localizers.drn``, which
  ``mmaction.models`` imports always
  (https://github.com/open-mmlab/mmaction2/issues/2714); where it is there, it needs
  torchvision;
* MMAction2 imports its VindLU models whenever a recent transformers is installed,
  but they need timm and parts of transformers that no longer exist;
* mmcv-lite warns about an operator that nothing here uses;
* torch >= 2.6 reads checkpoints with ``weights_only=True``, and MMEngine's hold its
  message hub.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_DRN = 'mmaction.models.localizers.drn'


class MissingDRNFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Supply the package that MMAction2's wheel lacks, or that cannot be imported.

    A real ``drn`` comes first. It needs torchvision; without that, MMAction2 would not
    be importable at all.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for the package and its module, and for nothing else."""
        if fullname not in (_DRN, f'{_DRN}.drn'):
            return None
        real = importlib.machinery.PathFinder.find_spec(fullname, path)
        if real is not None and fullname == _DRN:
            return real
        return importlib.machinery.ModuleSpec(
            fullname,
            self,
            origin=__name__,
            loader_state=real,
            is_package=fullname == _DRN,
        )

    def exec_module(self, module: ModuleType) -> None:
        """Run the real module if there is one; else define a ``DRN`` in it."""
        if module.__name__ == _DRN:
            return
        spec = module.__spec__
        problem = (
            'the 1.2.0 wheel on PyPI lacks mmaction/models/localizers/drn (see '
            'https://github.com/open-mmlab/mmaction2/issues/2714). Install '
            'MMAction2 from its sources to use it: pip install '
            "'mmaction2 @ git+https://github.com/open-mmlab/mmaction2@v1.2.0', "
            'and torchvision'
        )
        if spec is not None and spec.loader_state is not None:
            try:
                spec.loader_state.loader.exec_module(module)
                return
            except (
                ImportError,
                RuntimeError,
            ) as error:  # or a misfit
                problem = f'{error}. Install the torchvision that belongs to your torch'
        module.__dict__['DRN'] = _register_missing_drn(problem)


def _register_missing_drn(problem: str) -> type:
    """Register a ``DRN`` whose construction says what to install."""
    from mmaction.registry import MODELS  # noqa: PLC0415 (the host comes later)

    class DRN(torch.nn.Module):
        """Stand-in for the localizer that cannot be imported."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise ImportError(f'DRN cannot be used in this installation: {problem}.')

    MODELS.register_module(module=DRN, force=True)
    return DRN


def supply_missing_drn() -> None:
    """Make ``import mmaction.models`` work without torchvision, and with the wheel."""
    if not any(isinstance(finder, MissingDRNFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, MissingDRNFinder())


def skip_unusable_multimodal() -> None:
    """Let MMAction2 use its own placeholders where VindLU cannot be imported."""
    from mmaction.utils import dependency  # noqa: PLC0415 (the host comes later)

    if not dependency.WITH_MULTIMODAL:
        return
    try:
        import timm.models.layers  # noqa: F401, PLC0415
        from transformers.modeling_utils import (  # noqa: F401, PLC0415
            apply_chunking_to_forward,
            find_pruneable_heads_and_indices,
            prune_linear_layer,
        )
    except Exception:  # a half-broken optional package may raise anything
        dependency.WITH_MULTIMODAL = False


def import_mmcv_quietly() -> None:
    """Import the one module of mmcv that warns when it is mmcv-lite."""
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='Fail to import ``MultiScale')
        importlib.import_module('mmcv.cnn.bricks.transformer')


def allow_mmengine_checkpoints() -> None:
    """Put MMEngine's message hub on torch's list of harmless checkpoint content."""

    def history_getattr(obj: Any, name: str) -> Any:
        """Stand in for ``getattr``: HistoryBuffer pickles its own methods."""
        if obj is not HistoryBuffer and not isinstance(obj, HistoryBuffer):
            raise TypeError(f'getattr on {type(obj)} in a checkpoint is not allowed')
        return getattr(obj, name)

    # reduce of real objects: the same functions under numpy 1 and numpy 2
    reconstruct = np.zeros(1).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    allowed = [
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        (history_getattr, 'builtins.getattr'),
    ]
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed += [
            (reconstruct, f'{module}._reconstruct'),
            (scalar, f'{module}.scalar'),
        ]
    allowed += [type(np.dtype(code)) for code in '?bBhHiIlLqQefd']
    torch.serialization.add_safe_globals(allowed)
