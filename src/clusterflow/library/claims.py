"""What a study may claim: a sentence over its quantities, and who says so."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from clusterflow.model import Model, Name


def _check_source(source: str) -> str:
    if not re.match(r"10\.\d{4,9}/\S|https://\S|unpublished: \S", source):
        raise ValueError(
            "give a DOI such as 10.1038/nmat1056, a web address, or `unpublished: NAME`"
        )
    return source


class ClaimSpec(Model):
    """A claim as it is written in the settings of a study; docs/claims.md."""

    name: Name
    claim: str = Field(
        description="Such as `U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8)`"
    )
    source: Annotated[str, AfterValidator(_check_source)] = Field(
        description="Who claims it: a DOI, a web address or `unpublished: NAME`"
    )
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
