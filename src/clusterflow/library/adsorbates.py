"""What the YAML of an adsorbate may say."""

from __future__ import annotations

from math import dist
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from clusterflow.library.common import AtomLine, Composed, Source
from clusterflow.model import Model, Name

SiteKind = Literal["top", "bridge", "hollow3", "hollow4", "pair", "hydride"]


# What rounding to two digits may leave.
_AT_PLACE_A: Final = 0.011


class AdsorbateForm(Model):
    """One way an adsorbate can sit: its binding atom at the origin, +z outward.

    A form with two binding atoms has them along x, one with three has them around the
    origin, at equal height. With `apart` each of two molecules, with a binding atom of
    its own, goes to a site of its own.
    """

    name: Name
    atoms: tuple[AtomLine, ...]
    binding: tuple[int, ...] = Field(min_length=1, max_length=3)
    sites: tuple[SiteKind, ...]
    apart: bool = Field(
        default=False, description="Two molecules on neighbouring sites"
    )

    @model_validator(mode="after")
    def _check_binding(self) -> Self:
        for index in self.binding:
            if not 0 <= index < len(self.atoms):
                raise ValueError(
                    f"form {self.name!r}: binding atom {index} is not among "
                    f"its {len(self.atoms)} atoms (counted from 0)"
                )
        if self.apart and len(self.binding) != 2:
            raise ValueError(
                f"form {self.name!r}: apart needs two binding atoms, one a molecule"
            )
        return self

    @model_validator(mode="after")
    def _check_drawing(self) -> Self:
        """Refuse a geometry that is pasted as it stood in another file."""
        if self.apart:  # each of the two is put on a site by its own binding atom
            return self
        feet = [self.atoms[index][1:] for index in self.binding]
        middle = tuple(sum(xs) / len(feet) for xs in zip(*feet, strict=True))
        what, where = "binding atom", "not at the origin"
        if len(feet) > 1:
            what, where = "middle of the binding atoms", "not the origin"
        if dist(middle, (0, 0, 0)) > _AT_PLACE_A:
            place = ", ".join(f"{x:.2f}" for x in middle)
            raise ValueError(
                f"form {self.name!r}: the {what} is ({place}), {where}; shift it "
                "there, or draw it with `clusterflow add-adsorbate`"
            )
        uneven = max(abs(z) for _, _, z in feet) > _AT_PLACE_A
        askew = len(feet) == 2 and max(abs(y) for _, y, _ in feet) > _AT_PLACE_A
        if uneven or askew:
            rule = "along x" if len(feet) == 2 else "at equal height"
            raise ValueError(
                f"form {self.name!r}: its {len(feet)} binding atoms must lie {rule}, "
                "with z = 0; turn it, or draw it with `clusterflow add-adsorbate`"
            )
        height, index = min((line[3], i) for i, line in enumerate(self.atoms))
        if height < -_AT_PLACE_A:
            raise ValueError(
                f"form {self.name!r}: atom {index} ({self.atoms[index][0]}) is "
                f"{-height:.2f} Å below the binding atom, where the surface is; "
                "turn it over, or draw it with `clusterflow add-adsorbate`"
            )
        return self


class Solvation(Model):
    """What water adds to the free energy of an adsorbate, by hydrogen bonds."""

    value: float = Field(ge=-2, le=2, description="eV; negative means stabilised")
    source: Source
    note: str = ""
    uncertainty_ev: float = Field(
        default=0.1,
        ge=0,
        le=2,
        description=(
            "Standard deviation of the value, eV. The default is an assumption: such "
            "values do not carry over from one surface to another (10.1063/1.5144912)"
        ),
    )


class AdsorbateSpec(Composed):
    """A surface species: how it can sit, and what water adds to it."""

    forms: tuple[AdsorbateForm, ...] = Field(
        default=(), description="None will do where only energies of one's own are used"
    )
    solvation_ev: Solvation | None = Field(
        default=None, description="For the layer `solvation`; none is unknown, not 0"
    )
    multiplicity_on: dict[Name, int] = Field(
        default={}, description="Multiplicity of the complex, by cluster, if not found"
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_inheritance(cls, content: Any) -> Any:
        for key in ("inherits", "may_inherit"):
            if isinstance(content, dict) and key in content:
                raise ValueError(
                    f"key {key!r} is no longer read: whose error an adsorbate carries "
                    "follows from the bonds of its minimum; remove the line"
                )
        return content

    @model_validator(mode="after")
    def _check_forms(self) -> Self:
        for form in self.forms:
            self._check_atoms(form.atoms, f"form {form.name!r}")
        return self
