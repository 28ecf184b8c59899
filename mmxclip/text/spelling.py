"""How names of classes are spelt."""

import re


def class_key(name: str) -> str:
    """What spellings of one class name have in common."""
    return re.sub(r'[\W_]', '', name.casefold())


def words(name: str) -> str:
    """Return the words of a name: 'falling_down' and 'FallingDown' have two.

    Examples:
        >>> words('falling_down'), words('ApplyEyeMakeup'), words('TaiChi-2')
        ('falling down', 'Apply Eye Makeup', 'Tai Chi 2')
    """
    name = re.sub(r'(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', ' ', name)
    return ' '.join(re.split(r'[\s_-]+', name)).strip()
