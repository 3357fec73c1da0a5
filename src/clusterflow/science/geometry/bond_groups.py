"""What an adsorbate or a molecule is made of, as bonded: molecules, groups of bonds.

An error of a level of theory sits in a bond, so what counts is who is bonded to whom
in the relaxed geometry, and how long the bond is. The name of the adsorbate is not
asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.records.structure import Structure
from clusterflow.science.geometry.bonds import COVALENT, bond_graph, distances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import networkx as nx

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.common import AtomLine
    from clusterflow.library.find import Library
    from clusterflow.library.groups import GroupSpec

# Bonds of the anchors H2 and H2O alone: no error by definition.
_EXACT: Final = (frozenset({"H"}), frozenset({"H", "O"}))
_NEIGHBOURS_IN_NITRO: Final = 3
_VALENCES_OF_CARBON: Final = 4
# Two neighbours of a carbon of order two each; 117° in formaldehyde, 180° in CO2.
_STRAIGHT_DEGREES: Final = 150.0
# A molecule that has lost half a bond is no longer that molecule.
_SAME_MOLECULE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BondGroups:
    """What some atoms are made of, counted once each.

    molecules
        Whole ones, by name; their bonds are not among the groups.
    groups
        Bonds by group, in parts where a length is between two groups.
    rest
        Atoms that are in no molecule, by element.
    unknown
        Bonds of no group, such as ``C-O 1.26 Å``.
    """

    molecules: Counter[str] = field(default_factory=Counter)
    groups: Mapping[str, float] = field(default_factory=dict)
    rest: Counter[str] = field(default_factory=Counter)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMolecule:
    """A molecule that may be recognised: its bonds, and these by group."""

    graph: nx.Graph
    groups: Mapping[str, float]


def know_molecules(
    structures: Mapping[str, Structure], groups: Sequence[GroupSpec]
) -> dict[str, KnownMolecule]:
    """Molecules by name, from a geometry of each; bonds count in all of its atoms."""
    found = {}
    for name, structure in structures.items():
        graph = bond_graph(structure.symbols, structure.xyz)
        _add_lengths(graph, structure)
        counted = _count_bonds(graph, structure, groups)
        found[name] = KnownMolecule(graph=graph, groups=counted.groups)
    return found


def as_adsorbate(atoms: Sequence[AtomLine]) -> Structure:
    """Atoms as a library draws them, each with the role of an adsorbate."""
    return Structure(
        symbols=tuple(line[0] for line in atoms),
        positions=tuple(line[1:] for line in atoms),
        roles=("adsorbate",) * len(atoms),
        charge=0,
        multiplicity=1,
    )


def find_bond_groups(
    structure: Structure,
    groups: Sequence[GroupSpec],
    molecules: Mapping[str, KnownMolecule],
) -> BondGroups:
    """The molecules and groups of bonds of an adsorbate; its pieces one by one.

    A piece is a molecule if it has its bonds, none of them changed by half an order or
    more, and no covalent bond to the cluster; contact with metal changes no name.

    Parameters
    ----------
    structure
        The atoms of the adsorbate have that role.
    groups
        That there are.
    molecules
        From `know_molecules`.

    Notes
    -----
    A bond between the lengths of two groups has a part of each, linear in between. Of
    a carbon whose bonds come to more than its four valences, one of which a covalent
    bond to the cluster takes, all multiple bonds are weakened alike. Metal takes none:
    there the lengths say how much of a double bond is left.
    """
    import networkx as nx  # a tenth of what a figure would import

    own = [i for i, role in enumerate(structure.roles) if role == "adsorbate"]
    whole = bond_graph(structure.symbols, structure.xyz)
    _add_lengths(whole, structure)
    found: Counter[str] = Counter()
    counted: defaultdict[str, float] = defaultdict(float)
    rest: Counter[str] = Counter()
    unknown: list[str] = []
    for piece in nx.connected_components(whole.subgraph(own)):
        part = _count_bonds(whole.subgraph(piece), structure, groups, whole)
        name = _name_molecule(whole, piece, part.groups, molecules)
        if name is not None:
            found[name] += 1
            continue
        for group, n in part.groups.items():
            counted[group] += n
        rest += part.rest
        unknown += part.unknown
    return BondGroups(
        molecules=found, groups=dict(counted), rest=rest, unknown=tuple(sorted(unknown))
    )


def drawn_molecules(
    adsorbate: AdsorbateSpec,
    groups: Sequence[GroupSpec],
    molecules: Mapping[str, KnownMolecule],
) -> Counter[str]:
    """The molecules that the first form of an adsorbate is made of; none without."""
    if not adsorbate.forms:
        return Counter()
    drawn = as_adsorbate(adsorbate.forms[0].atoms)
    return find_bond_groups(drawn, groups, molecules).molecules


def drawn_molecules_of(
    library: Library,
) -> Callable[[AdsorbateSpec], Counter[str]]:
    """What names the gases of a library that an adsorbate is drawn as."""
    groups = library.groups()
    gases = {n: as_adsorbate(library.gas(n).atoms) for n in library.paths("gases")}
    known = know_molecules(gases, groups)
    return lambda adsorbate: drawn_molecules(adsorbate, groups, known)


def _add_lengths(graph: nx.Graph, structure: Structure) -> None:
    lengths = distances(structure.xyz)
    for i, j, bond in graph.edges(data=True):
        bond["length_a"] = float(lengths[i, j])


def _name_molecule(
    whole: nx.Graph,
    piece: Iterable[int],
    groups: Mapping[str, float],
    molecules: Mapping[str, KnownMolecule],
) -> str | None:
    """Which of the molecules a piece is, if any."""
    import networkx as nx

    graph = whole.subgraph(piece)
    if any(
        whole.nodes[i]["element"] != "H" and whole.nodes[j]["element"] in COVALENT
        for i in graph
        for j in set(whole[i]) - set(graph)
    ):
        return None
    for name, known in molecules.items():
        names = groups.keys() | known.groups.keys()
        if any(
            abs(groups.get(n, 0.0) - known.groups.get(n, 0.0)) >= _SAME_MOLECULE
            for n in names
        ):
            continue
        if nx.is_isomorphic(
            graph, known.graph, node_match=lambda a, b: a["element"] == b["element"]
        ):
            return name
    return None


def _count_bonds(
    graph: nx.Graph,
    structure: Structure,
    groups: Sequence[GroupSpec],
    whole: nx.Graph | None = None,
) -> BondGroups:
    """The bonds of a graph by group; `whole` has those to the cluster as well."""
    whole = graph if whole is None else whole
    counted: defaultdict[str, float] = defaultdict(float)
    unknown = []
    # Those whose groups follow from length, with their order.
    by_length: dict[frozenset[int], list[GroupSpec]] = {}
    orders: dict[frozenset[int], float] = {}
    for i, j, length_a in graph.edges.data("length_a"):
        bond = frozenset((i, j))
        elements = sorted(whole.nodes[k]["element"] for k in bond)
        same = [g for g in groups if sorted(g.bond) == elements]
        place = _find_place(i, j, whole, structure)
        placed = [g for g in same if g.place == place]
        order = _find_order(length_a, placed)
        if order is not None:
            by_length[bond], orders[bond] = placed, order
        elif set(elements) not in _EXACT:
            unknown.append(f"{'-'.join(elements)} {length_a:.2f} Å")
    for bond, kinds in by_length.items():
        order = 1 + (orders[bond] - 1) * min(
            _find_valence_left(k, graph, whole, orders) for k in bond
        )
        for group in kinds:
            # Linear between the orders of two groups; alone, it is the whole bond.
            part = max(0.0, 1 - abs(group.order - order)) if len(kinds) > 1 else 1.0
            if part:
                counted[group.name] += part
    return BondGroups(
        groups=dict(counted),
        rest=Counter(element for _, element in graph.nodes(data="element")),
        unknown=tuple(unknown),
    )


def _find_place(i: int, j: int, whole: nx.Graph, structure: Structure) -> str:
    """The place of a bond, by the neighbours of its ends that are no metal."""
    near = {
        k: [n for n in whole[k] if whole.nodes[n]["element"] in COVALENT | {"H"}]
        for k in (i, j)
    }
    for nitrogen, other in ((i, j), (j, i)):
        elements = [whole.nodes[n]["element"] for n in near[nitrogen]]
        if (
            whole.nodes[nitrogen]["element"] == "N"
            and whole.nodes[other]["element"] == "O"
            and len(elements) == _NEIGHBOURS_IN_NITRO
            and elements.count("O") > 1
        ):
            return "nitro"
    for carbon, other in ((i, j), (j, i)):
        elements = [whole.nodes[n]["element"] for n in near[carbon]]
        if whole.nodes[carbon]["element"] != "C" or "H" in elements:
            continue
        if whole.nodes[other]["element"] == "C":
            continue
        if len(elements) == 1 and near[other] == [carbon]:
            return "end-carbon"
        if len(elements) == 2 and near[other] == [carbon]:
            vectors = structure.xyz[near[carbon]] - structure.xyz[carbon]
            lengths = np.linalg.norm(vectors, axis=1)
            cosine = float(vectors[0] @ vectors[1] / lengths.prod())
            if np.degrees(np.arccos(np.clip(cosine, -1, 1))) > _STRAIGHT_DEGREES:
                return "straight-carbon"
    return "anywhere"


def _find_order(length_a: float, groups: Sequence[GroupSpec]) -> float | None:
    """The order of a bond by its length; None if it is shorter or longer than all."""
    lengths, orders = [], []
    for group in sorted(groups, key=lambda g: -g.order):
        lengths += [group.shortest_a or 0.0, group.longest_a or np.inf]
        orders += [group.order, group.order]
    if not groups or not lengths[0] <= length_a <= lengths[-1]:
        return None
    return float(np.interp(length_a, lengths, orders))


def _find_valence_left(
    atom: int,
    graph: nx.Graph,
    whole: nx.Graph,
    orders: Mapping[frozenset[int], float],
) -> float:
    """What part of its multiple bonds the valences of a carbon allow, 0 to 1."""
    if whole.nodes[atom]["element"] != "C":
        return 1.0
    near = [frozenset((atom, n)) for n in graph[atom]]
    wanted = sum(orders.get(bond, 1.0) - 1 for bond in near)
    bound = any(
        whole.nodes[n]["element"] in COVALENT for n in set(whole[atom]) - set(graph)
    )
    left = _VALENCES_OF_CARBON - len(near) - bound
    return float(np.clip(left / wanted, 0, 1)) if wanted > 0 else 1.0
