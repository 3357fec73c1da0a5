"""Stage relax: a bare cluster's starting geometries, brought to minima and ranked."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.engines import check_elements
from clusterflow.errors import EngineError
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import (
    BuildRecord,
    Isomer,
    LevelRecord,
    RelaxRecord,
    SpinState,
)
from clusterflow.science.clusters.shared_level import shared_level
from clusterflow.science.clusters.spin import (
    ALWAYS_TRIED,
    by_energy,
    cluster_multiplicities,
)
from clusterflow.settings import RelaxSettings
from clusterflow.stages.level import why_no_auto
from clusterflow.stages.parts.isomer_search import search_isomers
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.relaxation import Relaxation, rattled, same_geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.engines.calculator import EngineCalculator
    from clusterflow.library.clusters import Role
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.clusters import IsomerSearchResult
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

_SAME_ENERGY_EV = 0.005


def relax(
    build: BuildRecord,
    level: LevelRecord,
    settings: RelaxSettings,
    job: Job,
    peers: Sequence[LevelRecord] = (),
) -> RelaxRecord:
    """Relaxed isomers of a cluster, lowest first, each once.

    Where the multiplicity is to be found, every start is relaxed with each candidate,
    because a geometry relaxed for one spin favours that spin; the lowest is kept.
    Where the cluster asks for a search, what it finds is relaxed beside the structures.

    Parameters
    ----------
    level
        What the stage `level` found for the cluster.
    peers
        The same for the clusters that are to share its level.

    Raises
    ------
    EngineError
        If the multiplicity is to be found at a level without spin polarisation, or the
        level has no parameters for an element.
    """
    job.settings = settings_of(settings)
    level = shared_level(level, peers)
    auto = build.auto_multiplicity
    if level.level and (why_not := why_no_auto(build.cluster, auto, level.level)):
        raise EngineError(why_not)
    if level.level:
        check_elements(level.level, build.structures[0].symbols, build.cluster)
    isomers: list[Isomer] = []
    failures: dict[str, str] = {}
    tried: list[SpinState] = []
    searched = _run_isomer_search(build, level, job)
    found = [c.structure for c in searched.candidates] if searched else []
    for start in (*build.structures, *found):
        if level.level is None:
            failures[start.name] = f"no level: {level.reason}"
            continue
        outcomes = _relax_spins(
            _vary_multiplicity(start, auto), level.level, settings, job
        )
        outcome = _pick_lowest_isomer(list(outcomes.values()))
        tried += [_make_spin_state(m, found) for m, found in outcomes.items()]
        if isinstance(outcome, str):
            failures[start.name] = outcome
        elif not any(same_isomer(outcome, known) for known in isomers):
            isomers.append(outcome)
    isomers.sort(key=lambda isomer: isomer.energy_ev)
    return RelaxRecord(
        cluster=build.cluster,
        level=level.level,
        isomers=tuple(isomers),
        failures=failures,
        spin_states=_pick_best_spin_states(tried) if auto else (),
        search=searched,
        status="ok" if isomers else "failed",
        reason="" if isomers else "; ".join(f"{k}: {v}" for k, v in failures.items()),
        provenance=job.provenance(level.level),
    )


def _run_isomer_search(
    build: BuildRecord, level: LevelRecord, job: Job
) -> IsomerSearchResult | None:
    """What a global search finds, where the cluster's YAML asks for one."""
    if build.search is None or level.level is None:
        return None
    at = build.search_level or level.level
    return search_isomers(build.structures, build.search, at, job)


def relaxed_isomer(
    start: Structure,
    level: LevelSpec,
    settings: RelaxSettings,
    job: Job,
    *,
    auto_multiplicity: bool = False,
) -> Isomer | str:
    """The minimum below a geometry in its lowest spin state, or why there is none."""
    spins = _vary_multiplicity(start, auto_multiplicity)
    return _pick_lowest_isomer(list(_relax_spins(spins, level, settings, job).values()))


def _vary_multiplicity(start: Structure, auto: bool) -> list[Structure]:
    """A start with each multiplicity to be tried."""
    if not auto:
        return [start]
    return [
        start.model_copy(update={"multiplicity": multiplicity})
        for multiplicity in cluster_multiplicities(start)
    ]


def _relax_spins(
    spins: list[Structure], level: LevelSpec, settings: RelaxSettings, job: Job
) -> dict[int, Isomer | str]:
    """What becomes of a start with each multiplicity, until more bring nothing."""
    outcomes: dict[int, Isomer | str] = {}
    for spin in spins:
        found = list(outcomes.values())
        if len(found) >= ALWAYS_TRIED and _pick_lowest_isomer(found) is not found[-1]:
            break
        outcomes[spin.multiplicity] = _relax_geometry(spin, level, settings, job)
    return _retry_from_lowest(outcomes, level, settings, job)


