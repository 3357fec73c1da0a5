"""Hydrides in the cavities and on the faces of a metal cluster, a given number of them.

Where diffraction has not found them, hydrides are put by rule into holes, on faces and
on edges: whole sets of equivalent places at a time where the symmetry allows, and in
the order of the electrostatic energy of hydride ions among metal atoms that share the
opposite charge.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.science.clusters.equivalent_atoms import isometries
from clusterflow.science.geometry.bonds import (
    NONMETALS,
    bond_graph,
    bond_lengths,
    distances,
    squares,
    triangles,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from clusterflow.science.geometry.bonds import FloatArray

# Bonds of a hydride, in sums of covalent radii: none is shorter than the first, those
# on a face or an edge are as long as the second, and metal atoms up to the third are
# its neighbours. For Cu-H 1.63, 1.71 and 2.12 Å.
_SHORTEST, _BOND, _NEIGHBOUR = 1.0, 1.05, 1.3
# Metal atoms that a hydride touches: on an edge or a face, in a hole.
NEIGHBOURS = (2, 3, 4, 5, 6)
# The empirical rule for metal hydrides: no two closer than 2 Å
# (10.1103/PhysRevLett.89.106403).
APART_A = 2.0
# Room to the atoms of ligands, Å.
_TO_LIGAND_A = 1.8
# Places closer than this are one, Å.
_SAME_A = 0.5
# Partial choices that are followed at each number of hydrides.
_BEAM = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Cavity:
    """A place for a hydride, and the metal atoms it touches.

    position : Å, shape (3,)
    """

    position: FloatArray
    neighbours: tuple[int, ...]


def find_cavities(
    symbols: Sequence[str],
    positions: FloatArray,
    neighbours: Collection[int] = NEIGHBOURS,
) -> list[Cavity]:
    """Places in and on a cluster where H touches so many metal atoms and no ligand.

    In the middle of holes, which are circumcentres of Delaunay's tetrahedra, above
    faces of three and four bonded metal atoms, and on the outside of edges.

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    neighbours
        Numbers of metal atoms that a hydride may touch.

    Examples
    --------
    >>> octahedron = 1.8 * np.vstack([np.eye(3), -np.eye(3)])
    >>> [len(c.neighbours) for c in find_cavities(["Cu"] * 6, octahedron, (3, 6))]
    [6, 3, 3, 3, 3, 3, 3, 3, 3]
    """
    metals = [i for i, symbol in enumerate(symbols) if symbol not in NONMETALS]
    others = [i for i in range(len(symbols)) if i not in set(metals)]
    bonds = bond_lengths(["H", *(symbols[i] for i in metals)])[0, 1:]
    found: list[Cavity] = []
    for place in _propose_places(symbols, positions, metals):
        ratios = np.linalg.norm(positions[metals] - place, axis=1) / bonds
        room = np.linalg.norm(positions[others] - place, axis=1).min(initial=np.inf)
        near = tuple(metals[k] for k in np.flatnonzero(ratios < _NEIGHBOUR))
        if (
            ratios.min() > _SHORTEST
            and room > _TO_LIGAND_A
            and len(near) in neighbours
            and all(np.linalg.norm(place - c.position) > _SAME_A for c in found)
        ):
            found.append(Cavity(position=place, neighbours=near))
    return found


def place_hydrides(
    atoms: Atoms,
    count: int,
    *,
    neighbours: Collection[int] = NEIGHBOURS,
    apart_a: float = APART_A,
    most: int = 1,
) -> list[Atoms]:
    """A cluster with `count` hydrides at its end, in up to `most` ways, best first.

    Places that the symmetry of the cluster turns into each other are filled together,
    or one by one if `count` cannot be reached so.

    Parameters
    ----------
    atoms
        The cluster, with what ligands it has.
    neighbours
        Numbers of metal atoms that a hydride may touch.
    apart_a
        Closest that two hydrides may be, Å.

    Raises
    ------
    ValueError
        If there is no room for so many.
    """
    symbols = atoms.get_chemical_symbols()
    cavities = find_cavities(symbols, atoms.positions, neighbours)
    if not cavities:
        raise ValueError(
            f"there is no place for H with {sorted(neighbours)} neighbours"
        )
    points = np.array([cavity.position for cavity in cavities])
    metals = [i for i, symbol in enumerate(symbols) if symbol not in NONMETALS]
    charge = count / len(metals)
    pull = -charge / np.linalg.norm(points[:, None] - atoms.positions[metals], axis=-1)
    for sets in (
        _group_by_symmetry(symbols, atoms.positions, points),
        _group_singly(len(points)),
    ):
        chosen = _find_best_sets(points, pull.sum(axis=1), sets, count, apart_a)
        if chosen:
            return [_add_hydrides(atoms, points[list(c)]) for c in chosen[:most]]
    raise ValueError(
        f"no room for {count} hydrides: {len(points)} places, of which not so many are "
        f"{apart_a:.2f} Å apart"
    )


def _propose_places(
    symbols: Sequence[str], positions: FloatArray, metals: list[int]
) -> Iterator[FloatArray]:
    """Middles of holes first, then places above faces; some more than once."""
    from scipy.spatial import Delaunay, QhullError

    try:
        tetrahedra = Delaunay(positions[metals]).simplices
    except (QhullError, ValueError):
        tetrahedra = []  # a flat cluster has no holes
    for corners in tetrahedra:
        middle = _find_circumcentre(positions[np.array(metals)[corners]])
        if middle is not None:
            yield middle
    graph = bond_graph(symbols, positions).subgraph(metals)
    for face in (*squares(graph), *triangles(graph)):
        yield from _find_places_above(symbols, positions, face)
    middle = positions[metals].mean(axis=0)
    for edge in graph.edges:
        place = _find_place_outside(symbols, positions, edge, middle)
        if place is not None:
            yield place


def _find_circumcentre(corners: FloatArray) -> FloatArray | None:
    """The point at equal distance from four; none if they lie in a plane."""
    sides = 2 * (corners[1:] - corners[0])
    if abs(np.linalg.det(sides)) < 1e-2:
        return None
    squared = (corners**2).sum(axis=1)
    return np.asarray(np.linalg.solve(sides, squared[1:] - squared[0]))


def _find_places_above(
    symbols: Sequence[str], positions: FloatArray, face: Sequence[int]
) -> Iterator[FloatArray]:
    """The two places one bond from the corners of a face, one if H fits into it."""
    corners = positions[list(face)]
    middle = corners.mean(axis=0)
    normal = np.linalg.svd(corners - middle)[2][2]
    bond = _compute_bond_length(symbols, face)
    radius = np.linalg.norm(corners - middle, axis=1).mean()
    height = np.sqrt(max(bond**2 - radius**2, 0.0))
    yield middle + height * normal
    if height > 0:
        yield middle - height * normal


def _find_place_outside(
    symbols: Sequence[str],
    positions: FloatArray,
    edge: tuple[int, int],
    centre: FloatArray,
) -> FloatArray | None:
    """The place one bond from both ends of an edge, away from a centre not on it."""
    first, last = positions[list(edge)]
    along = (last - first) / np.linalg.norm(last - first)
    out = (first + last) / 2 - centre
    out -= (out @ along) * along
    rest = _compute_bond_length(symbols, edge) ** 2 - ((last - first) ** 2).sum() / 4
    if np.linalg.norm(out) < _SAME_A or rest <= 0:
        return None
    return np.asarray((first + last) / 2 + np.sqrt(rest) * out / np.linalg.norm(out))


def _compute_bond_length(symbols: Sequence[str], metals: Sequence[int]) -> float:
    lengths = bond_lengths(["H", *(symbols[i] for i in metals)])[0, 1:]
    return float(_BOND * lengths.mean())


def _group_by_symmetry(
    symbols: Sequence[str], positions: FloatArray, points: FloatArray
) -> list[tuple[int, ...]]:
    """Places that symmetry turns into each other; ligands do not count."""
    metals = [i for i, symbol in enumerate(symbols) if symbol not in NONMETALS]
    labels = [*(symbols[i] for i in metals), *["cavity"] * len(points)]
    permutations = isometries(labels, np.vstack([positions[metals], points]))
    images = permutations[:, len(metals) :] - len(metals)
    return sorted({tuple(sorted(set(column.tolist()))) for column in images.T})


def _group_singly(n: int) -> list[tuple[int, ...]]:
    return [(k,) for k in range(n)]


def _find_best_sets(
    points: FloatArray,
    pull: FloatArray,
    sets: Sequence[tuple[int, ...]],
    count: int,
    apart_a: float,
) -> list[tuple[int, ...]]:
    """Unions of sets with `count` places, lowest energy first.

    Partial unions are extended one set at a time, and the lowest of each size kept.
    """
    gaps = distances(points)
    np.fill_diagonal(gaps, np.inf)
    own = [_sum_repulsion(one, gaps) + pull[list(one)].sum() for one in sets]
    fits = [k for k, one in enumerate(sets) if gaps[np.ix_(one, one)].min() >= apart_a]
    between = {(a, b): gaps[np.ix_(sets[a], sets[b])] for a, b in combinations(fits, 2)}
    layers: list[dict[frozenset[int], float]] = [{} for _ in range(count + 1)]
    layers[0][frozenset()] = 0.0
    for size, layer in enumerate(layers):
        for union, energy in sorted(layer.items(), key=_by_energy)[:_BEAM]:
            for k in fits:
                if k in union or size + len(sets[k]) > count:
                    continue
                met = [between[min(k, u), max(k, u)] for u in union]
                if all(gap.min() >= apart_a for gap in met):
                    larger = energy + own[k] + sum(float((1 / g).sum()) for g in met)
                    layers[size + len(sets[k])][union | {k}] = larger
    ranked = sorted(layers[count].items(), key=_by_energy)
    return [tuple(sorted(i for k in union for i in sets[k])) for union, _ in ranked]


def _by_energy(entry: tuple[frozenset[int], float]) -> tuple[float, list[int]]:
    """Lowest first; equal energies, up to rounding, by their places."""
    return (round(entry[1], 6), sorted(entry[0]))


def _sum_repulsion(places: Sequence[int], gaps: FloatArray) -> float:
    return float((1 / gaps[np.ix_(places, places)]).sum() / 2)


def _add_hydrides(atoms: Atoms, points: FloatArray) -> Atoms:
    plain = Atoms(atoms.symbols, positions=atoms.positions)
    return plain + Atoms(["H"] * len(points), positions=points)
