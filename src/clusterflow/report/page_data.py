"""What the sliders and the views of structures work on: records as JSON in the page.

The scripts that read it are 65 kB in a page of 1.2 MB; plotly alone has 4.8 MB and
takes 1.5 s to parse, and 3Dmol.js or Vega-Lite 0.5 to 1 MB each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from clusterflow.figures.columns import find_places, name_axis, name_states
from clusterflow.figures.picture import BALL, BOND, element_styles, view_rotation
from clusterflow.report.words import say_fate, say_outcome
from clusterflow.science.reactions.che import THERMALLY_CLOSED_EV, TIE_V, Electrode
from clusterflow.science.reactions.network import parse_equation, read_surface
from clusterflow.science.reactions.pathways import holes, order_pathways
from clusterflow.science.reactions.scaling_line import FEW_POINTS
from clusterflow.science.uncertainty.profile_deviations import profile_half_widths
from clusterflow.stage_table import STAGES, record_name
from clusterflow.units import BOLTZMANN_EV_PER_K

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import CheRecord, Pathway, ReactionResult
    from clusterflow.records.provenance import Record
    from clusterflow.records.structure import Structure
    from clusterflow.report.contents import ClusterView
    from clusterflow.results.scaling_relations import Scaling
    from clusterflow.results.temperatures import StepEnergies

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStructure:
    """A structure that can be opened in three dimensions; `key` finds it.

    `energy_ev` is its total energy at its level.
    """

    key: str
    title: str
    note: str
    record: str
    energy_ev: float
    structure: Structure


def to_json(content: object) -> Markup:
    """JSON that can stand inside a script element: nothing in it ends the element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def source_name(record: Record) -> str:
    """The file of a record, relative to the results folder."""
    return record_name(record).as_posix()


def sources_of(records: StudyRecords, hashes: Mapping[str, str]) -> dict[str, Json]:
    """Hash, level, protocol and date of each record, by its file."""
    found = {}
    for record in records.records:
        name = source_name(record)
        level = getattr(record, "level", None)
        found[name] = {
            "sha256": hashes.get(name, ""),
            "level": f"{level.name} ({level.hash})" if level else "",
            "protocol": record.provenance.protocol,
            "created": record.provenance.created,
        }
    return found


def chemistry() -> Json:
    """The constants of the hydrogen electrode, as Python has them."""
    return {
        "boltzmann": BOLTZMANN_EV_PER_K,
        "closed": THERMALLY_CLOSED_EV,
        "tie": TIE_V,
    }


def conditions_of(
    records: Iterable[CheRecord], steps: Mapping[str, StepEnergies]
) -> Json:
    """What the one control of the page starts from, and the temperatures it offers."""
    results = [result for record in records for result in record.results]
    temperatures = {result.temperature_k for result in results}
    temperatures |= {t for found in steps.values() for t in found.temperatures_k}
    reasons = [found.reason for found in steps.values() if found.reason]
    first = results[0] if results else None
    return {
        "potential": first.potential_v if first else 0.0,
        "scale": first.scale if first else "rhe",
        "ph": first.ph if first else 7.0,
        "temperature": first.temperature_k if first else None,
        "temperatures": sorted(temperatures),
        "reason": reasons[0] if reasons and len(temperatures) < 2 else "",
    }


def structures_of(view: ClusterView) -> tuple[NamedStructure, ...]:
    """Every isomer of a cluster and every minimum of its adsorbates."""
    found = [
        NamedStructure(
            key=f"/{index}",
            title="*",
            note=f"isomer {isomer.structure.name}, {isomer.energy_ev:.3f} eV",
            record=source_name(view.relax),
            energy_ev=isomer.energy_ev,
            structure=isomer.structure,
        )
        for index, isomer in enumerate(view.relax.isomers if view.relax else ())
        if view.relax
    ]
    for record in view.adsorptions:
        for index, minimum in enumerate(record.minima):
            what = f"{say_outcome(minimum)}, {minimum.site_kind}, {minimum.form}"
            found.append(
                NamedStructure(
                    key=f"{record.adsorbate}/{index}",
                    title=f"*{record.adsorbate}",
                    note=f"{what}, {minimum.energy_ev:.3f} eV",
                    record=source_name(record),
                    energy_ev=minimum.energy_ev,
                    structure=minimum.structure,
                )
            )
    return tuple(found)


