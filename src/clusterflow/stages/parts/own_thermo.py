"""The record of stage thermo from a person's own energies, as from a study's."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError, ConfigError
from clusterflow.library.energy_rows import Origin, OwnEnergyRow
from clusterflow.library.levels import LevelSpec
from clusterflow.library.own_tables import read_shifts
from clusterflow.records.energies import ThermoRecord
from clusterflow.science.thermochemistry.adsorbate_models import AdsorbateModel
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.science.thermochemistry.own_species import (
    OwnLayers,
    OwnSurroundings,
    choose_anchors,
    own_adsorbate,
    own_clean,
    own_gas,
    own_gas_terms,
)
from clusterflow.science.thermochemistry.species import find_layer_shifts, hole
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.verdicts import mark_species

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.find import Library
    from clusterflow.library.gases import GasSpec
    from clusterflow.records.energies import GasCorrection, SpeciesFreeEnergy
    from clusterflow.settings import ThermoSettings
    from clusterflow.stages.parts.job import Job

OWN = "own"
# The layer of what a person says that a solvent adds.
OWN_SOLVATION = "own-solvation"
# That of a correction that a person gives as a number with its source.
OWN_SHIFT = "own-shift"


def own_level(rows: Sequence[OwnEnergyRow], files: Mapping[Path, str]) -> LevelSpec:
    """The level of a table: what its rows say, else the table itself.

    Parameters
    ----------
    rows
        All of the table, of one level.
    files
        SHA-256 of each file they are from.
    """
    named = {row.level for row in rows if row.level}
    together = hashlib.sha256("".join(sorted(files.values())).encode()).hexdigest()
    names = ", ".join(sorted({path.name for path in files})[:3])
    return LevelSpec(
        name=OWN,
        engine=OWN,
        method=named.pop() if named else f"table {together[:12]}",
        source=f"{names}, SHA-256 {together[:12]}",
        description="Energies that a person brought.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGases:
    """What the surfaces of a table share: its gases with their free energies.

    `molecules_of` tells by the name of an adsorbate which molecules it is drawn as.
    """

    around: OwnSurroundings
    settings: ThermoSettings
    corrections: tuple[GasCorrection, ...]
    gas_ev: Mapping[str, float] | None
    half_hydrogen_ev: float | None
    species: tuple[SpeciesFreeEnergy, ...]
    molecules_of: Callable[[str], Mapping[str, float]]


def own_gases(
    rows: Sequence[OwnEnergyRow],
    settings: ThermoSettings,
    library: Library,
    *,
    given_at_k: float | None = None,
) -> OwnGases:
    """The gases among the rows, once for all surfaces.

    Parameters
    ----------
    rows
        Those of a table; only the gases count.
    settings
        Pressures there go before those of the rows.
    library
        Of gases.
    given_at_k
        Where given free energies hold; by default at the temperature of `settings`.

    Raises
    ------
    ConfigError
        If a gas stands there twice.
    """
    around = own_surroundings(rows, settings, library, given_at_k=given_at_k)
    corrections = around.corrections()
    by_gas = {c.gas: c.correction_ev for c in corrections}
    gas_ev = by_gas if "gas" in settings.correct else None
    species = [
        _add_shift(one, around.rows[name])
        for name in around.list_gases()
        for one in own_gas(name, around, gas_ev)
    ]
    species += [
        hole(f"{name}(g)", f"{name} needs a row with its frequencies_cm1")
        for name in rows[0].reference_set
        if name not in around.rows
    ]
    pressures = dict(around.pressure_pa)
    return OwnGases(
        around=around,
        settings=settings.model_copy(update={"pressure_pa": pressures}),
        corrections=tuple(corrections),
        gas_ev=gas_ev,
        half_hydrogen_ev=_compute_half_hydrogen(around, gas_ev),
        species=tuple(species),
        molecules_of=_name_molecules(library),
    )


def own_thermo(
    surface: str,
    rows: Sequence[OwnEnergyRow],
    gases: OwnGases,
    level: LevelSpec,
    library: Library,
    job: Job,
    *,
    shifts_ev: Mapping[str, Mapping[str, float]] | None = None,
    notes: Sequence[str] = (),
) -> ThermoRecord:
    """Free energies of formation of all species on one surface.

    Parameters
    ----------
    surface
        Its name.
    rows
        Those of the surface and of the gases; of several sites the lowest counts.
    gases
        Those of the table.
    level
        What made the energies.
    library
        Of adsorbates.
    job
        The run.
    shifts_ev
        By layer, the shifts of adsorbates that a person's own tables have.
    notes
        What is odd about the rows.

    Raises
    ------
    ConfigError
        If a species stands there twice.
    """
    settings, around = gases.settings, gases.around
    job.settings = settings_of(settings)
    by_name = _group_surface_rows(rows)
    clean_rows = by_name.pop("*", [None])
    clean, clean_terms = own_clean(clean_rows[0], around)
    species = [clean, *gases.species]
    for name, sites in by_name.items():
        if name not in library.paths("adsorbates"):
            species.append(hole(f"*{name}", f"the library has no adsorbate {name!r}"))
            continue
        spec = library.adsorbate(name)
        shifts = find_layer_shifts(spec, settings.correct, shifts_ev or {})
        found = []
        for row in sites:
            asks_errors = gases.gas_ev is not None or row.deviation_ev is not None
            given = {OWN_SOLVATION: row.solvation_ev, OWN_SHIFT: row.shift_ev}
            own = {layer: ev for layer, ev in given.items() if ev is not None}
            layers = OwnLayers(
                gas_ev=gases.gas_ev,
                molecules=gases.molecules_of(name) if asks_errors else {},
                shifts_ev=shifts | own,
            )
            found.append(own_adsorbate(row, spec, clean_terms, around, layers))
        species.append(min(found, key=_order_by_energy))
    record = ThermoRecord(
        cluster=surface,
        level=level,
        temperature_k=settings.temperature_k,
        pressure_pa=settings.pressure_pa,
        half_hydrogen_ev=gases.half_hydrogen_ev,
        species=tuple(species),
        gas_corrections=gases.corrections,
        own=tuple(rows),
        notes=tuple(notes),
        provenance=job.provenance(),
    )
    return mark_species(record, library)


def read_shift_tables(
    settings: ThermoSettings,
    surface: str,
    library: Library,
    also: Sequence[str] | None = None,
) -> dict[str, dict[str, float]]:
    """Shifts of a surface's adsorbates by layer, eV; `also` are other surfaces."""
    return {
        layer: read_shifts(Path(file), surface, library, also=also)
        for layer, file in settings.tables.items()
    }


