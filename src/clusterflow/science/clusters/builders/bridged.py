"""Metal cores bridged by ligands with two donors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.science.geometry.bonds import bond_graph, bond_lengths

if TYPE_CHECKING:
    from clusterflow.science.geometry.bonds import FloatArray

# Metal atoms of the octahedron are neighbours under a bridge rather than bonded; their
# distance in sums of covalent radii.
_EDGE = 1.1
# A ligand whose atoms lie so near to the line of its donors is straight, Å.
_STRAIGHT_A = 0.1


def bridged_octahedron(
    element: str, ligand: Atoms, bond_a: float | None = None
) -> Atoms:
    """Six metal atoms, each held by two S and one N of three of six ligands: M6L6, D3d.

    The octahedron is two triangles, one above the other. The first atom of a ligand
    bridges an edge of one triangle, the second holds the atom of the other triangle
    that is under this edge, as in [Cu6(dmpymt)6] (10.1039/DT9920002559). A flat ligand
    lies in the plane through that atom and the axis. `bond_a` is the edge of the
    octahedron, Å.
    """
    if len(ligand) < 3:
        raise ValueError("a ligand with two donors is needed, its first two atoms")
    edge = _EDGE * bond_lengths([element] * 2)[0, 1] if bond_a is None else bond_a
    radius, height = edge / np.sqrt(3), edge / np.sqrt(6)
    angles = np.radians(60 * np.arange(6))
    heights = np.where(np.arange(6) % 2, height, -height)
    corners = np.stack([radius * np.cos(angles), radius * np.sin(angles), heights], 1)
    paddle = _fit_paddle(element, ligand, corners)
    whole = Atoms([element] * 6, positions=corners)
    for k in range(6):
        piece = paddle.copy()
        piece.positions *= [1, 1, (-1) ** k]
        piece.rotate(60 * k, "z")
        whole += piece
    plain = Atoms(whole.symbols, positions=whole.positions)
    roles = ["core"] * 6 + ["ligand"] * (6 * len(ligand))
    plain.set_array("roles", np.array(roles))
    return plain


def _fit_paddle(element: str, ligand: Atoms, corners: FloatArray) -> Atoms:
    """The ligand in the xz plane that holds the lower corner on x and the edge above.

    Shifted and turned so that both donors have their bonds and the lone pair of the
    second points at its metal atom.
    """
    from scipy.optimize import least_squares

    first, second = ligand.symbols[:2]
    bonds = bond_lengths([element, first, second])[0, 1:]
    flat, lone_pair = _flatten_ligand(ligand)

    def misfit(where: FloatArray) -> FloatArray:
        placed = _move_points(flat, where)
        to_corner = corners[0] - placed[1]
        aim = _move_points(
            np.vstack([np.zeros(3), lone_pair]), np.array([0, 0, where[2]])
        )[1]
        sideways = np.cross(aim, to_corner)[1]
        gaps = [np.linalg.norm(corners[1] - placed[0]), np.linalg.norm(to_corner)]
        return np.array([*(gaps - bonds), sideways])

    # Sulfur out and above the edge, the rest of the ligand farther out.
    start = np.array([corners[0, 0] + 0.8, corners[1, 2] + 0.6, 0.0])
    outside = [corners[1, 0], corners[0, 2], -np.pi / 3]
    found = least_squares(misfit, start, bounds=(outside, [np.inf, np.inf, np.pi / 3]))
    if np.abs(found.fun).max() > 0.1:
        raise ValueError(f"the donors of the ligand reach no octahedron of {element}")
    return Atoms(ligand.symbols, positions=_move_points(flat, found.x))


def _flatten_ligand(ligand: Atoms) -> tuple[FloatArray, FloatArray]:
    """A ligand in the xz plane, its donors one below the other, and the lone pair.

    The first donor is the origin, the second below it, all else at larger x.
    """
    down = ligand.positions[1] - ligand.positions[0]
    down /= np.linalg.norm(down)
    out = (ligand.positions - ligand.positions[0]).mean(axis=0)
    out -= (out @ down) * down
    if np.linalg.norm(out) < _STRAIGHT_A:
        raise ValueError("a straight ligand has no two donors on one side")
    out /= np.linalg.norm(out)
    axes = np.stack([out, np.cross(down, out), -down], axis=1)
    flat = (ligand.positions - ligand.positions[0]) @ axes
    neighbours = list(bond_graph(list(ligand.symbols), flat)[1])
    return flat, np.asarray((flat[1] - flat[neighbours]).mean(axis=0) * [1, 0, 1])


def _move_points(points: FloatArray, where: FloatArray) -> FloatArray:
    """Points turned about y and shifted in the xz plane: x, z and the angle."""
    x, z, angle = where
    turn = np.array(
        [
            [np.cos(angle), 0, np.sin(angle)],
            [0, 1, 0],
            [-np.sin(angle), 0, np.cos(angle)],
        ]
    )
    return np.asarray(points @ turn.T + [x, 0, z])
