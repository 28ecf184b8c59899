"""What a command says when it fails: one line, where the user can put it right."""

import io
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger

_PACKAGE = str(Path(__file__).parents[1])
_STEPS = {'train_step', 'val_step', 'test_step'}


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the program with one line where settings, files or data are wrong.

    What fails later, inside the steps of a model that have worked before, is a fault of
    a program and keeps its traceback. That of the others goes to the log file, or, with
    ``MMXCLIP_TRACEBACK=1`` in the environment, to the screen as well. Ctrl-C is one
    line, too. Names of files that are not UTF-8 can be printed meanwhile.

    Raises:
        SystemExit: With that line.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        yield
    except KeyboardInterrupt as stop:
        sys.stderr.write(f'error: {str(stop) or "stopped"}\n')
        sys.exit(130)  # as shells say
    except Exception as error:
        if os.environ.get('MMXCLIP_TRACEBACK') or not _is_for_people(error):
            raise
        sys.exit(f'error: {describe(error)}{_keep_traceback(error)}')


def _frames(error: BaseException) -> list[FrameType]:
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__)]


def _is_for_people(error: Exception) -> bool:
    frames = _frames(error)
    in_step = any(frame.f_code.co_name in _STEPS for frame in frames)
    if not in_step or isinstance(error, (OSError, MemoryError, torch.OutOfMemoryError)):
        return True
    raised_by_us = frames[-1].f_code.co_filename.startswith(_PACKAGE)
    return (raised_by_us and isinstance(error, ValueError)) or not _has_worked()


def _has_worked() -> bool:
    hub = MessageHub.get_current_instance()
    return any(name.endswith('/time') for name in hub.log_scalars)


def _keep_traceback(error: Exception) -> str:
    """Write the traceback into the log files; say where."""
    logger = MMLogger.get_current_instance()
    files = [h for h in logger.handlers if isinstance(h, logging.FileHandler)]
    try:
        for handler in files:
            with Path(handler.baseFilename).open('a') as file:
                file.write(''.join(traceback.format_exception(error)))
    except OSError:  # the disk is full, which may be what is to be said
        return ''
    return f' (traceback: {files[0].baseFilename})' if files else ''


def describe(error: Exception) -> str:
    """Return what is wrong in one line, with the setting that it is about."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    if 'Original Traceback' in text:  # of a worker of a data loader
        text = text.strip().splitlines()[-1]
    text = ' '.join(text.split()) or type(error).__name__
    if isinstance(error, (KeyError, IndexError, AttributeError, AssertionError)):
        text = f'{type(error).__name__}: {text}'
    frames = _frames(error)
    configs = [c for f in frames for c in f.f_locals.values() if isinstance(c, Config)]
    for frame in reversed(frames):
        if tell := _BUILDERS.get(frame.f_code.co_name):
            return tell(text, frame.f_locals, configs[0] if configs else Config())
    return text


def _in_registry(text: str, found: Mapping[str, Any], whole: Config) -> str:
    """Tell about what a registry builds."""
    cfg, kind = found['cfg'], found.get('obj_cls')
    where = _place(cfg, whole)
    if not isinstance(cfg, dict):
        return f'{where}takes a dict with a type, got {cfg!r}'
    name = found.get('obj_type', cfg.get('type'))
    if kind is None and isinstance(name, str):
        registry: Any = found['registry']
        known = [*registry.module_dict, *getattr(registry.parent, 'module_dict', ())]
        near = get_close_matches(name, known, n=3) or sorted(known)
        return f'{where}there is no {registry.name} {name!r}; choose {", ".join(near)}'
    return f'{where}{_arguments(text, kind, name)}'


def _in_loader(text: str, found: Mapping[str, Any], whole: Config) -> str:
    """Tell about a data loader."""
    kind = torch.utils.data.DataLoader
    where = _place(found['dataloader'], whole)
    return f'{where}{_arguments(text, kind, "DataLoader")}'


def _in_setup(setting: str) -> Callable[..., str]:
    return lambda text, *_: f'{setting}: {text}'


# Functions of MMEngine in which settings become objects.
_BUILDERS: dict[str, Callable[..., str]] = {
    'build_from_cfg': _in_registry,
    'build_dataloader': _in_loader,
    'build_logger': _in_setup('log_level'),
    'set_randomness': _in_setup('randomness'),
    'setup_env': _in_setup('env_cfg'),
}


def _arguments(text: str, kind: Any, name: Any) -> str:
    """Name the arguments that there are, where one is unknown."""
    if 'unexpected keyword argument' not in text:
        return f'{text} ({getattr(kind, "__name__", name)})'
    given = text.rsplit("'", 2)[1]
    bases = kind.__mro__[:-1] if isinstance(kind, type) else [kind]
    known = sorted({name for base in bases for name in signature(base).parameters})
    near = get_close_matches(given, known, n=3) or known
    shown = getattr(kind, '__name__', name)
    return f'{shown} takes no {given!r}; it takes {", ".join(near)}'


def _place(part: Any, whole: Config) -> str:
    """Return where a part stands in the config, as 'model.backbone: '."""
    for name, node in _nodes(whole.to_dict()):
        fits = isinstance(part, dict) and node
        if fits and all(key in part and part[key] == node[key] for key in node):
            return f'{name}: '
    return ''


def _nodes(node: Any, name: str = '') -> Iterator[tuple[str, dict]]:
    """Go through all dicts of a config, with their dotted names."""
    if isinstance(node, dict):
        if name:
            yield name, node
        children = list(node.items())
    else:
        children = list(enumerate(node)) if isinstance(node, (list, tuple)) else []
    for key, child in children:
        yield from _nodes(child, f'{name}.{key}'.lstrip('.'))
