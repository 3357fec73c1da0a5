"""Starting a study: one Snakemake run in the current folder, and what it took."""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clusterflow.config import load_study, read_config
from clusterflow.errors import ClusterflowError
from clusterflow.io import write_atomic
from clusterflow.library import package_data
from clusterflow.models import Model
from clusterflow.stage_table import STAGES
from clusterflow.warm import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LOCKS = Path(".snakemake/locks")
STATE = Path(".snakemake/clusterflow-run.json")

# A process number may be given out again: its start must agree too, within the
# accuracy with which the kernel's clock is known.
START_TOLERANCE_S = 2.0

INTERPRETERS = ("python", "bash", "sh", "snakemake", "clusterflow")
WORKFLOW_PROGRAM = re.compile(r"(?:^|[\s/;])(?:snakemake|clusterflow)(?:\s|$)")


class RunState(Model):
    """Who holds the folder: written when Snakemake starts, removed when it ends."""

    host: str
    pid: int
    create_time: float
    study: str = ""
    configfiles: tuple[str, ...] = ()
    cores: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTime:
    """What one job took, from its record; `written` is the time stamp of the file."""

    stage: str
    wall_s: float
    engine_s: float
    written: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """What one run took; `cores` is None where a profile decides.

    `cpu_s` is user and system time of Snakemake and of all processes below it.
    """

    started: float
    elapsed_s: float
    cpu_s: float
    cores: int | None


