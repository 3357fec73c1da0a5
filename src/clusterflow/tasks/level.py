"""Stage level: the first level of the study at which a cluster's probes converge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.calculator import CalculationFailed

from clusterflow.core.placement import place_adsorbate
from clusterflow.core.sites import find_sites
from clusterflow.engines import check_elements
from clusterflow.errors import EngineError
from clusterflow.formula import lowest_multiplicity
from clusterflow.io import to_atoms
from clusterflow.records import LevelAttempt, LevelRecord, Probe, Structure

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from clusterflow.records import BuildRecord
    from clusterflow.specs import AdsorbateSpec, LevelSpec
    from clusterflow.tasks.job import Job


def level(
    build: BuildRecord,
    levels: Sequence[LevelSpec],
    probes: Sequence[AdsorbateSpec],
    job: Job,
) -> LevelRecord:
    """The first level made for the material whose probes converge on the cluster.

    Probes are single points: the bare cluster, and each adsorbate on its first site.
    Convergence is not sanity, so a level that its own file rules out for the material
    is not tried.
    """
    attempts: list[LevelAttempt] = []
    for candidate in levels:
        attempt = _attempt(build, candidate, probes, job)
        attempts.append(attempt)
        if attempt.accepted:
            break
    chosen = candidate if attempts[-1].accepted else None
    return LevelRecord(
        cluster=build.cluster,
        level=chosen,
        attempts=tuple(attempts),
        status="ok" if chosen else "failed",
        reason="" if chosen else "; ".join(f"{a.level}: {a.reason}" for a in attempts),
        provenance=job.provenance(chosen),
    )


def complex_multiplicity(host: Structure, adsorbate: AdsorbateSpec) -> int:
    """The lowest multiplicity that parity allows for the complex."""
    counts: Counter[str] = adsorbate.counts.copy()
    counts.update(host.symbols)
    return lowest_multiplicity(counts, host.charge + adsorbate.charge)


def _attempt(
    build: BuildRecord,
    candidate: LevelSpec,
    probes: Sequence[AdsorbateSpec],
    job: Job,
) -> LevelAttempt:
    bare = build.structures[0]
    ruled_out = candidate.not_for.get(build.material)
    if ruled_out is not None:
        reason = f"not for material {build.material}: {ruled_out}"
        return LevelAttempt(
            level=candidate.name, accepted=False, reason=reason, probes=()
        )
    try:
        check_elements(candidate, bare.symbols, build.cluster)
        results = [
            _probe(name, structure, candidate, job)
            for name, structure in _with_probes(bare, probes)
        ]
    except EngineError as error:
        return LevelAttempt(
            level=candidate.name, accepted=False, reason=str(error), probes=()
        )
    failed = [p.name for p in results if not p.converged]
    return LevelAttempt(
        level=candidate.name,
        accepted=not failed,
        reason=(
            f"no convergence for {', '.join(failed)}"
            if failed
            else f"all {len(results)} probes converged"
        ),
        probes=tuple(results),
    )


def _with_probes(
    bare: Structure, probes: Sequence[AdsorbateSpec]
) -> list[tuple[str, Structure]]:
    _, sites = find_sites(bare.symbols, np.array(bare.positions), roles=bare.roles)
    found = [("bare", bare)]
    for probe in probes:
        starts = place_adsorbate(
            bare,
            sites,
            probe,
            multiplicity=complex_multiplicity(bare, probe),
            max_starts=1,
        )
        found += [(f"+{probe.name}", start.structure) for start in starts]
    return found


def _probe(name: str, structure: Structure, candidate: LevelSpec, job: Job) -> Probe:
    atoms = to_atoms(structure)
    atoms.calc = job.calculator(candidate, structure.charge, structure.multiplicity)
    try:
        atoms.get_potential_energy()
    except CalculationFailed as error:
        return Probe(name=name, converged=False, reason=" ".join(str(error).split()))
    return Probe(name=name, converged=True)
