"""Commands as a person types them, in the present folder."""

from __future__ import annotations

import subprocess
import sys


def call(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What a module run as a command has said, and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
