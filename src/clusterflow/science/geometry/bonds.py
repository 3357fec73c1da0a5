"""Who is bonded to whom, by covalent radii, and what changed between two geometries.

Covalent radii are those of B. Cordero et al., Dalton Trans. 2008, 2832,
doi:10.1039/b801115j, as in :data:`ase.data.covalent_radii`.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers, covalent_radii

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

# A bond forms below the first ratio of distance to the sum of radii and is broken only
# above the second: what lies between keeps the state it was in.
FORMED = 1.15
BROKEN = 1.35
# The adsorbate touches the cluster below this ratio.
CONTACT = 1.35
# Closed-shell d10 cations do not bind each other across an anion, though the sum of
# their radii says so.
GROUP_12 = {"Zn", "Cd", "Hg"}
# Bond length of H2, Å: the sum of two covalent radii of hydrogen is 0.12 Å short of it.
# K. P. Huber and G. Herzberg, Constants of Diatomic Molecules (1979).
_H2_BOND_A = 0.741
CHALCOGENS = {"O", "S", "Se", "Te"}
HALOGENS = {"F", "Cl", "Br", "I"}
_ANIONS = CHALCOGENS | HALOGENS
NONMETALS = _ANIONS | {"H", "B", "C", "N", "P", "Si", "As"}
# Those that a molecule binds as it binds the atoms of its own: anions and ligand atoms.
# Boron and silicon are the metals of their clusters.
COVALENT = NONMETALS - {"H", "B", "Si"}


def radii(symbols: Sequence[str]) -> FloatArray:
    """Covalent radius of each atom, Å, shape (n_atoms,)."""
    return np.array([covalent_radii[atomic_numbers[s]] for s in symbols])


def distances(positions: FloatArray) -> FloatArray:
    """All pair distances, Å, shape (n_atoms, n_atoms)."""
    return np.asarray(np.linalg.norm(positions[:, None] - positions[None, :], axis=-1))


def bond_lengths(symbols: Sequence[str]) -> FloatArray:
    """Length of a bond between each pair, Å, shape (n_atoms, n_atoms).

    The sum of covalent radii; for two hydrogen atoms the bond length of H2.
    """
    radius = radii(symbols)
    hydrogen = np.array([s == "H" for s in symbols], dtype=bool)
    both = hydrogen[:, None] & hydrogen[None, :]
    return np.where(both, _H2_BOND_A, radius[:, None] + radius[None, :])


def distance_ratios(symbols: Sequence[str], positions: FloatArray) -> FloatArray:
    """Pair distances over bond lengths, shape (n_atoms, n_atoms)."""
    ratios = distances(positions) / bond_lengths(symbols)
    np.fill_diagonal(ratios, np.inf)
    return np.asarray(ratios)


def bond_graph(
    symbols: Sequence[str], positions: FloatArray, ratio: float = FORMED
) -> nx.Graph:
    """Graph of bonds; nodes carry ``element``.

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    ratio
        Longest bond, in sums of covalent radii.

    Examples
    --------
    >>> bond_graph(["H", "H"], np.array([[0, 0, 0], [0, 0, 0.74]])).number_of_edges()
    1
    """
    import networkx as nx  # a third of what `clusterflow che` would import

    graph = nx.Graph()
    graph.add_nodes_from((i, {"element": s}) for i, s in enumerate(symbols))
    close = np.argwhere(np.triu(distance_ratios(symbols, positions) < ratio))
    graph.add_edges_from((int(i), int(j)) for i, j in close)
    graph.remove_edges_from(_find_bonds_across_anion(graph, symbols))
    return graph


def _find_bonds_across_anion(
    graph: nx.Graph, symbols: Sequence[str]
) -> list[tuple[int, int]]:
    has_anion = {
        i
        for i in graph
        if symbols[i] in GROUP_12 and any(symbols[j] in _ANIONS for j in graph[i])
    }
    return [(i, j) for i, j in graph.edges if i in has_anion and j in has_anion]


def like_ion_bonds(
    symbols: Sequence[str], positions: FloatArray
) -> list[tuple[int, int]]:
    """Bonds anion to anion or cation to cation in a II-VI cluster; none in others.

    With such a bond its ions have other oxidation states: Se₂²⁻ beside Cd⁰. Two
    cations that both hold an anion are not told from neighbours across it.

    Examples
    --------
    >>> line = np.array([[0.0, 0, 0], [2.6, 0, 0], [5.0, 0, 0]])
    >>> like_ion_bonds(["Cd", "Se", "Se"], line)
    [(1, 2)]
    """
    if not (GROUP_12 & set(symbols) and CHALCOGENS & set(symbols)):
        return []
    like = (GROUP_12, _ANIONS)
    return [
        (i, j)
        for i, j in bond_graph(symbols, positions).edges
        if any(symbols[i] in ions and symbols[j] in ions for ions in like)
    ]


def clashes(
    symbols: Sequence[str], positions: FloatArray, ratio: float = 0.6
) -> list[tuple[int, int]]:
    """Pairs of atoms closer than `ratio` sums of covalent radii, the closest first."""
    ratios = distance_ratios(symbols, positions)
    close = np.argwhere(np.triu(ratios < ratio))
    return sorted(((int(i), int(j)) for i, j in close), key=lambda pair: ratios[pair])


def count_pieces(symbols: Sequence[str], positions: FloatArray) -> int:
    """Number of pieces that no bond (by the generous ratio) connects."""
    import networkx as nx

    graph = bond_graph(symbols, positions, ratio=BROKEN)
    return int(nx.number_connected_components(graph))


def connected_pieces(symbols: Sequence[str], positions: FloatArray) -> list[list[int]]:
    """The atoms of each molecule, both in the order of the atoms.

    Examples
    --------
    >>> line = np.array([[0.0, 0, 0], [3.0, 0, 0], [0.0, 0, 1.15]])
    >>> connected_pieces(["C", "H", "O"], line)
    [[0, 2], [1]]
    """
    import networkx as nx

    pieces = nx.connected_components(bond_graph(symbols, positions))
    return sorted(sorted(piece) for piece in pieces)


def changed_bonds(
    symbols: Sequence[str],
    before: FloatArray,
    after: FloatArray,
    images: NDArray[np.int64] | None = None,
) -> list[tuple[int, int]]:
    """Bonds that broke, then those that formed, with hysteresis.

    The symmetric images of a relaxed cluster differ a little, and a contact near the
    limit of a bond may be below it in one image alone. What became of a complex must
    not hang on the image it sits on, so each pair counts as near as its nearest image.

    Parameters
    ----------
    symbols
        Element of each atom.
    before, after : Å, shape (n_atoms, 3)
    images : shape (n_operations, n_atoms)
        How the symmetry of `before` permutes its atoms.
    """
    orders = np.arange(len(symbols))[None] if images is None else images

    def bonded_before(ratio: float) -> NDArray[np.bool_]:
        bonded = _make_bond_matrix(symbols, before, ratio)
        seen = [bonded[np.ix_(order, order)] for order in orders]
        return np.asarray(np.any(seen, axis=0))

    broken = bonded_before(FORMED) & ~_make_bond_matrix(symbols, after, BROKEN)
    formed = _make_bond_matrix(symbols, after, FORMED) & ~bonded_before(BROKEN)
    rows = [*np.argwhere(np.triu(broken)), *np.argwhere(np.triu(formed))]
    return [(int(i), int(j)) for i, j in rows]


def _make_bond_matrix(
    symbols: Sequence[str], positions: FloatArray, ratio: float
) -> NDArray[np.bool_]:
    """Whether each pair is bonded, shape (n_atoms, n_atoms)."""
    import networkx as nx

    graph = bond_graph(symbols, positions, ratio)
    return np.asarray(nx.to_numpy_array(graph, dtype=bool))


def triangles(graph: nx.Graph) -> list[tuple[int, int, int]]:
    """All triples of mutually bonded atoms, each sorted."""
    found = set()
    for i, j in graph.edges:
        for k in set(graph[i]) & set(graph[j]):
            found.add(tuple(sorted((i, j, k))))
    return sorted(found)


def squares(graph: nx.Graph) -> list[tuple[int, int, int, int]]:
    """All rings of four bonds without a diagonal, atoms in ring order."""
    found = {}
    for a, c in combinations(sorted(graph), 2):
        if graph.has_edge(a, c):
            continue
        for b, d in combinations(sorted(set(graph[a]) & set(graph[c])), 2):
            if not graph.has_edge(b, d):
                found[frozenset((a, b, c, d))] = (a, b, c, d)
    return sorted(found.values())


def hill_formula(symbols: Sequence[str]) -> str:
    """Formula in Hill order, such as CHO2."""
    counts: dict[str, int] = {}
    for symbol in symbols:
        counts[symbol] = counts.get(symbol, 0) + 1
    order = sorted(counts, key=lambda s: (s != "C", s != "H", s))
    if "C" not in counts:
        order = sorted(counts)
    return "".join(f"{s}{counts[s] if counts[s] > 1 else ''}" for s in order)
