"""Formation from anchors, against tables of measured free energies and potentials."""

from __future__ import annotations

import pytest

from clusterflow.errors import LibraryError
from clusterflow.formula import parse_formula
from clusterflow.science.reactions.che import equilibrium_potential, nernst_slope
from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.thermochemistry.formation import (
    anchor_coefficients,
    experimental_table,
    gas_corrections,
)

ANCHORS = ("CO2", "H2", "H2O")
FARADAY_KJ = 96.48533  # kJ/mol per eV
# Measured values from standard tables, rounded to 1 meV there.
FORMATION_EV = {
    "CO": 0.297,
    "HCOOH": 0.449,
    "HCHO": 0.655,
    "CH3OH": 0.036,
    "CH4": -1.174,
    "C2H4": -0.593,
}
# V against SHE at pH 7
POTENTIAL_V = {
    "CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)": -0.518,
    "CO2(g) + 2 H+ + 2 e- -> HCOOH(l)": -0.585,
    "CO2(g) + 4 H+ + 4 e- -> HCHO(g) + H2O(l)": -0.556,
    "CO2(g) + 6 H+ + 6 e- -> CH3OH(l) + H2O(l)": -0.398,
    "CO2(g) + 8 H+ + 8 e- -> CH4(g) + 2 H2O(l)": -0.245,
    "2 CO2(g) + 12 H+ + 12 e- -> C2H4(g) + 4 H2O(l)": -0.335,
    "2 H+ + 2 e- -> H2(g)": -0.414,
    "O2(g) + 4 H+ + 4 e- -> 2 H2O(l)": 0.815,
}


@pytest.fixture(scope="module")
def table(library):
    return experimental_table([*FORMATION_EV, *ANCHORS, "O2", "N2"], library)


def formation_from_anchors(table, name):
    parts = anchor_coefficients(
        table.gases[name].counts, {a: table.gases[a].counts for a in ANCHORS}
    )
    return table.formation_ev(name, "g") - sum(
        n * table.formation_ev(a, "g") for a, n in parts.items()
    )


@pytest.mark.parametrize("name", FORMATION_EV)
def test_measured_formation_from_the_anchors(table, name):
    # Tables give kJ/mol to 0.1 kJ/mol (1 meV) for each molecule.
    assert formation_from_anchors(table, name) == pytest.approx(
        FORMATION_EV[name], abs=0.0015
    )


@pytest.mark.parametrize(
    ("name", "phase", "kj"),
    # ΔfG° in kJ/mol: CODATA Key Values and CRC Handbook, rounded to 0.1
    [
        ("CO", "g", -137.2),
        ("CO2", "g", -394.4),
        ("H2O", "g", -228.6),
        ("H2O", "l", -237.1),
        ("CH4", "g", -50.5),
        ("C2H4", "g", 68.4),
        ("HCHO", "g", -102.5),
        ("CH3OH", "g", -162.3),
        ("H2", "g", 0.0),
        ("O2", "g", 0.0),
        ("N2", "g", 0.0),
    ],
)
def test_measured_formation_from_the_elements(table, name, phase, kj):
    # Enthalpy and entropy are rounded too (0.1 kJ/mol; 0.1 J/mol/K times 298 K).
    found = table.formation_ev(name, phase) * FARADAY_KJ
    assert found == pytest.approx(kj, abs=0.16)


@pytest.mark.parametrize("equation", POTENTIAL_V)
def test_standard_potentials(table, equation):
    overall = parse_equation(equation)

    def formation(term):
        name, _, phase = term.partition("(")
        return table.formation_ev(name, phase[0])

    at_ph_0 = equilibrium_potential(overall, formation)
    at_ph_7 = at_ph_0 - 7 * nernst_slope(298.15)
    assert at_ph_7 == pytest.approx(POTENTIAL_V[equation], abs=0.003)


