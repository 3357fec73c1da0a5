"""Free energies and steps as the input of CatMAP: its table, and a model to start from.

The table has formation energies and wavenumbers (A. J. Medford et al., Catal. Lett.
145, 794, 2015, doi:10.1007/s10562-015-1495-6). Correction layers stand in the energies,
because CatMAP knows none of them; so does what spin and hindered rotations add to the
harmonic modes of an adsorbate. Where a free energy has no wavenumbers behind it, all
rows are free energies, with which CatMAP does nothing ("frozen").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from clusterflow.errors import LibraryError, RecordError
from clusterflow.formula import parse_formula
from clusterflow.library.energy_rows import FREE_ENERGY
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.results.summands import surroundings_of_record
from clusterflow.science.reactions.network import (
    ELECTRON,
    PROTON,
    SITE,
    parse_equation,
)
from clusterflow.science.thermochemistry.partition_functions import harmonic_adsorbate
from clusterflow.settings import ThermoSettings
from clusterflow.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.energies import FreeEnergyTerms, SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords
    from clusterflow.science.thermochemistry.species import Surroundings

HEADINGS = (
    *("surface_name", "site_name", "species_name", "formation_energy"),
    *("bulk_structure", "frequencies", "other_parameters", "reference", "energy_kind"),
)
TABLE, MODEL = "energies.txt", "model.mkm"
# A surface such as Cu(211): its facet is a site of CatMAP.
_FACET = re.compile(r"(?P<name>.+)\((?P<facet>\d+)\)")
_SURFACE_SITE = "s"
# CatMAP reads `-` as a transition state, `_` as the site, and a number as how many.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_GIVEN = ("given", "given-terms")


@dataclass(frozen=True, slots=True)
class CatmapInput:
    """Texts of the two files, and what could not be written in them."""

    table: str
    model: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A species on a surface ("" for a gas), eV and cm⁻¹."""

    surface: str
    species: str
    energy_ev: float
    frequencies_cm1: tuple[float, ...]
    reference: str


def make_catmap_input(records: StudyRecords, library: Library) -> CatmapInput:
    """The table and the model of all surfaces and reactions of a results folder.

    Raises
    ------
    RecordError
        If there are no free energies, their gases differ from surface to surface, or
        a surface has a name that CatMAP cannot have.
    """
    thermo = [t for t in records.of(ThermoRecord) if t.level is not None]
    if not thermo:
        raise RecordError(f"{records.folder}: has no free energies to export")
    frozen = any(_is_given(s) for record in thermo for s in record.species)
    rows: dict[tuple[str, str], _Row] = {}
    notes: list[str] = []
    for record in thermo:
        _check_surface(record.cluster)
        around = surroundings_of_record(record, records, library)
        modes = _find_modes(record, records)
        for species in record.species:
            if species.name == "*" or species.name.endswith("(l)"):
                continue
            subject = f"{record.cluster}/{species.name}"
            if species.formation_ev is None or species.terms is None:
                notes.append(f"left out: {subject}: {species.reason}")
                continue
            if not _NAME.fullmatch(_name_plain(species.name)):
                notes.append(f"left out: {subject}: CatMAP reads another name in it")
                continue
            references = _sum_references(record, species.name, around, library)
            row = _make_row(record, species, references, modes, frozen=frozen)
            known = rows.setdefault((row.surface, row.species), row)
            if abs(known.energy_ev - row.energy_ev) > 1e-6:
                raise RecordError(
                    f"{records.folder}: {species.name} is {known.energy_ev:+.6f} eV on "
                    f"one surface and {row.energy_ev:+.6f} on {record.cluster}; CatMAP "
                    "has one gas phase: export clusters of one level"
                )
    notes = list(dict.fromkeys(notes))
    ordered = sorted(rows.values(), key=lambda row: (row.surface != "", row.surface))
    model, left_out = _format_model(records, thermo[0], ordered, library, frozen=frozen)
    return CatmapInput(
        _format_table(ordered, frozen=frozen), model, (*notes, *left_out)
    )


def _is_given(species: SpeciesFreeEnergy) -> bool:
    return species.terms is not None and species.terms.model in _GIVEN


def _name_plain(name: str) -> str:
    return name.removeprefix("*").partition("(")[0]


def _check_surface(name: str) -> None:
    if name == "None" or not name or re.search(r"[\t\r\n\\']", name):
        raise RecordError(f"surface {name!r}: CatMAP cannot have this name")


