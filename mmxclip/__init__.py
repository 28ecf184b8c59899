"""X-CLIP for MMAction2: importing this package registers its parts there."""

import importlib

from mmxclip.version import __version__

# module: (first version that works, first that does not, what to install)
_HOSTS = {
    'mmengine': ('0.10.7', '0.11.0', 'mmengine>=0.10.7,<0.11'),
    'torch': ('2.6', '3', 'torch>=2.6,<3'),
    'mmcv': ('2.1.0', '2.2.0', 'mmcv-lite>=2.1.0,<2.2'),
    'mmaction': ('1.2.0', '1.3.0', 'mmaction2>=1.2.0,<1.3'),
}


def _check_host_versions() -> None:
    """Raise ImportError unless every host package is there in a fitting version."""
    for name, (lowest, above, requirement) in _HOSTS.items():
        need = f'mmxclip {__version__} needs {name} >={lowest},<{above}'
        cure = f"Install it with: pip install '{requirement}'"
        try:
            found = importlib.import_module(name).__version__
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise ImportError(f'{need}, but it is not installed. {cure}') from error

        from mmengine.utils import digit_version  # noqa: PLC0415 (first host checked)

        if not digit_version(lowest) <= digit_version(found) < digit_version(above):
            raise ImportError(f'{need}, but {found} was found. {cure}')


_check_host_versions()

from mmxclip import _compat  # noqa: E402 (the host must be checked first)

_compat.supply_missing_drn()
_compat.import_mmcv_quietly()
_compat.skip_unusable_multimodal()
_compat.allow_mmengine_checkpoints()

from mmxclip import datasets, engine, evaluation, models  # noqa: E402
from mmxclip.registry import add_scope  # noqa: E402

add_scope()

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models']
