"""The SCF ladder: other ways to the same energy, tried in turn where one fails.

A rung changes how the self-consistent field is looked for (damping, initial guess,
annealing back to the level's own temperature), never the level. The geometry after a
success starts on the rung that had it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One way to converge: parameters of the engine's calculator, from no wavefunction.

    With `rattle_a` a geometry so far away, Å, is converged first and starts this one.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rattle_a: float = 0.0


class OneRung:
    """For an engine whose convergence nothing is known about."""

    rungs = (Rung(name="default"),)

    def climb(self, calculator: Calculator, rung: Rung) -> None:
        """Nothing to set."""


def put_on_ladder(
    calculator: Calculator,
    rungs: Sequence[Rung],
    climb: Callable[[Calculator, Rung], None],
    used: Counter[str],
    failed: Counter[str],
) -> Calculator:
    """The same calculator, which tries the other rungs before it fails.

    Parameters
    ----------
    rungs
        The first is how the calculator starts.
    climb
        Sets the calculator to a rung and makes it forget its wavefunction.
    used, failed
        Count the geometries that each rung converged, or did not.
    """
    from ase.calculators.calculator import CalculationFailed

    inner: Callable[..., None] = calculator.calculate
    at = 0

    def calculate(atoms: Atoms | None = None, *args: Any, **kwargs: Any) -> None:
        nonlocal at
        here = atoms if atoms is not None else calculator.atoms
        reasons: list[str] = []
        for index in [*range(at, len(rungs)), *range(at)]:
            rung = rungs[index]
            if reasons:
                climb(calculator, rung)
            try:
                if rung.rattle_a:
                    inner(_rattled(here, rung.rattle_a), *args, **kwargs)
                inner(here, *args, **kwargs)
            except CalculationFailed as error:
                failed[rung.name] += 1
                reasons.append(" ".join(str(error).split()) or "no convergence")
                continue
            used[rung.name] += 1
            at = index
            return
        at = 0
        climb(calculator, rungs[0])
        more = f", nor on {len(rungs) - 1} other rungs" if len(rungs) > 1 else ""
        raise CalculationFailed(f"{reasons[0]}{more}")

    calculator.calculate = calculate
    return calculator


def _rattled(atoms: Atoms, amplitude_a: float) -> Atoms:
    import numpy as np

    moved = atoms.copy()
    noise = np.random.default_rng(0).normal(0.0, amplitude_a, moved.positions.shape)
    moved.positions += noise
    return moved
