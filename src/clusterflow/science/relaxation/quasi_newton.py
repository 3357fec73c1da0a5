"""Quasi-Newton steps with a trust radius, as a pure state that a relaxation carries.

It starts from a model Hessian, with a trust radius that learns from the energies. Of 72
relaxations of complexes (``benchmarks/relax.py``) it takes 23 gradients in the median,
ASE's BFGS 55 and Sella 29; 33 end elsewhere than BFGS, 28 of them lower (sign test,
p = 7e-5). Importing :mod:`ase.optimize` takes 0.6 s of CPU time in every job, this 0.1.

The Hessian may learn that a curvature is negative, and steps then lead downhill from
there: an update that stays positive definite comes to rest on saddle points.

References
----------
J. Nocedal, S. J. Wright, Numerical Optimization (2006), chapters 4 and 6,
doi:10.1007/978-0-387-40065-5
E. D. Hermes, K. Sargsyan, H. N. Najm, J. Zádor, J. Chem. Theory Comput. 15, 6536
(2019), doi:10.1021/acs.jctc.9b00869: the update, and minima told from saddle points by
the lowest curvature
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from clusterflow.science.geometry.bonds import FloatArray

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
# Halvings that bring a level shift to the trust radius within a thousandth.
_HALVINGS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class QuasiNewton:
    """What is known of the surface: an approximate Hessian and a trusted distance.

    curvatures : eV/Å², shape (3 n,), eigenvalues of the Hessian, lowest first
    modes : shape (3 n, 3 n), its eigenvectors as columns
    trust_a : Å, longest displacement of an atom in the next step
    """

    curvatures: FloatArray
    modes: FloatArray
    trust_a: float = _TRUST_A

    @classmethod
    def of(cls, hessian: FloatArray, trust_a: float = _TRUST_A) -> QuasiNewton:
        """The state of a Hessian, eV/Å², shape (3 n, 3 n)."""
        curvatures, modes = np.linalg.eigh(hessian)
        return cls(curvatures=curvatures, modes=modes, trust_a=trust_a)

    @property
    def hessian(self) -> FloatArray:
        """Approximate Hessian, eV/Å², shape (3 n, 3 n)."""
        return np.asarray((self.modes * self.curvatures) @ self.modes.T)

    def step(self, forces: FloatArray) -> FloatArray:
        """The next displacement, Å, shape (n, 3), for forces in eV/Å, shape (n, 3).

        Downhill along every mode, also where the curvature is negative. A level shift
        keeps it within the trust radius, which shortens it along soft modes only.
        """
        along = self.modes.T @ forces.ravel()
        stiffness = np.maximum(np.abs(self.curvatures), _SOFTEST)

        def shifted(shift: float) -> FloatArray:
            return np.asarray(
                (self.modes @ (along / (stiffness + shift))).reshape(-1, 3)
            )

        if _measure_longest(shifted(0.0)) <= self.trust_a:
            return shifted(0.0)
        # With this shift even all the force in one mode would not go too far.
        low, high = 0.0, float(np.linalg.norm(along)) / self.trust_a
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            too_long = _measure_longest(shifted(middle)) > self.trust_a
            low, high = (middle, high) if too_long else (low, middle)
        return shifted(high)

    def learn(
        self,
        displacement: FloatArray,
        forces_before: FloatArray,
        forces_after: FloatArray,
        energy_change_ev: float,
    ) -> QuasiNewton:
        """The state after a step: an update of the Hessian, and a new trust."""
        s = displacement.ravel()
        hs = self._apply_curvatures(self.curvatures, s)
        predicted = -forces_before.ravel() @ s + 0.5 * s @ hs
        return QuasiNewton.of(
            self._update_hessian(s, (forces_before - forces_after).ravel()),
            self._update_trust(displacement, energy_change_ev, float(predicted)),
        )

    def _apply_curvatures(self, curvatures: FloatArray, s: FloatArray) -> FloatArray:
        return np.asarray(self.modes @ (curvatures * (self.modes.T @ s)))

    def _update_hessian(self, s: FloatArray, y: FloatArray) -> FloatArray:
        """The Hessian that has the change of gradient `y` along `s`: TS-BFGS.

        Like BFGS where the curvature along the step is positive, and without a bound
        where it is not.
        """
        missing = y - self._apply_curvatures(self.curvatures, s)
        stiff = self._apply_curvatures(np.abs(self.curvatures), s)
        seen, expected = float(s @ y), float(s @ stiff)
        scale = seen**2 + expected**2
        if scale < np.finfo(float).tiny:
            return self.hessian
        u = (seen * y + expected * stiff) / scale
        # j uᵀ + u jᵀ − (j s) u uᵀ as one product and its transpose.
        half = np.outer(missing - 0.5 * (missing @ s) * u, u)
        return np.asarray(self.hessian + half + half.T)

    def _update_trust(
        self, displacement: FloatArray, change_ev: float, predicted_ev: float
    ) -> float:
        longest = _measure_longest(displacement)
        if abs(change_ev) < _NOISE_EV or abs(predicted_ev) < _NOISE_EV:
            return self.trust_a
        agreement = change_ev / predicted_ev
        if agreement < _BAD:
            return max(0.5 * min(longest, self.trust_a), _LEAST_TRUST_A)
        if agreement > _GOOD and longest > 0.8 * self.trust_a:
            return min(1.5 * self.trust_a, _MOST_TRUST_A)
        return self.trust_a

    def softest(self, positions: FloatArray | None) -> SoftMode:
        """The lowest curvature, motions of the whole left out.

        Parameters
        ----------
        positions : Å, shape (n, 3); None where other atoms hold the whole in place
        """
        if positions is None:
            return SoftMode(
                curvature_ev_per_a2=float(self.curvatures[0]),
                direction=self.modes[:, 0].reshape(-1, 3),
            )
        rigid = _find_rigid_motions(positions)
        inner = np.eye(len(rigid)) - rigid @ rigid.T
        beyond = 2 * np.abs(self.curvatures).max() * rigid @ rigid.T
        curvatures, modes = np.linalg.eigh(inner @ self.hessian @ inner + beyond)
        return SoftMode(
            curvature_ev_per_a2=float(curvatures[0]),
            direction=modes[:, 0].reshape(-1, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftMode:
    """A direction and its curvature.

    direction : shape (n, 3), a unit vector of 3 n numbers
    """

    curvature_ev_per_a2: float
    direction: FloatArray

    def displacement(self, forces: FloatArray, longest_a: float) -> FloatArray:
        """Å, shape (n, 3), downhill, its longest part of an atom as given."""
        sign = -1.0 if np.sum(forces * self.direction) < 0 else 1.0
        return sign * longest_a / _measure_longest(self.direction) * self.direction


def _measure_longest(displacement: FloatArray) -> float:
    return float(np.linalg.norm(displacement, axis=1).max())


def _find_rigid_motions(positions: FloatArray) -> FloatArray:
    """Orthonormal translations and rotations, shape (3 n, 6), or 5 or 3 of them."""
    centred = positions - positions.mean(axis=0)
    shifts = [np.tile(axis, len(positions)) for axis in np.eye(3)]
    turns = [np.cross(axis, centred).ravel() for axis in np.eye(3)]
    left, sizes, _ = np.linalg.svd(np.array(shifts + turns).T, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-6 * sizes[0]])
