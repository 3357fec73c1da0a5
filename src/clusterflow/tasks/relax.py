"""Stage relax: a bare cluster's starting geometries, brought to minima and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.engines import frontier_orbitals
from clusterflow.io import from_atoms, to_atoms
from clusterflow.records import Isomer, RelaxRecord
from clusterflow.tasks.job import settings_of
from clusterflow.tasks.relaxation import Relaxation, rattled, same_geometry

if TYPE_CHECKING:
    from clusterflow.config import RelaxSettings
    from clusterflow.records import BuildRecord, LevelRecord, Structure
    from clusterflow.specs import LevelSpec
    from clusterflow.tasks.job import Job

_SAME_ENERGY_EV = 0.005


def relax(
    build: BuildRecord, level: LevelRecord, settings: RelaxSettings, job: Job
) -> RelaxRecord:
    """Relaxed isomers of a cluster, lowest first, each once."""
    job.settings = settings_of(settings)
    isomers: list[Isomer] = []
    failures: dict[str, str] = {}
    for start in build.structures:
        if level.level is None:
            failures[start.name] = f"no level: {level.reason}"
            continue
        outcome = _relax_one(start, level.level, settings, job)
        if isinstance(outcome, str):
            failures[start.name] = outcome
        elif not any(_same(outcome, known) for known in isomers):
            isomers.append(outcome)
    isomers.sort(key=lambda isomer: isomer.energy_ev)
    return RelaxRecord(
        cluster=build.cluster,
        level=level.level,
        isomers=tuple(isomers),
        failures=failures,
        status="ok" if isomers else "failed",
        reason="" if isomers else "; ".join(f"{k}: {v}" for k, v in failures.items()),
        provenance=job.provenance(level.level),
    )


def _relax_one(
    start: Structure, level: LevelSpec, settings: RelaxSettings, job: Job
) -> Isomer | str:
    """The minimum below a geometry, or why there is none."""
    calculator = job.calculator(level, start.charge, start.multiplicity)
    relaxation = Relaxation(rattled(to_atoms(start), settings.rattle_a), calculator)
    outcome = relaxation.finish(settings.fmax_ev_per_a, settings.max_steps)
    if outcome != "converged":
        return f"{outcome}: {relaxation.reason}"
    orbitals = frontier_orbitals(level, calculator)
    charges = calculator.results.get("charges")
    return Isomer(
        structure=from_atoms(
            relaxation.atoms,
            charge=start.charge,
            multiplicity=start.multiplicity,
            name=start.name,
        ),
        energy_ev=relaxation.energy_ev,
        fmax_ev_per_a=relaxation.fmax_ev_per_a,
        n_gradients=relaxation.n_gradients,
        homo_ev=orbitals[0] if orbitals else None,
        lumo_ev=orbitals[1] if orbitals else None,
        charges=None if charges is None else tuple(float(q) for q in charges),
    )


def _same(first: Isomer, second: Isomer) -> bool:
    near = abs(first.energy_ev - second.energy_ev) < _SAME_ENERGY_EV
    return near and same_geometry(to_atoms(first.structure), to_atoms(second.structure))
