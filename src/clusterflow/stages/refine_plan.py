"""Stage refine_plan: the adsorbates whose energies are worth the time of DFT."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.provenance import Record
from clusterflow.records.refine_plans import (
    PlannedPotential,
    PlannedSpecies,
    RefinePlanRecord,
)
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefineGasRecord,
    RefineRecord,
)
from clusterflow.records.vibrations import GasRecord, LeavingRecord, VibrateRecord
from clusterflow.science.adsorption.ways_of_binding import ways_of_binding
from clusterflow.science.thermochemistry.composite import Refinements
from clusterflow.science.uncertainty.choice import (
    Candidate,
    Choice,
    Target,
    choose,
    weigh_by_rank,
)
from clusterflow.settings import RefineSettings
from clusterflow.stages.parts.dft_cost import PointTimes, count_basis
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.outlook import foresee_potentials, look_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.library.find import Library
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.refinements import SinglePoint
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job
    from clusterflow.stages.parts.outlook import ClusterOutlook, PotentialOutlook

R = TypeVar("R", bound=Record)

_Name = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class StudyInputs:
    """The records that a round reads, of all clusters, and the library."""

    relaxed: Sequence[RelaxRecord]
    gases: Sequence[GasRecord]
    adsorptions: Sequence[AdsorbRecord]
    vibrations: Sequence[VibrateRecord]
    leaving: Sequence[LeavingRecord]
    thermo: Sequence[ThermoRecord]
    profiles: Sequence[CheRecord]
    refined_gases: Sequence[RefineGasRecord]
    refined_bare: Sequence[RefineBareRecord]
    refined: Sequence[RefineRecord]
    library: Library

    def records_of(self, cluster: str) -> ClusterRecords:
        """Those of the level."""
        return ClusterRecords(
            relaxed=_take(self.relaxed, cluster)[0],
            adsorptions=_take(self.adsorptions, cluster),
            vibrations=_take(self.vibrations, cluster),
            gases=self.gases,
            leaving=next(iter(_take(self.leaving, cluster)), None),
        )

    def refinements_of(self, cluster: str) -> Refinements:
        """Those of DFT so far."""
        return Refinements(
            bare=_take(self.refined_bare, cluster)[0],
            gases=self.refined_gases,
            adsorbates=[r for r in _take(self.refined, cluster) if r.minima],
        )

    def list_points(self) -> list[SinglePoint]:
        """Every single point so far."""
        found = [one.point for one in self.refined_gases if one.point is not None]
        found += [one.point for bare in self.refined_bare for one in bare.isomers]
        return found + [one.point for r in self.refined for one in r.minima]


def _take(records: Iterable[Any], cluster: str) -> list[Any]:
    return [record for record in records if record.cluster == cluster]


def plan_round(
    number: int,
    study: StudyInputs,
    before: RefinePlanRecord | None,
    settings: RefineSettings,
    job: Job,
) -> RefinePlanRecord:
    """What one round chooses, and what is said of every adsorbate.

    Parameters
    ----------
    number
        Of the round, from 1.
    study
        What there is, energies by DFT of the rounds before among it.
    before
        The plan of the round before; None in the first.
    """
    job.settings = settings_of(settings)
    dft = study.library.level(settings.level)
    times = PointTimes.of(study.list_points(), dft)
    chosen = {
        (one.cluster, one.adsorbate): one
        for one in (before.species if before else ())
        if one.chosen_in is not None
    }
    clusters = {
        bare.cluster: look_ahead(
            study.records_of(bare.cluster),
            _take(study.thermo, bare.cluster)[0],
            study.refinements_of(bare.cluster),
            study.library,
        )
        for bare in study.refined_bare
    }
    ways = {
        (adsorbed.cluster, adsorbed.adsorbate): [
            way.structure
            for way in ways_of_binding(
                adsorbed,
                study.records_of(adsorbed.cluster).vibrations_of(adsorbed.adsorbate),
            )
        ]
        for adsorbed in study.adsorptions
    }
    costs_h = {
        name: sum(map(times.expect_h, structures)) for name, structures in ways.items()
    }
    potentials = [
        potential
        for profiles in study.profiles
        for potential in foresee_potentials(profiles, clusters, study.library)
    ]
    weights = _weigh_potentials(potentials)
    left_h = settings.budget_h - times.spent_h
    opened = [
        name
        for name, structures in ways.items()
        if structures and name not in chosen and name[0] in clusters
    ]
    n_rounds_left = max(settings.rounds - number + 1, 1)
    forced = _list_forced(opened, clusters, potentials, costs_h, left_h)
    choice = choose(
        [
            Candidate(
                name=name,
                outcome_ev=clusters[name[0]].outcomes_ev[name[1]],
                cost_h=costs_h[name],
            )
            for name in opened
            if name[1] in clusters[name[0]].outcomes_ev
        ],
        [
            Target(
                name=(one.cluster, one.reaction),
                potential_v=one.found.samples_v_rhe,
                weight=weights[one.cluster, one.reaction],
            )
            for one in potentials
            if one.found is not None
        ],
        until_v=settings.until_v,
        budget_h=left_h - sum(costs_h[name] for name in forced),
        at_most=ceil(len(opened) / n_rounds_left),
    )
    verdict = _Verdict(number=number, settings=settings, left_h=left_h, choice=choice)
    reasons = dict.fromkeys(forced, "without its energy a reaction has no potential")
    reasons |= {
        pick.name: (
            f"takes {pick.narrows_v:.2f} V off the standard deviation of U_L of "
            f"{pick.target[1]} on {pick.target[0]}, most for its time"
        )
        for pick in choice.picks
    }
    species = []
    for name, structures in ways.items():
        known = chosen.get(name)
        chosen_in = known.chosen_in if known else number if name in reasons else None
        why_not = _why_no_energy(name, structures, clusters, study)
        species.append(
            PlannedSpecies(
                cluster=name[0],
                adsorbate=name[1],
                chosen_in=chosen_in,
                reason=(
                    known.reason
                    if known
                    else reasons.get(name)
                    or f"not chosen in round {number}: "
                    + (why_not or verdict.explain(name, costs_h[name]))
                ),
                n_points=len(structures),
                n_basis=_count_functions(structures, dft),
                expected_h=known.expected_h if known else costs_h[name],
                spent_h=_sum_spent_h(study.refined, name),
                gain_v2=known.gain_v2 if known else choice.gains_v2.get(name),
            )
        )
    return RefinePlanRecord(
        round=number,
        dft_level=dft,
        budget_h=settings.budget_h,
        spent_h=times.spent_h,
        until_v=settings.until_v,
        time_factor=times.factor,
        ends="" if reasons else verdict.name_end(costs_h),
        species=tuple(species),
        potentials=tuple(_describe_potentials(potentials, weights, choice)),
        provenance=job.provenance(dft),
    )


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """Why nothing is said of an adsorbate, or of all, in one round."""

    number: int
    settings: RefineSettings
    left_h: float
    choice: Choice

    def explain(self, name: _Name, cost_h: float) -> str:
        """Why an adsorbate that could be chosen is not."""
        gain = self.choice.gains_v2.get(name, 0.0)
        if not gain and self._is_narrow:
            return f"each U_L is known to {self.settings.until_v:g} V"
        if not gain:
            return f"would narrow no U_L that is not known to {self._width}"
        if cost_h > self.left_h:
            return (
                f"takes {cost_h:.2g} h, and {max(self.left_h, 0.0):.2g} h of the "
                f"budget of {self.settings.budget_h:g} h are left"
            )
        return "others narrow U_L more for their time"

    def name_end(self, costs_h: Mapping[_Name, float]) -> str:
        """Why nothing at all is chosen."""
        if self._is_narrow:
            return f"the 90 % interval of each U_L is narrower than {self._width}"
        if any(gain > 0 for gain in self.choice.gains_v2.values()):
            return f"the budget of {self.settings.budget_h:g} h is spent"
        return f"nothing is left that would narrow a U_L to {self._width}"

    @property
    def _width(self) -> str:
        return f"{self.settings.until_v:g} V"

    @property
    def _is_narrow(self) -> bool:
        return all(w < self.settings.until_v for w in self.choice.widths_v.values())


def _list_forced(
    opened: Sequence[_Name],
    clusters: Mapping[str, ClusterOutlook],
    potentials: Sequence[PotentialOutlook],
    costs_h: Mapping[_Name, float],
    left_h: float,
) -> list[_Name]:
    """Adsorbates of the reactions whose bonds nobody has measured, as far as hours go.

    Nothing calibrates them, so a potential needs their energy whatever it may be.
    """
    wanted = {name for one in potentials for name in one.species}
    found: list[_Name] = []
    for name in sorted(opened, key=lambda name: (costs_h[name], name)):
        spent = sum(costs_h[one] for one in found)
        fits = spent + costs_h[name] <= left_h
        if name in wanted and name[1] in clusters[name[0]].unknown and fits:
            found.append(name)
    return found


def _why_no_energy(
    name: _Name,
    structures: Sequence[Structure],
    clusters: Mapping[str, ClusterOutlook],
    study: StudyInputs,
) -> str:
    """Why DFT can say nothing of an adsorbate; empty where it can."""
    cluster, adsorbate = name
    bare = _take(study.refined_bare, cluster)[0]
    if bare.reason:
        return f"bare cluster: {bare.reason}"
    if not structures:
        return "it has no minimum at the level"
    species = {s.name: s for s in _take(study.thermo, cluster)[0].species}
    own = species.get(f"*{adsorbate}")
    if own is None or own.formation_ev is None:
        return f"it has no free energy at the level: {own.reason if own else ''}"
    if adsorbate in clusters[cluster].unknown:
        return "no reaction needs it, or the budget has no room for it"
    return ""


def _weigh_potentials(potentials: Sequence[PotentialOutlook]) -> dict[_Name, float]:
    """Of each potential, the probability that no other cluster has a better one."""
    found: dict[_Name, float] = {}
    for reaction in dict.fromkeys(one.reaction for one in potentials):
        group = [p for p in potentials if p.reaction == reaction and p.found]
        if not group:
            continue
        samples = {p.cluster: p.found.samples_v_rhe for p in group if p.found}
        weights = weigh_by_rank(samples, group[0].sign)
        found |= {(cluster, reaction): w for cluster, w in weights.items()}
    return found


def _describe_potentials(
    potentials: Sequence[PotentialOutlook],
    weights: Mapping[_Name, float],
    choice: Choice,
) -> Iterable[PlannedPotential]:
    for one in potentials:
        name = one.cluster, one.reaction
        if one.found is None:
            continue
        yield PlannedPotential(
            cluster=one.cluster,
            reaction=one.reaction,
            median_v_rhe=one.found.median_v_rhe,
            lower_v_rhe=one.found.lower_v_rhe,
            upper_v_rhe=one.found.upper_v_rhe,
            expected_width_v=choice.widths_v[name],
            determining_step_probability=dict(one.found.determining_step_probability),
            best_probability=weights[name],
        )


def _count_functions(structures: Sequence[Structure], dft: LevelSpec) -> int | None:
    if not structures or dft.dft is None:
        return None
    return count_basis(Counter(structures[0].symbols), dft.dft.basis)


def _sum_spent_h(refined: Sequence[RefineRecord], name: _Name) -> float:
    return sum(
        one.point.wall_s / 3600
        for record in refined
        if (record.cluster, record.adsorbate) == name
        for one in record.minima
    )


def run(inputs: Inputs, job: Job) -> RefinePlanRecord:
    """Choose from all records of the study; by hand there is nothing to choose."""
    number = int(inputs.of["round"])
    plans = [p for p in inputs.of_study(RefinePlanRecord) if p.round == number - 1]
    study = StudyInputs(
        relaxed=inputs.of_study(RelaxRecord),
        gases=inputs.of_study(GasRecord),
        adsorptions=inputs.of_study(AdsorbRecord),
        vibrations=inputs.of_study(VibrateRecord),
        leaving=inputs.of_study(LeavingRecord),
        thermo=inputs.of_study(ThermoRecord),
        profiles=inputs.of_study(CheRecord),
        refined_gases=inputs.of_study(RefineGasRecord),
        refined_bare=inputs.of_study(RefineBareRecord),
        refined=inputs.of_study(RefineRecord),
        library=inputs.library,
    )
    before = plans[0] if plans else None
    return plan_round(number, study, before, inputs.settings(RefineSettings), job)
