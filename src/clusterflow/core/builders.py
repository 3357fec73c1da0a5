"""Starting geometries of clusters, by rule."""

from __future__ import annotations

import inspect
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from clusterflow.errors import LibraryError
from clusterflow.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clusterflow.core.topology import FloatArray

BUILDERS: Registry[Callable[..., Atoms]] = Registry("builder")


def build(name: str, parameters: Mapping[str, Any], who: str) -> Atoms:
    """The geometry a builder makes of its parameters.

    Raises
    ------
    LibraryError
        If the builder is unknown or the parameters are not its own.
    """
    builder = BUILDERS.get(name)
    signature = inspect.signature(builder)
    try:
        signature.bind(**parameters)
    except TypeError as error:
        takes = ", ".join(signature.parameters)
        raise LibraryError(
            f"{who}: builder {name!r}: {error}; it takes {takes}"
        ) from None
    try:
        return builder(**parameters)
    except (ValueError, TypeError, KeyError) as error:
        raise LibraryError(f"{who}: builder {name!r} refused: {error}") from None


@BUILDERS.register("icosahedron")
def icosahedron(element: str, shells: int, bond_a: float) -> Atoms:
    """A Mackay icosahedron: 13, 55, 147 ... atoms for 2, 3, 4 shells.

    `bond_a` is the distance from the centre to a neighbour, Å.
    """
    from ase.cluster import Icosahedron

    atoms = Icosahedron(element, shells, latticeconstant=bond_a * np.sqrt(2))
    return Atoms(atoms.symbols, positions=atoms.positions)


@BUILDERS.register("octahedron")
def octahedron(element: str, length: int, cutoff: int, bond_a: float) -> Atoms:
    """An fcc octahedron with cut corners; (4, 1) is the truncated one of 38 atoms."""
    from ase.cluster import Octahedron

    atoms = Octahedron(element, length, cutoff, latticeconstant=bond_a * np.sqrt(2))
    return Atoms(atoms.symbols, positions=atoms.positions)


@BUILDERS.register("rhombus")
def rhombus(element: str, bond_a: float) -> Atoms:
    """Four atoms in a plane: two equilateral triangles that share an edge."""
    height = bond_a * np.sqrt(3) / 2
    half = bond_a / 2
    return Atoms(
        [element] * 4,
        positions=[(0, -half, 0), (0, half, 0), (height, 0, 0), (-height, 0, 0)],
    )


@BUILDERS.register("dodecahedron")
def dodecahedron(element: str, bond_a: float) -> Atoms:
    """The eight-atom snub disphenoid (D2d), the shape of small metal octamers.

    Coordinates follow from all 18 edges being equal; q is the root of
    2x³ + 11x² + 4x − 1 between 0 and 1.
    """
    q = next(
        x.real for x in np.roots([2, 11, 4, -1]) if abs(x.imag) < 1e-9 and x.real > 0
    )
    r, s = np.sqrt(q), np.sqrt((1 - q) / (2 * q))
    t = 2 * r * s
    corners = [(t, r, 0), (-t, r, 0), (0, -r, t), (0, -r, -t)]
    corners += [(1, -s, 0), (-1, -s, 0), (0, s, 1), (0, s, -1)]
    return Atoms([element] * 8, positions=np.array(corners) * bond_a / 2)


@BUILDERS.register("ring")
def ring(metal: str, anion: str, n: int, bond_a: float) -> Atoms:
    """A planar ring of `n` metal and `n` anion atoms in turn."""
    return Atoms([metal, anion] * n, positions=_ring(2 * n, bond_a, 0.0))


@BUILDERS.register("stacked_rings")
def stacked_rings(
    metal: str, anion: str, n: int, layers: int, bond_a: float, spacing_a: float
) -> Atoms:
    """Rings of `n` metal and `n` anion atoms, each turned so that unlike atoms meet."""
    symbols: list[str] = []
    for layer in range(layers):
        pair = [metal, anion] if layer % 2 == 0 else [anion, metal]
        symbols += pair * n
    positions = [_ring(2 * n, bond_a, spacing_a * layer) for layer in range(layers)]
    return Atoms(symbols, positions=np.vstack(positions))


@BUILDERS.register("core_at_cage")
def core_at_cage(
    metal: str, anion: str, bond_a: float, core_axis: tuple[float, float, float]
) -> Atoms:
    """The Th cage of 12 metal and 12 anion atoms with one pair inside, along an axis.

    The cage is a truncated octahedron with metal and anion in turn: six squares and
    eight hexagons. The pair's metal points along `core_axis`.
    """
    corners = _truncated_octahedron()
    metals = _two_colouring(corners)
    symbols = [metal if i in metals else anion for i in range(len(corners))]
    axis = np.array(core_axis, dtype=float)
    axis /= np.linalg.norm(axis)
    pair = np.array([axis, -axis]) * bond_a / 2
    cage = corners * bond_a / np.sqrt(2)
    return Atoms([*symbols, metal, anion], positions=np.vstack([cage, pair]))


def _ring(n: int, bond_a: float, height_a: float) -> FloatArray:
    angles = 2 * np.pi * np.arange(n) / n
    radius = bond_a / (2 * np.sin(np.pi / n))
    return np.stack(
        [radius * np.cos(angles), radius * np.sin(angles), np.full(n, height_a)], axis=1
    )


def _truncated_octahedron() -> FloatArray:
    """Its 24 corners, with edges of √2: all signed orders of (0, 1, 2)."""
    corners = {
        tuple(sign * value for sign, value in zip(signs, order, strict=True))
        for order in permutations((0, 1, 2))
        for signs in product((1, -1), repeat=3)
    }
    return np.array(sorted(corners), dtype=float)


def _two_colouring(corners: FloatArray) -> set[int]:
    import networkx as nx

    graph = nx.Graph()
    for i, j in combinations(range(len(corners)), 2):
        if abs(np.linalg.norm(corners[i] - corners[j]) - np.sqrt(2)) < 1e-6:
            graph.add_edge(i, j)
    first, _ = nx.bipartite.sets(graph)
    return set(first)
