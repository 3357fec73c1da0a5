"""What the YAML of a dissolved molecule or ion may say: measured data alone."""

from __future__ import annotations

from collections import Counter  # noqa: TC003 - pydantic reads annotations
from typing import Annotated

from pydantic import Field, StringConstraints

from clusterflow.formula import parse_formula
from clusterflow.library.common import Spec

SOLUTE_PATTERN = r"[A-Za-z0-9]+(?:[+-]\d?)?"


class SoluteSpec(Spec):
    """A dissolved molecule or ion at 1 mol/kg, 298.15 K, with ΔfG(H⁺) = 0.

    The charge ends the name, as in ``HCOO-``, ``CO3-2`` or ``NH4+``.
    """

    name: Annotated[
        str, StringConstraints(pattern=f"^{SOLUTE_PATTERN}$", max_length=60)
    ]
    formula: str
    charge: int = 0
    gibbs_kj_per_mol: float = Field(description="ΔfG, with that of H⁺ zero")
    entropy_j_per_mol_k: float = Field(description="S°, with that of H⁺ zero")

    @property
    def counts(self) -> Counter[str]:
        """Number of atoms by element."""
        return parse_formula(self.formula)
