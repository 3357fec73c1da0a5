"""Statistical mechanics of molecules and adsorbates, term by term.

All energies are in eV, temperatures in K, pressures in Pa, wavenumbers in cm⁻¹.
G = E + ZPE + ∫Cp dT − TS.

References
----------
D. A. McQuarrie, Statistical Mechanics (2000), chapters 6 and 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records import FreeEnergyTerms
from clusterflow.units import (
    ATOMIC_MASS_KG,
    BOLTZMANN_EV_PER_K,
    ELEMENTARY_CHARGE_C,
    EV_PER_WAVENUMBER,
    HBAR_J_S,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records import GasRecord

_BOLTZMANN_J_PER_K = BOLTZMANN_EV_PER_K * ELEMENTARY_CHARGE_C


def zero_point_energy(frequencies_cm1: Sequence[float]) -> float:
    """½ Σ hν, eV.

    >>> round(zero_point_energy([4401.2]), 4)
    0.2728
    """
    return 0.5 * EV_PER_WAVENUMBER * float(sum(frequencies_cm1))


def vibrational_energy(frequencies_cm1: Sequence[float], temperature_k: float) -> float:
    """Thermal energy of harmonic oscillators above the zero point, eV."""
    quanta = EV_PER_WAVENUMBER * np.asarray(frequencies_cm1, dtype=float)
    ratio = quanta / (BOLTZMANN_EV_PER_K * temperature_k)
    return float((quanta / np.expm1(ratio)).sum())


def vibrational_entropy(
    frequencies_cm1: Sequence[float], temperature_k: float
) -> float:
    """Entropy of harmonic oscillators, eV/K."""
    quanta = EV_PER_WAVENUMBER * np.asarray(frequencies_cm1, dtype=float)
    ratio = quanta / (BOLTZMANN_EV_PER_K * temperature_k)
    terms = ratio / np.expm1(ratio) - np.log1p(-np.exp(-ratio))
    return float(BOLTZMANN_EV_PER_K * terms.sum())


def translational_entropy(
    mass_amu: float, temperature_k: float, pressure_pa: float
) -> float:
    """Sackur-Tetrode entropy of an ideal gas, eV/K."""
    mass = mass_amu * ATOMIC_MASS_KG
    thermal = _BOLTZMANN_J_PER_K * temperature_k
    per_volume = (mass * thermal / (2 * np.pi * HBAR_J_S**2)) ** 1.5
    volume = thermal / pressure_pa
    return float(BOLTZMANN_EV_PER_K * (np.log(per_volume * volume) + 2.5))


def rotational_entropy(
    moments_amu_a2: Sequence[float],
    symmetry_number: int,
    temperature_k: float,
    *,
    linear: bool,
) -> float:
    """Entropy of a classical rigid rotor, eV/K; zero for an atom."""
    moments = np.asarray(moments_amu_a2, dtype=float) * ATOMIC_MASS_KG * 1e-20
    moments = moments[moments > 1e-52]
    if len(moments) == 0:
        return 0.0
    thermal = _BOLTZMANN_J_PER_K * temperature_k
    if linear:
        partition = 2 * moments.max() * thermal / (symmetry_number * HBAR_J_S**2)
        return float(BOLTZMANN_EV_PER_K * (np.log(partition) + 1.0))
    scaled = 2 * moments * thermal / HBAR_J_S**2
    partition = np.sqrt(np.pi * scaled.prod()) / symmetry_number
    return float(BOLTZMANN_EV_PER_K * (np.log(partition) + 1.5))


def ideal_gas(
    *,
    energy_ev: float,
    frequencies_cm1: Sequence[float],
    mass_amu: float,
    moments_amu_a2: Sequence[float],
    symmetry_number: int,
    multiplicity: int,
    linear: bool,
    temperature_k: float,
    pressure_pa: float,
) -> FreeEnergyTerms:
    """Free energy of a molecule: ideal gas, rigid rotor, harmonic oscillators.

    The spin entropy is k ln(multiplicity); low modes are not damped, so the undamped
    value equals the damped one.
    """
    kt = BOLTZMANN_EV_PER_K * temperature_k
    n_rotations = 0 if len(frequencies_cm1) == 0 and max(moments_amu_a2) < 1e-6 else 3
    n_rotations = 2 if linear else n_rotations
    thermal = kt * (2.5 + n_rotations / 2)
    thermal += vibrational_energy(frequencies_cm1, temperature_k)
    entropy = (
        translational_entropy(mass_amu, temperature_k, pressure_pa)
        + rotational_entropy(
            moments_amu_a2, symmetry_number, temperature_k, linear=linear
        )
        + vibrational_entropy(frequencies_cm1, temperature_k)
        + BOLTZMANN_EV_PER_K * float(np.log(multiplicity))
    )
    return _sum(
        energy_ev=energy_ev,
        zpe_ev=zero_point_energy(frequencies_cm1),
        thermal_ev=thermal,
        minus_ts_ev=-temperature_k * entropy,
        minus_ts_undamped_ev=-temperature_k * entropy,
    )


def harmonic_adsorbate(
    *,
    energy_ev: float,
    frequencies_cm1: Sequence[float],
    temperature_k: float,
    low_mode_cutoff_cm1: float,
) -> FreeEnergyTerms:
    """Free energy of an adsorbate in the harmonic limit.

    Modes below the cut-off count as the cut-off in the thermal terms, because a
    harmonic mode of a few wavenumbers would have an entropy no bound species has; the
    zero-point energy takes all modes as they are.
    """
    damped = [max(f, low_mode_cutoff_cm1) for f in frequencies_cm1]
    return _sum(
        energy_ev=energy_ev,
        zpe_ev=zero_point_energy(frequencies_cm1),
        thermal_ev=vibrational_energy(damped, temperature_k),
        minus_ts_ev=-temperature_k * vibrational_entropy(damped, temperature_k),
        minus_ts_undamped_ev=-temperature_k
        * vibrational_entropy(frequencies_cm1, temperature_k),
    )


def electronic_only(energy_ev: float) -> FreeEnergyTerms:
    """A clean cluster: its energy, because its own vibrations cancel in a step."""
    return _sum(
        energy_ev=energy_ev,
        zpe_ev=0.0,
        thermal_ev=0.0,
        minus_ts_ev=0.0,
        minus_ts_undamped_ev=0.0,
    )


def gas_free_energy(
    gas: GasRecord, temperature_k: float, pressure_pa: float
) -> FreeEnergyTerms | None:
    """Free energy of a computed molecule; None where its record failed."""
    if gas.energy_ev is None or gas.mass_amu is None or gas.moments_amu_a2 is None:
        return None
    if gas.structure is None or gas.status != "ok":
        return None
    return ideal_gas(
        energy_ev=gas.energy_ev,
        frequencies_cm1=gas.frequencies_cm1,
        mass_amu=gas.mass_amu,
        moments_amu_a2=gas.moments_amu_a2,
        symmetry_number=gas.symmetry_number,
        multiplicity=gas.structure.multiplicity,
        linear=gas.linear,
        temperature_k=temperature_k,
        pressure_pa=pressure_pa,
    )


def _sum(**terms: float) -> FreeEnergyTerms:
    total = sum(
        terms[key] for key in ("energy_ev", "zpe_ev", "thermal_ev", "minus_ts_ev")
    )
    return FreeEnergyTerms(gibbs_ev=total, **terms)