def own_surroundings(
    rows: Sequence[OwnEnergyRow],
    settings: ThermoSettings,
    library: Library,
    *,
    given_at_k: float | None = None,
) -> OwnSurroundings:
    """What the free energies of a table refer to: its gases, as far as known."""
    gases: dict[str, OwnEnergyRow] = {}
    for row in rows:
        if row.state == "gas" and row.species in library.paths("gases"):
            _refuse_double(row, gases.get(row.species))
            gases[row.species] = row
    table = experimental_table([*gases, *settings.anchors], library)
    at_k = settings.temperature_k if given_at_k is None else given_at_k
    anchors = settings.anchors
    if "gas" not in settings.correct:
        known = {
            name: table.gases[name]
            for name, row in gases.items()
            if _has_terms(row, table.gases[name], settings.temperature_k, at_k)
        }
        anchors = choose_anchors(settings.anchors, known) or anchors
    pressures = {
        name: row.pressure_pa
        for name, row in gases.items()
        if "pressure_pa" in row.model_fields_set
    }
    return OwnSurroundings(
        gases={},
        rows=gases,
        table=table,
        anchors=anchors,
        temperature_k=settings.temperature_k,
        pressure_pa=pressures | settings.pressure_pa,
        isomers=settings.isomers,
        model=AdsorbateModel(
            name="harmonic",
            low_mode_cutoff_cm1=settings.low_mode_cutoff_cm1,
            barriers={},
        ),
        given_at_k=at_k,
    )


def _has_terms(
    row: OwnEnergyRow, spec: GasSpec, temperature_k: float, given_at_k: float
) -> bool:
    try:
        own_gas_terms(row, spec, temperature_k, row.pressure_pa, given_at_k=given_at_k)
    except ClusterflowError:
        return False
    return True


def _group_surface_rows(
    rows: Iterable[OwnEnergyRow],
) -> dict[str, list[OwnEnergyRow]]:
    """Rows of adsorbates by name, one a site, and of the clean surface as ``*``."""
    found: dict[str, list[OwnEnergyRow]] = defaultdict(list)
    for row in rows:
        if row.state == "gas":
            continue
        own = found["*" if row.state == "clean" else row.species]
        for other in own:
            if row.state == "clean" or not row.site or row.site == other.site:
                _refuse_double(row, other)
        own.append(row)
    return dict(found)


