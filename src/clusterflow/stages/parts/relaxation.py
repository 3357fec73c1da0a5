"""Bringing one geometry to a minimum: shared by clusters, molecules and adsorbates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from ase.calculators.calculator import CalculationFailed

from clusterflow.science.relaxation.model_hessian import model_hessian
from clusterflow.science.relaxation.quasi_newton import QuasiNewton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from clusterflow.science.relaxation.quasi_newton import SoftMode

Outcome = Literal["running", "converged", "scf-failed", "not-converged", "oscillating"]

# A step that climbs more than this is taken back and tried again, shorter, eV.
_REFUSED_CLIMB_EV = 0.05
# Where forces are small the softest mode is followed this far, Å, to see it rise.
_FEELER_A = 0.1
# Below this it is a saddle point, eV/Å²; above, the curvature of a flat minimum.
_DOWNWARD = -0.01
# Ways down from saddle points before a relaxation rests where it is.
_MOST_FEELERS = 5
# So many gradients in a row without less energy, eV, or smaller forces are a cycle.
_PATIENCE = 40
_PROGRESS_EV = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A geometry and what the engine says of it, of the atoms that move.

    positions : Å, shape (n_moving, 3); forces : eV/Å, shape (n_moving, 3)
    """

    positions: np.ndarray
    energy_ev: float
    forces: np.ndarray

    @property
    def fmax(self) -> float:
        return _find_largest_force(self.forces)


class Relaxation:
    """A relaxation that can be stopped after a few steps and taken up again.

    Atoms of the role ``support`` and those in `frozen` stay where they are, and their
    forces do not count. Without a calculator it waits for one as ``atoms.calc``.
    """

    def __init__(
        self,
        atoms: Atoms,
        calculator: Calculator | None,
        frozen: Sequence[int] = (),
    ) -> None:
        self.atoms = atoms.copy()
        self.atoms.calc = calculator
        self.outcome: Outcome = "running"
        self.reason = ""
        self.n_gradients = 0
        self._n_feelers = 0
        self._here: _Point | None = None
        self._moving = np.setdiff1d(moving_atoms(atoms), np.array(frozen, dtype=int))
        self._state = QuasiNewton.of(self._guess_hessian())

    def _guess_hessian(self) -> np.ndarray:
        """A model Hessian of the atoms that move."""
        symbols = self.atoms.get_chemical_symbols()
        rows = (3 * self._moving[:, None] + np.arange(3)).ravel()
        whole = model_hessian(symbols, self.atoms.positions)
        return np.asarray(whole[np.ix_(rows, rows)])

    @property
    def _is_free(self) -> bool:
        """Whether nothing holds the whole where it is."""
        return len(self._moving) == len(self.atoms)

    @property
    def energy_ev(self) -> float:
        """Energy of the present geometry, eV."""
        if self._here is None:
            return float(self.atoms.get_potential_energy())
        return self._here.energy_ev

    @property
    def fmax_ev_per_a(self) -> float:
        """Largest force on an atom that moves, of the present geometry, eV/Å."""
        if self._here is None:
            return _find_largest_force(self.atoms.get_forces()[self._moving])
        return self._here.fmax

    def run(self, fmax_ev_per_a: float, max_steps: int) -> Outcome:
        """Go on until the forces are small or the steps are used up."""
        return self._try_descent(fmax_ev_per_a, max_steps, most_feelers=0)

    def finish(self, fmax_ev_per_a: float, max_steps: int) -> Outcome:
        """Come to rest in a minimum, or say why not.

        Small forces alone are also found on saddle points and shoulders. The softest
        mode is therefore followed a little way; where the energy falls, so is the
        relaxation. Steps used up count as a failure, with its reason.
        """
        # A geometry that is taken as it is, whatever its forces, is not moved at all.
        feelers = _MOST_FEELERS if math.isfinite(fmax_ev_per_a) else 0
        if self._try_descent(fmax_ev_per_a, max_steps, feelers) == "running":
            self.outcome = "not-converged"
            self.reason = (
                f"largest force {self.fmax_ev_per_a:.3f} eV/Å after {max_steps} steps"
            )
        return self.outcome

    def _try_descent(
        self, fmax_ev_per_a: float, max_steps: int, most_feelers: int
    ) -> Outcome:
        if self.outcome == "scf-failed":
            return self.outcome
        try:
            self.outcome = self._run_descent(fmax_ev_per_a, max_steps, most_feelers)
        except CalculationFailed as error:
            self.outcome = "scf-failed"
            self.reason = " ".join(str(error).split()) or "the SCF did not converge"
        return self.outcome

    def _run_descent(
        self, fmax_ev_per_a: float, max_steps: int, most_feelers: int
    ) -> Outcome:
        here = self._here or self._evaluate_positions(
            self.atoms.positions[self._moving]
        )
        progress = _Progress(here)
        for _ in range(max_steps):
            if here.fmax >= fmax_ev_per_a:
                here = self._take_step(here)
            elif self._wants_feeler(here, most_feelers):
                here = self._try_softest_mode(here)
            else:
                break
            if progress.stalled(here):
                self.reason = (
                    f"{_PATIENCE} steps without progress; largest force "
                    f"{here.fmax:.3f} eV/Å"
                )
                self._set_geometry(here)
                return "oscillating"
        self._set_geometry(here)
        return "converged" if here.fmax < fmax_ev_per_a else "running"

    def _set_geometry(self, here: _Point) -> None:
        """Be there: the engine may have been asked last about another geometry."""
        self._here = here
        self.atoms.positions[self._moving] = here.positions

    def _take_step(self, here: _Point) -> _Point:
        there = self._evaluate_positions(here.positions + self._state.step(here.forces))
        self._learn_from_step(here, there)
        climb = there.energy_ev - here.energy_ev
        return there if climb < _REFUSED_CLIMB_EV else here

    def _wants_feeler(self, here: _Point, most: int) -> bool:
        """Whether the softest mode is unknown, or known to lead down."""
        too_few = len(self._moving) < (3 if self._is_free else 1)
        if self._n_feelers >= most or too_few:
            return False
        soft = self._find_softest_mode(here)
        return self._n_feelers == 0 or soft.curvature_ev_per_a2 < _DOWNWARD

    def _find_softest_mode(self, here: _Point) -> SoftMode:
        return self._state.softest(here.positions if self._is_free else None)

    def _try_softest_mode(self, here: _Point) -> _Point:
        """Try the softest mode; stay where the energy rises along it."""
        self._n_feelers += 1
        soft = self._find_softest_mode(here)
        way = soft.displacement(here.forces, _FEELER_A)
        there = self._evaluate_positions(here.positions + way)
        trusted = max(self._state.trust_a, _FEELER_A)
        self._learn_from_step(here, there)
        self._state = replace(self._state, trust_a=trusted)
        return there if there.energy_ev < here.energy_ev else here

    def _learn_from_step(self, here: _Point, there: _Point) -> None:
        self._state = self._state.learn(
            there.positions - here.positions,
            here.forces,
            there.forces,
            there.energy_ev - here.energy_ev,
        )

    def _evaluate_positions(self, positions: np.ndarray) -> _Point:
        self.atoms.positions[self._moving] = positions
        self.n_gradients += 1
        forces = self.atoms.get_forces()[self._moving]
        # Asking the atoms for it would compare all of their arrays once more.
        energy = self.atoms.calc.results.get("energy")
        if energy is None:
            energy = self.atoms.get_potential_energy()
        return _Point(positions=positions, energy_ev=float(energy), forces=forces)


