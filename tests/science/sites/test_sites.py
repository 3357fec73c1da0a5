"""Sites of shapes whose sites can be counted on fingers."""

from __future__ import annotations

import time
from collections import Counter
from resource import RUSAGE_SELF, getrusage
from typing import get_args

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.data import atomic_numbers, covalent_radii
from scipy.spatial.transform import Rotation

from clusterflow.library.adsorbates import SiteKind
from clusterflow.science.clusters.atom_roles import guess_roles
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
from clusterflow.science.clusters.equivalent_atoms import hull_places
from clusterflow.science.geometry.bonds import bond_graph
from clusterflow.science.sites.coordination import (
    MOST_II_VI,
    MOST_METAL,
    generalized_coordination_number,
)
from clusterflow.science.sites.sites import find_sites
from clusterflow.stages.build import build_structures

pytestmark = pytest.mark.rounding

EDGE = 2.5
DIMER = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.22]])
SQUARE = Atoms(
    "Cu4", positions=[[0, 0, 0], [EDGE, 0, 0], [EDGE, EDGE, 0], [0, EDGE, 0]]
)
TETRAHEDRON = Atoms(
    "Cu4",
    positions=np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    * (EDGE / np.sqrt(8)),
)

# Orbits as (kind, multiplicity). Each follows from corners, edges and faces of the
# shape under its group; bulk atoms have none.
SHAPES = {
    "ico13": (
        icosahedron("Cu", 2, 2.42),
        [("bridge", 30), ("hollow3", 20), ("top", 12)],
    ),
    # Vertices and edge centres; edges are cut in two (60), faces in four.
    "ico55": (
        icosahedron("Cu", 3, 2.42),
        [
            ("bridge", 60),
            ("bridge", 60),
            ("hollow3", 20),
            ("hollow3", 60),
            ("top", 12),
            ("top", 30),
        ],
    ),
    "cuboctahedron13": (
        octahedron("Cu", 3, 1, EDGE),
        [("bridge", 24), ("hollow3", 8), ("hollow4", 6), ("top", 12)],
    ),
    # 24 corners, 8 centres of hexagons; 24 edges between hexagon and square, 12
    # between hexagons, 48 spokes; triangles of a hexagon are of two kinds.
    "truncated-octahedron38": (
        octahedron("Cu", 4, 1, EDGE),
        [
            ("bridge", 12),
            ("bridge", 24),
            ("bridge", 48),
            ("hollow3", 24),
            ("hollow3", 24),
            ("hollow4", 6),
            ("top", 8),
            ("top", 24),
        ],
    ),
    "octahedron6": (
        octahedron("Cu", 2, 0, EDGE),
        [("bridge", 12), ("hollow3", 8), ("top", 6)],
    ),
    "tetrahedron4": (TETRAHEDRON, [("bridge", 6), ("hollow3", 4), ("top", 4)]),
    # Flat: two triangles, each with two sides; the short diagonal is one bridge from
    # above and one from below.
    "rhombus4": (
        rhombus("Cu", 2.35),
        [("bridge", 2), ("bridge", 4), ("hollow3", 4), ("top", 2), ("top", 2)],
    ),
    "square4": (SQUARE, [("bridge", 4), ("hollow4", 2), ("top", 4)]),
    "dimer": (DIMER, [("bridge", 1), ("top", 2)]),
    "dodecahedron8": (
        dodecahedron("Cu", 2.4),
        [
            ("bridge", 2),
            ("bridge", 4),
            ("bridge", 4),
            ("bridge", 8),
            ("hollow3", 4),
            ("hollow3", 8),
            ("top", 4),
            ("top", 4),
        ],
    ),
    # 18 Cd-Se bonds in two kinds, six Cd-Se-Cd bridges over the squares.
    "Cd6Se6": (
        stacked_rings("Cd", "Se", n=3, layers=2, bond_a=2.6, spacing_a=2.7),
        [
            ("bridge", 6),
            ("hollow4", 6),
            ("pair", 6),
            ("pair", 12),
            ("top", 6),
            ("top", 6),
        ],
    ),
}
CASES = pytest.mark.parametrize("name", SHAPES)


