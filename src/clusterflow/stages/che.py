"""Stage che: reaction profiles on one cluster, by the hydrogen electrode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from clusterflow.records.clusters import EdgesRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord, Uncertainty
from clusterflow.science.reactions.che import (
    HYDROGEN_EVOLUTION,
    Electrode,
    free_energies_of,
)
from clusterflow.science.reactions.cluster_states import add_cluster_states
from clusterflow.science.reactions.evaluate import (
    add_solutes,
    build_networks,
    evaluate_networks,
)
from clusterflow.science.reactions.flags import CALIBRATED_FLAG
from clusterflow.science.reactions.gas_references import (
    add_gas_references,
    raw_energies,
)
from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.reactions.transfers import direction
from clusterflow.science.thermochemistry.level_layer import is_calibrated
from clusterflow.science.uncertainty.deviations import deviations_of, not_included
from clusterflow.science.uncertainty.sampling import N_SAMPLES, sample_potential
from clusterflow.science.uncertainty.selectivity import compare_with_hydrogen
from clusterflow.settings import CheSettings, EdgesSettings
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.verdicts import mark_reactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.find import Library
    from clusterflow.library.reactions import ReactionSpec
    from clusterflow.records.profiles import ReactionResult, Step
    from clusterflow.science.reactions.che import FreeEnergies
    from clusterflow.science.reactions.network import Network
    from clusterflow.science.uncertainty.deviations import Deviations
    from clusterflow.science.uncertainty.sampling import UncertainPotential
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

# A step may determine U_L that does so with this probability: beyond, no interval ends.
_MAY_DETERMINE: Final = 0.05


def che(
    thermo: ThermoRecord,
    reactions: Sequence[ReactionSpec],
    settings: CheSettings,
    library: Library,
    job: Job,
    *,
    states: Sequence[ThermoRecord] = (),
    networks: Sequence[Network] | None = None,
) -> CheRecord:
    """Pathways, limiting potentials and determining steps of every reaction.

    `networks` are those of the reactions, where many clusters share them.

    Raises
    ------
    RecordError
        If a record in `states` is of no state that the reactions name, or was made
        with other settings.
    """
    job.settings = settings_of(settings)
    joined = add_cluster_states(thermo, states, reactions, library)
    thermo = joined.thermo
    electrode = Electrode(
        potential_v=settings.potential_v,
        scale=settings.scale,
        ph=settings.ph,
        temperature_k=thermo.temperature_k,
    )
    if networks is None:
        networks = build_networks(reactions, library, settings.pcet)
    terms = {term for network in networks for term in network.species}
    surroundings = library, thermo.temperature_k, thermo.pressure_pa
    of_thermo = free_energies_of(thermo)
    energies = add_solutes(of_thermo, terms, *surroundings)
    results = evaluate_networks(
        *(networks, {thermo.cluster: energies}, electrode, library),
        thermo.pressure_pa,
    )
    results = _add_other_isomers(results, networks, thermo, electrode, library)
    deviations = deviations_of(thermo)
    anchors = tuple(c.gas for c in thermo.gas_corrections if c.is_anchor)
    without = add_solutes(raw_energies(thermo), terms, *surroundings)
    raw = None if without == energies else without
    results = _add_uncertainties(results, networks, energies, deviations, electrode)
    complete = []
    for network, result in zip(networks, results, strict=True):
        found = add_gas_references(result, network, anchors, raw, electrode)
        found = _name_basis(found, network, thermo)
        complete.append(_flag_result(found, thermo))
    other = thermo.other_isomers
    record = CheRecord(
        cluster=thermo.cluster,
        level=thermo.level,
        isomers=thermo.isomers,
        other_isomers=other.isomers if other else None,
        other_isomers_reason=other.reason if other else "no pool record",
        networks=tuple(reactions),
        results=tuple(complete),
        states=dict(joined.states),
        solutes_ev={
            term: value
            for term, value in energies.values.items()
            if term not in of_thermo.values
        },
        status=thermo.status,
        reason=thermo.reason if thermo.status == "failed" else "",
        # No engine made energies that a person brought.
        provenance=job.provenance(None if thermo.own else thermo.level),
    )
    return mark_reactions(record, thermo, library)


def _add_other_isomers(
    results: list[ReactionResult],
    networks: Sequence[Network],
    thermo: ThermoRecord,
    electrode: Electrode,
    library: Library,
) -> list[ReactionResult]:
    """The results, with the limiting potentials by the other choice of isomers."""
    other = thermo.other_isomers
    if other is None or other.reason:
        return results
    energies = replace(free_energies_of(thermo), values=other.formation_ev)
    found = evaluate_networks(
        *(networks, {thermo.cluster: energies}, electrode, library),
        thermo.pressure_pa,
    )
    return [
        result.model_copy(
            update={"other_isomers_potential_v_rhe": beside.limiting_potential_v_rhe}
        )
        for result, beside in zip(results, found, strict=True)
    ]


def _add_uncertainties(
    results: Sequence[ReactionResult],
    networks: Sequence[Network],
    energies: FreeEnergies,
    deviations: Deviations | None,
    electrode: Electrode,
) -> list[ReactionResult]:
    """The results with the intervals of their potentials and selectivities."""
    if deviations is None:
        return list(results)
    sampled = [
        None
        if result.limiting_potential_v_rhe is None
        else sample_potential(
            network, energies, deviations, electrode, surface=result.surface
        )
        for network, result in zip(networks, results, strict=True)
    ]
    hydrogen = next(
        (
            found
            for result, found in zip(results, sampled, strict=True)
            if result.reaction == HYDROGEN_EVOLUTION
        ),
        None,
    )
    complete = []
    for network, result, found in zip(networks, results, sampled, strict=True):
        if found is None:
            complete.append(result)
            continue
        known = [term for term in network.species if term in energies.values]
        missing = not_included(deviations, known)
        # An oxidation runs on the other electrode.
        beside = hydrogen if direction(result.steps) > 0 else None
        complete.append(_add_uncertainty(result, found, beside, missing))
    return complete


def _name_basis(
    result: ReactionResult, network: Network, thermo: ThermoRecord
) -> ReactionResult:
    """The result as of DFT or calibrated, if every adsorbate that matters is."""
    if result.uncertainty is None or thermo.level is None:
        return result
    if thermo.level.deviations_ev:
        calibrated = {s.name for s in thermo.species if CALIBRATED_FLAG in s.flags}
        if calibrated.isdisjoint(list_deciding_species(result)):
            return _set_basis(result, "dft")
        return result
    if not is_calibrated(thermo, network.species):
        return result
    return _set_basis(result, "calibrated")


def _set_basis(
    result: ReactionResult, basis: Literal["calibrated", "dft"]
) -> ReactionResult:
    assert result.uncertainty is not None, "only an interval has one"
    interval = result.uncertainty.model_copy(update={"basis": basis})
    return result.model_copy(update={"uncertainty": interval})


def list_deciding_species(result: ReactionResult) -> list[str]:
    """Species of the steps that determine U_L, or may do so by its interval."""
    odds = {} if result.determining_step is None else {result.determining_step: 1.0}
    if result.uncertainty is not None:
        odds |= result.uncertainty.determining_step_probability
    names = [name for name, p in odds.items() if p >= _MAY_DETERMINE]
    steps = map(parse_equation, (*names, *result.determining_with))
    return sorted({term for step in steps for term in step.species})


def _add_uncertainty(
    result: ReactionResult,
    found: UncertainPotential,
    hydrogen: UncertainPotential | None,
    missing: tuple[str, ...],
) -> ReactionResult:
    """The result with the interval of its potential, and of its lead on hydrogen."""
    best = found.best
    selectivity = None
    if hydrogen is not None and found is not hydrogen:
        selectivity = compare_with_hydrogen(
            best.samples_v_rhe, hydrogen.best.samples_v_rhe
        )
    return result.model_copy(
        update={
            "tied_pathways": found.tied_pathways,
            "uncertainty": Uncertainty(
                median_v_rhe=best.median_v_rhe,
                lower_v_rhe=best.lower_v_rhe,
                upper_v_rhe=best.upper_v_rhe,
                deviation_v=best.deviation_v,
                determining_step_probability=dict(best.determining_step_probability),
                best_pathway_probability=found.best_pathway_probability,
                n_samples=N_SAMPLES,
                not_included=missing,
            ),
            "her_median_v_rhe": hydrogen.best.median_v_rhe if hydrogen else None,
            "selectivity": selectivity,
        }
    )


def _flag_result(result: ReactionResult, thermo: ThermoRecord) -> ReactionResult:
    """The result, each step and the whole marked with the flags of what they use."""
    flags = {s.name: s.flags for s in thermo.species}

    def marked(step: Step) -> Step:
        used = sorted(parse_equation(step.name).species)
        marks = [f"{name}: {flag}" for name in used for flag in flags.get(name, ())]
        return step.model_copy(update={"flags": tuple(marks)})

    pathways = tuple(
        pathway.model_copy(update={"steps": tuple(map(marked, pathway.steps))})
        for pathway in result.pathways
    )
    steps = tuple(map(marked, result.steps))
    marks = dict.fromkeys(sorted(mark for step in steps for mark in step.flags))
    return result.model_copy(
        update={"flags": tuple(marks), "steps": steps, "pathways": pathways}
    )


def run(inputs: Inputs, job: Job) -> CheRecord:
    """Compute the profiles of some reactions, all of the library by default."""
    from clusterflow.stages.edges import add_band_edges

    library, settings = inputs.library, inputs.settings(CheSettings)
    names = inputs.request.reactions or tuple(library.paths("reactions"))
    energies = inputs.one(ThermoRecord)
    record = che(
        energies,
        [library.reaction(Path(name).stem) for name in names],
        settings,
        library,
        job,
        states=inputs.peers(ThermoRecord),
    )
    edges = inputs.optional(EdgesRecord)
    if edges is None:
        return record
    return add_band_edges(
        record,
        edges,
        library,
        absolute_she_v=inputs.settings(EdgesSettings).absolute_she_v,
        ph=settings.ph,
        temperature_k=energies.temperature_k,
    )
