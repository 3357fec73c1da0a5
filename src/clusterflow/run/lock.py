"""Snakemake's locks of the dead, and processes that killed runs left behind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError
from clusterflow.run.command import make_base_command, make_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.run.lease import HeldFolder

LOCKS = Path(".snakemake/locks")

INTERPRETERS = ("python", "bash", "sh", "snakemake", "clusterflow")
WORKFLOW_PROGRAM = re.compile(r"(?:^|[\s/;])(?:snakemake|clusterflow)(?:\s|$)")


def clear_lock(held: HeldFolder, configfiles: Sequence[Path] = ()) -> None:
    """Clear Snakemake's lock of a run that is gone, once the folder is held.

    Raises
    ------
    ClusterflowError
        If its jobs, or a Snakemake without a lease, still work here.
    """
    is_locked = LOCKS.is_dir() and any(LOCKS.iterdir())
    if is_locked or held.taken_over:
        _refuse_leftovers()
    if is_locked:
        _unlock_folder(configfiles)


def runs_workflow(cmdline: Sequence[str]) -> bool:
    """Whether a command line is one of snakemake or clusterflow, or of their jobs.

    >>> runs_workflow(["/bin/bash", "-c", "set -eu; clusterflow relax --output x"])
    True
    >>> runs_workflow(["/opt/clusterflow/bin/python", "-m", "pytest"])
    False
    """
    if not cmdline or not Path(cmdline[0]).name.startswith(INTERPRETERS):
        return False
    if WORKFLOW_PROGRAM.search(Path(cmdline[0]).name):
        return True
    # The first word that is no option: the script, the module, or the text after -c.
    program = next((word for word in cmdline[1:] if not word.startswith("-")), "")
    return bool(WORKFLOW_PROGRAM.search(program))


def _refuse_leftovers() -> None:
    """Raise if jobs of a killed run, or another run, still work in this folder."""
    import psutil

    own = {process.pid for process in [psutil.Process(), *psutil.Process().parents()]}
    here = str(Path.cwd())
    left = [
        process
        for process in psutil.process_iter(["cwd", "cmdline"])
        if process.pid not in own
        and process.info["cwd"] == here
        and runs_workflow(process.info["cmdline"] or [])
    ]
    if left:
        numbers = " ".join(str(process.pid) for process in left)
        what = " ".join(" ".join(left[0].info["cmdline"]).split())
        raise ClusterflowError(
            f"{here}: locked, and processes still work here ({what[:100]}); "
            f"wait until they end, or stop them with: kill {numbers}"
        )


def _unlock_folder(configfiles: Sequence[Path]) -> None:
    command = [*make_base_command(configfiles), "--unlock", "--cores", "1"]
    done = subprocess.run(
        command, env=make_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ClusterflowError(f"{Path.cwd()}: cannot clear the stale lock: {reason}")
    print("cleared the lock of a run that is gone", file=sys.stderr)