def count_by_kind(sites):
    """Sites of each kind, symmetry images included."""
    total = Counter()
    for site in sites:
        total[site.kind] += site.multiplicity
    return total


def orbits(atoms, **options):
    _, sites = find_sites(atoms.get_chemical_symbols(), atoms.positions, **options)
    return sorted((s.kind, s.multiplicity) for s in sites)


@CASES
def test_orbits(name):
    atoms, expected = SHAPES[name]
    assert orbits(atoms) == expected


@CASES
@pytest.mark.parametrize("seed", [1, 2])
def test_rotation_permutation_and_noise_change_nothing(name, seed):
    atoms, expected = SHAPES[name]
    rng = np.random.default_rng(seed)
    other = atoms[rng.permutation(len(atoms))]
    turn = Rotation.random(random_state=seed).as_matrix()
    other.positions = other.positions @ turn.T + rng.uniform(-5, 5, 3)
    other.positions += rng.normal(0, 0.01, other.positions.shape)
    assert orbits(other) == expected


@CASES
def test_the_ball_rests_on_its_atoms_and_touches_no_other(name):
    atoms, _ = SHAPES[name]
    symbols = atoms.get_chemical_symbols()
    # Cordero 2008 plus a probe of 1 Å
    reach = np.array([{"Cu": 1.32, "Cd": 1.44, "Se": 1.20}[s] + 1.0 for s in symbols])
    _, sites = find_sites(symbols, atoms.positions)
    for site in sites:
        normal = np.array(site.normal)
        assert np.linalg.norm(normal) == pytest.approx(1.0, abs=1e-5)
        carriers = atoms.positions[list(site.atoms)]
        # 1e-5 Å: positions are rounded to six decimals.
        assert np.abs(carriers.mean(axis=0) - site.position).max() < 1e-5
        if site.kind != "hollow3":
            continue
        # Push the ball out along the normal until it leaves its three atoms.
        heights = np.linspace(0, 4, 4001)
        centres = np.array(site.position) + heights[:, None] * normal
        gaps = np.linalg.norm(centres[:, None] - atoms.positions[None], axis=-1)
        own = (gaps[:, list(site.atoms)] >= reach[list(site.atoms)]).all(axis=1)
        rest = centres[np.argmax(own)]
        others = [i for i in range(len(atoms)) if i not in site.atoms]
        beyond = np.linalg.norm(rest - atoms.positions[others], axis=1) - reach[others]
        assert beyond.min(initial=1.0) > -0.06  # the allowed overlap of 0.05 Å


@CASES
def test_normals_point_outward(name):
    atoms, _ = SHAPES[name]
    centre = atoms.positions.mean(axis=0)
    _, sites = find_sites(atoms.get_chemical_symbols(), atoms.positions)
    for site in sites:
        outward = np.array(site.position) - centre
        # Over the middle of a flat cluster there is no outward.
        if np.linalg.norm(outward) > 0.1:
            assert np.array(site.normal) @ outward > -1e-6


def test_a_cage_has_no_sites_inside():
    cage = core_at_cage("Cd", "Se", bond_a=2.65)
    _, sites = find_sites(cage.get_chemical_symbols(), cage.positions)
    counts = count_by_kind(sites)
    # One pair a bond of the cage, one top an atom of it, one hollow a square.
    assert (counts["pair"], counts["top"], counts["hollow4"]) == (36, 24, 6)
    assert all(not {24, 25} & set(s.atoms) for s in sites)


def test_a_flat_ring_is_seen_from_both_sides():
    # A ring of six 2.6 Å bonds is open in the middle, each bond has one outer side.
    flat = ring("Cd", "Se", 3, 2.6)
    _, sites = find_sites(flat.get_chemical_symbols(), flat.positions)
    assert count_by_kind(sites)["top"] == 6


def chipped():
    """The truncated octahedron with an adatom and without two of its corners: C1."""
    atoms = octahedron("Cu", 4, 1, EDGE)
    _, sites = find_sites(["Cu"] * 38, atoms.positions, kinds=("hollow3",))
    atoms += Atoms(
        "Cu",
        positions=[np.array(sites[1].position) + 2.0 * np.array(sites[1].normal)],
    )
    del atoms[[0, 7]]
    return atoms


