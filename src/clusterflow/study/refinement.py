"""How far DFT is in a study: points and hours, done and ahead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from clusterflow.errors import RecordError
from clusterflow.formula import list_multiplicities, lowest_multiplicity
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.files import read_record
from clusterflow.records.provenance import Record
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefineGasRecord,
    RefineRecord,
)
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.adsorption.ways_of_binding import ways_of_binding
from clusterflow.stage_table import stage_named
from clusterflow.stages.parts.dft_cost import PointTimes, count_basis, point_s

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from clusterflow.records.refinements import SinglePoint
    from clusterflow.study.plan import Plan

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """Single points by DFT, done and ahead, and their hours of one core.

    Before the search for minima each adsorbate counts as one point, afterwards each of
    its ways of binding. `budget_h` is what ends the choice of points; None: there is
    none, and all of them are computed.
    """

    n_done: int
    done_h: float
    n_ahead: int
    ahead_h: float
    basis: tuple[int, int] | None
    budget_h: float | None

    def __str__(self) -> str:
        done = f"{self.n_done} points done in {_format_h(self.done_h)}"
        if not self.n_ahead:
            return f"refinement: {done}, none ahead"
        most = "at most " if self.budget_h is not None else ""
        size = ""
        if self.basis is not None:
            size = f" of {self.basis[0]} to {self.basis[1]} basis functions"
        ahead = f"{most}{self.n_ahead} points{size}, about {_format_h(self.ahead_h)}"
        ahead += " of one core"
        if self.budget_h is not None:
            ahead += f", at most the budget of {self.budget_h:g} h"
        if not self.n_done:
            return f"refinement: {ahead}"
        return f"refinement: {done}; ahead {ahead}"


@dataclass(slots=True)
class _Tally:
    """Points that are there, and sizes and seconds by the model of those to come."""

    done: list[SinglePoint] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    ahead_s: float = 0.0
    n_ahead: int = 0


def measure_refinement(plan: Plan, folder: Path) -> Refinement | None:
    """Points of a study in its results folder; None where it refines nothing."""
    if not plan.refines:
        return None
    tally = _Tally()
    for level in plan.levels:
        for name in plan.gases:
            spec = plan.library.gas(name)
            gas = _read(folder, RefineGasRecord, level, name)
            if gas is not None:
                tally.done += [gas.point] if gas.point is not None else []
            else:
                _add_ahead(tally, plan, spec.counts, is_gas=True)
    for cluster in plan.clusters:
        bare = _read(folder, RefineBareRecord, cluster)
        if bare is not None:
            tally.done += [state for one in bare.isomers for state in one.states]
        else:
            own = plan.library.cluster(cluster)
            _add_ahead(tally, plan, own.counts, charge=own.charge)
        for adsorbate in plan.refined_of(cluster):
            _count_adsorbate(tally, plan, folder, (cluster, adsorbate))
    times = PointTimes.of(tally.done, plan.library.level(plan.study.refine.level))
    budget_h = plan.study.refine.budget_h if plan.refine_rounds else None
    ahead_h = times.factor * tally.ahead_s / 3600
    if budget_h is not None:
        ahead_h = min(ahead_h, max(budget_h - times.spent_h, 0.0))
    return Refinement(
        n_done=len(tally.done),
        done_h=times.spent_h,
        n_ahead=tally.n_ahead,
        ahead_h=ahead_h,
        basis=(min(tally.sizes), max(tally.sizes)) if tally.sizes else None,
        budget_h=budget_h,
    )


def _count_adsorbate(
    tally: _Tally, plan: Plan, folder: Path, name: tuple[str, str]
) -> None:
    last = _read(folder, RefineRecord, *name)
    rounds = range(plan.refine_rounds - 1, 0, -1)
    earlier = (_read(folder / "rounds" / str(n), RefineRecord, *name) for n in rounds)
    found = last or next((one for one in earlier if one is not None), None)
    if found is not None and (last is not None or found.minima):
        tally.done += [state for one in found.minima for state in one.states]
        return
    cluster, adsorbate = (
        plan.library.cluster(name[0]),
        plan.library.adsorbate(name[1]).counts,
    )
    adsorbed = _read(folder, AdsorbRecord, *name)
    n_points = 1
    if adsorbed is not None:
        vibrated = _read(folder, VibrateRecord, *name)
        n_points = len(ways_of_binding(adsorbed, vibrated))
    for _ in range(n_points):
        _add_ahead(
            *(tally, plan, cluster.counts + adsorbate),
            charge=cluster.charge,
            adsorbate=adsorbate,
        )


def _add_ahead(
    tally: _Tally,
    plan: Plan,
    counts: Counter[str],
    *,
    charge: int = 0,
    adsorbate: Counter[str] | None = None,
    is_gas: bool = False,
) -> None:
    level = plan.library.level(plan.study.refine.level)
    states = list_multiplicities(
        lowest_multiplicity(counts, charge),
        others=plan.study.refine.other_multiplicities and not is_gas,
    )
    tally.n_ahead += len(states)
    tally.ahead_s += sum(
        point_s(level, counts, charge, multiplicity=one, adsorbate=adsorbate)
        for one in states
    )
    if level.dft is not None:
        tally.sizes.append(count_basis(counts, level.dft.basis))


def _read(folder: Path, model: type[R], *subject: str) -> R | None:
    """A record below a folder; None if it is not there, or half of it."""
    row = stage_named(str(model.model_fields["stage"].default))
    path = folder / row.path(*subject)
    try:
        return read_record(path, model) if path.is_file() else None
    except RecordError:
        return None


def _format_h(hours: float) -> str:
    return f"{hours:.0f} h" if hours >= 10 else f"{hours:.2g} h"
