"""Sites of shapes whose sites can be counted on fingers."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from scipy.spatial.transform import Rotation

from clusterflow.core.builders import (
    core_at_cage,
    dodecahedron,
    icosahedron,
    octahedron,
    rhombus,
    ring,
    stacked_rings,
)
from clusterflow.core.sites import count_by_kind, find_sites
from clusterflow.core.topology import bond_graph

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
        stacked_rings("Cd", "Se", 3, 2, 2.6, 2.7),
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
    other.positions += rng.uniform(-0.01, 0.01, other.positions.shape)
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
    cage = core_at_cage("Cd", "Se", 2.65, (1, 1, 1))
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


def test_ligands_carry_no_sites_and_cast_shadows():
    atoms = icosahedron("Cu", 2, 2.42)
    symbols = atoms.get_chemical_symbols()
    _, bare = find_sites(symbols, atoms.positions, kinds=("hollow3",))
    # A sulphur in one hollow: 2.05 Å of reach fill it, and the next ones are 2.6 Å off.
    hollow = np.array(bare[0].position) + 1.77 * np.array(bare[0].normal)
    positions = np.vstack([atoms.positions, hollow])
    roles = ["core"] * 13 + ["ligand"]
    group, sites = find_sites([*symbols, "S"], positions, roles=roles)
    assert group == "C3v"
    assert all(13 not in s.atoms for s in sites)
    assert count_by_kind(sites)["hollow3"] == 19
    assert all(set(s.atoms) != set(bare[0].atoms) for s in sites)
    # The same atom as core has a top of its own, and so does every copper.
    _, sites = find_sites([*symbols, "S"], positions)
    assert count_by_kind(sites)["top"] == 13


def test_hydrides_are_sites_of_their_own_kind():
    positions = [[0, 0, 0], [2.4, 0, 0], [1.2, 1.2, 0], [1.2, -1.2, 0]]
    roles = ["core", "core", "hydride", "hydride"]
    kinds = ("top", "hydride")
    _, sites = find_sites(
        ["Cu", "Cu", "H", "H"], np.array(positions), roles=roles, kinds=kinds
    )
    assert {s.kind: s.elements for s in sites} == {"top": ("Cu",), "hydride": ("H",)}
    assert count_by_kind(sites) == {"top": 2, "hydride": 2}
