"""Statistical mechanics of molecules and adsorbates, term by term.

All energies are in eV, temperatures in K, pressures in Pa, wavenumbers in cm⁻¹.
G = E + ZPE + ∫Cp dT − TS.

Ideal gases and hindered adsorbates have the numbers of :mod:`ase.thermochemistry` in
the tests, to 1e-6 eV. Importing that takes 0.6 s of CPU time, this 0.3.

References
----------
D. A. McQuarrie, Statistical Mechanics (2000), chapters 5, 6 and 8.
S. Grimme, Chem. Eur. J. 18, 9955 (2012), doi:10.1002/chem.201200497.
L. H. Sprowl, C. T. Campbell, L. Árnadóttir, J. Phys. Chem. C 120, 9719 (2016),
doi:10.1021/acs.jpcc.5b11616.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records.energies import FreeEnergyTerms
from clusterflow.science.clusters.spin import spin_free_energy
from clusterflow.units import (
    ATOMIC_MASS_KG,
    BOLTZMANN_EV_PER_K,
    ELEMENTARY_CHARGE_C,
    EV_PER_WAVENUMBER,
    HBAR_J_S,
    PLANCK_EV_S,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.gases import ElectronicDegeneracy
    from clusterflow.records.energies import ThermoModel
    from clusterflow.records.vibrations import GasRecord
    from clusterflow.science.geometry.bonds import FloatArray

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


def electronic_terms(
    degeneracy: ElectronicDegeneracy, temperature_k: float
) -> tuple[float, float]:
    """Thermal energy, eV, and entropy, eV/K, of low-lying electronic states.

    q = Σ g exp(−ε/kT), U = Σ g ε exp(−ε/kT) / q, S = k ln q + U/T (McQuarrie 2000,
    chapter 5), with ε above the lowest, whose energy is that of the molecule.

    >>> round(electronic_terms(((2, 0.0),), 300.0)[1] / BOLTZMANN_EV_PER_K, 6)  # ln 2
    0.693147
    """
    g, heights = np.array(degeneracy, dtype=float).T
    energies = EV_PER_WAVENUMBER * heights
    shares = g * np.exp(-energies / (BOLTZMANN_EV_PER_K * temperature_k))
    thermal = float(shares @ energies / shares.sum())
    entropy = BOLTZMANN_EV_PER_K * float(np.log(shares.sum()))
    return thermal, entropy + thermal / temperature_k


def free_rotor_entropy(
    frequencies_cm1: Sequence[float], mean_moment_amu_a2: float, temperature_k: float
) -> FloatArray:
    """Entropy of each mode as a free rotor of its wavenumber, eV/K.

    S = k (½ + ln √(8π³μ'kT/h²)) with μ' = μB/(μ + B), where μ = h/(8π²ν) is the moment
    that turns at the frequency of the mode and B that of the whole molecule
    (equations 4 to 6 of Grimme 2012).
    """
    quanta = ELEMENTARY_CHARGE_C * EV_PER_WAVENUMBER * np.asarray(frequencies_cm1)
    own = HBAR_J_S**2 / (2 * quanta)
    whole = mean_moment_amu_a2 * ATOMIC_MASS_KG * 1e-20
    moments = own * whole / (own + whole)
    partition = 2 * np.pi * moments * _BOLTZMANN_J_PER_K * temperature_k / HBAR_J_S**2
    return np.asarray(BOLTZMANN_EV_PER_K * 0.5 * (1 + np.log(partition)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Barriers:
    """What an adsorbate meets as it slides and turns on the cluster.

    `rotational_minima` are those of a full turn, `symmetry_number` counts the equal
    arms of the adsorbate.
    """

    translation_barrier_ev: float
    rotation_barrier_ev: float
    site_density_per_cm2: float
    rotational_minima: int
    symmetry_number: int


def hindered_mode(
    quantum_ev: float, barrier_ev: float, temperature_k: float
) -> tuple[float, float]:
    """Thermal energy above the zero point, eV, and entropy, eV/K, of a hindered mode.

    A cosine potential of this barrier, at whose bottom the quantum is `quantum_ev`:
    the quantum oscillator times the classical ratio of the hindered mode to it, with
    the zero-point correction of R. B. McClurg, R. C. Flagan and W. A. Goddard III,
    J. Chem. Phys. 106, 6675 (1997), doi:10.1063/1.473664, as in Sprowl et al. 2016.
    """
    from scipy.special import ive

    kt = BOLTZMANN_EV_PER_K * temperature_k
    ratio, half = quantum_ev / kt, barrier_ev / (2 * kt)
    # ive(n, x) = iv(n, x) exp(−x), which does not overflow.
    slope = half * float(ive(1, half) / ive(0, half))
    occupied = ratio / float(np.expm1(ratio))
    correction = ratio / (2 + 16 * barrier_ev / quantum_ev)
    thermal = kt * (occupied - 0.5 - correction + half - slope)
    entropy = (
        occupied
        - float(np.log1p(-np.exp(-ratio)))
        - 0.5
        + 0.5 * float(np.log(2 * np.pi * half))
        + half
        - slope
        + float(np.log(ive(0, half)))
    )
    return thermal, BOLTZMANN_EV_PER_K * entropy


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
    electronic_degeneracy: ElectronicDegeneracy = (),
) -> FreeEnergyTerms:
    """Free energy of a molecule: ideal gas, rigid rotor, harmonic oscillators.

    Its electronic states are as many as its multiplicity unless they are given. Low
    modes are not damped, so the undamped value equals the damped one.
    """
    electronic = electronic_terms(
        electronic_degeneracy or ((multiplicity, 0.0),), temperature_k
    )
    kt = BOLTZMANN_EV_PER_K * temperature_k
    n_rotations = 0 if len(frequencies_cm1) == 0 and max(moments_amu_a2) < 1e-6 else 3
    n_rotations = 2 if linear else n_rotations
    thermal = kt * (2.5 + n_rotations / 2)
    thermal += vibrational_energy(frequencies_cm1, temperature_k) + electronic[0]
    entropy = (
        translational_entropy(mass_amu, temperature_k, pressure_pa)
        + rotational_entropy(
            moments_amu_a2, symmetry_number, temperature_k, linear=linear
        )
        + vibrational_entropy(frequencies_cm1, temperature_k)
        + electronic[1]
    )
    return _sum_terms(
        energy_ev=energy_ev,
        zpe_ev=zero_point_energy(frequencies_cm1),
        thermal_ev=thermal,
        minus_ts_ev=-temperature_k * entropy,
        model="ideal-gas",
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
    return _sum_terms(
        energy_ev=energy_ev,
        zpe_ev=zero_point_energy(frequencies_cm1),
        thermal_ev=vibrational_energy(damped, temperature_k),
        minus_ts_ev=-temperature_k * vibrational_entropy(damped, temperature_k),
        model="harmonic",
        undamped=_Oscillators.of(frequencies_cm1, temperature_k),
    )


def quasi_rrho_adsorbate(
    *,
    energy_ev: float,
    frequencies_cm1: Sequence[float],
    mean_moment_amu_a2: float,
    temperature_k: float,
    low_mode_cutoff_cm1: float,
) -> FreeEnergyTerms:
    """Free energy of an adsorbate whose low modes go over into free rotors.

    The entropy of a mode is w S(oscillator) + (1 − w) S(free rotor) with
    w = 1/(1 + (w0/ν)⁴), w0 the cut-off (equations 7 and 8 of Grimme 2012); the thermal
    energy stays that of oscillators, as there.
    """
    modes = np.asarray(frequencies_cm1, dtype=float)
    weights = 1 / (1 + (low_mode_cutoff_cm1 / modes) ** 4)
    oscillators = np.array([vibrational_entropy([w], temperature_k) for w in modes])
    rotors = free_rotor_entropy(frequencies_cm1, mean_moment_amu_a2, temperature_k)
    entropy = float((weights * oscillators + (1 - weights) * rotors).sum())
    undamped = _Oscillators.of(frequencies_cm1, temperature_k)
    return _sum_terms(
        energy_ev=energy_ev,
        zpe_ev=undamped.zpe_ev,
        thermal_ev=undamped.thermal_ev,
        minus_ts_ev=-temperature_k * entropy,
        model="quasi-rrho",
        undamped=undamped,
    )


def hindered_adsorbate(
    *,
    energy_ev: float,
    frequencies_cm1: Sequence[float],
    mass_amu: float,
    moment_amu_a2: float,
    barriers: Barriers,
    temperature_k: float,
    low_mode_cutoff_cm1: float,
) -> FreeEnergyTerms:
    """Free energy of an adsorbate that slides and turns over barriers.

    The three lowest modes become two hindered translations and a hindered rotation;
    the others are harmonic with the cut-off. The standard state is that of the
    harmonic model, one adsorbate on its own site, so that both may stand in one
    diagram: the entropy of spreading over sites (`S_con` in ASE) is not in.

    Parameters
    ----------
    moment_amu_a2
        About the axis it turns around, amu Å².
    """
    mass = mass_amu * ATOMIC_MASS_KG
    moment = moment_amu_a2 * ATOMIC_MASS_KG * 1e-20
    area_m2 = 1e-4 / barriers.site_density_per_cm2
    sliding = np.sqrt(
        barriers.translation_barrier_ev * ELEMENTARY_CHARGE_C / (2 * mass * area_m2)
    )
    turning = np.sqrt(
        barriers.rotational_minima**2
        * barriers.rotation_barrier_ev
        * ELEMENTARY_CHARGE_C
        / (2 * moment)
    ) / (2 * np.pi)
    quanta = [float(PLANCK_EV_S * f) for f in (sliding, sliding, turning)]
    heights = [barriers.translation_barrier_ev] * 2 + [barriers.rotation_barrier_ev]
    modes = [
        hindered_mode(quantum, height, temperature_k)
        for quantum, height in zip(quanta, heights, strict=True)
    ]
    rest = harmonic_adsorbate(
        energy_ev=energy_ev,
        frequencies_cm1=sorted(frequencies_cm1)[3:],
        temperature_k=temperature_k,
        low_mode_cutoff_cm1=low_mode_cutoff_cm1,
    )
    entropy = sum(s for _, s in modes)
    entropy -= BOLTZMANN_EV_PER_K * float(np.log(barriers.symmetry_number))
    return _sum_terms(
        energy_ev=energy_ev,
        zpe_ev=rest.zpe_ev + sum(quanta) / 2,
        thermal_ev=rest.thermal_ev + sum(u for u, _ in modes),
        minus_ts_ev=rest.minus_ts_ev - temperature_k * entropy,
        model="hindered",
        undamped=_Oscillators.of(frequencies_cm1, temperature_k),
    )


def with_spin(
    terms: FreeEnergyTerms, multiplicity: int, temperature_k: float
) -> FreeEnergyTerms:
    """The terms of a complex with the entropy of its unpaired electrons."""
    return add_entropy_term(terms, spin_free_energy(multiplicity, temperature_k))


def add_entropy_term(terms: FreeEnergyTerms, minus_ts_ev: float) -> FreeEnergyTerms:
    """The terms with a further −TS, eV, in which no low mode is damped."""
    return terms.model_copy(
        update={
            "minus_ts_ev": terms.minus_ts_ev + minus_ts_ev,
            "minus_ts_undamped_ev": terms.minus_ts_undamped_ev + minus_ts_ev,
            "gibbs_ev": terms.gibbs_ev + minus_ts_ev,
        }
    )


def electronic_only(
    energy_ev: float, multiplicity: int, temperature_k: float
) -> FreeEnergyTerms:
    """A clean cluster: energy and spin; its own vibrations cancel in a step."""
    return _sum_terms(
        energy_ev=energy_ev,
        zpe_ev=0.0,
        thermal_ev=0.0,
        minus_ts_ev=spin_free_energy(multiplicity, temperature_k),
        model="electronic",
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
        electronic_degeneracy=gas.electronic_degeneracy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Oscillators:
    """The terms of all modes as harmonic oscillators, low ones as they are, eV."""

    zpe_ev: float
    thermal_ev: float
    minus_ts_ev: float

    @classmethod
    def of(cls, frequencies_cm1: Sequence[float], temperature_k: float) -> _Oscillators:
        entropy = vibrational_entropy(frequencies_cm1, temperature_k)
        return cls(
            zpe_ev=zero_point_energy(frequencies_cm1),
            thermal_ev=vibrational_energy(frequencies_cm1, temperature_k),
            minus_ts_ev=-temperature_k * entropy,
        )


def _sum_terms(
    *,
    energy_ev: float,
    zpe_ev: float,
    thermal_ev: float,
    minus_ts_ev: float,
    model: ThermoModel,
    undamped: _Oscillators | None = None,
) -> FreeEnergyTerms:
    """The terms and their sum; without `undamped` nothing was damped."""
    return FreeEnergyTerms(
        energy_ev=energy_ev,
        zpe_ev=zpe_ev,
        thermal_ev=thermal_ev,
        minus_ts_ev=minus_ts_ev,
        gibbs_ev=energy_ev + zpe_ev + thermal_ev + minus_ts_ev,
        zpe_undamped_ev=undamped.zpe_ev if undamped else zpe_ev,
        thermal_undamped_ev=undamped.thermal_ev if undamped else thermal_ev,
        minus_ts_undamped_ev=undamped.minus_ts_ev if undamped else minus_ts_ev,
        model=model,
    )
