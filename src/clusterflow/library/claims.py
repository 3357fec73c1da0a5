"""What a study may claim: a sentence over its quantities, and who says so."""

from __future__ import annotations

from pydantic import Field

from clusterflow.library.common import GeometrySource
from clusterflow.model import Model, Name


class ClaimSpec(Model):
    """A claim as it is written in the settings of a study; docs/claims.md."""

    name: Name
    claim: str = Field(
        description="Such as `U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8)`"
    )
    source: GeometrySource
    published: str | None = Field(
        default=None,
        description="What the source has for the quantities of the claim, left less "
        "right, with its unit",
    )
    tolerance: str | None = Field(
        default=None,
        description="How far from it, or from the right side of `=`, still counts, "
        "with its unit",
    )
