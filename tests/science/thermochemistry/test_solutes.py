"""Dissolved molecules and ions: their data, and their place among computed gases."""

from __future__ import annotations

import pytest

from clusterflow.errors import LibraryError
from clusterflow.library.find import Library, package_data
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.science.thermochemistry.solutes import (
    solute_formation_ev,
    solute_gibbs_ev,
)

LIBRARY = Library((package_data() / "structures",))
KJ_PER_MOL = 1 / 96.485
# ΔfH° of the same tables (Wagman et al. 1982), which the library does not hold.
ENTHALPY_KJ = {
    **{"HCOO-": -425.55, "HCOOH": -425.43, "HCO3-": -691.99, "CO3-2": -677.14},
    **{"CO2": -413.80, "C2O4-2": -825.1, "CH3COO-": -486.01, "NO3-": -205.0},
    **{"NO2-": -104.6, "NH4+": -132.51, "NH3": -80.29, "H2O2": -191.17},
    **{"HS-": -17.6, "Cl-": -167.159},
}


def test_the_table_of_enthalpies_has_every_solute():
    assert ENTHALPY_KJ.keys() == LIBRARY.paths("solutes").keys()


@pytest.mark.parametrize("name", ENTHALPY_KJ)
def test_free_energy_and_entropy_make_the_measured_enthalpy(name):
    # G = H - TS: at 0 K the line through G with the slope -S is at H.
    found = solute_formation_ev(name, LIBRARY, 0.0)
    assert found == pytest.approx(ENTHALPY_KJ[name] * KJ_PER_MOL, abs=0.005)


@pytest.mark.parametrize("name", ENTHALPY_KJ)
@pytest.mark.parametrize("temperature_k", [298.15, 340.0])
def test_exact_gases_give_the_measured_solute(name, temperature_k):
    table = experimental_table(["H2", "H2O", "CO2", "N2", "H2S", "HCl"], LIBRARY)
    gases = {gas: table.formation_ev(gas, "g", temperature_k) for gas in table.gases}
    found = solute_gibbs_ev(name, gases, LIBRARY, temperature_k)
    expected = solute_formation_ev(name, LIBRARY, temperature_k)
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_error_of_the_gas_that_makes_it_goes_along():
    table = experimental_table(["H2", "H2O", "CO2", "CO"], LIBRARY)
    gases = {gas: table.formation_ev(gas, "g") for gas in table.gases}
    exact = solute_gibbs_ev("HCOO-", gases, LIBRARY)
    # HCOO- is CO2 and half of H2; CO is there, and not asked.
    wrong = gases | {"CO2": gases["CO2"] + 0.4, "CO": gases["CO"] + 9.0}
    assert solute_gibbs_ev("HCOO-", wrong, LIBRARY) == pytest.approx(exact + 0.4)


def test_gases_that_cannot_make_it_are_named():
    with pytest.raises(LibraryError, match=r"gases that hold N, O; there are H2, H2O"):
        solute_gibbs_ev("NO3-", {"H2": 0.0, "H2O": -2.4}, LIBRARY)
