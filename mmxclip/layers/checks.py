"""Checks of constructor arguments, with errors that name the argument."""

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
