"""The warm process itself: imports everything once, then forks for each command.

With it and fewer looks at Snakemake's queue 9 % of the default study's CPU time are
outside the engine, before them 25 %. :mod:`multiprocessing` has a fork server for
children of one program; commands that Snakemake starts are none.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from clusterflow.cli.app import command, main, print_in_utf8
from clusterflow.model import Model
from clusterflow.run.fork_client import NUMBER
from clusterflow.stage_table import STAGES

# What the stages of clusters import beside their own modules.
_LIBRARIES = (
    *("networkx", "psutil", "pydantic.type_adapter", "scipy.spatial", "tblite.ase"),
    "clusterflow.run.watchdog",
)


def serve(path: str) -> None:
    """Fork for each request until whoever started this process is gone."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print_in_utf8()
    # Interrupts are for the forks, by way of the commands that wait for them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)  # requests that come before the imports are done wait
        _preload_modules()
        signal.signal(signal.SIGCHLD, _reap_children)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                _remove_socket(Path(path))
                break
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _run_request(connection)
            connection.close()


def _remove_socket(path: Path) -> None:
    """And its folder, which a run that was killed can no longer remove."""
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def _preload_modules() -> None:
    stages = [stage.module_name for stage in STAGES.values() if stage.of]
    for name in (*stages, *_LIBRARIES):
        importlib.import_module(name)
    command()
    waiting = [Model]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        model.model_rebuild(raise_errors=False)
    # A collection in a fork would copy every page that holds an object.
    gc.collect()
    gc.freeze()


def _run_request(connection: socket.socket) -> NoReturn:
    """Run one command with the client's files, folder and environment; then end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        _, files, _, _ = socket.recv_fds(connection, 1, 3)
        content = b"".join(iter(lambda: connection.recv(65536), b""))
        if not content:  # another run only asked whether anybody is here
            os._exit(0)
        request = json.loads(content)
        for target, file in enumerate(files):
            os.dup2(file, target)
            os.close(file)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        connection.sendall(NUMBER.pack(os.getpid()))
        code = main(request["arguments"])
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        with contextlib.suppress(OSError):
            connection.sendall(NUMBER.pack(code))
        os._exit(code)


def _reap_children(_number: int, _frame: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
