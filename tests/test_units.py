"""Constants against scipy's CODATA, and the guards on temperature and pressure."""

from __future__ import annotations

import pytest
from scipy import constants

from clusterflow import units
from clusterflow.errors import ConfigError

# Editions of CODATA differ by a few parts in 10⁹ in what is measured (amu, bohr).
EDITION = 1e-8


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (units.BOLTZMANN_EV_PER_K, constants.k / constants.e),
        (units.PLANCK_EV_S, constants.h / constants.e),
        (units.HBAR_J_S, constants.hbar),
        (units.SPEED_OF_LIGHT_CM_PER_S, constants.c * 100),
        (units.AVOGADRO, constants.N_A),
        (units.ELEMENTARY_CHARGE_C, constants.e),
        (units.ATOMIC_MASS_KG, constants.atomic_mass),
        (units.BOHR_A, constants.value("Bohr radius") * 1e10),
        (units.HARTREE_EV, constants.value("Hartree energy in eV")),
        (units.EV_PER_WAVENUMBER, constants.h * constants.c * 100 / constants.e),
        (units.KJ_PER_MOL_PER_EV, constants.e * constants.N_A / 1000),
        (units.STANDARD_PRESSURE_PA, constants.bar),
        (units.STANDARD_TEMPERATURE_K, constants.zero_Celsius + 25),
    ],
)
def test_constants(value, expected):
    assert value == pytest.approx(expected, rel=EDITION)


def test_gas_constant_turns_round():
    r = constants.R
    assert units.ev_per_k_from_j_per_mol_k(r) == pytest.approx(
        units.BOLTZMANN_EV_PER_K, rel=EDITION
    )
    assert units.j_per_mol_k_from_ev_per_k(
        units.ev_per_k_from_j_per_mol_k(188.8)
    ) == pytest.approx(188.8, rel=1e-14)


def test_kj_per_mol_and_wavenumbers():
    # 1 eV = 8065.544 cm⁻¹ = 96.4853 kJ/mol
    in_ev = 8065.543937 * units.EV_PER_WAVENUMBER
    assert in_ev == pytest.approx(1.0, rel=EDITION)
    assert units.ev_from_kj_per_mol(96.48533212) == pytest.approx(1.0, rel=EDITION)


def test_no_temperature_beyond_all_bounds():
    with pytest.raises(ConfigError, match=r"T = 1e\+300: too hot"):
        units.check_temperature(1e300, "T")


@pytest.mark.parametrize("temperature", [0.0, -5.0, float("nan")])
def test_no_temperature_below_zero(temperature):
    with pytest.raises(ConfigError, match=r"thermo\.temperature_k = .*above zero"):
        units.check_temperature(temperature, "thermo.temperature_k")


def test_celsius_is_guessed():
    with pytest.raises(ConfigError, match=r"T = 25: .*did you mean 298\.15 K"):
        units.check_temperature(25, "T")


@pytest.mark.parametrize("pressure", [0.0, -1.0, float("nan")])
def test_no_pressure_below_zero(pressure):
    with pytest.raises(ConfigError, match=r"p\.CO = "):
        units.check_pressure(pressure, "p.CO")


def test_good_values_come_back():
    assert units.check_temperature(350.0, "T") == 350.0
    assert units.check_pressure(5562.0, "p") == 5562.0
