"""Molecules stood on their binding atoms, and what water adds by the rule."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from scipy.spatial.transform import Rotation

from clusterflow.library.find import Library
from clusterflow.science.adsorption.drawing import (
    find_second_foot,
    list_usual_sites,
    solvation_by_rule,
    stand_on_atom,
    stand_on_pair,
)
from clusterflow.science.adsorption.outcome import intended_graphs
from clusterflow.science.geometry.bonds import bond_graph, distances

LIBRARY = Library.default()


def somewhere(name, seed=1):
    """A molecule turned and shifted at random, and its bonds."""
    atoms = molecule(name)
    turn = Rotation.random(random_state=seed)
    positions = turn.apply(atoms.positions) + np.array([3.0, -2.0, 7.0])
    return positions, bond_graph(atoms.get_chemical_symbols(), positions)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("name", "foot"),
    [("NH3", 0), ("H2O", 0), ("CH3CN", 2), ("CH3SH", 1), ("CH3COOH", 1), ("CO2", 0)],
)
def test_the_foot_is_at_the_origin_and_the_rest_above(name, foot, seed):
    before, bonds = somewhere(name, seed)
    after = stand_on_atom(before, bonds, foot)
    assert after[foot] == pytest.approx([0, 0, 0], abs=1e-9)
    assert after[:, 2].min() >= 0
    assert distances(after) == pytest.approx(distances(before), abs=0.06)


def test_ammonia_stands_on_its_lone_pair():
    before, bonds = somewhere("NH3")
    after = stand_on_atom(before, bonds, 0)
    assert np.ptp(after[1:, 2]) == pytest.approx(0, abs=1e-3)
    assert after[1, 2] == pytest.approx(0.39, abs=0.05)


def test_an_oxygen_with_one_neighbour_leans_as_in_methanolates():
    before, bonds = somewhere("CH3COOH")
    carbon = stand_on_atom(before, bonds, 1)[0]
    lean = np.degrees(np.arccos(carbon[2] / np.linalg.norm(carbon)))
    assert lean == pytest.approx(55, abs=0.5)


@pytest.mark.parametrize(("name", "foot"), [("CH4", 0), ("C2H6", 0), ("CH3NO2", 0)])
def test_a_buried_atom_is_refused(name, foot):
    before, bonds = somewhere(name)
    with pytest.raises(ValueError, match="buried"):
        stand_on_atom(before, bonds, foot)


def test_formate_stands_on_both_its_oxygen_atoms():
    form = LIBRARY.adsorbate("OCHO").forms[0]
    drawn = np.array([line[1:] for line in form.atoms])
    bonds = intended_graphs(LIBRARY.adsorbate("OCHO"))[0]
    turned = Rotation.random(random_state=2).apply(drawn) + np.array([1.0, 2.0, 3.0])
    assert find_second_foot(turned, bonds, 0) in (1, 2)
    found = stand_on_pair(turned, (0, 1))
    # As it was drawn by hand, up to a mirror.
    assert np.abs(found) == pytest.approx(np.abs(drawn), abs=0.02)


def test_a_lone_pair_goes_on_top_and_a_bare_atom_everywhere():
    assert list_usual_sites(somewhere("NH3")[1], 0) == ("top",)
    nitride = intended_graphs(LIBRARY.adsorbate("N"))[0]
    assert len(list_usual_sites(nitride, 0)) == 4


@pytest.mark.parametrize("name", sorted(LIBRARY.paths("adsorbates")))
def test_the_rule_gives_what_each_adsorbate_of_the_library_says(name):
    spec = LIBRARY.adsorbate(name)
    value, _ = solvation_by_rule(intended_graphs(spec)[0], spec.forms[0].binding)
    assert value == pytest.approx(spec.solvation_ev.value)
