"""Whether two complexes of one cluster and one adsorbate are the same.

They are if one operation of the bare cluster's point group, with some order of the
adsorbate's like atoms, brings every distance of the one to that of the other. Distances
do not know left from right, so mirror images are the same as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from networkx.algorithms.isomorphism import GraphMatcher, categorical_node_match

from clusterflow.science.geometry.bonds import bond_graph, distances

if TYPE_CHECKING:
    from collections.abc import Iterator

    import networkx as nx

    from clusterflow.records.structure import Structure
    from clusterflow.science.geometry.bonds import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a complex is compared.

    distances : Å, shape (n_atoms, n_atoms), those of the host first
    spectrum : Å, the same, sorted within each pair of elements
    bonds : of the adsorbate alone, atoms counted from 0
    labelled : whether the host still is the one whose symmetry is known
    """

    distances: FloatArray
    spectrum: FloatArray
    bonds: nx.Graph
    labelled: bool


def shape_of(complex_: Structure, n_host: int, *, core_intact: bool) -> Shape:
    """The shape of a complex whose first `n_host` atoms are the cluster's."""
    positions = complex_.xyz
    gaps = distances(positions)
    return Shape(
        distances=gaps,
        spectrum=_sort_distances(complex_.symbols, gaps),
        bonds=bond_graph(complex_.symbols[n_host:], positions[n_host:]),
        labelled=core_intact,
    )


def near_shape(first: Shape, second: Shape, tolerance_a: float) -> bool:
    """Whether two complexes may be one: quick, and right wherever it says no."""
    gaps = np.abs(first.spectrum - second.spectrum)
    return bool(gaps.max(initial=0.0) < tolerance_a)


def same_shape(
    first: Shape, second: Shape, permutations: np.ndarray, tolerance_a: float
) -> bool:
    """Whether two complexes are one, as the text of this module says.

    Where the cluster has changed its bonds in both, its atoms may have changed places
    in a way that its symmetry does not know: sorted distances then decide.

    Parameters
    ----------
    permutations : shape (n_operations, n_host)
        How the bare cluster's symmetry moves its atoms, identity included.
    tolerance_a
        Largest difference of a distance, Å.

    Examples
    --------
    >>> from clusterflow.records.structure import Structure
    >>> def hydrogen(x):
    ...     complex_ = Structure(
    ...         symbols=("Cu", "Cu", "H"),
    ...         positions=((0, 0, 0), (2.4, 0, 0), (x, 1.5, 0)),
    ...         roles=("core", "core", "adsorbate"),
    ...         charge=0,
    ...         multiplicity=2,
    ...     )
    ...     return shape_of(complex_, 2, core_intact=True)
    >>> swap = np.array([[0, 1], [1, 0]])
    >>> same_shape(hydrogen(0.1), hydrogen(2.3), swap, 0.01)
    True
    >>> same_shape(hydrogen(0.1), hydrogen(1.2), swap, 0.01)
    False
    """
    if not near_shape(first, second, tolerance_a):
        return False
    if not (first.labelled or second.labelled):
        return True
    n_host = permutations.shape[1]
    for own in _match_atoms(first.bonds, second.bonds):
        for permutation in permutations:
            order = np.concatenate([permutation, n_host + own])
            moved = second.distances[np.ix_(order, order)]
            if np.abs(first.distances - moved).max() < tolerance_a:
                return True
    return False


def _sort_distances(symbols: tuple[str, ...], gaps: FloatArray) -> FloatArray:
    """Distances sorted within each pair of elements: a bound that costs nothing."""
    upper = np.array(np.triu_indices(len(symbols), k=1))
    kinds = np.sort(np.unique(symbols, return_inverse=True)[1][upper], axis=0)
    between = gaps[upper[0], upper[1]]
    return np.asarray(between[np.lexsort((between, kinds[1], kinds[0]))])


def _match_atoms(first: nx.Graph, second: nx.Graph) -> Iterator[np.ndarray]:
    """Ways to lay the bonds of one adsorbate on those of another, atom by atom."""
    matcher = GraphMatcher(first, second, categorical_node_match("element", ""))
    for mapping in matcher.isomorphisms_iter():
        yield np.array([mapping[i] for i in range(len(first))], dtype=int)
