"""Point groups of shapes whose group is known, and the group laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from scipy.spatial.transform import Rotation

from clusterflow.science.clusters.builders.binary import core_at_cage, stacked_rings
from clusterflow.science.clusters.builders.metal import (
    dodecahedron,
    icosahedron,
    octahedron,
    rhombus,
)
from clusterflow.science.geometry.symmetry import (
    find_images,
    find_operations,
    find_symmetry,
    rotational_symmetry_number,
    symmetrised,
)
from clusterflow.stages.build import build_structures

pytestmark = pytest.mark.rounding

# name, shape, Schoenflies symbol, order of the group
SHAPES = [
    ("Ih", icosahedron("Cu", 2, 2.42), 120),
    ("Oh", octahedron("Cu", 4, 1, 2.5), 48),
    ("D2h", rhombus("Cu", 2.35), 8),
    ("D2d", dodecahedron("Cu", 2.4), 8),
    ("D3d", stacked_rings("Cd", "Se", n=3, layers=2, bond_a=2.6, spacing_a=2.7), 12),
    ("Td", molecule("CH4"), 24),
    ("D6h", molecule("C6H6"), 24),
    ("C2v", molecule("H2O"), 4),
    ("C3v", molecule("NH3"), 6),
    ("Cs", molecule("HCOOH"), 2),
]


def find(atoms, tolerance=0.1):
    return find_symmetry(atoms.get_chemical_symbols(), atoms.positions, tolerance)


@pytest.mark.parametrize(("group", "atoms", "order"), SHAPES, ids=lambda v: str(v)[:20])
def test_group_and_order(group, atoms, order):
    found = find(atoms)
    assert found.point_group == group
    assert len(found.permutations) == len(found.rotations) == order


def test_the_cage_has_inversion():
    found = find(core_at_cage("Cd", "Se", bond_a=2.65)[:24])
    assert (found.point_group, len(found.permutations)) == ("Th", 24)


# Axes of each finite point group by generators: rotations about z, about x, mirrors
# square to z and containing z, inversion, a rotation-reflection about z.
def turn(axis, n):
    return Rotation.from_rotvec(np.array(axis) * 2 * np.pi / n).as_matrix()


Z, X = [0.0, 0, 1], [1.0, 0, 0]
ACROSS, ALONG = np.diag([1.0, 1, -1]), np.diag([1.0, -1, 1])
DIAGONAL = np.ones(3) / np.sqrt(3)
GENERATORS = {
    "C1": [],
    "Ci": [-np.eye(3)],
    "Cs": [ACROSS],
    "C2": [turn(Z, 2)],
    "C5": [turn(Z, 5)],
    "C3v": [turn(Z, 3), ALONG],
    "C2h": [turn(Z, 2), ACROSS],
    "C3h": [turn(Z, 3), ACROSS],
    "S4": [ACROSS @ turn(Z, 4)],
    "S6": [turn(Z, 3), -np.eye(3)],
    "D2": [turn(Z, 2), turn(X, 2)],
    "D3": [turn(Z, 3), turn(X, 2)],
    "D2h": [turn(Z, 2), turn(X, 2), ACROSS],
    "D2d": [ACROSS @ turn(Z, 4), turn(X, 2)],
    "D4d": [ACROSS @ turn(Z, 8), turn(X, 2)],
    "D5h": [turn(Z, 5), turn(X, 2), ACROSS],
    "D5d": [turn(Z, 5), turn(X, 2), -np.eye(3)],
    "T": [turn(Z, 2), turn(DIAGONAL, 3)],
    "Th": [turn(Z, 2), turn(DIAGONAL, 3), -np.eye(3)],
    "Td": [ACROSS @ turn(Z, 4), turn(DIAGONAL, 3)],
    "O": [turn(Z, 4), turn(DIAGONAL, 3)],
    "Oh": [turn(Z, 4), turn(DIAGONAL, 3), -np.eye(3)],
}


def group_of(generators):
    """All products, as matrices."""
    elements = [np.eye(3)]
    for element in elements:
        for generator in generators:
            product = generator @ element
            if min(np.abs(product - other).max() for other in elements) > 1e-6:
                elements.append(product)
    return elements


@pytest.mark.parametrize("name", GENERATORS)
def test_every_group_is_found_on_the_images_of_three_points(name):
    elements = group_of(GENERATORS[name])
    # Orbits in general position: nothing else maps them onto themselves.
    points = np.array([[2.1, 0.7, 1.3], [3.9, 2.0, 0.6], [0.4, 1.1, 4.5]])
    if name == "C1":
        points = np.vstack([points, [-3, -2, -1]])
    positions = np.concatenate([points @ element.T for element in elements])
    labels = ["Cu", "Au", "Ag", "Pd"][: len(points)] * len(elements)
    found = find_symmetry(labels, positions)
    assert (found.point_group, len(found.rotations)) == (name, len(elements))


def test_what_is_left_of_a_group_at_the_edge_of_the_tolerance_is_a_group():
    # A corner pulled out: its mirrors fit, and so do, by far less, the other axes.
    square = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]], float) * 2
    square[0, 0] += 0.15
    for tolerance in np.linspace(0.02, 0.3, 15):
        found = find_operations(["Cu"] * 4, square, tolerance)
        rows = {tuple(o.permutation) for o in found}
        assert {tuple(np.array(p)[list(q)]) for p in rows for q in rows} == rows
        assert max(o.misfit_a for o in found) < tolerance
        assert len(found) in (4, 8, 16)


@pytest.mark.parametrize("name", ["Cu8", "Au20", "Cd9Se9", "Cd33Se33"])
def test_groups_agree_with_pymatgen(name, library):
    analyzer = pytest.importorskip("pymatgen.symmetry.analyzer")
    core = pytest.importorskip("pymatgen.core")
    structure = build_structures(library.cluster(name), Path(), library)[0]
    molecule_ = core.Molecule(list(structure.symbols), structure.positions)
    found = find_symmetry(structure.symbols, structure.xyz)
    pymatgen = analyzer.PointGroupAnalyzer(molecule_, tolerance=0.1)
    assert found.point_group == pymatgen.sch_symbol


def test_noise_is_averaged_over_the_group():
    atoms, rng = icosahedron("Cu", 3, 2.42), np.random.default_rng(5)
    noise = rng.normal(0, 0.01, atoms.positions.shape)
    noisy = atoms.positions + noise
    better = symmetrised(noisy, find_symmetry(["Cu"] * 55, noisy))
    # The twelve atoms around the centre are equally far from it again.
    radii = np.linalg.norm(better[1:13] - better.mean(axis=0), axis=1)
    assert np.ptp(radii) < 1e-6
    assert np.abs(noisy - better).std() < 1.2 * noise.std()


def test_a_molecule_without_symmetry():
    chiral = Atoms(
        ["C", "H", "F", "Cl", "Br"],
        positions=[
            [0, 0, 0],
            [0, 0, 1.1],
            [1.3, 0, -0.4],
            [-0.8, 1.5, -0.6],
            [-0.9, -1.6, -0.6],
        ],
    )
    assert find(chiral).point_group == "C1"


def test_moments_equal_by_accident_hide_no_axis():
    # With its core pair along [111] the cage is C3, but its moments of inertia differ
    # by only 1 %, which a loose tolerance takes for a spherical top.
    found = find(core_at_cage("Cd", "Se", bond_a=2.65))
    assert (found.point_group, len(found.permutations)) == ("C3", 3)


@pytest.mark.parametrize(("group", "atoms", "order"), SHAPES, ids=lambda v: str(v)[:20])
def test_operations_are_a_group_that_maps_the_atoms(group, atoms, order):
    found = find(atoms)
    centred = atoms.positions - atoms.get_center_of_mass()
    for permutation, rotation in zip(found.permutations, found.rotations, strict=True):
        assert np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-6
        moved = centred @ rotation.T
        # Axes come from atoms, ASE's coordinates have 1e-6 Å: 0.05 Å is far above.
        assert np.linalg.norm(moved - centred[permutation], axis=1).max() < 0.05
        assert (atoms.numbers[permutation] == atoms.numbers).all()
    rows = {tuple(p) for p in found.permutations}
    if len(rows) == order:  # planar molecules: the mirror plane moves no atom
        for p in found.permutations:
            for q in found.permutations:
                assert tuple(p[q]) in rows


@pytest.mark.parametrize(("group", "atoms", "order"), SHAPES, ids=lambda v: str(v)[:20])
def test_symmetry_number_counts_proper_rotations(group, atoms, order):
    proper = sum(np.linalg.det(r) > 0 for r in find(atoms).rotations)
    assert rotational_symmetry_number(group) == proper


@pytest.mark.parametrize(
    ("group", "number"),
    # Table 1 of Fernández-Ramos et al. 2007
    [
        ("C1", 1),
        ("Cs", 1),
        ("C2", 2),
        ("C2v", 2),
        ("C3v", 3),
        ("C*v", 1),
        ("D*h", 2),
        ("D2h", 4),
        ("D3h", 6),
        ("D5d", 10),
        ("D6h", 12),
        ("Td", 12),
        ("Oh", 24),
        ("Ih", 60),
        ("S6", 3),
        ("Kh", 1),
        ("C3h", 3),
    ],
)
def test_symmetry_numbers_of_the_table(group, number):
    assert rotational_symmetry_number(group) == number


@pytest.mark.parametrize(("group", "atoms", "order"), SHAPES, ids=lambda v: str(v)[:20])
def test_rotation_permutation_and_noise_change_nothing(group, atoms, order):
    rng = np.random.default_rng(7)
    turned = atoms[rng.permutation(len(atoms))]
    turned.positions = turned.positions @ Rotation.random(random_state=3).as_matrix().T
    turned.positions += rng.uniform(-0.01, 0.01, turned.positions.shape)
    found = find(turned)
    assert found.point_group == group
    assert len(found.permutations) == order


def test_an_atom_is_a_sphere():
    found = find(Atoms("Cu"))
    assert found.point_group == "Kh"
    assert found.permutations.tolist() == [[0]]


@pytest.mark.parametrize(("name", "group"), [("N2", "D*h"), ("CO", "C*v")])
def test_linear_molecules(name, group):
    assert find(molecule(name)).point_group == group


def images_of(atoms, indices, tolerance=5e-4):
    return find_images(
        atoms.get_chemical_symbols(), atoms.positions, indices, tolerance
    )


@pytest.mark.parametrize(
    ("name", "n_sources"),
    [
        ("H2", 1),
        ("CH4", 2),
        ("C2H4", 2),
        ("C6H6", 2),
        ("NH3", 2),
        ("CO2", 2),
        ("CH3OH", 5),
        ("HCOOH", 5),
        ("CO", 2),
    ],
)
def test_images_are_where_their_operation_puts_them(name, n_sources):
    atoms = molecule(name)
    atoms.positions = atoms.positions @ Rotation.random(random_state=5).as_matrix().T
    atoms.positions += [1.0, -2.0, 0.5]
    images = images_of(atoms, range(len(atoms)))
    assert len(atoms) - len(images) == n_sources
    centred = atoms.positions - atoms.positions.mean(axis=0)
    for atom, image in images.items():
        assert image.source not in images
        assert image.permutation[image.source] == atom
        unit = image.rotation @ image.rotation.T
        assert unit == pytest.approx(np.eye(3), abs=1e-12)
        moved = centred @ image.rotation.T
        # As ASE has the coordinates.
        assert np.abs(moved - centred[image.permutation]).max() < 1e-4
        assert (atoms.numbers[image.permutation] == atoms.numbers).all()


@pytest.mark.parametrize("off", [0.002, 0.01, 0.04])
def test_what_is_nearly_symmetric_has_no_images(off):
    # Found loosely, as sites are, the group is still there.
    water = molecule("H2O")
    water.positions[1, 1] += off
    assert find(water, 0.1).point_group == "C2v"
    assert images_of(water, range(3)) == {}


def test_images_stay_among_the_atoms_asked_for():
    methane = molecule("CH4")
    assert len(images_of(methane, [1, 2, 3, 4])) == 3
    # Three of four: the axis through the fourth.
    assert len(images_of(methane, [1, 2, 3])) == 2
    assert images_of(methane, [1]) == {}
    assert images_of(methane, [0, 1]) == {}
