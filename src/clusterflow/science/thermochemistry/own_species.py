"""Free energies of species from a person's own energies, on the scale of a study.

Gases are ideal gases with the geometry of the library's molecule, adsorbates harmonic
oscillators with the low modes damped as those of a study. A free energy that a person
gives is taken as it is, at the pressure of its row and at one temperature.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError, ConfigError
from clusterflow.library.energy_rows import OwnEnergyRow
from clusterflow.records.energies import FreeEnergyTerms
from clusterflow.science.thermochemistry.formation import anchor_coefficients
from clusterflow.science.thermochemistry.partition_functions import (
    add_entropy_term,
    electronic_only,
    harmonic_adsorbate,
    ideal_gas,
)
from clusterflow.science.thermochemistry.species import (
    Surroundings,
    add_solvation_deviation,
    gas_species,
    hole,
    make_species,
)
from clusterflow.units import (
    BOLTZMANN_EV_PER_K,
    STANDARD_PRESSURE_PA,
    STANDARD_TEMPERATURE_K,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.common import AtomLine
    from clusterflow.library.gases import GasSpec
    from clusterflow.records.energies import SpeciesFreeEnergy


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLayers:
    """Corrections of an adsorbate of a table, eV, and the molecules it is drawn as.

    A table has no geometries, so `molecules` stand for its bonds: their gas corrections
    in `gas_ev` are its own. None there switches that layer off. `shifts_ev` has the
    further layers by name, and None where there is no value for one.
    """

    gas_ev: Mapping[str, float] | None
    molecules: Mapping[str, float]
    shifts_ev: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSurroundings(Surroundings):
    """What free energies of one's own refer to: the gases are rows of a table.

    `gases` of a study stays empty; `given_at_k` is the temperature at which free
    energies and their terms were given.
    """

    rows: Mapping[str, OwnEnergyRow]
    given_at_k: float
    _known: dict[tuple[str, float, float], FreeEnergyTerms | None] = field(
        default_factory=dict
    )

    def list_gases(self) -> tuple[str, ...]:
        """Names of the gases."""
        return tuple(self.rows)

    def terms_at(
        self, name: str, temperature_k: float, pressure_pa: float
    ) -> FreeEnergyTerms | None:
        """Free energy of a gas; None where its row does not give it."""
        key = (name, temperature_k, pressure_pa)
        # Thousands of surfaces have the same gases.
        if key not in self._known:
            try:
                self._known[key] = own_gas_terms(
                    self.rows[name],
                    self.table.gases[name],
                    temperature_k,
                    pressure_pa,
                    given_at_k=self.given_at_k,
                )
            except ClusterflowError:
                self._known[key] = None
        return self._known[key]

    def why_no_gas(self, name: str) -> tuple[str, str]:
        """Status and reason for a None of `terms_at` at the study's temperature."""
        try:
            own_gas_terms(
                self.rows[name],
                self.table.gases[name],
                self.temperature_k,
                STANDARD_PRESSURE_PA,
                given_at_k=self.given_at_k,
            )
        except ClusterflowError as error:
            return "missing", str(error)
        return "missing", ""

    def why_no_correction(self, gases: Sequence[str]) -> str:
        """Why gases have no gas correction."""
        reason = (
            f"its gas correction needs rows of {', '.join(gases)} "
            f"and of {', '.join(self.anchors)}"
        )
        if self.temperature_k != STANDARD_TEMPERATURE_K:
            reason += (
                " with frequencies_cm1: it is taken at 298.15 K, and a gibbs_ev holds "
                f"at {self.given_at_k:g} K"
            )
        return reason


def own_gas_terms(
    row: OwnEnergyRow,
    spec: GasSpec,
    temperature_k: float,
    pressure_pa: float,
    *,
    given_at_k: float,
) -> FreeEnergyTerms:
    """Free energy of a gas at a pressure, eV.

    What a person gives as a free energy, or as its terms, holds at the pressure of the
    row; kT ln(p/p_row) brings it to another.

    Raises
    ------
    ConfigError
        If vibrations are missing, or do not fit the molecule: a zero in their place
        would be an invention.
    """
    given = _read_given_terms(row, temperature_k, given_at_k)
    if given is not None:
        kt = BOLTZMANN_EV_PER_K * temperature_k
        return add_entropy_term(given, kt * log(pressure_pa / row.pressure_pa))
    assert row.energy_ev is not None
    modes = row.frequencies_cm1
    shape = _measure_atoms(spec.atoms)
    n_modes = 3 * spec.n_atoms - (5 if shape.linear else 6) if spec.n_atoms > 1 else 0
    if modes is None and n_modes:
        raise ConfigError(f"{row.species} has neither frequencies_cm1 nor gibbs_ev")
    if len(modes or ()) != n_modes:
        raise ConfigError(
            f"gas {row.species} has {len(modes or ())} frequencies, "
            f"a molecule of its atoms has {n_modes}"
        )
    multiplicity, degeneracy = spec.multiplicity, spec.electronic_degeneracy
    if row.spin is not None:
        multiplicity, degeneracy = round(2 * row.spin) + 1, ()
    return ideal_gas(
        energy_ev=row.energy_ev,
        frequencies_cm1=modes or (),
        mass_amu=shape.mass_amu,
        moments_amu_a2=shape.moments_amu_a2,
        symmetry_number=row.symmetry_number or spec.symmetry_number,
        multiplicity=multiplicity,
        linear=shape.linear,
        temperature_k=temperature_k,
        pressure_pa=pressure_pa,
        electronic_degeneracy=degeneracy,
    )


