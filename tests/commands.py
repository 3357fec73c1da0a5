"""Commands as a person types them, in the present folder."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

from clusterflow.cli.app import main


def call(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What a module run as a command has said, and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def call_here(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The same of `clusterflow`, without the second that a process takes to start."""
    words = [*map(str, arguments)]
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
    with (
        warnings.catch_warnings(),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
    ):
        code = main(words)
    said = []
    for stream in streams:
        stream.flush()
        said.append(stream.buffer.getvalue().decode())
    return subprocess.CompletedProcess(words, code, *said)
