"""How far a study is: its records on disk beside what its plan asks for.

Snakemake is not asked, so that this works from another terminal while it runs. A record
that a changed setting will replace counts as done until then.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterflow.run.command import study_configs
from clusterflow.run.lease import current_run
from clusterflow.run.progress import JobTimes
from clusterflow.settings import read_config
from clusterflow.stage_table import STAGES, read_name, stage_named
from clusterflow.study.plan import Plan
from clusterflow.study.refinement import measure_refinement
from clusterflow.study.resources import gradient_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.run.lease import RunHolder
    from clusterflow.study.refinement import Refinement


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """Records of one stage: there, there as failed, and still to come."""

    stage: str
    done: int
    failed: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyProgress:
    """Records of a study by stage, the run under way, and the time left.

    `left_s` is a rough estimate of the seconds of work that is left, on one core: the
    mean wall time of the same stage on the same cluster, else on the others, scaled by
    what a gradient costs at their sizes, for each record that is missing; None where
    nothing was recorded to estimate it from.
    `left_is_partial` says that a stage without any record is not in it. `refinement`
    counts the single points by DFT, where the study has some.
    """

    study: str
    results: str
    stages: tuple[StageProgress, ...]
    run: RunHolder | None
    elapsed_s: float | None
    left_s: float | None
    left_is_partial: bool
    refinement: Refinement | None = None

    @property
    def cores(self) -> int:
        """Cores of the run that is under way; one without a run."""
        return (self.run.cores if self.run else None) or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlannedRecord:
    """One record of the plan; `wall_s` is None while it is not there."""

    stage: str
    subject: str
    failed: bool = False
    wall_s: float | None = None


def study_progress(configfiles: Sequence[Path] = ()) -> StudyProgress:
    """Progress of the study of the current folder.

    Parameters
    ----------
    configfiles
        Laid over ``config.yaml``; by default those of the run that is under way.

    Raises
    ------
    ConfigError
        If a setting is wrong.
    LibraryError
        If the study names what is in no library.
    """
    run = current_run()
    overlays = list(configfiles) or [Path(p) for p in (run.configfiles if run else ())]
    paths = study_configs(overlays)
    config = read_config(paths)
    if run is not None and run.study and not configfiles:
        config["study"] = run.study
    plan = Plan.from_config(config, paths)
    folder = Path("results") / plan.study.study
    paths = [
        *plan.records(str(folder)),
        *(folder / stage.path() for stage in STAGES.values() if not stage.of),
    ]
    jobs = [_read_planned_record(path, folder) for path in paths]
    missing = [job for job in jobs if job.wall_s is None]
    atoms = {name: plan.library.cluster(name).counts for name in plan.clusters}
    times = _estimate_times_left(missing, jobs, atoms)
    return StudyProgress(
        study=plan.study.study,
        results=str(folder),
        stages=tuple(_summarise_stage(name, jobs) for name in STAGES),
        run=run,
        elapsed_s=time.time() - run.create_time if run else None,
        left_s=sum(times) if times or not missing else None,
        left_is_partial=len(times) < len(missing),
        refinement=measure_refinement(plan, folder),
    )


def to_json(found: StudyProgress) -> dict[str, Any]:
    """The progress as plain data."""
    return {
        "study": found.study,
        "results": found.results,
        "running": found.run is not None,
        "run": found.run.model_dump(mode="json") if found.run else None,
        "elapsed_s": found.elapsed_s,
        "left_s": None if found.left_s is None else found.left_s / found.cores,
        "left_is_partial": found.left_is_partial,
        "cores": found.cores,
        "refinement": found.refinement and asdict(found.refinement),
        "stages": [
            {"stage": s.stage, "done": s.done, "failed": s.failed, "waiting": s.waiting}
            for s in found.stages
        ],
    }


def _read_planned_record(path: Path, folder: Path) -> _PlannedRecord:
    """A record of the plan as it is on disk; one that is half-read is not there."""
    row, of = read_name(path.relative_to(folder))
    # adsorb/Cu4/CO.json and relax/Cu4.json are of Cu4.
    stage, subject = row.name, of[0] if of else row.name
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        wall_s = float(record["provenance"]["wall_time_s"])
        failed = record["status"] == "failed"
    except (OSError, ValueError, KeyError, TypeError):
        return _PlannedRecord(stage=stage, subject=subject)
    return _PlannedRecord(stage=stage, subject=subject, failed=failed, wall_s=wall_s)


def _summarise_stage(name: str, jobs: Iterable[_PlannedRecord]) -> StageProgress:
    own = [job for job in jobs if job.stage == name]
    there = [job for job in own if job.wall_s is not None]
    failed = sum(job.failed for job in there)
    return StageProgress(
        stage=name,
        done=len(there) - failed,
        failed=failed,
        waiting=len(own) - len(there),
    )


def _estimate_times_left(
    missing: Sequence[_PlannedRecord],
    jobs: Sequence[_PlannedRecord],
    atoms: Mapping[str, Mapping[str, int]],
) -> list[float]:
    """Seconds of each missing record of which there are others to judge by.

    What has no size, such as a molecule, takes the mean of its stage.
    """
    times = JobTimes()
    for job in jobs:
        if job.wall_s is not None:
            times.add(job.wall_s, job.stage, job.subject, _estimate_cost_s(job, atoms))
    expected = (
        times.expect_s(job.stage, job.subject, _estimate_cost_s(job, atoms))
        for job in missing
    )
    return [left_s for left_s in expected if left_s is not None]


def _estimate_cost_s(
    job: _PlannedRecord, atoms: Mapping[str, Mapping[str, int]]
) -> float:
    """What a gradient costs on the cluster of a job; 1 where no gradients are made."""
    if not stage_named(job.stage).gradients or job.subject not in atoms:
        return 1.0
    return gradient_s(atoms[job.subject])
