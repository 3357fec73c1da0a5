"""Reading the formula of a cluster: bare atoms, ligands, counter-ions and charge."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clusterflow.errors import LibraryError
from clusterflow.formula import ATOMIC_NUMBERS, parse_formula
from clusterflow.science.clusters.ligand_names import NameTable
from clusterflow.science.geometry.bonds import NONMETALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.library.clusters import LigandSpec
    from clusterflow.library.ions import IonSpec

# Electrons a metal atom gives to the superatom. Coinage metals and group 12 by
# 10.1073/pnas.0801001105; Ni, Pd, Pt are d10 s0 in a cluster (10.1039/b927175a); groups
# 1, 2 and 13 give all valence electrons (10.1126/science.1105820).
SUPERATOM_ELECTRONS: Final = {
    **dict.fromkeys(("Ni", "Pd", "Pt"), 0),
    **dict.fromkeys(("Li", "Na", "K", "Rb", "Cs", "Cu", "Ag", "Au"), 1),
    **dict.fromkeys(("Be", "Mg", "Ca", "Sr", "Ba", "Zn", "Cd", "Hg"), 2),
    **dict.fromkeys(("Al", "Ga", "In", "Tl"), 3),
}
_PLAIN: Final = str.maketrans(
    {"⁺": "^+", "⁻": "^-", "¯": "^-", "−": "-", "–": "-", "$": "", "@": "", "µ": "μ"}
    | {small: str(n) for n, small in enumerate("₀₁₂₃₄₅₆₇₈₉")}
    | {raised: f"^{n}" for n, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
# What is set below or above the line in LaTeX and HTML, and how a ligand binds.
_MARKS: Final = (
    (re.compile(r"</?sub>"), ""),
    (re.compile(r"<sup>(.*?)</sup>"), r"^\1"),
    (re.compile(r"_\{?(\d+)\}?"), r"\1"),
    (re.compile(r"[μηκ]\d*(,\d+)*-?"), ""),
)
_CHARGES: Final = (
    re.compile(r"\^\{?(?P<n>\d*)(?P<sign>[+-])\}?$"),
    re.compile(r"\^\{?(?P<sign>[+-])(?P<n>\d*)\}?$"),
    re.compile(r"\((?P<n>\d*)(?P<sign>[+-])\)$"),
    # Digits beside a bare sign belong to the charge only behind the bracket: Cu2+ is
    # the cation of Cu2.
    re.compile(r"(?<=\])\^?(?P<n>\d+)(?P<sign>[+-])$"),
    re.compile(r"(?<=\])(?P<sign>[+-])(?P<n>\d+)$"),
    re.compile(r"(?<=\])\^?(?P<n>0)(?P<sign>)$"),
    re.compile(r"(?P<n>)(?P<sign>[+-])$"),
)
# Symbols that in a ligand are groups.
_ABBREVIATIONS = {"Pr": "propyl", "Ar": "aryl"}
_ATOM = re.compile(r"([A-Z][a-z]?)(\d*)")
# A metal before or behind a ligand, such as AuPPh3.
_METAL_WITH_LIGAND: Final = (
    re.compile(r"(?P<metal>[A-Z][a-z]?)(?P<n>\d*)(?P<ligand>.+)"),
    re.compile(r"(?P<ligand>.+?)(?P<metal>[A-Z][a-z]?)(?P<n>\d*)"),
)
_COUNT = re.compile(r"\d*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFormula:
    """What a formula says: bare atoms, ligands by name, and a charge if it has one.

    counter_ions
        By label, of a salt; they are not among the atoms, and imply the charge.
    unclear
        A part without brackets, such as ``OH``, that may be a ligand.
    """

    text: str
    atoms: Counter[str]
    ligands: Counter[str]
    charge: int | None
    counter_ions: Counter[str] = field(default_factory=Counter)
    unclear: str = ""


def read_cluster_formula(
    text: str, ligands: Iterable[LigandSpec], ions: Iterable[IonSpec] = ()
) -> ClusterFormula:
    """A formula with nested brackets, ligands in brackets and a charge behind it.

    A bracket is a ligand if the table knows its text, else a group of atoms if it
    holds a metal. Beside a cluster in square brackets there may be counter-ions.

    Raises
    ------
    LibraryError
        If it cannot be read, names an unknown ligand, or its counter-ions contradict
        its charge.

    Examples
    --------
    >>> read_cluster_formula("(CdSe)13^2+", []).charge
    2
    """
    known = NameTable(ligands)
    plain = _make_plain(text)
    salt = _split_salt(plain, NameTable(ions))
    body, charge = _split_charge(salt.cluster if salt else plain)
    atoms, found = _read_part(body, known, text)
    if not atoms and not found:
        raise LibraryError(f"formula {text!r} holds no atoms; write it like Cd6Se6")
    if salt and charge not in (None, salt.charge):
        listed = ", ".join(f"{label} × {n}" for label, n in salt.ions.items())
        raise LibraryError(
            f"formula {text!r}: its charge is {charge:+d}, and {listed} beside it say "
            f"{salt.charge:+d}; correct one"
        )
    return ClusterFormula(
        text=text,
        atoms=atoms,
        ligands=found,
        charge=salt.charge if salt else charge,
        counter_ions=salt.ions if salt else Counter(),
        unclear=_find_bare_group(body),
    )


def _make_plain(text: str) -> str:
    """A formula in plain letters, without blanks and marks that change no count."""
    # A blank parts the charge from what is counted before it.
    plain = text.translate(_PLAIN).strip()
    joined = re.sub(r"\s+(\d*[+-]|[+-]\d+)$", r"^\1", plain)
    if re.search(r"\d\s+\d", joined):
        raise LibraryError(
            f"formula {text!r}: a blank between digits may part counts or a charge; "
            "write it without, and a charge such as ^2-"
        )
    plain = "".join(joined.split())
    for mark, instead in _MARKS:
        plain = mark.sub(instead, plain)
    # Raised digits and a raised sign are one charge: ²⁺ is ^2+.
    return re.sub(r"(?<=\^\d)\^(?=[+-])", "", plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Salt:
    """A cluster with its own charge, if that is written, and the ions beside it."""

    cluster: str
    ions: Counter[str]
    charge: int


def _split_salt(plain: str, known: NameTable[IonSpec]) -> _Salt | None:
    """The one cluster in square brackets and ions beside it; None if it is no salt."""
    parts = _split_parts(plain)
    read = [_read_ions(part, known) for part in parts]
    clusters = [part for part, ions in zip(parts, read, strict=True) if not ions]
    if len(clusters) != 1 or len(parts) < 2 or clusters[0][0] != "[":
        return None
    if re.search(r"\]\d+$", clusters[0]):  # several of them share the ions
        return None
    beside = [ion for ions in read for ion in ions]
    labels: Counter[str] = Counter()
    for ion, n in beside:
        labels[ion.label] += n
    charge = -sum(ion.charge * n for ion, n in beside)
    cluster = re.sub(r"([+-])\]$", r"]\1", clusters[0])
    return _Salt(cluster=cluster, ions=labels, charge=charge)


def _split_parts(plain: str) -> list[str]:
    """A formula at its outer square brackets, each with the count and charge behind."""
    parts, depth, start = [""], 0, 0
    for index, letter in enumerate(plain):
        if letter == "[" and depth == 0:
            parts.append(plain[start:index])
            start = index
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "]" and depth == 0:
            behind = re.match(r"\^?\{?(\d*[+-]|[+-]?\d+)\}?", plain[index + 1 :])
            end = index + 1 + (behind.end() if behind else 0)
            parts.append(plain[start:end])
            start = end
    return [part for part in (*parts, plain[start:]) if part]


def _read_ions(part: str, known: NameTable[IonSpec]) -> list[tuple[IonSpec, int]]:
    """Counter-ions and how often each is there, such as ``(PF6)2Cl`` or ``[TOA]+``.

    None where one of them is no ion.
    """
    whole = _read_ion(part, known)
    if whole is not None:
        return [whole]
    found = [_read_ion(one, known) for one in re.findall(r"\(.*?\)\d*|[^()]+", part)]
    known_ions = [ion for ion in found if ion is not None]
    return known_ions if len(known_ions) == len(found) else []


def _read_ion(part: str, known: NameTable[IonSpec]) -> tuple[IonSpec, int] | None:
    ion = known.find(part)
    if ion is not None:
        return ion, 1
    match = re.fullmatch(r"([([{])?(.+?)\^?[+-]?(?(1)[)\]}])(\d*)[+-]?", part)
    ion = known.find(match[2]) if match else None
    return (ion, int(match[3] or 1)) if ion and match else None


def _find_bare_group(body: str) -> str:
    """A non-metal and one hydrogen or more behind it that stand in no bracket."""
    outer = body[1:-1] if body[:1] == "[" and body[-1:] == "]" else body
    while (less := re.sub(r"[([{][^()[\]{}]*[)\]}]", " ", outer)) != outer:
        outer = less
    found = re.search(r"(?<![A-Z])(?:C|N|O|S|Se|Te)H(?![a-z])\d*", outer)
    return found[0] if found else ""


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
    body: str, known: NameTable[LigandSpec], text: str
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
                part = _read_part(inner, known, text)
            else:
                part = _read_group(inner, known, text)
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
    inner: str, known: NameTable[LigandSpec], text: str
) -> tuple[Counter[str], Counter[str]]:
    ligand = known.find(inner)
    if ligand is not None:
        return Counter(), Counter({ligand.name: 1})
    for pattern in _METAL_WITH_LIGAND:
        match = pattern.fullmatch(inner)
        ligand = known.find(match["ligand"]) if match else None
        if match and ligand and match["metal"] in SUPERATOM_ELECTRONS:
            return Counter({match["metal"]: int(match["n"] or 1)}), Counter(
                {ligand.name: 1}
            )
    try:
        has_metal = _is_metal_group(inner)
    except LibraryError:
        has_metal = "(" in inner or "[" in inner
        if has_metal:
            return _read_part(inner, known, text)
    if has_metal:
        return _read_part(inner, known, text)
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
        metals &= SUPERATOM_ELECTRONS.keys()
    return bool(metals)


def _refuse_abbreviation(body: str, position: int, symbol: str, text: str) -> None:
    """Refuse Pr behind a non-metal outside of brackets: SPr is a ligand."""
    before = re.search(r"([A-Z][a-z]?)$", body[:position])
    if symbol in _ABBREVIATIONS and before is not None and before[1] in NONMETALS:
        raise LibraryError(
            f"formula {text!r}: {before[1]}{symbol} may hold {_ABBREVIATIONS[symbol]}; "
            f"put a ligand in brackets, or write {symbol} in front"
        )


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
