"""Distinct choices of atoms against group theory and brute force."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from clusterflow.science.clusters.builders.binary import (
    cage,
    core_at_cage,
    ring,
    stacked_rings,
)
from clusterflow.science.clusters.builders.metal import (
    cuboctahedron,
    icosahedron,
    octahedron,
    rows,
    tetrahedron,
)
from clusterflow.science.clusters.equivalent_atoms import (
    distinct_subsets,
    hull_places,
    isometries,
    most_spread,
)

# Colourings of the 12 corners of an icosahedron in two colours, by Pólya's theorem.
MERGED = [1, 1, 3, 5, 10, 12, 18, 12, 10, 5, 3, 1, 1]
KEPT = [1, 1, 3, 5, 12, 14, 24, 14, 12, 5, 3, 1, 1]


def operations(atoms, **how):
    return isometries(atoms.get_chemical_symbols(), atoms.positions, **how)


# Order of the point group, and of its rotations; flat ones are their mirror images.
@pytest.mark.parametrize(
    ("atoms", "order", "n_proper"),
    [
        (icosahedron("Cu", 2), 120, 60),
        (icosahedron("Cu", 3), 120, 60),
        (octahedron("Cu", 4, 1), 48, 24),
        (tetrahedron("Au", 4), 24, 12),
        (cage("Cd", "Se", n=12), 24, 12),
        (core_at_cage("Cd", "Se"), 3, 3),
        (stacked_rings("Cd", "Se", n=3, layers=2), 12, 6),
        (ring("Cd", "Se", 3), 6, 6),
        (rows("Cu", [1, 2, 1]), 4, 4),
        (rows("Cu", [2]), 2, 2),
        (rows("Cu", [1]), 1, 1),
    ],
)
def test_orders_of_groups(atoms, order, n_proper):
    atoms.rotate(37, (1, 2, 3))
    found = operations(atoms)
    assert len(found) == order
    assert len(operations(atoms, improper=False)) == n_proper
    gaps = atoms.get_all_distances()
    for row in found:
        assert np.allclose(gaps[np.ix_(row, row)], gaps, atol=1e-4)


def test_noise_hides_no_operation():
    atoms = icosahedron("Cu", 2)
    atoms.rattle(0.01, seed=1)
    assert len(operations(atoms)) == 120


@pytest.mark.parametrize(("improper", "numbers"), [(True, MERGED), (False, KEPT)])
def test_corners_of_the_icosahedron(improper, numbers):
    atoms = icosahedron("Cu", 2)
    corners = [i for i, p in enumerate(hull_places(atoms.positions)) if p == "vertex"]
    group = operations(atoms, improper=improper)
    found = [len(distinct_subsets(corners, k, group)) for k in range(13)]
    assert found == numbers


def test_choices_are_one_of_each_orbit():
    # Automorphisms of the graph, from networkx, and every subset.
    graph = nx.cubical_graph()
    matcher = nx.isomorphism.GraphMatcher(graph, graph)
    group = np.array([[m[i] for i in range(8)] for m in matcher.isomorphisms_iter()])
    assert len(group) == 48
    for k in range(9):
        orbits = {
            frozenset(frozenset(row[list(subset)].tolist()) for row in group)
            for subset in combinations(range(8), k)
        }
        chosen = distinct_subsets(range(8), k, group)
        assert len(chosen) == len(orbits)
        hit = {next(o for o in orbits if frozenset(c) in o) for c in chosen}
        assert len(hit) == len(chosen)


def test_candidates_in_their_order():
    identity = np.arange(4)[None]
    assert distinct_subsets([3, 1], 1, identity) == [(3,), (1,)]


def test_impossible_and_excessive_counts_are_refused():
    identity = np.arange(30)[None]
    with pytest.raises(ValueError, match="there are 12 of them, 13 are wanted"):
        distinct_subsets(range(12), 13, identity)
    with pytest.raises(ValueError, match="more than 500 distinct ways"):
        distinct_subsets(range(30), 15, identity)


@pytest.mark.parametrize(
    ("atoms", "numbers"),
    [
        (icosahedron("Cu", 2), {"vertex": 12, "core": 1}),
        (icosahedron("Cu", 3), {"vertex": 12, "edge": 30, "core": 13}),
        (cuboctahedron("Cu", 3), {"vertex": 12, "edge": 24, "face": 6, "core": 13}),
        (octahedron("Cu", 4, 1), {"vertex": 24, "face": 8, "core": 6}),
        (tetrahedron("Au", 4), {"vertex": 4, "edge": 12, "face": 4}),
        (core_at_cage("Cd", "Se"), {"vertex": 24, "core": 2}),
    ],
)
def test_places_on_the_hull(atoms, numbers):
    assert Counter(hull_places(atoms.positions)) == numbers


def test_a_flat_cluster_has_no_places():
    with pytest.raises(ValueError, match="flat cluster has no vertices"):
        hull_places(rows("Cu", [1, 2, 1]).positions)


def test_atoms_far_apart_come_first():
    atoms = icosahedron("Cu", 2)
    corners = range(1, 13)
    gaps = atoms.get_all_distances()
    pairs = most_spread(
        distinct_subsets(corners, 2, operations(atoms)), atoms.positions
    )
    # Opposite, next but one, neighbours: the three distances of an icosahedron.
    found = [gaps[pair] for pair in pairs]
    assert found == sorted(found, reverse=True)
    threes = most_spread(list(combinations(corners, 3)), atoms.positions)
    crowding = [sum(1 / gaps[p] for p in combinations(three, 2)) for three in threes]
    assert np.diff(crowding).min() > -1e-5


def test_the_most_spread_of_too_many_are_found_atom_by_atom(monkeypatch):
    """Three of the 42 outer atoms of an icosahedron of 55: all, and the best of few."""
    atoms = icosahedron("Cu", 3)
    shell = [i for i, r in enumerate(np.linalg.norm(atoms.positions, axis=1)) if r > 4]
    group, positions = operations(atoms), atoms.positions
    every = most_spread(distinct_subsets(shell, 3, group), positions)
    assert len(every) > 30
    monkeypatch.setattr(
        "clusterflow.science.clusters.equivalent_atoms.MOST_DISTINCT", 12
    )
    with pytest.raises(ValueError, match="more than 12 distinct ways"):
        distinct_subsets(shell, 3, group)
    few = distinct_subsets(shell, 3, group, positions)
    assert len(few) == 12
    assert most_spread(few, positions)[:3] == every[:3]
