"""From a Hessian to wavenumbers.

They are those of :mod:`ase.vibrations` in the tests, whose import takes 1.1 s of CPU
time against 0.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.units import ATOMIC_MASS_KG, ELEMENTARY_CHARGE_C, EV_PER_WAVENUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records.vibrations import StationaryPoint
    from clusterflow.science.geometry.bonds import FloatArray

# √(eV / Å² / amu) as an energy quantum in cm⁻¹.
_HBAR_EV_S = 6.582119569e-16
_TO_CM1 = (
    _HBAR_EV_S
    * np.sqrt(ELEMENTARY_CHARGE_C / (ATOMIC_MASS_KG * 1e-20))
    / EV_PER_WAVENUMBER
)

# Below this the sign of a mode is noise of the differences and of the forces left;
# below the second it is a flat direction, and above it a way down.
NOISE_CM1 = 10.0
SOFT_CM1 = 50.0


def classify(imaginary_cm1: Sequence[float]) -> StationaryPoint:
    """What a geometry with these imaginary modes (as positive wavenumbers) is.

    Examples
    --------
    >>> classify([]), classify([3.6]), classify([3.6, 30.0]), classify([250.0])
    ('minimum', 'noise', 'soft', 'saddle')
    """
    worst = max(imaginary_cm1, default=0.0)
    if worst == 0:
        return "minimum"
    if worst < NOISE_CM1:
        return "noise"
    return "soft" if worst < SOFT_CM1 else "saddle"


def rows_of_image(
    rows: FloatArray, permutation: Sequence[int], rotation: FloatArray
) -> FloatArray:
    """Rows of the Hessian of an atom's image: H[p(i), p(j)] = R H[i, j] Rᵀ.

    Parameters
    ----------
    rows : eV/Å², shape (3, n_atoms, 3): derivatives of the atom with all others
    permutation
        Atom j is sent to permutation[j].
    rotation : shape (3, 3)

    Returns
    -------
    eV/Å², shape (3, n_atoms, 3)
    """
    image = np.empty_like(rows)
    image[:, permutation] = np.einsum("ac,cjd,bd->ajb", rotation, rows, rotation)
    return image


def normal_modes(hessian: FloatArray, masses_amu: FloatArray) -> tuple[FloatArray, ...]:
    """Signed wavenumbers (imaginary ones negative), ascending, and the modes.

    Parameters
    ----------
    hessian : eV/Å², shape (3 n_atoms, 3 n_atoms)
    masses_amu : shape (n_atoms,)

    Returns
    -------
    wavenumbers : cm⁻¹, shape (3 n_atoms,)
    modes : Cartesian displacements, unit length, shape (3 n_atoms, n_atoms, 3)
    """
    weights = np.repeat(1 / np.sqrt(masses_amu), 3)
    weighted = (hessian + hessian.T) / 2 * weights[:, None] * weights[None, :]
    values, vectors = np.linalg.eigh(weighted)
    wavenumbers = np.sign(values) * np.sqrt(np.abs(values)) * _TO_CM1
    modes = (vectors * weights[:, None]).T
    modes /= np.linalg.norm(modes, axis=1, keepdims=True)
    return wavenumbers, modes.reshape(len(values), -1, 3)


def project_out_motion(
    hessian: FloatArray, positions: FloatArray, masses_amu: FloatArray
) -> tuple[FloatArray, int]:
    """The Hessian without rigid motions, and how many of those there are.

    They are translations and rotations: 5 for a linear molecule, 6 else.
    """
    motions = _find_rigid_motions(positions, masses_amu)
    roots = np.repeat(np.sqrt(masses_amu), 3)
    projector = np.eye(len(hessian)) - motions @ motions.T
    weighted = hessian / roots[:, None] / roots[None, :]
    clean = projector @ weighted @ projector * roots[:, None] * roots[None, :]
    return clean, motions.shape[1]


def _find_rigid_motions(positions: FloatArray, masses_amu: FloatArray) -> FloatArray:
    """Orthonormal mass-weighted translations and rotations, shape (3 n_atoms, 3-6)."""
    roots = np.sqrt(masses_amu)[:, None]
    centred = positions - (masses_amu @ positions) / masses_amu.sum()
    columns = [(roots * axis).ravel() for axis in np.eye(3)]
    columns += [(roots * np.cross(axis, centred)).ravel() for axis in np.eye(3)]
    left, sizes, _ = np.linalg.svd(np.array(columns).T, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-3 * sizes.max()])
