"""Metal clusters under staples of thiolates, and metal cores of copper hydrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.science.clusters.builders.metal import nearest_a
from clusterflow.science.clusters.builders.staples import Staple, staple_kernel

if TYPE_CHECKING:
    from clusterflow.science.geometry.bonds import FloatArray

_GOLDEN = (1 + np.sqrt(5)) / 2


def stapled_icosahedron(
    element: str, ligand: Atoms, bond_a: float | None = None, centre: str | None = None
) -> Atoms:
    """A centred icosahedron under six staples SR-M-SR-M-SR: M25(SR)18.

    The frame of metal and donors has the symmetry Th: each staple lies over one edge
    and in the mirror plane across it (10.1021/ja800561b, 10.1021/ja801173r). `bond_a`
    is the distance from the centre to a corner, Å. `centre` is the element of the
    centre, unless that of all others.
    """
    corners = _place_cubic_icosahedron() * nearest_a(element, bond_a)
    symbols = [centre or element, *[element] * 12]
    kernel = Atoms(symbols, positions=np.vstack([np.zeros(3), corners]))
    # Each pair of corners lies on the two sides of an edge, which the staple crosses.
    staples = [
        Staple(first=k, last=k + 1, n_metals=2, centre=np.zeros(3))
        for k in range(1, 13, 2)
    ]
    return staple_kernel(kernel, staples, element, ligand)


def stapled_biicosahedron(
    element: str, ligand: Atoms, bond_a: float | None = None
) -> Atoms:
    """Two centred icosahedra that share a face, under nine staples: M38(SR)24.

    Three staples with two metal atoms turn around each end, like a propeller, and
    three with one metal atom join the halves: D3 (10.1021/ja103592z,
    10.1021/ja102934q). One hand is built; mirror images have the same energy.
    """
    kernel = _make_biicosahedron(element, nearest_a(element, bond_a))
    staples = []
    for end, turn in ((0, 1), (3, -1)):
        for k in range(3):
            first, last = 2 + 3 * end + k, 2 + 3 * (end + 2) + (k + turn) % 3
            centre = kernel.positions[end // 3]
            staples.append(Staple(first=first, last=last, n_metals=2, centre=centre))
    for k in range(3):
        middle = kernel.positions[:2].mean(axis=0)
        staples.append(Staple(first=5 + k, last=14 + k, n_metals=1, centre=middle))
    return staple_kernel(kernel, staples, element, ligand)


def icosahedron_with_triangles(
    element: str, bond_a: float | None = None, twist_deg: float = 60.0
) -> Atoms:
    """A centred icosahedron with a triangle on each of four faces: M25, symmetry T.

    The faces are those that share no corner, in a tetrahedron around the centre, as in
    [Cu25H22(PPh3)12]⁺ (10.1021/jacs.5b07574). With `twist_deg` 0 the atoms of a
    triangle stand above corners, with 60 above edges.
    """
    length = nearest_a(element, bond_a)
    positions = np.vstack([np.zeros(3), _place_cubic_icosahedron() * length])
    outer = []
    for axis in np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]):
        normal = axis / np.sqrt(3)
        face = positions[1:][positions[1:] @ normal > 0.7 * length]
        flat = _turn_points(face - (face @ normal)[:, None] * normal, normal, twist_deg)
        outer.append(
            flat + _find_least_height(positions, flat, normal, length) * normal
        )
    positions = np.vstack([positions, *outer])
    return Atoms([element] * 25, positions=positions)


def _place_cubic_icosahedron() -> FloatArray:
    """Corners at distance 1, edges across the Cartesian axes, shape (12, 3).

    Two and two are images of each other by the reflection of one coordinate φ.
    """
    corners = [
        np.roll((0.0, one, two * _GOLDEN), shift)
        for shift in range(3)
        for one in (1, -1)
        for two in (1, -1)
    ]
    return np.asarray(np.array(corners) / np.sqrt(1 + _GOLDEN**2))


def _make_biicosahedron(element: str, bond_a: float) -> Atoms:
    """Two centres, then layers 1 to 3, 1' to 3' (1' farthest from 1) and the shared."""
    edge = bond_a * 2 / np.sqrt(1 + _GOLDEN**2)
    narrow, wide = edge / np.sqrt(3), edge * _GOLDEN / np.sqrt(3)
    # Heights of the layers of an icosahedron that stands on a face.
    far = _GOLDEN**2 * edge / np.sqrt(12)
    near = far - edge / np.sqrt(3)
    half = [
        _place_triangle(narrow, 0, 2 * far),
        _place_triangle(wide, 60, far + near),
        _place_triangle(wide, 0, far - near),
    ]
    mirror = np.array([1, 1, -1])
    centre = np.array([[0, 0, far]])
    layers = [centre, centre * mirror, *half, *(layer * mirror for layer in half)]
    layers.append(_place_triangle(narrow, 60, 0.0))
    return Atoms([element] * 23, positions=np.vstack(layers))


def _place_triangle(radius_a: float, angle_deg: float, height_a: float) -> FloatArray:
    angles = np.radians(angle_deg + 120 * np.arange(3))
    x, y = radius_a * np.cos(angles), radius_a * np.sin(angles)
    return np.stack([x, y, np.full(3, height_a)], axis=1)


def _turn_points(
    points: FloatArray, normal: FloatArray, angle_deg: float
) -> FloatArray:
    """Points in the plane through the origin turned about its normal."""
    angle = np.radians(angle_deg)
    return np.asarray(points * np.cos(angle) + np.cross(normal, points) * np.sin(angle))


def _find_least_height(
    positions: FloatArray, flat: FloatArray, normal: FloatArray, bond_a: float
) -> float:
    """Least height of points along a normal at which none is nearer than a bond."""
    heights = positions @ normal
    lateral = positions - heights[:, None] * normal
    gaps = np.linalg.norm(flat[:, None] - lateral[None], axis=-1)
    near = gaps < bond_a
    lift = np.sqrt(np.where(near, bond_a**2 - gaps**2, 0.0))
    return float(np.where(near, heights + lift, -np.inf).max())
