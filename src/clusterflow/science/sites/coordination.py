"""Generalized coordination numbers of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.science.geometry.bonds import CHALCOGENS, GROUP_12, NONMETALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import networkx as nx

    from clusterflow.library.adsorbates import SiteKind

# Different neighbours that the atoms of a site have in the bulk. Of a close-packed
# metal, doi:10.1002/anie.201402958; of zinc blende, where each atom has four and two
# cations share one anion at most, by counting. A ring of four does not occur in it:
# there each atom has two neighbours outside the ring.
MOST_METAL: Mapping[SiteKind, int] = {
    "top": 12,
    "bridge": 18,
    "hollow3": 22,
    "hollow4": 26,
}
MOST_II_VI: Mapping[SiteKind, int] = {"top": 4, "pair": 6, "bridge": 7, "hollow4": 8}


def generalized_coordination_number(
    kind: SiteKind, atoms: Sequence[int], lattice: nx.Graph
) -> float | None:
    """Coordination of the neighbours of a site, on the scale of the bulk.

    The sum of the coordination numbers of all neighbours of the site's atoms, each
    counted once, over the number of neighbours such a site has in the bulk.

    Parameters
    ----------
    kind
        Kind of the site.
    atoms
        Its atoms.
    lattice
        Bonds among the core atoms alone; nodes carry ``element``. Only metals and
        II-VI compounds have a scale.

    Returns
    -------
    None where there is no scale: another material, or an atom outside the lattice.

    References
    ----------
    F. Calle-Vallejo et al., Angew. Chem. Int. Ed. 53, 8316 (2014),
    doi:10.1002/anie.201402958.

    Examples
    --------
    >>> import numpy as np
    >>> from clusterflow.science.geometry.bonds import bond_graph
    >>> dimer = bond_graph(["Cu", "Cu"], np.array([[0, 0, 0], [0, 0, 2.22]]))
    >>> round(generalized_coordination_number("top", [0], dimer), 4)
    0.0833
    """
    most = _choose_bulk_counts(lattice).get(kind)
    if most is None or not set(atoms) <= set(lattice):
        return None
    neighbours = {j for i in atoms for j in lattice[i]} - set(atoms)
    return float(sum(lattice.degree[j] for j in neighbours) / most)


def _choose_bulk_counts(lattice: nx.Graph) -> Mapping[SiteKind, int]:
    elements = {element for _, element in lattice.nodes(data="element")}
    if not elements & NONMETALS:
        return MOST_METAL
    if elements & GROUP_12 and elements & CHALCOGENS:
        return MOST_II_VI
    return {}
