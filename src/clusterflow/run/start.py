"""Starting a study: one Snakemake run in the current folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.records.files import check_output
from clusterflow.run.command import (
    BUNDLE,
    TABLES,
    choose_cores,
    computes,
    make_environment,
    refuse_other_study,
    results_folder,
    snakemake_command,
)
from clusterflow.run.fork_client import ADDRESS, can_fork, session_name
from clusterflow.run.lease import EXPIRES_S, RENEW_S, hold_folder
from clusterflow.run.leftovers import (
    SOCKET_PREFIX,
    sweep_pieces,
    sweep_sockets,
    sweep_temporaries,
)
from clusterflow.run.lock import clear_lock
from clusterflow.run.timing import (
    RunTime,
    job_times,
    measure_children_cpu_s,
    run_summary,
    time_summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.run.lease import HeldFolder

# Of room, with less of which a run is taken to have failed for want of it.
_FULL_BYTES = 1_000_000
_LONGEST_FOLDER = 107 - len("/clusterflow-12345678/socket")


@dataclass(frozen=True, slots=True)
class _End:
    """Exit code of Snakemake, and whether a signal has stopped it."""

    code: int
    stopped: bool


def run_study(
    *,
    configfiles: Sequence[Path],
    cores: int | None,
    snakemake_args: Sequence[str],
    bundle: str = "",
    parts: Sequence[str] = (),
) -> int:
    """Snakemake's exit code for the study of the current folder.

    Parameters
    ----------
    configfiles
        Laid over ``config.yaml``, later ones over earlier ones.
    cores
        How many to use; None for all of this machine, or as the profile says.
    snakemake_args
        Passed on to Snakemake, after and so above what is set here.
    bundle
        ``2/12`` for that part of the study, beside which others may run.
    parts
        Run in turn, in place of the whole at once. Tables are made where all before
        them are complete.

    Raises
    ------
    ClusterflowError
        If a setting is wrong, or another run still works in this folder.
    """
    refuse_other_study(snakemake_args)
    results = results_folder(configfiles, snakemake_args)
    check_output(results / "report.html")
    cores = choose_cores(cores, snakemake_args)
    command = snakemake_command(configfiles, cores, snakemake_args)
    if bundle:  # others are beside it; the lease is its lock
        command.append("--nolock")
    # Nobody sits before a batch job and starts it again.
    is_batch = "SLURM_JOB_ID" in os.environ
    with hold_folder(bundle, EXPIRES_S + RENEW_S if is_batch else 0.0) as held:
        if not bundle:
            clear_lock(held, configfiles)
        runs_jobs = computes(snakemake_args)
        if runs_jobs:
            sweep_temporaries(results)
        started, cpu_before = time.time(), measure_children_cpu_s()
        environment = make_environment()
        # A warm process takes a second to start, and a dry run has no use of it.
        server = fork_server(environment) if runs_jobs else nullcontext(environment)
        with server as environment:
            code = 0
            for part in parts or (bundle,):
                if part == TABLES and (code or not runs_jobs):
                    break
                if parts:
                    print(f"part: {part}", file=sys.stderr)
                end = _run_snakemake(
                    command,
                    environment | {BUNDLE: part},
                    held,
                    study=results.name,
                    configfiles=tuple(map(str, configfiles)),
                    cores=cores,
                )
                code = code or end.code
                if end.stopped:
                    break
    run = RunTime(
        started=started,
        elapsed_s=time.time() - started,
        cpu_s=measure_children_cpu_s() - cpu_before,
        cores=cores,
    )
    if code == 0 and runs_jobs and not bundle:
        sweep_pieces(results)
    _report_outcome(code, results, run if runs_jobs and not bundle else None)
    return code


@contextmanager
def fork_server(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment in which jobs find a warm process, which ends with the block."""
    parent = _find_short_folder()
    if not can_fork() or parent is None:
        yield environment
        return
    sweep_sockets(Path(parent))
    with tempfile.TemporaryDirectory(prefix=SOCKET_PREFIX, dir=parent) as folder:
        path = Path(folder) / "socket"
        # A group of its own: an interrupt reaches a job once, through its command.
        process = subprocess.Popen(
            [sys.executable, "-m", "clusterflow", "--warm", str(path)],
            env=environment,
            stdin=subprocess.PIPE,
            process_group=0,
        )
        try:
            yield {**environment, ADDRESS: f"{session_name()}:{path}"}
        finally:
            # With it goes what a killed command has left behind.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _find_short_folder() -> str | None:
    """A folder where a socket has room for its path, of 107 bytes; None if nowhere."""
    for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        is_short = len(os.fsencode(folder)) <= _LONGEST_FOLDER
        if is_short and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return None


def _run_snakemake(
    command: Sequence[str],
    environment: dict[str, str],
    held: HeldFolder,
    **note: object,
) -> _End:
    """How Snakemake ended, which runs in a process group of its own.

    The rest is noted beside its process number, for others to read.
    """
    # While Snakemake has one end of this, whoever has the other knows that it lives.
    told, alive = os.pipe()
    # Its own group gets each signal once, from us, whether it came from the keyboard
    # or from `kill`; a second Ctrl-C would cut short Snakemake's cleaning up.
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        process_group=0,
        pass_fds=[alive],
    )
    os.close(alive)
    with _forward_signals(process) as received, held.kept_alive(process.pid, told):
        os.close(told)
        held.note(process.pid, **note)
        code = process.wait()
    return _End(code if code >= 0 else 128 - code, stopped=code < 0 or bool(received))


@contextmanager
def _forward_signals(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Interrupts go to Snakemake and its jobs; a termination to Snakemake alone.

    The list is of those that have come.
    """
    received: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        received.append(number)
        os.killpg(process.pid, signal.SIGINT)

    def terminate(number: int, frame: object) -> None:
        received.append(number)
        process.send_signal(signal.SIGTERM)

    handlers = {
        signal.SIGINT: interrupt,
        signal.SIGHUP: interrupt,
        signal.SIGTERM: terminate,
    }
    before = {number: signal.getsignal(number) for number in handlers}
    try:
        for number, handler in handlers.items():
            if before[number] is not signal.SIG_IGN:  # nohup
                signal.signal(number, handler)
        yield received
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _tell_of_full_disk(results: Path) -> None:
    """Say that there is no room: a log on a full disk has none for its own error."""
    place = next(one for one in (results, *results.parents) if one.is_dir())
    free = shutil.disk_usage(place).free
    if free < _FULL_BYTES:
        print(f"error: {place}: {free // 1000} kB of room; make more", file=sys.stderr)


def _report_outcome(code: int, results: Path, run: RunTime | None) -> None:
    """Say where the results are, or where to look for what went wrong.

    Of a run of jobs also how long they took, for which it reads every record.
    """
    if code != 0:
        print(
            f"error: the run is not complete (exit {code}); "
            f"logs are in {results / 'logs'}; running again goes on from here",
            file=sys.stderr,
        )
        _tell_of_full_disk(results)
        return
    jobs = job_times(results) if run else ()
    if run and any(job.written >= run.started for job in jobs):
        print(time_summary(jobs))
        print(run_summary(run, jobs))
    for job in jobs:
        if job.given_up:
            print(f"hole: {job.given_up}", file=sys.stderr)
    report = results / "report.html"
    if report.is_file():
        print(f"report: {report}")