def elements_of(symbols: Iterable[str]) -> Json:
    """How atoms are drawn: radius in Å and colour of each element."""
    styles = element_styles(symbols)
    return {
        "elements": {
            symbol: {"radius": style.radius_a, "color": style.color}
            for symbol, style in styles.items()
        },
        "ball": BALL,
        "bond": BOND,
    }


def cluster_block(
    view: ClusterView,
    records: StudyRecords,
    structures: Sequence[NamedStructure],
    energies: StepEnergies,
) -> Json:
    """Structures and reactions of a cluster, and where its species come from."""
    results = view.che.results if view.che else ()
    return {
        "structures": [_encode_structure(item) for item in structures],
        "reactions": [_encode_reaction(result, energies) for result in results],
        "species": _encode_species(view, records, results),
        "cluster_records": _name_own_records(view),
    }


def track_block(
    view: ClusterView,
    records: StudyRecords,
    reaction: str,
    energies: StepEnergies,
    *,
    composite: bool = False,
) -> Json:
    """The same of one reaction alone, or of all if none is named.

    For a diagram of several clusters, at the level or at the composite level.
    """
    profiles = view.che
    if composite:
        profiles = view.refined.profiles if view.refined else None
    results = [
        result
        for result in (profiles.results if profiles else ())
        if reaction in ("", result.reaction)
    ]
    return {
        "reactions": [_encode_reaction(result, energies) for result in results],
        "species": _encode_species(view, records, results, composite=composite),
        "cluster_records": _name_own_records(view, composite=composite),
    }


def _name_own_records(view: ClusterView, *, composite: bool = False) -> list[str]:
    """The files of what a cluster's diagrams are made of."""
    of_level, of_both = (view.che, view.thermo), (view.refined, view.refined_thermo)
    made_of = of_both if composite else of_level
    return [source_name(record) for record in made_of if record is not None]


def _encode_structure(item: NamedStructure) -> Json:
    """Positions in 0.001 Å as in the record, and the turn of the still picture."""
    structure = item.structure
    return {
        "title": item.title,
        "note": item.note,
        "record": item.record,
        "symbols": list(structure.symbols),
        "roles": list(structure.roles),
        "milli": (structure.xyz * 1000).round().astype(int).ravel().tolist(),
        "turn": view_rotation(structure).round(4).ravel().tolist(),
        "charge": structure.charge,
        "multiplicity": structure.multiplicity,
        "energy": round(item.energy_ev, 6),
        "cell": structure.cell,
    }


def _encode_reaction(result: ReactionResult, energies: StepEnergies) -> Json:
    pathways = order_pathways(result)
    steps = {step.name: step for pathway in pathways for step in pathway.steps}
    grid = energies.dg0_ev.keys() >= steps.keys() and energies.temperatures_k
    names = list(steps)
    # The sliders know the scales that every temperature has.
    electrode = Electrode(
        potential_v=result.potential_v,
        scale=result.scale,
        ph=result.ph,
        temperature_k=result.temperature_k,
    )
    on_rhe = result.scale == "rhe"
    places = find_places(result.equation, pathways) if pathways else ()
    return {
        "reaction": result.reaction,
        "axis": name_axis(pathways),
        "potential": result.potential_v if on_rhe else electrode.potential_she_v,
        "scale": "rhe" if on_rhe else "she",
        "ph": result.ph,
        "temperature": result.temperature_k,
        "temperatures": list(grid or (result.temperature_k,)),
        "temperature_reason": "" if grid else energies.reason,
        "steps": [
            {
                "name": step.name,
                "n_e": step.n_e,
                "n_h": step.n_h,
                "dg0": list(energies.dg0_ev[step.name]) if grid else [step.dg0_ev],
            }
            for step in steps.values()
        ],
        "pathways": [
            _encode_pathway(pathway, names, result.surface, energies)
            | {
                "places": [[place.electrons, place.chemical] for place in track],
                "names": list(name_states(result.equation, pathway)),
            }
            for pathway, track in zip(pathways, places, strict=True)
        ],
    }


