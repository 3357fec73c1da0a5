"""Counting electrons of a cluster from its formula: valence, superatom, parity.

n_sup = Σ metal valence s electrons − Σ electrons withdrawn by ligands − charge; closed
shells of a sphere are at 2, 8, 18, 20, 34, 58 (10.1073/pnas.0801001105).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clusterflow.formula import ATOMIC_NUMBERS, valence_electrons
from clusterflow.science.clusters.cluster_formula import (
    SUPERATOM_ELECTRONS,
    ClusterFormula,
)
from clusterflow.science.geometry.bonds import NONMETALS, bond_graph, hill_formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from clusterflow.library.clusters import LigandSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectronCount:
    """Electrons of a cluster; a count that cannot be given is None, with its reason."""

    formula: str
    charge: int
    n_valence: int | None
    n_valence_reason: str = ""
    n_superatom: int | None
    n_superatom_reason: str = ""
    multiplicity: int
    warning: str | None = None
    ligands: dict[str, int] = field(default_factory=dict)
    counter_ions: dict[str, int] = field(default_factory=dict)


def count_electrons(
    formula: ClusterFormula,
    ligands: Mapping[str, LigandSpec],
    *,
    charge: int,
    multiplicity: int | None = None,
) -> ElectronCount:
    """Valence and superatom electrons, and the multiplicity (lowest unless given)."""
    n_valence, no_valence = _count_valence_electrons(formula, ligands, charge)
    n_superatom, no_superatom = _count_superatom_electrons(formula, ligands, charge)
    # A group R has one electron to share, so its own count is odd, as that of any
    # ligand that withdraws one.
    electrons = sum(ATOMIC_NUMBERS[e] * n for e, n in formula.atoms.items())
    electrons += sum(
        n * sum(ATOMIC_NUMBERS.get(e, 1) * k for e, k in ligands[name].counts.items())
        for name, n in formula.ligands.items()
    )
    odd = (electrons - charge) % 2 == 1
    return ElectronCount(
        formula=formula.text,
        charge=charge,
        n_valence=n_valence,
        n_valence_reason=no_valence,
        n_superatom=n_superatom,
        n_superatom_reason=no_superatom,
        multiplicity=multiplicity or (2 if odd else 1),
        warning=(
            "the number of electrons is odd: an open shell, or a formula or charge "
            "that is misprinted"
            if odd
            else None
        ),
        ligands=dict(formula.ligands),
        counter_ions=dict(formula.counter_ions),
    )


def find_ligands(
    symbols: Sequence[str], positions: np.ndarray, ligands: Iterable[LigandSpec]
) -> ClusterFormula | str:
    """A structure as metal atoms and ligands, or why it cannot be.

    What bonds connect of the non-metals is a ligand by its formula; without one in the
    library, one S or Se with an odd number of electrons is a thiolate or selenolate,
    and one P with an even number a phosphine.

    Parameters
    ----------
    symbols, positions
        Of a whole cluster, Å, shape (n_atoms, 3).
    """
    import networkx as nx  # not for a formula alone

    known = list(ligands)
    graph = bond_graph(symbols, positions)
    others = [i for i, symbol in enumerate(symbols) if symbol in NONMETALS]
    found: Counter[str] = Counter()
    for piece in nx.connected_components(graph.subgraph(others)):
        own = [symbols[i] for i in piece]
        if all(j in piece for i in piece for j in graph[i]):
            return f"{hill_formula(own)} is bonded to no metal"
        names = _name_piece(Counter(own), known)
        if not names:
            return f"{hill_formula(own)} is no ligand of the library"
        found[names] += 1
    atoms = Counter(symbol for symbol in symbols if symbol not in NONMETALS)
    return ClusterFormula(
        text=hill_formula(symbols), atoms=atoms, ligands=found, charge=None
    )


def _name_piece(counts: Counter[str], ligands: Sequence[LigandSpec]) -> str:
    """The first ligand of a formula, or of a kind, or nothing."""
    same = sorted(one.name for one in ligands if one.counts == counts)
    withdrawn = {one.electrons_withdrawn for one in ligands if one.name in same}
    if len(withdrawn) == 1:
        return same[0]
    is_odd = sum(ATOMIC_NUMBERS[e] * n for e, n in counts.items()) % 2 == 1
    donors = {e: counts[e] for e in ("S", "Se", "P") if counts[e]}
    kinds = {"S": ("SR", True), "Se": ("SeR", True), "P": ("PR3", False)}
    if len(donors) != 1 or set(donors.values()) != {1} or "C" not in counts:
        return ""
    formula, withdraws = kinds[next(iter(donors))]
    named = [one.name for one in ligands if one.formula == formula]
    return named[0] if named and is_odd == withdraws else ""


def _count_valence_electrons(
    formula: ClusterFormula, ligands: Mapping[str, LigandSpec], charge: int
) -> tuple[int | None, str]:
    atoms = Counter(formula.atoms)
    for name, n in formula.ligands.items():
        counts = ligands[name].counts
        if "R" in counts:
            return None, f"the group R of {ligands[name].formula} is not said"
        atoms.update({element: n * k for element, k in counts.items()})
    return sum(valence_electrons(e) * n for e, n in atoms.items()) - charge, ""


def _count_superatom_electrons(
    formula: ClusterFormula, ligands: Mapping[str, LigandSpec], charge: int
) -> tuple[int | None, str]:
    if formula.unclear:
        return None, (
            f"whether {formula.unclear} is a ligand is not said; put ligands in "
            "brackets, as in Au25(SH)18"
        )
    bare = {element for element in formula.atoms if element in NONMETALS}
    if "H" in bare and len(bare) > 1 and not formula.ligands:
        return None, (
            f"which of {', '.join(sorted(bare))} are ligands is not said; "
            "put ligands in brackets, as in Au25(SH)18"
        )
    by_symbol = {
        alias: ligand for ligand in ligands.values() for alias in ligand.aliases
    }
    total = -charge
    for element, n in formula.atoms.items():
        if element in SUPERATOM_ELECTRONS:
            total += n * SUPERATOM_ELECTRONS[element]
        elif element in by_symbol:
            total -= n * by_symbol[element].electrons_withdrawn
        else:
            return (
                None,
                f"there is no agreed count of superatom electrons for {element}",
            )
    for name, n in formula.ligands.items():
        total -= n * ligands[name].electrons_withdrawn
    return total, ""
