"""Quasi-Newton steps with a trust radius, as a pure state that a relaxation carries.

It exists beside ASE's optimisers for two reasons: it starts from a model Hessian with a
trust radius that learns from the energies, and importing :mod:`ase.optimize` costs as
much as ten gradients of a small cluster in every job.

References
----------
J. Nocedal, S. J. Wright, Numerical Optimization (2006), chapters 4 and 6,
doi:10.1007/978-0-387-40065-5
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from clusterflow.core.topology import FloatArray

# Longest displacement of an atom in one step, Å: at the start, and its limits.
_TRUST_A = 0.15
_LEAST_TRUST_A = 0.01
_MOST_TRUST_A = 0.3
# Agreement of the energy change with the quadratic model that widens or narrows trust.
_GOOD, _BAD = 0.75, 0.25
# No curvature counts as softer than this, eV/Å²: a step along it would be a leap.
_SOFTEST = 0.05
# Changes of energy below this are noise of the SCF, eV.
_NOISE_EV = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class QuasiNewton:
    """What is known of the surface: an approximate Hessian and a trusted distance.

    hessian : eV/Å², shape (3 n, 3 n)
    trust_a : Å, longest displacement of an atom in the next step
    """

    hessian: FloatArray
    trust_a: float = _TRUST_A

    def step(self, forces: FloatArray) -> FloatArray:
        """The next displacement, Å, shape (n, 3), for forces in eV/Å, shape (n, 3)."""
        values, vectors = np.linalg.eigh(self.hessian)
        along = vectors.T @ forces.ravel()
        newton = vectors @ (along / np.maximum(np.abs(values), _SOFTEST))
        displacement = newton.reshape(-1, 3)
        longest = float(np.linalg.norm(displacement, axis=1).max())
        return np.asarray(displacement * min(1.0, self.trust_a / max(longest, 1e-12)))

    def learn(
        self,
        displacement: FloatArray,
        forces_before: FloatArray,
        forces_after: FloatArray,
        energy_change_ev: float,
    ) -> QuasiNewton:
        """The state after a step: a BFGS update of the Hessian, and a new trust."""
        s = displacement.ravel()
        y = (forces_before - forces_after).ravel()
        predicted = -forces_before.ravel() @ s + 0.5 * s @ self.hessian @ s
        return QuasiNewton(
            hessian=_updated(self.hessian, s, y),
            trust_a=self._new_trust(displacement, energy_change_ev, float(predicted)),
        )

    def _new_trust(
        self, displacement: FloatArray, change_ev: float, predicted_ev: float
    ) -> float:
        longest = float(np.linalg.norm(displacement, axis=1).max())
        if abs(change_ev) < _NOISE_EV or abs(predicted_ev) < _NOISE_EV:
            return self.trust_a
        agreement = change_ev / predicted_ev
        if agreement < _BAD:
            return max(0.5 * min(longest, self.trust_a), _LEAST_TRUST_A)
        if agreement > _GOOD and longest > 0.8 * self.trust_a:
            return min(1.5 * self.trust_a, _MOST_TRUST_A)
        return self.trust_a


def _updated(hessian: FloatArray, s: FloatArray, y: FloatArray) -> FloatArray:
    """The BFGS update, damped where the curvature along the step is not positive."""
    hs = hessian @ s
    curvature = float(s @ hs)
    sy = float(s @ y)
    if curvature <= 0:
        return hessian
    if sy < 0.1 * curvature:  # Powell's damping keeps the Hessian positive definite
        weight = 0.9 * curvature / (curvature - sy)
        y = weight * y + (1 - weight) * hs
        sy = float(s @ y)
    return np.asarray(hessian + np.outer(y, y) / sy - np.outer(hs, hs) / curvature)
