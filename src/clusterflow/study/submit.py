"""A study in a few batch jobs of SLURM, each a whole run on one node.

What all clusters share comes first, then bundles of clusters side by side, then the run
of the whole study, which makes the tables and whatever a bundle has left. SLURM keeps
the order: nothing has to live beside it, and what a lost node held is started again.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError
from clusterflow.run.command import study_configs
from clusterflow.run.lease import hold_folder
from clusterflow.run.lock import clear_lock
from clusterflow.settings import read_config
from clusterflow.study.bundles import split_study
from clusterflow.study.plan import Plan
from clusterflow.study.resources import memory_mb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Snakemake and the warm process, beside the jobs.
_RUN_MB = 500


@dataclass(frozen=True)
class Batch:
    """What to ask of SLURM: how many bundles, cores of each, and more for sbatch."""

    bundles: int
    cores: int
    options: tuple[str, ...] = ()


def submit_study(
    configfiles: Sequence[Path], batch: Batch, *, dry_run: bool = False
) -> Iterator[str]:
    """Send the study of the current folder to SLURM; a line for each batch job.

    Raises
    ------
    ClusterflowError
        If a setting is wrong, SLURM is not there or refuses, or the study is in the
        queue or under way.
    """
    paths = study_configs(configfiles)
    plan = Plan.from_config(read_config(paths), paths)
    number = len(split_study(plan, batch.bundles))
    study = _StudyJobs(plan, configfiles, batch)
    if dry_run:
        shared = study.command("shared", f"0/{number}")
        yield shlex.join(shared)
        for part in range(1, number + 1):
            yield shlex.join(
                study.command(str(part), f"{part}/{number}", "afterok:SHARED")
            )
        yield shlex.join(study.command("end", "", "afterany:ALL"))
        return
    if shutil.which("sbatch") is None:
        raise ClusterflowError(
            "sbatch: no such program here; submit where SLURM is, or use: "
            "clusterflow run"
        )
    study.refuse_queued()
    with hold_folder() as held:  # nobody is at work
        clear_lock(held, configfiles)
    study.logs.mkdir(parents=True, exist_ok=True)
    sent: list[str] = []
    try:
        sent.append(_call(study.command("shared", f"0/{number}")))
        for part in range(1, number + 1):
            after = f"afterok:{sent[0]}"
            sent.append(_call(study.command(str(part), f"{part}/{number}", after)))
        sent.append(_call(study.command("end", "", f"afterany:{':'.join(sent)}")))
    except ClusterflowError:
        if sent:  # a study without its end
            _call(["scancel", *sent])
        raise
    yield f"{sent[0]}  what the clusters share"
    for part, job in enumerate(sent[1:-1], start=1):
        yield f"{job}  bundle {part} of {number}"
    yield f"{sent[-1]}  tables and report"
    yield f"logs: {study.logs}; stop with: scancel {' '.join(sent)}"


@dataclass(frozen=True)
class _StudyJobs:
    """The batch jobs of one study."""

    plan: Plan
    configfiles: Sequence[Path]
    batch: Batch

    @property
    def name(self) -> str:
        return f"clusterflow-{self.plan.study.study}"

    @property
    def logs(self) -> Path:
        return Path("results") / self.plan.study.study / "logs/bundles"

    def command(self, name: str, bundle: str, after: str = "") -> list[str]:
        """The command that sends one run, after other jobs."""
        run = [sys.executable, "-m", "clusterflow", "run"]
        run += ["--cores", str(self.batch.cores)]
        run += ["--bundle", bundle] if bundle else []
        for path in self.configfiles:
            run += ["--configfile", str(path)]
        command = [
            *("sbatch", "--parsable", f"--job-name={self.name}-{name}"),
            *("--nodes=1", "--ntasks=1", f"--cpus-per-task={self.batch.cores}"),
            *("--requeue", "--open-mode=append", f"--output={self.logs / name}.log"),
        ]
        if not any(option.startswith("--mem") for option in self.batch.options):
            command.append(f"--mem={self._find_memory_mb()}")
        if after:
            # What can no longer come is not waited for.
            command += [f"--dependency={after}", "--kill-on-invalid-dep=yes"]
        return [*command, *self.batch.options, "--wrap", f"exec {shlex.join(run)}"]

    def refuse_queued(self) -> None:
        """Raise if jobs of this study are in the queue."""
        listed = _call(["squeue", "-h", "-u", getpass.getuser(), "-o", "%i|%Z|%j"])
        jobs = [
            number
            for number, folder, name in (
                line.split("|", 2) for line in listed.splitlines()
            )
            if name.rpartition("-")[0] == self.name and folder == os.getcwd()  # noqa: PTH109
        ]
        if jobs:
            raise ClusterflowError(
                f"{Path.cwd()}: the study is in the queue; wait, or stop it with: "
                f"scancel {' '.join(jobs)}"
            )

    def _find_memory_mb(self) -> int:
        sizes = [self.plan.library.cluster(n).n_atoms for n in self.plan.clusters]
        sizes += [self.plan.library.gas(n).n_atoms for n in self.plan.gases]
        largest = max(
            (self.plan.library.adsorbate(n).n_atoms for n in self.plan.adsorbates),
            default=0,
        )
        return _RUN_MB + self.batch.cores * memory_mb(max(sizes) + largest)


def _call(command: Sequence[str]) -> str:
    """What a program of SLURM says: for sbatch, the number of the job."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterflowError(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ClusterflowError(f"{command[0]}: {said}")
    # sbatch of several clusters: 12;name.
    return done.stdout.strip().partition(";")[0]