def test_without_symmetry_sites_are_alike_by_their_environment():
    atoms = chipped()
    symbols = atoms.get_chemical_symbols()
    group, sites = find_sites(symbols, atoms.positions)
    assert group == "C1"
    # Shaken and without tolerance every site is one of its own.
    shaken = atoms.positions + np.random.default_rng(4).normal(0, 0.005, (37, 3))
    _, single = find_sites(symbols, shaken, tolerance_a=1e-6)
    assert {s.multiplicity for s in single} == {1}
    assert count_by_kind(sites) == count_by_kind(single)
    assert len(sites) < len(single) / 2
    rng = np.random.default_rng(3)
    order = rng.permutation(len(atoms))
    other = atoms[order]
    other.positions = other.positions @ Rotation.random(random_state=3).as_matrix().T
    other.positions += rng.normal(0, 0.01, other.positions.shape)
    assert orbits(other) == sorted((s.kind, s.multiplicity) for s in sites)


def test_mirror_images_of_an_environment_are_alike():
    # Far apart on a chain, so that they do not see each other: two bent trimers, one
    # the mirror image of the other, and a link that has no symmetry.
    bent = np.array([[0.0, 0, 0], [2.3, 0, 0], [2.9, 2.5, 0.9]])
    link = np.array([[14.0, 2, 1], [16.4, 2.2, 1.3]])
    positions = np.vstack([bent, bent * [1, 1, -1] + [30, 0, 0], link])
    group, sites = find_sites(["Cu"] * 8, positions, kinds=("bridge",))
    assert group == "C1"
    assert sorted(s.multiplicity for s in sites) == [1, 2, 2]


def crystal(name, structure, a):
    """The bonds of a block of a crystal, and the atom at a place in units of `a`."""
    atoms = bulk(name, structure, a=a, cubic=True).repeat(5)
    positions = atoms.positions / a - 2
    graph = bond_graph(atoms.get_chemical_symbols(), atoms.positions)
    return graph, lambda place: int(np.linalg.norm(positions - place, axis=1).argmin())


CORNER, FACE = (0, 0, 0), (0.5, 0.5, 0)


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("top", [CORNER]),
        ("bridge", [CORNER, FACE]),
        ("hollow3", [CORNER, FACE, (0.5, 0, 0.5)]),
        ("hollow4", [CORNER, FACE, (1, 0, 0), (0.5, -0.5, 0)]),
    ],
)
def test_neighbours_of_a_site_counted_in_a_metal(kind, places):
    graph, at = crystal("Cu", "fcc", 3.6)
    atoms = [at(place) for place in places]
    assert len({j for i in atoms for j in graph[i]} - set(atoms)) == MOST_METAL[kind]
    assert generalized_coordination_number(kind, atoms, graph) == pytest.approx(12)


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("top", [CORNER]),
        ("pair", [CORNER, (0.25, 0.25, 0.25)]),
        ("bridge", [CORNER, FACE]),
    ],
)
def test_neighbours_of_a_site_counted_in_zinc_blende(kind, places):
    graph, at = crystal("CdSe", "zincblende", 6.05)
    atoms = [at(place) for place in places]
    assert len({j for i in atoms for j in graph[i]} - set(atoms)) == MOST_II_VI[kind]
    assert generalized_coordination_number(kind, atoms, graph) == pytest.approx(4)


