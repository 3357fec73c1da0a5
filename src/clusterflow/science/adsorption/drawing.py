"""How a molecule is drawn as an adsorbate: on its binding atoms, the rest above.

What water adds is the rule of A. A. Peterson et al., Energy Environ. Sci. 3, 1311
(2010), doi:10.1039/c0ee00071j, for water on Pt(111).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.spatial.transform import Rotation

from clusterflow.science.adsorption.surface_bonds import VALENCE

if TYPE_CHECKING:
    from collections.abc import Collection

    import networkx as nx
    from numpy.typing import NDArray

    from clusterflow.library.adsorbates import SiteKind

    FloatArray = NDArray[np.float64]

# Atoms this far below the binding atom lie flat beside it: nothing is drawn there.
_FLAT_A: Final = 0.05
_N_DIRECTIONS: Final = 4000
_N_TURNS: Final = 720
# Of M-O-C, as in methanolates, against a straight line.
_TILT_DEGREES: Final = 55.0
_TILTED: Final = {"O", "S", "Se"}
# Two atoms of one molecule bind neighbours of a cluster, which are 2.3 to 3 Å apart.
_FARTHEST_PAIR_A: Final = 3.2
_LONE_PAIRS: Final = {"N", "O", "P", "S", "Se"}
# By how many bonds the binding atom lacks: a lone pair alone goes on top.
_SITES: Final[tuple[tuple[SiteKind, ...], ...]] = (
    ("top",),
    ("top", "bridge"),
    ("top", "bridge", "hollow3"),
    ("top", "bridge", "hollow3", "hollow4"),
)
# Of two atoms that bind together.
PAIR_SITES: Final[tuple[SiteKind, ...]] = ("bridge", "top")


def count_lacking_bonds(molecule: nx.Graph, atom: int) -> int:
    """How many neighbours an atom has less than its valence.

    >>> import networkx as nx
    >>> water = nx.Graph([(0, 1), (0, 2)])
    >>> nx.set_node_attributes(water, {0: "O", 1: "H", 2: "H"}, "element")
    >>> count_lacking_bonds(water, 0)
    0
    """
    valence = VALENCE.get(molecule.nodes[atom]["element"], 0)
    return max(0, valence - int(molecule.degree(atom)))


def list_usual_sites(molecule: nx.Graph, atom: int) -> tuple[SiteKind, ...]:
    """Kinds of site for an atom that binds alone."""
    return _SITES[min(count_lacking_bonds(molecule, atom), len(_SITES) - 1)]


def stand_on_atom(positions: FloatArray, molecule: nx.Graph, atom: int) -> FloatArray:
    """Positions with one atom at the origin and the others above it.

    Away from its bonds there is a lone pair or an electron to bind with; that of an
    oxygen with one neighbour stands off their line. Where an atom would be below, the
    direction in which all are highest is taken.

    Parameters
    ----------
    positions : Å, shape (n_atoms, 3)
    molecule
        Bonds; nodes carry ``element``.
    atom
        The one that binds.

    Raises
    ------
    ValueError
        If it is buried: atoms lie around it on all sides.
    """
    arms = positions - positions[atom]
    others = [i for i in range(len(arms)) if i != atom]
    if not others:
        return np.zeros((1, 3))
    units = arms[others] / np.linalg.norm(arms[others], axis=1)[:, None]
    near = [others.index(i) for i in molecule[atom]]
    up = units[near].sum(axis=0)
    if len(near) == 1 and molecule.nodes[atom]["element"] in _TILTED:
        up = _tilt(up, units)
    length = float(np.linalg.norm(up))
    if length < 0.1 or (arms[others] @ up / length).min() < -_FLAT_A:
        directions = _spread_directions()
        up = directions[(directions @ units.T).min(axis=1).argmax()]
    turned = _turn_up(arms, up)
    if turned[:, 2].min() < -_FLAT_A:
        raise ValueError("it is buried: atoms lie around it on all sides")
    # The atom nearest to the surface beside the foot along x, as the library draws it.
    first = int(np.argmax(np.linalg.norm(turned[:, :2], axis=1)))
    angle = np.arctan2(turned[first, 1], turned[first, 0])
    turned = Rotation.from_euler("z", -angle).apply(turned)
    return _lay_flat(turned)


def stand_on_pair(positions: FloatArray, pair: tuple[int, int]) -> FloatArray:
    """Positions with two atoms along x about the origin and the others above.

    Raises
    ------
    ValueError
        If they cannot both touch: other atoms lie on all sides of the line.
    """
    one, other = pair
    arms = positions - (positions[one] + positions[other]) / 2
    axis = arms[other] / np.linalg.norm(arms[other])
    along = Rotation.align_vectors([[1, 0, 0]], [axis])[0].apply(arms)
    turns = np.linspace(0, 2 * np.pi, _N_TURNS, endpoint=False)
    heights = np.outer(np.sin(turns), along[:, 1]) + np.outer(
        np.cos(turns), along[:, 2]
    )
    rest = [i for i in range(len(along)) if i not in pair]
    best = turns[heights[:, rest].min(axis=1).argmax()] if rest else 0.0
    turned = Rotation.from_euler("x", best).apply(along)
    if turned[:, 2].min() < -_FLAT_A:
        raise ValueError("they cannot both touch: atoms lie around them on all sides")
    return _lay_flat(turned)


def find_second_foot(
    positions: FloatArray, molecule: nx.Graph, atom: int
) -> int | None:
    """Another atom that may bind together with one; None if there is none."""
    elements = [molecule.nodes[i]["element"] for i in range(len(positions))]
    reach = np.linalg.norm(positions - positions[atom], axis=1)
    for i in np.argsort(reach, kind="stable"):
        index = int(i)
        may_bind = elements[index] in _LONE_PAIRS or (
            elements[index] != "H" and count_lacking_bonds(molecule, index) > 0
        )
        if index == atom or not may_bind or reach[index] > _FARTHEST_PAIR_A:
            continue
        try:
            stand_on_pair(positions, (atom, index))
        except ValueError:
            continue
        return index
    return None


def solvation_by_rule(
    molecule: nx.Graph, binding: Collection[int]
) -> tuple[float, str]:
    """What water adds, eV, by hydroxyls and carbonyls, and which of them there are.

    Parameters
    ----------
    molecule
        Bonds; nodes carry ``element``.
    binding
        The atoms that bind.
    """
    elements = {i: molecule.nodes[i]["element"] for i in molecule}
    value, found = 0.0, []
    for atom, element in elements.items():
        near = [elements[j] for j in molecule[atom]]
        if element == "O" and near.count("H") == 1:
            value += -0.5 if atom in binding else -0.25
            found.append(
                "hydroxyl on the surface"
                if atom in binding
                else "hydroxyl bound through the rest of the adsorbate"
            )
        if element == "C" and atom in binding:
            oxygens = [j for j in molecule[atom] if elements[j] == "O"]
            ends = [j for j in oxygens if molecule.degree(j) == 1 and j not in binding]
            if len(ends) == len(oxygens) == 1:
                value -= 0.1
                found.append("carbonyl bound by carbon")
    return value, ", ".join(found) or "no hydroxyl, no carbonyl bound by carbon"


def _spread_directions() -> FloatArray:
    """Unit vectors all over the sphere, on a Fibonacci spiral, shape (n, 3)."""
    ranks = np.arange(_N_DIRECTIONS) + 0.5
    polar = np.arccos(1 - 2 * ranks / _N_DIRECTIONS)
    azimuth = np.pi * (1 + 5**0.5) * ranks
    return np.stack(
        [
            np.cos(azimuth) * np.sin(polar),
            np.sin(azimuth) * np.sin(polar),
            np.cos(polar),
        ],
        axis=1,
    )


def _tilt(bond: FloatArray, units: FloatArray) -> FloatArray:
    """Of all directions at one angle to a bond, that in which all are highest."""
    across = np.cross(bond, np.eye(3)[np.abs(bond).argmin()])
    across /= np.linalg.norm(across)
    azimuths = np.linspace(0, 360, _N_TURNS, endpoint=False)
    lean = Rotation.from_rotvec(_TILT_DEGREES * across, degrees=True).apply(bond)
    around = Rotation.from_rotvec(np.outer(azimuths, bond), degrees=True).apply(lean)
    return np.asarray(around[(around @ units.T).min(axis=1).argmax()])


def _turn_up(arms: FloatArray, up: FloatArray) -> FloatArray:
    turn = Rotation.align_vectors([[0, 0, 1]], [up / np.linalg.norm(up)])[0]
    return np.asarray(turn.apply(arms))


def _lay_flat(positions: FloatArray) -> FloatArray:
    """What is below the surface by less than the tolerance, on it."""
    flat = positions.copy()
    flat[:, 2] = np.maximum(flat[:, 2], 0.0)
    return flat
