"""A minimum in which one adsorbate has become another, as a start of that one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from networkx.algorithms.isomorphism import GraphMatcher, categorical_node_match

from clusterflow.science.adsorption.outcome import intended_graphs, settled_graph
from clusterflow.science.adsorption.starts_at_random import touched_site
from clusterflow.science.adsorption.starts_on_sites import Start, join

if TYPE_CHECKING:
    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.records.adsorption import Offer
    from clusterflow.records.structure import Structure


def offered_start(
    offer: Offer,
    host: Structure,
    was: AdsorbateSpec,
    now: AdsorbateSpec,
    *,
    multiplicity: int,
) -> Start | None:
    """The geometry of an offer with the atoms of a form of what it has become.

    None if no form has its bonds, or if the charges of the two differ.

    Parameters
    ----------
    host
        The isomer it was placed on.
    was, now
        What was placed, and what that has become.
    """
    if was.charge != now.charge:
        return None
    n_host = len(host.symbols)
    positions = offer.structure.xyz
    graph = settled_graph(offer.structure, n_host, was)
    same_element = categorical_node_match("element", "")
    for form, intended in zip(now.forms, intended_graphs(now), strict=True):
        matcher = GraphMatcher(intended, graph, same_element)
        if not matcher.is_isomorphic():
            continue
        order = [n_host + matcher.mapping[i] for i in range(len(intended))]
        symbols = [offer.structure.symbols[i] for i in order]
        # The cluster may have moved on the way, and has the right to stay there.
        there = host.model_copy(
            update={"positions": offer.structure.positions[:n_host]}
        )
        structure = join(there, symbols, positions[order], now, multiplicity)
        return Start(
            structure=structure,
            site=touched_site(structure, n_host),
            form=form.name,
            clearance=0.0,
            placed="offered",
        )
    return None
