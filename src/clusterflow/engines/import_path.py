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
    from ase.calculators.calculator import Calculator

    from clusterflow.library.levels import LevelSpec, OwnCalculator

_PLACEHOLDERS = ("{charge}", "{multiplicity}", "{unpaired}")


@dataclass(frozen=True)
class OwnEngine(Engine):
    """A class behind the protocol of all engines.

    Charge and multiplicity reach it where a value among its `kwargs` is ``{charge}``,
    ``{multiplicity}`` or ``{unpaired}``; else as arguments `charge` and
    `multiplicity`, if the class names them in its signature or in ASE's
    `default_parameters`; else charged and open-shell systems are refused.
    """

    own: OwnCalculator

    @property
    def distribution(self) -> str:
        """The installed package that the module belongs to, else the module."""
        top = self.own.module.partition(".")[0]
        return packages_distributions().get(top, [top])[0]

    def elements(self) -> frozenset[str]:
        """All elements: the class says by failing what it cannot treat.

        Raises
        ------
        EngineError
            If module or class is missing.
        """
        self.find_class()
        return frozenset(ATOMIC_NUMBERS) - {"X"}

    def find_class(self) -> type[Any]:
        """The class.

        Raises
        ------
        EngineError
            If module or class is missing, or it is no class of calculators.
        """
        path = self.own.calculator
        try:
            module = importlib.import_module(self.own.module)
        except ImportError as error:
            raise EngineError(
                f"calculator {path!r}: {error}; install it, or put the folder of the "
                "module on PYTHONPATH"
            ) from None
        found = getattr(module, self.own.class_name, None)
        if not isinstance(found, type):
            raise EngineError(
                f"calculator {path!r}: the module {self.own.module!r} has no class "
                f"{self.own.class_name!r}; correct the level's engine"
            )
        if not callable(getattr(found, "calculate", None)):
            raise EngineError(
                f"calculator {path!r}: no ASE calculator, it has no method calculate"
            )
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
        found = self.find_class()
        values = {"charge": charge, "multiplicity": multiplicity}
        kwargs = _fill_placeholders(
            self.own.kwargs, values | {"unpaired": multiplicity - 1}
        )
        placed = _find_placeholders(self.own.kwargs)
        accepted = _list_parameters(found) - set(kwargs)
        if "charge" not in placed:
            if "charge" in accepted:
                kwargs["charge"] = charge
            elif charge != 0:
                raise self._make_refusal(level, f"charge {charge:+d}", "{charge}")
        if not self.own.spinless and not placed & {"multiplicity", "unpaired"}:
            if "multiplicity" in accepted:
                kwargs["multiplicity"] = multiplicity
            elif multiplicity != 1:
                places = "{multiplicity} or {unpaired}"
                raise self._make_refusal(level, f"multiplicity {multiplicity}", places)
        try:
            return found(**kwargs)
        except Exception as error:  # a class of another package may raise anything
            raise EngineError(
                f"level {level.name!r}: {self.own.calculator} cannot be made: "
                f"{type(error).__name__}: {' '.join(str(error).split())}; "
                "correct the level's kwargs"
            ) from None

    def why_failed(self, error: Exception) -> str | None:
        """Any error, for codes fail in ways of their own."""
        if os.environ.get("CLUSTERFLOW_DEBUG") == "1":
            return super().why_failed(error)
        return f"{type(error).__name__}: {' '.join(str(error).split())}"

    def _make_refusal(
        self, level: LevelSpec, what: str, placeholder: str
    ) -> EngineError:
        return EngineError(
            f"level {level.name!r}: {self.own.calculator} takes no {what}; put "
            f"{placeholder} among its kwargs, or `spinless: true` if it knows no "
            "electrons"
        )


def _list_parameters(found: type[Any]) -> set[str]:
    """Names of the parameters a class says it takes."""
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
