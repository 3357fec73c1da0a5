"""Renew the lease of a run as long as Snakemake lives; a program of its own.

It outlives a killed `clusterflow run`, as Snakemake does, and ends with Snakemake,
which holds the other end of the pipe that is its standard input. Nothing but the
standard library, so that it starts in 20 ms.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path

# So long a run that is interrupted may take; one in the background ignores interrupts.
_GRACE_S = 10


def renew(path: Path, token: str, group: int, every_s: float) -> None:
    """Touch the lease until the pipe is closed.

    A run that was asleep for so long that another took its folder is stopped.
    """
    while not select.select([sys.stdin], [], [], every_s)[0]:
        try:
            if token in path.read_text(encoding="utf-8"):
                os.utime(path)  # by the clock of the file server
                continue
        except FileNotFoundError:
            pass
        except OSError:  # a file server that is away for a while
            continue
        print(f"error: {path}: another run has taken this folder", file=sys.stderr)
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ProcessLookupError):
                os.killpg(group, number)
            if select.select([sys.stdin], [], [], _GRACE_S)[0]:
                return
        return


if __name__ == "__main__":
    # It ends with Snakemake, and who is interrupted is Snakemake.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    renew(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
