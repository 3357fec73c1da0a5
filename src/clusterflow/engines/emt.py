"""ASE's effective medium theory: for tests and the tutorial, not for chemistry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.engines.base import Engine
from clusterflow.errors import EngineError

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from clusterflow.library.levels import LevelSpec


class EmtEngine(Engine):
    """A potential for fcc metals that also runs, without meaning, for H, C, N and O."""

    distribution = "ase"

    def elements(self) -> frozenset[str]:
        """Elements EMT has parameters for."""
        return frozenset({"Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt", "H", "C", "N", "O"})

    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """A calculator without electrons: it has no charge, and any multiplicity."""
        from ase.calculators.emt import EMT

        if charge != 0:
            raise EngineError(
                f"level {level.name!r}: EMT has no electrons, so it cannot treat "
                f"charge {charge:+d}; use an xTB level"
            )
        if level.solvent is not None:
            raise EngineError(
                f"level {level.name!r}: EMT knows no solvent; use an xTB level"
            )
        return EMT()


ENGINE = EmtEngine()
