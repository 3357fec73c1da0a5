"""What became of an adsorbate: judged by who is bonded to whom, never by energy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from networkx.algorithms.isomorphism import categorical_node_match

from clusterflow.science.clusters.ligands import ligands_of
from clusterflow.science.geometry.bonds import (
    BROKEN,
    CONTACT,
    COVALENT,
    FORMED,
    bond_graph,
    changed_bonds,
    distance_ratios,
    hill_formula,
)
from clusterflow.science.geometry.symmetry import own_permutations

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.common import AtomLine
    from clusterflow.records.adsorption import Fate
    from clusterflow.records.structure import Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class FateVerdict:
    """The fate of a relaxed complex, and whether the cluster kept its bonds."""

    fate: Fate
    detail: str
    core_intact: bool


def intended_graphs(adsorbate: AdsorbateSpec) -> list[nx.Graph]:
    """The bonds of each form of an adsorbate, without the surface: to be read."""
    return [_make_form_graph(form.atoms) for form in adsorbate.forms]


# Each outcome is held against all forms of all species.
@cache
def _make_form_graph(atoms: tuple[AtomLine, ...]) -> nx.Graph:
    graph = bond_graph(
        [line[0] for line in atoms],
        np.array([line[1:] for line in atoms], dtype=float),
    )
    return nx.freeze(graph)


def judge_complex(
    complex_: Structure,
    host: Structure,
    adsorbate: AdsorbateSpec,
    others: Mapping[str, AdsorbateSpec],
) -> FateVerdict:
    """What a relaxed complex is.

    Parameters
    ----------
    complex_
        Host atoms first, then those of the adsorbate.
    host
        The bare cluster it was placed on.
    adsorbate
        What was placed.
    others
        Species it may have become, by name.
    """
    n_host = len(host.symbols)
    positions = complex_.xyz
    before, after = host.xyz, positions[:n_host]
    changed = changed_bonds(host.symbols, before, after, own_permutations(host))
    symbols = complex_.symbols[n_host:]
    graph = settled_graph(complex_, n_host, adsorbate)
    touching = _find_touching_atoms(complex_, n_host)
    fate, detail = _name_fate(graph, touching, adsorbate, others)
    taken = hydrides_taken(complex_, n_host)
    if fate == "intact" and taken:
        whole = hill_formula([*symbols, *["H"] * len(taken)])
        fate, detail = "became", f"{whole} with hydrogen of the cluster"
    elif fate == "intact" and changed:
        fate, detail = _judge_host(host, changed)
    return FateVerdict(fate=fate, detail=detail, core_intact=not changed)


def bonds_to_nonmetals(complex_: Structure) -> set[str]:
    """Covalent bonds between an adsorbate and nonmetals of its cluster: ``{"C-Se"}``.

    Hydrogen of the adsorbate is left out: it is the bridge of a hydrogen bond, or has
    gone over to the cluster and is no longer of the molecule.

    Parameters
    ----------
    complex_
        The atoms of the adsorbate have that role.
    """
    found = _list_bond_kinds(complex_, FORMED)
    return {f"{a}-{b}" for a, b in found if a != "H" and b in COVALENT}


def why_other_bonds(
    before: Structure, after: Structure, adsorbate: AdsorbateSpec
) -> str:
    """Why a complex is another species than it was, whatever its fate; or empty.

    Bonds to the cluster count by kind, so that a move to another site of the same
    elements is none.

    Parameters
    ----------
    before, after
        Of the same atoms, those of the adsorbate last and with that role.
    """
    n_host = sum(role != "adsorbate" for role in before.roles)
    old, new = (settled_graph(one, n_host, adsorbate) for one in (before, after))
    if not _is_same_graph(old, new):
        return "has other bonds of its own"
    if gained := bonds_to_nonmetals(after) - bonds_to_nonmetals(before):
        return f"has bonded to a nonmetal of the cluster: {_join_sorted(gained)}"
    was, now = (
        {"-".join(kind) for kind in _list_bond_kinds(one, CONTACT)}
        for one in (before, after)
    )
    if was and now and not was & now:
        return f"is bound by {_join_sorted(now)}, no longer by {_join_sorted(was)}"
    return ""


def _list_bond_kinds(complex_: Structure, ratio: float) -> set[tuple[str, str]]:
    """Elements of each close contact: that of the adsorbate, that of the cluster."""
    own = np.array([role == "adsorbate" for role in complex_.roles], dtype=bool)
    close = distance_ratios(complex_.symbols, complex_.xyz) < ratio
    symbols = np.array(complex_.symbols)
    pairs = np.argwhere(close[np.ix_(own, ~own)])
    return {(str(symbols[own][i]), str(symbols[~own][j])) for i, j in pairs}


def _join_sorted(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


def _judge_host(host: Structure, changed: list[tuple[int, int]]) -> tuple[Fate, str]:
    """What the cluster under an intact adsorbate did: its core, or ligands alone."""
    bound = [i for i, role in enumerate(host.roles) if role == "ligand"]
    if any(not set(bond) & set(bound) for bond in changed):
        return "reconstructed", "the cluster changed its bonds"
    pieces = ligands_of(host.symbols, host.xyz, bound)
    moved = [piece for piece in pieces if any(set(b) & set(piece) for b in changed)]
    names = Counter(hill_formula([host.symbols[i] for i in piece]) for piece in moved)
    listed = ", ".join(f"{n} {name}" for name, n in sorted(names.items()))
    return "ligand-migrated", f"{listed} with other bonds"


def settled_graph(
    complex_: Structure, n_host: int, adsorbate: AdsorbateSpec
) -> nx.Graph:
    """Bonds within what was placed, with hysteresis: the intended ones break only late.

    That of a hydrogen which the cluster has bonded breaks at once: it has moved over.
    (Of H2 both ends are bonded to the cluster, and it still is a molecule.)

    Parameters
    ----------
    complex_
        Host atoms first, `n_host` of them, then those of the adsorbate.
    adsorbate
        What was placed.
    """
    symbols = complex_.symbols[n_host:]
    positions = complex_.xyz[n_host:]
    given = _find_given_hydrogens(complex_, n_host)
    graph = bond_graph(symbols, positions, FORMED)
    loose = bond_graph(symbols, positions, BROKEN)
    for intended in intended_graphs(adsorbate):
        same_atoms = all(
            intended.nodes[i]["element"] == s for i, s in enumerate(symbols)
        )
        if same_atoms and all(loose.has_edge(*bond) for bond in intended.edges):
            graph.add_edges_from(e for e in intended.edges if len(given & set(e)) != 1)
            break
    return graph


def _find_touching_atoms(complex_: Structure, n_host: int) -> set[int]:
    """Adsorbate atoms, counted from 0, within reach of the cluster.

    Its support is none of it: what has gone over to that has left the cluster.
    """
    ratios = distance_ratios(complex_.symbols, complex_.xyz)
    own = np.array(complex_.roles[:n_host]) != "support"
    close = ratios[:n_host, n_host:][own] < CONTACT
    return {int(i) for i in np.flatnonzero(close.any(axis=0))}


def _find_given_hydrogens(complex_: Structure, n_host: int) -> set[int]:
    """Hydrogens of the adsorbate, counted from 0, that have bonded to the cluster."""
    graph = bond_graph(complex_.symbols, complex_.xyz, FORMED)
    return {
        i - n_host
        for i in range(n_host, len(complex_.symbols))
        if complex_.symbols[i] == "H" and any(j < n_host for j in graph[i])
    }


def hydrides_taken(complex_: Structure, n_host: int) -> set[int]:
    """Hydrogens of the cluster, of its ligands too, that the adsorbate has bonded."""
    graph = bond_graph(complex_.symbols, complex_.xyz, FORMED)
    return {
        i
        for i in range(n_host)
        if complex_.symbols[i] == "H"
        and complex_.roles[i] in ("hydride", "ligand")
        and any(j >= n_host for j in graph[i])
    }


def _name_fate(
    graph: nx.Graph,
    touching: set[int],
    adsorbate: AdsorbateSpec,
    others: Mapping[str, AdsorbateSpec],
) -> tuple[Fate, str]:
    pieces = [graph.subgraph(c) for c in nx.connected_components(graph)]
    if _is_form_of(graph, adsorbate):
        loose = [piece for piece in pieces if not touching & set(piece)]
        if loose:
            away = " + ".join(sorted(_write_formula(piece) for piece in loose))
            return "desorbed", f"{away} is out of reach of the cluster"
        return "intact", ""
    for name, other in others.items():
        if _is_form_of(graph, other):
            return "became", name
    if len(pieces) > 1:
        return "dissociated", " + ".join(
            sorted(_write_formula(piece) for piece in pieces)
        )
    return "became", "an unlisted isomer"


def _is_form_of(graph: nx.Graph, adsorbate: AdsorbateSpec) -> bool:
    return any(
        _is_same_graph(graph, intended) for intended in intended_graphs(adsorbate)
    )


def _write_formula(piece: nx.Graph) -> str:
    return hill_formula([piece.nodes[i]["element"] for i in piece])


def _is_same_graph(left: nx.Graph, right: nx.Graph) -> bool:
    return bool(
        nx.is_isomorphic(left, right, node_match=categorical_node_match("element", ""))
    )