def test_generalized_coordination_of_a_terrace():
    # On (111) of an fcc metal, doi:10.1002/anie.201402958: 7.5 on top, by counting
    # 132/18 on a bridge; on three atoms over a void of the next layer 153/22.
    slab = fcc111("Cu", (9, 9, 4))
    symbols = ["Cu"] * len(slab)
    graph = bond_graph(symbols, slab.positions)
    height = slab.positions[:, 2].max()
    middle = np.array([*slab.positions[:, :2].mean(axis=0), height])
    gaps = np.linalg.norm(slab.positions - middle, axis=1)
    top = int(np.argmin(gaps + 1e3 * (slab.positions[:, 2] < height - 0.1)))
    gcn = generalized_coordination_number
    assert gcn("top", [top], graph) == pytest.approx(7.5)
    level = [j for j in graph[top] if slab.positions[j, 2] > height - 0.1]
    assert gcn("bridge", [top, level[0]], graph) == pytest.approx(132 / 18)
    threes = [
        (top, i, j) for i in level for j in level if i < j and graph.has_edge(i, j)
    ]
    below = [set(graph[a]) & set(graph[b]) & set(graph[c]) for a, b, c in threes]
    over_void = next(t for t, shared in zip(threes, below, strict=True) if not shared)
    assert gcn("hollow3", over_void, graph) == pytest.approx(153 / 22)


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        # Five atoms of six neighbours and the centre.
        ("ico13", "top", [(5 * 6 + 12) / 12]),
        # A corner: 3 corners, 2 centres of hexagons, 1 of the inner six. A centre of a
        # hexagon: 6 corners and 3 of the inner six.
        (
            "truncated-octahedron38",
            "top",
            [(3 * 6 + 2 * 9 + 12) / 12, (6 * 6 + 3 * 12) / 12],
        ),
        # Three neighbours of three each.
        ("Cd6Se6", "top", [9 / 4, 9 / 4]),
        ("dimer", "bridge", [0.0]),
    ],
)
def test_generalized_coordination_of_clusters(name, kind, values):
    atoms, _ = SHAPES[name]
    _, sites = find_sites(atoms.get_chemical_symbols(), atoms.positions)
    found = [s.generalized_coordination_number for s in sites if s.kind == kind]
    assert sorted(found) == pytest.approx(sorted(values))


def test_without_a_bulk_there_is_no_generalized_coordination():
    positions = np.array([[0.0, 0, 0], [1.8, 0, 0], [1.8, 1.8, 0], [0, 1.8, 0]])
    _, sites = find_sites(["Mo", "S", "Mo", "S"], positions)
    assert {s.generalized_coordination_number for s in sites} == {None}


def test_the_opening_over_a_square_by_brute_force():
    # Rays to the middle of the square; the ball stops where it touches.
    _, sites = find_sites(["Cu"] * 4, SQUARE.positions)
    hollow = next(s for s in sites if s.kind == "hollow4")
    # On a square alone nothing shuts out any direction of the half space.
    assert hollow.accessible_solid_angle_sr == pytest.approx(2 * np.pi, rel=0.01)
    # With walls: atoms above the corners leave a funnel.
    walls = SQUARE.positions + [0, 0, 3.0] + 0.4 * (SQUARE.positions - EDGE / 2)
    positions = np.vstack([SQUARE.positions, walls])
    roles = ["core"] * 4 + ["ligand"] * 4
    _, sites = find_sites(["Cu"] * 4 + ["C"] * 4, positions, roles=roles)
    inside = next(s for s in sites if s.kind == "hollow4" and s.normal[2] > 0)
    outside = next(s for s in sites if s.kind == "hollow4" and s.normal[2] < 0)
    assert outside.accessible_solid_angle_sr == pytest.approx(2 * np.pi, rel=0.01)
    middle = np.array(inside.position)
    rng, n_open, n = np.random.default_rng(1), 0, 2000
    for direction in rng.normal(size=(n, 3)):
        direction *= np.sign(direction[2]) / np.linalg.norm(direction)
        path = middle + np.linspace(12, 0, 600)[:, None] * direction
        gaps = np.linalg.norm(path[:, None] - positions[None], axis=-1)
        # radii of copper and carbon and that of the ball
        own = (gaps[:, :4] < 2.32).any(axis=1).argmax()
        n_open += not (gaps[:own, 4:] < 1.76 - 0.05).any()
    expected = 2 * np.pi * n_open / n
    assert inside.accessible_solid_angle_sr == pytest.approx(expected, rel=0.1)


def test_coordination_numbers_are_those_of_the_bonds():
    atoms = octahedron("Cu", 4, 1, EDGE)
    graph = bond_graph(atoms.get_chemical_symbols(), atoms.positions)
    _, sites = find_sites(atoms.get_chemical_symbols(), atoms.positions)
    for site in sites:
        assert site.coordination_numbers == tuple(graph.degree[i] for i in site.atoms)
    tops = sorted(s.coordination_numbers for s in sites if s.kind == "top")
    assert tops == [(6,), (9,)]


