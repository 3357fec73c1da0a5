"""Any other ASE calculator, named in a level by its import path."""

from __future__ import annotations

import importlib
import inspect
import os
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING, Any

from clusterflow.engines.base import Engine
from clusterflow.errors import EngineError
from clusterflow.formula import ATOMIC_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase.calculators.calculator import Calculator

    from clusterflow.engines.base import Rung
    from clusterflow.library.levels import LevelSpec, OwnCalculator

_PLACEHOLDERS = ("{charge}", "{multiplicity}", "{unpaired}")


@dataclass(frozen=True)
class OwnEngine(Engine):
    """A class, or a function that makes one of its objects, as an engine.

    Charge and multiplicity reach it where a value among its `kwargs` is ``{charge}``,
    ``{multiplicity}`` or ``{unpaired}``; else as arguments `charge` and
    `multiplicity`, if it names them in its signature or in ASE's
    `default_parameters`; the multiplicity also by `initial_moments`; else charged and
    open-shell systems are refused.
    """

    own: OwnCalculator

    @property
    def distribution(self) -> str:
        """The installed package that the module belongs to, else the module."""
        top = self.own.module.partition(".")[0]
        return packages_distributions().get(top, [top])[0]

    def elements(self) -> frozenset[str]:
        """All elements: the code says by failing what it cannot treat.

        Raises
        ------
        EngineError
            If module, class or function is missing.
        """
        self.find_maker()
        return frozenset(ATOMIC_NUMBERS) - {"X"}

    def find_maker(self) -> Callable[..., Any]:
        """The class or function.

        Raises
        ------
        EngineError
            If module, class or function is missing, or it is no class of calculators.
        """
        path = self.own.calculator
        try:
            module = importlib.import_module(self.own.module)
        except ImportError as error:
            raise EngineError(
                f"calculator {path!r}: {error}; install it, or put the folder of the "
                "module on PYTHONPATH"
            ) from None
        found: Callable[..., Any] | None = getattr(module, self.own.maker, None)
        if not callable(found):
            raise EngineError(
                f"calculator {path!r}: the module {self.own.module!r} has no class or "
                f"function {self.own.maker!r}; correct the level's engine"
            )
        if isinstance(found, type):
            _check_calculator(found, path)
        return found

    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """A calculator of the class; `accuracy` has no meaning common to all.

        Raises
        ------
        EngineError
            If it cannot be made, or cannot treat this charge or multiplicity.
        """
        # Loads ASE, which stages that compute no energies need not.
        from clusterflow.engines.placed import PlacedCalculator

        found = self.find_maker()
        values = {"charge": charge, "multiplicity": multiplicity}
        unpaired = multiplicity - 1
        kwargs = _fill_placeholders(self.own.kwargs, values | {"unpaired": unpaired})
        placed = _find_placeholders(self.own.kwargs)
        accepted = _list_parameters(found) - set(kwargs)
        if "charge" not in placed:
            if "charge" in accepted:
                kwargs["charge"] = charge
            elif charge != 0:
                raise self._make_refusal(level, f"charge {charge:+d}", "{charge}")
        has_spin = self.own.initial_moments or placed & {"multiplicity", "unpaired"}
        if not self.own.spinless and not has_spin:
            if "multiplicity" in accepted:
                kwargs["multiplicity"] = multiplicity
            elif multiplicity != 1:
                places = "{multiplicity} or {unpaired}"
                raise self._make_refusal(level, f"multiplicity {multiplicity}", places)

        def make() -> Calculator:
            made = found(**kwargs)
            _check_calculator(made, self.own.calculator)
            return made

        try:
            return PlacedCalculator(
                make,
                box=self.own.box,
                unpaired=unpaired if self.own.initial_moments else None,
            )
        except EngineError:
            raise
        except Exception as error:  # a class of another package may raise anything
            raise EngineError(
                f"level {level.name!r}: {self.own.calculator} cannot be made: "
                f"{type(error).__name__}: {' '.join(str(error).split())}; "
                "correct the level's kwargs"
            ) from None

    def climb(self, calculator: Calculator, rung: Rung) -> None:
        """Start from nothing; there is one rung."""
        calculator.renew()

    def why_failed(self, error: Exception) -> str | None:
        """Any error, for codes fail in ways of their own."""
        if os.environ.get("CLUSTERFLOW_DEBUG") == "1":
            return super().why_failed(error)
        return f"{type(error).__name__}: {' '.join(str(error).split())}"

    def _make_refusal(
        self, level: LevelSpec, what: str, placeholder: str
    ) -> EngineError:
        moments = "`initial_moments: true` if it reads those of ASE's atoms, "
        return EngineError(
            f"level {level.name!r}: {self.own.calculator} takes no {what}; put "
            f"{placeholder} among its kwargs, "
            f"{moments if 'multiplicity' in placeholder else ''}"
            "or `spinless: true` if it knows no electrons"
        )


def _check_calculator(made: Any, path: str) -> None:
    """Refuse what is no calculator, or no class of them."""
    if not callable(getattr(made, "calculate", None)):
        raise EngineError(
            f"calculator {path!r}: no ASE calculator, it has no method calculate"
        )


def _list_parameters(found: Callable[..., Any]) -> set[str]:
    """Names of the parameters a class or function says it takes."""
    try:
        named = set(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        named = set()
    defaults = getattr(found, "default_parameters", None)
    return named | (set(defaults) if isinstance(defaults, dict) else set())


def _fill_placeholders(value: Any, values: dict[str, int]) -> Any:
    """`value` with placeholders replaced, at any depth."""
    if isinstance(value, dict):
        return {key: _fill_placeholders(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill_placeholders(item, values) for item in value]
    if isinstance(value, str) and value in _PLACEHOLDERS:
        return values[value.strip("{}")]
    return value


def _find_placeholders(value: Any) -> set[str]:
    """Names of the placeholders in `value`, at any depth."""
    if isinstance(value, dict):
        return set().union(*map(_find_placeholders, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_find_placeholders, value))
    known = isinstance(value, str) and value in _PLACEHOLDERS
    return {value.strip("{}")} if known else set()
