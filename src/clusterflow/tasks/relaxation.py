"""Bringing one geometry to a minimum: shared by clusters, molecules and adsorbates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from ase.calculators.calculator import CalculationFailed

from clusterflow.core.model_hessian import model_hessian
from clusterflow.core.quasi_newton import QuasiNewton

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

Outcome = Literal["running", "converged", "scf-failed", "not-converged"]

# A step that climbs more than this is taken back and tried again, shorter, eV.
_REFUSED_CLIMB_EV = 0.05


class Relaxation:
    """A relaxation that can be stopped after a few steps and taken up again.

    Atoms of the role ``support`` stay where they are, and their forces do not count.
    """

    def __init__(self, atoms: Atoms, calculator: Calculator) -> None:
        self.atoms = atoms.copy()
        self.atoms.calc = calculator
        self.outcome: Outcome = "running"
        self.reason = ""
        self.n_gradients = 0
        self._moving = moving_atoms(atoms)
        self._state = QuasiNewton(hessian=self._guess())

    def _guess(self) -> np.ndarray:
        """A model Hessian of the atoms that move."""
        symbols = self.atoms.get_chemical_symbols()
        rows = (3 * self._moving[:, None] + np.arange(3)).ravel()
        whole = model_hessian(symbols, self.atoms.positions)
        return np.asarray(whole[np.ix_(rows, rows)])

    @property
    def energy_ev(self) -> float:
        """Energy of the present geometry, eV."""
        return float(self.atoms.get_potential_energy())

    @property
    def fmax_ev_per_a(self) -> float:
        """Largest force on an atom that moves, of the present geometry, eV/Å."""
        return _largest(self.atoms.get_forces()[self._moving])

    def run(self, fmax_ev_per_a: float, max_steps: int) -> Outcome:
        """Go on until the forces are small or the steps are used up."""
        if self.outcome == "scf-failed":
            return self.outcome
        try:
            self.outcome = self._descend(fmax_ev_per_a, max_steps)
        except CalculationFailed as error:
            self.outcome = "scf-failed"
            self.reason = " ".join(str(error).split()) or "the SCF did not converge"
        return self.outcome

    def finish(self, fmax_ev_per_a: float, max_steps: int) -> Outcome:
        """Like `run`, but steps used up count as a failure, with its reason."""
        if self.run(fmax_ev_per_a, max_steps) == "running":
            self.outcome = "not-converged"
            self.reason = (
                f"largest force {self.fmax_ev_per_a:.3f} eV/Å after {max_steps} steps"
            )
        return self.outcome

    def _descend(self, fmax_ev_per_a: float, max_steps: int) -> Outcome:
        positions = self.atoms.positions.copy()
        energy, forces = self._evaluate(positions)
        for _ in range(max_steps):
            if _largest(forces) < fmax_ev_per_a:
                break
            step = self._state.step(forces)
            moved = positions.copy()
            moved[self._moving] += step
            new_energy, new_forces = self._evaluate(moved)
            change = new_energy - energy
            self._state = self._state.learn(step, forces, new_forces, change)
            if change < _REFUSED_CLIMB_EV:
                positions = moved
                energy, forces = new_energy, new_forces
        self.atoms.positions = positions
        return "converged" if _largest(forces) < fmax_ev_per_a else "running"

    def _evaluate(self, positions: np.ndarray) -> tuple[float, np.ndarray]:
        self.atoms.positions = positions
        self.n_gradients += 1
        forces = self.atoms.get_forces()[self._moving]
        return self.energy_ev, forces


def _largest(forces: np.ndarray) -> float:
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
        np.abs(_fingerprint(first) - _fingerprint(second)).max(initial=0.0)
        < tolerance_a
    )


def _fingerprint(atoms: Atoms) -> np.ndarray:
    from clusterflow.core.topology import distances

    upper = np.triu_indices(len(atoms), k=1)
    gaps = distances(atoms.positions)[upper]
    kinds = np.sort(atoms.numbers[np.array(upper)], axis=0)
    order = np.lexsort((gaps, kinds[1], kinds[0]))
    return np.asarray(gaps[order])
