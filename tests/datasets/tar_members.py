"""Archives that tests make."""

import tarfile
from io import BytesIO


def add(tar, name, content=b'', **fields):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    tar.addfile(info, BytesIO(content))
