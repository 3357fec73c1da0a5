"""Which bonds hold an adsorbate on its cluster, as a relaxed minimum has them.

An atom of the adsorbate binds by as many electron pairs as it lacks bonds within the
adsorbate: the carbon of CH3 by one, that of CH by three, that of CHO by one, as its
double bond to oxygen is counted in. So CH3 and CH2OH are held by the same kind of bond,
CO and COH are not, whatever their names have in common. A bond that is as long as a
single one is none that is double: formaldehyde stretched over two atoms is held by its
carbon and by its oxygen. A molecule that lacks no bond is held as a whole, or lies
side-on with its carbon bound too.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.science.geometry.bonds import (
    BROKEN,
    CONTACT,
    COVALENT,
    FORMED,
    bond_graph,
    distance_ratios,
)

if TYPE_CHECKING:
    import networkx as nx

    from clusterflow.records.structure import Structure

# Bonds of a neutral atom with a closed shell.
VALENCE: Final = {
    **{"H": 1, "B": 3, "C": 4, "Si": 4, "N": 3, "P": 3, "As": 3},
    **{"O": 2, "S": 2, "Se": 2, "Te": 2, "F": 1, "Cl": 1, "Br": 1, "I": 1},
}
# As N(V), the usual way to draw nitrate, nitro groups and N2O without charges.
_VALENCE_IN_NITRO: Final = 5
# A whole diatomic that binds by a lone pair and takes electrons back.
_DIATOMICS: Final = {("C", "O"): ("C", "carbonyl"), ("N", "O"): ("N", "nitrosyl")}
# Longest double bond, in sums of covalent radii: 1.31 Å for C=O, 1.41 Å for C=C.
_LONGEST_DOUBLE: Final = 0.925
# Carbon monoxide that an anion has taken up: OCSe is another molecule.
CARBONYL_CHALCOGENIDE: Final = "carbonyl chalcogenide"
# A bond by the element of the adsorbate and the electron pairs it takes part with.
_KINDS: Final = {
    ("H", 1): "hydride",
    ("C", 1): "alkyl",
    ("C", 2): "carbene",
    ("C", 3): "carbyne",
    ("C", 4): "carbide",
    ("O", 1): "alkoxide",
    ("O", 2): "oxide",
    ("N", 1): "amide",
    ("N", 2): "imide",
    ("N", 3): "nitride",
    ("S", 1): "thiolate",
    ("S", 2): "sulfide",
}


@dataclass(frozen=True, slots=True, order=True)
class SurfaceBond:
    """One bond of an adsorbate to a cluster.

    Attributes
    ----------
    kind
        As the field calls it: ``hydride``, ``carbonyl`` (``carbonyl chalcogenide``
        where an anion has taken the molecule up), ``acyl``, ``alkyl``,
        ``carbene``, ``carbyne`` (``Fischer carbene``, ``Fischer carbyne`` with oxygen
        on the carbon), ``carbide``, ``alkoxide`` (of OH too), ``peroxide``, ``oxide``,
        ``carboxylate``, ``amide``, ``imide``, ``nitride``, ``nitrosyl``, ``nitro``,
        ``nitrito``, ``nitrato``, and of a whole molecule ``side-on`` or ``molecular``.
    element
        Of the cluster atom it is with; ``Cd+Se`` where it is with both.
    """

    kind: str
    element: str

    def __str__(self) -> str:
        return f"{self.kind} on {self.element}"


def surface_bonds(structure: Structure) -> tuple[SurfaceBond, ...]:
    """The bonds between an adsorbate and its cluster, sorted.

    Every atom of the adsorbate that lacks bonds and touches the cluster has one, and
    so has every molecule of it that lacks none. Empty where nothing touches.

    Parameters
    ----------
    structure
        A complex; the atoms of the adsorbate have the role ``adsorbate``.

    Examples
    --------
    >>> from clusterflow.records.structure import Structure
    >>> hydrogen = Structure(
    ...     symbols=("Cu", "Cu", "H"),
    ...     positions=((0, 0, 0), (2.2, 0, 0), (1.1, 1.2, 0)),
    ...     roles=("core", "core", "adsorbate"),
    ...     charge=0,
    ...     multiplicity=2,
    ... )
    >>> [str(bond) for bond in surface_bonds(hydrogen)]
    ['hydride on Cu']
    """
    import networkx as nx  # a tenth of what a figure would import

    own = [i for i, role in enumerate(structure.roles) if role == "adsorbate"]
    host = [i for i, role in enumerate(structure.roles) if role != "adsorbate"]
    if not own or not host:
        return ()
    ratios = distance_ratios(structure.symbols, structure.xyz)[np.ix_(own, host)]
    names, positions = [structure.symbols[i] for i in own], structure.xyz[own]
    graph = bond_graph(names, positions, BROKEN)
    within = distance_ratios(names, positions)
    nx.set_edge_attributes(
        graph,
        {(i, j): bool(within[i, j] < _LONGEST_DOUBLE) for i, j in graph.edges},
        "short",
    )
    touching = {i for i in graph if ratios[i].min() < CONTACT}
    found = []
    symbols = [structure.symbols[i] for i in host]
    for piece in nx.connected_components(graph):
        nearest = {i: float(ratios[i].min()) for i in sorted(piece & touching)}
        for atom, kind in _find_binding_atoms(graph.subgraph(piece), nearest):
            partners = _name_partners(ratios[atom], symbols)
            if kind == "carbonyl" and _has_covalent_bond(ratios[atom], symbols):
                kind = CARBONYL_CHALCOGENIDE
            found.append(SurfaceBond(kind, partners))
    return tuple(sorted(found))


def holds_carbonyl_chalcogenide(structure: Structure) -> bool:
    """Whether an anion of the cluster has taken up carbon monoxide.

    Asked of each minimum; few need more than a look at the distances.
    """
    pairs = list(zip(structure.symbols, structure.roles, strict=True))
    carbon = [i for i, pair in enumerate(pairs) if pair == ("C", "adsorbate")]
    anions = [i for i, (s, r) in enumerate(pairs) if r != "adsorbate" and s in COVALENT]
    if not carbon or not anions:
        return False
    ratios = distance_ratios(structure.symbols, structure.xyz)[np.ix_(carbon, anions)]
    if not (ratios < FORMED).any():
        return False
    bonds = surface_bonds(structure)
    return any(bond.kind == CARBONYL_CHALCOGENIDE for bond in bonds)


def _find_binding_atoms(
    molecule: nx.Graph, nearest: dict[int, float]
) -> list[tuple[int, str]]:
    """The atoms by which one molecule binds, and the kind of each bond.

    Parameters
    ----------
    molecule
        Bonds of the molecule; nodes carry ``element``, and edges whether they are
        ``short`` enough for a double bond.
    nearest
        Of its atoms that touch the cluster, the distance to it, in bond lengths.
    """
    if not nearest:
        return []
    elements = dict(molecule.nodes.data("element"))
    closest = min(nearest, key=nearest.__getitem__)
    diatomic = _DIATOMICS.get(tuple(sorted(elements.values())))
    if diatomic is not None:
        foot, kind = diatomic
        return [(closest, kind if elements[closest] == foot else "molecular")]
    lacking, doubled = _pair_electrons(molecule, set(nearest), closest)
    if not any(lacking.values()):
        bonded = [i for i in nearest if elements[i] == "C" and nearest[i] < FORMED]
        return [(bonded[0], "side-on")] if bonded else [(closest, "molecular")]
    return [
        (i, _name_kind(i, lacking[i], molecule, doubled)) for i in nearest if lacking[i]
    ]


def _pair_electrons(
    molecule: nx.Graph, touching: set[int], closest: int
) -> tuple[dict[int, int], set[frozenset[int]]]:
    """How many bonds each atom lacks after all double bonds are made, and these.

    As many electrons as possible pair up between neighbours, and those that are left
    sit on atoms that touch the cluster where there is a choice.
    """
    import networkx as nx

    lacking = {
        i: max(0, _find_valence(i, molecule, closest) - molecule.degree(i))
        for i in molecule
    }
    electrons = nx.Graph()
    electrons.add_nodes_from((i, n) for i in molecule for n in range(lacking[i]))
    for i, j, short in molecule.edges.data("short"):
        if not short:
            continue
        away = 3 - len({i, j} & touching)
        electrons.add_edges_from(
            ((i, n), (j, m), {"weight": away})
            for n, m in itertools.product(range(lacking[i]), range(lacking[j]))
        )
    pairs = nx.max_weight_matching(electrons, maxcardinality=True)
    for (i, _), (j, _) in pairs:
        lacking[i] -= 1
        lacking[j] -= 1
    return lacking, {frozenset((i, j)) for (i, _), (j, _) in pairs}


def _find_valence(atom: int, molecule: nx.Graph, closest: int) -> int:
    """Bonds of an atom with a closed shell; a nitrogen may need five for its oxygen."""
    elements = dict(molecule.nodes.data("element"))
    if elements[atom] == "N":
        near = sorted(elements[j] for j in molecule[atom])
        ends = all(molecule.degree(j) == 1 for j in molecule[atom])
        is_nitro = len(near) == 3 and near.count("O") > 1
        # NO2 is a nitro group by its nitrogen, and a nitrite by its oxygen.
        is_nitrogen_dioxide = near == ["O", "O"] and ends and atom == closest
        if is_nitro or is_nitrogen_dioxide or (near == ["N", "O"] and ends):
            return _VALENCE_IN_NITRO
    return VALENCE.get(elements[atom], 0)


def _name_kind(
    atom: int, lacking: int, molecule: nx.Graph, doubled: set[frozenset[int]]
) -> str:
    elements = dict(molecule.nodes.data("element"))

    def has_double_bond_to_oxygen(i: int, but: int | None = None) -> bool:
        return any(
            elements[j] == "O" and j != but and frozenset((i, j)) in doubled
            for j in molecule[i]
        )

    kind = _KINDS.get((elements[atom], lacking), f"{elements[atom]}, {lacking} bonds")
    has_oxygen = any(elements[j] == "O" for j in molecule[atom])
    if kind in ("carbene", "carbyne") and has_oxygen:
        return f"Fischer {kind}"
    if kind == "alkyl" and has_double_bond_to_oxygen(atom):
        return "acyl"
    if kind == "amide" and has_double_bond_to_oxygen(atom):
        return "nitro"
    if kind != "alkoxide":
        return kind
    if has_oxygen:
        return "peroxide"
    for i in molecule[atom]:
        if has_double_bond_to_oxygen(i, but=atom):
            if elements[i] != "N":
                return "carboxylate"
            return "nitrito" if molecule.degree(i) == 2 else "nitrato"
    return kind


def _has_covalent_bond(ratios: np.ndarray, symbols: list[str]) -> bool:
    """Whether an atom has a bond to an anion or a ligand atom of the cluster."""
    bonded = (s for s, ratio in zip(symbols, ratios, strict=True) if ratio < FORMED)
    return any(symbol in COVALENT for symbol in bonded)


def _name_partners(ratios: np.ndarray, symbols: list[str]) -> str:
    """The element nearest to an atom, and any other that is as near as a bond."""
    nearest = symbols[int(ratios.argmin())]
    bonded = {s for s, ratio in zip(symbols, ratios, strict=True) if ratio < FORMED}
    return "+".join(sorted({nearest} | bonded))