def run_study(
    *, configfiles: Sequence[Path], cores: int | None, snakemake_args: Sequence[str]
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

    Raises
    ------
    ClusterflowError
        If a setting is wrong, or another run still works in this folder.
    """
    results = results_folder(configfiles, snakemake_args)
    cores = _cores(cores, snakemake_args)
    command = snakemake_command(configfiles, cores, snakemake_args)
    claim_folder(configfiles)
    started, cpu_before = time.time(), _children_cpu_s()
    with warm_process(_environment()) as environment:
        code = _run(
            command,
            environment,
            study=results.name,
            configfiles=tuple(map(str, configfiles)),
            cores=cores,
        )
    run = RunTime(
        started=started,
        elapsed_s=time.time() - started,
        cpu_s=_children_cpu_s() - cpu_before,
        cores=cores,
    )
    _report(code, results, run)
    return code


@contextmanager
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


def results_folder(configfiles: Sequence[Path], snakemake_args: Sequence[str]) -> Path:
    """``results/<study>`` for these settings.

    Raises
    ------
    ConfigError
        If a setting is wrong, before anything is started.
    """
    paths = study_configs(configfiles)
    study = load_study(read_config(paths), paths).study
    for argument in snakemake_args:  # --config study=name
        if argument.startswith("study="):
            study = argument.removeprefix("study=")
    return Path("results") / study


def study_configs(configfiles: Sequence[Path]) -> list[Path]:
    """The configuration files of the study here, later ones over earlier ones."""
    own = Path("config.yaml")
    return [*([own] if own.is_file() else []), *configfiles]


def snakemake_command(
    configfiles: Sequence[Path], cores: int | None, snakemake_args: Sequence[str]
) -> list[str]:
    """The command line that runs the study."""
    command = _snakemake(configfiles)
    command += _progress_flags(snakemake_args)
    profile = _data() / "workflow/profiles/default"
    own_profile = _has(snakemake_args, "--profile", "--workflow-profile")
    if profile.is_dir() and not own_profile:
        command += ["--workflow-profile", str(profile)]
    if cores is not None:
        command += ["--cores", str(cores)]
    # Flags without a list of values come last: targets may follow.
    command += ["--scheduler", "greedy", "--keep-going", "--rerun-incomplete"]
    return [*command, *_packaged_profile(snakemake_args)]


def _packaged_profile(arguments: Sequence[str]) -> list[str]:
    """The arguments with ``--profile slurm`` spelled out as the packaged one."""
    resolved = list(arguments)
    for index, (option, value) in enumerate(pairwise(arguments), start=1):
        packaged = _data() / "workflow/profiles" / Path(value).name
        names_profile = option in ("--profile", "--workflow-profile")
        if names_profile and packaged.is_dir() and not Path(value).is_dir():
            resolved[index] = str(packaged)
    return resolved


def claim_folder(configfiles: Sequence[Path] = ()) -> None:
    """Make sure that nobody works here; clear the lock of a run that is gone.

    Snakemake's own lock outlives a run that was killed and does not say whose it is.

    Raises
    ------
    ClusterflowError
        If somebody does, or could from another machine.
    """
    state = _read_state()
    here = platform.node()
    if state is not None and state.host == here and _is_alive(state):
        raise ClusterflowError(
            f"{Path.cwd()}: a run is under way (process {state.pid}); "
            f"wait for it, or stop it with: kill -INT {state.pid}"
        )
    if not (LOCKS.is_dir() and any(LOCKS.iterdir())):
        return
    if state is not None and state.host != here:
        raise ClusterflowError(
            f"{Path.cwd()}: locked by a run on {state.host} (process {state.pid}); "
            f"wait for it, or if it is gone delete {STATE} and start again"
        )
    _refuse_leftovers()
    _unlock(configfiles)


def current_run() -> RunState | None:
    """The run that holds the current folder; one of another machine counts as alive."""
    state = _read_state()
    if state is None or (state.host == platform.node() and not _is_alive(state)):
        return None
    return state


def job_times(folder: Path) -> tuple[JobTime, ...]:
    """What each job of a study took, from the records below its results folder."""
    times = (_job_time(path) for path in sorted(folder.rglob("*.json")))
    return tuple(found for found in times if found is not None)


def time_summary(jobs: Iterable[JobTime]) -> str:
    """A table of jobs, seconds and seconds inside the engine, for each stage.

    >>> print(time_summary([JobTime(stage="relax", wall_s=5.0, engine_s=4.5)]))
    stage   jobs   wall s   engine s
    ────────────────────────────────
    relax      1      5.0        4.5
    ────────────────────────────────
    total      1      5.0        4.5
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    everything = tuple(jobs)
    stages: dict[str, list[JobTime]] = defaultdict(list)
    for job in everything:
        stages[job.stage].append(job)
    known = [stage for stage in STAGES if stage in stages]
    ordered = known + sorted(stages.keys() - STAGES.keys())
    table = Table(box=box.SIMPLE, show_footer=True, show_edge=False, pad_edge=False)
    table.add_column("stage", "total")
    total = _time_cells(everything)
    for name, footer in zip(("jobs", "wall s", "engine s"), total, strict=True):
        table.add_column(name, footer, justify="right")
    for stage in ordered:
        table.add_row(stage, *_time_cells(stages[stage]))
    console = Console(force_terminal=False)
    with console.capture() as shown:
        console.print(table)
    return shown.get().rstrip("\n")


def run_summary(run: RunTime, jobs: Iterable[JobTime]) -> str:
    """Two lines: time, cores, and the share of it outside quantum chemistry.

    The share is 1 − (engine time of the records this run wrote) / (a total): the CPU
    time of Snakemake and all its jobs, and elapsed time × cores, which counts idle
    cores too. A job has one thread, so that its engine time compares with both. A total
    below the engine time says nothing and is left out: cores were shared with other
    programs, a job went on from an earlier run, or jobs ran on other machines.
    """
    fresh = [job for job in jobs if job.written >= run.started]
    engine_s = sum(job.engine_s for job in fresh)
    on = f" on {run.cores} cores" if run.cores is not None else ""
    totals = {
        "CPU time": run.cpu_s,
        "elapsed time × cores": run.elapsed_s * (run.cores or 0),
    }
    shares = [
        f"{1 - engine_s / total_s:.1%} of {name}"
        for name, total_s in totals.items()
        if total_s > 0 and total_s >= engine_s
    ]
    return (
        f"this run: {len(fresh)} records in {run.elapsed_s:.1f} s{on}; "
        f"CPU {run.cpu_s:.1f} s, inside the engine {engine_s:.1f} s\n"
        f"outside quantum chemistry: {', '.join(shares) or 'not known'}"
    )


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


def _snakemake(configfiles: Sequence[Path]) -> list[str]:
    command = [sys.executable, "-m", "snakemake", "-s", str(_data() / "Snakefile")]
    if configfiles:
        command += ["--configfile", *map(str, configfiles)]
    return command


def _data() -> Path:
    """The folder of the Snakefile: relative in a checkout, as a person would type."""
    data = package_data()
    own = Path("Snakefile")
    packaged = data / "Snakefile"
    same = own.is_file() and packaged.is_file() and own.samefile(packaged)
    return Path() if same else data


def _cores(cores: int | None, snakemake_args: Sequence[str]) -> int | None:
    decided = ("--cores", "-c", "--jobs", "-j", "--profile", "--executor", "-e")
    if cores is not None or _has(snakemake_args, *decided):
        return cores
    if hasattr(os, "sched_getaffinity"):  # what a batch system leaves of the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _progress_flags(snakemake_args: Sequence[str]) -> list[str]:
    """Bars on a terminal and a line for each rule elsewhere, but plans in full."""
    if _has(snakemake_args, "--logger", "--quiet", "-q", "--verbose"):
        return []
    # What computes nothing has its say in Snakemake's own words.
    plans = ("--dry-run", "--dryrun", "-n", "--lint", "--unlock", "--report")
    if _has(snakemake_args, *plans):
        return ["--quiet", "rules", "host", "reason"]
    return ["--logger", "clusterflow"]


def _has(arguments: Sequence[str], *options: str) -> bool:
    """Whether an option is given, as ``--long``, ``--long=x``, ``-s`` or ``-sx``."""
    long = {argument.split("=")[0] for argument in arguments}
    short = {argument[:2] for argument in arguments}
    return any(option in long or option in short for option in options)


def _run(
    command: Sequence[str],
    environment: dict[str, str],
    *,
    study: str,
    configfiles: tuple[str, ...],
    cores: int | None,
) -> int:
    """Exit code of Snakemake, which runs in a process group of its own.

    The rest is noted beside its process number, for others to read.
    """
    # Its own group gets each signal once, from us, whether it came from the keyboard
    # or from `kill`; a second Ctrl-C would cut short Snakemake's cleaning up.
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, process_group=0
    )
    try:
        with _forwarded_signals(process):
            _write_state(process.pid, study, configfiles, cores)
            code = process.wait()
    finally:
        STATE.unlink(missing_ok=True)
    return code if code >= 0 else 128 - code


