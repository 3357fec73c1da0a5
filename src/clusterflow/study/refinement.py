"""How far DFT is in a study: points, relaxations and hours, done and ahead."""

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
    RefineRelaxRecord,
    RefineSecondRecord,
)
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.adsorption.ways_of_binding import ways_of_binding
from clusterflow.stage_table import stage_named
from clusterflow.stages.parts.dft_cost import (
    PointTimes,
    count_basis,
    point_s,
    relaxation_s,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from clusterflow.records.refinements import Recomputation, SinglePoint
    from clusterflow.study.plan import Plan

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What is relaxed by DFT or computed at a second level, with its hours of one core.

    No budget ends it. Before it is known which adsorbates decide, each that is refined
    counts: `at_most`.
    """

    n_done: int
    done_h: float
    n_relaxations: int
    n_points: int
    ahead_h: float
    at_most: bool

    def __str__(self) -> str:
        parts = []
        if self.n_done:
            parts.append(f"{self.n_done} done in {_format_h(self.done_h)}")
        ahead = [
            f"{n} {what}"
            for n, what in (
                (self.n_relaxations, "relaxations"),
                (self.n_points, "points at the second level"),
            )
            if n
        ]
        if ahead:
            most = "at most " if self.at_most else ""
            hours = f"about {_format_h(self.ahead_h)} more"
            parts.append(f"{most}{' and '.join(ahead)} ahead, {hours}")
        return "to measure errors " + ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """Single points by DFT, done and ahead, and their hours of one core.

    Before the search for minima each adsorbate counts as one point, afterwards each of
    its ways of binding. `budget_h` is what ends the choice of points; None: there is
    none, and all of them are computed. `again` is what comes on top to measure what
    they are off by; None: nothing is asked for.
    """

    n_done: int
    done_h: float
    n_ahead: int
    ahead_h: float
    basis: tuple[int, int] | None
    budget_h: float | None
    again: Again | None = None

    def __str__(self) -> str:
        more = "" if self.again is None else f"; {self.again}"
        return f"refinement: {self._describe_points()}{more}"

    def _describe_points(self) -> str:
        done = f"{self.n_done} points done in {_format_h(self.done_h)}"
        if not self.n_ahead:
            return f"{done}, none ahead"
        most = "at most " if self.budget_h is not None else ""
        size = ""
        if self.basis is not None:
            size = f" of {self.basis[0]} to {self.basis[1]} basis functions"
        ahead = f"{most}{self.n_ahead} points{size}, about {_format_h(self.ahead_h)}"
        ahead += " of one core"
        if self.budget_h is not None:
            ahead += f", at most the budget of {self.budget_h:g} h"
        if not self.n_done:
            return ahead
        return f"{done}; ahead {ahead}"


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
        again=_measure_again(plan, folder, times.factor),
    )


@dataclass(slots=True)
class _AgainTally:
    """What is there of relaxations and second points, and what is to come."""

    plan: Plan
    done: list[SinglePoint] = field(default_factory=list)
    n_relaxations: int = 0
    n_points: int = 0
    ahead_s: float = 0.0

    def add_relaxation(
        self, counts: Counter[str], charge: int = 0, adsorbate: str = ""
    ) -> None:
        level = self.plan.library.level(self.plan.study.refine.level)
        self.n_relaxations += 1
        self.ahead_s += relaxation_s(
            level, counts, charge, adsorbate=self._find_counts(adsorbate)
        )

    def add_point(
        self, counts: Counter[str], charge: int = 0, adsorbate: str = ""
    ) -> None:
        second = self.plan.study.refine.second_level
        assert second is not None
        self.n_points += 1
        self.ahead_s += point_s(
            self.plan.library.level(second),
            counts,
            charge,
            adsorbate=self._find_counts(adsorbate),
        )

    def _find_counts(self, adsorbate: str) -> Counter[str] | None:
        return self.plan.library.adsorbate(adsorbate).counts if adsorbate else None


def _measure_again(plan: Plan, folder: Path, factor: float) -> Again | None:
    """What `refine.relax` and `refine.second_level` ask for; None for neither."""
    refine = plan.study.refine
    if not refine.relax and refine.second_level is None:
        return None
    tally, at_most = _AgainTally(plan), False
    for level in plan.levels:
        for name in plan.gases:
            _count_gas_again(tally, _read(folder, RefineGasRecord, level, name), name)
    for cluster in plan.clusters:
        relaxed = _read(folder, RefineRelaxRecord, cluster)
        names = plan.relaxed_of(cluster)
        if relaxed is not None:
            tally.done += _list_points(relaxed)
        elif names:
            _count_ahead(tally.add_relaxation, plan, cluster, names)
        second = _read(folder, RefineSecondRecord, cluster)
        if second is not None:
            tally.done += _list_points(second)
        elif plan.compares(cluster):
            names, wanted = plan.refined_of(cluster), refine.second_species
            if wanted == "determining":
                at_most = True
            else:
                names = tuple(name for name in names if name in wanted)
            _count_ahead(tally.add_point, plan, cluster, names)
    return Again(
        n_done=len(tally.done),
        done_h=sum(point.wall_s for point in tally.done) / 3600,
        n_relaxations=tally.n_relaxations,
        n_points=tally.n_points,
        ahead_h=factor * tally.ahead_s / 3600,
        at_most=at_most,
    )


def _count_gas_again(
    tally: _AgainTally, found: RefineGasRecord | None, name: str
) -> None:
    refine, counts = tally.plan.study.refine, tally.plan.library.gas(name).counts
    for is_asked, point, add in (
        (bool(refine.relax), found.relaxed if found else None, tally.add_relaxation),
        (
            refine.second_level is not None,
            found.second if found else None,
            tally.add_point,
        ),
    ):
        if point is not None:
            tally.done.append(point)
        # A molecule without a point has nothing to be computed again from.
        elif is_asked and (found is None or found.point is not None):
            add(counts)


def _count_ahead(
    add: Callable[[Counter[str], int, str], None],
    plan: Plan,
    cluster: str,
    adsorbates: Sequence[str],
) -> None:
    """The bare cluster and one minimum of each adsorbate."""
    bare = plan.library.cluster(cluster)
    add(bare.counts, bare.charge, "")
    for name in adsorbates:
        counts = bare.counts + plan.library.adsorbate(name).counts
        add(counts, bare.charge, name)


def _list_points(record: Recomputation) -> list[SinglePoint]:
    bare = [record.bare] if record.bare is not None else []
    return [*bare, *(one.point for one in record.minima)]


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
