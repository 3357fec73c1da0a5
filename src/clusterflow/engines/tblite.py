"""GFN1-xTB and GFN2-xTB by tblite, the default engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.engines.base import ENGINES, UP_TO_RADON
from clusterflow.units import HARTREE_EV

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from clusterflow.specs import LevelSpec


class TbliteEngine:
    """tblite's own ASE calculator, with charge and multiplicity given outright."""

    distribution = "tblite"

    def elements(self) -> frozenset[str]:
        """All elements up to radon."""
        return UP_TO_RADON

    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """A calculator that says nothing and keeps its wavefunction between calls."""
        from tblite.ase import TBLite

        return TBLite(
            method=level.method,
            charge=charge,
            multiplicity=multiplicity,
            accuracy=accuracy,
            electronic_temperature=level.electronic_temperature_k,
            spin_polarization=level.spin_polarization,
            solvation=("alpb", level.solvent) if level.solvent else None,
            verbosity=0,
        )

    def frontier_orbitals(self, calculator: Calculator) -> tuple[float, float] | None:
        """Highest orbital more than half filled and the lowest less than half, eV."""
        import numpy as np

        result = getattr(calculator, "_res", None)
        if result is None:
            return None
        energies = np.atleast_2d(result.get("orbital-energies")) * HARTREE_EV
        filling = np.atleast_2d(result.get("orbital-occupations"))
        half = 1.0 if len(filling) == 1 else 0.5
        occupied, empty = energies[filling >= half], energies[filling < half]
        if not len(occupied) or not len(empty):
            return None
        return float(occupied.max()), float(empty.min())


ENGINES.register("tblite")(TbliteEngine())
