"""Counting electrons of a cluster from its formula: valence, superatom, parity.

n_sup = Σ metal valence s electrons − Σ electrons withdrawn by ligands − charge; closed
shells of a sphere are at 2, 8, 18, 20, 34, 58 (10.1073/pnas.0801001105).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clusterflow.errors import LibraryError
from clusterflow.formula import ATOMIC_NUMBERS, parse_formula, valence_electrons
from clusterflow.science.geometry.bonds import NONMETALS, bond_graph, hill_formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from clusterflow.library.clusters import LigandSpec

# Electrons a metal atom gives to the superatom. Coinage metals and group 12 by
# 10.1073/pnas.0801001105; Ni, Pd, Pt are d10 s0 in a cluster (10.1039/b927175a); groups
# 1, 2 and 13 give all valence electrons (10.1126/science.1105820).
_SUPERATOM_ELECTRONS = {
    **dict.fromkeys(("Ni", "Pd", "Pt"), 0),
    **dict.fromkeys(("Li", "Na", "K", "Rb", "Cs", "Cu", "Ag", "Au"), 1),
    **dict.fromkeys(("Be", "Mg", "Ca", "Sr", "Ba", "Zn", "Cd", "Hg"), 2),
    **dict.fromkeys(("Al", "Ga", "In", "Tl"), 3),
}
_PLAIN = str.maketrans(
    {"⁺": "^+", "⁻": "^-", "−": "-", "–": "-"}
    | {small: str(n) for n, small in enumerate("₀₁₂₃₄₅₆₇₈₉")}
    | {raised: f"^{n}" for n, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
_CHARGES = (
    re.compile(r"\^\{?(?P<n>\d*)(?P<sign>[+-])\}?$"),
    re.compile(r"\^\{?(?P<sign>[+-])(?P<n>\d*)\}?$"),
    # Digits before a bare sign belong to the charge only behind the bracket: Cu2+ is
    # the cation of Cu2.
    re.compile(r"(?<=\])\^?(?P<n>\d+)(?P<sign>[+-])$"),
    re.compile(r"(?<=\])\^?(?P<n>0)(?P<sign>)$"),
    re.compile(r"(?P<n>)(?P<sign>[+-])$"),
)
# Symbols that in a ligand are groups.
_ABBREVIATIONS = {"Pr": "propyl", "Ar": "aryl"}
_ATOM = re.compile(r"([A-Z][a-z]?)(\d*)")
_COUNT = re.compile(r"\d*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFormula:
    """What a formula says: bare atoms, ligands by name, and a charge if it has one."""

    text: str
    atoms: Counter[str]
    ligands: Counter[str]
    charge: int | None


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


def read_cluster_formula(text: str, ligands: Iterable[LigandSpec]) -> ClusterFormula:
    """A formula with nested brackets, ligands in brackets and a charge behind it.

    A bracket is a ligand if the table knows its text, else a group of atoms if it
    holds a metal.

    Raises
    ------
    LibraryError
        If it cannot be read, or names an unknown ligand.

    Examples
    --------
    >>> read_cluster_formula("(CdSe)13^2+", []).charge
    2
    """
    by_alias = _list_aliases(ligands)
    plain = "".join(text.split()).translate(_PLAIN)
    # Raised digits and a raised sign are one charge: ²⁺ is ^2+.
    body, charge = _split_charge(re.sub(r"(?<=\d)\^(?=[+-])", "", plain))
    atoms, found = _read_part(body, by_alias, text)
    if not atoms and not found:
        raise LibraryError(f"formula {text!r} holds no atoms; write it like Cd6Se6")
    return ClusterFormula(text=text, atoms=atoms, ligands=found, charge=charge)


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
    )


def _list_aliases(ligands: Iterable[LigandSpec]) -> dict[str, str]:
    """Names of ligands by all that they are called, hyphens left out or not.

    A formula that two share stands for the one that has it among its aliases.
    """
    known = list(ligands)
    found = {one.formula: one.name for one in known}
    named = {alias: one.name for one in known for alias in (one.name, *one.aliases)}
    plain = {alias.replace("-", ""): name for alias, name in named.items()}
    return found | plain | named


def _split_charge(text: str) -> tuple[str, int | None]:
    """The formula without its charge and outer bracket, and the charge."""
    charge = None
    for pattern in _CHARGES:
        match = pattern.search(text)
        if match is not None:
            size = int(match["n"] or 1)
            charge = -size if match["sign"] == "-" else size
            text = text[: match.start()]
            break
    return text, charge


def _read_part(
    body: str, by_alias: Mapping[str, str], text: str
) -> tuple[Counter[str], Counter[str]]:
    """Bare atoms and ligands of a part of a formula."""
    atoms: Counter[str] = Counter()
    found: Counter[str] = Counter()
    position = 0
    while position < len(body):
        if body[position] in "([{":
            end = _find_closing_bracket(body, position, text)
            inner = body[position + 1 : end]
            times, position = _read_count(body, end + 1, text)
            if position == len(body) and times == 1 and body[end] == "]":
                part = _read_part(inner, by_alias, text)
            else:
                part = _read_group(inner, by_alias, text)
            for total, own in zip((atoms, found), part, strict=True):
                total.update({name: n * times for name, n in own.items()})
            continue
        match = _ATOM.match(body, position)
        if match is None or match[1] not in ATOMIC_NUMBERS or match[1] == "X":
            raise LibraryError(
                f"formula {text!r}: cannot read {body[position:]!r}; write elements, "
                "ligands in brackets and the charge at the end: [Au25(SCH3)18]-"
            )
        _refuse_abbreviation(body, position, match[1], text)
        times, position = _read_count(body, position + len(match[1]), text)
        atoms[match[1]] += times
    return atoms, found


def _read_group(
    inner: str, by_alias: Mapping[str, str], text: str
) -> tuple[Counter[str], Counter[str]]:
    name = by_alias.get(inner) or by_alias.get(inner.replace("-", ""))
    if name is not None:
        return Counter(), Counter({name: 1})
    try:
        has_metal = _is_metal_group(inner)
    except LibraryError:
        has_metal = "(" in inner or "[" in inner
        if has_metal:
            return _read_part(inner, by_alias, text)
    if has_metal:
        return _read_part(inner, by_alias, text)
    raise LibraryError(
        f"formula {text!r}: unknown ligand {inner!r}; `clusterflow list ligands` shows "
        "those there are, and structures/README.md how to add one"
    )


def _is_metal_group(inner: str) -> bool:
    """Whether a bracket is a group of atoms with a metal, such as CdSe.

    SPr is a ligand: no such group holds Pr or Ar (propyl, aryl), or begins with its
    non-metal, unless with a metal of clusters.

    Raises
    ------
    LibraryError
        If it is no formula.
    """
    metals = set(parse_formula(inner)) - NONMETALS
    if metals & _ABBREVIATIONS.keys():
        return False
    first = _ATOM.match(inner)
    if first is not None and first[1] in NONMETALS:
        metals &= _SUPERATOM_ELECTRONS.keys()
    return bool(metals)


def _refuse_abbreviation(body: str, position: int, symbol: str, text: str) -> None:
    """Refuse Pr behind a non-metal outside of brackets: SPr is a ligand."""
    before = re.search(r"([A-Z][a-z]?)$", body[:position])
    if symbol in _ABBREVIATIONS and before is not None and before[1] in NONMETALS:
        raise LibraryError(
            f"formula {text!r}: {before[1]}{symbol} may hold {_ABBREVIATIONS[symbol]}; "
            f"put a ligand in brackets, or write {symbol} in front"
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


def _find_closing_bracket(body: str, start: int, text: str) -> int:
    depth = 0
    for index in range(start, len(body)):
        depth += (body[index] in "([{") - (body[index] in ")]}")
        if depth == 0:
            return index
    raise LibraryError(f"formula {text!r}: a bracket is never closed")


def _read_count(body: str, position: int, text: str) -> tuple[int, int]:
    """A count, 1 if there is none, and the position behind it."""
    match = _COUNT.match(body, position)
    digits = match[0] if match else ""
    if digits and int(digits) == 0:
        raise LibraryError(f"formula {text!r}: a count is 0; leave that part out")
    return int(digits or 1), position + len(digits)


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
        if element in _SUPERATOM_ELECTRONS:
            total += n * _SUPERATOM_ELECTRONS[element]
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
