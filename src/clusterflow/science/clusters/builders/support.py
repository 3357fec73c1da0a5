"""What clusters lie on or in: slabs with a periodic cell, and the node of a framework.

Geometries are ideal ones; a support is frozen, so they are what is computed.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

import ase.build
import numpy as np
from ase import Atoms

from clusterflow.formula import parse_formula
from clusterflow.science.clusters.ligand_truncation import hydrogen_cap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.geometry.bonds import FloatArray


def _check_lengths(**lengths_a: float | None) -> None:
    """Refuse lengths, Å, that are none."""
    for name, length in lengths_a.items():
        if length is not None and not 0 < length < np.inf:
            raise ValueError(f"{name} = {length}: must be more than 0 Å")


def fcc111(
    element: str,
    size: Sequence[int] = (4, 4, 2),
    vacuum_a: float = 8.0,
    lattice_a: float | None = None,
) -> Atoms:
    """Layers of an fcc metal with a close-packed surface; the cell is periodic."""
    _check_lengths(vacuum_a=vacuum_a, lattice_a=lattice_a)
    n, m, layers = size
    slab = ase.build.fcc111(
        element, size=(n, m, layers), a=lattice_a, vacuum=vacuum_a, orthogonal=False
    )
    slab.pbc = True
    return slab


def mx2(
    formula: str = "MoS2",
    size: Sequence[int] = (3, 3),
    vacuum_a: float = 8.0,
    lattice_a: float = 3.18,
    thickness_a: float = 3.19,
) -> Atoms:
    """One layer of a 2H dichalcogenide; the cell is periodic.

    Lattice constant and thickness are ASE's for MoS2 unless given.
    """
    _check_lengths(vacuum_a=vacuum_a, lattice_a=lattice_a, thickness_a=thickness_a)
    # ASE takes the first letters for the metal, whatever the numbers say.
    if list(parse_formula(formula).values()) != [1, 2]:
        raise ValueError(f"formula {formula!r}: give one metal and two X, as in MoS2")
    n, m = size
    layer = ase.build.mx2(
        formula, a=lattice_a, thickness=thickness_a, size=(n, m, 1), vacuum=vacuum_a
    )
    layer.pbc = True
    return layer


def zr6_node(
    edge_a: float = 3.47,
    oxide_a: float = 2.041,
    hydroxide_a: float = 2.272,
    carboxylate_a: float = 2.264,
) -> Atoms:
    """Zr6O4(OH)4 with a formate on each of its twelve edges, Td: C12H16O32Zr6.

    The node of 10.1021/ja8057953 with H in the place of the linkers. The lengths are
    those of its minimum with GFN1-xTB, to which these defaults are relaxed.

    Parameters
    ----------
    edge_a
        Zr-Zr distance, Å.
    oxide_a, hydroxide_a, carboxylate_a
        Zr-O distances to oxide, hydroxide and formate, Å.

    Raises
    ------
    ValueError
        If the lengths do not go together.
    """
    _check_lengths(edge_a=edge_a)
    corners = edge_a / np.sqrt(2) * np.vstack([np.eye(3), -np.eye(3)])
    node = Atoms("Zr6", positions=corners)
    for signs in product((1, -1), repeat=3):
        face = np.array(signs) / np.sqrt(3)
        is_oxide = np.prod(signs) > 0
        place = (
            _compute_cap_distance(edge_a, oxide_a if is_oxide else hydroxide_a) * face
        )
        node += Atoms("O", [place])
        if not is_oxide:
            node += Atoms("H", [hydrogen_cap("O", place, 2 * place).position])
    for one, other in combinations(corners, 2):
        if one @ other == 0:
            node += _place_formate(one, other, carboxylate_a)
    return node


def _compute_cap_distance(edge_a: float, bond_a: float) -> float:
    """Distance from the centre of an octahedron to what caps a face at a bond length.

    Raises
    ------
    ValueError
        If the bond does not reach.
    """
    to_face, across = edge_a / np.sqrt(6), edge_a / np.sqrt(3)
    if bond_a <= across:
        raise ValueError(f"a Zr-O bond of {bond_a} Å does not reach over a face")
    return float(to_face + np.sqrt(bond_a**2 - across**2))


# Bond length and O-O distance of a formate on the node with GFN1-xTB, Å.
_CO_A, _OO_A = 1.250, 2.243


def _place_formate(one: FloatArray, other: FloatArray, bond_a: float) -> Atoms:
    """A formate that bridges two corners, in their plane with the centre."""
    along = (other - one) / np.linalg.norm(other - one)
    out = (one + other) / np.linalg.norm(one + other)
    middle = (one + other) / 2
    slant = (np.linalg.norm(other - one) - _OO_A) / 2
    if bond_a <= abs(slant):
        raise ValueError(f"a Zr-O bond of {bond_a} Å does not reach a formate")
    rise = float(np.sqrt(bond_a**2 - slant**2))
    oxygens = [middle + rise * out + side * _OO_A / 2 * along for side in (-1, 1)]
    carbon = middle + (rise + np.sqrt(_CO_A**2 - (_OO_A / 2) ** 2)) * out
    hydrogen = hydrogen_cap("C", carbon, carbon + out).position
    return Atoms("OOCH", positions=[*oxygens, carbon, hydrogen])
