"""Clusters of one metal, and small ones of two: magic shapes and flat ones.

Every `bond_a` may be left out: it is then the nearest distance in the metal's crystal,
by the lattice constants of :data:`ase.data.reference_states`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.geometry.bonds import FloatArray


def icosahedron(element: str, shells: int, bond_a: float | None = None) -> Atoms:
    """A Mackay icosahedron: 13, 55, 147 ... atoms for 2, 3, 4 shells.

    `bond_a` is the distance from the centre to a neighbour, Å.
    """
    from ase.cluster import Icosahedron

    return _strip_and_centre(
        Icosahedron(
            element, shells, latticeconstant=_compute_fcc_constant(element, bond_a)
        )
    )


def octahedron(
    element: str, length: int, cutoff: int, bond_a: float | None = None
) -> Atoms:
    """An fcc octahedron with cut corners; (4, 1) is the truncated one of 38 atoms."""
    from ase.cluster import Octahedron

    lattice = _compute_fcc_constant(element, bond_a)
    return _strip_and_centre(
        Octahedron(element, length, cutoff, latticeconstant=lattice)
    )


def cuboctahedron(element: str, shells: int, bond_a: float | None = None) -> Atoms:
    """An fcc cuboctahedron: 13, 55, 147 ... atoms for 2, 3, 4 shells."""
    return octahedron(element, 2 * shells - 1, shells - 1, bond_a)


def decahedron(
    element: str, p: int, q: int, r: int = 0, bond_a: float | None = None
) -> Atoms:
    """A decahedron: Marks' with notches `r` deep, Ino's without, pentagonal for q = 1.

    `p` and `q` are atoms on the edges of a (100) face across and along the axis.
    """
    from ase.cluster import Decahedron

    lattice = _compute_fcc_constant(element, bond_a)
    return _strip_and_centre(Decahedron(element, p, q, r, latticeconstant=lattice))


def wulff(
    element: str,
    *,
    surfaces: Sequence[Sequence[int]],
    energies: Sequence[float],
    size: int,
    structure: str = "fcc",
    bond_a: float | None = None,
) -> Atoms:
    """The shape nearest to `size` atoms that Wulff's rule gives to a crystal.

    `energies` of the `surfaces` count only by their ratios.
    """
    from ase.cluster import wulff_construction

    bond = nearest_a(element, bond_a)
    lattice = {"fcc": np.sqrt(2), "bcc": 2 / np.sqrt(3), "sc": 1.0}
    if structure not in lattice:
        raise ValueError(f"structure {structure!r}: choose from {', '.join(lattice)}")
    atoms = wulff_construction(
        element,
        [tuple(surface) for surface in surfaces],
        list(energies),
        size,
        structure,
        rounding="closest",
        latticeconstant=bond * lattice[structure],
    )
    return _strip_and_centre(atoms)


def tetrahedron(element: str, length: int, bond_a: float | None = None) -> Atoms:
    """An fcc tetrahedron with `length` atoms on an edge: 1, 4, 10, 20 ... atoms."""
    points = np.array(
        [
            (i, j, k)
            for i in range(length)
            for j in range(length - i)
            for k in range(length - i - j)
        ]
    )
    steps = np.array([(0, 1, 1), (1, 0, 1), (1, 1, 0)]) / np.sqrt(2)
    return _strip_and_centre(
        Atoms([element] * len(points), points @ steps * nearest_a(element, bond_a))
    )


def capped_tetrahedron(element: str, bond_a: float | None = None) -> Atoms:
    """A tetrahedron with an atom on each face: eight atoms, Td, all bonds equal."""
    inner = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / np.sqrt(8)
    # A regular tetrahedron stands on each face: the cap is the fourth corner's image.
    outer = -inner * 5 / 3
    positions = np.vstack([inner, outer]) * nearest_a(element, bond_a)
    return Atoms([element] * 8, positions=positions)


def bipyramid(element: str, n: int, bond_a: float | None = None) -> Atoms:
    """A ring of `n` = 3, 4 or 5 atoms with one above and one below, all bonds equal."""
    if n not in (3, 4, 5):
        raise ValueError(f"n = {n}: equal bonds allow rings of 3, 4 or 5 atoms")
    radius = 1 / (2 * np.sin(np.pi / n))
    angles = 2 * np.pi * np.arange(n) / n
    flat = np.stack([np.cos(angles), np.sin(angles), np.zeros(n)], axis=1) * radius
    height = np.sqrt(1 - radius**2)
    positions = np.vstack([flat, [(0, 0, height), (0, 0, -height)]])
    return Atoms([element] * (n + 2), positions * nearest_a(element, bond_a))


def rows(element: str, rows: Sequence[int], bond_a: float | None = None) -> Atoms:
    """A flat patch of the triangular lattice, row by row.

    Neighbouring rows differ by one atom: [2] is a dimer, [1, 2] a triangle, [2, 3] a
    trapezoid, [1, 2, 3] the triangle of six, [2, 3, 2] the centred hexagon.
    """
    if not rows or min(rows) < 1:
        raise ValueError(f"rows = {list(rows)}: give one atom or more in each")
    if any(abs(a - b) != 1 for a, b in pairwise(rows)):
        raise ValueError(f"rows = {list(rows)}: neighbours must differ by one atom")
    points = [
        (i - (n - 1) / 2, k * np.sqrt(3) / 2, 0.0)
        for k, n in enumerate(rows)
        for i in range(n)
    ]
    return Atoms([element] * len(points), np.array(points) * nearest_a(element, bond_a))


def rhombus(element: str, bond_a: float | None = None) -> Atoms:
    """Four atoms in a plane: two equilateral triangles that share an edge."""
    bond = nearest_a(element, bond_a)
    height = bond * np.sqrt(3) / 2
    half = bond / 2
    return Atoms(
        [element] * 4,
        positions=[(0, -half, 0), (0, half, 0), (height, 0, 0), (-height, 0, 0)],
    )


def dodecahedron(element: str, bond_a: float | None = None) -> Atoms:
    """The eight-atom snub disphenoid (D2d), the shape of small metal octamers.

    Coordinates follow from all 18 edges being equal; q is the root of
    2x³ + 11x² + 4x − 1 between 0 and 1.
    """
    q = next(
        x.real for x in np.roots([2, 11, 4, -1]) if abs(x.imag) < 1e-9 and x.real > 0
    )
    r, s = np.sqrt(q), np.sqrt((1 - q) / (2 * q))
    t = 2 * r * s
    corners = [(t, r, 0), (-t, r, 0), (0, -r, t), (0, -r, -t)]
    corners += [(1, -s, 0), (-1, -s, 0), (0, s, 1), (0, s, -1)]
    positions = np.array(corners) * nearest_a(element, bond_a) / 2
    return Atoms([element] * 8, positions=positions)


def centred_cube(
    centre: str, cube: str, caps: str, bond_a: float | None = None
) -> Atoms:
    """One atom in a cube of eight, with an atom on each face: M@M8@M6, 15 atoms.

    `bond_a` is the distance from the centre to a corner; a cap is 1.15 times as far.
    """
    corners = np.array([(x, y, z) for x in (1, -1) for y in (1, -1) for z in (1, -1)])
    faces = np.array([(s * x, s * y, s * z) for s in (1, -1) for x, y, z in np.eye(3)])
    # Twice the cube's half edge: the rhombic dodecahedron, a cut of the bcc crystal.
    positions = np.vstack([np.zeros((1, 3)), corners, 2 * faces]) / np.sqrt(3)
    bond = nearest_a(centre, bond_a)
    return Atoms([centre, *[cube] * 8, *[caps] * 6], positions=positions * bond)


def nearest_a(element: str, bond_a: float | None) -> float:
    """Nearest distance in the crystal of an element, Å, unless a length is given."""
    from ase.data import atomic_numbers, reference_states

    if bond_a is not None:
        return bond_a
    crystal = reference_states[atomic_numbers[element]] or {}
    shorter = {"fcc": np.sqrt(0.5), "bcc": np.sqrt(0.75), "hcp": 1.0}
    if crystal.get("symmetry") not in shorter:
        raise ValueError(f"no simple crystal of {element} gives a length: add bond_a")
    return float(crystal["a"] * shorter[crystal["symmetry"]])


def _compute_fcc_constant(element: str, bond_a: float | None) -> float:
    return float(nearest_a(element, bond_a) * np.sqrt(2))


def _strip_and_centre(atoms: Atoms) -> Atoms:
    """Symbols and positions alone, centred."""
    positions: FloatArray = atoms.positions
    return Atoms(atoms.symbols, positions=positions - positions.mean(axis=0))
