"""Adsorption sites of finite clusters, by rolling a ball over the atoms.

A site is where a probe ball can rest on one, two, three or four atoms without touching
another. This needs no surface normal and no periodic cell, so it works for planar,
hollow and non-convex clusters alike.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.core.symmetry import find_symmetry
from clusterflow.core.topology import (
    NONMETALS,
    bond_graph,
    radii,
    squares,
    triangles,
)
from clusterflow.records import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import networkx as nx

    from clusterflow.core.topology import FloatArray
    from clusterflow.specs import SiteKind

# Directions on the sphere and around a bond; the spacing (about 11°) is finer than
# any opening a probe of 1 Å can enter between two atoms.
_N_SPHERE = 400
_N_CIRCLE = 72
# An opening of fewer directions (0.2 sr) is a slit that the lattice cannot resolve: it
# would come and go with the orientation of the cluster.
_FEWEST_DIRECTIONS = 6
# A ball that rests on some atoms may overlap others by this much, Å: rounding, and the
# thermal breathing of nearly equal distances.
_OVERLAP_A = 0.05
# Metal atoms of a II-VI cluster that share an anion and are closer than this, in sums
# of covalent radii, can be bridged though they are not bonded.
_BRIDGE_ACROSS_ANION = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """A place where the probe rests: on which atoms, and in which direction."""

    kind: SiteKind
    atoms: tuple[int, ...]
    position: FloatArray
    normal: FloatArray
    solid_angle_sr: float | None = None


def find_sites(
    symbols: Sequence[str],
    positions: FloatArray,
    *,
    roles: Sequence[str] | None = None,
    kinds: Sequence[SiteKind] = ("top", "bridge", "hollow3", "hollow4", "pair"),
    probe_radius_a: float = 1.0,
    tolerance_a: float = 0.1,
) -> tuple[str, list[Site]]:
    """The point group of a cluster and its symmetry-distinct sites.

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    roles
        Role of each atom; only ``core`` and ``hydride`` atoms carry sites, the others
        cast shadows. All atoms are core by default.
    kinds
        Kinds looked for.
    probe_radius_a
        Radius of the rolling ball, Å.
    tolerance_a
        Symmetry tolerance, Å.

    Examples
    --------
    >>> square = np.array([[0, 0, 0], [2.5, 0, 0], [2.5, 2.5, 0], [0, 2.5, 0]], float)
    >>> group, sites = find_sites(["Cu"] * 4, square)
    >>> group, [(s.kind, s.multiplicity) for s in sites]
    ('D4h', [('top', 4), ('bridge', 4), ('hollow4', 2)])
    """
    positions = np.asarray(positions, dtype=float)
    carriers = [
        i for i in range(len(symbols)) if roles is None or roles[i] in _CARRYING
    ]
    graph = bond_graph(symbols, positions)
    ball = _Ball(
        positions=positions, reach=radii(symbols) + probe_radius_a, carriers=carriers
    )
    rests = [r for r in _rests(graph, symbols, roles, ball) if r.kind in kinds]
    symmetry = find_symmetry(symbols, positions, tolerance_a)
    orbits = _orbits(rests, symmetry.permutations, symmetry.rotations)
    sites = [_site(rests[o[0]], len(o), symbols, graph) for o in orbits]
    return symmetry.point_group, sites


_CARRYING = ("core", "hydride")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ball:
    """The probe: how close it may come to each atom, and which atoms it may rest on."""

    positions: FloatArray
    reach: FloatArray
    carriers: Sequence[int]

    def free(
        self, centres: FloatArray, directions: FloatArray, resting_on: Sequence[int]
    ) -> np.ndarray:
        """Where the ball can rest: it comes in against a direction and hits nothing.

        Without the way in, pockets inside a cluster would count as its surface.

        Parameters
        ----------
        centres : Å, shape (n, 3)
        directions : unit vectors outward, shape (n, 3)
        resting_on
            Atoms it may touch.
        """
        others = [i for i in range(len(self.reach)) if i not in resting_on]
        if not others:
            return np.ones(len(centres), dtype=bool)
        offsets = self.positions[None, others] - centres[:, None]
        along = np.einsum("nod,nd->no", offsets, directions).clip(min=0.0)
        nearest = offsets - along[..., None] * directions[:, None]
        gaps = np.linalg.norm(nearest, axis=-1)
        return np.asarray((gaps > self.reach[others] - _OVERLAP_A).all(axis=1))


def _rests(
    graph: nx.Graph, symbols: Sequence[str], roles: Sequence[str] | None, ball: _Ball
) -> Iterator[_Rest]:
    carriers = set(ball.carriers)
    for i in ball.carriers:
        on_atom: SiteKind = "hydride" if roles and roles[i] == "hydride" else "top"
        yield from _rests_on_atom(i, on_atom, ball)
    for i, j in graph.subgraph(carriers).edges:
        mixed = (symbols[i] in NONMETALS) != (symbols[j] in NONMETALS)
        on_pair: SiteKind = "pair" if mixed else "bridge"
        yield from _rests_on_pair(min(i, j), max(i, j), on_pair, ball)
    for i, j in _across_anion(graph.subgraph(carriers), symbols, ball):
        yield from _rests_on_pair(i, j, "bridge", ball)
    for triple in triangles(graph.subgraph(carriers)):
        yield from _rests_on_three(triple, ball)
    for four in squares(graph.subgraph(carriers)):
        yield from _rests_on_four(four, ball)


def _across_anion(
    graph: nx.Graph, symbols: Sequence[str], ball: _Ball
) -> Iterator[tuple[int, int]]:
    radius = radii(symbols)
    for i, j in combinations(sorted(graph), 2):
        if symbols[i] in NONMETALS or symbols[j] in NONMETALS or graph.has_edge(i, j):
            continue
        shared = set(graph[i]) & set(graph[j])
        gap = np.linalg.norm(ball.positions[i] - ball.positions[j])
        near = gap < _BRIDGE_ACROSS_ANION * (radius[i] + radius[j])
        if near and any(symbols[k] in NONMETALS for k in shared):
            yield i, j


def _rests_on_atom(i: int, kind: SiteKind, ball: _Ball) -> Iterator[_Rest]:
    directions = _sphere(_N_SPHERE)
    centre = ball.positions[i]
    open_ = ball.free(centre + ball.reach[i] * directions, directions, [i])
    # Neighbours on the lattice are about √(4π/n) apart.
    spacing = 1.7 * np.sqrt(4 * np.pi / _N_SPHERE)
    for patch in _patches(directions[open_], spacing):
        if len(patch) < _FEWEST_DIRECTIONS:
            continue
        yield _Rest(
            kind=kind,
            atoms=(i,),
            position=centre,
            normal=_mean_direction(patch),
            solid_angle_sr=float(4 * np.pi * len(patch) / _N_SPHERE),
        )


def _rests_on_pair(i: int, j: int, kind: SiteKind, ball: _Ball) -> Iterator[_Rest]:
    bond = ball.positions[j] - ball.positions[i]
    length = float(np.linalg.norm(bond))
    along = (length**2 + ball.reach[i] ** 2 - ball.reach[j] ** 2) / (2 * length)
    square = ball.reach[i] ** 2 - along**2
    if square <= 0:
        return
    axis = bond / length
    across = _perpendicular(axis)
    angles = 2 * np.pi * np.arange(_N_CIRCLE) / _N_CIRCLE
    directions = np.outer(np.cos(angles), across) + np.outer(
        np.sin(angles), np.cross(axis, across)
    )
    foot = ball.positions[i] + along * axis
    open_ = ball.free(foot + np.sqrt(square) * directions, directions, [i, j])
    middle = (ball.positions[i] + ball.positions[j]) / 2
    for patch in _patches(directions[open_], spacing=2.2 * np.pi / _N_CIRCLE):
        yield _Rest(
            kind=kind, atoms=(i, j), position=middle, normal=_mean_direction(patch)
        )


def _rests_on_three(triple: tuple[int, int, int], ball: _Ball) -> Iterator[_Rest]:
    corners = ball.positions[list(triple)]
    middle = corners.mean(axis=0)
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    normal = normal / np.linalg.norm(normal)
    for side in (normal, -normal):
        centre = _trilaterate(corners, ball.reach[list(triple)], side)
        if centre is not None and ball.free(centre[None], side[None], triple)[0]:
            yield _Rest(kind="hollow3", atoms=triple, position=middle, normal=side)


def _rests_on_four(four: tuple[int, int, int, int], ball: _Ball) -> Iterator[_Rest]:
    corners = ball.positions[list(four)]
    middle = corners.mean(axis=0)
    _, spread, axes = np.linalg.svd(corners - middle)
    normal = axes[2]
    span = np.linalg.norm(corners - middle, axis=1).mean()
    height_squared = ball.reach[list(four)].mean() ** 2 - span**2
    if spread[2] > span / 2 or height_squared <= 0:
        return
    for side in (normal, -normal):
        centre = middle + np.sqrt(height_squared) * side
        if ball.free(centre[None], side[None], four)[0]:
            yield _Rest(kind="hollow4", atoms=four, position=middle, normal=side)


def _trilaterate(
    corners: FloatArray, reach: FloatArray, side: FloatArray
) -> FloatArray | None:
    """The point at distance `reach` from three corners, on the given side."""
    edges = 2 * (corners[1:] - corners[0])
    squares_ = (corners**2).sum(axis=1) - reach**2
    rows = np.vstack([edges, side])
    right = np.append(squares_[1:] - squares_[0], side @ corners[0])
    foot = np.linalg.solve(rows, right)
    height_squared = reach[0] ** 2 - ((foot - corners[0]) ** 2).sum()
    if height_squared < 0:
        return None
    return np.asarray(foot + np.sqrt(height_squared) * side)


def _sphere(n: int) -> FloatArray:
    """`n` nearly even directions (Fibonacci lattice), shape (n, 3)."""
    k = np.arange(n) + 0.5
    polar = np.arccos(1 - 2 * k / n)
    azimuth = np.pi * (1 + 5**0.5) * k
    return np.stack(
        [
            np.cos(azimuth) * np.sin(polar),
            np.sin(azimuth) * np.sin(polar),
            np.cos(polar),
        ],
        axis=1,
    )


def _patches(directions: FloatArray, spacing: float) -> list[FloatArray]:
    """Groups of directions connected by steps of at most `spacing` radians."""
    from scipy.sparse.csgraph import connected_components

    if not len(directions):
        return []
    near = directions @ directions.T > np.cos(spacing)
    n, labels = connected_components(near, directed=False)
    return [directions[labels == k] for k in range(n)]


def _mean_direction(directions: FloatArray) -> FloatArray:
    mean = directions.mean(axis=0)
    if np.linalg.norm(mean) < 0.05:  # open on all sides: any direction will do
        mean = directions[0]
    return np.asarray(mean / np.linalg.norm(mean))


def _perpendicular(axis: FloatArray) -> FloatArray:
    helper = np.eye(3)[np.abs(axis).argmin()]
    across = np.cross(axis, helper)
    return np.asarray(across / np.linalg.norm(across))


def _orbits(
    rests: Sequence[_Rest], permutations: np.ndarray, rotations: np.ndarray
) -> list[list[int]]:
    """Indices of rests, grouped by symmetry; the first of each group leads."""
    by_atoms: dict[tuple[str, frozenset[int]], list[int]] = {}
    for index, rest in enumerate(rests):
        by_atoms.setdefault((rest.kind, frozenset(rest.atoms)), []).append(index)
    leader = list(range(len(rests)))

    def find(index: int) -> int:
        while leader[index] != index:
            index = leader[index]
        return index

    for permutation, rotation in zip(permutations, rotations, strict=True):
        for index, rest in enumerate(rests):
            image = frozenset(int(permutation[a]) for a in rest.atoms)
            candidates = by_atoms.get((rest.kind, image), [])
            if candidates:
                partner = _closest(rests, candidates, rotation @ rest.normal)
                low, high = sorted((find(index), find(partner)))
                leader[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(rests)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _closest(
    rests: Sequence[_Rest], candidates: Sequence[int], normal: FloatArray
) -> int:
    agreement: Callable[[int], float] = lambda i: float(rests[i].normal @ normal)  # noqa: E731
    return max(candidates, key=agreement)


def _site(
    rest: _Rest, multiplicity: int, symbols: Sequence[str], graph: nx.Graph
) -> Site:
    return Site(
        kind=rest.kind,
        atoms=rest.atoms,
        elements=tuple(symbols[i] for i in rest.atoms),
        multiplicity=multiplicity,
        position=_vector(rest.position),
        normal=_vector(rest.normal),
        coordination_numbers=tuple(graph.degree[i] for i in rest.atoms),
        accessible_solid_angle_sr=rest.solid_angle_sr,
    )


def _vector(values: FloatArray) -> tuple[float, float, float]:
    x, y, z = (round(float(v), 6) for v in values)
    return (x, y, z)


def count_by_kind(sites: Sequence[Site]) -> Counter[str]:
    """Sites of each kind, symmetry images included."""
    total: Counter[str] = Counter()
    for site in sites:
        total[site.kind] += site.multiplicity
    return total
