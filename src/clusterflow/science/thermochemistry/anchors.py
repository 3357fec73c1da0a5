"""Gases that are taken as right unless a study says otherwise."""

from __future__ import annotations

from typing import Final

# They make every molecule of C, H and O.
FROM_CO2: Final = ("CO2", "H2", "H2O")
# Those whose bonds are right where errors of bonds are fitted: of each element a gas
# without a multiple bond that a level may have wrong. With N2 in the place of ammonia
# the 4.3 eV of GFN1 in N≡N would be shared out among the bonds N-H.
EXACT: Final = (*FROM_CO2, "NH3")
