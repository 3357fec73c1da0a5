"""What all items of ``structures/`` share: a name, a source, a composition."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from math import dist
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from clusterflow.errors import LibraryError
from clusterflow.formula import check_parity, parse_formula
from clusterflow.model import Model, Name

if TYPE_CHECKING:
    from collections.abc import Sequence

AtomLine = tuple[str, float, float, float]

Source = Annotated[str, Field(min_length=1, description="A DOI or `unpublished: NAME`")]


def _check_source(source: str) -> str:
    if not re.match(r"10\.\d{4,9}/\S|unpublished: \S", source):
        raise ValueError("give a DOI such as 10.1038/nmat1056, or `unpublished: NAME`")
    return source


# Between atoms of C, N and O: 1.55 Å is the longest bond, 2.1 Å the nearest without.
_LONGEST_DRAWN_A = 1.8


def drawn_bonds(atoms: Sequence[AtomLine]) -> set[frozenset[str]]:
    """The elements of each bond of a drawing, as far as planning has to know them.

    >>> found = drawn_bonds([("C", 0, 0, 0), ("O", 0, 0, 1.16), ("O", 0, 0, -1.16)])
    >>> [sorted(bond) for bond in found]
    [['C', 'O']]
    """
    return {
        frozenset((a[0], b[0]))
        for a, b in combinations(atoms, 2)
        if dist(a[1:], b[1:]) < _LONGEST_DRAWN_A
    }


# That of a geometry must be one that others can follow or ask about.
GeometrySource = Annotated[Source, AfterValidator(_check_source)]


class Spec(Model):
    """What all kinds share."""

    name: Name
    source: Source
    description: str = ""


class Composed(Spec):
    """Something made of atoms, with a charge and a multiplicity that must fit it."""

    formula: str
    charge: int = 0
    multiplicity: int = Field(ge=1)

    @property
    def counts(self) -> Counter[str]:
        """Number of atoms by element."""
        return parse_formula(self.formula)

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return self.counts.total()

    @model_validator(mode="after")
    def _check_parity(self) -> Self:
        try:
            check_parity(self.counts, self.charge, self.multiplicity, self.name)
        except LibraryError as error:
            raise ValueError(str(error)) from None
        return self

    def _check_atoms(self, atoms: tuple[AtomLine, ...], where: str) -> None:
        found = Counter(line[0] for line in atoms)
        if found != self.counts:
            raise ValueError(
                f"{self.name}: {where} holds {dict(found)}, "
                f"but the formula is {self.formula}"
            )
