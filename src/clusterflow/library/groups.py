"""What the YAML of a bond group may say: which bonds share one error of a level."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.library.common import Spec
from clusterflow.model import Name


class GroupSpec(Spec):
    """A kind of bond, by its elements, order and place, and gases that have it.

    Bonds of the same elements and no `place` are told apart by length. One between
    the lengths of two groups is in part of either.
    """

    bond: tuple[str, str]
    order: Literal[1, 2, 3]
    shortest_a: float | None = Field(
        default=None, gt=0, description="Å; from here on wholly of this group"
    )
    longest_a: float | None = Field(
        default=None, gt=0, description="Å; up to here wholly of this group"
    )
    place: Literal["anywhere", "end-carbon", "straight-carbon", "nitro"] = Field(
        default="anywhere",
        description=(
            "Of the carbon: it has no other neighbour but metal, or just one in line; "
            "or of a nitrogen with two oxygen atoms or more and three neighbours"
        ),
    )
    gases: tuple[Name, ...] = Field(
        min_length=1, description="From whose measured data the error is fitted"
    )

    @model_validator(mode="after")
    def _check_bond(self) -> Self:
        for symbol in self.bond:
            if symbol not in ATOMIC_NUMBERS:
                raise ValueError(f"unknown element {symbol!r}")
        needed = {"anywhere": "", "nitro": "N"}.get(self.place, "C")
        if needed and needed not in self.bond:
            raise ValueError(f"place {self.place!r} is of {needed}, the bond has none")
        shortest, longest = self.shortest_a, self.longest_a
        if shortest is not None and longest is not None and shortest >= longest:
            raise ValueError(
                f"shortest_a = {shortest:g} is not below longest_a = {longest:g}"
            )
        return self
