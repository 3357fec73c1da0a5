"""GFN1-xTB and GFN2-xTB by tblite, the default engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.engines.base import UP_TO_RADON, Engine, Rung
from clusterflow.errors import EngineError
from clusterflow.units import BOLTZMANN_EV_PER_K, HARTREE_EV

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from clusterflow.library.levels import LevelSpec
    from clusterflow.science.geometry.bonds import FloatArray


# What rungs change, as a calculator starts.
_START = {
    "mixer_damping": 0.4,
    "mixer_memory": 0,
    "max_iterations": 250,
    "guess": "sad",
    "initial_guess": "sad",
    "annealing": None,
}


# Orbitals this near in energy are one level.
_DEGENERATE_EV = 0.01


def _translate_solvent(level: LevelSpec) -> tuple[str, ...] | None:
    """A level's solvent as tblite's calculator wants it; one by name is of ALPB."""
    if level.solvent is None:
        return None
    if isinstance(level.solvent, str):
        return ("alpb", level.solvent)
    name, model = level.solvent.name, level.solvent.model
    # The polarisable continuum comes from the library ddX, which tblite calls.
    return ("ddX", name, model) if model == "cpcm" else (model, name)


def _check_solvent(level: LevelSpec, solvation: tuple[str, ...]) -> None:
    """Try a solvent on an atom: a wrong name is no failure of an SCF."""
    import numpy as np
    from tblite.exceptions import TBLiteRuntimeError
    from tblite.interface import Calculator as Bare

    model, *arguments = solvation
    try:
        helium = Bare(level.method, np.array([2]), np.zeros((1, 3)))
        helium.set("verbosity", 0)
        helium.add(f"{model}-solvation", *arguments)
    except TBLiteRuntimeError as error:
        raise EngineError(
            f"level {level.name!r}: tblite has no solvent '{level.solvent}' ({error}); "
            "name one that it knows, such as water"
        ) from None


class TbliteEngine(Engine):
    """tblite's own ASE calculator, with charge and multiplicity given outright."""

    distribution = "tblite"
    keeps_wavefunction = True
    rungs = (
        Rung(name="default"),
        Rung(name="fresh"),
        Rung(name="damped", parameters={"mixer_damping": 0.1, "max_iterations": 500}),
        Rung(
            name="damped-eeq",
            parameters={
                "mixer_damping": 0.1,
                "max_iterations": 500,
                # tblite 0.8 reads the first and acts on a change of the second.
                "guess": "eeq",
                "initial_guess": "eeq",
            },
        ),
        Rung(
            name="slow",
            parameters={
                "mixer_damping": 0.02,
                "mixer_memory": 50,
                "max_iterations": 1000,
            },
        ),
        Rung(
            name="annealed",
            parameters={
                # From 5000 K in hartree: 50 cycles there, 100 back to the level's own.
                # With a history of other temperatures the mixer fails, even for Cu4.
                "annealing": (5000 * BOLTZMANN_EV_PER_K / HARTREE_EV, 50, 100),
                "mixer_memory": 10,
                "max_iterations": 500,
            },
        ),
        Rung(
            name="rattled",
            parameters={"mixer_damping": 0.1, "max_iterations": 500},
            rattle_a=0.01,
        ),
    )

    def elements(self) -> frozenset[str]:
        """All elements up to radon."""
        return UP_TO_RADON

    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """A calculator that says nothing and keeps its wavefunction between calls."""
        from tblite.ase import TBLite

        solvation = _translate_solvent(level)
        if solvation is not None:
            _check_solvent(level, solvation)
        return TBLite(
            method=level.method,
            charge=charge,
            multiplicity=multiplicity,
            accuracy=accuracy,
            electronic_temperature=level.electronic_temperature_k,
            spin_polarization=level.spin_polarization,
            solvation=solvation,
            verbosity=0,
        )

    def climb(self, calculator: Calculator, rung: Rung) -> None:
        """Other settings of the mixer, and the wavefunction forgotten."""
        calculator.set(**{**_START, **rung.parameters})
        calculator._xtb = calculator._res = None

    def copy_wavefunction(self, calculator: Calculator) -> Any:
        """Its own container of results, which holds what a restart needs."""
        from tblite.interface import Result

        return Result(calculator._res)

    def start_from(self, calculator: Calculator, wavefunction: Any) -> None:
        """A copy, for a calculation changes the container that it is given."""
        from tblite.interface import Result

        calculator._res = Result(wavefunction)

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

    def frontier_weights(self, calculator: Calculator) -> FloatArray | None:
        """Mulliken shares; orbitals that are degenerate with a frontier one count."""
        import numpy as np

        frontier = self.frontier_orbitals(calculator)
        if frontier is None:
            return None
        # Integrals are kept only where they are asked for: they are large.
        calculator._xtb.set("save-integrals", 1)
        result = calculator._xtb.singlepoint(calculator._res, copy=True)
        calculator._xtb.set("save-integrals", 0)
        energies = np.atleast_2d(result.get("orbital-energies")) * HARTREE_EV
        n = energies.shape[1]
        coefficients = np.reshape(result.get("orbital-coefficients"), (-1, n, n))
        populations = coefficients * (result.get("overlap-matrix") @ coefficients)
        shells = calculator._xtb.get("orbital-map")
        atom_of = calculator._xtb.get("shell-map")[shells]
        weights = np.zeros((2, int(atom_of.max()) + 1))
        for row, energy in zip(weights, frontier, strict=True):
            same = np.abs(energies - energy) < _DEGENERATE_EV
            shares = np.swapaxes(populations, 1, 2)[same].mean(axis=0)
            np.add.at(row, atom_of, shares)
        return weights


ENGINE = TbliteEngine()