def _environment() -> dict[str, str]:
    """This environment; rules find `clusterflow` next to this Python."""
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    # Not resolved: in a virtual environment the link's own folder is meant.
    folder = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    return environment


@contextmanager
def _forwarded_signals(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Interrupts go to Snakemake and its jobs; a termination to Snakemake alone."""

    def interrupt(number: int, frame: object) -> None:
        os.killpg(process.pid, signal.SIGINT)

    def terminate(number: int, frame: object) -> None:
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
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _write_state(
    pid: int, study: str, configfiles: tuple[str, ...], cores: int | None
) -> None:
    import psutil

    try:
        create_time = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:  # it failed at once
        return
    state = RunState(
        host=platform.node(),
        pid=pid,
        create_time=create_time,
        study=study,
        configfiles=configfiles,
        cores=cores,
    )
    write_atomic(STATE, state.model_dump_json() + "\n")


def _read_state() -> RunState | None:
    try:
        return RunState.model_validate_json(STATE.read_bytes())
    except (OSError, ValidationError):
        return None


def _is_alive(state: RunState) -> bool:
    import psutil

    try:
        process = psutil.Process(state.pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE
        off_s = abs(process.create_time() - state.create_time)
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


def _unlock(configfiles: Sequence[Path]) -> None:
    command = [*_snakemake(configfiles), "--unlock", "--cores", "1"]
    done = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ClusterflowError(f"{Path.cwd()}: cannot clear the stale lock: {reason}")
    print("cleared the lock of a run that is gone", file=sys.stderr)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _job_time(path: Path) -> JobTime | None:
    """None for a file that is no record: a summary must not end a finished study."""
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        provenance = record["provenance"]
        return JobTime(
            stage=str(record["stage"]),
            wall_s=float(provenance["wall_time_s"]),
            engine_s=float(provenance.get("engine_time_s", 0.0)),
            written=path.stat().st_mtime,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _time_cells(jobs: Sequence[JobTime]) -> tuple[str, str, str]:
    wall_s = sum(job.wall_s for job in jobs)
    engine_s = sum(job.engine_s for job in jobs)
    return str(len(jobs)), f"{wall_s:.1f}", f"{engine_s:.1f}"


def _report(code: int, results: Path, run: RunTime) -> None:
    """Say where the results are, or where to look for what went wrong."""
    if code != 0:
        print(
            f"error: the run is not complete (exit {code}); "
            f"logs are in {results / 'logs'}; running again goes on from here",
            file=sys.stderr,
        )
        return
    jobs = job_times(results)
    if any(job.written >= run.started for job in jobs):
        print(time_summary(jobs))
        print(run_summary(run, jobs))
    report = results / "report.html"
    if report.is_file():
        print(f"report: {report}")
