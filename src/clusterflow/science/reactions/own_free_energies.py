"""A person's own energies: from the rows of a table to free energies of species."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError, ConfigError
from clusterflow.science.reactions.che import FreeEnergies
from clusterflow.science.thermochemistry.formation import gas_corrections
from clusterflow.science.thermochemistry.partition_functions import (
    harmonic_adsorbate,
    ideal_gas,
)
from clusterflow.units import (
    BOLTZMANN_EV_PER_K,
    STANDARD_PRESSURE_PA,
    STANDARD_TEMPERATURE_K,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.energy_rows import OwnEnergyRow
    from clusterflow.library.gases import GasSpec
    from clusterflow.science.thermochemistry.formation import ExperimentalTable


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEnergyReader:
    """What turns rows into free energies: the library's molecules and conditions."""

    gas: Callable[[str], GasSpec]
    adsorbate: Callable[[str], AdsorbateSpec]
    experiment: Callable[[Sequence[str]], ExperimentalTable]
    temperature_k: float
    solvation: bool = False

    def surfaces(
        self, rows: Sequence[OwnEnergyRow], anchors: Sequence[str], *, correct_gas: bool
    ) -> dict[str, FreeEnergies]:
        """Free energies by surface.

        Raises
        ------
        ConfigError
            If kinds of energy or levels are mixed, or a species stands there twice.
        """
        _refuse_mixed_rows(rows)
        names = dict.fromkeys(row.surface for row in rows if row.surface)
        gases = [row for row in rows if row.state == "gas"]
        found = {}
        for surface in names or {"": None}:
            own = [row for row in rows if row.state != "gas" and row.surface == surface]
            found[surface] = self._evaluate_surface(
                [*gases, *own], anchors, correct_gas
            )
        return found

    def _evaluate_surface(
        self, rows: Sequence[OwnEnergyRow], anchors: Sequence[str], correct_gas: bool
    ) -> FreeEnergies:
        values: dict[str, float] = {}
        reasons: dict[str, str] = {}
        standard: dict[str, float] = {}
        for row in rows:
            name = _name_term(row)
            if name in values or name in reasons:
                raise ConfigError(
                    f"energies: {row.species} ({row.state}) on surface "
                    f"{row.surface or '-'} stands there twice"
                )
            try:
                free = self._compute_free_energy(row)
            except ClusterflowError as error:
                reasons[name] = str(error)
                continue
            values[name] = free
            if row.state == "gas":
                standard[row.species] = free - self._compute_pressure_term(row)
        if rows and rows[0].reference_set:
            _add_zeros(rows, values, reasons, standard)
        if correct_gas:
            self._add_gas_layer(rows, values, reasons, standard, anchors)
        if self.solvation:
            for name in values:
                values[name] += self._get_hydrogen_bonds_ev(name)
        for gas, energy in standard.items():
            self._add_liquid(values, gas, energy)
        if "*" not in values:
            reasons.setdefault("*", "needs a row of state clean with its energy")
        if "H2" not in standard:
            missing = "the pair H+ + e- needs a gas row of H2 with a free energy"
            return FreeEnergies(
                values={}, reasons=dict.fromkeys(values, missing) | reasons
            )
        return FreeEnergies(values=values, reasons=reasons, pair_ev=standard["H2"] / 2)

    def _compute_free_energy(self, row: OwnEnergyRow) -> float:
        """G of a row, eV; energy of a clean surface as it is.

        Raises
        ------
        ConfigError
            If vibrations are missing: a zero in their place would be an invention.
        """
        if row.gibbs_ev is not None:
            return row.gibbs_ev
        assert row.energy_ev is not None
        if row.state == "clean":
            return row.energy_ev
        if row.frequencies_cm1 is None:
            raise ConfigError(f"{row.species} has neither frequencies_cm1 nor gibbs_ev")
        if row.state == "ads":
            return harmonic_adsorbate(
                energy_ev=row.energy_ev,
                frequencies_cm1=row.frequencies_cm1,
                temperature_k=self.temperature_k,
                low_mode_cutoff_cm1=0.0,
            ).gibbs_ev
        return self._compute_gas_free_energy(row)

    def _compute_gas_free_energy(self, row: OwnEnergyRow) -> float:
        spec = self.gas(row.species)
        shape = _measure_shape(spec)
        expected = 3 * len(spec.atoms) - (5 if shape.linear else 6)
        assert row.energy_ev is not None and row.frequencies_cm1 is not None
        if len(row.frequencies_cm1) != expected:
            raise ConfigError(
                f"gas {row.species} has {len(row.frequencies_cm1)} frequencies, "
                f"a molecule of its atoms has {expected}"
            )
        multiplicity, degeneracy = spec.multiplicity, spec.electronic_degeneracy
        if row.spin is not None:
            multiplicity, degeneracy = round(2 * row.spin) + 1, ()
        return ideal_gas(
            energy_ev=row.energy_ev,
            frequencies_cm1=row.frequencies_cm1,
            mass_amu=shape.mass_amu,
            moments_amu_a2=shape.moments_amu_a2,
            symmetry_number=row.symmetry_number or spec.symmetry_number,
            multiplicity=multiplicity,
            linear=shape.linear,
            temperature_k=self.temperature_k,
            pressure_pa=row.pressure_pa,
            electronic_degeneracy=degeneracy,
        ).gibbs_ev

    def _compute_pressure_term(self, row: OwnEnergyRow) -> float:
        """What the pressure adds to a gas at 1 bar, eV."""
        ratio = row.pressure_pa / STANDARD_PRESSURE_PA
        return BOLTZMANN_EV_PER_K * self.temperature_k * log(ratio)

    def _add_gas_layer(
        self,
        rows: Sequence[OwnEnergyRow],
        values: dict[str, float],
        reasons: dict[str, str],
        standard: dict[str, float],
        anchors: Sequence[str],
    ) -> None:
        """Add the gas layer; what cannot have it becomes a hole.

        A correction is one number, that of 298.15 K and 1 bar, at every temperature.
        """
        at_298_k = self._compute_at_298_k(rows, standard)
        table = self.experiment([*at_298_k, *anchors])
        found = gas_corrections(at_298_k, table, anchors)
        shifts = {c.gas: c.correction_ev for c in found}
        shifts |= {anchor: 0.0 for anchor in anchors if anchor in standard}
        for name in list(values):
            motifs = self._find_motifs(name)
            missing = [motif for motif in motifs if motif not in shifts]
            if missing:
                del values[name]
                standard.pop(name.partition("(")[0], None)
                reasons[name] = (
                    f"its gas correction needs rows of {', '.join(missing)} "
                    f"and of {', '.join(anchors)}"
                )
                if self.temperature_k != STANDARD_TEMPERATURE_K:
                    reasons[name] += (
                        f" with frequencies_cm1: it is taken at 298.15 K, and a "
                        f"gibbs_ev holds at {self.temperature_k:g} K"
                    )
                continue
            values[name] += sum(n * shifts[m] for m, n in motifs.items())
            if name.endswith("(g)"):
                standard[name.partition("(")[0]] += shifts[name.partition("(")[0]]

    def _compute_at_298_k(
        self, rows: Sequence[OwnEnergyRow], standard: Mapping[str, float]
    ) -> dict[str, float]:
        """Free energies of the gases at 298.15 K and 1 bar, eV.

        Without those that only have a free energy at another temperature.
        """
        if self.temperature_k == STANDARD_TEMPERATURE_K:
            return dict(standard)
        there = replace(self, temperature_k=STANDARD_TEMPERATURE_K)
        return {
            row.species: there._compute_free_energy(row)
            - there._compute_pressure_term(row)
            for row in rows
            if row.species in standard and row.state == "gas" and row.gibbs_ev is None
        }

    def _get_hydrogen_bonds_ev(self, name: str) -> float:
        if not name.startswith("*") or name == "*":
            return 0.0
        known = self.adsorbate(name[1:]).solvation_ev
        return known.value if known else 0.0

    def _find_motifs(self, name: str) -> Mapping[str, float]:
        """Whose gas correction a term carries, and how many times."""
        if name == "*":
            return {}
        if name.startswith("*"):
            return self.adsorbate(name[1:]).inherits
        return {name.partition("(")[0]: 1.0}

    def _add_liquid(self, values: dict[str, float], gas: str, energy: float) -> None:
        if self.gas(gas).liquid is not None:
            table = self.experiment([gas])
            down = table.condensation_ev(gas, self.temperature_k)
            values[f"{gas}(l)"] = energy + down


