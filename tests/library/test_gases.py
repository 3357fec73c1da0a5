"""What the file of a gas may say of its electronic states, and its measured data."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from clusterflow.library.gases import GasSpec


def spec(library, **changes):
    return GasSpec.model_validate(library.gas("NO").model_dump() | changes)


def test_degeneracy_is_an_integer_or_a_list(library):
    assert spec(library, electronic_degeneracy=4).electronic_degeneracy == ((4, 0.0),)
    levels = library.gas("NO").electronic_degeneracy
    assert levels == ((2, 0.0), (2, 121.1))
    assert library.gas("O2").electronic_degeneracy == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([[2, 10.0]], "the first height must be 0"),
        ([[2, 0], [2, 121.1], [1, 121.1]], "heights in cm⁻¹ must rise"),
        ([[2, 0], [2, -5.0]], "greater than or equal to 0"),
        (0, "greater than or equal to 1"),
        ([[2, 0], [1.5, 5]], "valid integer"),
    ],
)
def test_wrong_degeneracies_are_refused(library, wrong, says):
    with pytest.raises(ValidationError, match=says):
        spec(library, electronic_degeneracy=wrong)


# ΔfH, kJ/mol, 298.15 K: Active Thermochemical Tables 1.112, as version 1.5.2 of the
# package chemicals has them, which shares no table with the library.
ACTIVE_TABLES_KJ = {
    **{"C2H2": 228.320, "C2H4": 52.560, "C2H4O": -52.680, "C2H5OH": -234.570},
    **{"C2H6": -83.780, "C3H6": 20.370, "C3H8": -104.390, "CH2CO": -48.570},
    **{"CH3CHO": -165.370, "CH3NH2": -20.910, "CH3NHCH3": -15.890},
    **{"CH3OCH3": -184.020, "CH3OH": -200.700, "CH4": -74.534, "CO": -110.525},
    **{"CO2": -393.474, "H2O": -241.822, "H2O2": -135.442, "HCHO": -109.160},
    **{"HCOOCH3": -357.800, "HNO": 106.920, "HNO2": -78.701, "HNO3": -134.160},
    **{"N2H4": 95.510, "N2O": 82.574, "NH3": -45.558, "NO": 91.089, "NO2": 34.017},
}
# The library has the CRC Handbook's; evaluations differ by more than 0.5 here.
DISPUTED = {"C2H2", "C3H8", "CH2CO", "CH3CHO", "CH3COOH", "HCHO"}
# S°, J/mol/K, 298.15 K, 1 bar: the NIST WebBook, as chemicals has it.
WEBBOOK_ENTROPIES = {
    **{"C2H2": 200.93, "C2H4": 219.32, "C2H4O": 243.00, "CH4": 186.437},
    **{"CH3COOH": 282.84, "CO": 197.66, "CO2": 213.788, "H2": 130.68, "H2O": 188.838},
    **{"H2O2": 232.95, "H2S": 205.783, "HCHO": 218.95, "HCOOH": 248.70},
    **{"HNO": 220.72, "HNO2": 249.41, "HNO3": 266.39, "N2": 191.61, "N2H4": 238.66},
    **{"N2O": 219.96, "NH3": 192.77, "NO": 210.76, "NO2": 240.04, "O2": 205.151},
}


@pytest.mark.parametrize("name", sorted(ACTIVE_TABLES_KJ))
def test_enthalpies_are_those_of_the_active_tables(library, name):
    found = library.gas(name).experiment.enthalpy_kj_per_mol
    off = 1.1 if name in DISPUTED else 0.5
    assert found == pytest.approx(ACTIVE_TABLES_KJ[name], abs=off)


@pytest.mark.parametrize("name", sorted(WEBBOOK_ENTROPIES))
def test_entropies_are_those_of_the_webbook(library, name):
    found = library.gas(name).experiment.entropy_j_per_mol_k
    off = 1.1 if name in DISPUTED else 0.5
    assert found == pytest.approx(WEBBOOK_ENTROPIES[name], abs=off)
