"""The guess of the Hessian: its gradients by differences, its symmetries exactly."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from scipy.spatial.transform import Rotation

from clusterflow.science.clusters.builders.metal import icosahedron
from clusterflow.science.relaxation import model_hessian as module
from clusterflow.science.relaxation.model_hessian import model_hessian

STEP = 1e-4  # Å


def numerical(value, positions):
    """Central differences of a coordinate, shape (n, 3)."""
    gradient = np.zeros_like(positions)
    for index in np.ndindex(positions.shape):
        ends = []
        for sign in (1, -1):
            moved = positions.copy()
            moved[index] += sign * STEP
            ends.append(value(Atoms(f"H{len(moved)}", positions=moved)))
        difference = ends[0] - ends[1]
        gradient[index] = difference / (2 * STEP)
    return gradient


@pytest.fixture(params=[1, 2, 3])
def four(request):
    """Four atoms in a zigzag without any symmetry, about 1.5 Å apart."""
    chain = np.array([[0, 0, 0], [1.4, 0, 0], [1.9, 1.4, 0], [3.2, 1.6, 0.9]])
    return chain + np.random.default_rng(request.param).uniform(-0.3, 0.3, (4, 3))


# The error of the differences is h²/6 times a third derivative of order 1/Å³: 1e-8.
CLOSE = {"abs": 1e-7}


def test_stretch(four):
    expected = numerical(lambda a: a.get_distance(0, 1), four[:2])
    assert module._differentiate_stretch(four, 0, 1) == pytest.approx(expected, **CLOSE)


def test_bend(four):
    expected = numerical(lambda a: np.radians(a.get_angle(0, 1, 2)), four[:3])
    assert module._differentiate_bend(four, 0, 1, 2) == pytest.approx(expected, **CLOSE)


def test_torsion(four):
    expected = numerical(lambda a: np.radians(a.get_dihedral(0, 1, 2, 3)), four)
    found = module._differentiate_torsion(four)
    # Only the square of a coordinate enters, so its sign is free.
    sign = np.sign((found * expected).sum())
    assert sign * found == pytest.approx(expected, **CLOSE)


def test_straight_angles_have_no_bend_and_no_torsion():
    line = np.array([[0, 0, 0], [0, 0, 1.2], [0, 0, 2.4], [0, 1, 3.0]], dtype=float)
    assert module._differentiate_bend(line, 0, 1, 2) is None
    assert module._differentiate_torsion(line) is None


SYSTEMS = {
    "CH3OH": molecule("CH3OH"),
    "CO2": molecule("CO2"),
    "H2": molecule("H2"),
    "C6H6": molecule("C6H6"),
    "Cu13": icosahedron("Cu", 2, 2.42),
    "CdSe": Atoms(
        "CdSeCdSe", positions=[[0, 0, 0], [2.6, 0, 0], [2.6, 2.6, 0.3], [0, 2.6, 0]]
    ),
    "Cu": Atoms("Cu"),
}
ALL = pytest.mark.parametrize("name", SYSTEMS)


def hessian_of(atoms):
    return model_hessian(atoms.get_chemical_symbols(), atoms.positions)


@ALL
def test_symmetric_and_no_softer_than_the_floor(name):
    hessian = hessian_of(SYSTEMS[name])
    assert np.array_equal(hessian, hessian.T)
    lowest = np.linalg.eigvalsh(hessian)[0]
    # Rounding: ε times the largest eigenvalue (below 1e4) times the dimension.
    assert lowest == pytest.approx(module._FLOOR, abs=1e-9)


@ALL
def test_moving_as_a_whole_costs_only_the_floor(name):
    atoms = SYSTEMS[name]
    bare = hessian_of(atoms) - module._FLOOR * np.eye(3 * len(atoms))
    centred = atoms.positions - atoms.positions.mean(axis=0)
    for axis in np.eye(3):
        assert np.abs(bare @ np.tile(axis, len(atoms))).max() < 1e-9
        assert np.abs(bare @ np.cross(axis, centred).ravel()).max() < 1e-9


@ALL
def test_it_turns_with_the_molecule(name):
    atoms = SYSTEMS[name]
    turn = Rotation.random(random_state=5).as_matrix()
    turned = atoms.copy()
    turned.positions = atoms.positions @ turn.T + [1.0, 2.0, 3.0]
    every = np.kron(np.eye(len(atoms)), turn)
    assert hessian_of(turned) == pytest.approx(
        every @ hessian_of(atoms) @ every.T, abs=1e-8
    )


@ALL
def test_it_follows_the_order_of_the_atoms(name):
    atoms = SYSTEMS[name]
    order = np.random.default_rng(6).permutation(len(atoms))
    index = (3 * order[:, None] + np.arange(3)).ravel()
    expected = hessian_of(atoms)[np.ix_(index, index)]
    assert hessian_of(atoms[order]) == pytest.approx(expected, abs=1e-9)


def test_at_the_reference_distance_a_stretch_has_lindhs_constant():
    # 0.45 Eh/bohr² for two carbons 2.87 bohr apart; both atoms move: twice that.
    bohr, hartree = 0.529177210903, 27.211386245988
    hessian = model_hessian(["C", "C"], np.array([[0, 0, 0], [0, 0, 2.87 * bohr]]))
    stiffest = np.linalg.eigvalsh(hessian)[-1] - module._FLOOR
    assert stiffest == pytest.approx(2 * 0.45 * hartree / bohr**2, rel=1e-9)


def test_far_atoms_do_not_see_each_other():
    hessian = model_hessian(["C", "C"], np.array([[0, 0, 0], [0, 0, 20.0]]))
    assert np.array_equal(hessian, module._FLOOR * np.eye(6))
