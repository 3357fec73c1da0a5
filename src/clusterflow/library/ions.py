"""What the YAML of an ion may say that stands beside clusters in crystals."""

from __future__ import annotations

from collections import Counter  # noqa: TC003 - pydantic reads annotations

from clusterflow.formula import parse_formula
from clusterflow.library.common import Spec


class IonSpec(Spec):
    """A counter-ion, recognised by its atoms."""

    formula: str
    charge: int

    @property
    def counts(self) -> Counter[str]:
        """Number of atoms by element."""
        return parse_formula(self.formula)

    @property
    def label(self) -> str:
        """Name with charge, such as ``PF6-`` or ``sulfate 2-``."""
        size = "" if abs(self.charge) == 1 else f" {abs(self.charge)}"
        return f"{self.name}{size}{'+' if self.charge > 0 else '-'}"