def test_only_kinds_asked_for():
    atoms = icosahedron("Cu", 2, 2.42)
    assert orbits(atoms, kinds=("top", "hollow3")) == [("hollow3", 20), ("top", 12)]


def test_a_larger_probe_loses_narrow_sites_only():
    square = SQUARE
    assert ("hollow4", 2) in orbits(square, probe_radius_a=1.0)
    # A ball of 0.4 Å falls through the square: its diagonal leaves 3.54/2 − 1.32 Å.
    assert ("hollow4", 2) not in orbits(square, probe_radius_a=0.4)


def test_the_free_sphere_of_a_dimer_atom():
    # The other atom shadows a cone: cos θ = d / 2R on a sphere of radius R = 2.32 Å.
    _, sites = find_sites(["Cu", "Cu"], DIMER.positions)
    top = next(s for s in sites if s.kind == "top")
    reach, length = 2.32, 2.22
    # The way straight out is also open only where it does not graze the other atom.
    cosine = (length**2 + reach**2 - (reach - 0.05) ** 2) / (2 * length * reach)
    expected = 2 * np.pi * (1 + cosine)
    # 400 directions: the count of a cap is right to about one row, 2 %.
    assert top.accessible_solid_angle_sr == pytest.approx(expected, rel=0.02)


def test_ligands_cast_shadows():
    atoms = icosahedron("Cu", 2, 2.42)
    symbols = atoms.get_chemical_symbols()
    _, bare = find_sites(symbols, atoms.positions, kinds=("hollow3",))
    # A sulphur in one hollow: 2.05 Å of reach fill it, and the next ones are 2.6 Å off.
    hollow = np.array(bare[0].position) + 1.77 * np.array(bare[0].normal)
    positions = np.vstack([atoms.positions, hollow])
    roles = ["core"] * 13 + ["ligand"]
    group, sites = find_sites([*symbols, "S"], positions, roles=roles)
    assert group == "C3v"
    assert [s.kind for s in sites if 13 in s.atoms] == ["top"]
    assert count_by_kind(sites)["hollow3"] == 19
    assert all(set(s.atoms) != set(bare[0].atoms) for s in sites)
    # As core it carries more than its top.
    _, sites = find_sites([*symbols, "S"], positions)
    assert {s.kind for s in sites if 13 in s.atoms} == {"top", "pair", "hollow3"}


def test_hydrides_are_sites_of_their_own_kind():
    positions = [[0, 0, 0], [2.4, 0, 0], [1.2, 1.2, 0], [1.2, -1.2, 0]]
    roles = ["core", "core", "hydride", "hydride"]
    kinds = ("top", "hydride")
    _, sites = find_sites(
        ["Cu", "Cu", "H", "H"], np.array(positions), roles=roles, kinds=kinds
    )
    assert {s.kind: s.elements for s in sites} == {"top": ("Cu",), "hydride": ("H",)}
    assert count_by_kind(sites) == {"top": 2, "hydride": 2}


def stapled():
    """Gold of 13 under one staple HS-Au-SH over two neighbours of its shell."""
    atoms = icosahedron("Au", 2, 2.85)
    positions = atoms.positions - atoms.positions[0]
    first = positions[1]
    second = min(positions[2:], key=lambda p: np.linalg.norm(p - first))
    middle = (first + second) / np.linalg.norm(first + second)
    inward = np.cross(np.cross(first, second), first)
    radial, inward = first / np.linalg.norm(first), inward / np.linalg.norm(inward)
    # Bent inward until both sulphurs are 2.32 Å from the gold between them.
    for angle in np.linspace(0, 1, 200):
        sulphur = first + 2.39 * (np.cos(angle) * radial + np.sin(angle) * inward)
        if np.linalg.norm(sulphur - (sulphur @ middle) * middle) < 2.32:
            break
    across = np.cross(first, second) / np.linalg.norm(np.cross(first, second))
    mirrored = 2 * (sulphur @ middle) * middle - sulphur
    shell = [sulphur, mirrored, (sulphur @ middle) * middle]
    hydrogens = [s + 1.34 * (0.8 * across + 0.6 * middle) for s in shell[:2]]
    return Atoms("Au13S2AuH2", positions=[*positions, *shell, *hydrogens])