def _refuse_double(row: OwnEnergyRow, other: OwnEnergyRow | None) -> None:
    if other is not None:
        raise ConfigError(
            f"{row.origin}: {row.species} ({row.state}) on surface "
            f"{row.surface or '-'} stands there twice, first in {other.origin.row}; "
            "leave one, or name their sites in a column site"
        )


def _order_by_energy(species: SpeciesFreeEnergy) -> tuple[bool, float]:
    value = species.formation_ev
    return value is None, 0.0 if value is None else value


def _compute_half_hydrogen(
    around: OwnSurroundings, gas_ev: Mapping[str, float] | None
) -> float | None:
    """Free energy of formation of half a hydrogen molecule, eV: of H⁺ + e⁻ at 0 V."""
    h2, anchors_ev = around.gas_terms("H2"), around.anchor_energy_ev({"H": 2})
    if h2 is None or anchors_ev is None:
        return None
    shift = (gas_ev or {}).get("H2", 0.0) + (around.rows["H2"].shift_ev or 0.0)
    return (h2.gibbs_ev - anchors_ev + shift) / 2


def _name_molecules(library: Library) -> Callable[[str], Mapping[str, float]]:
    """What names the molecules of an adsorbate, once for all surfaces."""

    @cache
    def molecules_of(name: str) -> Mapping[str, float]:
        return find_drawn()(library.adsorbate(name))

    @cache
    def find_drawn() -> Callable[[AdsorbateSpec], Mapping[str, float]]:
        # Late, for without errors to carry nothing else needs networkx.
        from clusterflow.science.geometry.bond_groups import drawn_molecules_of

        return drawn_molecules_of(library)

    return molecules_of


def _add_shift(species: SpeciesFreeEnergy, row: OwnEnergyRow) -> SpeciesFreeEnergy:
    """A gas or its liquid with the correction that its row gives."""
    if row.shift_ev is None or species.formation_ev is None:
        return species
    assert species.gibbs_ev is not None
    return species.model_copy(
        update={
            "layers": {**species.layers, OWN_SHIFT: row.shift_ev},
            "gibbs_ev": species.gibbs_ev + row.shift_ev,
            "formation_ev": species.formation_ev + row.shift_ev,
        }
    )


def measured_row(
    name: str,
    rows: Sequence[OwnEnergyRow],
    settings: ThermoSettings,
    library: Library,
) -> OwnEnergyRow:
    """A gas from the others' free energies and its measured formation from them.

    So O2 is made of water and hydrogen, 2 H2O(l) -> O2 + 2 H2 costing the measured
    4.92 eV (10.1021/jp047349j), because functionals are wrong about O2.

    Raises
    ------
    ConfigError
        If it has a row, is not in the library, or the others cannot make it.
    """
    if name not in library.paths("gases"):
        raise ConfigError(f"--from-experiment {name}: the library has no such gas")
    own = next((r for r in rows if (r.species, r.state) == (name, "gas")), None)
    if own is not None:
        raise ConfigError(
            f"{own.origin} ({name}): has an energy, and --from-experiment {name} "
            "gives it another; leave out one"
        )
    around = own_surroundings(rows, settings, library)
    parts = around.anchors_of(library.gas(name).counts)
    total = around.anchor_energy_ev(library.gas(name).counts)
    if parts is None or total is None:
        raise ConfigError(
            f"--from-experiment {name}: cannot be made of the gases with a row "
            f"({', '.join(around.list_gases()) or 'none'})"
        )
    at_k = settings.temperature_k
    table = experimental_table([name, *parts], library)
    total += table.formation_ev(name, "g", at_k)
    total -= sum(n * table.formation_ev(a, "g", at_k) for a, n in parts.items())
    total += sum(n * (around.rows[a].shift_ev or 0.0) for a, n in parts.items())
    shown = " ".join(f"{n:+g} {anchor}" for anchor, n in parts.items())
    first = rows[0]
    return OwnEnergyRow(
        species=name,
        state="gas",
        gibbs_ev=total,
        energy_kind=first.energy_kind,
        level=first.level,
        note=f"measured formation, from {shown}",
        origin=Origin(file=first.origin.file, row=f"--from-experiment {name}"),
    )
