"""Redox couples: how quoted potentials and those of equations move with temperature."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from clusterflow.library.find import Library
from clusterflow.library.reactions import CoupleSpec
from clusterflow.science.reactions.couples import couples

FARADAY = 96485.332  # C/mol


def found(library, temperature_k, ph=0.0):
    return {c.name: c for c in couples(library, ph=ph, temperature_k=temperature_k)}


@pytest.mark.parametrize("temperature_k", [280.0, 298.15, 350.0, 370.0])
def test_formate_follows_its_enthalpy(library, temperature_k):
    # NBS tables: ΔfH° of HCOO-(aq) and CO2(g), kJ/mol, and the free energies that the
    # quoted potential comes from. ΔG(T) = ΔH − T (ΔH − ΔG)/298.15; the enthalpies
    # and entropies of the tables agree to 0.3 J/mol/K.
    enthalpy, free = -425.55 + 393.51, -351.0 + 394.36
    entropy = (enthalpy - free) / 298.15
    expected = -(enthalpy - temperature_k * entropy) * 1000 / (2 * FARADAY)
    potential = found(library, temperature_k)["CO2-HCOO"].potential_v_she
    assert potential == pytest.approx(expected, abs=5e-4)


def test_formate_at_350_k(library):
    assert round(found(library, 350.0)["CO2-HCOO"].potential_v_she, 3) == -0.293
    # Half a proton an electron: kT ln10 is 0.06945 eV at 350 K.
    at_ph_7 = found(library, 350.0, ph=7.0)["CO2-HCOO"].potential_v_she
    assert at_ph_7 == pytest.approx(-0.2925 - 3.5 * 0.06945, abs=2e-4)


def test_a_quoted_couple_is_that_of_its_equation(library, tmp_path):
    """CO2 to CO once more, as a quoted potential with CODATA entropies."""
    (tmp_path / "couples").mkdir()
    (tmp_path / "couples" / "quoted.yaml").write_text(
        "name: quoted\nsource: 'unpublished: test'\nelectrons: 2\nprotons: 2\n"
        f"standard_potential_v: {found(library, 298.15)['CO2-CO'].potential_v_she}\n"
        "entropies:\n  reactants_j_per_mol_k: 213.785\n"
        "  products_j_per_mol_k: 267.61\n  source: CODATA\n"
    )
    both = Library((tmp_path, *library.roots))
    for temperature_k in (275.0, 350.0):
        at = found(both, temperature_k)
        expected = at["CO2-CO"].potential_v_she
        assert at["quoted"].potential_v_she == pytest.approx(expected, abs=2e-6)


def test_without_entropies_it_is_known_at_298_k_alone(library):
    assert found(library, 298.15)["CO2-radical"].potential_v_she == -1.9
    cold = couples(library, ph=7.0, temperature_k=280.0)
    assert cold[-1].name == "CO2-radical"
    assert cold[-1].potential_v_she is cold[-1].standard_potential_v_she is None
    assert "no potential at 280 K" in cold[-1].reason
    assert not any(couple.reason for couple in cold[:-1])


def test_an_equation_takes_no_entropies():
    entropies = {"reactants_j_per_mol_k": 1, "products_j_per_mol_k": 1, "source": "x"}
    with pytest.raises(ValidationError, match="belong to a quoted potential"):
        CoupleSpec(
            name="X",
            source="x",
            equation="2 H+ + 2 e- -> H2(g)",
            entropies=entropies,
        )
