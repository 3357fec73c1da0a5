"""Places of hydrides, against faces counted by hand and all choices by brute force."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from ase import Atoms

from clusterflow.errors import ClusterflowError
from clusterflow.library.clusters import Hydrides
from clusterflow.library.find import Library, package_data
from clusterflow.science.clusters.equivalent_atoms import isometries
from clusterflow.science.clusters.hydrides import (
    APART_A,
    NEIGHBOURS,
    find_cavities,
    place_hydrides,
)
from clusterflow.science.geometry.bonds import distances
from clusterflow.stages.build import build_structures

LIBRARY = Library((package_data() / "structures",))
OCTAHEDRON = np.vstack([np.eye(3), -np.eye(3)]) * 2.6 / np.sqrt(2)


def copper(positions):
    return Atoms(["Cu"] * len(positions), positions=positions)


def hydrides(atoms):
    return atoms.positions[[symbol == "H" for symbol in atoms.symbols]]


def n_neighbours(positions):
    found = find_cavities(["Cu"] * len(positions), positions)
    return Counter(len(cavity.neighbours) for cavity in found)


def test_an_octahedron_has_a_hole_eight_faces_and_twelve_edges():
    assert n_neighbours(OCTAHEDRON) == {6: 1, 3: 8, 2: 12}


def test_a_flat_square_has_both_of_its_sides():
    square = np.array([[0, 0, 0], [2.5, 0, 0], [2.5, 2.5, 0], [0, 2.5, 0]])
    # In its middle a hydride would be 1.77 Å from the corners: no side is needed.
    assert n_neighbours(square) == {4: 1, 2: 4}
    assert n_neighbours(0.9 * square)[4] == 2


def test_ligands_keep_hydrides_away():
    face = OCTAHEDRON[:3].mean(axis=0)
    out = face / np.linalg.norm(face)
    symbols = ["Cu"] * 6 + ["S"]
    positions = np.vstack([OCTAHEDRON, face + 2.2 * out])
    faces = find_cavities(symbols, positions, neighbours=(3,))
    assert len(faces) == 7


def test_all_equivalent_faces_are_filled():
    (atoms,) = place_hydrides(copper(OCTAHEDRON), 8, neighbours=(3,))
    assert len(isometries(list(atoms.symbols), atoms.positions)) == 48


def test_half_of_the_faces_are_those_of_lowest_energy():
    faces = [
        cavity.position
        for cavity in find_cavities(["Cu"] * 6, OCTAHEDRON, neighbours=(3,))
    ]

    def repulsion(chosen):
        gaps = distances(np.array(chosen))
        return (1 / gaps[np.triu_indices(len(chosen), 1)]).sum()

    lowest = min(repulsion(chosen) for chosen in combinations(faces, 4))
    (atoms,) = place_hydrides(copper(OCTAHEDRON), 4, neighbours=(3,))
    assert repulsion(hydrides(atoms)) == pytest.approx(lowest)
    # A tetrahedron.
    assert len(isometries(list(atoms.symbols), atoms.positions)) == 24


def test_other_choices_follow_in_order_and_differ():
    ways = place_hydrides(copper(OCTAHEDRON), 2, neighbours=(3,), most=3)
    assert len(ways) == 3
    assert len({tuple(hydrides(way).ravel().round(6)) for way in ways}) == 3


@pytest.mark.parametrize(
    ("count", "how", "message"),
    [
        (9, {"neighbours": (3,)}, "no room for 9 hydrides: 8 places"),
        (8, {"neighbours": (3,), "apart_a": 4.0}, "not so many are 4.00 Å apart"),
        (1, {"neighbours": (5,)}, r"no place for H with \[5\] neighbours"),
    ],
)
def test_too_many_are_refused(count, how, message):
    with pytest.raises(ValueError, match=message):
        place_hydrides(copper(OCTAHEDRON), count, **how)


def test_nothing_is_changed_in_place():
    atoms = copper(OCTAHEDRON)
    place_hydrides(atoms, 8, neighbours=(3,))
    assert len(atoms) == 6


def test_the_22_hydrides_of_cu25_keep_its_symmetry():
    structures = build_structures(LIBRARY.cluster("Cu25H22-PH3"), None, LIBRARY)
    assert len(structures) == 4
    for structure in structures:
        assert Counter(structure.roles) == {"core": 25, "ligand": 48, "hydride": 22}
        kept = [i for i, role in enumerate(structure.roles) if role != "ligand"]
        positions = structure.xyz[kept]
        symbols = [structure.symbols[i] for i in kept]
        found = isometries(symbols, positions)
        assert len(found) == 12
        orbits = {frozenset(found[:, i].tolist()) for i in range(25, 47)}
        assert sorted(len(orbit) for orbit in orbits) == [4, 6, 12]


def test_a_yaml_that_says_no_more_means_what_the_function_does():
    plain = Hydrides(count=1)
    assert (plain.neighbours, plain.apart_a) == (NEIGHBOURS, APART_A)


def test_a_cluster_without_room_says_so(tmp_path):
    folder = tmp_path / "clusters"
    folder.mkdir()
    text = """
name: mine
formula: Cu4H20
multiplicity: 1
source: "unpublished: test"
structures:
  - {name: main, builder: rhombus, parameters: {element: Cu}, hydrides: {count: 20}}
"""
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    library = Library((tmp_path,))
    with pytest.raises(ClusterflowError, match="mine: hydrides: no room for 20"):
        build_structures(library.cluster("mine"), folder, library)
