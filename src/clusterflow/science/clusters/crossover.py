"""How a genetic search makes a cluster of two others.

All lengths are in units of bond lengths, so that any elements can be mixed. What is
random comes from the generator that is handed in.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.clusters.random_moves import is_sane, remove_clashes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.geometry.bonds import FloatArray

_MAX_TRIES = 20


def cut_and_splice(
    symbols: Sequence[str],
    mother: FloatArray,
    father: FloatArray,
    rng: np.random.Generator,
) -> FloatArray | None:
    """The top of one cluster on the bottom of another, without clashes.

    Both are turned at random about their centres and cut by a plane, the first where it
    gives a random number of atoms, the second where it gives the rest, element by
    element.

    Parameters
    ----------
    symbols
        Element of each atom, of all three clusters.
    mother, father : Å, shape (n_atoms, 3)
    rng
        What is random comes from here.

    Returns
    -------
    positions : Å, shape (n_atoms, 3), or None where no try gives one piece

    References
    ----------
    D. M. Deaven and K. M. Ho, Phys. Rev. Lett. 75, 288 (1995),
    doi:10.1103/PhysRevLett.75.288.
    """
    n = len(symbols)
    if n < 2:
        return None
    for _ in range(_MAX_TRIES):
        above, below = _turn_randomly(mother, rng), _turn_randomly(father, rng)
        top = np.argsort(-above[:, 2])[: rng.integers(1, n)]
        lacking = Counter(symbols) - Counter(symbols[i] for i in top)
        bottom = []
        for i in np.argsort(below[:, 2]):
            if lacking[symbols[i]]:
                lacking[symbols[i]] -= 1
                bottom.append(int(i))
        # The two cuts are put in one plane.
        gap = above[top, 2].min() - below[bottom, 2].max()
        spaced = below[bottom] + [0, 0, gap]
        child = _sort_by_element(
            symbols,
            [symbols[i] for i in (*top, *bottom)],
            np.vstack([above[top], spaced]),
        )
        child = remove_clashes(symbols, child)
        if is_sane(symbols, child):
            return np.asarray(child - child.mean(axis=0))
    return None


def _turn_randomly(positions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Positions about their centre, turned by a random rotation."""
    turn, scale = np.linalg.qr(rng.normal(size=(3, 3)))
    turn = turn * np.sign(np.diag(scale))
    if np.linalg.det(turn) < 0:
        turn[:, 0] *= -1
    return np.asarray((positions - positions.mean(axis=0)) @ turn.T)


def _sort_by_element(
    wanted: Sequence[str], found: Sequence[str], positions: FloatArray
) -> FloatArray:
    """Positions of atoms in the order in which their elements are wanted."""
    places = np.empty_like(positions)
    for element in set(wanted):
        here = [i for i, one in enumerate(wanted) if one == element]
        places[here] = positions[[i for i, one in enumerate(found) if one == element]]
    return places
