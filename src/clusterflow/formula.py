"""Chemical formulas without ASE, so that the workflow can be planned without it.

Every job of Snakemake's plans: this takes 0.03 s of CPU time to import, as a bare
interpreter, :mod:`ase.formula` 0.11.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from clusterflow.errors import LibraryError

# The symbol's place is the atomic number.
ELEMENTS = (  # noqa: SIM905 - ninety quoted symbols are harder to read
    "X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn "
    "Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce "
    "Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn"
).split()
ATOMIC_NUMBERS = {symbol: number for number, symbol in enumerate(ELEMENTS)}

_TOKEN = re.compile(r"([A-Z][a-z]?|\(|\))(\d*)")


def parse_formula(formula: str, *, groups: bool = False) -> Counter[str]:
    """Element counts of a formula with optional brackets.

    With `groups`, ``R`` counts as an element: any monovalent group.

    Raises
    ------
    LibraryError
        If it cannot be read or names an unknown element.

    Examples
    --------
    >>> parse_formula("(CdSe)13") == {"Cd": 13, "Se": 13}
    True
    """
    return Counter(dict(_read_formula(formula, groups)))


@lru_cache(maxsize=1024)
def _read_formula(formula: str, groups: bool) -> tuple[tuple[str, int], ...]:
    if not formula or "".join(m.group(0) for m in _TOKEN.finditer(formula)) != formula:
        raise LibraryError(f"formula {formula!r} cannot be read; write it like Cd6Se6")
    stack: list[Counter[str]] = [Counter()]
    tokens = list(_TOKEN.finditer(formula))
    for token in tokens:
        symbol, digits = token.groups()
        count = int(digits) if digits else 1
        if symbol == "(":
            stack.append(Counter())
        elif symbol == ")":
            if len(stack) == 1:
                raise LibraryError(f"formula {formula!r}: a bracket is never opened")
            group = stack.pop()
            for element, number in group.items():
                stack[-1][element] += number * count
        elif (symbol in ATOMIC_NUMBERS and symbol != "X") or (groups and symbol == "R"):
            stack[-1][symbol] += count
        else:
            raise LibraryError(f"formula {formula!r}: unknown element {symbol!r}")
    if len(stack) != 1:
        raise LibraryError(f"formula {formula!r}: a bracket is never closed")
    return tuple(stack[0].items())


def n_electrons(counts: Counter[str], charge: int) -> int:
    """Electrons of the neutral atoms less the charge."""
    return sum(ATOMIC_NUMBERS[e] * n for e, n in counts.items()) - charge


def check_parity(
    counts: Counter[str], charge: int, multiplicity: int, who: str
) -> None:
    """Refuse a multiplicity that the number of electrons does not allow.

    Raises
    ------
    LibraryError
        If an even count meets an even multiplicity, or an odd one an odd one, or there
        are not so many electrons.
    """
    electrons = n_electrons(counts, charge)
    if electrons < 0:
        raise LibraryError(
            f"{who}: multiplicity {multiplicity}, charge {charge:+d}: there are only "
            f"{electrons + charge} electrons to take; correct the charge"
        )
    if (electrons + multiplicity) % 2 == 0:
        allowed = "1, 3, 5, ..." if electrons % 2 == 0 else "2, 4, 6, ..."
        raise LibraryError(
            f"{who}: multiplicity {multiplicity} does not fit {electrons} electrons "
            f"(charge {charge:+d}); use one of {allowed}, or correct the charge"
        )
    if multiplicity - 1 > electrons:
        raise LibraryError(
            f"{who}: multiplicity {multiplicity} needs {multiplicity - 1} unpaired "
            f"electrons, and there are {electrons} (charge {charge:+d}); correct one"
        )


def lowest_multiplicity(counts: Counter[str], charge: int) -> int:
    """1 for an even number of electrons, 2 for an odd one."""
    return 1 + n_electrons(counts, charge) % 2


def list_multiplicities(own: int, *, others: bool) -> tuple[int, ...]:
    """A multiplicity, and its neighbours where others are asked for too.

    >>> list_multiplicities(1, others=True), list_multiplicities(3, others=True)
    ((1, 3), (3, 1, 5))
    """
    near = (own - 2, own + 2) if others else ()
    return (own, *(one for one in near if one > 0))


_NOBLE_CORES = (0, 2, 10, 18, 36, 54)
_LANTHANIDES = range(57, 72)


def valence_electrons(symbol: str) -> int:
    """Valence electrons of a neutral atom in GFN-xTB: group number, 2 for Zn to Hg.

    Filled d and f shells are core; lanthanides have three (10.1021/acs.jctc.7b00118).

    >>> [valence_electrons(symbol) for symbol in ("C", "Cu", "Cd", "Eu", "Au", "Se")]
    [4, 11, 2, 3, 11, 6]
    """
    number = ATOMIC_NUMBERS[symbol]
    if number in _LANTHANIDES:
        return 3
    core = max(n for n in _NOBLE_CORES if n < number)
    outer = number - core
    if core == 54:
        outer -= 14 if number > _LANTHANIDES[-1] else 0
    return outer - 10 if core >= 18 and outer > 11 else outer