@dataclass(frozen=True, slots=True, kw_only=True)
class _MoleculeShape:
    mass_amu: float
    moments_amu_a2: tuple[float, float, float]
    linear: bool


def _measure_shape(spec: GasSpec) -> _MoleculeShape:
    """Mass and moments of inertia of the library's molecule."""
    from ase import Atoms

    atoms = Atoms([a[0] for a in spec.atoms], positions=[a[1:] for a in spec.atoms])
    moments = sorted(abs(float(m)) for m in atoms.get_moments_of_inertia())
    return _MoleculeShape(
        mass_amu=float(atoms.get_masses().sum()),
        moments_amu_a2=(moments[0], moments[1], moments[2]),
        linear=len(atoms) > 1 and moments[0] < 1e-3,
    )


def _add_zeros(
    rows: Sequence[OwnEnergyRow],
    values: dict[str, float],
    reasons: dict[str, str],
    standard: dict[str, float],
) -> None:
    """The zeros that formation energies imply: the clean surface and the set's gases.

    A gas of the set without a row has no vibrations, so its free energy is known only
    where the whole table is of free energies.
    """
    values.setdefault("*", 0.0)
    all_free = all(row.gibbs_ev is not None for row in rows if row.state != "clean")
    for name in rows[0].reference_set:
        term = f"{name}(g)"
        if term in values or term in reasons:
            continue
        if all_free:
            values[term] = standard[name] = 0.0
        else:
            reasons[term] = f"{name} needs a row with its frequencies_cm1"


def _name_term(row: OwnEnergyRow) -> str:
    if row.state == "gas":
        return f"{row.species}(g)"
    return "*" if row.state == "clean" else f"*{row.species}"


def _refuse_mixed_rows(rows: Sequence[OwnEnergyRow]) -> None:
    kinds = {row.energy_kind for row in rows}
    if len(kinds) > 1:
        raise ConfigError(
            f"energies: kinds are mixed ({', '.join(sorted(kinds))}); "
            "give all energies of one kind"
        )
    levels = sorted({row.level for row in rows if row.level})
    if len(levels) > 1:
        raise ConfigError(
            f"energies: levels are mixed ({', '.join(levels)}); "
            "a free energy is made of one level"
        )