@pytest.mark.parametrize("staple", ["core", "ligand"])
def test_sulphur_shell_and_staple_carry_sites_and_hydrogen_never(staple):
    atoms = stapled()
    symbols = atoms.get_chemical_symbols()
    assert symbols[13:] == ["S", "S", "Au", "H", "H"]
    roles = ["core"] * 13 + ["ligand", "ligand", staple, "ligand", "ligand"]
    assert guess_roles(symbols, atoms.positions) == [*roles[:15], "core", *roles[16:]]
    _, sites = find_sites(symbols, atoms.positions, roles=roles)
    tops = {i for s in sites if s.kind == "top" for i in s.atoms}
    assert 15 in tops and tops & {13, 14} and tops & set(range(1, 13))
    assert all("H" not in site.elements for site in sites)
    assert {s.kind for s in sites if "S" in s.elements} == {"top"}
    assert all(site.accessible_solid_angle_sr > 0 for site in sites)


@pytest.mark.parametrize(
    ("name", "elements", "counts"),
    [
        ("Cd13Se13-13NH3", {"Cd", "Se"}, {"top": 24, "pair": 36}),
        ("Cu2S2H2", {"Cu", "S"}, {"top": 4, "bridge": 1}),
        # Two copper atoms, two hydrides, four bonds of them, both sides of two
        # triangles; the copper pair is open above and below the plane.
        (
            "Cu2H2",
            {"Cu", "H"},
            {"top": 2, "hydride": 2, "pair": 4, "bridge": 2, "hollow3": 4},
        ),
    ],
)
def test_sites_of_covered_clusters_of_the_library(name, elements, counts, library):
    folder = library.path("clusters", name).parent
    whole = build_structures(library.cluster(name), folder, library)[0]
    _, sites = find_sites(
        whole.symbols,
        whole.xyz,
        roles=whole.roles,
        kinds=get_args(SiteKind),
    )
    assert {e for s in sites for e in s.elements} == elements
    found = count_by_kind(sites)
    assert {kind: found[kind] for kind in counts} == counts


@pytest.mark.parametrize(
    "name", ["Cd13Se13-13NH3", "Cu2S2H2", "Cd4SeCl6", "Cu25H22-PH3"]
)
def test_the_way_along_a_normal_is_free_beside_a_ligand_too(name, library):
    """On an open atom with one ligand the middle of the opening is the ligand."""
    folder = library.path("clusters", name).parent
    whole = build_structures(library.cluster(name), folder, library)[0]
    positions = whole.xyz
    _, sites = find_sites(whole.symbols, positions, roles=whole.roles)
    # Cordero 2008: as in ASE; the probe is 1 Å.
    reach = covalent_radii[[atomic_numbers[s] for s in whole.symbols]] + 1.0
    tops = [site for site in sites if site.kind == "top"]
    assert tops
    for site in tops:
        (atom,) = site.atoms
        way = positions[atom] + np.outer(np.linspace(reach[atom], 15, 500), site.normal)
        gaps = np.linalg.norm(way[:, None] - positions[None], axis=-1) - reach
        gaps[:, atom] = np.inf
        assert gaps.min() > -0.06  # the allowed overlap of 0.05 Å


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sites_without_symmetry_turn_with_the_cluster(seed):
    """Openings at the resolution of the directions, 55 atoms less four of the shell."""
    whole = icosahedron("Cu", 3)
    corner = np.linalg.norm(whole.positions, axis=1).argmax()
    near = np.argsort(np.linalg.norm(whole.positions - whole.positions[corner], axis=1))
    outer = [i for i in near if np.linalg.norm(whole.positions[i]) > 3.0]
    kept = sorted({*range(55)} - {outer[k] for k in (0, 1, 9, 20)})
    positions = whole.positions[kept]
    turned = Rotation.random(random_state=seed).apply(positions)
    mirrored = turned * [1, 1, -1]
    group, sites = find_sites(["Cu"] * 51, positions)
    assert group == "C1"
    for other in (turned, mirrored):
        _, same = find_sites(["Cu"] * 51, other)
        assert count_by_kind(same) == count_by_kind(sites)
        assert len(same) == len(sites)


