"""Shapes by rule: edges, rings and faces counted."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from clusterflow.errors import LibraryError
from clusterflow.science.clusters.builders import BUILDERS, build
from clusterflow.science.clusters.builders.binary import (
    core_at_cage,
    ring,
    stacked_rings,
)
from clusterflow.science.clusters.builders.metal import (
    dodecahedron,
    icosahedron,
    octahedron,
    rhombus,
)

EXACT = 1e-9  # Å: rounding of coordinates of a few Å


def edges(atoms, length, tolerance=1e-6):
    gaps = atoms.get_all_distances()
    pairs = combinations(range(len(atoms)), 2)
    return [(i, j) for i, j in pairs if abs(gaps[i, j] - length) < tolerance]


def n_chordless(graph, length):
    return sum(len(c) == length for c in nx.chordless_cycles(graph, length))


def test_icosahedron():
    bond = 2.42
    atoms = icosahedron("Cu", 2, bond)
    assert len(atoms) == 13
    gaps = atoms.get_all_distances()
    radial = np.sort(gaps[0])[1:]
    assert radial == pytest.approx([bond] * 12, abs=1e-6)
    # Edge over radius of an icosahedron: 4 / √(10 + 2√5) = 1.05146
    edge = bond * 4 / np.sqrt(10 + 2 * np.sqrt(5))
    outer = edges(atoms[1:], edge)
    assert len(outer) == 30
    assert set(Counter(i for e in outer for i in e).values()) == {5}


@pytest.mark.parametrize(("shells", "n"), [(2, 13), (3, 55), (4, 147)])
def test_magic_numbers(shells, n):
    # 1 + Σ (10 k² + 2)
    assert n == 1 + sum(10 * k**2 + 2 for k in range(1, shells))
    assert len(icosahedron("Ag", shells, 2.8)) == n


@pytest.mark.parametrize(
    ("length", "cutoff", "n"), [(2, 0, 6), (3, 1, 13), (4, 1, 38), (3, 0, 19)]
)
def test_octahedra(length, cutoff, n):
    atoms = octahedron("Cu", length, cutoff, 2.5)
    assert len(atoms) == n
    gaps = atoms.get_all_distances()
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min(axis=1) == pytest.approx([2.5] * n, abs=EXACT)


def test_rhombus():
    atoms = rhombus("Cu", 2.35)
    assert len(edges(atoms, 2.35)) == 5
    assert len(edges(atoms, 2.35 * np.sqrt(3))) == 1
    assert np.linalg.matrix_rank(atoms.positions - atoms.positions.mean(axis=0)) == 2


def test_dodecahedron_has_18_equal_edges():
    atoms = dodecahedron("Cu", 2.4)
    gaps = np.sort(atoms.get_all_distances()[np.triu_indices(8, 1)])
    assert gaps[:18] == pytest.approx([2.4] * 18, abs=EXACT)
    assert gaps[18] > 2.4 * 1.2
    degrees = Counter(i for e in edges(atoms, 2.4) for i in e)
    assert sorted(degrees.values()) == [4] * 4 + [5] * 4
    # Euler: 12 triangles close a sphere of 8 corners and 18 edges.
    graph = nx.Graph(edges(atoms, 2.4))
    assert sum(nx.triangles(graph).values()) // 3 == 12


@pytest.mark.parametrize("n", [2, 3, 4])
def test_ring(n):
    atoms = ring("Cd", "Se", n, 2.6)
    found = edges(atoms, 2.6)
    assert len(found) == 2 * n
    assert all({atoms.symbols[i], atoms.symbols[j]} == {"Cd", "Se"} for i, j in found)
    assert np.ptp(atoms.positions[:, 2]) == 0


def test_two_rings_of_six_make_cd6se6():
    atoms = stacked_rings("Cd", "Se", n=3, layers=2, bond_a=2.6, spacing_a=2.7)
    assert Counter(atoms.symbols) == {"Cd": 6, "Se": 6}
    within, between = edges(atoms, 2.6), edges(atoms, 2.7)
    assert (len(within), len(between)) == (12, 6)
    for i, j in within + between:
        assert {atoms.symbols[i], atoms.symbols[j]} == {"Cd", "Se"}
    graph = nx.Graph(within + between)
    assert set(dict(graph.degree).values()) == {3}
    assert n_chordless(graph, 4) == 6
    assert n_chordless(nx.Graph(within), 6) == 2
    # No other unlike pair is within bonding distance.
    near = neighbor_list("ij", atoms, {("Cd", "Se"): 3.0})
    assert len(near[0]) == 2 * 18


def test_the_cage_is_a_bipartite_truncated_octahedron():
    bond = 2.65
    atoms = core_at_cage("Cd", "Se", bond_a=bond)
    assert Counter(atoms.symbols) == {"Cd": 13, "Se": 13}
    cage = atoms[:24]
    graph = nx.Graph(edges(cage, bond))
    assert graph.number_of_edges() == 36
    assert set(dict(graph.degree).values()) == {3}
    assert nx.is_bipartite(graph)
    assert all(cage.symbols[i] != cage.symbols[j] for i, j in graph.edges)
    # Faces of a planar graph: E − V + 2 = 14 = 6 squares + 8 hexagons.
    assert nx.check_planarity(graph)[0]
    assert n_chordless(graph, 4) == 6
    faces = set()
    _, embedding = nx.check_planarity(graph)
    for u, v in list(graph.edges) + [(v, u) for u, v in graph.edges]:
        faces.add(frozenset(embedding.traverse_face(u, v)))
    assert Counter(map(len, faces)) == {4: 6, 6: 8}


@pytest.mark.parametrize("axis", [(1, 1, 1), (0, 0, 2), (1, -1, 0)])
def test_the_core_pair_lies_along_its_axis(axis):
    atoms = core_at_cage("Cd", "Se", bond_a=2.65, core_axis=axis)
    assert list(atoms.symbols[24:]) == ["Cd", "Se"]
    pair = atoms.positions[24] - atoms.positions[25]
    assert pair == pytest.approx(
        2.65 * np.array(axis) / np.linalg.norm(axis), abs=EXACT
    )
    assert atoms.positions[24:].sum(axis=0) == pytest.approx([0, 0, 0], abs=EXACT)


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_wrong_parameters_are_refused_with_those_it_takes(name):
    with pytest.raises(LibraryError, match=rf"Cu4: builder '{name}': .*it takes \w+"):
        build(name, {"colour": "red"}, "Cu4")


def test_an_unknown_builder_lists_the_known():
    with pytest.raises(LibraryError, match=r"Cu4: unknown builder 'sphere': .*ring"):
        build("sphere", {}, "Cu4")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("icosahedron", {"element": "Qq", "shells": 2, "bond_a": 2.4}),
        ("rhombus", {"element": "Cu", "bond_a": "long"}),
        ("fcc111", {"element": "Ag", "vacuum_a": -3}),
        ("fcc111", {"element": "Ag", "lattice_a": 0}),
        ("mx2", {"thickness_a": -1}),
        ("mx2", {"formula": "Mo2S"}),
        ("mx2", {"formula": "Mo"}),
        ("zr6_node", {"edge_a": -3}),
        ("zr6_node", {"carboxylate_a": 0.3}),
    ],
)
def test_values_a_builder_cannot_use_are_refused(name, parameters):
    with pytest.raises(LibraryError, match=f"it: builder '{name}' refused"):
        build(name, parameters, "it")


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("ring", {"n": 0}, "can make nothing of"),
        ("core_at_cage", {"core_axis": [0, 0, 0]}, "can make nothing of"),
        ("ring", {"n": 6, "bond_a": -2.0}, "bond_a -2: must be above 0"),
        # Six pairs have no room in a cage of twelve.
        ("core_at_cage", {"n": 12, "core": 6}, r"0\.60 sums of covalent radii apart"),
    ],
)
def test_what_no_cluster_can_be_is_one_line(name, parameters, says):
    with pytest.raises(LibraryError, match=f"it: builder '{name}'.*{says}"):
        build(name, {"metal": "Cd", "anion": "Se", **parameters}, "it")


def test_a_builder_that_makes_nothing_is_refused():
    with pytest.raises(LibraryError, match="it: builder 'fcc111' made no atoms"):
        build("fcc111", {"element": "Ag", "size": [0, 4, 2]}, "it")
