"""Which atoms of a cluster are alike, and all distinct ways to choose some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from clusterflow.science.geometry.symmetry import find_operations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.geometry.bonds import FloatArray

HullPlace = Literal["vertex", "edge", "face", "core"]
# More distinct structures than anybody relaxes: a request beyond this is a mistake.
MOST_DISTINCT = 500
_PLACES: dict[int, HullPlace] = {0: "core", 1: "face", 2: "edge"}
# Normals of facets closer than this are one facet that rounding has bent.
_SAME_NORMAL = 0.02


def isometries(
    symbols: Sequence[str],
    positions: FloatArray,
    tolerance_a: float = 0.1,
    *,
    improper: bool = True,
) -> np.ndarray:
    """All permutations of atoms that a rotation of the whole brings about.

    Parameters
    ----------
    symbols
        What tells atoms apart: elements, or any labels.
    positions : Å, shape (n_atoms, 3)
    tolerance_a
        Distance within which an atom and an image of another count as one, Å.
    improper
        Whether reflections and inversions count too.

    Returns
    -------
    Shape (n_operations, n_atoms); atom i is sent to the i-th entry of a row.

    Examples
    --------
    >>> water = np.array([[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]])
    >>> isometries(["O", "H", "H"], water).tolist()
    [[0, 1, 2], [0, 2, 1]]
    """
    operations = find_operations(symbols, positions, tolerance_a)
    rows = [
        operation.permutation
        for operation in operations
        if improper or np.linalg.det(operation.rotation) > 0
    ]
    return np.unique(np.array(rows), axis=0)


def distinct_subsets(
    candidates: Sequence[int],
    count: int,
    permutations: np.ndarray,
    spread_over: FloatArray | None = None,
) -> list[tuple[int, ...]]:
    """All choices of `count` candidates that no permutation turns into another.

    Of each kind the first in the order of `candidates` stands for all. The complement
    is counted where that is shorter: the number of kinds is the same.

    Parameters
    ----------
    candidates
        Atoms to choose from.
    count
        So many are chosen.
    permutations : shape (n_operations, n_atoms)
    spread_over : Å, shape (n_atoms, 3)
        Positions of all atoms. With them not all choices are made where there are
        too many: one atom at a time is added to those that are most spread so far.

    Raises
    ------
    ValueError
        If there are fewer candidates than `count`, or too many distinct choices.

    Examples
    --------
    >>> turns = np.array([[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]])
    >>> distinct_subsets(range(4), 2, turns)
    [(0, 1), (0, 2)]
    """
    if count > len(candidates):
        raise ValueError(f"there are {len(candidates)} of them, {count} are wanted")
    place = {atom: k for k, atom in enumerate(candidates)}
    within = np.array(
        [
            [place[int(row[atom])] for atom in candidates]
            for row in permutations
            if all(int(row[atom]) in place for atom in candidates)
        ]
    )
    n = len(candidates)
    fewer = count if spread_over is not None else min(count, n - count)
    kinds: set[tuple[int, ...]] = {()}
    for _ in range(fewer):
        # Every choice is a smaller one of some kind and one more.
        kinds = {
            _find_first_image((*kind, k), within)
            for kind in kinds
            for k in range(n)
            if k not in kind
        }
        if len(kinds) > MOST_DISTINCT and spread_over is not None:
            own = spread_over[list(candidates)]
            kinds = {*most_spread(sorted(kinds), own)[:MOST_DISTINCT]}
        elif len(kinds) > MOST_DISTINCT:
            raise ValueError(
                f"there are more than {MOST_DISTINCT} distinct ways to choose {count} "
                f"of {n}; name fewer sites, or make the most spread with `choices`"
            )
    if fewer != count:
        kinds = {
            _find_first_image(tuple(set(range(n)) - set(kind)), within)
            for kind in kinds
        }
    return [tuple(candidates[k] for k in kind) for kind in sorted(kinds)]


def most_spread(
    subsets: Sequence[tuple[int, ...]], positions: FloatArray
) -> list[tuple[int, ...]]:
    """Choices in order of Σ 1/d over their pairs: atoms that lie far apart first.

    Parameters
    ----------
    subsets
        Choices of atoms; equal ones keep their order.
    positions : Å, shape (n_atoms, 3)

    Examples
    --------
    >>> chain = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 3]])
    >>> most_spread([(0, 1), (0, 2), (0, 3)], chain)
    [(0, 3), (0, 2), (0, 1)]
    """

    def crowding(subset: tuple[int, ...]) -> float:
        chosen = positions[list(subset)]
        gaps = np.linalg.norm(chosen[:, None] - chosen[None], axis=-1)
        pairs = gaps[np.triu_indices(len(subset), k=1)]
        # Rounding must not choose among ways that are equally spread.
        return float((1 / pairs).sum().round(6))

    return sorted(subsets, key=crowding)


def hull_places(positions: FloatArray, tolerance_a: float = 0.1) -> list[HullPlace]:
    """Where each atom lies on the convex hull of all: vertex, edge, face, or core.

    Parameters
    ----------
    positions : Å, shape (n_atoms, 3)
    tolerance_a
        How far from a facet an atom still counts as in it, Å.

    Raises
    ------
    ValueError
        If the atoms lie in a plane.
    """
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(positions)
    except (QhullError, ValueError):
        raise ValueError("a flat cluster has no vertices; leave sites out") from None
    facets = hull.equations
    near = np.abs(positions @ facets[:, :3].T + facets[:, 3]) < tolerance_a
    return [_classify_place(facets[row, :3]) for row in near]


def _classify_place(normals: FloatArray) -> HullPlace:
    """By the number of different facets that meet in an atom."""
    kept: list[FloatArray] = []
    for normal in normals:
        if all(normal @ other < 1 - _SAME_NORMAL for other in kept):
            kept.append(normal)
    return _PLACES.get(len(kept), "vertex")


def _find_first_image(subset: tuple[int, ...], within: np.ndarray) -> tuple[int, ...]:
    """The first of all images of a choice."""
    images = np.sort(within[:, list(subset)], axis=1)
    first = images[np.lexsort(images.T[::-1])[0]]
    return tuple(int(k) for k in first)
