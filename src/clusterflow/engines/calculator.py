"""The calculator that stages work with: one of an engine, and what every run needs."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from ase.calculators.calculator import CalculationFailed, Calculator, all_changes

from clusterflow.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from clusterflow.engines.base import Engine, Rung
    from clusterflow.engines.meter import Meter
    from clusterflow.records.scf import ScfReport
    from clusterflow.science.geometry.bonds import FloatArray

M = TypeVar("M", bound=Model)


class Gradient(Model):
    """Energy, eV, and forces, eV/Å, shape (n_atoms, 3), of one geometry."""

    energy_ev: float
    forces: tuple[tuple[float, float, float], ...]


class Store(Protocol):
    """Where pieces of a job wait under the key that they were computed from."""

    def load(self, model: type[M], *key: Any) -> M | None:
        """The piece computed from `key`, if there is one."""
        ...

    def save(self, piece: Model, *key: Any) -> None:
        """Keep a piece."""
        ...


@dataclass(frozen=True, slots=True)
class Memory:
    """Gradients kept, so that a killed job computes none twice.

    They are found by the exact geometry and by `key`, which must hold all else that
    fixes them.
    """

    store: Store
    key: tuple[Any, ...]

    def recall(self, atoms: Atoms) -> Gradient | None:
        """The gradient of a geometry, if it is known."""
        return self.store.load(Gradient, *self._make_key(atoms))

    def keep(self, gradient: Gradient, atoms: Atoms) -> None:
        """Remember the gradient of a geometry."""
        self.store.save(gradient, *self._make_key(atoms))

    def _make_key(self, atoms: Atoms) -> tuple[Any, ...]:
        return (atoms.get_chemical_symbols(), atoms.positions.tolist(), *self.key)


@dataclass(frozen=True, slots=True)
class _Converged:
    """The rung on which a geometry converged, and its wavefunction."""

    rung: int
    wavefunction: Any


class EngineCalculator(Calculator):  # type: ignore[misc]
    """An engine's calculator, counted, guarded, on its SCF ladder, with a memory.

    What the engine's calculator can do, this one can, but for setting parameters. With
    a `memory` it knows energy and forces alone, and looks there first. A geometry
    starts where the last one has ended, unless `start_each_from` says where; one that
    does not converge is tried on the engine's other rungs; the one after a success
    starts on the rung that had it. Numbers are finite, or the calculation has failed.

    Parameters
    ----------
    inner
        The engine's calculator, on the first rung.
    engine
        What made it.
    meter
        Counts the gradients, those that a memory had left out.
    memory
        Gradients of an earlier run of the job.
    """

    def __init__(
        self,
        inner: Calculator,
        engine: Engine,
        meter: Meter,
        memory: Memory | None = None,
    ) -> None:
        super().__init__()
        self.inner = inner
        if hasattr(inner, "note_progress"):  # a gradient of DFT may take hours
            inner.note_progress = meter.note_progress
        self.implemented_properties = (
            ["energy", "forces"] if memory else inner.implemented_properties
        )
        self._engine = engine
        self._meter = meter
        self._memory = memory
        self._at = 0
        self._origin: Atoms | None = None
        self._origin_found: _Converged | None = None

    def start_each_from(self, atoms: Atoms) -> None:
        """From now on start every geometry with the wavefunction of this one.

        That one starts from nothing. So a gradient does not depend on those before it,
        whether they were computed or remembered. An engine that keeps no wavefunction
        starts from nothing each time.
        """
        self._origin, self._origin_found = atoms.copy(), None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """All that the engine says of a geometry, or what is remembered of it.

        Raises
        ------
        ase.calculators.calculator.CalculationFailed
            If no rung gives it.
        """
        super().calculate(atoms, properties, system_changes)
        if self._memory is None:
            self.results = self._count_gradient(properties or ["energy"])
            return
        known = self._memory.recall(self.atoms)
        if known is None:
            found = self._count_gradient(["forces", "energy"])
            known = Gradient(
                energy_ev=float(found["energy"]), forces=found["forces"].tolist()
            )
            self._memory.keep(known, self.atoms)
        self.results = {"energy": known.energy_ev, "forces": np.array(known.forces)}

    def scf_report(self) -> ScfReport | None:
        """How the last calculation converged; None where that is unknown."""
        return self._engine.scf_report(self.inner)

    def frontier_orbitals(self) -> tuple[float, float] | None:
        """HOMO and LUMO energies, eV, of the last calculation; None where unknown."""
        return self._engine.frontier_orbitals(self.inner)

    def frontier_weights(self) -> FloatArray | None:
        """Share of each atom in HOMO and LUMO, shape (2, n_atoms); None where unknown.

        It costs a single point, from the last wavefunction.
        """
        return self._engine.frontier_weights(self.inner)

    def _count_gradient(self, properties: Sequence[str]) -> dict[str, Any]:
        """Results of the present geometry, as one gradient and its CPU time."""
        start = process_time()
        try:
            if self._origin is not None:
                self._go_to_origin(self._origin, properties)
            return self._climb_rungs(self.atoms, properties)
        finally:
            self._meter.seconds += process_time() - start
            # Asked for more of a geometry, an engine goes on from what it has of it.
            self._meter.n_gradients += not self.results
            self._meter.note_progress()

    def _go_to_origin(self, origin: Atoms, properties: Sequence[str]) -> None:
        """Set rung and wavefunction to those of the geometry that each starts from."""
        rungs = self._engine.rungs
        if not self._engine.keeps_wavefunction:
            self._at = 0
            self._engine.climb(self.inner, rungs[0])
            return
        found = self._origin_found
        if found is None:
            self._at = 0
            self._engine.climb(self.inner, rungs[0])
            self._climb_rungs(origin, properties)
            wavefunction = self._engine.copy_wavefunction(self.inner)
            self._origin_found = _Converged(self._at, wavefunction)
            return
        if self._at != found.rung or not self.inner.results:
            self._at = found.rung
            self._engine.climb(self.inner, rungs[found.rung])
        self._engine.start_from(self.inner, found.wavefunction)

    def _climb_rungs(self, atoms: Atoms, properties: Sequence[str]) -> dict[str, Any]:
        """Results from the present rung, else from the others in turn."""
        rungs = self._engine.rungs
        reasons: list[str] = []
        for index in [*range(self._at, len(rungs)), *range(self._at)]:
            rung = rungs[index]
            if reasons:
                self._engine.climb(self.inner, rung)
            try:
                results = self._stand_on(rung, atoms, properties)
            except CalculationFailed as error:
                self._meter.failures[rung.name] += 1
                reasons.append(" ".join(str(error).split()) or "no convergence")
                continue
            self._meter.rungs[rung.name] += 1
            self._at = index
            return results
        self._at = 0
        self._engine.climb(self.inner, rungs[0])
        more = f", nor on {len(rungs) - 1} other rungs" if len(rungs) > 1 else ""
        raise CalculationFailed(f"{reasons[0]}{more}")

    def _stand_on(
        self, rung: Rung, atoms: Atoms, properties: Sequence[str]
    ) -> dict[str, Any]:
        if rung.rattle_a:
            self._ask_engine(_rattle_atoms(atoms, rung.rattle_a), properties)
        return self._ask_engine(atoms, properties)

    def _ask_engine(self, atoms: Atoms, properties: Sequence[str]) -> dict[str, Any]:
        """What the engine says; it has failed where a number is not finite."""
        try:
            for name in properties:
                self.inner.get_property(name, atoms)
            results = _check_numbers(self.inner.results, len(atoms), properties)
        except Exception as error:  # whose it is the engine says
            self.inner.results = {}
            if isinstance(error, CalculationFailed):
                raise
            reason = self._engine.why_failed(error)
            if reason is None:
                raise
            raise CalculationFailed(reason) from error
        return results


def _check_numbers(
    results: dict[str, Any], n_atoms: int, asked: Sequence[str]
) -> dict[str, Any]:
    """Results whose energy is a finite number, and whose forces are of every atom.

    What was `asked` for must be there, and the energy always.

    Raises
    ------
    ase.calculators.calculator.CalculationFailed
        If they are not: a calculator of one's own may say anything.
    """
    checked = dict(results)
    for name, size in (("energy", 1), ("free_energy", 1), ("forces", 3 * n_atoms)):
        if results.get(name) is None and name not in ("energy", *asked):
            continue
        try:
            numbers = np.asarray(results[name])
        except ValueError:  # rows of different lengths
            numbers = np.empty(0)
        is_shaped = numbers.size == size and (
            size == 1 or numbers.shape == (n_atoms, 3)
        )
        if numbers.dtype.kind not in "fiu" or not is_shaped:
            what = "a number" if size == 1 else f"numbers of shape ({n_atoms}, 3)"
            raise CalculationFailed(f"the {name} must be {what}")
        # A mask says that there is no number, and is lost in an array without one.
        if np.ma.is_masked(results[name]) or not np.isfinite(numbers).all():
            raise CalculationFailed(f"the {name} is not a finite number")
        checked[name] = numbers.item() if size == 1 else numbers
    return checked


def _rattle_atoms(atoms: Atoms, amplitude_a: float) -> Atoms:
    moved = atoms.copy()
    noise = np.random.default_rng(0).normal(0.0, amplitude_a, moved.positions.shape)
    moved.positions += noise
    return moved
