"""GFN1-xTB and GFN2-xTB by xtb-python, made safe.

Its forces are wrong for some molecules that lie exactly along the axes (0.23 eV/Å for
methanol as ASE draws it; energies are right), and it takes charge and spin from the
atoms alone. So every geometry is turned to a generic orientation first, with charge
and spin set on a copy, and the forces are turned back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from clusterflow.engines.base import UP_TO_RADON, Engine, Rung
from clusterflow.errors import EngineError

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from clusterflow.library.levels import LevelSpec

# Three angles without a rational relation, so that no molecule ends up aligned again.
_EULER_ANGLES_DEG = (37.3, 61.7, 23.9)


class XtbPythonEngine(Engine):
    """xtb-python behind a calculator that rotates.

    It keeps one environment for all geometries of a calculator: made anew for each,
    memory grows by 7 MB in 500 gradients of Cd6Se6 (xtb-python 22.1), kept by 0.4 MB.
    """

    distribution = "xtb"
    rungs = (
        Rung(name="default"),
        Rung(name="fresh"),
        Rung(name="rattled", rattle_a=0.01),
    )

    def elements(self) -> frozenset[str]:
        """All elements up to radon."""
        return UP_TO_RADON

    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """A rotating calculator; spin polarisation does not exist in this engine."""
        if level.spin_polarization is not None:
            raise EngineError(
                f"level {level.name!r}: xtb-python has no spin polarisation; use tblite"
            )
        if level.solvent is not None and not isinstance(level.solvent, str):
            raise EngineError(
                f"level {level.name!r}: xtb-python has one model of solvents; name the "
                f"solvent alone, solvent: {level.solvent.name}, or use tblite"
            )
        return _make_rotating_calculator(level, charge, multiplicity, accuracy)

    def climb(self, calculator: Calculator, rung: Rung) -> None:
        """The wavefunction forgotten: it offers no settings of its mixer."""
        calculator.forget()


def _make_rotating_calculator(
    level: LevelSpec, charge: int, multiplicity: int, accuracy: float
) -> Calculator:
    import numpy as np
    from ase.calculators.calculator import (
        CalculationFailed,
        CalculatorError,
        all_changes,
    )
    from ase.calculators.calculator import Calculator as AseCalculator
    from scipy.spatial.transform import Rotation
    from xtb.ase.calculator import XTB

    turn = Rotation.from_euler("zyx", _EULER_ANGLES_DEG, degrees=True).as_matrix()

    class RotatingXTB(AseCalculator):  # type: ignore[misc]
        """xtb-python in a generic orientation."""

        implemented_properties: ClassVar[list[str]] = [
            "energy",
            "free_energy",
            "forces",
            "charges",
            "dipole",
        ]

        def __init__(self) -> None:
            super().__init__()
            self._inner = XTB(
                method=level.method,
                accuracy=accuracy,
                electronic_temperature=level.electronic_temperature_k,
                solvent=level.solvent or "None",
            )

        def calculate(
            self,
            atoms: Any = None,
            properties: Any = None,
            system_changes: Any = all_changes,
        ) -> None:
            super().calculate(atoms, properties, system_changes)
            if self.atoms.pbc.any():
                # Atoms are turned and the cell is not.
                raise EngineError(
                    f"level {level.name!r}: xtb-python computes no periodic cells "
                    "here; use tblite"
                )
            turned = self.atoms.copy()
            turned.positions = self.atoms.positions @ turn.T
            share = np.eye(len(turned))[0]
            turned.set_initial_charges(charge * share)
            turned.set_initial_magnetic_moments((multiplicity - 1) * share)
            turned.calc = self._inner
            forces = self._compute_forces(turned) @ turn
            self.results = dict(self._inner.results)
            self.results["forces"] = forces
            self.results["dipole"] = self.results["dipole"] @ turn

        def _compute_forces(self, turned: Any) -> Any:
            """Forces; after a failure nothing of it is left for the next geometry.

            A wavefunction that is not finite would be taken up again, and all that
            follows be not finite either.
            """
            try:
                forces = turned.get_forces()
            except CalculatorError:
                self.forget()
                raise
            if not np.all(np.isfinite(forces)):
                self.forget()
                raise CalculationFailed("the forces are not finite numbers")
            return forces

        def forget(self) -> None:
            """Drop wavefunction and results."""
            self._inner.reset()
            self._inner._xtb = self._inner._res = None

    return RotatingXTB()


ENGINE = XtbPythonEngine()
