"""Bonds against ASE's neighbour lists and known molecules, rings by brute force."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

from clusterflow.science.clusters.builders.binary import core_at_cage
from clusterflow.science.clusters.builders.metal import icosahedron, octahedron
from clusterflow.science.geometry.bonds import (
    BROKEN,
    FORMED,
    bond_graph,
    changed_bonds,
    clashes,
    count_pieces,
    distance_ratios,
    hill_formula,
    radii,
    squares,
    triangles,
)
from clusterflow.science.geometry.symmetry import find_symmetry

H2_BOND = 0.741  # Å, Huber and Herzberg


def graph_of(atoms, ratio=FORMED):
    return bond_graph(atoms.get_chemical_symbols(), atoms.positions, ratio)


@pytest.mark.parametrize(
    ("name", "n_bonds"),
    [
        ("H2", 1),
        ("H2O", 2),
        ("CO2", 2),
        ("CH4", 4),
        ("CH3OH", 5),
        ("HCOOH", 4),
        ("C2H4", 5),
        ("C2H6", 7),
        ("C6H6", 12),
        ("CH3CH2OH", 8),
        ("H2O2", 3),
        ("N2H4", 5),
    ],
)
def test_bonds_of_molecules(name, n_bonds):
    assert graph_of(molecule(name)).number_of_edges() == n_bonds


@pytest.mark.parametrize("name", ["CH3OH", "C6H6", "CH3SH", "Si2H6", "C2H6NH"])
@pytest.mark.parametrize("ratio", [FORMED, BROKEN])
def test_bonds_are_those_of_a_neighbour_list(name, ratio):
    atoms = molecule(name)
    cutoff = ratio * covalent_radii[atoms.numbers]
    pairs = {
        (int(i), int(j))
        for i, j in zip(*neighbor_list("ij", atoms, cutoff), strict=True)
        if i < j and not (atoms.numbers[i] == atoms.numbers[j] == 1)
    }
    assert {tuple(sorted(e)) for e in graph_of(atoms, ratio).edges} == pairs


@pytest.mark.parametrize(
    ("length", "bonded"),
    # FORMED times the bond length is 0.852 Å.
    [(0.70, True), (0.741, True), (0.85, True), (0.855, False), (1.0, False)],
)
def test_hydrogen_molecules_by_their_own_bond_length(length, bonded):
    graph = bond_graph(["H", "H"], np.array([[0, 0, 0], [0, 0, length]]))
    assert graph.has_edge(0, 1) is bonded


def test_two_hydrogens_that_pair_up_on_a_surface_are_one_molecule():
    symbols = ["Cu", "Cu", "H", "H"]
    apart = np.array([[0, 0, 0], [2.3, 0, 0], [0, 0, 1.55], [2.3, 0, 1.55]])
    paired = apart.copy()
    paired[2:] = [[1.15 - H2_BOND / 2, 0, 1.7], [1.15 + H2_BOND / 2, 0, 1.7]]
    assert not bond_graph(symbols, apart).has_edge(2, 3)
    assert bond_graph(symbols, paired).has_edge(2, 3)
    assert changed_bonds(symbols, apart, paired)


def test_ratios_are_distances_over_radii():
    atoms = molecule("CH3OH")
    ratios = distance_ratios(atoms.get_chemical_symbols(), atoms.positions)
    lengths = atoms.get_all_distances()
    symbols = atoms.get_chemical_symbols()
    # Cordero 2008: C (sp3) 0.76, O 0.66, H 0.31 Å.
    table = {"C": 0.76, "O": 0.66, "H": 0.31}
    for i, j in combinations(range(len(atoms)), 2):
        both = {symbols[i], symbols[j]} == {"H"}
        bond = H2_BOND if both else table[symbols[i]] + table[symbols[j]]
        assert ratios[i, j] == pytest.approx(lengths[i, j] / bond, rel=1e-12)
        assert ratios[j, i] == ratios[i, j]
    assert np.isinf(np.diag(ratios)).all()
    assert radii(["Cd", "Se"]).tolist() == [1.44, 1.20]


def test_d10_cations_do_not_bind_across_an_anion():
    # Cd-Cd at 2.9 Å is within 1.15 × 2.88 Å; a shared Se forbids the bond.
    symbols = ["Cd", "Cd", "Se"]
    positions = np.array([[-1.45, 0, 0], [1.45, 0, 0], [0, 2.2, 0]])
    assert {tuple(sorted(e)) for e in bond_graph(symbols, positions).edges} == {
        (0, 2),
        (1, 2),
    }
    assert bond_graph(symbols[:2], positions[:2]).number_of_edges() == 1


def test_atoms_on_top_of_each_other_clash():
    symbols = ["Cu", "Cu", "H"]
    positions = np.array([[0, 0, 0], [0, 0, 2.2], [0, 0, 2.9]])
    # 0.6 × (1.32 + 0.31) = 0.98 Å
    assert clashes(symbols, positions) == [(1, 2)]
    positions[2, 2] = 3.2
    assert clashes(symbols, positions) == []


def test_fragments():
    atoms = molecule("CH4")
    other = molecule("H2O")
    other.translate([6, 0, 0])
    both = atoms + other
    assert count_pieces(both.get_chemical_symbols(), both.positions) == 2
    assert count_pieces(atoms.get_chemical_symbols(), atoms.positions) == 1


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        # in sums of radii: bonded below 1.15, broken above 1.35
        (1.00, 1.30, True),
        (1.00, 1.40, False),
        (1.60, 1.20, True),
        (1.60, 1.10, False),
        (1.20, 1.00, True),
        (1.20, 2.00, True),
    ],
)
def test_connectivity_has_hysteresis(before, after, same):
    def dimer(ratio):
        return np.array([[0, 0, 0], [0, 0, ratio * 2 * 1.32]])

    changed = changed_bonds(["Cu", "Cu"], dimer(before), dimer(after))
    assert (not changed) is same


def test_a_change_does_not_hang_on_the_image_of_a_noisy_cluster():
    """A square of side 1.35 bond lengths, noisy, in which one contact closes."""
    symbols, side = ["Cu"] * 4, BROKEN * 2 * 1.32
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * side
    found = find_symmetry(symbols, corners)
    before = corners + np.random.default_rng(0).normal(0.0, 0.02, corners.shape)
    naive, judged = [], []
    for order in found.permutations:
        after = before.copy()
        i, j = order[[0, 1]]
        middle = (after[i] + after[j]) / 2
        after[[i, j]] = middle + 0.75 * (after[[i, j]] - middle)
        naive.append(bool(changed_bonds(symbols, before, after)))
        judged.append(bool(changed_bonds(symbols, before, after, found.permutations)))
    assert len(set(naive)) == 2
    assert set(judged) == {False}


@pytest.mark.parametrize(
    ("moved", "changed"),
    # A diagonal closes, or a corner leaves its two neighbours.
    [(0.5, [(0, 2)]), (-1.2, [(0, 1), (0, 3)])],
)
def test_what_no_image_has_does_change(moved, changed):
    symbols = ["Cu"] * 4
    before = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * 2.6
    after = before + np.array([[moved, moved, 0], *np.zeros((3, 3))])
    if moved > 0:
        after[2] -= [moved, moved, 0]
    images = find_symmetry(symbols, before).permutations
    assert changed_bonds(symbols, before, after, images) == changed


def test_a_bond_that_is_one_in_one_image_alone_still_breaks():
    """A square with sides of 1.14 and 1.16 bond lengths, torn at a corner."""
    symbols, (near, far) = ["Cu"] * 4, (1.14 * 2.64, 1.16 * 2.64)
    before = np.array([[0, 0, 0], [near, 0, 0], [near, far, 0], [0, far, 0]])
    images = find_symmetry(symbols, before).permutations
    assert {tuple(p) for p in images.tolist()} > {(0, 1, 2, 3), (1, 2, 3, 0)}
    after = before + np.array([[0, 0, 0], [4.0, -4.0, 0], [0, 0, 0], [0, 0, 0]])
    assert changed_bonds(symbols, before, after, images) == [(0, 1), (1, 2)]


def brute_triangles(graph):
    return [
        t
        for t in combinations(sorted(graph), 3)
        if all(graph.has_edge(*p) for p in combinations(t, 2))
    ]


def brute_squares(graph):
    found = set()
    for a, b, c, d in permutations(sorted(graph), 4):
        ring = [(a, b), (b, c), (c, d), (d, a)]
        diagonals = [(a, c), (b, d)]
        if all(graph.has_edge(*p) for p in ring) and not any(
            graph.has_edge(*p) for p in diagonals
        ):
            found.add(frozenset((a, b, c, d)))
    return found


@pytest.mark.parametrize(
    ("atoms", "n_triangles", "n_squares"),
    [
        # 20 faces; the centre is on one triangle with each of the 30 edges.
        (icosahedron("Cu", 2, 2.42), 50, None),
        (octahedron("Cu", 2, 0, 2.5), 8, 3),
        (Atoms("Cu4", positions=np.eye(4)[:, :3] * 2.5), None, None),
        (core_at_cage("Cd", "Se", bond_a=2.65)[:24], 0, 6),
    ],
    ids=["icosahedron", "octahedron", "corner", "cage"],
)
def test_rings_by_brute_force(atoms, n_triangles, n_squares):
    graph = graph_of(atoms)
    assert triangles(graph) == brute_triangles(graph)
    if n_triangles is not None:
        assert len(triangles(graph)) == n_triangles
    if len(graph) <= 24 and n_squares is not None:
        assert len(squares(graph)) == n_squares
    if len(graph) <= 13:
        assert {frozenset(s) for s in squares(graph)} == brute_squares(graph)


def test_squares_are_in_ring_order():
    corners = [[0, 0, 0], [2.5, 2.5, 0], [2.5, 0, 0], [0, 2.5, 0]]
    graph = graph_of(Atoms("Cu4", positions=corners))
    ((a, b, c, d),) = squares(graph)
    assert all(graph.has_edge(*e) for e in [(a, b), (b, c), (c, d), (d, a)])


@pytest.mark.parametrize("name", ["CH3OH", "HCOOH", "H2O", "CH3SH", "CO2", "NH3"])
def test_composition_is_the_hill_formula(name):
    atoms = molecule(name)
    assert hill_formula(atoms.get_chemical_symbols()) == atoms.symbols.formula.convert(
        "hill"
    ).format("hill")
