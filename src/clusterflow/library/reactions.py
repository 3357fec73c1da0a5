"""What the YAML of a reaction or a redox couple may say."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from clusterflow.library.common import Source, Spec
from clusterflow.model import Model, Name

BandEdge = Literal["conduction", "valence"]
# Whether a transfer of proton and electron is judged with the adsorption before it.
Pcet = Literal["combined", "split"]
# What a ligand is once it is free: SH as H2S, as HS or as HS-; PH3 as what it was.
LossRoute = Literal["acid", "radical", "anion", "neutral"]


class LigandLoss(Model):
    """Which ligand of a cluster a reaction takes away, and as what."""

    ligand: Name
    route: LossRoute


class ReactionSpec(Spec):
    """A network of elementary steps from one molecule to its product."""

    product: Name
    equation: str
    steps: tuple[str, ...] = Field(min_length=1)
    loss: LigandLoss | None = Field(
        default=None,
        description="Where it takes a ligand from a cluster: for `loss` in claims",
    )


class CoupleEntropies(Model):
    """Standard entropies of both sides of a couple, 298.15 K, J/mol/K.

    Sums over the species of the half reaction, without protons and electrons.
    """

    reactants_j_per_mol_k: float
    products_j_per_mol_k: float
    source: Source


class CoupleSpec(Spec):
    """A redox couple: by an equation of library molecules, or by a quoted potential."""

    equation: str | None = None
    electrons: int | None = Field(default=None, ge=1)
    protons: int | None = Field(default=None, ge=0)
    standard_potential_v: float | None = Field(
        default=None, description="V against SHE at pH 0 and 298.15 K"
    )
    entropies: CoupleEntropies | None = Field(
        default=None,
        description=(
            "How a quoted potential moves with temperature; without them it is known "
            "at 298.15 K alone"
        ),
    )
    edge: BandEdge = Field(
        default="conduction",
        description=(
            "Band edge asked to drive it: electrons of the conduction edge to the "
            "right, as the equation is written, or holes of the valence edge back"
        ),
    )

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        quoted = (self.electrons, self.protons, self.standard_potential_v)
        given = [value is not None for value in quoted]
        if (self.equation is None) != all(given) or any(given) != all(given):
            raise ValueError(
                f"{self.name}: give an equation, or electrons, protons and "
                "standard_potential_v"
            )
        if self.equation is not None and self.entropies is not None:
            raise ValueError(
                f"{self.name}: entropies belong to a quoted potential; those of an "
                "equation are in the files of its gases"
            )
        return self
