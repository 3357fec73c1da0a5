"""Closed cages of squares and hexagons: graphs, counted by spirals, and coordinates.

A cage of n pairs has 2n corners of three edges each, n + 2 faces, six of them squares.
All its rings are even, so that two kinds of atoms can take turns.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.science.geometry.bonds import FloatArray

# The search tries C(n + 1, 5) spirals: 20,349 for 20 pairs, in 3 s.
_LARGEST_SEARCHED = 20
# Corners that are not bonded push each other away up to this many bonds, so that faces
# bulge outward; the push is soft beside that of a bond.
_APART = 3.0
_STIFFNESS = 0.01
# Largest difference between two edges, and least gap from an edge to a diagonal, bonds.
_UNEVEN = 0.2
# Smooth modes from which three are chosen.
_MODES = 6


def cage_graph(squares: Iterable[int], n: int) -> nx.Graph | None:
    """The cage of `n` pairs whose faces wind up in a spiral; None if it does not close.

    Parameters
    ----------
    squares
        Positions of the six squares among the n + 2 faces, counted from 1.
    n
        Pairs of corners.

    References
    ----------
    P. W. Fowler and D. E. Manolopoulos, An Atlas of Fullerenes (1995), chapter 2.

    Examples
    --------
    >>> cube = cage_graph(range(1, 7), 4)
    >>> nx.is_isomorphic(cube, nx.hypercube_graph(3))
    True
    """
    chosen = set(squares)
    faces = _wind_up_faces([4 if k in chosen else 6 for k in range(1, n + 3)])
    return None if faces is None else _make_corner_graph(faces)


@cache
def cages(n: int) -> tuple[tuple[tuple[int, ...], nx.Graph], ...]:
    """All cages of `n` pairs with their first spirals, mirror images as one.

    Those with the fewest edges between squares come first
    (10.1039/ft9969202197); among equals the first spiral decides.

    Raises
    ------
    ValueError
        Where there is none, or too many spirals to try.
    """
    if n > _LARGEST_SEARCHED:
        raise ValueError(
            f"cages of {n} pairs are not searched (up to {_LARGEST_SEARCHED}); "
            "give `squares`, the places of the six squares in the spiral of faces"
        )
    found: list[tuple[tuple[int, ...], nx.Graph]] = []
    # Every cage that was ever tried has a spiral that begins with a square.
    for rest in combinations(range(2, n + 3), 5):
        squares = (1, *rest)
        graph = cage_graph(squares, n)
        if graph is not None and not any(
            nx.is_isomorphic(graph, known) for _, known in found
        ):
            found.append((squares, graph))
    if not found:
        raise ValueError(f"there is no cage of squares and hexagons with {n} pairs")
    return tuple(
        sorted(found, key=lambda item: (_count_fused_squares(item[1]), item[0]))
    )


def cage_positions(graph: nx.Graph, bond_a: float) -> FloatArray:
    """Corners of a cage with edges of `bond_a` in the mean, Å, shape (2 n, 3), centred.

    Three smooth modes of the graph are put on a sphere and relaxed as springs. Of a
    long cage the smoothest three all run along it: then others are tried. A square
    lies along z, another across it along x.

    Raises
    ------
    ValueError
        If no choice gives even edges.
    """
    laplacian = nx.laplacian_matrix(graph, nodelist=sorted(graph)).toarray()
    modes = np.linalg.eigh(laplacian.astype(float))[1][:, 1 : 1 + _MODES]
    bonded = np.array(sorted(graph.edges))
    others = np.array(sorted(nx.complement(graph).edges))
    for chosen in combinations(range(modes.shape[1]), 3):
        positions = _relax_springs(modes[:, chosen], bonded, others)
        edges = _measure_gaps(positions, bonded)
        positions = (positions - positions.mean(axis=0)) / edges.mean()
        even = np.ptp(edges) < _UNEVEN
        if even and _measure_gaps(positions, others).min() > 1 + _UNEVEN:
            return _orient_cage(positions * bond_a, graph)
    raise ValueError("this cage has no even coordinates; give a file instead")


def two_colours(graph: nx.Graph) -> list[bool]:
    """Which corners are of the first kind, where two kinds take turns."""
    first = nx.bipartite.sets(graph)[0]
    return [corner in first for corner in sorted(graph)]


def _wind_up_faces(degrees: list[int]) -> nx.Graph | None:
    """Which faces meet when each is laid next to the last and to the oldest open one.

    The rim holds the faces with open edges, and how many; None if it closes too early.
    """
    faces = nx.Graph([(0, 1)])
    rim = deque([[0, degrees[0] - 1], [1, degrees[1] - 1]])
    for k, degree in enumerate(degrees[2:-1], start=2):
        n_touched = 0
        for end, drop in ((-1, rim.pop), (0, rim.popleft)):
            complete = True
            while complete:
                if not rim:
                    return None
                faces.add_edge(k, rim[end][0])
                n_touched += 1
                rim[end][1] -= 1
                complete = rim[end][1] == 0
                if complete:
                    drop()
        if n_touched >= degree or faces.degree[k] != n_touched:
            return None
        rim.append([k, degree - n_touched])
    if len(rim) != degrees[-1] or any(left != 1 for _, left in rim):
        return None
    faces.add_edges_from((len(degrees) - 1, face) for face, _ in rim)
    return faces


def _make_corner_graph(faces: nx.Graph) -> nx.Graph | None:
    """The graph of corners: one for each three faces that meet."""
    planar, embedding = nx.check_planarity(faces)
    if not planar:
        return None
    corner_left_of: dict[tuple[int, int], int] = {}
    n_corners = 0
    for u, v in embedding.edges:
        if (u, v) in corner_left_of:
            continue
        around = embedding.traverse_face(u, v)
        for a, b in zip(around, [*around[1:], around[0]], strict=True):
            corner_left_of[a, b] = n_corners
        n_corners += 1
    graph = nx.Graph(
        (corner_left_of[u, v], corner_left_of[v, u]) for u, v in faces.edges
    )
    three = all(degree == 3 for _, degree in graph.degree)
    return graph if three and nx.is_bipartite(graph) else None


def _count_fused_squares(graph: nx.Graph) -> int:
    """Edges between two squares."""
    squares = [frozenset(c) for c in nx.simple_cycles(graph, 4)]
    return sum(len(a & b) == 2 for a, b in combinations(squares, 2))


def _relax_springs(
    start: FloatArray, bonded: np.ndarray, others: np.ndarray
) -> FloatArray:
    from scipy.optimize import minimize

    sphere = start / np.linalg.norm(start, axis=1, keepdims=True)
    found = minimize(
        _evaluate_springs,
        (sphere / _measure_gaps(sphere, bonded).mean()).ravel(),
        args=(bonded, others),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 2000},
    )
    return np.asarray(found.x).reshape(-1, 3)


def _orient_cage(positions: FloatArray, graph: nx.Graph) -> FloatArray:
    """Turned and mirrored so that the choice among degenerate modes does not show."""
    faces = sorted(sorted(cycle) for cycle in nx.simple_cycles(graph, 4))
    centres = np.array([positions[face].mean(axis=0) for face in faces])
    z = centres[0] / np.linalg.norm(centres[0])
    across = np.cross(z, centres)
    # Rounding must not choose among squares that are equally far off.
    y = across[np.linalg.norm(across, axis=1).round(6).argmax()]
    y /= np.linalg.norm(y)
    turned = positions @ np.stack([np.cross(y, z), y, z], axis=1)
    around = turned[sorted(graph[0])]
    return np.asarray(turned * (1, np.sign(np.linalg.det(around)), 1))


def _measure_gaps(positions: FloatArray, pairs: np.ndarray) -> FloatArray:
    return np.asarray(
        np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1)
    )


def _evaluate_springs(
    flat: FloatArray, bonded: np.ndarray, others: np.ndarray
) -> tuple[float, FloatArray]:
    """Energy of springs of unit length that push others away, and its gradient."""
    positions = flat.reshape(-1, 3)
    gradient = np.zeros_like(positions)
    energy = 0.0
    for pairs, length, stiffness in ((bonded, 1.0, 1.0), (others, _APART, _STIFFNESS)):
        vectors = positions[pairs[:, 0]] - positions[pairs[:, 1]]
        # Modes of high symmetry may put two corners on one point.
        gaps = np.maximum(np.linalg.norm(vectors, axis=1), 1e-9)
        stretch = gaps - length
        if pairs is others:
            stretch = np.minimum(stretch, 0.0)
        energy += stiffness * float(stretch @ stretch)
        pull = (2 * stiffness * stretch / gaps)[:, None] * vectors
        np.add.at(gradient, pairs[:, 0], pull)
        np.subtract.at(gradient, pairs[:, 1], pull)
    return energy, gradient.ravel()
