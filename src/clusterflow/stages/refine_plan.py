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

    def list_ways(self) -> dict[_Name, list[Structure]]:
        """The geometries of each adsorbate on each cluster, one a way of binding."""
        vibrated = {(v.cluster, v.adsorbate): v for v in self.vibrations}
        return {
            (one.cluster, one.adsorbate): [
                way.structure
                for way in ways_of_binding(
                    one, vibrated.get((one.cluster, one.adsorbate))
                )
            ]
            for one in self.adsorptions
        }

    def list_points(self) -> list[SinglePoint]:
        """Every single point so far."""
        found = [one.point for one in self.refined_gases if one.point is not None]
        for record in self.refined_bare:
            found += [state for one in record.isomers for state in one.states]
        for refined in self.refined:
            found += [state for one in refined.minima for state in one.states]
        return found


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
    clusters = {
        bare.cluster: look_ahead(
            study.records_of(bare.cluster),
            _take(study.thermo, bare.cluster)[0],
            study.refinements_of(bare.cluster),
            study.library,
        )
        for bare in study.refined_bare
    }
    potentials = [
        potential
        for profiles in study.profiles
        for potential in foresee_potentials(profiles, clusters, study.library)
    ]
    ways = study.list_ways()
    chosen = [s for s in (before.species if before else ()) if s.chosen_in is not None]
    known = {(one.cluster, one.adsorbate): one for one in chosen}
    here = _Round(
        number=number,
        study=study,
        settings=settings,
        dft=dft,
        clusters=clusters,
        ways=ways,
        costs_h={
            name: sum(
                times.expect_h(one, others=settings.other_multiplicities) for one in own
            )
            for name, own in ways.items()
        },
        left_h=settings.budget_h - times.spent_h,
        known=known,
        opened=[name for name, own in ways.items() if own and name not in known],
    )
    weights = _weigh_potentials(potentials)
    forced = here.list_forced(potentials)
    choice = here.choose(potentials, weights, forced)
    reasons = dict.fromkeys(forced, "without its energy a reaction has no potential")
    reasons |= {
        pick.name: (
            f"takes {pick.narrows_v:.2f} V off the standard deviation of U_L of "
            f"{pick.target[1]} on {pick.target[0]}, most for its time"
        )
        for pick in choice.picks
    }
    return RefinePlanRecord(
        round=number,
        dft_level=dft,
        budget_h=settings.budget_h,
        spent_h=times.spent_h,
        until_v=settings.until_v,
        time_factor=times.factor,
        ends="" if reasons else here.name_end(choice),
        species=tuple(here.describe(name, choice, reasons.get(name)) for name in ways),
        potentials=tuple(_describe_potentials(potentials, weights, choice)),
        provenance=job.provenance(dft),
    )


@dataclass(frozen=True, kw_only=True)
class _Round:
    """What one round knows before it chooses.

    `ways` has the geometries of each adsorbate, `costs_h` their hours together,
    `left_h` is what is left of the budget, `known` was chosen before, and `opened` may
    be chosen.
    """

    number: int
    study: StudyInputs
    settings: RefineSettings
    dft: LevelSpec
    clusters: Mapping[str, ClusterOutlook]
    ways: Mapping[_Name, Sequence[Structure]]
    costs_h: Mapping[_Name, float]
    left_h: float
    known: Mapping[_Name, PlannedSpecies]
    opened: Sequence[_Name]

    def list_forced(self, potentials: Sequence[PotentialOutlook]) -> list[_Name]:
        """Adsorbates of the reactions that nothing calibrates, as far as hours go.

        A potential needs their energy whatever it may be.
        """
        wanted = {name for one in potentials for name in one.species}
        found: list[_Name] = []
        for name in sorted(self.opened, key=lambda name: (self.costs_h[name], name)):
            spent = sum(self.costs_h[one] for one in found)
            fits = spent + self.costs_h[name] <= self.left_h
            if name in wanted and name[1] in self.clusters[name[0]].unknown and fits:
                found.append(name)
        return found

    def choose(
        self,
        potentials: Sequence[PotentialOutlook],
        weights: Mapping[_Name, float],
        forced: Sequence[_Name],
    ) -> Choice:
        """What narrows the potentials most, beside what is forced."""
        return choose(
            [
                Candidate(
                    name=name,
                    outcome_ev=self.clusters[name[0]].outcomes_ev[name[1]],
                    cost_h=self.costs_h[name],
                )
                for name in self.opened
                if name[1] in self.clusters[name[0]].outcomes_ev
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
            until_v=self.settings.until_v,
            budget_h=self.left_h - sum(self.costs_h[name] for name in forced),
            at_most=ceil(len(self.opened) / (self.settings.rounds - self.number + 1)),
        )

    def describe(
        self, name: _Name, choice: Choice, reason: str | None
    ) -> PlannedSpecies:
        """What is said of an adsorbate; `reason` is why it is chosen now, or None."""
        structures, known = self.ways[name], self.known.get(name)
        n_basis = None
        if structures and self.dft.dft is not None:
            n_basis = count_basis(Counter(structures[0].symbols), self.dft.dft.basis)
        if known is not None:
            return known.model_copy(update={"spent_h": self._sum_spent_h(name)})
        why_not = self._why_not(name, choice)
        return PlannedSpecies(
            cluster=name[0],
            adsorbate=name[1],
            chosen_in=None if reason is None else self.number,
            reason=reason or f"not chosen in round {self.number}: {why_not}",
            n_points=len(structures),
            n_basis=n_basis,
            expected_h=self.costs_h[name],
            gain_v2=choice.gains_v2.get(name),
        )

    def name_end(self, choice: Choice) -> str:
        """Why nothing at all is chosen."""
        until = f"{self.settings.until_v:g} V"
        if not choice.widths_v:
            return "no reaction has a U_L at the composite level"
        if self._is_narrow(choice):
            return f"the 90 % interval of each U_L is narrower than {until}"
        if any(gain > 0 for gain in choice.gains_v2.values()):
            return f"the budget of {self.settings.budget_h:g} h is spent"
        return f"nothing is left that would narrow a U_L to {until}"

    def _is_narrow(self, choice: Choice) -> bool:
        return all(w < self.settings.until_v for w in choice.widths_v.values())

    def _why_not(self, name: _Name, choice: Choice) -> str:
        """Why an adsorbate is not chosen."""
        cluster, adsorbate = name
        bare = _take(self.study.refined_bare, cluster)[0]
        if bare.reason:
            return f"bare cluster: {bare.reason}"
        if not self.ways[name]:
            return "it has no minimum at the level"
        species = {s.name: s for s in _take(self.study.thermo, cluster)[0].species}
        own = species.get(f"*{adsorbate}")
        if own is None or own.formation_ev is None:
            return f"it has no free energy at the level: {own.reason if own else ''}"
        if adsorbate in self.clusters[cluster].unknown:
            return "no reaction needs it, or the budget has no room for it"
        until = f"{self.settings.until_v:g} V"
        if not choice.gains_v2.get(name):
            if self._is_narrow(choice):
                return f"each U_L is known to {until}"
            return f"would narrow no U_L that is not known to {until}"
        if self.costs_h[name] > self.left_h:
            return (
                f"takes {self.costs_h[name]:.2g} h, and {max(self.left_h, 0.0):.2g} h "
                f"of the budget of {self.settings.budget_h:g} h are left"
            )
        return "others narrow U_L more for their time"

    def _sum_spent_h(self, name: _Name) -> float:
        return sum(
            state.wall_s / 3600
            for record in self.study.refined
            if (record.cluster, record.adsorbate) == name
            for one in record.minima
            for state in one.states
        )


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
