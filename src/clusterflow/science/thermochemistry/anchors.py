"""Sets of gases that are taken as right, from which the others' errors are measured."""

from __future__ import annotations

from typing import Final

# Each makes every molecule of C, H and O; they differ in the carbon compound.
FROM_CO2: Final = ("CO2", "H2", "H2O")
FROM_CO: Final = ("CO", "H2", "H2O")
