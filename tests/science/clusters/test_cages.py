"""Cages of squares and hexagons: all of them, each closed, even and two-coloured."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations, product

import networkx as nx
import numpy as np
import pytest

from clusterflow.science.clusters.builders.binary import cage, core_at_cage
from clusterflow.science.clusters.cages import (
    cage_graph,
    cage_positions,
    cages,
    two_colours,
)
from clusterflow.science.clusters.equivalent_atoms import isometries

EVEN = 0.08  # bonds: spread of edges about their mean
OCTAHEDRAL_28 = (1, 14, 17, 20, 23, 30)


def flipped(graph):
    """All triangulations one edge flip away."""
    for u, v in graph.edges:
        a_and_b = list(nx.common_neighbors(graph, u, v))
        for a, b in combinations(a_and_b, 2):
            other = graph.copy()
            other.remove_edge(u, v)
            if other.has_edge(a, b):
                continue
            other.add_edge(a, b)
            if nx.check_planarity(other)[0]:
                yield other


def new(graph, found):
    alike = found.setdefault(tuple(sorted(d for _, d in graph.degree)), [])
    if any(nx.is_isomorphic(graph, known) for known in alike):
        return False
    alike.append(graph)
    return True


def triangulations(n_corners):
    """All triangulated spheres: edge flips connect them (K. Wagner, 1936)."""
    rim = nx.cycle_graph(n_corners - 2)
    rim.add_edges_from((k, pole) for k in list(rim) for pole in ("north", "south"))
    found, waiting = {}, [rim]
    new(rim, found)
    while waiting:
        waiting += [g for g in flipped(waiting.pop()) if new(g, found)]
    return [graph for alike in found.values() for graph in alike]


def test_the_search_finds_as_many_as_brute_force():
    # Triangulations of 6, 7, 8, 9 corners: 2, 5, 14, 50. The dual of a cage of n pairs
    # is one of n + 2 corners, six of degree 4 and the rest of degree 6.
    n_all, n_cages = {}, {}
    for n in (4, 5, 6, 7):
        everything = triangulations(n + 2)
        n_all[n] = len(everything)
        degrees = [4] * 6 + [6] * (n - 4)
        n_cages[n] = sum(sorted(dict(g.degree).values()) == degrees for g in everything)
    assert n_all == {4: 2, 5: 5, 6: 14, 7: 50}
    assert n_cages == {4: 1, 5: 0, 6: 1, 7: 1}
    assert {n: len(cages(n)) for n in (4, 6, 7)} == {4: 1, 6: 1, 7: 1}
    with pytest.raises(ValueError, match="no cage of squares and hexagons with 5"):
        cages(5)


def test_numbers_of_cages():
    assert [len(cages(n)) for n in (8, 9, 10, 11, 12)] == [1, 1, 3, 1, 3]


@pytest.mark.parametrize("n", [4, 6, 7, 8, 9, 10, 11, 12])
def test_every_cage_is_a_closed_bipartite_polyhedron(n):
    for _, graph in cages(n):
        assert len(graph) == 2 * n
        assert set(dict(graph.degree).values()) == {3}
        assert nx.node_connectivity(graph) == 3
        colours = two_colours(graph)
        assert sum(colours) == n
        assert all(colours[i] != colours[j] for i, j in graph.edges)
        _, embedding = nx.check_planarity(graph)
        faces = {frozenset(embedding.traverse_face(u, v)) for u, v in embedding.edges}
        assert Counter(map(len, faces)) == Counter({4: 6, 6: n - 4})


def test_no_two_cages_are_the_same():
    graphs = [graph for _, graph in cages(12)]
    assert not any(nx.is_isomorphic(a, b) for a, b in combinations(graphs, 2))


def test_the_first_cage_of_twelve_is_the_truncated_octahedron():
    corners = np.array(
        sorted(
            {
                tuple(s * v for s, v in zip(signs, order, strict=True))
                for order in permutations((0, 1, 2))
                for signs in product((1, -1), repeat=3)
            }
        )
    )
    gaps = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    solid = nx.from_numpy_array(np.abs(gaps - np.sqrt(2)) < 1e-9)
    assert nx.is_isomorphic(cages(12)[0][1], solid)
    atoms = cage("Cd", "Se", n=12, bond_a=2.6)
    # Th has 24 operations, half of them rotations.
    assert len(isometries(atoms.symbols, atoms.positions)) == 24
    assert len(isometries(atoms.symbols, atoms.positions, improper=False)) == 12


@pytest.mark.parametrize("n", [4, 6, 7, 9, 10, 12])
def test_coordinates_are_even_and_round(n):
    for _, graph in cages(n):
        positions = cage_positions(graph, 2.0)
        assert positions.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-9)
        gaps = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
        edges = np.array([gaps[i, j] for i, j in graph.edges])
        assert edges.mean() == pytest.approx(2.0, abs=1e-9)
        assert edges == pytest.approx(2.0, abs=2.0 * EVEN)
        others = [gaps[i, j] for i, j in nx.complement(graph).edges]
        assert min(others) > 2.0 * 1.2


def test_a_large_cage_by_its_spiral_lies_along_the_axes():
    graph = cage_graph(OCTAHEDRAL_28, 28)
    positions = cage_positions(graph, 1.0)
    centres = [positions[c].mean(axis=0) for c in map(list, nx.simple_cycles(graph, 4))]
    units = sorted(tuple((c / np.linalg.norm(c)).round(3) + 0.0) for c in centres)
    assert units == sorted(map(tuple, np.vstack([np.eye(3), -np.eye(3)]) + 0.0))
    assert len(isometries(["X"] * 56, positions)) == 24  # O: no reflection


def test_a_core_along_the_diagonal_keeps_the_threefold_axis():
    atoms = core_at_cage("Cd", "Se", n=28, core=6, squares=OCTAHEDRAL_28)
    assert Counter(atoms.symbols) == {"Cd": 34, "Se": 34}
    assert len(isometries(atoms.symbols, atoms.positions)) == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n": 21}, "up to 20"),
        ({"n": 12, "isomer": 4}, "there are 3, counted from 1"),
        ({"n": 12, "isomer": 0}, "counted from 1"),
        ({"n": 12, "squares": (1, 2, 3, 4, 5, 6)}, "close no cage of 12 pairs"),
    ],
)
def test_what_is_no_cage_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        cage("Cd", "Se", **parameters)


def test_a_core_of_five_pairs_is_the_prism_of_six_without_one():
    six = core_at_cage("Cd", "Se", n=28, core=6, squares=OCTAHEDRAL_28)[56:]
    five = core_at_cage("Cd", "Se", n=28, core=5, squares=OCTAHEDRAL_28)[56:]
    assert sorted(five.symbols) == ["Cd"] * 5 + ["Se"] * 5
    bond = six.get_distance(0, 1)
    gaps = five.get_all_distances()
    bonds = np.argwhere(np.triu((gaps < 1.1 * bond) & (gaps > 0)))
    assert all(five.symbols[i] != five.symbols[j] for i, j in bonds)
    # 18 of the prism; each atom of the pair had three, one of them to the other.
    assert len(bonds) == 18 - 5
