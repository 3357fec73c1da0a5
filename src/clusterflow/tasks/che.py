"""Stage che: reaction profiles on one cluster, by the hydrogen electrode."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.config import CheSettings, EdgesSettings
from clusterflow.core.anchors import FROM_CO, FROM_CO2
from clusterflow.core.che import (
    Electrode,
    Energies,
    energies_of,
    equilibrium_potential,
    evaluate_network,
    with_hydrogen,
)
from clusterflow.core.network import (
    Equation,
    Network,
    build_network,
    parse_equation,
    surface_composition,
)
from clusterflow.core.references import references_of, with_references
from clusterflow.core.uncertainty import (
    N_SAMPLES,
    Deviations,
    deviations_of,
    not_included,
    sample_potential,
)
from clusterflow.errors import ClusterflowError
from clusterflow.records import (
    CheRecord,
    EdgesRecord,
    ReactionResult,
    Step,
    ThermoRecord,
    Uncertainty,
)
from clusterflow.tasks.job import settings_of
from clusterflow.tasks.states import with_states
from clusterflow.tasks.thermo import experimental_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clusterflow.core.network import Composition
    from clusterflow.library import Library
    from clusterflow.specs import ReactionSpec
    from clusterflow.tasks.inputs import Inputs
    from clusterflow.tasks.job import Job


def che(
    thermo: ThermoRecord,
    reactions: Sequence[ReactionSpec],
    settings: CheSettings,
    library: Library,
    job: Job,
    states: Sequence[ThermoRecord] = (),
) -> CheRecord:
    """Pathways, limiting potentials and determining steps of every reaction.

    Raises
    ------
    RecordError
        If a record in `states` is of no state that the reactions name, or was made
        with other settings.
    """
    job.settings = settings_of(settings)
    joined = with_states(thermo, states, reactions, library)
    thermo = joined.thermo
    electrode = Electrode(
        potential_v=settings.potential_v,
        scale=settings.scale,
        ph=settings.ph,
        temperature_k=thermo.temperature_k,
    )
    networks = build_networks(reactions, library)
    energies = energies_of(thermo)
    results = evaluate_networks(
        networks, {thermo.cluster: energies}, electrode, library
    )
    results = _with_other_isomers(results, networks, thermo, electrode, library)
    deviations = deviations_of(thermo)
    anchors = tuple(c.gas for c in thermo.gas_corrections if c.is_anchor)
    references = references_of(thermo, _compositions(thermo, library))
    complete = []
    for network, result in zip(networks, results, strict=True):
        found = _with_uncertainty(result, network, energies, deviations, electrode)
        found = with_references(found, network, anchors, references, electrode)
        complete.append(_flagged(found, thermo))
    other = thermo.other_isomers
    return CheRecord(
        cluster=thermo.cluster,
        level=thermo.level,
        isomers=thermo.isomers,
        other_isomers=other.isomers if other else None,
        other_isomers_reason=other.reason if other else "no pool record",
        networks=tuple(reactions),
        results=tuple(complete),
        states=dict(joined.states),
        status=thermo.status,
        reason=thermo.reason if thermo.status == "failed" else "",
        provenance=job.provenance(thermo.level),
    )


def _compositions(
    thermo: ThermoRecord, library: Library
) -> dict[str, Mapping[str, int]]:
    """Element counts of the corrected gases, and of all that may be an anchor."""
    names = {*(c.gas for c in thermo.gas_corrections), *FROM_CO, *FROM_CO2}
    return {name: library.gas(name).counts for name in sorted(names)}


def _with_other_isomers(
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
    energies = replace(energies_of(thermo), values=other.formation_ev)
    found = evaluate_networks(networks, {thermo.cluster: energies}, electrode, library)
    return [
        result.model_copy(
            update={"other_isomers_potential_v_rhe": beside.limiting_potential_v_rhe}
        )
        for result, beside in zip(results, found, strict=True)
    ]


def _with_uncertainty(
    result: ReactionResult,
    network: Network,
    energies: Energies,
    deviations: Deviations | None,
    electrode: Electrode,
) -> ReactionResult:
    """The result with the interval of its limiting potential, where it has one."""
    if deviations is None or result.limiting_potential_v_rhe is None:
        return result
    found = sample_potential(
        network, energies, deviations, electrode, surface=result.surface
    )
    if found is None:
        return result
    best = found.best
    known = [term for term in network.species if term in energies.values]
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
                not_included=not_included(deviations, known),
            ),
        }
    )


def build_networks(
    reactions: Sequence[ReactionSpec], library: Library
) -> list[Network]:
    """The networks of some reactions, with every pathway."""
    return [build_network(r, composition_of(library)) for r in reactions]


def evaluate_reactions(
    reactions: Sequence[ReactionSpec],
    surfaces: dict[str, Energies],
    electrode: Electrode,
    library: Library,
) -> list[ReactionResult]:
    """Every reaction on every surface, with hydrogen evolution beside each."""
    networks = build_networks(reactions, library)
    return evaluate_networks(networks, surfaces, electrode, library)


def evaluate_networks(
    networks: Sequence[Network],
    surfaces: dict[str, Energies],
    electrode: Electrode,
    library: Library,
) -> list[ReactionResult]:
    """Every network on every surface, with hydrogen evolution beside each."""
    equilibria = {
        n.spec.name: _equilibrium(n, electrode.temperature_k, library) for n in networks
    }
    found: list[ReactionResult] = []
    for surface, energies in surfaces.items():
        results = [
            evaluate_network(
                network,
                energies,
                electrode,
                surface=surface,
                equilibrium_potential_v_rhe=equilibria[network.spec.name],
            )
            for network in networks
        ]
        found += with_hydrogen(results)
    return found


def composition_of(library: Library) -> Callable[[str], Composition]:
    """What a term of an equation is made of, by the library."""

    def adsorbed(name: str) -> Composition:
        spec = library.adsorbate(name)
        return spec.counts, spec.charge

    def composition(term: str) -> Composition:
        fixed = {
            "*": (Counter({"*": 1}), 0),
            "H+": (Counter({"H": 1}), 1),
            "e-": (Counter[str](), -1),
        }
        if term in fixed:
            return fixed[term]
        if term.startswith("*"):
            return surface_composition(term, adsorbed)
        gas = library.gas(term.partition("(")[0])
        return gas.counts, gas.charge

    return composition


def _equilibrium(
    network: Network, temperature_k: float, library: Library
) -> float | None:
    """The measured standard potential, V against RHE; None without data."""
    if network.overall.n_e == 0 or network.overall.n_e != network.overall.n_h:
        return None
    # Nobody measured what a cluster gains or loses.
    if any(term.startswith("*") and term != "*" for term in network.overall.species):
        return None
    try:
        return standard_potential(network.overall, temperature_k, library)
    except ClusterflowError:
        return None


def standard_potential(
    overall: Equation, temperature_k: float, library: Library
) -> float:
    """Potential of a reaction at pH 0 from measured formation data, V against SHE.

    Raises
    ------
    LibraryError
        If the library has no data for a species in its phase.
    """
    names = [s.partition("(")[0] for s in overall.species if not s.startswith("*")]
    table = experimental_table(names, library)

    def formation(term: str) -> float:
        if term == "*":
            return 0.0
        name, _, phase = term.partition("(")
        return table.formation_ev(name, phase[0], temperature_k)

    return equilibrium_potential(overall, formation)


def _flagged(result: ReactionResult, thermo: ThermoRecord) -> ReactionResult:
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
    from clusterflow.tasks.edges import with_edges

    library, settings = inputs.library, inputs.settings(CheSettings)
    names = inputs.request.reactions or tuple(library.paths("reactions"))
    energies = inputs.one(ThermoRecord)
    record = che(
        energies,
        [library.reaction(Path(name).stem) for name in names],
        settings,
        library,
        job,
        inputs.peers(ThermoRecord),
    )
    edges = inputs.optional(EdgesRecord)
    if edges is None:
        return record
    return with_edges(
        record,
        edges,
        library,
        absolute_she_v=inputs.settings(EdgesSettings).absolute_she_v,
        ph=settings.ph,
        temperature_k=energies.temperature_k,
    )
