"""Hessians from central differences of forces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from clusterflow.core.topology import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialHessian:
    """Hessian over some atoms, symmetrised, and how asymmetric it was.

    hessian : eV/Å², shape (3 n, 3 n)
    """

    hessian: FloatArray
    asymmetry_ev_per_a2: float
    fmax_ev_per_a: float


def partial_hessian(
    atoms: Atoms, calculator: Calculator, indices: Sequence[int], displacement_a: float
) -> PartialHessian:
    """The Hessian over the atoms in `indices`; all others stay where they are.

    Raises
    ------
    ase.calculators.calculator.CalculationFailed
        If a displaced geometry does not converge.
    """
    moving = list(indices)
    probe = atoms.copy()
    probe.calc = calculator
    reference = probe.positions.copy()
    fmax = float(np.linalg.norm(probe.get_forces()[moving], axis=1).max())
    rows = []
    for atom in moving:
        for axis in range(3):
            forces = []
            for sign in (1, -1):
                probe.positions = reference
                probe.positions[atom, axis] += sign * displacement_a
                forces.append(probe.get_forces()[moving].ravel())
            rows.append((forces[1] - forces[0]) / (2 * displacement_a))
    raw = np.array(rows)
    return PartialHessian(
        hessian=(raw + raw.T) / 2,
        asymmetry_ev_per_a2=float(np.abs(raw - raw.T).max()),
        fmax_ev_per_a=fmax,
    )
