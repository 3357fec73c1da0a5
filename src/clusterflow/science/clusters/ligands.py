"""Ligands on the metal atoms of a cluster that have room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.science.clusters.equivalent_atoms import hull_places
from clusterflow.science.geometry.bonds import (
    NONMETALS,
    bond_graph,
    bond_lengths,
    distance_ratios,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx

    from clusterflow.science.geometry.bonds import FloatArray

# Steep, so that the nearest neighbours alone decide where a ligand points.
_REPULSION_POWER = 12
_N_DIRECTIONS = 200
_N_TURNS = 24
# Closest that an atom of a ligand may come to others, in sums of covalent radii.
_ROOM = 0.75
# Depth below the convex hull to which an atom can be reached, Å.
_SKIN_A = 1.0


def add_ligands(
    atoms: Atoms,
    ligand: Atoms,
    *,
    element: str,
    count: int | None = None,
    coordination: int = 4,
) -> Atoms:
    """A cluster with ligands bound by their first atom, at the end of its atoms.

    Every atom on the outside gets one before any gets two, those with the fewest
    neighbours first. A ligand takes the freest direction, and is turned about its bond
    to where its own atoms have most room.

    Parameters
    ----------
    atoms
        The cluster.
    ligand
        Its binding atom first, at the origin, the rest towards +z.
    element
        The one that is capped.
    count
        How many; as many as there is room for unless given.
    coordination
        Non-metal neighbours at which an atom is full.

    Raises
    ------
    ValueError
        If there is no such element, or no room for all.
    """
    symbols = atoms.get_chemical_symbols()
    positions = atoms.positions
    graph = bond_graph(symbols, positions)
    exposed = _find_exposed_atoms(positions)
    bearers = [i for i in exposed if symbols[i] == element]
    if not bearers:
        raise ValueError(f"there is no {element} on the outside")
    free = _list_free_places(graph, symbols, bearers, coordination)
    n_wanted = len(free) if count is None else count
    if not 0 < n_wanted <= len(free):
        raise ValueError(
            f"{n_wanted} ligands on {element}: there are {len(free)} free places up to "
            f"{coordination} neighbours"
        )
    donor = str(ligand.symbols[0])
    directions = []
    for bearer in free[:n_wanted]:
        direction = _find_freest_direction(symbols, positions, bearer, donor)
        length = bond_lengths([symbols[bearer], donor])[0, 1]
        directions.append(direction)
        symbols = [*symbols, donor]
        positions = np.vstack([positions, positions[bearer] + length * direction])
    first = len(atoms)
    for k, direction in enumerate(directions):
        tail = _place_tail(symbols, positions, first + k, ligand, direction)
        symbols = [*symbols, *ligand.symbols[1:]]
        positions = np.vstack([positions, tail])
    return _group_ligands(symbols, positions, first, n_wanted, len(ligand) - 1)


def ligands_of(
    symbols: Sequence[str], positions: FloatArray, indices: Sequence[int]
) -> list[list[int]]:
    """The single ligands that some atoms form, as lists of indices."""
    import networkx as nx

    graph = bond_graph(symbols, positions).subgraph(indices)
    return sorted(sorted(piece) for piece in nx.connected_components(graph))


def _find_exposed_atoms(positions: FloatArray) -> list[int]:
    """Atoms on the outside; all of a flat cluster."""
    try:
        where = hull_places(positions, _SKIN_A)
    except ValueError:
        return list(range(len(positions)))
    return [i for i, place in enumerate(where) if place != "core"]


def _list_free_places(
    graph: nx.Graph, symbols: Sequence[str], bearers: list[int], coordination: int
) -> list[int]:
    """Bearers in the order in which they are filled: each once, then each again."""
    bound = {i: sum(symbols[j] in NONMETALS for j in graph[i]) for i in bearers}
    poorest_first = sorted(bearers, key=lambda i: (bound[i], graph.degree(i)))
    return [
        i
        for extra in range(coordination)
        for i in poorest_first
        if bound[i] + extra < coordination
    ]


def _find_freest_direction(
    symbols: Sequence[str], positions: FloatArray, bearer: int, donor: str
) -> FloatArray:
    """Unit vector from a bearer along which a donor meets the least repulsion."""
    from scipy.optimize import minimize

    others = [i for i in range(len(symbols)) if i != bearer]
    lengths = bond_lengths([donor, *symbols])[0, 1:]

    def repulsion(vector: FloatArray) -> float:
        place = positions[bearer] + lengths[bearer] * vector / np.linalg.norm(vector)
        gaps = np.linalg.norm(positions[others] - place, axis=1)
        return float(np.log(((lengths[others] / gaps) ** _REPULSION_POWER).sum()))

    best = min(_spread_directions(), key=repulsion)
    found = np.asarray(minimize(repulsion, best, method="BFGS").x)
    return np.asarray(found / np.linalg.norm(found))


def _spread_directions() -> FloatArray:
    """Directions spread evenly on a sphere, shape (n, 3), by the golden angle."""
    k = np.arange(_N_DIRECTIONS) + 0.5
    z = 1 - 2 * k / _N_DIRECTIONS
    angle = np.pi * (1 + np.sqrt(5)) * k
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def _place_tail(
    symbols: Sequence[str],
    positions: FloatArray,
    donor: int,
    ligand: Atoms,
    direction: FloatArray,
) -> FloatArray:
    """Positions of the rest of a ligand, turned to where it has most room."""
    if len(ligand) == 1:
        return np.empty((0, 3))
    rest = ligand[1:]
    others = [i for i in range(len(symbols)) if i != donor]
    best: tuple[float, FloatArray] | None = None
    for k in range(_N_TURNS):
        turned = rest.copy()
        turned.rotate(360 * k / _N_TURNS, "z")
        turned.rotate("z", direction)
        tail = turned.positions + positions[donor]
        pair_lengths = bond_lengths([*rest.symbols, *symbols])[: len(rest), len(rest) :]
        gaps = np.linalg.norm(tail[:, None] - positions[None], axis=-1) / pair_lengths
        room = float(gaps[:, others].min())
        if best is None or room > best[0] + 1e-9:
            best = (room, tail)
    assert best is not None
    return best[1]


def _group_ligands(
    symbols: Sequence[str], positions: FloatArray, first: int, n: int, n_rest: int
) -> Atoms:
    """The atoms of each ligand side by side, if none is too near to another."""
    ratios = distance_ratios(symbols, positions)
    if ratios.min() < _ROOM:
        i, j = (int(k) for k in np.unravel_index(ratios.argmin(), ratios.shape))
        raise ValueError(
            f"no room for {n} ligands: {symbols[i]} and {symbols[j]} would be "
            f"{np.linalg.norm(positions[i] - positions[j]):.2f} Å apart"
        )
    order = list(range(first))
    for k in range(n):
        start = first + n + k * n_rest
        order += [first + k, *range(start, start + n_rest)]
    return Atoms([symbols[i] for i in order], positions=positions[order])
