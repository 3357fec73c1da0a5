"""What an engine must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clusterflow.errors import EngineError
from clusterflow.formula import ATOMIC_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ase.calculators.calculator import Calculator

    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.scf import ScfReport
    from clusterflow.science.geometry.bonds import FloatArray

# The parametrisations of GFN1 and GFN2 end at radon.
UP_TO_RADON = frozenset(s for s, z in ATOMIC_NUMBERS.items() if 1 <= z <= 86)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One way to converge: parameters of the engine's calculator, from no wavefunction.

    Rungs change how the self-consistent field is looked for (damping, initial guess,
    annealing back to the level's own temperature), never the level. With `rattle_a` a
    geometry so far away, Å, is converged first and starts this one.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rattle_a: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScfOptions:
    """What an engine with basis functions may be told of one system.

    Parameters
    ----------
    ghosts
        Indices of atoms of which only the basis functions are there, no nucleus and no
        electrons. Charge and multiplicity are those of the rest.
    checkpoint
        A file for the density of every cycle. What is found in it is the first guess:
        a job that was cut off goes on from there.
    neighbours
        Checkpoints of systems that share their first atoms with this one; the first
        that can be used is the guess where there is no checkpoint.
    """

    ghosts: tuple[int, ...] = ()
    checkpoint: Path | None = None
    neighbours: tuple[Path, ...] = ()


class Engine(ABC):
    """A program that computes energies and forces.

    A new one says its package, its elements and how to make a calculator; the rest may
    stay as it is here.
    """

    # Ways to converge, in the order they are tried; the first is how it starts.
    rungs: tuple[Rung, ...] = (Rung(name="default"),)
    # Whether one calculation can begin with the wavefunction of another.
    keeps_wavefunction: bool = False

    @property
    @abstractmethod
    def distribution(self) -> str:
        """The package that must be installed; its version is recorded."""

    @property
    def requirement(self) -> str:
        """What pip is asked for to have it."""
        return self.distribution

    @abstractmethod
    def elements(self) -> frozenset[str]:
        """Symbols of the elements it can treat."""

    @abstractmethod
    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """An ASE calculator for one charge and multiplicity."""

    def why_refused(self, level: LevelSpec, symbols: Iterable[str]) -> str:
        """Why a level cannot treat these elements; empty if it can."""
        unknown = sorted(set(symbols) - self.elements())
        return f"has no parameters for {', '.join(unknown)}" if unknown else ""

    def equip(self, calculator: Calculator, options: ScfOptions) -> None:
        """Tell a calculator of ghosts, and of densities to start from and to keep.

        Raises
        ------
        EngineError
            If the engine has no basis functions.
        """
        raise EngineError(
            f"an engine of {self.distribution} has no basis functions: it knows "
            "neither ghosts nor densities; take a level of the engine pyscf"
        )

    def climb(self, calculator: Calculator, rung: Rung) -> None:  # noqa: B027 - one
        """Set a calculator to a rung, with no wavefunction of an earlier geometry."""

    def copy_wavefunction(self, calculator: Calculator) -> Any:  # noqa: B027 - one
        """What the last calculation has converged to; None where it cannot be kept."""

    def start_from(self, calculator: Calculator, wavefunction: Any) -> None:
        """Begin the next calculation with a wavefunction, which stays as it is.

        Raises
        ------
        EngineError
            If the engine keeps none.
        """
        raise EngineError(f"an engine of {self.distribution} keeps no wavefunction")

    def why_failed(self, error: Exception) -> str | None:
        """What an error says of a geometry, or None where it is about something else.

        By default errors of ASE's calculators are about a geometry, such as atoms that
        a relaxation has brought too close.
        """
        from ase.calculators.calculator import CalculatorError

        return str(error) if isinstance(error, CalculatorError) else None

    def scf_report(self, calculator: Calculator) -> ScfReport | None:
        """How the last calculation converged; None where the engine does not say."""
        return None

    def frontier_orbitals(self, calculator: Calculator) -> tuple[float, float] | None:
        """HOMO and LUMO energies, eV, of the last calculation; None where unknown."""
        return None

    def frontier_weights(self, calculator: Calculator) -> FloatArray | None:
        """Share of each atom in HOMO and LUMO, shape (2, n_atoms); None where unknown.

        By Mulliken, and each row adds up to one. It may cost a single point.
        """
        return None
