"""Classes by name, however folders, videos and annotations spell them."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from mmxclip.text import class_key

_UCF101_VIDEO = re.compile(r'v_(\w+?)_g\d\d_c\d\d')


def labels_by_key(classes: Sequence[str]) -> dict[str, int]:
    """Label of each class, by its :func:`class_key`.

    Classes that share a key ('C', 'C++') are left out: it does not tell which is meant.
    """
    keys = [class_key(name) for name in classes]
    shared = Counter(keys)
    return {key: label for label, key in enumerate(keys) if shared[key] == 1}


def ucf101_class(path: str) -> str:
    """Key of the class that UCF-101 writes into the name of a video.

    Empty for other names than ``v_<class>_g01_c01.avi``.
    """
    match = _UCF101_VIDEO.fullmatch(PurePosixPath(path).stem)
    return class_key(match[1]) if match else ''
