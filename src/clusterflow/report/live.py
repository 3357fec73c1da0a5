"""What the sliders and the views of structures work on: records as JSON in the page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from clusterflow.core.che import THERMALLY_CLOSED_EV, TIE_V
from clusterflow.core.level_intervals import HALF_WIDTH_90, level_deviations
from clusterflow.core.network import parse_equation, read_surface
from clusterflow.core.scaling import fit_line
from clusterflow.report.layout import holes, order_pathways
from clusterflow.report.picture import BALL, BOND, element_styles, view_of
from clusterflow.report.ranking import level_key
from clusterflow.stage_table import record_name
from clusterflow.units import BOLTZMANN_EV_PER_K

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.core.scaling import Line
    from clusterflow.core.uncertainty import Deviations
    from clusterflow.io import StudyRecords
    from clusterflow.records import (
        Pathway,
        ReactionResult,
        Record,
        SpeciesFreeEnergy,
        Structure,
        ThermoRecord,
    )
    from clusterflow.report.views import ClusterView

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnergies:
    """Free energies of a cluster's steps at 0 V and pH 0, for the sliders.

    `dg0_ev` has one value for each of `temperatures_k`, by the name of the step;
    `reason` says why there are no other temperatures than the study's. `deviations`
    are those of the species at the study's temperature.
    """

    temperatures_k: tuple[float, ...] = ()
    dg0_ev: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    reason: str = ""
    deviations: Deviations | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStructure:
    """A structure that can be opened in three dimensions; `key` finds it."""

    key: str
    title: str
    note: str
    record: str
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
    for record in records.all():
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


def structures_of(view: ClusterView) -> tuple[NamedStructure, ...]:
    """Every isomer of a cluster and every minimum of its adsorbates."""
    found = [
        NamedStructure(
            key=f"/{index}",
            title="*",
            note=f"isomer {isomer.structure.name}, {isomer.energy_ev:.3f} eV",
            record=source_name(view.relax),
            structure=isomer.structure,
        )
        for index, isomer in enumerate(view.relax.isomers if view.relax else ())
        if view.relax
    ]
    for record in view.adsorptions:
        for index, minimum in enumerate(record.minima):
            what = f"{minimum.fate}, {minimum.site_kind}, {minimum.form}"
            found.append(
                NamedStructure(
                    key=f"{record.adsorbate}/{index}",
                    title=f"*{record.adsorbate}",
                    note=f"{what}, {minimum.energy_ev:.3f} eV",
                    record=source_name(record),
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
    clusters = [r for r in (view.che, view.thermo) if r is not None]
    return {
        "structures": [_structure(item) for item in structures],
        "reactions": [_reaction(result, energies) for result in results],
        "species": _species(view, records, results),
        "cluster_records": [source_name(record) for record in clusters],
    }


def _structure(item: NamedStructure) -> Json:
    """Positions in 0.001 Å, turned as in the still picture."""
    places = view_of(item.structure)
    return {
        "title": item.title,
        "note": item.note,
        "record": item.record,
        "symbols": list(item.structure.symbols),
        "roles": list(item.structure.roles),
        "milli": (places * 1000).round().astype(int).ravel().tolist(),
    }


def _reaction(result: ReactionResult, energies: StepEnergies) -> Json:
    pathways = order_pathways(result)
    steps = {step.name: step for pathway in pathways for step in pathway.steps}
    grid = energies.dg0_ev.keys() >= steps.keys() and energies.temperatures_k
    names = list(steps)
    return {
        "reaction": result.reaction,
        "potential": result.potential_v,
        "scale": result.scale,
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
        "pathways": [_pathway(p, names, result.surface, energies) for p in pathways],
    }


def _pathway(
    pathway: Pathway, names: list[str], surface: str, energies: StepEnergies
) -> Json:
    reasons = dict(holes(pathway))
    half_widths: list[float | None] = [None] * len(pathway.states)
    if energies.deviations is not None:
        steps = [parse_equation(step.name) for step in pathway.steps]
        sigmas = level_deviations(steps, energies.deviations, surface=surface)
        half_widths = [
            None if s is None else round(HALF_WIDTH_90 * s, 4) for s in sigmas
        ]
    return {
        "states": list(pathway.states),
        "steps": [names.index(step.name) for step in pathway.steps],
        "half_widths": half_widths,
        "reasons": [reasons.get(i, "") for i in range(len(pathway.states))],
    }


def _species(
    view: ClusterView, records: StudyRecords, results: Sequence[ReactionResult]
) -> Json:
    """Of each term of the equations, its formation energy and its records."""
    steps = {s.name for r in results for p in r.pathways for s in p.steps}
    terms = {term for name in steps for term in parse_equation(name).species}
    known = {s.name: s for s in view.thermo.species} if view.thermo else {}
    files = {source_name(record) for record in records.all()}
    return {
        term: {
            "formation": known[term].formation_ev if term in known else None,
            "status": _status(known.get(term)),
            "records": [name for name in _record_names(term, view) if name in files],
        }
        for term in sorted(terms)
    }


def _status(species: SpeciesFreeEnergy | None) -> str:
    return "a state of the cluster" if species is None else species.reason or "no value"


def _record_names(term: str, view: ClusterView) -> list[str]:
    """Files that a term's free energy rests on, whether or not they exist."""
    if not term.startswith("*"):
        level = view.thermo.level if view.thermo else None
        gas = term.partition("(")[0]
        return [f"gas/{level.name}/{gas}.json"] if level else []
    change, adsorbate = read_surface(term)
    states = view.che.states if view.che else {}
    cluster = states.get(change, "") if change else view.name
    if not adsorbate:
        return [f"relax/{cluster}.json", f"thermo/{cluster}.json"]
    return [
        f"thermo/{cluster}.json",
        f"adsorb/{cluster}/{adsorbate}.json",
        f"vibrate/{cluster}/{adsorbate}.json",
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Free energies of all adsorbates on the clusters of one level and temperature.

    `values_ev` has one row a cluster and one column a species; `lines` are by the
    columns of x and y.
    """

    level: str
    temperature_k: float
    species: tuple[str, ...]
    clusters: tuple[str, ...]
    values_ev: tuple[tuple[float | None, ...], ...]
    lines: Mapping[tuple[int, int], Line]
    first: tuple[int, int]

    @property
    def data(self) -> Json:
        """As the page's script reads it."""
        return {
            "species": list(self.species),
            "clusters": list(self.clusters),
            "values": [
                [None if v is None else round(v, 4) for v in row]
                for row in self.values_ev
            ],
            "lines": {
                f"{x},{y}": {
                    "slope": line.slope,
                    "intercept": line.intercept,
                    "r_squared": line.r_squared,
                    "mae": line.mean_absolute_error,
                }
                for (x, y), line in self.lines.items()
            },
            "first": list(self.first),
        }


def scalings_of(thermo: Iterable[ThermoRecord]) -> tuple[Scaling, ...]:
    """One a level and temperature at which two clusters and two adsorbates have ΔG."""
    groups: dict[tuple[str, str, float], list[ThermoRecord]] = {}
    for record in thermo:
        key = (*level_key(record.level), record.temperature_k)
        groups.setdefault(key, []).append(record)
    found = (_scaling(name, group) for (name, _, _), group in groups.items())
    return tuple(scaling for scaling in found if scaling is not None)


def _scaling(level: str, group: Sequence[ThermoRecord]) -> Scaling | None:
    known = {
        record.cluster: {
            s.name: s.formation_ev
            for s in record.species
            if s.name.startswith("*") and s.name != "*" and s.formation_ev is not None
        }
        for record in group
    }
    known = {cluster: values for cluster, values in known.items() if values}
    species = sorted({name for values in known.values() for name in values})
    if len(known) < 2 or len(species) < 2:
        return None
    rows = [[values.get(name) for name in species] for values in known.values()]
    lines, shared = {}, {}
    for x, y in permutations(range(len(species)), 2):
        pairs = [
            (at_x, at_y)
            for row in rows
            if (at_x := row[x]) is not None and (at_y := row[y]) is not None
        ]
        shared[x, y] = len(pairs)
        line, _ = fit_line([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        if line is not None:
            lines[x, y] = line
    return Scaling(
        level=level,
        temperature_k=group[0].temperature_k,
        species=tuple(species),
        clusters=tuple(known),
        values_ev=tuple(tuple(row) for row in rows),
        lines=lines,
        first=_first_pair(species, shared),
    )


def _first_pair(
    species: Sequence[str], shared: Mapping[tuple[int, int], int]
) -> tuple[int, int]:
    """The pair of most clusters; of these, one with *CO as its abscissa."""

    def rank(pair: tuple[int, int]) -> tuple[int, bool, bool]:
        names = [species[index] for index in pair]
        return shared[pair], names[0] == "*CO", names[1] in ("*COOH", "*CHO")

    return max(shared, key=rank)