class _Progress:
    """Notices a relaxation that goes in circles."""

    def __init__(self, start: _Point) -> None:
        self._energy_ev, self._fmax = start.energy_ev, start.fmax
        self._idle = 0

    def stalled(self, here: _Point) -> bool:
        """Whether neither energy nor force has been lower for long."""
        better = here.energy_ev < self._energy_ev - _PROGRESS_EV
        self._idle = 0 if better or here.fmax < self._fmax else self._idle + 1
        self._energy_ev = min(self._energy_ev, here.energy_ev)
        self._fmax = min(self._fmax, here.fmax)
        return self._idle >= _PATIENCE


def _find_largest_force(forces: np.ndarray) -> float:
    return float(np.linalg.norm(forces, axis=1).max(initial=0.0))


def moving_atoms(atoms: Atoms) -> np.ndarray:
    """Indices of all atoms but those of a support, which is frozen."""
    roles = atoms.arrays.get("roles", np.full(len(atoms), "core"))
    return np.flatnonzero(roles != "support")


def rattled(atoms: Atoms, amplitude_a: float, seed: int = 0) -> Atoms:
    """A copy with Gaussian displacements, the same every time; a support stays."""
    moved = atoms.copy()
    if amplitude_a > 0 and len(atoms) > 1:
        rng = np.random.default_rng(seed)
        push = rng.normal(0.0, amplitude_a, moved.positions.shape)
        moving = moving_atoms(atoms)
        moved.positions[moving] += push[moving]
    return moved


def same_geometry(first: Atoms, second: Atoms, tolerance_a: float = 0.1) -> bool:
    """Whether sorted pair distances of two geometries agree.

    Insensitive to rotation, reflection and the order of like atoms.
    """
    return bool(
        np.abs(_sort_pair_distances(first) - _sort_pair_distances(second)).max(
            initial=0.0
        )
        < tolerance_a
    )


def _sort_pair_distances(atoms: Atoms) -> np.ndarray:
    from clusterflow.science.geometry.bonds import distances

    upper = np.triu_indices(len(atoms), k=1)
    gaps = distances(atoms.positions)[upper]
    kinds = np.sort(atoms.numbers[np.array(upper)], axis=0)
    order = np.lexsort((gaps, kinds[1], kinds[0]))
    return np.asarray(gaps[order])
