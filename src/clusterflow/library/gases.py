"""What the YAML of a gas or an element may say: geometry and measured data."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from clusterflow.formula import parse_formula
from clusterflow.library.common import AtomLine, Composed, Source, Spec
from clusterflow.model import Model


class Experiment(Model):
    """Measured enthalpy of formation and entropy at 298.15 K and 1 bar."""

    enthalpy_kj_per_mol: float
    entropy_j_per_mol_k: float = Field(gt=0)
    source: Source


class GasSpec(Composed):
    """A molecule: starting geometry, symmetry, and what experiment says of it."""

    atoms: tuple[AtomLine, ...]
    symmetry_number: int = Field(ge=1)
    experiment: Experiment
    liquid: Experiment | None = None

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
