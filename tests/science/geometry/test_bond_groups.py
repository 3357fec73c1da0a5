"""Who is bonded to whom decides: molecules, groups of bonds, and what is neither."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.science.geometry.bond_groups import (
    as_adsorbate,
    find_bond_groups,
    know_molecules,
)


@pytest.fixture(scope="module")
def read(library):
    gases = {n: as_adsorbate(library.gas(n).atoms) for n in library.paths("gases")}
    known = know_molecules(gases, library.groups())
    return lambda structure: find_bond_groups(structure, library.groups(), known)


def complex_of(cluster, adsorbate):
    """Atoms of the cluster, then those of the adsorbate; positions in Å."""
    atoms = [*cluster, *adsorbate]
    whole = as_adsorbate([(s, *map(float, xyz)) for s, *xyz in atoms])
    roles = ("core",) * len(cluster) + ("adsorbate",) * len(adsorbate)
    return whole.model_copy(update={"roles": roles})


def carbon_monoxide(foot, foot_a, bond_a):
    return complex_of(
        [(foot, 0, 0, 0)], [("C", 0, 0, foot_a), ("O", 0, 0, foot_a + bond_a)]
    )


def bent_co2(foot, foot_a, bond_a, angle=130.0):
    half = np.radians(angle / 2)
    x, z = bond_a * np.sin(half), bond_a * np.cos(half)
    return complex_of(
        [(foot, 0, 0, 0)],
        [("C", 0, 0, foot_a), ("O", x, 0, foot_a + z), ("O", -x, 0, foot_a + z)],
    )


def methoxy(foot, bond_a):
    """Hydrogen at tetrahedral angles, 1.09 Å from carbon."""
    low, out = 1.09 / 3, 1.09 * np.sqrt(8) / 3
    corners = [
        (out * np.cos(a), out * np.sin(a)) for a in (0, 2 * np.pi / 3, 4 * np.pi / 3)
    ]
    top = 1.9 + bond_a
    return complex_of(
        [(foot, 0, 0, 0)],
        [
            ("O", 0, 0, 1.9),
            ("C", 0, 0, top),
            *(("H", x, y, top + low) for x, y in corners),
        ],
    )


@pytest.mark.parametrize(("foot", "foot_a"), [("Cu", 1.84), ("Cd", 2.3), ("Pt", 1.85)])
@pytest.mark.parametrize("bond_a", [1.12, 1.15, 1.19])
def test_carbon_monoxide_on_metal_is_the_molecule(read, foot, foot_a, bond_a):
    found = read(carbon_monoxide(foot, foot_a, bond_a))
    assert found.molecules == {"CO": 1} and found.groups == {}


def test_carbonyl_selenide_is_not_carbon_monoxide(read):
    found = read(carbon_monoxide("Se", 1.69, 1.16))
    assert found.molecules == {}
    # O=C=Se has the C=O of carbon dioxide.
    assert found.groups == {"C-O-cumulated": 1} and found.unknown == ()


def test_a_stretched_carbonyl_is_of_no_group(read):
    found = read(carbon_monoxide("Cu", 1.8, 1.25))
    assert found.molecules == {} and found.groups == {}
    assert found.unknown == ("C-O 1.25 Å",)


def test_two_carbonyls_are_two_molecules(read):
    pair = complex_of(
        [("Cu", 0, 0, 0), ("Cu", 2.6, 0, 0)],
        [("C", 0, 0, 1.85), ("O", 0, 0, 3.0), ("C", 2.6, 0, 1.85), ("O", 2.6, 0, 3.0)],
    )
    assert read(pair).molecules == {"CO": 2}


def test_linear_co2_is_the_molecule_and_bent_co2_a_carboxylate(read):
    flat = complex_of(
        [("Cu", 0, 0, 0)], [("O", 0, 0, 2.0), ("C", 0, 0, 3.15), ("O", 0, 0, 4.3)]
    )
    assert read(flat).molecules == {"CO2": 1}
    bent = read(bent_co2("Se", 2.0, 1.24))
    assert bent.molecules == {}
    # Three valences of carbon are left for two bonds to oxygen.
    assert bent.groups == pytest.approx({"C-O-double": 1, "C-O": 1})
    # Metal takes none: the lengths alone count, here 7/9 of double bonds.
    on_metal = read(bent_co2("Cu", 2.0, 1.24)).groups
    assert on_metal == pytest.approx({"C-O-double": 14 / 9, "C-O": 4 / 9})


@pytest.mark.parametrize(
    ("bond_a", "double"), [(1.20, 1), (1.22, 1), (1.265, 0.5), (1.31, 0), (1.42, 0)]
)
def test_a_length_between_two_groups_is_of_both(read, bond_a, double):
    formyl = complex_of(
        [("Cu", 0, 0, 0)],
        [
            ("C", 0, 0, 1.95),
            ("O", bond_a * np.sqrt(3) / 2, 0, 1.95 + bond_a / 2),
            ("H", -0.95, 0, 2.5),
        ],
    )
    found = read(formyl).groups
    assert found["C-H"] == 1
    assert found.get("C-O-double", 0) == pytest.approx(double, abs=1e-9)
    assert found.get("C-O", 0) == pytest.approx(1 - double, abs=1e-9)


def test_methoxy_has_the_bonds_of_methanol_on_any_foot(read):
    for foot in ("Cu", "Se"):
        found = read(methoxy(foot, 1.42))
        assert found.groups == {"C-O": 1, "C-H": 3} and found.molecules == {}


def test_hydrogen_and_hydroxyl_carry_nothing(read):
    for atoms in ([("H", 0, 0, 1.5)], [("O", 0, 0, 1.9), ("H", 0.9, 0, 2.2)]):
        found = read(complex_of([("Cu", 0, 0, 0)], atoms))
        assert not found.groups and not found.unknown and not found.molecules


def test_a_bond_that_no_gas_has_is_named(read):
    found = read(
        complex_of(
            [("Cu", 0, 0, 0)],
            [("S", 0, 0, 2.2), ("C", 0, 0, 4.0), ("N", 0, 0, 5.17)],
        )
    )
    assert found.unknown == ("C-N 1.17 Å", "C-S 1.80 Å")


def test_turning_and_naming_atoms_anew_changes_nothing(read):
    from scipy.spatial.transform import Rotation

    whole = bent_co2("Cu", 2.0, 1.26)
    turned = whole.xyz @ Rotation.from_euler("xyz", [0.3, 1.1, -0.7]).as_matrix().T
    order = [0, 3, 1, 2]
    other = whole.model_copy(
        update={
            "positions": tuple(tuple(turned[i]) for i in order),
            "symbols": tuple(whole.symbols[i] for i in order),
        }
    )
    assert read(other).groups == pytest.approx(read(whole).groups)
