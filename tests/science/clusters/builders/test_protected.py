"""Metal cores under ligands: bonds, angles and symmetry of what is built by rule."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from ase import Atoms

from clusterflow.library.clusters import Removed
from clusterflow.library.find import Library, package_data
from clusterflow.science.clusters.builders.bridged import bridged_octahedron
from clusterflow.science.clusters.builders.protected import (
    icosahedron_with_triangles,
    stapled_biicosahedron,
    stapled_icosahedron,
)
from clusterflow.science.clusters.equivalent_atoms import isometries
from clusterflow.science.clusters.ligands import add_ligands
from clusterflow.science.geometry.bonds import bond_graph, distance_ratios, distances
from clusterflow.stages.build import build_structures

LIBRARY = Library((package_data() / "structures",))
BOND = 2.85  # Å, centre to shell of Au25


def ligand(name):
    lines = LIBRARY.ligand(name).atoms
    return Atoms([line[0] for line in lines], positions=[line[1:] for line in lines])


def built(name):
    return build_structures(LIBRARY.cluster(name), None, LIBRARY)


@pytest.fixture(scope="module")
def au25():
    return stapled_icosahedron("Au", ligand("SH"), BOND)


def frame(atoms):
    """Metal and donors, which alone have the symmetry that is claimed."""
    kept = [i for i, symbol in enumerate(atoms.symbols) if symbol not in ("H", "C")]
    return [str(atoms.symbols[i]) for i in kept], atoms.positions[kept]


def test_au25_has_a_centre_twelve_corners_and_thirty_edges(au25):
    gaps = distances(au25.positions[:13])
    assert gaps[0, 1:] == pytest.approx([BOND] * 12, abs=1e-9)
    # Edge of an icosahedron over its circumradius.
    edge = BOND / np.sin(2 * np.pi / 5)
    pairs = [gaps[i, j] for i, j in combinations(range(1, 13), 2)]
    assert sum(abs(gap - edge) < 1e-6 for gap in pairs) == 30


@pytest.mark.parametrize("name", ["SH", "SCH3", "SeH"])
@pytest.mark.parametrize("element", ["Au", "Ag"])
def test_each_corner_ends_a_staple_and_each_donor_bridges_two(element, name):
    atoms = stapled_icosahedron(element, ligand(name))
    symbols = [str(symbol) for symbol in atoms.symbols]
    donor = str(ligand(name).symbols[0])
    graph = bond_graph(symbols, atoms.positions)
    metals = {
        i: [j for j in graph[i] if symbols[j] == element]
        for i in graph
        if symbols[i] == donor
    }
    assert [len(held) for held in metals.values()] == [2] * 18
    ends = Counter(j for held in metals.values() for j in held)
    assert [ends[i] for i in range(25)] == [0] + [1] * 12 + [2] * 12
    for i in range(13, 25):
        first, last = (j for j in graph[i] if symbols[j] == donor)
        assert atoms.get_angle(first, i, last) > 165
    for i, held in metals.items():
        assert 85 < atoms.get_angle(held[0], i, held[1]) < 105
        (rest,) = (j for j in graph[i] if symbols[j] in ("H", "C"))
        for j in held:
            assert atoms.get_angle(j, i, rest) == pytest.approx(100, abs=1)
    assert distance_ratios(symbols, atoms.positions).min() > 0.9


def test_the_frame_of_au25_has_the_24_operations_of_th(au25):
    symbols, positions = frame(au25)
    found = isometries(symbols, positions)
    assert (len(found), len(isometries(symbols, positions, improper=False))) == (24, 12)
    donors = [i for i, symbol in enumerate(symbols) if symbol == "S"]
    orbits = {frozenset(found[:, i].tolist()) for i in donors}
    assert sorted(len(orbit) for orbit in orbits) == [6, 12]


def test_au38_is_chiral_and_its_staples_are_six_long_and_three_short():
    atoms = stapled_biicosahedron("Au", ligand("SH"), BOND)
    symbols, positions = frame(atoms)
    found = isometries(symbols, positions)
    proper = isometries(symbols, positions, improper=False)
    assert len(found) == len(proper) == 6
    gaps = distances(positions)
    # Two centres, each with twelve neighbours; three of these belong to both.
    near = np.abs(gaps[:2, :23] - BOND) < 1e-9
    assert (near.sum(axis=1).tolist(), near.all(axis=0).sum()) == ([12, 12], 3)
    bonds = gaps[:38, 38:] < 2.6
    assert (bonds.sum(axis=0) == 2).all()
    # Two of the kernel have none: the centres. The shared triangle is bare as well.
    kernel = bonds[:23].sum(axis=1)
    assert Counter(kernel.tolist()) == {0: 5, 1: 18}
    assert (bonds[23:].sum(axis=1) == 2).all()
    # A sulfur between two metal atoms of staples is in the middle of a long one.
    assert (bonds[23:].sum(axis=0) == 2).sum() == 6


@pytest.mark.parametrize("twist_deg", [0, 60])
def test_four_triangles_stand_on_faces_without_a_common_corner(twist_deg):
    atoms = icosahedron_with_triangles("Cu", 2.5, twist_deg)
    found = isometries(["Cu"] * 25, atoms.positions)
    assert len(found) == 12  # T
    gaps = distances(atoms.positions)
    np.fill_diagonal(gaps, 9)
    assert gaps.min() == pytest.approx(2.5)
    triangle = gaps[13:, 13:] < 2.7
    assert (triangle.sum(axis=1) == 2).all()
    # Straight above a corner, or above an edge.
    touched = np.abs(gaps[13:, :13] - 2.5) < 1e-6
    assert (touched.sum(axis=1) == {0: 1, 60: 2}[twist_deg]).all()


def test_each_copper_of_cu6_is_held_by_two_sulfur_and_one_nitrogen():
    (found,) = built("Cu6MBD6")
    positions = found.xyz
    assert len(isometries(found.symbols, positions)) == 12  # D3d
    graph = bond_graph(found.symbols, positions)
    for i in range(6):
        donors = [j for j in graph[i] if found.symbols[j] != "Cu"]
        assert sorted(found.symbols[j] for j in donors) == ["N", "S", "S"]
        # Three different ligands, which stand behind the metal one after another.
        assert len({(j - 6) // 15 for j in donors}) == 3
    assert distance_ratios(found.symbols, positions).min() > 0.8


def test_cu20_has_the_shape_and_the_hydrides_that_diffraction_found():
    spec = LIBRARY.cluster("Cu20H11-S2PH2")
    folder = LIBRARY.path("clusters", spec.name).parent
    (found,) = build_structures(spec, folder, LIBRARY)
    assert Counter(found.roles) == {"core": 20, "hydride": 11, "ligand": 45}
    assert len(isometries(found.symbols, found.xyz)) == 12  # D3h
    gaps = distances(found.xyz)
    # Johnson's solid 35: 18 corners, 36 edges, four at each corner.
    edges = np.abs(gaps[2:20, 2:20] - 2.75) < 1e-3
    assert (edges.sum(axis=1) == 4).all()
    # A cap has three neighbours, a tetrahedral cavity one inner and three outer ones.
    inner, outer = (gaps[20:31, rows] < 2.0 for rows in (slice(0, 2), slice(2, 20)))
    kinds = Counter(
        zip(inner.sum(axis=1).tolist(), outer.sum(axis=1).tolist(), strict=True)
    )
    assert kinds == {(0, 3): 6, (1, 3): 2, (2, 0): 3}
    sulfur = [i for i, symbol in enumerate(found.symbols) if symbol == "S"]
    bonds = gaps[np.ix_(sulfur, range(20))] < 2.5
    assert (bonds.sum(axis=1) == 2).all()
    assert bonds.sum(axis=0).tolist() == [0, 0, *[2] * 18]


def test_cu32_has_the_frame_that_diffraction_found():
    spec = LIBRARY.cluster("Cu32H20-S2PH2")
    folder = LIBRARY.path("clusters", spec.name).parent
    (found,) = build_structures(spec, folder, LIBRARY)
    assert Counter(found.roles) == {"core": 32, "hydride": 20, "ligand": 60}
    assert len(isometries(found.symbols, found.xyz, tolerance_a=0.01)) == 12  # D3d
    gaps = distances(found.xyz)
    # A rhombohedron: six faces, three at each corner, and a cap on each.
    faces = {tuple(np.argsort(gaps[cap, :8])[:4].tolist()) for cap in range(8, 14)}
    assert len({frozenset(face) for face in faces}) == 6
    assert Counter(corner for face in faces for corner in face) == dict.fromkeys(
        range(8), 3
    )
    # Two cupolas: a triangle each, above a hexagon.
    heights = np.abs(found.xyz[14:32, 2])
    assert np.ptp(heights[:6]) < 0.01 and np.ptp(heights[6:]) < 0.01
    assert heights[:6].min() > heights[6:].max()
    copper_of_hydride = (gaps[32:52, :32] < 2.1).sum(axis=1)
    assert Counter(copper_of_hydride.tolist()) == {4: 2, 3: 12, 2: 6}
    sulfur = [i for i, symbol in enumerate(found.symbols) if symbol == "S"]
    bonds = gaps[np.ix_(sulfur, range(32))] < 2.6
    assert (bonds.sum(axis=1) == 2).all()
    assert bonds.sum(axis=0).tolist() == [*[0] * 8, *[2] * 24]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (Atoms("S"), "two donors is needed"),
        (Atoms("SNC", [(0, 0, 0), (2.8, 0, 1), (1.4, 0, 0.5)]), "a straight ligand"),
        (
            Atoms("SNC2", [(0, 0, 0), (9, 0, 1), (1.6, 0, 1), (8, 0, 2)]),
            "reach no octahedron of Cu",
        ),
    ],
)
def test_ligands_that_cannot_bridge_are_refused(one, message):
    with pytest.raises(ValueError, match=message):
        bridged_octahedron("Cu", one)


def test_phosphines_go_to_atoms_with_fewest_neighbours():
    bare = icosahedron_with_triangles("Cu", 2.5)
    atoms = add_ligands(bare, ligand("PH3"), element="Cu", count=12)
    graph = bond_graph([str(s) for s in atoms.symbols], atoms.positions)
    phosphorus = [i for i, symbol in enumerate(atoms.symbols) if symbol == "P"]
    bound = [j for i in phosphorus for j in graph[i] if atoms.symbols[j] == "Cu"]
    assert sorted(bound) == list(range(13, 25))


def test_a_thiolate_leaves_the_middle_or_the_end_of_a_staple():
    states = built("Au25SH17-anion")
    assert [state.name for state in states] == ["main-1", "main-2"]
    left = []
    for state in states:
        gaps = distances(state.xyz)
        sulfur = [i for i, symbol in enumerate(state.symbols) if symbol == "S"]
        left.append(Counter((gaps[:25, sulfur] < 2.6).sum(axis=1).tolist()))
    # Of 1, 12 and 12: a corner and its neighbour, or both metal atoms of a staple, have
    # one bond to sulfur less.
    corner, middle = sorted(left, key=lambda counts: -counts[0])
    assert corner == {0: 2, 1: 12, 2: 11}
    assert middle == {0: 1, 1: 14, 2: 10}


def test_a_dopant_has_three_places_however_the_hydrogens_are_turned():
    states = built("CdAu24SH18")
    places = sorted(state.symbols.index("Cd") for state in states)
    assert places[0] == 0
    assert 1 <= places[1] <= 12 < places[2] <= 24
    assert len(places) == 3


@pytest.mark.parametrize("name", ["Au25SH17S-anion", "Au25SCH317S-anion"])
def test_the_sulfur_of_a_stripped_thiolate_joins_the_core(name):
    for state in built(name):
        assert Counter(state.roles)["core"] == 26
        core = [i for i, role in enumerate(state.roles) if role == "core"]
        (bare,) = (i for i in core if state.symbols[i] == "S")
        graph = bond_graph(state.symbols, state.xyz)
        assert [state.symbols[j] for j in graph[bare]] == ["Au", "Au"]


def test_only_a_ligand_has_a_binding_atom_to_keep():
    with pytest.raises(ValueError, match="keep_binding_atom is for a ligand"):
        Removed(element="H", count=1, keep_binding_atom=True)
