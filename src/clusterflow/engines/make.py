"""The one way to a calculator, by the level it is of."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.engines.import_path import OwnEngine
from clusterflow.engines.meter import Meter
from clusterflow.errors import EngineError, choose
from clusterflow.library.find import Library

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.engines.base import Engine, ScfOptions
    from clusterflow.engines.calculator import EngineCalculator, Memory
    from clusterflow.library.levels import LevelSpec

_NO_ENGINES = (
    *("base", "calculator", "density", "import_path", "make", "meter"),
    *("placed", "pyscf_calculator"),
)

# Every other module of the package is an engine: `xtb_python.ENGINE` is "xtb-python".
ENGINES: dict[str, Engine] = {
    name.replace("_", "-"): import_module(f"clusterflow.engines.{name}").ENGINE
    for _, name, _ in pkgutil.iter_modules([str(Path(__file__).parent)])
    if name not in _NO_ENGINES
}


def engine_of(level: LevelSpec) -> Engine:
    """What makes the calculators of a level.

    Raises
    ------
    LibraryError
        If no engine is called so.
    """
    if isinstance(level.engine, str):
        return choose(ENGINES, level.engine, "engine")
    return OwnEngine(level.engine)


def make_calculator(
    level: str | LevelSpec,
    charge: int = 0,
    multiplicity: int = 1,
    *,
    accuracy: float = 1.0,
    meter: Meter | None = None,
    memory: Memory | None = None,
    options: ScfOptions | None = None,
) -> EngineCalculator:
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
    memory
        Holds gradients of an earlier run.
    options
        Ghosts, and densities to start from and to keep, for engines that have some.

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
    # Loads ASE, which stages that compute no energies need not.
    from clusterflow.engines.calculator import EngineCalculator

    spec = Library.default().level(level) if isinstance(level, str) else level
    if multiplicity < 1:
        raise EngineError(f"multiplicity = {multiplicity}: must be 1 or more")
    engine = engine_of(spec)
    try:
        inner = engine.make(
            spec, charge=charge, multiplicity=multiplicity, accuracy=accuracy
        )
    except ImportError as error:
        raise _make_missing_error(spec, engine, error) from None
    if options is not None:
        engine.equip(inner, options)
    return EngineCalculator(inner, engine, meter or Meter(), memory)


def check_elements(level: LevelSpec, symbols: Iterable[str], who: str) -> None:
    """Refuse elements the level's engine does not know.

    Raises
    ------
    EngineError
        Which names them, or the engine that is not installed.
    """
    engine = engine_of(level)
    try:
        reason = engine.why_refused(level, symbols)
    except ImportError as error:
        raise _make_missing_error(level, engine, error) from None
    if reason:
        raise EngineError(
            f"{who}: level {level.name!r} {reason}; choose another level or cluster"
        )


def _make_missing_error(
    level: LevelSpec, engine: Engine, error: ImportError
) -> EngineError:
    return EngineError(
        f"engine {level.engine_name!r} of level {level.name!r} is not installed "
        f"({error}); run: pip install {engine.requirement}"
    )


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