def _encode_pathway(
    pathway: Pathway, names: list[str], surface: str, energies: StepEnergies
) -> Json:
    reasons = dict(holes(pathway))
    half_widths: list[float | None] = [None] * len(pathway.states)
    if energies.deviations is not None:
        steps = [parse_equation(step.name) for step in pathway.steps]
        widths = profile_half_widths(steps, energies.deviations, surface=surface)
        half_widths = [None if width is None else round(width, 4) for width in widths]
    places = {step.name: place for place, step in enumerate(pathway.steps)}
    return {
        "states": list(pathway.states),
        "steps": [names.index(step.name) for step in pathway.steps],
        "combined": [
            [places[name] for name in step.combined_with] for step in pathway.steps
        ],
        "half_widths": half_widths,
        "reasons": [reasons.get(i, "") for i in range(len(pathway.states))],
    }


def _encode_species(
    view: ClusterView,
    records: StudyRecords,
    results: Sequence[ReactionResult],
    *,
    composite: bool = False,
) -> Json:
    """Of each term of the equations, its formation energy and its records."""
    steps = {s.name for r in results for p in r.pathways for s in p.steps}
    terms = {term for name in steps for term in parse_equation(name).species}
    thermo = view.thermo
    if composite:
        thermo = view.refined_thermo.energies if view.refined_thermo else None
    known = {s.name: s for s in thermo.species} if thermo else {}
    files = {source_name(record) for record in records.records}
    return {
        term: {
            "formation": known[term].formation_ev if term in known else None,
            "status": _describe_status(known.get(term)),
            "records": [
                name
                for name in _list_record_names(term, view, composite=composite)
                if name in files
            ],
        }
        for term in sorted(terms)
    }


def _describe_status(species: SpeciesFreeEnergy | None) -> str:
    if species is None:
        return "a state of the cluster"
    return species.reason or say_fate(species.status)


def _list_record_names(
    term: str, view: ClusterView, *, composite: bool = False
) -> list[str]:
    """Files that a term's free energy rests on, whether or not they exist.

    Of a composite level those with DFT come first.
    """
    if not term.startswith("*"):
        level = view.thermo.level if view.thermo else None
        gas = term.partition("(")[0]
        stages = ("refine_gas", "gas") if composite else ("gas",)
        return [_name_record(stage, level.name, gas) for stage in stages if level]
    change, adsorbate = read_surface(term)
    states = view.che.states if view.che else {}
    cluster = states.get(change, "") if change else view.name
    thermo = _name_record("refined_thermo" if composite else "thermo", cluster)
    if not adsorbate:
        dft = [_name_record("refine_bare", cluster)] if composite else []
        return [*dft, _name_record("relax", cluster), thermo]
    dft = [_name_record("refine", cluster, adsorbate)] if composite else []
    return [
        *(thermo, *dft),
        _name_record("adsorb", cluster, adsorbate),
        _name_record("vibrate", cluster, adsorbate),
    ]


def _name_record(stage: str, *subject: str) -> str:
    return STAGES[stage].path(*subject).as_posix()


def scaling_block(scaling: Scaling) -> Json:
    """What the scaling plot is drawn of."""
    return {
        "species": list(scaling.species),
        "clusters": list(scaling.clusters),
        "values": [
            [None if v is None else round(v, 4) for v in row]
            for row in scaling.values_ev
        ],
        "lines": {
            f"{x},{y}": {
                "slope": line.slope,
                "interval": [line.slope_low, line.slope_high],
                "few": FEW_POINTS if line.n_points < FEW_POINTS else None,
                "intercept": line.intercept,
                "r_squared": line.r_squared,
                "mae": line.mean_absolute_error,
            }
            for (x, y), line in scaling.lines.items()
        },
        "first": list(scaling.first),
    }
