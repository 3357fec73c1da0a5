"""Hessians from central differences of forces, and a check of these forces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.geometry.symmetry import find_images
from clusterflow.science.thermochemistry.normal_modes import rows_of_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from clusterflow.science.geometry.bonds import FloatArray
    from clusterflow.science.geometry.symmetry import Image

# Step of the check of forces, Å: with GFN1 its own error is at most 0.0003 eV/Å, for
# a direction along a triple bond, and falls with the square of the step.
_CHECK_STEP_A = 0.001
# Where forces were wrong, with xtb-python on methanol in a coordinate plane, nine of
# ten random directions were off by 0.05 to 0.15 eV/Å; the seed's is one of the nine.
_LARGEST_FORCE_ERROR_EV_PER_A = 0.003
_SEED = 1
# With operations kept this well, molecules relaxed to 0.001 eV/Å have the wavenumbers
# of their full Hessian to 0.3 cm⁻¹; turning them moves these by 0.2, the step by 1.
_SYMMETRY_A = 5e-4
# Electrons may have less symmetry than the atoms; then forces differ by more than a
# stiff bond (40 eV/Å²) that is off by the length above.
_SYMMETRIC_FORCES_EV_PER_A = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialHessian:
    """Hessian over some atoms, symmetrised, and how asymmetric it was.

    hessian : eV/Å², shape (3 n, 3 n)
    energy_ev, fmax_ev_per_a : of the geometry as it stands; the largest force on one
        of the atoms.
    """

    hessian: FloatArray
    asymmetry_ev_per_a2: float
    energy_ev: float
    fmax_ev_per_a: float


def force_error(atoms: Atoms, calculator: Calculator, indices: Sequence[int]) -> float:
    """How far the force along one direction is from the slope of the energy, eV/Å.

    The direction is a random one of the atoms in `indices`, the same every time, of
    unit length; the slope is a central difference.

    Raises
    ------
    ase.calculators.calculator.CalculationFailed
        If a displaced geometry does not converge.
    """
    moving = list(indices)
    direction = np.zeros((len(atoms), 3))
    direction[moving] = np.random.default_rng(_SEED).normal(size=(len(moving), 3))
    direction /= np.linalg.norm(direction)
    probe = atoms.copy()
    probe.calc = calculator
    energies = []
    for sign in (1, -1):
        probe.positions = atoms.positions + sign * _CHECK_STEP_A * direction
        energies.append(float(probe.get_potential_energy()))
    # Last, so that the calculator still has it when the differences begin.
    probe.positions = atoms.positions
    force = float((probe.get_forces() * direction).sum())
    return abs(force + (energies[0] - energies[1]) / (2 * _CHECK_STEP_A))


def why_forces_are_wrong(error_ev_per_a: float) -> str:
    """The reason not to trust these forces; empty if they are right."""
    if error_ev_per_a < _LARGEST_FORCE_ERROR_EV_PER_A:
        return ""
    return (
        f"the forces are not the slope of the energy: off by {error_ev_per_a:.3f} eV/Å "
        f"along a random direction, {_LARGEST_FORCE_ERROR_EV_PER_A:g} allowed"
    )


def partial_hessian(
    atoms: Atoms, calculator: Calculator, indices: Sequence[int], displacement_a: float
) -> PartialHessian:
    """The Hessian over the atoms in `indices`; all others stay where they are.

    Of atoms that are images of one another by symmetry only one is displaced.

    Raises
    ------
    ase.calculators.calculator.CalculationFailed
        If a displaced geometry does not converge.
    """
    moving = list(indices)
    place = {atom: k for k, atom in enumerate(moving)}
    probe = atoms.copy()
    probe.calc = calculator
    forces = probe.get_forces()
    energy = float(probe.get_potential_energy())
    found = find_images(
        atoms.get_chemical_symbols(), atoms.positions, moving, _SYMMETRY_A
    )
    images = {
        atom: image for atom, image in found.items() if _is_symmetric(forces, image)
    }
    raw = np.empty((len(moving), 3, len(moving), 3))
    for atom in moving:
        if atom not in images:
            raw[place[atom]] = _compute_hessian_rows(
                atoms, probe, atom, moving, displacement_a
            )
    for atom, image in images.items():
        permutation = [place[int(image.permutation[k])] for k in moving]
        source = raw[place[image.source]]
        raw[place[atom]] = rows_of_image(source, permutation, image.rotation)
    square = raw.reshape(3 * len(moving), 3 * len(moving))
    return PartialHessian(
        hessian=(square + square.T) / 2,
        asymmetry_ev_per_a2=float(np.abs(square - square.T).max()),
        energy_ev=energy,
        fmax_ev_per_a=float(np.linalg.norm(forces[moving], axis=1).max()),
    )


def _is_symmetric(forces: FloatArray, image: Image) -> bool:
    """Whether the forces have the symmetry that the positions have."""
    gaps = forces @ image.rotation.T - forces[image.permutation]
    return float(np.abs(gaps).max()) < _SYMMETRIC_FORCES_EV_PER_A


def _compute_hessian_rows(
    atoms: Atoms, probe: Atoms, atom: int, moving: list[int], displacement_a: float
) -> FloatArray:
    """Rows of one atom by central differences, eV/Å², shape (3, n, 3)."""
    rows = []
    for axis in range(3):
        forces = []
        for sign in (1, -1):
            probe.positions = atoms.positions
            probe.positions[atom, axis] += sign * displacement_a
            forces.append(probe.get_forces()[moving])
        rows.append((forces[1] - forces[0]) / (2 * displacement_a))
    return np.array(rows)
