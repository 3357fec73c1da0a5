"""Ligands cut down to small models: SR to SH or SCH3, SeR to SeH, PR3 to PH3."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import networkx as nx
import numpy as np

from clusterflow.science.geometry.bonds import NONMETALS, bond_graph, hill_formula

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.geometry.bonds import FloatArray

LigandModel = Literal["SH", "SCH3", "SeH", "PH3"]
MODELS: tuple[LigandModel, ...] = get_args(LigandModel)

# Measured bond lengths of CH4, NH3, H2O, SiH4, PH3, H2S and H2Se, Å: 10.18434/T47C7Z.
H_BOND_A = {
    **{"C": 1.087, "N": 1.012, "O": 0.958},
    **{"Si": 1.480, "P": 1.421, "S": 1.336, "Se": 1.460},
}
# Elements that hold a ligand on a metal; hydrogens and carbons that lean on one do not.
_DONORS = NONMETALS - {"H", "C", "B", "Si"}
_TETRAHEDRAL = np.arccos(-1 / 3)
# Two hydrogens that replace one carbon (DPPM) would stand at 0.7 Å, as in H2; so far
# apart they are none, and lean by some 25°, Å.
_APART_A = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Ligands of one kind that were cut, and what they became."""

    before: str
    after: str
    count: int
    n_bonds: int
    n_donors: int

    def __str__(self) -> str:
        many = f"{self.n_donors} " if self.n_donors > 1 else ""
        chelating = " (chelating)" if self.n_donors > 1 else ""
        bonds = "bond" if self.count * self.n_bonds == 1 else "bonds"
        return (
            f"{self.count} × {self.before}{chelating} -> {many}{self.after}, "
            f"{self.count * self.n_bonds} {bonds} cut"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated:
    """A cluster with small ligands, and the cuts that made them.

    kept
        Index in the original of each atom that stayed, in order; hydrogens and carbons
        put on stand behind them.
    """

    symbols: tuple[str, ...]
    positions: FloatArray
    kept: tuple[int, ...]
    cuts: tuple[Cut, ...]


@dataclass(slots=True, kw_only=True)
class _Ligand:
    """One ligand: its donors, the organic rest, and the model it is to become."""

    donors: list[int]
    rest: set[int]
    model: LigandModel


def truncate_ligands(
    symbols: Sequence[str], positions: FloatArray, models: Sequence[LigandModel]
) -> Truncated:
    """A cluster whose thiolates, selenolates or phosphines are cut down to models.

    A ligand is found by its donor, an S, Se or P bonded to a metal and to carbon. The
    rest is cut away at the first bond (SH, SeH, PH3) or behind the first carbon (SCH3);
    hydrogen takes the place of what was cut, along the bond. A group R and a hydrogen
    atom each share one electron, so the electron count keeps its parity and the
    superatom its electrons. Two donors on one rest are two models.

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    models
        What ligands become; those of other donors stay.

    Raises
    ------
    ValueError
        For a ligand that cannot be cut without changing the cluster, if there is none,
        or for two models of one donor.

    Examples
    --------
    >>> xyz = np.array([[0, 0, 0], [2.2, 0, 0], [2.8, 1.7, 0]])
    >>> found = truncate_ligands(["Cu", "S", "C"], xyz, ["SH"])
    >>> found.symbols, str(found.cuts[0])
    (('Cu', 'S', 'H'), '1 × CS -> SH, 1 bond cut')
    """
    _refuse_rivals(models)
    positions = np.asarray(positions, dtype=float)
    graph = bond_graph(symbols, positions)
    found = [
        ligand
        for model in models
        for ligand in _find_ligands(graph, symbols, _get_donor(model), model)
    ]
    if not found:
        raise ValueError(
            f"there is no ligand to become {' or '.join(models)}: "
            "no such donor is bonded to both metal and carbon"
        )
    kept = sorted(set(graph) - {i for ligand in found for i in ligand.rest})
    added = [
        cap for ligand in found for cap in _make_caps(graph, symbols, positions, ligand)
    ]
    return Truncated(
        symbols=(*(symbols[i] for i in kept), *(cap.symbol for cap in added)),
        positions=np.vstack([positions[kept], *(cap.position for cap in added)]),
        kept=tuple(kept),
        cuts=_count_cuts(graph, symbols, found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CapAtom:
    """An atom put where a bond was cut."""

    symbol: str
    position: FloatArray


def hydrogen_cap(symbol: str, start: FloatArray, towards: FloatArray) -> CapAtom:
    """Hydrogen on an atom, at the usual length, along the bond to what was cut off."""
    bond = towards - start
    place = start + H_BOND_A[symbol] * bond / np.linalg.norm(bond)
    return CapAtom(symbol="H", position=place)


def _get_donor(model: LigandModel) -> str:
    return {"SH": "S", "SCH3": "S", "SeH": "Se", "PH3": "P"}[model]


def _refuse_rivals(models: Sequence[LigandModel]) -> None:
    for k, model in enumerate(models):
        for other in models[:k]:
            if _get_donor(other) == _get_donor(model):
                raise ValueError(
                    f"{other} and {model} both replace ligands of {_get_donor(model)}; "
                    "choose one"
                )


def _find_ligands(
    graph: nx.Graph, symbols: Sequence[str], donor: str, model: LigandModel
) -> list[_Ligand]:
    """Ligands with a donor of an element that is bonded to metal and to carbon."""
    metals = {i for i in graph if symbols[i] not in NONMETALS}
    donors = [
        i
        for i in graph
        if symbols[i] == donor
        and metals & set(graph[i])
        and any(
            symbols[j] not in {"H", *(symbols[m] for m in metals)} for j in graph[i]
        )
    ]
    organic = graph.subgraph(i for i in graph if i not in metals and i not in donors)
    pieces = {}
    for piece in nx.connected_components(organic):
        for i in piece:
            pieces[i] = piece
    found: dict[frozenset[int], _Ligand] = {}
    for i in donors:
        _refuse_partners(graph, symbols, i, metals)
        rests = [pieces[j] for j in graph[i] if symbols[j] == "C"]
        joined = frozenset().union(*rests)
        known = [key for key in found if key & joined]
        held = [i, *(d for key in known for d in found.pop(key).donors)]
        joined = joined.union(*known)
        found[joined] = _Ligand(donors=sorted(held), rest=set(joined), model=model)
    for ligand in found.values():
        _refuse_other_donors(graph, symbols, ligand, metals)
    return list(found.values())


def _refuse_partners(
    graph: nx.Graph, symbols: Sequence[str], donor: int, metals: set[int]
) -> None:
    """Refuse a donor that is none of a thiolate, selenolate or phosphine."""
    partners = [symbols[j] for j in sorted(graph[donor]) if j not in metals]
    wanted = 3 if symbols[donor] == "P" else 1
    if set(partners) - {"C", "H"} or len(partners) != wanted:
        kind = "phosphine" if symbols[donor] == "P" else f"{symbols[donor]}R"
        raise ValueError(
            f"{symbols[donor]}{donor} is bonded to metal and {', '.join(partners)}: "
            f"no {kind} to cut; leave such ligands, or edit the file"
        )


def _refuse_other_donors(
    graph: nx.Graph, symbols: Sequence[str], ligand: _Ligand, metals: set[int]
) -> None:
    """Refuse a rest that binds by more than its donors, or a carbon that two share."""
    for i in ligand.rest:
        donors = [d for d in ligand.donors if graph.has_edge(i, d)]
        # Two P on one carbon (DPPM) are neutral apart as they are together; two S (a
        # dithiocarbamate) are one charge together and two apart.
        if len(donors) > 1 and symbols[donors[0]] != "P":
            a, b = (f"{symbols[d]}{d}" for d in donors[:2])
            raise ValueError(
                f"{a} and {b} share C{i}, as in a dithiocarbamate: two "
                f"{ligand.model} would take one electron more from the cluster"
            )
        if symbols[i] in _DONORS and metals & set(graph[i]):
            raise ValueError(
                f"{symbols[i]}{i} binds the metal as well as "
                f"{symbols[ligand.donors[0]]}{ligand.donors[0]} of the same ligand: "
                f"{ligand.model} would lose that bond; leave it, or edit the file"
            )


def _make_caps(
    graph: nx.Graph, symbols: Sequence[str], positions: FloatArray, ligand: _Ligand
) -> list[CapAtom]:
    """What takes the place of the rest of a ligand."""
    caps = []
    for donor in ligand.donors:
        for carbon in sorted(set(graph[donor]) & ligand.rest):
            if ligand.model == "SCH3":
                caps += _make_methyl(graph, symbols, positions, donor, carbon)
            else:
                start, end = positions[donor], positions[carbon]
                cap = hydrogen_cap(symbols[donor], start, end)
                rivals = sorted(set(graph[carbon]) & set(ligand.donors) - {donor})
                if rivals:
                    cap = _lean_cap(cap, start, positions[rivals].mean(axis=0))
                caps.append(cap)
    return caps


def _lean_cap(cap: CapAtom, start: FloatArray, rival: FloatArray) -> CapAtom:
    """A hydrogen turned away from another donor, until there is room for two."""
    gap = float(np.linalg.norm(rival - start))
    axis = (rival - start) / gap
    bond = cap.position - start
    along = float(bond @ axis)
    most = (gap - _APART_A) / 2
    if along <= most:
        return cap
    across = bond - along * axis
    rise = np.sqrt(max(float(bond @ bond) - most**2, 0.0))
    place = start + most * axis + rise * across / np.linalg.norm(across)
    return CapAtom(symbol=cap.symbol, position=place)


def _make_methyl(
    graph: nx.Graph,
    symbols: Sequence[str],
    positions: FloatArray,
    donor: int,
    carbon: int,
) -> list[CapAtom]:
    """A methyl where a carbon is; its hydrogens along its bonds if those are four."""
    centre = positions[carbon]
    others = [j for j in sorted(graph[carbon]) if j != donor]
    if len(others) == 3:
        hydrogens = [hydrogen_cap("C", centre, positions[j]) for j in others]
    else:
        reference = positions[others[0]] if others else None
        hydrogens = [
            hydrogen_cap("C", centre, centre + direction)
            for direction in _complete_tetrahedron(
                centre - positions[donor], centre, reference
            )
        ]
    return [CapAtom(symbol="C", position=centre), *hydrogens]


def _complete_tetrahedron(
    axis: FloatArray, centre: FloatArray, reference: FloatArray | None
) -> list[FloatArray]:
    """Three directions away from a bond, the first in the plane of a reference."""
    z = axis / np.linalg.norm(axis)
    towards = np.eye(3)[np.abs(z).argmin()] if reference is None else reference - centre
    x = towards - (towards @ z) * z
    if np.linalg.norm(x) < 1e-3:
        return _complete_tetrahedron(axis, centre, None)
    x = x / np.linalg.norm(x)
    y = np.cross(z, x)
    rise, spread = -np.cos(_TETRAHEDRAL), np.sin(_TETRAHEDRAL)
    turns = 2 * np.pi * np.arange(3) / 3
    return [rise * z + spread * (np.cos(t) * x + np.sin(t) * y) for t in turns]


def _count_cuts(
    graph: nx.Graph, symbols: Sequence[str], found: Sequence[_Ligand]
) -> tuple[Cut, ...]:
    """How many ligands of each kind were cut, in the order they were found."""
    kinds: Counter[tuple[str, str, int, int]] = Counter()
    for ligand in found:
        hydrogens = [j for d in ligand.donors for j in graph[d] if symbols[j] == "H"]
        whole = [*ligand.donors, *ligand.rest, *hydrogens]
        bonds = [d for d in ligand.donors for j in graph[d] if j in ligand.rest]
        before = hill_formula([symbols[i] for i in whole])
        kinds[before, ligand.model, len(ligand.donors), len(bonds)] += 1
    return tuple(
        Cut(before=b, after=a, count=count, n_donors=donors, n_bonds=bonds)
        for (b, a, donors, bonds), count in kinds.items()
    )
