"""Which atoms of a structure are core, hydride or ligand, by who is bonded to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.science.geometry.bonds import (
    CHALCOGENS,
    HALOGENS,
    NONMETALS,
    bond_graph,
    distance_ratios,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.clusters import Role
    from clusterflow.science.geometry.bonds import FloatArray


def guess_roles(symbols: Sequence[str], positions: FloatArray) -> list[Role]:
    """The role of each atom of a cluster without adsorbates.

    Metal atoms are core. A hydrogen whose nearest atom is a metal is a hydride. Of the
    other non-metals, what is bonded to each other is one piece: chalcogen alone
    belongs to the core, and so does a single atom of another kind that is bonded to
    metals on all sides (a carbide, say); every other piece, and every halogen, is a
    ligand. Without metal atoms all is core.

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)

    Examples
    --------
    >>> import numpy as np
    >>> line = np.array([[0, 0, 0], [0, 0, 2.3], [0, 0, 3.64], [0, 0, -1.6]])
    >>> guess_roles(["Au", "S", "H", "H"], line)
    ['core', 'ligand', 'ligand', 'hydride']
    """
    import networkx as nx

    roles: list[Role] = ["core"] * len(symbols)
    if not set(symbols) - NONMETALS:
        return roles
    nearest = distance_ratios(symbols, positions).argmin(axis=1)
    graph = bond_graph(symbols, positions)
    rest = set()
    for i, symbol in enumerate(symbols):
        if symbol == "H" and symbols[nearest[i]] not in NONMETALS:
            roles[i] = "hydride"
        elif symbol in NONMETALS:
            rest.add(i)
    for piece in nx.connected_components(graph.subgraph(rest)):
        elements = {symbols[i] for i in piece}
        inside = len(piece) == 1 and not elements & (HALOGENS | {"N", "H"})
        if not (elements <= CHALCOGENS or inside):
            for i in piece:
                roles[i] = "ligand"
    return roles
