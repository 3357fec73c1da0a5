"""Gases that are taken as right unless a study says otherwise."""

from __future__ import annotations

from typing import Final

# They make every molecule of C, H and O.
FROM_CO2: Final = ("CO2", "H2", "H2O")
