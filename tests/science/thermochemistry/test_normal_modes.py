"""Wavenumbers against the analytic diatomic and ASE; rigid motions are taken out."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from ase.vibrations import VibrationsData
from scipy import constants

from clusterflow.science.thermochemistry.normal_modes import (
    normal_modes,
    project_out_motion,
)


def spring(positions, constant):
    """Hessian of a spring along the line of two atoms, eV/Å²."""
    unit = (positions[1] - positions[0]) / np.linalg.norm(positions[1] - positions[0])
    block = constant * np.outer(unit, unit)
    return np.block([[block, -block], [-block, block]])


def springs(atoms, constant=20.0):
    """Springs between all atoms: harmonic, and free to move as a whole."""
    n = len(atoms)
    hessian = np.zeros((3 * n, 3 * n))
    for i in range(n):
        for j in range(i):
            index = [*range(3 * i, 3 * i + 3), *range(3 * j, 3 * j + 3)]
            hessian[np.ix_(index, index)] += spring(atoms.positions[[i, j]], constant)
    return hessian


@pytest.mark.parametrize("masses", [(12.0, 15.995), (1.008, 1.008), (1.008, 34.97)])
def test_a_diatomic_has_the_wavenumber_of_its_reduced_mass(masses):
    positions = np.array([[0.1, -0.3, 0.2], [0.8, 0.5, 0.7]])
    force_constant = 118.0
    wavenumbers, modes = normal_modes(
        spring(positions, force_constant), np.array(masses)
    )
    reduced = masses[0] * masses[1] / sum(masses) * constants.atomic_mass
    angular = np.sqrt(force_constant * constants.e * 1e20 / reduced)
    expected = angular / (2 * np.pi * constants.c * 100)
    # Editions of CODATA differ by 1e-9.
    assert wavenumbers[-1] == pytest.approx(expected, rel=1e-8)
    # √ε of double precision, times the highest wavenumber.
    assert np.abs(wavenumbers[:-1]).max() < 1e-6 * expected
    # The centre of mass stays: displacements go as the inverse masses.
    first, second = modes[-1]
    assert first * masses[0] == pytest.approx(-second * masses[1], abs=1e-9)
    assert np.linalg.norm(modes[-1]) == pytest.approx(1.0, abs=1e-12)


def test_random_hessian_against_ase():
    atoms = molecule("CH3OH")
    rng = np.random.default_rng(2)
    raw = rng.normal(size=(18, 18))
    hessian = raw + raw.T
    wavenumbers, modes = normal_modes(hessian, atoms.get_masses())
    theirs = VibrationsData.from_2d(atoms, hessian)
    frequencies = theirs.get_frequencies()
    signed = np.sort(frequencies.real - frequencies.imag)
    # ASE has the constants of CODATA 2014, 1e-7 off.
    assert wavenumbers == pytest.approx(signed, rel=1e-6)
    assert (wavenumbers < 0).any()
    assert (np.diff(wavenumbers) >= 0).all()
    for ours, theirs_ in zip(modes, theirs.get_modes(), strict=True):
        overlap = abs((ours * theirs_).sum()) / np.linalg.norm(theirs_)
        assert overlap == pytest.approx(1.0, abs=1e-6)


def test_an_asymmetric_hessian_is_symmetrised():
    rng = np.random.default_rng(3)
    raw = rng.normal(size=(6, 6))
    masses = np.array([1.0, 16.0])
    ours, _ = normal_modes(raw, masses)
    mean, _ = normal_modes((raw + raw.T) / 2, masses)
    assert ours == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "motions"), [("H2O", 6), ("CH4", 6), ("CO2", 5), ("CO", 5), ("C2H2", 5)]
)
def test_rigid_motions_are_taken_out(name, motions):
    atoms = molecule(name)
    atoms.rotate(33, (1, 2, 3))
    atoms.translate([3, -2, 1])
    masses = atoms.get_masses()
    rng = np.random.default_rng(4)
    raw = rng.normal(size=(3 * len(atoms),) * 2)
    clean, found = project_out_motion(raw + raw.T, atoms.positions, masses)
    assert found == motions
    centred = atoms.positions - atoms.get_center_of_mass()
    for axis in np.eye(3):
        shift = np.tile(axis, len(atoms))
        turn = np.cross(axis, centred).ravel()
        # Random numbers of order 1, masses up to 16: rounding is below 1e-11.
        assert np.abs(clean @ shift).max() < 1e-11
        assert np.abs(clean @ turn).max() < 1e-11
    wavenumbers, _ = normal_modes(clean, masses)
    assert (np.abs(wavenumbers) < 1e-3).sum() == motions


@pytest.mark.parametrize("name", ["H2O", "CO2", "CH4"])
def test_vibrations_of_a_free_molecule_pass_the_projection(name):
    atoms = molecule(name)
    atoms.rotate(33, (1, 2, 3))
    hessian = springs(atoms)
    clean, _ = project_out_motion(hessian, atoms.positions, atoms.get_masses())
    assert np.abs(clean - hessian).max() < 1e-10


def test_a_nearly_linear_molecule_is_linear():
    # Bent by 0.001 Å, as a finished relaxation may leave it.
    positions = np.array([[0, 0, -1.16], [0.001, 0, 0], [0, 0, 1.16]])
    masses = np.array([16.0, 12.0, 16.0])
    _, motions = project_out_motion(np.eye(9), positions, masses)
    assert motions == 5
    positions[1, 0] = 0.3
    assert project_out_motion(np.eye(9), positions, masses)[1] == 6
