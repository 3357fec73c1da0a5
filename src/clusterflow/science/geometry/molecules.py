"""The molecules of a cell: whole again where the cell's walls cut through them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.formula import parse_formula
from clusterflow.science.geometry.bonds import bond_graph, hill_formula, radii

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx

    from clusterflow.science.geometry.bonds import FloatArray

# Longest bond in a crystal, in sums of covalent radii: beyond the stretched metal-metal
# bonds of clusters (Au-Au 3.4 Å), short of contacts between molecules.
BONDED = 1.25
# A carbon that its own bonds hold is straight with two neighbours and flat with three.
_STRAIGHT_DEGREES = 150.0
_FLAT_DEGREES = 345.0
# Carbon and its only neighbour closer than this, in sums of radii, share a triple bond:
# 1.13 Å in CO, 1.16 Å in a nitrile.
_TRIPLE = 0.85
# Elements that do not stand alone in a crystal: an atom is missing beside them.
_NEVER_ALONE = {"H", "B", "C", "N", "P", "S", "Se", "Si"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Molecule:
    """Atoms that bonds connect.

    indices
        Atoms of the cell.
    positions : Å, shape (n_atoms, 3); side by side, not wrapped into the cell
    is_endless
        Bonded to its own image: a chain, a layer or a framework.
    """

    indices: tuple[int, ...]
    symbols: tuple[str, ...]
    positions: FloatArray
    is_endless: bool

    @property
    def formula(self) -> str:
        """Formula in Hill order."""
        return hill_formula(self.symbols)

    def to_atoms(self) -> Atoms:
        """The molecule alone, without cell."""
        return Atoms(list(self.symbols), positions=self.positions)


def periodic_bonds(
    atoms: Atoms, ratio: float = BONDED
) -> dict[int, list[tuple[int, FloatArray]]]:
    """The neighbours of each atom, with the vector to each, Å, through the walls."""
    from ase.neighborlist import neighbor_list

    reach = ratio * radii(atoms.get_chemical_symbols())
    bonds: dict[int, list[tuple[int, FloatArray]]] = {i: [] for i in range(len(atoms))}
    for i, j, vector in zip(*neighbor_list("ijD", atoms, reach), strict=True):
        bonds[int(i)].append((int(j), vector))
    return bonds


def find_molecules(atoms: Atoms) -> list[Molecule]:
    """All molecules of a cell, or of a structure without one, each in one piece.

    Examples
    --------
    >>> h2 = Atoms("H2", [(0.2, 1, 1), (9.5, 1, 1)], cell=[10] * 3, pbc=True)
    >>> [round(float(x), 1) for x in find_molecules(h2)[0].positions[:, 0]]
    [0.2, -0.5]
    """
    bonds = periodic_bonds(atoms)
    left = dict.fromkeys(range(len(atoms)))
    found = []
    while left:
        places, is_endless = _walk_bonds(atoms, bonds, next(iter(left)))
        for i in places:
            del left[i]
        indices = tuple(sorted(places))
        found.append(
            Molecule(
                indices=indices,
                symbols=tuple(str(atoms.symbols[i]) for i in indices),
                positions=np.array([places[i] for i in indices]),
                is_endless=is_endless,
            )
        )
    return found


def _walk_bonds(
    atoms: Atoms, bonds: dict[int, list[tuple[int, FloatArray]]], start: int
) -> tuple[dict[int, FloatArray], bool]:
    """Where bonds lead from an atom, and whether they lead to its image as well."""
    places = {start: atoms.positions[start]}
    is_endless = False
    waiting = [start]
    while waiting:
        i = waiting.pop()
        for j, vector in bonds[i]:
            place = places[i] + vector
            if j not in places:
                places[j] = place
                waiting.append(j)
            elif np.linalg.norm(places[j] - place) > 1e-3:
                is_endless = True
    return places, is_endless


def matching(wanted: str, kinds: Sequence[Sequence[Molecule]]) -> list[int]:
    """Kinds of molecules, counted from 0, that a number from 1 or a formula names.

    Raises
    ------
    LibraryError
        If it is neither.
    """
    if wanted.isdecimal():
        return [int(wanted) - 1] if 1 <= int(wanted) <= len(kinds) else []
    counts = parse_formula(wanted)
    return [k for k, kind in enumerate(kinds) if Counter(kind[0].symbols) == counts]


def broken_bonds(
    symbols: Sequence[str],
    positions: FloatArray,
    labels: Sequence[str] | None = None,
) -> list[str]:
    """What shows that atoms are missing, one line for each atom that shows it.

    Carbons with too few neighbours, as where hydrogens were not located, and atoms
    bonded to nothing. Without labels atoms are counted from 0.

    Examples
    --------
    >>> broken_bonds(["C", "S"], np.array([[0, 0, 0], [0, 0, 1.82]]))
    ['C0 has 1 neighbour (S1)']
    """
    names = labels or [f"{symbol}{i}" for i, symbol in enumerate(symbols)]
    graph = bond_graph(symbols, positions, BONDED)
    found = []
    for i in graph:
        n = graph.degree[i]
        if n == 0 and len(graph) > 1 and symbols[i] in _NEVER_ALONE:
            found.append(f"{names[i]} is bonded to nothing")
        elif symbols[i] == "C" and _is_short_of_bonds(graph, symbols, positions, i):
            near = ", ".join(names[j] for j in sorted(graph[i]))
            found.append(f"{names[i]} has {n} neighbour{'s' * (n > 1)} ({near})")
    return found


def _is_short_of_bonds(
    graph: nx.Graph, symbols: Sequence[str], positions: FloatArray, carbon: int
) -> bool:
    near = sorted(graph[carbon])
    if len(near) > 3:
        return False
    vectors = positions[near] - positions[carbon]
    lengths = np.linalg.norm(vectors, axis=1)
    if len(near) == 1:
        reach = radii([symbols[carbon], symbols[near[0]]]).sum()
        return bool(lengths[0] > _TRIPLE * reach)
    units = vectors / lengths[:, None]
    cosines = (units @ units.T)[np.triu_indices(len(near), k=1)]
    angles = float(np.degrees(np.arccos(cosines.clip(-1, 1))).sum())
    return angles < (_STRAIGHT_DEGREES if len(near) == 2 else _FLAT_DEGREES)
