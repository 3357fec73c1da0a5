"""Nitrogen and oxygen: measured potentials, and which gases a study needs for them."""

from __future__ import annotations

import math

import pytest

from clusterflow.library.find import Library
from clusterflow.science.reactions.evaluate import composition_of, standard_potential
from clusterflow.science.reactions.network import build_network, parse_equation

LIBRARY = Library.default()
FARADAY_KJ_PER_MOL_V = 96.485
# ΔfG°, kJ/mol, of D. D. Wagman et al., NBS tables (1982): independent of the library's.
NBS = {"HNO3(g)": -74.72, "NH3(g)": -16.45, "H2O(l)": -237.13, "H2O2(l)": -120.35}
NBS |= {"CO2(g)": -394.36, "urea(cr)": -197.33}
# Urea sublimes: ln p of Landolt-Börnstein, extrapolated from 333 K, against 1 bar.
UREA_GAS = NBS["urea(cr)"] + 8.3145e-3 * 298.15 * (
    math.log(1e5) - (31.7068 - 11082.07 / (298.15 - 13.15))
)


@pytest.mark.parametrize(
    ("reaction", "potential_v"),
    [
        ("N2-to-NH3", -2 * NBS["NH3(g)"] / 6 / FARADAY_KJ_PER_MOL_V),
        (
            "HNO3-to-NH3",
            (NBS["HNO3(g)"] - NBS["NH3(g)"] - 3 * NBS["H2O(l)"])
            / (8 * FARADAY_KJ_PER_MOL_V),
        ),
        ("ORR", 1.229),
        ("O2-to-H2O2", -NBS["H2O2(l)"] / 2 / FARADAY_KJ_PER_MOL_V),
        (
            "CO2-N2-to-urea",
            (NBS["CO2(g)"] - UREA_GAS - NBS["H2O(l)"]) / (6 * FARADAY_KJ_PER_MOL_V),
        ),
        (
            "CO2-HNO3-to-urea",
            (NBS["CO2(g)"] + 2 * NBS["HNO3(g)"] - UREA_GAS - 7 * NBS["H2O(l)"])
            / (16 * FARADAY_KJ_PER_MOL_V),
        ),
    ],
)
def test_potentials_are_those_of_other_tables(reaction, potential_v):
    overall = parse_equation(LIBRARY.reaction(reaction).equation)
    found = standard_potential(overall, 298.15, LIBRARY)
    # Tables differ by up to 1 kJ/mol, here in HNO3.
    assert found == pytest.approx(potential_v, abs=0.0015)


def test_urea_from_nitrate_takes_one_nitrogen_after_the_other():
    network = build_network(
        LIBRARY.reaction("CO2-HNO3-to-urea"), composition_of(LIBRARY)
    )
    # Two ways to each of the two *NH2; the two steps to *CO come anywhere between the
    # seven to the first of them.
    assert len(network.pathways) == 2 * 2 * math.comb(7 + 2, 2)


def test_dissolved_nitrate_is_as_far_below_the_acid_as_the_library_says():
    """NO3⁻ at 1 mol/kg: −108.74 kJ/mol, and H⁺ is the zero at pH 0."""
    down_ev = (NBS["HNO3(g)"] + 108.74) / FARADAY_KJ_PER_MOL_V
    assert f"{down_ev:.1f}" == "0.4"
    assert "0.36 eV lower" in LIBRARY.reaction("HNO3-to-NH3").description


@pytest.mark.parametrize(
    ("adsorbates", "has", "has_not"),
    [
        (["NH2"], {"NH3", "N2"}, {"HNO2", "CH3NH2", "CH4"}),
        (["NNH"], {"N2", "N2H2", "N2H4", "NH3"}, {"HNO2", "CH3NH2"}),
        (["NOH"], {"HNO", "HNO2", "HNO3", "N2"}, {"H2O2", "CH3NH2"}),
        (["OOH"], {"H2O2"}, {"N2", "CH4"}),
        (["NH2CONH2"], {"NH2CONH2", "CH3NH2", "HCHO", "NH3"}, {"H2O2"}),
        (["COOH", "CHO"], {"CO", "CH4", "CH3OH", "CH2CO"}, {"H2O2", "NH3", "N2"}),
    ],
)
def test_a_study_computes_the_gases_of_its_bonds(adsorbates, has, has_not):
    found = LIBRARY.error_gases(adsorbates)
    assert has <= found and not has_not & found