def _find_modes(
    thermo: ThermoRecord, records: StudyRecords
) -> Mapping[str, tuple[float, ...]]:
    """Wavenumbers by species, cm⁻¹: of the rows of a table, or computed."""
    if thermo.own:
        return {
            ("*" if row.state == "ads" else "") + row.species: row.frequencies_cm1 or ()
            for row in thermo.own
            if row.state == "gas" or row.site in ("", _read_site(thermo, row.species))
        }
    level = thermo.level.hash if thermo.level else None
    gases = {
        gas.gas: gas.frequencies_cm1
        for gas in records.of(GasRecord)
        if gas.level.hash == level
    }
    return gases | {
        f"*{vibrated.adsorbate}": vibrated.frequencies_cm1
        for vibrated in records.of(VibrateRecord)
        if vibrated.cluster == thermo.cluster
    }


def _read_site(thermo: ThermoRecord, adsorbate: str) -> str:
    """The site of a table on which an adsorbate is lowest."""
    found = next((s for s in thermo.species if s.name == f"*{adsorbate}"), None)
    return found.reason.removeprefix("on ") if found else ""


def _make_row(
    thermo: ThermoRecord,
    species: SpeciesFreeEnergy,
    references_ev: float,
    modes: Mapping[str, tuple[float, ...]],
    *,
    frozen: bool,
) -> _Row:
    assert species.terms is not None and species.formation_ev is not None
    assert thermo.level is not None
    name = _name_plain(species.name)
    adsorbed = species.name.startswith("*")
    energy = species.formation_ev
    own_modes = () if frozen else modes[f"*{name}" if adsorbed else name]
    if frozen and not adsorbed:
        # CatMAP adds what the pressure does.
        ratio = thermo.pressure_pa.get(name, STANDARD_PRESSURE_PA)
        kt = BOLTZMANN_EV_PER_K * thermo.temperature_k
        energy -= kt * log(ratio / STANDARD_PRESSURE_PA)
    elif not frozen:
        energy = species.terms.energy_ev + sum(species.layers.values())
        energy -= references_ev
        if adsorbed:
            energy += _compute_beyond_modes_ev(thermo, species.terms, own_modes)
    layers = ", ".join(f"{k} {v:+.3f} eV" for k, v in species.layers.items() if v)
    level = thermo.level
    made = f"{level.method}, {level.name}" if level.method != level.name else level.name
    return _Row(
        surface=thermo.cluster if adsorbed else "",
        species=name,
        energy_ev=energy + 0.0,
        frequencies_cm1=own_modes,
        reference=f"{made}; with {layers}" if layers else made,
    )


def _compute_beyond_modes_ev(
    thermo: ThermoRecord, terms: FreeEnergyTerms, modes: Sequence[float]
) -> float:
    """What an adsorbate's G has beyond harmonic modes, eV: spin, hindered rotations."""
    settings = ThermoSettings.model_validate(thermo.provenance.settings)
    harmonic = harmonic_adsorbate(
        energy_ev=terms.energy_ev,
        frequencies_cm1=modes,
        temperature_k=thermo.temperature_k,
        low_mode_cutoff_cm1=settings.low_mode_cutoff_cm1,
    )
    return terms.gibbs_ev - harmonic.gibbs_ev


def _sum_references(
    thermo: ThermoRecord, name: str, around: Surroundings, library: Library
) -> float:
    """Energy of the anchors, and free energy of the bare cluster, eV."""
    adsorbed, plain = name.startswith("*"), _name_plain(name)
    spec = library.adsorbate(plain) if adsorbed else library.gas(plain)
    anchors = around.anchor_energy_ev(spec.counts, electronic=True)
    assert anchors is not None
    host = next((s for s in thermo.species if s.name == "*"), None)
    if not adsorbed:
        return anchors
    assert host is not None and host.gibbs_ev is not None
    return anchors + host.gibbs_ev


def _format_table(rows: Sequence[_Row], *, frozen: bool) -> str:
    lines = ["\t".join(HEADINGS)]
    for row in rows:
        surface, site = _split_facet(row.surface)
        modes = ", ".join(f"{mode:.8g}" for mode in row.frequencies_cm1)
        cells = (surface, site, row.species, f"{row.energy_ev:.8f}", "None")
        kind = FREE_ENERGY if frozen else "electronic"
        lines.append("\t".join((*cells, f"[{modes}]", "[]", row.reference, kind)))
    return "\n".join(lines) + "\n"


def _split_facet(surface: str) -> tuple[str, str]:
    """Names of surface and site: a facet in brackets is a site of CatMAP."""
    if not surface:
        return "None", "gas"
    match = _FACET.fullmatch(surface)
    return (match["name"], match["facet"]) if match else (surface, _SURFACE_SITE)