def own_surface_terms(
    row: OwnEnergyRow,
    temperature_k: float,
    low_mode_cutoff_cm1: float,
    *,
    given_at_k: float,
) -> FreeEnergyTerms:
    """Free energy of an adsorbate or a clean surface, eV.

    A clean surface is its energy, with vibrations only where its row has some.

    Raises
    ------
    ConfigError
        If an adsorbate has no vibrations.
    """
    given = _read_given_terms(row, temperature_k, given_at_k)
    if given is not None:
        return given
    assert row.energy_ev is not None
    if row.frequencies_cm1 is None and row.state == "clean":
        return electronic_only(row.energy_ev, 1, temperature_k)
    if row.frequencies_cm1 is None:
        raise ConfigError(f"{row.species} has neither frequencies_cm1 nor gibbs_ev")
    return harmonic_adsorbate(
        energy_ev=row.energy_ev,
        frequencies_cm1=row.frequencies_cm1,
        temperature_k=temperature_k,
        low_mode_cutoff_cm1=low_mode_cutoff_cm1,
    )


def _read_given_terms(
    row: OwnEnergyRow, temperature_k: float, given_at_k: float
) -> FreeEnergyTerms | None:
    """The free energy, or its terms, where the row gives them; else None."""
    parts = (row.zpe_ev, row.cp_ev, row.ts_ev, row.correction_ev)
    given = row.gibbs_ev is not None or any(part is not None for part in parts)
    if not given:
        return None
    if abs(temperature_k - given_at_k) > 1e-6:
        raise ConfigError(
            f"{row.species}: a gibbs_ev holds at {given_at_k:g} K, and none is known "
            f"at {temperature_k:g} K; give energy_ev and frequencies_cm1"
        )
    if row.gibbs_ev is not None:
        return _make_given_terms(row.gibbs_ev, 0.0, 0.0, 0.0, "given")
    assert row.energy_ev is not None
    zpe, cp, ts, sum_of_them = (part or 0.0 for part in parts)
    return _make_given_terms(row.energy_ev, zpe, cp + sum_of_them, -ts, "given-terms")


def _make_given_terms(
    energy_ev: float, zpe_ev: float, thermal_ev: float, minus_ts_ev: float, model: str
) -> FreeEnergyTerms:
    return FreeEnergyTerms(
        energy_ev=energy_ev,
        zpe_ev=zpe_ev,
        thermal_ev=thermal_ev,
        minus_ts_ev=minus_ts_ev,
        gibbs_ev=energy_ev + zpe_ev + thermal_ev + minus_ts_ev,
        minus_ts_undamped_ev=minus_ts_ev,
        zpe_undamped_ev=zpe_ev,
        thermal_undamped_ev=thermal_ev,
        model="given" if model == "given" else "given-terms",
    )


def own_adsorbate(
    row: OwnEnergyRow,
    spec: AdsorbateSpec,
    clean: FreeEnergyTerms | None,
    around: OwnSurroundings,
    layers: OwnLayers,
) -> SpeciesFreeEnergy:
    """An adsorbate's free energy of formation, or the reason why it has none."""
    name = f"*{spec.name}"
    if clean is None:
        return hole(name, "needs a row of state clean with its energy")
    try:
        terms = own_surface_terms(
            row,
            around.temperature_k,
            around.model.low_mode_cutoff_cm1,
            given_at_k=around.given_at_k,
        )
    except ClusterflowError as error:
        return hole(name, str(error))
    anchors_ev = around.anchor_energy_ev(spec.counts)
    if anchors_ev is None:
        return hole(name, around.why_no_anchors(spec.counts))
    applied = {}
    if layers.gas_ev is not None:
        missing = [gas for gas in layers.molecules if gas not in layers.gas_ev]
        if missing:
            return hole(name, around.why_no_correction(missing))
        applied["gas"] = sum(n * layers.gas_ev[m] for m, n in layers.molecules.items())
    shifts = layers.shifts_ev
    applied |= {layer: ev for layer, ev in shifts.items() if ev is not None}
    species = make_species(name, terms, anchors_ev + clean.gibbs_ev, applied)
    return species.model_copy(
        update={
            "reason": f"on {row.site}" if row.site else "",
            "deviations": add_solvation_deviation(
                _collect_deviations(row, spec, terms), spec, shifts
            ),
            "bonds": _list_drawn_bonds(spec),
            "inherits": dict(layers.molecules),
            "flags": (
                *species.flags,
                *(f"no-{layer}-value" for layer, ev in shifts.items() if ev is None),
            ),
        }
    )


