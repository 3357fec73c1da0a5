"""Bringing one geometry to a minimum: shared by clusters, molecules and adsorbates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from ase.calculators.calculator import CalculationFailed
from ase.optimize import BFGS

from clusterflow.core.model_hessian import model_hessian

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

Outcome = Literal["running", "converged", "scf-failed", "not-converged"]

_LONGEST_STEP_A = 0.2


class Relaxation:
    """A relaxation that can be stopped after a few steps and taken up again.

    BFGS from a model Hessian: about half the gradients of a unit matrix.
    """

    def __init__(self, atoms: Atoms, calculator: Calculator) -> None:
        self.atoms = atoms.copy()
        self.atoms.calc = calculator
        self.outcome: Outcome = "running"
        self.reason = ""
        self.n_gradients = 0
        self._optimizer = BFGS(self.atoms, logfile=None, maxstep=_LONGEST_STEP_A)
        self._optimizer.H0 = model_hessian(
            atoms.get_chemical_symbols(), atoms.positions
        )

    @property
    def energy_ev(self) -> float:
        """Energy of the present geometry, eV."""
        return float(self.atoms.get_potential_energy())

    @property
    def fmax_ev_per_a(self) -> float:
        """Largest force on an atom of the present geometry, eV/Å."""
        return float(np.linalg.norm(self.atoms.get_forces(), axis=1).max())

    def run(self, fmax_ev_per_a: float, max_steps: int) -> Outcome:
        """Go on until the forces are small or the steps are used up."""
        if self.outcome == "scf-failed":
            return self.outcome
        try:
            converged = self._optimizer.run(fmax=fmax_ev_per_a, steps=max_steps)
        except CalculationFailed as error:
            self.outcome = "scf-failed"
            self.reason = " ".join(str(error).split()) or "the SCF did not converge"
            return self.outcome
        finally:
            self.n_gradients = self._optimizer.nsteps + 1
        self.outcome = "converged" if converged else "running"
        return self.outcome

    def finish(self, fmax_ev_per_a: float, max_steps: int) -> Outcome:
        """Like `run`, but steps used up count as a failure, with its reason."""
        if self.run(fmax_ev_per_a, max_steps) == "running":
            self.outcome = "not-converged"
            self.reason = (
                f"largest force {self.fmax_ev_per_a:.3f} eV/Å after {max_steps} steps"
            )
        return self.outcome


def rattled(atoms: Atoms, amplitude_a: float, seed: int = 0) -> Atoms:
    """A copy with Gaussian displacements, the same every time."""
    moved = atoms.copy()
    if amplitude_a > 0 and len(atoms) > 1:
        rng = np.random.default_rng(seed)
        moved.positions += rng.normal(0.0, amplitude_a, moved.positions.shape)
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