def test_a_gold_cluster_under_staples_has_sites_on_all_but_hydrogen(library):
    folder = library.path("clusters", "Au25SH18-anion").parent
    whole = build_structures(library.cluster("Au25SH18-anion"), folder, library)[0]
    positions = whole.xyz
    _, sites = find_sites(whole.symbols, positions, roles=whole.roles)
    # The centre has twelve gold neighbours; an atom of the shell five of the shell and
    # the centre; one between two sulphurs of a staple no other gold.
    gold = [i for i, symbol in enumerate(whole.symbols) if symbol == "Au"]
    bonds = bond_graph(whole.symbols, positions).subgraph(gold).degree
    tops = {i for s in sites if s.kind == "top" for i in s.atoms}
    assert {bonds[i] for i in tops if i in gold} == {0, 6}
    assert {e for s in sites for e in s.elements} == {"Au", "S"}
    assert sum(s.multiplicity for s in sites if "S" in s.elements) == 18


def test_a_sulphur_without_a_lone_pair_to_spare_has_no_site():
    # Over three copper atoms and with a carbon on top: four bonds.
    triangle = (
        EDGE / np.sqrt(3) * np.array([[1, 0], [-0.5, 0.75**0.5], [-0.5, -(0.75**0.5)]])
    )
    copper = np.column_stack([triangle, np.zeros(3)])
    positions = np.vstack([copper, [[0, 0, 1.77], [0, 0, 3.57]]])
    roles = ["core"] * 3 + ["ligand"] * 2
    _, sites = find_sites(["Cu", "Cu", "Cu", "S", "C"], positions, roles=roles)
    assert all(set(s.elements) == {"Cu"} for s in sites)
    _, sites = find_sites(["Cu", "Cu", "Cu", "S"], positions[:4], roles=roles[:4])
    assert any(s.elements == ("S",) for s in sites)


def test_fifty_five_atoms_take_less_than_a_second():
    atoms = icosahedron("Cu", 3, 2.42)
    start = time.process_time()
    find_sites(["Cu"] * 55, atoms.positions)
    assert time.process_time() - start < 1.0


def protected():
    """367 atoms: gold of 147 under 80 SH and 12 SCH3."""
    gold = icosahedron("Au", 4, 2.85)
    positions = gold.positions - gold.positions.mean(axis=0)
    shell = [
        i for i, where in enumerate(hull_places(positions, 0.3)) if where != "core"
    ]
    rng = np.random.default_rng(0)
    symbols, added = ["Au"] * 147, []
    for k, i in enumerate(shell):
        out = positions[i] / np.linalg.norm(positions[i])
        side = np.cross(out, rng.normal(size=3))
        side /= np.linalg.norm(side)
        sulphur = positions[i] + 2.4 * out
        length = 1.34 if k >= 12 else 1.8
        added += [sulphur, sulphur + length * (0.3 * out + 0.954 * side)]
        symbols += ["S", "H" if k >= 12 else "C"]
        if k < 12:
            other = np.cross(side, out)
            tilts = (side, -0.5 * side + 0.87 * other, -0.5 * side - 0.87 * other)
            added += [added[-1] + 1.09 * (0.3 * out + 0.954 * t) for t in tilts]
            symbols += ["H"] * 3
    return symbols, np.vstack([positions, added])


def test_a_protected_cluster_of_367_atoms_takes_less_than_ten_seconds():
    symbols, positions = protected()
    roles = ["core" if symbol == "Au" else "ligand" for symbol in symbols]
    start, before = time.process_time(), getrusage(RUSAGE_SELF).ru_maxrss
    _, sites = find_sites(symbols, positions, roles=roles)
    seconds = time.process_time() - start
    assert len(symbols) == 367
    assert {e for s in sites for e in s.elements} == {"Au", "S"}
    assert seconds < 10
    # In kB. What the interpreter and its libraries take is not meant.
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 200e3
