"""Running the tools: in this process, in two, and as a user does."""

import contextlib
import io
import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.utils import ManagerMixin


def close_logs():
    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            handler.close()
    MMLogger._instance_dict.clear()


@pytest.fixture(autouse=True)
def _own_log():
    """Let no test write into the log file of another one."""
    yield
    close_logs()


@contextlib.contextmanager
def fresh_mmengine():
    """Forget what MMEngine keeps by the names of runs, as a new process does."""
    with pytest.MonkeyPatch.context() as patch:
        kinds = [ManagerMixin]
        for kind in kinds:  # each class keeps its own
            kinds.extend(kind.__subclasses__())
            patch.setattr(kind, '_instance_dict', OrderedDict())
        try:
            yield
        finally:
            close_logs()


@pytest.fixture(scope='session')
def tool(root) -> Callable[..., str]:
    """Run ``python tools/NAME ARGS`` in this process, and return what it prints.

    A failure raises the SystemExit that would be the last line on the screen.
    """

    def run(name: str, *args: object) -> str:
        path = root / 'tools' / name
        printed = io.TextIOWrapper(io.BytesIO(), 'utf-8', write_through=True)
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(printed),
            fresh_mmengine(),
        ):
            patch.setattr(sys, 'argv', [str(path), *map(str, args)])
            patch.syspath_prepend(path.parent)
            try:
                runpy.run_path(str(path), run_name='__main__')
            except SystemExit as end:
                if end.code:
                    raise
        return printed.buffer.getvalue().decode()

    return run


@pytest.fixture
def two_processes(tool) -> Callable[..., list[str]]:
    """Run a tool in two processes, as torchrun does; return what each prints.

    They are forks of this one, which has imported torch and MMAction2.
    """

    def work(writer, rank, port, args):
        place = dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
        place |= dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=port)
        os.environ.update(place, OMP_NUM_THREADS='1', MKL_NUM_THREADS='1')
        torch.set_num_threads(1)  # threads that did not come along would be waited for
        warnings.simplefilter('ignore')  # no errors, as in a process of its own
        try:
            writer.send((tool(*args, '--launcher', 'pytorch'), None))
        except BaseException:  # also SystemExit
            writer.send(('', traceback.format_exc()))

    def run(*args: object) -> list[str]:
        fork = multiprocessing.get_context('fork')
        with socket.socket() as server:
            server.bind(('127.0.0.1', 0))
            port = str(server.getsockname()[1])
        started = []
        for rank in range(2):
            reader, writer = fork.Pipe(duplex=False)
            process = fork.Process(target=work, args=(writer, rank, port, args))
            process.start()
            writer.close()
            started.append((process, reader))
        printed, errors = zip(*(reader.recv() for _, reader in started), strict=True)
        for process, _ in started:
            process.join()
        assert not any(errors), '\n'.join(filter(None, errors))
        return list(printed)

    return run


@pytest.fixture
def command(tmp_path) -> Callable[..., str]:
    """Run a command as a user does: from elsewhere, with this environment's tools.

    A new process imports torch and MMAction2 for seconds: ``tool`` does without.
    """
    bin_dir = str(Path(sys.executable).parent)
    env = os.environ | dict(PATH=f'{bin_dir}:{os.environ["PATH"]}', OMP_NUM_THREADS='1')

    def run(*args: object, **extra: str) -> str:
        done = subprocess.run(
            [str(arg) for arg in args],
            cwd=tmp_path,
            env=env | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f'{args} failed:\n{done.stdout[-5000:]}'
        return done.stdout

    return run
