"""Checks of arguments, with errors that name the argument."""

import os
from pathlib import Path
from typing import Any, get_args


def check_choice(name: str, value: Any, choices: Any) -> None:
    """Raise a ValueError unless ``value`` is one of a ``Literal``'s values."""
    allowed = get_args(choices)
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        raise ValueError(f'{name} must be one of {list(allowed)}, got {value!r}.')


def check_count(name: str, value: Any, *, lowest: int = 1) -> None:
    """Raise a ValueError unless ``value`` is an integer of at least ``lowest``."""
    if type(value) is not int or value < lowest:
        raise ValueError(f'{name} must be an integer from {lowest}, got {value!r}.')


def check_config_file(path: str | os.PathLike) -> Path:
    """Return the path of a config.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not written in a language of configs.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'There is no config {os.fspath(path)!r}. Configs are in configs/; '
            '`mim search mmxclip` lists the published ones.'
        )
    if Path(path).suffix not in ('.py', '.yml', '.yaml', '.json'):
        raise ValueError(f'{os.fspath(path)} is no config: these end in .py')
    return Path(path)
