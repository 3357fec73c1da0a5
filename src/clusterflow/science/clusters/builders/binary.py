"""Clusters of two elements that take turns: rings, cages and cuts of II-VI crystals.

Every `bond_a` may be left out: it is then the sum of the covalent radii.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.science.geometry.bonds import bond_lengths, distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.geometry.bonds import FloatArray

# A layer stands a little farther from the next than bonds are long within it: 2.729 Å
# against 2.592 Å in Cd6Se6 with GFN1-xTB.
_LAYER_OVER_BOND = 1.05


def ring(metal: str, anion: str, n: int, bond_a: float | None = None) -> Atoms:
    """A planar ring of `n` metal and `n` anion atoms in turn; a dimer for one."""
    bond = _choose_bond_length(metal, anion, bond_a)
    return Atoms([metal, anion] * n, positions=_place_ring(2 * n, bond, 0.0))


def stacked_rings(
    metal: str,
    anion: str,
    *,
    n: int,
    layers: int,
    bond_a: float | None = None,
    spacing_a: float | None = None,
) -> Atoms:
    """Rings of `n` metal and `n` anion atoms, each turned so that unlike atoms meet."""
    bond = _choose_bond_length(metal, anion, bond_a)
    spacing = bond * _LAYER_OVER_BOND if spacing_a is None else spacing_a
    symbols: list[str] = []
    for layer in range(layers):
        pair = [metal, anion] if layer % 2 == 0 else [anion, metal]
        symbols += pair * n
    positions = [_place_ring(2 * n, bond, spacing * layer) for layer in range(layers)]
    return Atoms(symbols, positions=np.vstack(positions))


def cage(
    metal: str,
    anion: str,
    *,
    n: int,
    bond_a: float | None = None,
    isomer: int = 1,
    squares: Sequence[int] | None = None,
) -> Atoms:
    """A hollow cage of six squares and n - 4 hexagons in which elements take turns.

    `isomer` counts the cages of `n` pairs, fewest edges between squares first. A cage
    too large to be searched is named by `squares`, the places of its squares, from 1,
    in a spiral of faces.
    """
    from clusterflow.science.clusters.cages import (
        cage_graph,
        cage_positions,
        cages,
        two_colours,
    )

    if squares is not None:
        graph = cage_graph(squares, n)
        if graph is None:
            raise ValueError(f"squares {list(squares)} close no cage of {n} pairs")
    else:
        found = cages(n)
        if not 1 <= isomer <= len(found):
            raise ValueError(
                f"isomer {isomer} of {n} pairs: there are {len(found)}, counted from 1"
            )
        graph = found[isomer - 1][1]
    symbols = [metal if first else anion for first in two_colours(graph)]
    return Atoms(
        symbols,
        positions=cage_positions(graph, _choose_bond_length(metal, anion, bond_a)),
    )


def core_at_cage(
    metal: str,
    anion: str,
    *,
    bond_a: float | None = None,
    core_axis: tuple[float, float, float] = (1, 1, 1),
    n: int = 12,
    core: int = 1,
    isomer: int = 1,
    squares: Sequence[int] | None = None,
) -> Atoms:
    """A cage of `n` pairs with `core` pairs inside, whose axis lies along `core_axis`.

    The cage of twelve is the truncated octahedron. In this one, and in every cage of
    octahedral symmetry, squares lie along x, y and z. The core is a pair, which lies
    along the axis with its metal in front, a ring of two or three pairs across it, two
    stacked rings for six, those without one pair for five, or else a cage.
    """
    bond = _choose_bond_length(metal, anion, bond_a)
    if n == 12 and isomer == 1 and squares is None:
        shell = _make_truncated_octahedron(metal, anion, bond)
    else:
        shell = cage(metal, anion, n=n, bond_a=bond, isomer=isomer, squares=squares)
    inside = _make_core(metal, anion, core, bond)
    inside.rotate((0, 0, 1), core_axis)
    return shell + inside


def zincblende_tetrahedron(
    metal: str, anion: str, layers: int, bond_a: float | None = None
) -> Atoms:
    """A tetrahedron cut from zinc blende with metal on its faces.

    With 1, 2, 3 ... layers of anions: M4X, M10X4, M20X10 ... It lacks 6, 12, 20 ...
    electrons, which as many X-type caps supply.
    """
    bond = _choose_bond_length(metal, anion, bond_a)
    steps = np.array([(0, 1, 1), (1, 0, 1), (1, 1, 0)]) * 2 * bond / np.sqrt(3)
    metals = _list_corner_points(layers) @ steps
    anions = _list_corner_points(layers - 1) @ steps + bond / np.sqrt(3)
    return Atoms(
        [metal] * len(metals) + [anion] * len(anions),
        positions=np.vstack([metals, anions]),
    )


def wurtzite(
    metal: str,
    anion: str,
    radius_a: float,
    centre: tuple[float, float, float] = (0, 0, 0),
    bond_a: float | None = None,
) -> Atoms:
    """What lies within a sphere in ideal wurtzite, less atoms with a single bond.

    `centre` is given in fractions of the cell, with metal at (0, 0, 0).
    """
    from ase.build import bulk

    bond = _choose_bond_length(metal, anion, bond_a)
    a = bond * np.sqrt(8 / 3)
    cell = bulk(metal + anion, "wurtzite", a=a, c=a * np.sqrt(8 / 3))
    # Lattice planes are farther apart than 0.8 a.
    n = int(np.ceil(radius_a / (0.8 * a))) + 1
    crystal = cell.repeat(2 * n + 1)
    middle = (np.array(centre, dtype=float) + n) @ cell.cell.array
    inside = np.linalg.norm(crystal.positions - middle, axis=1) < radius_a
    symbols, positions = np.array(crystal.symbols)[inside], crystal.positions[inside]
    while True:
        gaps = distances(positions)
        n_bonds = ((gaps < 1.1 * bond) & (gaps > 0)).sum(axis=1)
        if (n_bonds > 1).all():
            return Atoms(symbols, positions=positions - middle)
        symbols, positions = symbols[n_bonds > 1], positions[n_bonds > 1]


def _choose_bond_length(metal: str, anion: str, bond_a: float | None) -> float:
    return float(bond_lengths([metal, anion])[0, 1]) if bond_a is None else bond_a


def _place_ring(n: int, bond_a: float, height_a: float) -> FloatArray:
    angles = 2 * np.pi * np.arange(n) / n
    radius = bond_a / (2 * np.sin(np.pi / n))
    return np.stack(
        [radius * np.cos(angles), radius * np.sin(angles), np.full(n, height_a)], axis=1
    )


def _make_core(metal: str, anion: str, n: int, bond_a: float) -> Atoms:
    """A core around the origin, its axis along z."""
    if n == 1:
        along = np.array([[0, 0, 0.5], [0, 0, -0.5]])
        return Atoms([metal, anion], positions=along * bond_a)
    if n in (2, 3):
        return ring(metal, anion, n, bond_a)
    if n in (5, 6):
        core = stacked_rings(metal, anion, n=3, layers=2, bond_a=bond_a)
        core.positions -= core.positions.mean(axis=0)
        # The first atom of a ring and the one above it are unlike.
        return core if n == 6 else core[[i for i in range(12) if i not in (0, 6)]]
    return cage(metal, anion, n=n, bond_a=bond_a)


def _list_corner_points(n: int) -> np.ndarray:
    """Points of a tetrahedron of `n` steps: all (i, j, k) with i + j + k up to n."""
    points = product(range(n + 1), repeat=3)
    return np.array([p for p in points if sum(p) <= n]).reshape(-1, 3)


def _make_truncated_octahedron(metal: str, anion: str, bond_a: float) -> Atoms:
    """Its 24 corners: all signed orders of (0, 1, 2), with edges of √2."""
    import networkx as nx

    from clusterflow.science.clusters.cages import two_colours

    corners = np.array(
        sorted(
            {
                tuple(sign * value for sign, value in zip(signs, order, strict=True))
                for order in permutations((0, 1, 2))
                for signs in product((1, -1), repeat=3)
            }
        ),
        dtype=float,
    )
    edges = np.argwhere(np.abs(distances(corners) - np.sqrt(2)) < 1e-6)
    symbols = [metal if one else anion for one in two_colours(nx.Graph(edges.tolist()))]
    return Atoms(symbols, positions=corners * bond_a / np.sqrt(2))
