"""What an engine must offer, and the one way to a calculator."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Protocol

from clusterflow.engines.ladder import Rung, put_on_ladder
from clusterflow.engines.own import OwnEngine
from clusterflow.errors import EngineError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.library import Library
from clusterflow.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ase.calculators.calculator import Calculator

    from clusterflow.core.topology import FloatArray
    from clusterflow.specs import LevelSpec


class Engine(Protocol):
    """A program that computes energies and forces.

    `distribution` is the package that must be installed; its version is recorded.
    """

    @property
    def distribution(self) -> str:
        """Name of the installed package."""
        ...

    def elements(self) -> frozenset[str]:
        """Symbols of the elements it can treat."""
        ...

    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """An ASE calculator for one charge and multiplicity."""
        ...

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Ways to converge, in the order they are tried; the first is how it starts."""
        ...

    def climb(self, calculator: Calculator, rung: Rung) -> None:
        """Set a calculator to a rung, with no wavefunction of an earlier geometry."""
        ...

    def frontier_orbitals(self, calculator: Calculator) -> tuple[float, float] | None:
        """HOMO and LUMO energies, eV, of the last calculation, where it knows them."""
        ...

    def frontier_weights(self, calculator: Calculator) -> FloatArray | None:
        """Share of each atom in HOMO and LUMO, shape (2, n_atoms), where known."""
        ...


ENGINES: Registry[Engine] = Registry("engine")

# The parametrisations of GFN1 and GFN2 end at radon.
UP_TO_RADON = frozenset(s for s, z in ATOMIC_NUMBERS.items() if 1 <= z <= 86)


@dataclass
class Meter:
    """Counts gradients and the CPU time they take, for the record's provenance.

    CPU time, because a job has one thread and machines are shared. `rungs` and
    `failures` count the geometries that each rung of the SCF ladder converged or not.
    """

    n_gradients: int = 0
    seconds: float = field(default=0.0)
    rungs: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def attach(self, calculator: Calculator) -> Calculator:
        """The same calculator, its calls counted."""
        inner: Callable[..., None] = calculator.calculate

        def calculate(*args: object, **kwargs: object) -> None:
            start = time.process_time()
            try:
                inner(*args, **kwargs)
            finally:
                self.seconds += time.process_time() - start
                self.n_gradients += 1

        calculator.calculate = calculate
        return calculator


def engine_of(level: LevelSpec) -> Engine:
    """What makes the calculators of a level.

    Raises
    ------
    LibraryError
        If no engine is called so.
    """
    if isinstance(level.engine, str):
        return ENGINES.get(level.engine)
    return OwnEngine(level.engine)


def _guarded(calculator: Calculator) -> Calculator:
    """The same calculator, whose numbers are finite or its calculation has failed."""
    from ase.calculators.calculator import CalculationFailed, CalculatorError

    inner: Callable[..., None] = calculator.calculate

    def calculate(*args: object, **kwargs: object) -> None:
        try:
            inner(*args, **kwargs)
        except CalculationFailed:
            raise
        except CalculatorError as error:
            # Of a geometry that a relaxation came to, such as atoms too close.
            raise CalculationFailed(str(error)) from error
        _refuse_not_finite(calculator)

    calculator.calculate = calculate
    return calculator


def _refuse_not_finite(calculator: Calculator) -> None:
    import numpy as np
    from ase.calculators.calculator import CalculationFailed

    for name in ("energy", "free_energy", "forces"):
        value = calculator.results.get(name)
        if value is not None and not np.all(np.isfinite(value)):
            calculator.results.clear()
            raise CalculationFailed(f"the {name} is not a finite number")


def make_calculator(
    level: str | LevelSpec,
    charge: int = 0,
    multiplicity: int = 1,
    *,
    accuracy: float = 1.0,
    meter: Meter | None = None,
) -> Calculator:
    """An ASE calculator at a level.

    Parameters
    ----------
    level
        A level, or the name of one in ``structures/levels/``.
    charge, multiplicity
        Of the whole system; they stay with the calculator.
    accuracy
        SCF accuracy in the units of xTB: smaller is tighter.
    meter
        Counts its gradients.

    Raises
    ------
    EngineError
        If the engine is not installed or cannot do this.
    LibraryError
        If there is no such level.

    Examples
    --------
    >>> from ase.build import molecule
    >>> water = molecule("H2O")
    >>> water.calc = make_calculator("gfn2-xtb")
    >>> round(float(water.get_potential_energy()), 3)
    -137.968
    """
    spec = Library.default().level(level) if isinstance(level, str) else level
    if multiplicity < 1:
        raise EngineError(f"multiplicity = {multiplicity}: must be 1 or more")
    engine = engine_of(spec)
    try:
        calculator = engine.make(
            spec, charge=charge, multiplicity=multiplicity, accuracy=accuracy
        )
    except ImportError as error:
        raise EngineError(
            f"engine {spec.engine_name!r} of level {spec.name!r} is not installed "
            f"({error}); run: pip install {engine.distribution}"
        ) from None
    meter = meter or Meter()
    calculator = put_on_ladder(
        _guarded(calculator), engine.rungs, engine.climb, meter.rungs, meter.failures
    )
    return meter.attach(calculator)


def check_elements(level: LevelSpec, symbols: Iterable[str], who: str) -> None:
    """Refuse elements the level's engine does not know.

    Raises
    ------
    EngineError
        Which names them.
    """
    unknown = sorted(set(symbols) - engine_of(level).elements())
    if unknown:
        raise EngineError(
            f"{who}: level {level.name!r} has no parameters for {', '.join(unknown)}; "
            "choose another level or cluster"
        )


def frontier_orbitals(
    level: LevelSpec, calculator: Calculator
) -> tuple[float, float] | None:
    """HOMO and LUMO of the last calculation, eV, or None where unknown."""
    return engine_of(level).frontier_orbitals(calculator)


def frontier_weights(level: LevelSpec, calculator: Calculator) -> FloatArray | None:
    """Share of each atom in HOMO and LUMO by Mulliken, shape (2, n_atoms), or None.

    Each row adds up to one. It costs a single point, from the last wavefunction.
    """
    return engine_of(level).frontier_weights(calculator)


def engine_versions(level: LevelSpec | None) -> dict[str, str]:
    """Versions of the engine's package and of ASE, for provenance."""
    names = ["ase"]
    if level is not None:
        names.append(engine_of(level).distribution)
    found = {}
    for name in dict.fromkeys(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