def _retry_from_lowest(
    outcomes: dict[int, Isomer | str],
    level: LevelSpec,
    settings: RelaxSettings,
    job: Job,
) -> dict[int, Isomer | str]:
    """Outcomes, each also sought from the lowest minimum of all.

    A start that is no minimum may fall far with one multiplicity and stay with the
    others: the geometry then decides, and not the spin.
    """
    crossed = dict(outcomes)
    best = None
    while (
        len(outcomes) > 1
        and (lowest := _pick_lowest_isomer(list(crossed.values()))) is not best
    ):
        if isinstance(lowest, str):
            break
        best = lowest
        for multiplicity, found in crossed.items():
            start = best.structure.model_copy(update={"multiplicity": multiplicity})
            if found is not best and _lies_below(start, found, level, job):
                again = _relax_geometry(start, level, settings, job)
                crossed[multiplicity] = _pick_lowest_isomer([found, again])
    return crossed


def _lies_below(
    start: Structure, found: Isomer | str, level: LevelSpec, job: Job
) -> bool:
    """Whether a geometry is lower than what its multiplicity has found so far."""
    relaxation = Relaxation(
        to_atoms(start), job.calculator(level, start.charge, start.multiplicity)
    )
    if relaxation.run(np.inf, 0) == "scf-failed":
        return False
    if isinstance(found, str):
        return True
    return relaxation.energy_ev < found.energy_ev - _SAME_ENERGY_EV


def _pick_lowest_isomer(outcomes: list[Isomer | str]) -> Isomer | str:
    """The lowest minimum among outcomes, or why there is none."""
    found = [outcome for outcome in outcomes if isinstance(outcome, Isomer)]
    if not found:
        return "; ".join(str(outcome) for outcome in outcomes)
    return min(found, key=lambda isomer: isomer.energy_ev)


def _make_spin_state(multiplicity: int, outcome: Isomer | str) -> SpinState:
    if isinstance(outcome, str):
        return SpinState(multiplicity=multiplicity, energy_ev=None, reason=outcome)
    return SpinState(multiplicity=multiplicity, energy_ev=outcome.energy_ev)


def _pick_best_spin_states(tried: list[SpinState]) -> tuple[SpinState, ...]:
    """The best of each multiplicity over all starts, lowest first, failed ones last."""
    best: dict[int, SpinState] = {}
    for state in sorted(tried, key=by_energy):
        best.setdefault(state.multiplicity, state)
    return tuple(best.values())


def _relax_geometry(
    start: Structure, level: LevelSpec, settings: RelaxSettings, job: Job
) -> Isomer | str:
    """The minimum below a geometry, or why there is none."""
    calculator = job.calculator(level, start.charge, start.multiplicity)
    relaxation = Relaxation(rattled(to_atoms(start), settings.rattle_a), calculator)
    outcome = relaxation.finish(settings.fmax_ev_per_a, settings.max_steps)
    if outcome != "converged":
        return f"{outcome}: {relaxation.reason}"
    # The last geometry the engine was asked about may be another one.
    relaxation.atoms.get_potential_energy()
    orbitals = calculator.frontier_orbitals()
    by_role = _sum_weights_by_role(start, calculator)
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
        homo_by_role=by_role[0] if by_role else None,
        lumo_by_role=by_role[1] if by_role else None,
    )


def _sum_weights_by_role(
    structure: Structure, calculator: EngineCalculator
) -> list[dict[Role, float]] | None:
    """Shares of each role in HOMO and LUMO, for a cluster on or in a support."""
    if "support" not in structure.roles:
        return None
    weights = calculator.frontier_weights()
    if weights is None:
        return None
    roles = np.array(structure.roles)
    return [
        {
            role: float(row[roles == role].sum())
            for role in dict.fromkeys(structure.roles)
        }
        for row in weights
    ]


def same_isomer(first: Isomer, second: Isomer) -> bool:
    """Whether two relaxed geometries are one minimum."""
    near = abs(first.energy_ev - second.energy_ev) < _SAME_ENERGY_EV
    return near and same_geometry(to_atoms(first.structure), to_atoms(second.structure))


def run(inputs: Inputs, job: Job) -> RelaxRecord:
    """Relax a cluster at the level that it shares with its peers."""
    settings = inputs.settings(RelaxSettings)
    if inputs.request.as_given:
        # No force is above this limit, so that one gradient ends the relaxation.
        still = {"fmax_ev_per_a": inf, "rattle_a": 0.0}
        settings = settings.model_copy(update=still)
    return relax(
        inputs.one(BuildRecord),
        inputs.one(LevelRecord),
        settings,
        job,
        inputs.peers(LevelRecord),
    )


def give_up(inputs: Inputs, job: Job, reason: str) -> RelaxRecord:
    """No isomer, because the job that was to relax them crashed."""
    level = inputs.one(LevelRecord).level
    return RelaxRecord(
        cluster=inputs.one(BuildRecord).cluster,
        level=level,
        isomers=(),
        status="failed",
        reason=reason,
        provenance=job.provenance(level),
    )
