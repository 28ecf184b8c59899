"""The scope ``mmxclip``, in which the host's inferencers find models by our names.

``ActionRecogInferencer('xclip-b16-zero-shot', scope='mmxclip')`` reads the metafile of
the scope's package, and builds with the scope's registries, which are the host's.
"""

from mmaction import registry as host
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry

SCOPE = 'mmxclip'


def add_scope() -> None:
    """Let every registry of MMAction2 be found under our scope, too."""
    MODULE2PACKAGE.setdefault(SCOPE, SCOPE)
    for registry in vars(host).values():
        if isinstance(registry, Registry) and SCOPE not in registry.children:
            where = registry._locations
            Registry(registry.name, parent=registry, scope=SCOPE, locations=where)