def _format_model(
    records: StudyRecords,
    thermo: ThermoRecord,
    rows: Sequence[_Row],
    library: Library,
    *,
    frozen: bool,
) -> tuple[str, list[str]]:
    """The model, and the steps that it cannot have."""
    known = {(row.surface != "", row.species) for row in rows}
    steps = [
        parse_equation(step)
        for che in records.of(CheRecord)
        for network in che.networks
        for step in network.steps
    ]
    expressions, left_out = [], []
    used: set[str] = set()
    for step in {step.name: step for step in steps}.values():
        sides = [_format_side(side, known) for side in (step.reactants, step.products)]
        if all(sides):
            expressions.append(" <-> ".join(filter(None, sides)))
            used.update(step.species)
        else:
            left_out.append(f"left out: {step.name}: not all of it is in {TABLE}")
    surfaces = dict.fromkeys(_split_facet(row.surface) for row in rows if row.surface)
    modes = ("frozen_gas", "frozen_adsorbate")
    if not frozen:
        modes = ("ideal_gas", "harmonic_adsorbate")
    temperature = thermo.temperature_k
    lines = [
        "# Steps without barriers: a transition state stands between two arrows, as in",
        "# 'A_s <-> A-B_s <-> B_s', with a row of its own in the table.",
        "rxn_expressions = [",
        *(f"    {expression!r}," for expression in expressions),
        "]",
        f"surface_names = {list(dict.fromkeys(name for name, _ in surfaces))!r}",
        f"input_file = {TABLE!r}",
        "data_file = 'model.pkl'",
        "",
        "scaler = 'ThermodynamicScaler'",
        "descriptor_names = ['voltage', 'temperature']",
        f"descriptor_ranges = [[-1.0, 1.0], [{temperature}, {temperature}]]",
        "resolution = [21, 1]",
        "pH = 0",
        "beta = 0.5",
        "",
        "species_definitions = {}",
        f"species_definitions['{_SURFACE_SITE}'] = {{'site_names': "
        f"{list(dict.fromkeys(site for _, site in surfaces))!r}, 'total': 1}}",
        "species_definitions['H_g'] = {'pressure': 1.0}",
        "species_definitions['ele_g'] = {'pressure': 1.0, 'composition': {}}",
        *_define_species(thermo, rows, used, library),
        "",
        f"gas_thermo_mode = {modes[0]!r}",
        f"adsorbate_thermo_mode = {modes[1]!r}",
        "electrochemical_thermo_mode = 'simple_electrochemical'",
    ]
    return "\n".join(lines) + "\n", left_out


def _format_side(
    side: Mapping[str, int], known: Collection[tuple[bool, str]]
) -> str | None:
    """One side of a step as CatMAP writes it; None if a species is not in the table."""
    parts = []
    for term, n in side.items():
        fixed = {PROTON: "H_g", ELECTRON: "ele_g", SITE: f"*_{_SURFACE_SITE}"}.get(term)
        adsorbed = term.startswith(SITE)
        if fixed is None and (adsorbed, _name_plain(term)) not in known:
            return None
        if fixed is None and term.endswith("(aq)"):
            return None
        name = fixed or f"{_name_plain(term)}_{_SURFACE_SITE if adsorbed else 'g'}"
        parts.append(name if n == 1 else f"{n}{name}")
    return " + ".join(parts)


def _define_species(
    thermo: ThermoRecord, rows: Sequence[_Row], used: set[str], library: Library
) -> Iterator[str]:
    """Pressures, bar, and the atoms of names that are no formula."""
    kt = BOLTZMANN_EV_PER_K * thermo.temperature_k
    condensation = {
        _name_plain(s.name): s.layers["condensation"]
        for s in thermo.species
        if s.name in used and "condensation" in s.layers
    }
    for row in {(row.surface != "", row.species): row for row in rows}.values():
        name = row.species
        content: dict[str, object] = {}
        if row.surface:
            counts = library.adsorbate(name).counts
        else:
            counts = library.gas(name).counts
            pressure = thermo.pressure_pa.get(name, STANDARD_PRESSURE_PA)
            content["pressure"] = pressure / STANDARD_PRESSURE_PA
            if name in condensation:
                # As high as the liquid.
                content["pressure"] = round(exp(condensation[name] / kt), 6)
        if not _is_formula(name, counts):
            content["composition"] = dict(counts)
        if content:
            key = f"{name}_{_SURFACE_SITE if row.surface else 'g'}"
            yield f"species_definitions[{key!r}] = {content!r}"


def _is_formula(name: str, counts: Mapping[str, int]) -> bool:
    try:
        return parse_formula(name) == counts
    except LibraryError:
        return False
