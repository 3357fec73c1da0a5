"""Two molecules: every distinct pair of neighbouring sites once, and no clash."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest
from ase.data import atomic_numbers, covalent_radii

from clusterflow.errors import LibraryError
from clusterflow.library.adsorbates import AdsorbateForm
from clusterflow.science.adsorption.starts_on_sites import (
    place_adsorbate,
    split_form,
)
from clusterflow.science.clusters.builders.metal import (
    icosahedron,
    octahedron,
    rhombus,
    rows,
)
from clusterflow.science.geometry.bonds import bond_graph
from clusterflow.science.geometry.symmetry import find_symmetry
from clusterflow.science.sites.pairs import site_pairs
from clusterflow.science.sites.sites import find_sites

pytestmark = pytest.mark.rounding

ICO = icosahedron("Cu", 2, 2.42)


@pytest.fixture
def on(structure):
    def make(atoms, kinds=("top", "bridge", "hollow3"), turn=None):
        symbols = atoms.get_chemical_symbols()
        positions = atoms.positions if turn is None else atoms.positions @ turn
        _, sites = find_sites(symbols, positions, kinds=kinds)
        return structure(symbols, positions), sites

    return make


def counts(pairs):
    return Counter((pair.first.kind, pair.second.kind) for pair in pairs)


@pytest.mark.parametrize(
    ("atoms", "alike", "tops"),
    [
        (rows("Cu", [2], 2.2), True, 1),  # the two ends
        (rows("Cu", [2], 2.2), False, 1),  # each end is the image of the other
        (rows("Cu", [1, 2], 2.4), True, 1),
        (rhombus("Cu", 2.35), True, 2),  # an edge, the short diagonal
        (rhombus("Cu", 2.35), False, 3),  # and the edge the other way round
        (ICO, True, 1),
    ],
)
def test_pairs_of_tops_are_the_distinct_bonds(on, atoms, alike, tops):
    host, sites = on(atoms, kinds=("top",))
    assert len(site_pairs(host, sites, alike=alike)) == tops


@pytest.mark.parametrize("alike", [True, False])
def test_pairs_on_the_icosahedron_are_the_orbits_of_its_group(on, alike):
    # Brute force: sites as sets of atoms, moved about by all 120 operations.
    host, sites = on(ICO)
    positions = host.xyz
    group = find_symmetry(host.symbols, positions).permutations
    assert len(group) == 120
    centre = int(np.linalg.norm(positions - positions.mean(axis=0), axis=1).argmin())
    graph = bond_graph(host.symbols, positions)
    shell = graph.subgraph(set(graph) - {centre})
    cliques = [frozenset(c) for c in nx.enumerate_all_cliques(shell)]
    every = [c for c in cliques if len(c) <= 3]
    assert len(every) == 12 + 30 + 20
    touching = {
        (a, b)
        for a, b in product(every, every)
        if a != b and any(i == j or graph.has_edge(i, j) for i in a for j in b)
    }
    orbits = {
        frozenset(
            frozenset(pair) if alike else pair
            for g in group
            for pair in [tuple(frozenset(int(g[i]) for i in site) for site in (a, b))]
        )
        for a, b in touching
    }
    sizes = {1: "top", 2: "bridge", 3: "hollow3"}
    expected = Counter()
    for orbit in orbits:
        kinds = [sizes[len(site)] for site in next(iter(orbit))]
        expected[tuple(sorted(kinds, reverse=True)) if alike else tuple(kinds)] += 1
    found = counts(site_pairs(host, sites, alike=alike))
    if alike:
        found = Counter(
            {tuple(sorted(kinds, reverse=True)): n for kinds, n in found.items()}
        )
    assert found == expected


def test_pairs_stay_the_same_however_the_cluster_lies(on):
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    plain = counts(site_pairs(*on(rhombus("Cu", 2.35)), alike=False))
    turned = counts(site_pairs(*on(rhombus("Cu", 2.35), turn=turn), alike=False))
    assert plain == turned


@pytest.mark.parametrize("name", ["CO-CO", "CO-H"])
@pytest.mark.parametrize("atoms", [ICO, rhombus("Cu", 2.35)], ids=["Cu13", "Cu4"])
def test_two_molecules_bind_apart_and_do_not_touch(on, library, atoms, name):
    host, sites = on(atoms)
    n = len(atoms)
    starts = place_adsorbate(
        host, sites, library.adsorbate(name), multiplicity=1, max_starts=1000
    )
    apart = [s for s in starts if s.form == "apart"]
    assert apart and {s.form for s in starts} == {"apart", "side-by-side"}
    form = next(f for f in library.adsorbate(name).forms if f.name == "apart")
    for start in apart:
        assert start.structure.symbols[n:] == tuple(line[0] for line in form.atoms)
        positions = start.structure.xyz
        radius = np.array(
            [covalent_radii[atomic_numbers[s]] for s in start.structure.symbols]
        )
        for b, site in zip(form.binding, (start.site, start.second_site), strict=True):
            lengths = [
                np.linalg.norm(positions[i] - positions[n + b]) for i in site.atoms
            ]
            bond = 1.05 * (radius[0] + radius[n + b])
            assert min(lengths) == pytest.approx(bond, abs=0.85)
        pieces = [(0, 2), (1, 3)] if name == "CO-CO" else [(0, 2), (1,)]
        for i, j in product(*pieces):
            gap = np.linalg.norm(positions[n + i] - positions[n + j])
            # Beyond what counts as a bond that is breaking.
            assert gap > 1.35 * (radius[n + i] + radius[n + j])
    for one, other in combinations(apart, 2):
        a, b = (s.structure.xyz for s in (one, other))
        assert not np.allclose(a, b, atol=0.1)


def test_what_is_apart_has_two_molecules(library):
    form = library.adsorbate("CO-H").forms[-1].model_dump()
    with pytest.raises(ValueError, match="apart needs two binding atoms"):
        AdsorbateForm.model_validate(form | {"binding": [0]})


@pytest.mark.parametrize(
    ("x", "binding", "n"),
    [(0.7, [0, 1], 1), (2.0, [0, 2], 2)],  # glyoxal without H; both ends of one CO
)
def test_what_is_drawn_apart_is_two_molecules(x, binding, n):
    form = AdsorbateForm.model_validate(
        {
            "name": "wrong",
            "atoms": [
                *(["C", side * x, 0.0, 0.0] for side in (-1, 1)),
                *(["O", side * x, 0.0, 1.15] for side in (-1, 1)),
            ],
            "binding": binding,
            "sites": ["top"],
            "apart": True,
        }
    )
    with pytest.raises(LibraryError, match=rf"it: form 'wrong': .* draws {n}"):
        split_form(form, "it")


def test_without_symmetry_sites_that_are_alike_are_neighbours_too(on):
    """Every bond of two tops is a pair: one of 38 atoms has moved by 0.37 Å."""
    atoms = octahedron("Cu", 4, 1)
    host, whole = on(atoms, kinds=("top",))
    symmetric = {_coordination(pair) for pair in site_pairs(host, whole, alike=True)}
    atoms.positions[0] += [0.2, 0.3, 0.1]
    host, sites = on(atoms, kinds=("top",))
    tops = {i for site in sites for i in (*site.atoms, *(a for (a,), _ in site.alike))}
    assert len(tops) == sum(site.multiplicity for site in sites) == 32 > len(sites)
    pairs = site_pairs(host, sites, alike=True)
    assert {_coordination(pair) for pair in pairs} >= symmetric
    bonds = bond_graph(host.symbols, host.xyz)
    ends = [(*pair.first.atoms, *pair.second.atoms) for pair in pairs]
    assert all(bonds.has_edge(*pair) for pair in ends)
    assert len(set(map(frozenset, ends))) == len(ends)


def _coordination(pair):
    numbers = [site.coordination_numbers for site in (pair.first, pair.second)]
    return tuple(sorted(numbers))
