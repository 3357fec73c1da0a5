"""Jobs without their start-up: each is forked from one process that is warm.

A job of a small cluster has a second of chemistry, and half a second of imports before
it. ``clusterflow run`` therefore keeps one process that has imported everything, and
the command ``clusterflow`` of each local job asks it for a fork and waits for its end.
Where there is no such process (by hand, on another node, with more threads) a command
starts in the usual way, with the same result.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ADDRESS = "CLUSTERFLOW_WARM_PROCESS"
# What several jobs of a study import.
PRELOADED = (
    "clusterflow.cli",
    "clusterflow.engines",
    "clusterflow.tasks.adsorb",
    "clusterflow.tasks.edges",
    "clusterflow.tasks.gas",
    "clusterflow.tasks.level",
    "clusterflow.tasks.relax",
    "clusterflow.tasks.sites",
    "clusterflow.tasks.subjects",
    "clusterflow.tasks.thermo",
    "clusterflow.tasks.vibrate",
    "networkx",
    "pymatgen.symmetry.analyzer",
    "tblite.ase",
)
_NUMBER = struct.Struct("!i")


@contextlib.contextmanager
def warm_process(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment in which jobs find a warm process, which ends with the block."""
    if sys.platform != "linux":  # elsewhere libraries do not survive a fork
        yield environment
        return
    with tempfile.TemporaryDirectory(prefix="clusterflow-") as folder:
        path = Path(folder) / "socket"
        # A group of its own: an interrupt reaches a job once, through its command.
        process = subprocess.Popen(
            [sys.executable, "-m", "clusterflow", "--warm", str(path)],
            env=environment,
            stdin=subprocess.PIPE,
            process_group=0,
        )
        try:
            yield {**environment, ADDRESS: f"{os.getsid(0)}:{path}"}
        finally:
            # With it goes what a killed command has left behind.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def ask(arguments: Sequence[str]) -> int | None:
    """Exit code of a command that the warm process ran; None where it cannot."""
    session, _, path = os.environ.get(ADDRESS, "").partition(":")
    # A batch system starts its jobs in sessions of their own, with their own limits.
    if session != str(os.getsid(0)) or os.environ.get("OMP_NUM_THREADS", "1") != "1":
        return None
    request = {
        "arguments": list(arguments),
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
            socket.send_fds(connection, [b"\0"], [0, 1, 2])
            connection.sendall(json.dumps(request).encode())
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            return None
        pid = _receive_number(connection)
        if pid is None:
            return None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: _pass_on(pid, received))
        code = _receive_number(connection)
    if code is None:
        print(f"error: process {pid} ended without a word", file=sys.stderr)
        return 1
    return code


def serve(path: str) -> None:
    """Fork for each request until whoever started this process is gone."""
    import select

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)  # requests that come before the imports are done wait
        _warm_up()
        signal.signal(signal.SIGCHLD, _reap)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                break
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _work(connection)
            connection.close()


def _warm_up() -> None:
    import importlib

    for name in PRELOADED:
        importlib.import_module(name)

    from clusterflow.cli import command
    from clusterflow.models import Model

    command()
    waiting = [Model]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        model.model_rebuild(raise_errors=False)


def _work(connection: socket.socket) -> NoReturn:
    """Run one command with the client's files, folder and environment; then end."""
    from clusterflow.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        _, files, _, _ = socket.recv_fds(connection, 1, 3)
        request = json.loads(b"".join(iter(lambda: connection.recv(65536), b"")))
        for target, file in enumerate(files):
            os.dup2(file, target)
            os.close(file)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        connection.sendall(_NUMBER.pack(os.getpid()))
        code = main(request["arguments"])
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        with contextlib.suppress(OSError):
            connection.sendall(_NUMBER.pack(code))
        os._exit(code)


def _receive_number(connection: socket.socket) -> int | None:
    """None if the other side has closed."""
    content = connection.recv(_NUMBER.size, socket.MSG_WAITALL)
    return _NUMBER.unpack(content)[0] if len(content) == _NUMBER.size else None


def _pass_on(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap(_number: int, _frame: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
