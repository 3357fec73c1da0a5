"""Jobs without their start-up: each is forked from one process that is warm.

A job of a small cluster has a second of chemistry, and half a second of imports before
it. ``clusterflow run`` therefore keeps one process that has imported everything, and
the command ``clusterflow`` of each local job asks it for a fork and waits for its end.
Where there is no such process (by hand, on another node, with more threads) a command
starts in the usual way, with the same result.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ADDRESS = "CLUSTERFLOW_WARM_PROCESS"
# Process numbers and exit codes, as they go over the socket.
NUMBER = struct.Struct("!i")


def can_fork() -> bool:
    """Whether libraries that are loaded survive a fork; those of macOS may not."""
    return sys.platform == "linux"


def session_name() -> str:
    """Where a process runs: only one of the same session and image may work for it.

    A batch system starts its jobs in sessions of their own, with their own limits, and
    Snakemake those of a container in its image.
    """
    return f"{os.getsid(0)}@{os.environ.get('APPTAINER_NAME', '')}"


def run_in_fork(arguments: Sequence[str]) -> int | None:
    """Exit code of a command that the warm process ran; None where it cannot."""
    session, _, path = os.environ.get(ADDRESS, "").partition(":")
    if session != session_name() or os.environ.get("OMP_NUM_THREADS", "1") != "1":
        return None
    request = {
        "arguments": list(arguments),
        "folder": os.getcwd(),  # noqa: PTH109 - pathlib takes 5 ms of each job
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
            signal.signal(number, lambda received, _: _pass_on_signal(pid, received))
        code = _receive_number(connection)
    if code is None:
        print(f"error: process {pid} ended without a word", file=sys.stderr)
        return 1
    return code


def _receive_number(connection: socket.socket) -> int | None:
    """None if the other side has closed."""
    content = connection.recv(NUMBER.size, socket.MSG_WAITALL)
    return NUMBER.unpack(content)[0] if len(content) == NUMBER.size else None


def _pass_on_signal(pid: int, number: int) -> None:
    try:  # noqa: SIM105 - so does contextlib
        os.kill(pid, number)
    except ProcessLookupError:
        pass
