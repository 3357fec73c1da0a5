"""Stage level: the first level of the study at which a cluster's probes converge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.calculator import CalculationFailed

from clusterflow.core.domain import broken_limits, situation_of
from clusterflow.core.placement import place_adsorbate
from clusterflow.core.sites import find_sites
from clusterflow.core.spin import complex_multiplicities
from clusterflow.engines import check_elements
from clusterflow.errors import EngineError
from clusterflow.io import to_atoms
from clusterflow.records import LevelAttempt, LevelRecord, Probe, Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records import BuildRecord
    from clusterflow.specs import AdsorbateSpec, DomainSpec, LevelSpec
    from clusterflow.tasks.job import Job


def level(
    build: BuildRecord,
    levels: Sequence[LevelSpec],
    probes: Sequence[AdsorbateSpec],
    domain: Sequence[DomainSpec],
    job: Job,
) -> LevelRecord:
    """The first level made for the cluster whose probes converge on it.

    Probes are single points: the bare cluster, and each adsorbate on its first site.
    Convergence is not sanity, so a level that the domain table refuses for the cluster
    is not tried.
    """
    attempts: list[LevelAttempt] = []
    for candidate in levels:
        attempt = _attempt(build, candidate, probes, domain, job)
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


def why_no_auto(cluster: str, auto: bool, level: LevelSpec) -> str:
    """Why a cluster's ``multiplicity: auto`` cannot be had at a level; "" if it can."""
    if not auto or level.spin_polarised:
        return ""
    return (
        f"{cluster}: multiplicity auto needs a spin-polarised level, and "
        f"{level.name!r} is none: without spin polarisation low spin always wins; "
        "use spgfn1-xtb, or give a number"
    )


def _attempt(
    build: BuildRecord,
    candidate: LevelSpec,
    probes: Sequence[AdsorbateSpec],
    domain: Sequence[DomainSpec],
    job: Job,
) -> LevelAttempt:
    bare = build.structures[0]
    reason = why_no_auto(build.cluster, build.auto_multiplicity, candidate)
    reason = reason or _refusal(candidate, bare, domain)
    if reason:
        return LevelAttempt(
            level=candidate.name, accepted=False, reason=reason, probes=()
        )
    try:
        check_elements(candidate, bare.symbols, build.cluster)
        results = [
            _probe(name, structure, candidate, job)
            for name, structure in _with_probes(build, candidate, probes)
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


def _refusal(
    candidate: LevelSpec, bare: Structure, domain: Sequence[DomainSpec]
) -> str:
    """Why the domain table refuses a level for a cluster; "" if it does not."""
    here = situation_of(candidate, "*", bare, host=bare)
    return "; ".join(
        f"{entry.name}: {entry.description}; {entry.way_out}"
        for entry in broken_limits(here, domain)
        if entry.refuses
    )


def _with_probes(
    build: BuildRecord, candidate: LevelSpec, probes: Sequence[AdsorbateSpec]
) -> list[tuple[str, Structure]]:
    bare = build.structures[0]
    _, sites = find_sites(bare.symbols, np.array(bare.positions), roles=bare.roles)
    found = [("bare", bare)]
    for probe in probes:
        starts = place_adsorbate(
            bare,
            sites,
            probe,
            multiplicity=complex_multiplicities(bare, probe, candidate, build.cluster)[
                0
            ],
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
