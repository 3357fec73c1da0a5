"""A guess of the Hessian from the geometry alone, so that relaxations start well.

Stretches, bends and torsions get force constants that fade with distance. What it saves
is measured together with the steps in
:mod:`clusterflow.science.relaxation.quasi_newton`.

References
----------
R. Lindh et al., Chem. Phys. Lett. 241, 423 (1995), doi:10.1016/0009-2614(95)00646-L
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.geometry.bonds import distances
from clusterflow.units import BOHR_A, HARTREE_EV

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.science.geometry.bonds import FloatArray

_STRETCH = 0.45 * HARTREE_EV / BOHR_A**2
_BEND = 0.15 * HARTREE_EV
_TORSION = 0.005 * HARTREE_EV
# Exponent (bohr⁻²) and reference distance (bohr) by the rows of the two elements; the
# third row stands for all below it.
_EXPONENT = np.array(
    [[1.0000, 0.3949, 0.3949], [0.3949, 0.2800, 0.2800], [0.3949, 0.2800, 0.2800]]
)
_REFERENCE = np.array([[1.35, 2.10, 2.53], [2.10, 2.87, 3.40], [2.53, 3.40, 3.40]])
# Internal coordinates weaker than this share of a full one are left out.
_NEGLIGIBLE = 1e-2
# Nothing is softer than this, eV/Å², so that a first step stays short.
_FLOOR = 0.5


def model_hessian(symbols: Sequence[str], positions: FloatArray) -> FloatArray:
    """A positive definite guess of the Hessian, eV/Å², shape (3 n, 3 n).

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n, 3)
    """
    positions = np.asarray(positions, dtype=float)
    strength = _compute_strengths(symbols, positions)
    hessian = _FLOOR * np.eye(positions.size)
    for atoms, constant, gradient in _list_coordinates(positions, strength):
        index = (3 * np.array(atoms)[:, None] + np.arange(3)).ravel()
        row = gradient.ravel()
        hessian[np.ix_(index, index)] += constant * np.outer(row, row)
    return hessian


def _compute_strengths(symbols: Sequence[str], positions: FloatArray) -> FloatArray:
    """Fading factor of each pair, shape (n, n)."""
    from ase.data import atomic_numbers

    row = np.array([_find_table_row(atomic_numbers[s]) for s in symbols])
    squared = (distances(positions) / BOHR_A) ** 2
    exponent = _EXPONENT[row[:, None], row[None, :]]
    reference = _REFERENCE[row[:, None], row[None, :]]
    strength = np.exp(exponent * (reference**2 - squared))
    np.fill_diagonal(strength, 0.0)
    return np.asarray(np.minimum(strength, 2.0))


def _find_table_row(atomic_number: int) -> int:
    return 0 if atomic_number <= 2 else 1 if atomic_number <= 10 else 2


def _list_coordinates(
    positions: FloatArray, strength: FloatArray
) -> Iterator[tuple[tuple[int, ...], float, FloatArray]]:
    """Each internal coordinate: its atoms, force constant and gradient by atom."""
    n = len(positions)
    near = [np.flatnonzero(strength[i] > _NEGLIGIBLE) for i in range(n)]
    for i, j in combinations(range(n), 2):
        if strength[i, j] > _NEGLIGIBLE / 10:
            yield (
                (i, j),
                _STRETCH * strength[i, j],
                _differentiate_stretch(positions, i, j),
            )
    for j in range(n):
        for i, k in combinations(near[j].tolist(), 2):
            weight = strength[i, j] * strength[j, k]
            if weight > _NEGLIGIBLE:
                gradient = _differentiate_bend(positions, i, j, k)
                if gradient is not None:
                    yield (i, j, k), _BEND * weight, gradient
    yield from _list_torsions(positions, strength, near)


def _list_torsions(
    positions: FloatArray, strength: FloatArray, near: Sequence[np.ndarray]
) -> Iterator[tuple[tuple[int, ...], float, FloatArray]]:
    for j, k in combinations(range(len(positions)), 2):
        if strength[j, k] <= _NEGLIGIBLE:
            continue
        for i in near[j].tolist():
            for m in near[k].tolist():
                weight = strength[i, j] * strength[j, k] * strength[k, m]
                if len({i, j, k, m}) == 4 and weight > _NEGLIGIBLE:
                    gradient = _differentiate_torsion(positions[[i, j, k, m]])
                    if gradient is not None:
                        yield (i, j, k, m), _TORSION * weight, gradient


def _differentiate_stretch(positions: FloatArray, i: int, j: int) -> FloatArray:
    unit = positions[i] - positions[j]
    unit = unit / np.linalg.norm(unit)
    return np.array([unit, -unit])


def _differentiate_bend(
    positions: FloatArray, i: int, j: int, k: int
) -> FloatArray | None:
    """Gradient of the angle i-j-k; None where it is nearly straight."""
    u, v = positions[i] - positions[j], positions[k] - positions[j]
    p, q = float(np.linalg.norm(u)), float(np.linalg.norm(v))
    u, v = u / p, v / q
    cosine = float(u @ v)
    sine = np.sqrt(max(1 - cosine**2, 0.0))
    if sine < 0.1:
        return None
    first = (cosine * u - v) / (p * sine)
    last = (cosine * v - u) / (q * sine)
    return np.array([first, -first - last, last])


def _differentiate_torsion(four: FloatArray) -> FloatArray | None:
    """Gradient of a dihedral angle; None where an angle in it is nearly straight."""
    a, b, c = four[0] - four[1], four[2] - four[1], four[3] - four[2]
    m, n = np.cross(a, b), np.cross(c, b)
    length = float(np.linalg.norm(b))
    mm, nn = float(m @ m), float(n @ n)
    if mm < 0.1 * length**2 * (a @ a) or nn < 0.1 * length**2 * (c @ c):
        return None
    first = length * m / mm
    last = -length * n / nn
    s = float(a @ b) / length**2
    t = float(c @ b) / length**2
    second = (s - 1) * first + t * last
    return np.array([first, second, -(first + second + last), last])
