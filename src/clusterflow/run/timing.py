"""What a run took: jobs, seconds, and the share outside the engine."""

from __future__ import annotations

import json
import resource
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clusterflow.run.watchdog import GIVEN_UP
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTime:
    """Wall and engine time of a job, s; `written` is the time stamp of its record.

    `given_up` has the name and the reason of a record whose job hung or crashed.
    """

    stage: str
    wall_s: float
    engine_s: float
    written: float = 0.0
    given_up: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """Start and duration of a run, s; `cores` is None where a profile decides.

    `cpu_s` is user and system time of Snakemake and of all processes below it.
    """

    started: float
    elapsed_s: float
    cpu_s: float
    cores: int | None


def job_times(folder: Path) -> tuple[JobTime, ...]:
    """Wall and engine times of the jobs of a study, from its records."""
    times = (_read_job_time(path) for path in sorted(folder.rglob("*.json")))
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
    total = _format_time_cells(everything)
    for name, footer in zip(("jobs", "wall s", "engine s"), total, strict=True):
        table.add_column(name, footer, justify="right")
    for stage in ordered:
        table.add_row(stage, *_format_time_cells(stages[stage]))
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


def measure_children_cpu_s() -> float:
    """CPU time of all processes that were waited for, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read_job_time(path: Path) -> JobTime | None:
    """None for a file that is no record: a summary must not end a finished study."""
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        provenance, reason = record["provenance"], str(record.get("reason", ""))
        is_given_up = reason.startswith(GIVEN_UP)
        return JobTime(
            stage=str(record["stage"]),
            wall_s=float(provenance["wall_time_s"]),
            engine_s=float(provenance.get("engine_time_s", 0.0)),
            written=path.stat().st_mtime,
            given_up=f"{path}: {reason}" if is_given_up else "",
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _format_time_cells(jobs: Sequence[JobTime]) -> tuple[str, str, str]:
    wall_s = sum(job.wall_s for job in jobs)
    engine_s = sum(job.engine_s for job in jobs)
    return str(len(jobs)), f"{wall_s:.1f}", f"{engine_s:.1f}"
