"""What the YAML of a gas or an element may say: geometry and measured data."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from clusterflow.formula import parse_formula
from clusterflow.library.common import AtomLine, Composed, Source, Spec
from clusterflow.model import Model


class Experiment(Model):
    """Measured enthalpy of formation and entropy at 298.15 K and 1 bar."""

    enthalpy_kj_per_mol: float
    entropy_j_per_mol_k: float = Field(gt=0)
    source: Source


# Degeneracy, and height above the lowest in cm⁻¹.
ElectronicDegeneracy = tuple[
    tuple[Annotated[int, Field(ge=1)], Annotated[float, Field(ge=0)]], ...
]


class GasSpec(Composed):
    """A molecule: starting geometry, symmetry, and what experiment says of it."""

    atoms: tuple[AtomLine, ...]
    symmetry_number: int = Field(ge=1)
    electronic_degeneracy: ElectronicDegeneracy = Field(
        default=(),
        description=(
            "Where it is not the multiplicity alone: an integer, or pairs of "
            "degeneracy and cm⁻¹ above the lowest, [[2, 0], [2, 121.1]] for NO"
        ),
    )
    experiment: Experiment
    liquid: Experiment | None = None

    @field_validator("electronic_degeneracy", mode="before")
    @classmethod
    def _read_integer(cls, value: object) -> object:
        return [(value, 0.0)] if isinstance(value, int) else value

    @field_validator("electronic_degeneracy")
    @classmethod
    def _check_order(cls, value: ElectronicDegeneracy) -> ElectronicDegeneracy:
        heights = [height for _, height in value]
        if value and heights[0] != 0:
            raise ValueError("the first height must be 0: it is the lowest")
        if any(low >= high for low, high in pairwise(heights)):
            raise ValueError("heights in cm⁻¹ must rise; write equal ones as one")
        return value

    @model_validator(mode="after")
    def _check_geometry(self) -> Self:
        self._check_atoms(self.atoms, "atoms")
        return self


class ElementData(Spec):
    """Entropy of an element in its standard state, per atom."""

    entropy_j_per_mol_k: float

    @field_validator("name")
    @classmethod
    def _check_element(cls, name: str) -> str:
        parse_formula(name)
        return name
