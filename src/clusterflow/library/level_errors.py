"""What the YAML of the measured errors of a level may say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, field_validator, model_validator

from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.library.common import Spec
from clusterflow.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.library.levels import LevelSpec


class BondError(Model):
    """The error of a level in one kind of bond between adsorbate and cluster.

    The level gives an energy that is `mean_ev` too high; what is left of its error has
    the standard deviation `deviation_ev` on a cluster that was not measured.
    """

    bond: str = Field(min_length=1, description="Kind and element: `acyl on Cu`")
    mean_ev: float
    deviation_ev: float = Field(gt=0)
    n_points: int = Field(ge=1)
    n_structures: int = Field(ge=1)


class HeldOut(Model):
    """How the table predicts structures that it was made without."""

    n_points: int = Field(ge=0)
    rms_ev: float = Field(ge=0, description="Of what is left of the error")
    rms_raw_ev: float = Field(ge=0, description="Of the error as it is")
    rms_shift_ev: float = Field(ge=0, description="After one shift for all bonds")
    rms_shuffled_ev: float = Field(ge=0, description="With the bonds interchanged")
    inside_1_sigma: float = Field(ge=0, le=1)
    inside_90: float = Field(ge=0, le=1)


class LevelErrorsSpec(Spec):
    """The errors of one level on clusters of one set of elements, bond by bond."""

    method: str
    electronic_temperature_k: float = 300.0
    spin_polarization: float | None = None
    elements: tuple[str, ...] = Field(min_length=1, description="Of the cluster, all")
    reference: str = Field(min_length=1, description="The level that counts as right")
    structures: tuple[str, ...] = Field(min_length=1, description="Measured on these")
    cluster_share: float = Field(
        ge=0, le=1, description="Of the variance: common to all bonds of a cluster"
    )
    bond_share: float = Field(
        ge=0, le=1, description="Of the variance: common to bonds of a kind"
    )
    held_out: HeldOut | None = Field(
        default=None, description="None where one structure alone was measured"
    )
    bonds: tuple[BondError, ...] = Field(min_length=1)

    @field_validator("elements")
    @classmethod
    def _check_elements(cls, elements: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in elements:
            if symbol not in ATOMIC_NUMBERS:
                raise ValueError(f"unknown element {symbol!r}")
        return elements

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        if self.cluster_share + self.bond_share > 1:
            raise ValueError(
                f"cluster_share {self.cluster_share} and bond_share {self.bond_share} "
                "are shares of one variance: their sum must be at most 1"
            )
        if len({entry.bond for entry in self.bonds}) < len(self.bonds):
            raise ValueError("bonds: one of them stands twice")
        return self

    def is_of(self, level: LevelSpec, elements: Iterable[str]) -> bool:
        """Whether it holds for a level on a cluster of these elements.

        A solvent or another engine leaves the error of a method what it is.
        """
        return (
            self.method == level.method
            and self.electronic_temperature_k == level.electronic_temperature_k
            and self.spin_polarization == level.spin_polarization
            and set(self.elements) == set(elements)
        )

    def of_bond(self, bond: str) -> BondError | None:
        """The error in a bond; None where it was not measured."""
        return next((entry for entry in self.bonds if entry.bond == bond), None)
