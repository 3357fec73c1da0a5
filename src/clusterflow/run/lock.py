"""Who works in a folder: the run noted there, and locks of the dead."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from clusterflow.errors import ClusterflowError
from clusterflow.model import Model
from clusterflow.records.files import write_atomic
from clusterflow.run.command import make_base_command, make_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCKS = Path(".snakemake/locks")
HOLDER = Path(".snakemake/clusterflow-run.json")

# A process number may be given out again: its start must agree too, within the
# accuracy with which the kernel's clock is known.
START_TOLERANCE_S = 2.0

INTERPRETERS = ("python", "bash", "sh", "snakemake", "clusterflow")
WORKFLOW_PROGRAM = re.compile(r"(?:^|[\s/;])(?:snakemake|clusterflow)(?:\s|$)")


class RunHolder(Model):
    """The run that holds the folder; written when it starts, removed when it ends."""

    host: str
    pid: int
    create_time: float
    study: str = ""
    configfiles: tuple[str, ...] = ()
    cores: int | None = None


def claim_folder(configfiles: Sequence[Path] = ()) -> None:
    """Make sure that nobody works here; clear the lock of a run that is gone.

    Snakemake's own lock outlives a run that was killed and does not say whose it is.

    Raises
    ------
    ClusterflowError
        If somebody does, or could from another machine.
    """
    holder = _read_holder()
    here = platform.node()
    if holder is not None and holder.host == here and _is_alive(holder):
        raise ClusterflowError(
            f"{Path.cwd()}: a run is under way (process {holder.pid}); "
            f"wait for it, or stop it with: kill -INT {holder.pid}"
        )
    if not (LOCKS.is_dir() and any(LOCKS.iterdir())):
        return
    if holder is not None and holder.host != here:
        raise ClusterflowError(
            f"{Path.cwd()}: locked by a run on {holder.host} (process {holder.pid}); "
            f"wait for it, or if it is gone delete {HOLDER} and start again"
        )
    _refuse_leftovers()
    _unlock_folder(configfiles)


def current_run() -> RunHolder | None:
    """The run that holds the current folder; one of another machine counts as alive."""
    holder = _read_holder()
    if holder is None or (holder.host == platform.node() and not _is_alive(holder)):
        return None
    return holder


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


def write_holder(
    pid: int, study: str, configfiles: tuple[str, ...], cores: int | None
) -> None:
    """Note the run in the folder, for others to read."""
    import psutil

    try:
        create_time = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:  # it failed at once
        return
    holder = RunHolder(
        host=platform.node(),
        pid=pid,
        create_time=create_time,
        study=study,
        configfiles=configfiles,
        cores=cores,
    )
    write_atomic(HOLDER, holder.model_dump_json() + "\n")


def _read_holder() -> RunHolder | None:
    try:
        return RunHolder.model_validate_json(HOLDER.read_bytes())
    except (OSError, ValidationError):
        return None


def _is_alive(holder: RunHolder) -> bool:
    import psutil

    try:
        process = psutil.Process(holder.pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE
        off_s = abs(process.create_time() - holder.create_time)
    except psutil.NoSuchProcess:
        return False
    return bool(off_s < START_TOLERANCE_S and not zombie)


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
