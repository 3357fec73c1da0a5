"""Constants and conversions; the only place where numbers of physics stand.

Inside the package lengths are Å, energies eV, temperatures K and pressures Pa.
Values are CODATA 2018, as :mod:`ase.units` offers them by name; they stand here so
that planning works without importing ASE, 0.03 s of CPU time against 0.11.

References
----------
E. Tiesinga et al., Rev. Mod. Phys. 93, 025010 (2021), doi:10.1103/RevModPhys.93.025010
"""

from __future__ import annotations

from math import inf
from typing import Literal, get_args

from clusterflow.errors import ConfigError

# What a potential is measured against; all but the first move against it with pH.
Scale = Literal["rhe", "she", "ag-agcl", "sce"]
# Against SHE at 298.15 K, with saturated KCl: A. J. Bard and L. R. Faulkner,
# Electrochemical Methods, 2nd ed. (Wiley 2001), inside of the back cover.
REFERENCE_V_SHE = {"she": 0.0, "ag-agcl": 0.197, "sce": 0.241}
SCALE_NAMES = {"rhe": "RHE", "she": "SHE", "ag-agcl": "Ag/AgCl", "sce": "SCE"}

BOLTZMANN_EV_PER_K = 8.617333262e-5
PLANCK_EV_S = 4.135667696e-15
HBAR_J_S = 1.054571817e-34
SPEED_OF_LIGHT_CM_PER_S = 2.99792458e10
AVOGADRO = 6.02214076e23
ELEMENTARY_CHARGE_C = 1.602176634e-19
ATOMIC_MASS_KG = 1.66053906660e-27
BOHR_A = 0.529177210903
HARTREE_EV = 27.211386245988

STANDARD_TEMPERATURE_K = 298.15
STANDARD_PRESSURE_PA = 1.0e5

# Liquid water ends at the critical point (IAPWS; 10.1063/1.1461829), and where even
# the purest freezes by itself, at 1 bar (10.1063/1.4895593).
WATER_CRITICAL_K = 647.096
WATER_NUCLEATION_K = 235.15

EV_PER_WAVENUMBER = PLANCK_EV_S * SPEED_OF_LIGHT_CM_PER_S
KJ_PER_MOL_PER_EV = ELEMENTARY_CHARGE_C * AVOGADRO / 1000.0
J_PER_MOL_K_PER_EV_K = ELEMENTARY_CHARGE_C * AVOGADRO


def check_scale(scale: str, temperature_k: float, where: str) -> Scale:
    """A scale of potentials, refused where it is unknown.

    Raises
    ------
    ConfigError
        If there is no such scale, or it is not known at the temperature.
    """
    for known in get_args(Scale):
        if scale == known:
            break
    else:
        raise ConfigError(f"{where} {scale}: must be {', '.join(SCALE_NAMES)}")
    if REFERENCE_V_SHE.get(scale) and temperature_k != STANDARD_TEMPERATURE_K:
        raise ConfigError(
            f"{where} {scale}: known at {STANDARD_TEMPERATURE_K:g} K alone, not at "
            f"{temperature_k:g} K; use she or rhe"
        )
    found: Scale = known
    return found


def ev_from_kj_per_mol(value: float) -> float:
    """Energy in eV from kJ/mol.

    >>> round(ev_from_kj_per_mol(96.485), 4)
    1.0
    """
    return value / KJ_PER_MOL_PER_EV


def j_per_mol_k_from_ev_per_k(value: float) -> float:
    """Entropy in J/mol/K from eV/K."""
    return value * J_PER_MOL_K_PER_EV_K


def ev_per_k_from_j_per_mol_k(value: float) -> float:
    """Entropy in eV/K from J/mol/K."""
    return value / J_PER_MOL_K_PER_EV_K


def check_temperature(temperature_k: float, where: str) -> float:
    """The temperature, refused where it cannot be one in kelvin.

    Raises
    ------
    ConfigError
        If it is not positive, so low that Celsius was probably meant, or too high for
        any solid, 10,000 K.
    """
    if not 0 < temperature_k < inf:
        raise ConfigError(
            f"{where} = {temperature_k}: a temperature in K must be above zero"
        )
    if temperature_k < 100:
        raise ConfigError(
            f"{where} = {temperature_k}: this is very cold for kelvin; "
            f"did you mean {temperature_k + 273.15:g} K ({temperature_k:g} °C)?"
        )
    if temperature_k > 10_000:
        raise ConfigError(f"{where} = {temperature_k}: too hot; at most 10000 K")
    return temperature_k


def check_pressure(pressure_pa: float, where: str) -> float:
    """The pressure in Pa, refused where an ideal gas has none.

    Raises
    ------
    ConfigError
        If it is not positive.
    """
    if not 0 < pressure_pa < inf:
        raise ConfigError(f"{where} = {pressure_pa}: a pressure in Pa must be above 0")
    return pressure_pa