def test_water_condenses_and_boils(table):
    # ΔG of condensation is kT ln(p_sat / 1 bar): 3169 Pa at 298.15 K.
    expected = 8.617333e-5 * 298.15 * -3.4517
    assert table.condensation_ev("H2O", 298.15) == pytest.approx(expected, abs=0.001)
    # With constant ΔH and ΔS it vanishes at 370 K; boiling is at 373 K.
    assert table.condensation_ev("H2O", 365.0) < 0 < table.condensation_ev("H2O", 375.0)


def test_no_liquid_data_is_an_error_that_says_what_to_write(table):
    with pytest.raises(LibraryError, match=r"'CO' has no liquid data.*write CO\(g\)"):
        table.formation_ev("CO", "l")


def test_coefficients():
    anchors = {a: parse_formula(a) for a in ANCHORS}

    def parts(formula):
        return anchor_coefficients(parse_formula(formula), anchors)

    # CO = CO2 + H2 − H2O; CH3OH = CO2 + 3 H2 − H2O; by counting atoms
    assert parts("CO") == {"CO2": 1, "H2": 1, "H2O": -1}
    assert parts("CH3OH") == {"CO2": 1, "H2": 3, "H2O": -1}
    assert parts("CHO2") == {"CO2": 1, "H2": 0.5}
    assert parts("OH") == {"H2O": 1, "H2": -0.5}
    assert parts("C2H4") == {"CO2": 2, "H2": 6, "H2O": -4}
    assert parts("CO2") == {"CO2": 1}
    assert parts("N2") is None
    assert parts("Cu") is None


@pytest.mark.parametrize("formula", ["CO", "CH4", "HCOOH", "C2H4", "H", "O", "CHO"])
@pytest.mark.parametrize("anchors", [ANCHORS, ("CO", "H2", "H2O"), ("CH4", "O2", "H2")])
def test_anchors_hold_exactly_the_atoms(formula, anchors):
    parts = anchor_coefficients(
        parse_formula(formula), {a: parse_formula(a) for a in anchors}
    )
    for element in "CHO":
        total = sum(n * parse_formula(a)[element] for a, n in parts.items())
        assert total == pytest.approx(parse_formula(formula)[element], abs=1e-8)


COMPUTED = {"CO2": -300.0, "H2": -30.0, "H2O": -140.0, "CO": -188.0, "CH4": -110.0}


def test_a_corrected_gas_has_the_measured_formation(table):
    corrections = {c.gas: c for c in gas_corrections(COMPUTED, table, ANCHORS)}
    assert {c.gas for c in corrections.values() if c.is_anchor} == set(ANCHORS)
    assert all(corrections[a].correction_ev == 0 for a in ANCHORS)
    # −188 + 300 + 30 − 140 = +2 eV computed
    co = corrections["CO"]
    assert co.computed_ev == pytest.approx(2.0, abs=1e-9)
    assert co.correction_ev == pytest.approx(FORMATION_EV["CO"] - 2.0, abs=0.0015)
    # −110 + 300 + 4·30 − 2·140 = +30
    assert corrections["CH4"].correction_ev == pytest.approx(-31.174, abs=0.0015)


def test_a_gas_whose_anchor_is_missing_is_left_out(table):
    without = {k: v for k, v in COMPUTED.items() if k != "H2O"}
    # CO2 needs only itself.
    assert {c.gas for c in gas_corrections(without, table, ANCHORS)} == {"CO2", "H2"}
    nitrogen = {**COMPUTED, "N2": -1.0}
    assert "N2" not in {c.gas for c in gas_corrections(nitrogen, table, ANCHORS)}


def test_experiment_is_taken_at_the_temperature_of_the_computed(table):
    warm = {c.gas: c for c in gas_corrections(COMPUTED, table, ANCHORS, 350.0)}
    cold = {c.gas: c for c in gas_corrections(COMPUTED, table, ANCHORS)}
    # Entropies (CODATA) of CO + H2O − CO2 − H2 in J/mol/K
    entropy = 197.660 + 188.835 - 213.785 - 130.680
    change = -(350 - 298.15) * entropy / 1000 / FARADAY_KJ
    assert warm["CO"].experiment_ev - cold["CO"].experiment_ev == pytest.approx(
        change, abs=1e-6
    )
