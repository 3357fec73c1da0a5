"""Which ligand or counter-ion a part of a formula means, by name or by its atoms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from clusterflow.errors import LibraryError
from clusterflow.formula import parse_formula

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable


class Named(Protocol):
    """What the library has by name and formula."""

    @property
    def name(self) -> str:
        """Its name in the library."""
        ...

    @property
    def formula(self) -> str:
        """What it is made of."""
        ...

    @property
    def counts(self) -> Counter[str]:
        """Its atoms by element."""
        ...


N = TypeVar("N", bound=Named)

_GROUPS: Final = {
    "Me": "CH3",
    "Et": "C2H5",
    "Pr": "C3H7",
    "Bu": "C4H9",
    "Hex": "C6H13",
    "Oct": "C8H17",
    "Cy": "C6H11",
    "Ph": "C6H5",
    "Bn": "C7H7",
    "Tol": "C7H7",
    "Cp": "C5H5",
}
# Before or behind propyl and butyl a letter says how they branch: iPr, But.
_GROUP: Final = re.compile(
    r"[nist]?(Pr|Bu)[nist]?|n?(Hex|Oct)|(" + "|".join(_GROUPS) + ")(?![a-z])"
)
# The shortest name that is the same in small letters: Dppm. Of three, Sr is SR.
_LONG_NAME: Final = 4


def make_short(text: str) -> str:
    """A name without the marks that change no atom: hyphens, bonds, raised letters.

    >>> make_short("S-c-C6H11"), make_short("C≡C^tBu")
    ('ScC6H11', 'CCtBu')
    """
    return re.sub(r"[-≡=^]", "", text)


def spell_out(text: str) -> Counter[str] | None:
    """Atoms of a name of elements and groups such as Ph and tBu; None if it is none.

    >>> spell_out("S(CH2)2Ph") == {"S": 1, "C": 8, "H": 9}
    True
    """
    short = re.sub(r"^[nit](?=[A-Z])|(?<=[SO])[ni](?=C\d)", "", make_short(text))
    spelled = _GROUP.sub(lambda m: f"({_GROUPS[m[1] or m[2] or m[3]]})", short)
    try:
        return parse_formula(spelled)
    except LibraryError:
        return None


class NameTable(Generic[N]):
    """Items of the library by what they are called."""

    def __init__(self, items: Iterable[N]) -> None:
        self._items = {one.name: one for one in items}
        named = {
            alias: one.name
            for one in self._items.values()
            for alias in (one.name, *getattr(one, "aliases", ()))
        }
        # A formula that two share stands for the one that has it among its aliases.
        self._names = {
            **{
                alias.lower(): name
                for alias, name in named.items()
                if _is_long_name(alias)
            },
            **{one.formula: one.name for one in self._items.values()},
            **{make_short(alias): name for alias, name in named.items()},
            **named,
        }

    def find(self, text: str) -> N | None:
        """The item that a part of a formula means, or None.

        It is looked for by its names, in small letters if it has four or more, and by
        the atoms that it spells.
        """
        small = text.lower() if _is_long_name(text) else ""
        for way in (text, make_short(text), small):
            if way in self._names:
                return self._items[self._names[way]]
        atoms = spell_out(text)
        same = [one for one in self._items.values() if atoms and one.counts == atoms]
        return min(same, key=lambda one: one.name) if same else None


def _is_long_name(text: str) -> bool:
    return text.isalpha() and len(text) >= _LONG_NAME
