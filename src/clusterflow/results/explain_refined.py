"""Where a number of a composite level comes from: as any other, on records with DFT."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from clusterflow.errors import RecordError
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.refine_plans import RefinePlanRecord
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefinedCheRecord,
    RefinedThermoRecord,
    RefineGasRecord,
    RefineRecord,
    RefineRelaxRecord,
    RefineSecondRecord,
    name_composite,
)
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.results.explain import explain, list_sources
from clusterflow.science.reactions.flags import CALIBRATED_FLAG
from clusterflow.science.thermochemistry.composite import Refinements, compose_records

if TYPE_CHECKING:
    from clusterflow.library.find import Library
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.provenance import Record
    from clusterflow.records.refinements import SinglePoint
    from clusterflow.results.explanation import Explanation

PREFIX: Final = "refined/"


def explain_refined(records: StudyRecords, name: str, library: Library) -> Explanation:
    """Terms, references, layers, flags and records behind a number with DFT.

    Parameters
    ----------
    name
        As for `explain`, after ``refined/`` and with the cluster: also of a molecule.

    Raises
    ------
    RecordError
        If there is no such number, or the study refines nothing.
    """
    plain = name.removeprefix(PREFIX)
    cluster, _, item = plain.partition("/")
    refined = {one.cluster: one for one in records.of(RefinedThermoRecord)}
    if cluster not in refined:
        known = ", ".join(refined) or "none: set refine.species, and run"
        raise RecordError(
            f"explain {name!r}: no cluster {cluster!r} that is refined; known: {known}"
        )
    thermo = refined[cluster]
    profiles = [one for one in records.of(RefinedCheRecord) if one.cluster == cluster]
    found = explain(compose_view(records, thermo, profiles), plain, library)
    species = {s.name: s for s in thermo.energies.species}
    short = item.partition("/")[0]
    own = species.get(f"*{short}") or species.get(short)
    facts = dict(found.facts)
    if own is not None and CALIBRATED_FLAG in own.flags:
        facts |= {
            "at the level": f"explain {plain}",
            "its layer level is left out, and added / eV": own.layers["calibration"],
            "standard deviations / eV": dict(own.deviations),
        }
    facts |= _gather_point_facts(records, cluster, own)
    facts |= {
        f"{one.source} ({one.level}) changes its binding by / eV": one.difference_ev
        for one in thermo.differences
        if one.adsorbate == short.lstrip("*")
    }
    facts |= _gather_choice_facts(records, cluster, short.lstrip("*"))
    parts: list[Record] = [
        one
        for one in records.of(RefineRecord)
        if (one.cluster, one.adsorbate) == (cluster, short.lstrip("*"))
    ]
    parts += [one for one in records.of(RefineBareRecord) if one.cluster == cluster]
    parts += [one for one in records.of(RefineRelaxRecord) if one.cluster == cluster]
    parts += [one for one in records.of(RefineSecondRecord) if one.cluster == cluster]
    gas = short.partition("(")[0]
    parts += [one for one in records.of(RefineGasRecord) if one.gas == gas]
    last: list[Record] = [thermo] if own is not None else [*profiles, thermo]
    sources = list_sources(records, last[0], [*last, *parts], thermo.provenance)
    composite = name_composite(thermo.level, thermo.dft_level)
    return replace(
        found,
        name=f"{PREFIX}{found.name}" if found.name.startswith(cluster) else name,
        what=f"{found.what}; composite level {composite}",
        terms=tuple(
            replace(term, note=_name_refined(term.note, cluster))
            for term in found.terms
        ),
        facts=facts,
        carriers=found.carriers,
        sources=(
            *sources,
            *(s for s in found.sources if s.stage not in ("thermo", "che")),
        ),
    )


def _gather_point_facts(
    records: StudyRecords, cluster: str, species: SpeciesFreeEnergy | None
) -> dict[str, Any]:
    """How the electronic energy of a species came about, by the energy itself."""
    if species is None or species.terms is None:
        return {}
    points: list[tuple[SinglePoint, tuple[SinglePoint, ...]]] = [
        (g.point, ()) for g in records.of(RefineGasRecord) if g.point is not None
    ]
    for bare in records.of(RefineBareRecord):
        if bare.cluster == cluster:
            points += [(one.point, one.other_states) for one in bare.isomers]
    for refined in records.of(RefineRecord):
        if refined.cluster == cluster:
            points += [(one.point, one.other_states) for one in refined.minima]
    energy = species.terms.energy_ev
    found = next((one for one in points if one[0].energy_ev == energy), None)
    if found is None:
        return {}
    point, others = found
    facts: dict[str, Any] = {
        f"multiplicity {one.structure.multiplicity}, not "
        f"{point.structure.multiplicity}": (
            f"{one.energy_ev - energy:+.2f} eV"
            if one.energy_ev is not None
            else one.reason
        )
        for one in others
    }
    if point.counterpoise_ev is not None:
        facts["counterpoise within E / eV"] = point.counterpoise_ev
    if (scf := point.scf) is not None:
        facts["dispersion within E / eV"] = scf.dispersion_ev
        facts["SCF"] = (
            f"{scf.cycles} cycles from {scf.guess}, {scf.n_basis} basis functions, "
            f"⟨S²⟩ {scf.s2:.3f}, {point.wall_s:.0f} s"
        )
    return facts


def _gather_choice_facts(
    records: StudyRecords, cluster: str, item: str
) -> dict[str, Any]:
    """Why an adsorbate was chosen for DFT, or how a potential narrowed, by rounds."""
    plans = sorted(records.of(RefinePlanRecord), key=lambda plan: plan.round)
    facts: dict[str, Any] = {}
    for plan in plans:
        for one in plan.potentials:
            if (one.cluster, one.reaction) == (cluster, item):
                facts[f"left open before round {plan.round} / V"] = (
                    f"{one.lower_v_rhe:+.2f} to {one.upper_v_rhe:+.2f}"
                )
    planned = plans[-1].planned(cluster, item) if plans else None
    if planned is not None and planned.chosen_in is not None:
        facts["chosen"] = f"in round {planned.chosen_in}: {planned.reason}"
    return facts


def _name_refined(note: str, cluster: str) -> str:
    """What to ask next, of this level too."""
    note = note.replace("explain '", f"explain '{PREFIX}{cluster}/")
    return note.replace(f"explain {cluster}/", f"explain {PREFIX}{cluster}/")


def compose_view(
    records: StudyRecords,
    thermo: RefinedThermoRecord,
    profiles: list[RefinedCheRecord],
) -> StudyRecords:
    """The records that the free energies of the composite level are made of.

    Of the clusters that stand for changes of this one the free energies are there too.
    """
    cluster = thermo.cluster
    states = {name for one in profiles for name in one.profiles.states.values()}
    level_records = ClusterRecords(
        relaxed=next(r for r in records.of(RelaxRecord) if r.cluster == cluster),
        adsorptions=[r for r in records.of(AdsorbRecord) if r.cluster == cluster],
        vibrations=[r for r in records.of(VibrateRecord) if r.cluster == cluster],
        gases=records.of(GasRecord),
    )
    found = Refinements(
        bare=next(r for r in records.of(RefineBareRecord) if r.cluster == cluster),
        gases=records.of(RefineGasRecord),
        adsorbates=[r for r in records.of(RefineRecord) if r.cluster == cluster],
    )
    composed = compose_records(level_records, found, thermo.energies.isomers).records
    return replace(
        records,
        records=(
            composed.relaxed,
            *composed.adsorptions,
            *composed.vibrations,
            *composed.gases,
            thermo.energies,
            *(
                one.energies
                for one in records.of(RefinedThermoRecord)
                if one.cluster in states and one.cluster != cluster
            ),
            *(one.profiles for one in profiles),
        ),
    )