def own_gas(
    name: str, around: OwnSurroundings, gas_ev: Mapping[str, float] | None
) -> list[SpeciesFreeEnergy]:
    """A gas of one's own and its liquid; a hole where its correction is not known."""
    found = gas_species(name, around, gas_ev)
    known = gas_ev is None or name in gas_ev or name in around.anchors
    if known:
        return found
    reason = around.why_no_correction([name])
    return [hole(s.name, s.reason or reason) for s in found]


def own_clean(
    row: OwnEnergyRow | None, around: OwnSurroundings
) -> tuple[SpeciesFreeEnergy, FreeEnergyTerms | None]:
    """The clean surface, zero of the formation scale, and its terms."""
    if row is None:
        return hole("*", "needs a row of state clean with its energy"), None
    try:
        terms = own_surface_terms(
            row,
            around.temperature_k,
            around.model.low_mode_cutoff_cm1,
            given_at_k=around.given_at_k,
        )
    except ClusterflowError as error:
        return hole("*", str(error)), None
    return make_species("*", terms, terms.gibbs_ev, {}), terms


def add_implied_rows(rows: Sequence[OwnEnergyRow]) -> list[OwnEnergyRow]:
    """The rows of a table with the zeros that formation energies imply.

    These are the clean surfaces and the gases of the set. A gas of the set without a
    row has no vibrations, so its free energy is known only where the whole table is of
    free energies.
    """
    found = list(rows)
    if not rows or not rows[0].reference_set:
        return found
    first = rows[0]
    clean = {row.surface for row in rows if row.state == "clean"}
    gases = {row.species for row in rows if row.state == "gas"}
    wanted = [
        {"species": "clean", "state": "clean", "surface": surface, "energy_ev": 0.0}
        for surface in dict.fromkeys(row.surface for row in rows if row.surface)
        if surface not in clean
    ]
    if all(row.gibbs_ev is not None for row in rows if row.state != "clean"):
        wanted += [
            {"species": name, "state": "gas", "gibbs_ev": 0.0}
            for name in first.reference_set
            if name not in gases
        ]
    common = {"energy_kind": first.energy_kind, "level": first.level}
    origin = replace(first.origin, row="implied", cells={})
    return found + [
        OwnEnergyRow.model_validate({**row, **common, "origin": origin})
        for row in wanted
    ]


def choose_anchors(
    wanted: Sequence[str], gases: Mapping[str, GasSpec]
) -> tuple[str, ...]:
    """Gases from which free energies of formation are counted: those there are.

    The wanted ones that have rows come first; another gas follows where these cannot
    make it. Which gases are the zero changes no step.

    >>> from collections import Counter, namedtuple
    >>> gas = namedtuple("gas", "counts")
    >>> rows = {"H2": gas(Counter("HH")), "CO": gas(Counter("CO"))}
    >>> choose_anchors(["CO2", "H2", "H2O"], rows)
    ('H2', 'CO')
    """
    chosen: list[str] = []
    for name in (*(n for n in wanted if n in gases), *gases):
        compositions = {anchor: gases[anchor].counts for anchor in chosen}
        if name in chosen:
            continue
        if not chosen or anchor_coefficients(gases[name].counts, compositions) is None:
            chosen.append(name)
    return tuple(chosen)


def _list_drawn_bonds(spec: AdsorbateSpec) -> tuple[str, ...]:
    """Element of the first binding atom of its usual form; none without a geometry."""
    if not spec.forms:
        return ()
    form = spec.forms[0]
    return (form.atoms[form.binding[0]][0],)


def _collect_deviations(
    row: OwnEnergyRow, spec: AdsorbateSpec, terms: FreeEnergyTerms
) -> dict[str, float]:
    """Standard deviations, eV; empty where the row gives none of its energy.

    So too without a geometry: which errors it shares with others is not known.
    """
    if row.deviation_ev is None or not spec.forms:
        return {}
    return {
        "level": row.deviation_ev,
        "cutoff": abs(terms.minus_ts_ev - terms.minus_ts_undamped_ev),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _MoleculeShape:
    mass_amu: float
    moments_amu_a2: tuple[float, float, float]
    linear: bool


@lru_cache(maxsize=256)
def _measure_atoms(atoms: tuple[AtomLine, ...]) -> _MoleculeShape:
    """Mass and moments of inertia of a molecule."""
    from ase import Atoms

    molecule = Atoms([a[0] for a in atoms], positions=[a[1:] for a in atoms])
    moments = sorted(abs(float(m)) for m in molecule.get_moments_of_inertia())
    return _MoleculeShape(
        mass_amu=float(molecule.get_masses().sum()),
        moments_amu_a2=(moments[0], moments[1], moments[2]),
        linear=len(atoms) > 1 and moments[0] < 1e-3,
    )
