r"""Errors of a level by groups of bonds, and what of them an adsorbate carries.

The corrections δ of gases X, measured less computed free energy of formation from CO2,
H2, H2O and N2 at 298.15 K, are taken as sums over groups g of bonds,

.. math:: \delta(X) = \sum_g n_g(X) \, e_g + \varepsilon_X

with independent scatter ε of one variance s²; that of an anchor is none. With a normal
prior of variance τ² on each e this is Bayesian linear regression (C. M. Bishop, Pattern
Recognition and Machine Learning, 2006, section 3.3); its mean and covariance are

.. math::
    e = C N^T S^{-1} \delta, \qquad C = (N^T S^{-1} N + 1 / \tau^2)^{-1}

with S the diagonal matrix of the variances of the scatter.

Bond additivity of such errors is the idea of bond additivity corrections (C. F. Melius
and M. D. Allendorf, J. Phys. Chem. A 2000, 104, 2168, doi:10.1021/jp9914370).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.records.energies import GroupErrors
from clusterflow.science.geometry.bond_groups import (
    find_bond_groups,
    know_molecules,
)
from clusterflow.science.thermochemistry.anchors import EXACT, FROM_CO2
from clusterflow.science.thermochemistry.formation import anchor_coefficients

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from clusterflow.library.groups import GroupSpec
    from clusterflow.records.structure import Structure
    from clusterflow.science.geometry.bond_groups import BondGroups, KnownMolecule

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

# Of an error a bond, before any gas is known: errors of 2 eV occur, in C≡O. Wide enough
# to move no group that two gases or more have (0.01 eV with GFN1 and GFN2).
PRIOR_EV: Final = 1.0
# Scatter below that of the measured data themselves is chance.
LEAST_SCATTER_EV: Final = 0.02
# Anchors are right; a variance of zero cannot be inverted.
_ANCHOR_SCATTER_EV: Final = 1e-3
# Of the scatter, where there are no more gases than groups.
_FEW_GASES_SCATTER_EV: Final = 0.1


def fit_group_errors(
    counts: Mapping[str, Mapping[str, float]], corrections_ev: Mapping[str, float]
) -> GroupErrors:
    """Errors of groups from the corrections of gases, with covariance and scatter.

    Parameters
    ----------
    counts
        How often each gas has each group.
    corrections_ev
        Of the gases, eV, from CO2, H2, H2O and N2; one without is left out.

    Examples
    --------
    >>> found = fit_group_errors(
    ...     {"CH4": {"C-H": 4}, "C2H6": {"C-H": 6, "C-C": 1}},
    ...     {"CH4": 0.8, "C2H6": 1.3},
    ... )
    >>> [round(x, 2) for x in found.correction_ev]
    [0.1, 0.2]
    """
    gases = [gas for gas in counts if gas in corrections_ev]
    groups = sorted({group for gas in gases for group in counts[gas]})
    numbers = np.array(
        [[counts[gas].get(g, 0.0) for g in groups] for gas in gases], dtype=float
    ).reshape(len(gases), len(groups))
    measured = np.array([corrections_ev[gas] for gas in gases], dtype=float)
    is_anchor = np.array([gas in EXACT for gas in gases], dtype=bool)
    scatter = _estimate_scatter(numbers, measured, is_anchor)
    scatters = np.where(is_anchor, _ANCHOR_SCATTER_EV, scatter)
    errors, covariance = _regress(numbers, measured, scatters)
    held_out = {
        gas: _predict_held_out(numbers, measured, i, scatters)
        for i, gas in enumerate(gases)
        if not is_anchor[i]
    }
    residuals = measured - numbers @ errors
    return GroupErrors(
        groups=tuple(groups),
        correction_ev=tuple(map(float, errors)),
        covariance_ev2=tuple(tuple(map(float, row)) for row in covariance),
        scatter_ev=scatter,
        unknown_ev=float(np.sqrt(np.mean(errors**2))) if groups else PRIOR_EV,
        held_out_ev={gas: left for gas, left in held_out.items() if left is not None},
        residual_ev=dict(zip(gases, map(float, residuals), strict=True)),
    )


def _estimate_scatter(numbers: Floats, measured: Floats, is_anchor: Bools) -> float:
    """Standard deviation of the residuals of least squares, eV; anchors are met."""
    n_free = len(measured) - int(np.linalg.matrix_rank(numbers)) if numbers.size else 0
    if n_free < 1:
        return _FEW_GASES_SCATTER_EV
    weights = np.where(is_anchor, 1 / _ANCHOR_SCATTER_EV, 1.0)
    errors = np.linalg.lstsq(numbers * weights[:, None], measured * weights)[0]
    squares = float(np.sum((measured - numbers @ errors) ** 2))
    return max(LEAST_SCATTER_EV, sqrt(squares / n_free))


def _regress(
    numbers: Floats, measured: Floats, scatters: Floats
) -> tuple[Floats, Floats]:
    weighted = numbers / scatters[:, None] ** 2
    precision = numbers.T @ weighted + np.eye(numbers.shape[1]) / PRIOR_EV**2
    covariance: Floats = np.linalg.inv(precision).astype(float)
    return covariance @ weighted.T @ measured, covariance


def _predict_held_out(
    numbers: Floats, measured: Floats, i: int, scatters: Floats
) -> float | None:
    """Measured less predicted of a gas that the fit has not seen; None if it cannot.

    It cannot where the gas alone has a group.
    """
    others = np.delete(numbers, i, axis=0)
    rank = np.linalg.matrix_rank
    if not others.size or rank(others) < rank(numbers):
        return None
    errors, _ = _regress(others, np.delete(measured, i), np.delete(scatters, i))
    return float(measured[i] - numbers[i] @ errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedCorrection:
    """The gas layer of an adsorbate, and whose errors it carries.

    correction_ev
        None if it is not known; `reason` says why.
    by_groups_ev
        The part of it that is not of molecules.
    deviation_ev
        Standard deviation of that part; that of molecules is theirs.
    made_of
        Molecules, and bonds by group.
    """

    correction_ev: float | None
    by_groups_ev: float
    deviation_ev: float
    made_of: BondGroups
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupModel:
    """What gives any adsorbate its gas correction at one level.

    groups
        Of bonds that there are.
    molecules
        Those that may be recognised.
    corrections_ev
        Of gases from the anchors of the study.
    errors
        Of groups, from CO2, H2, H2O and N2.
    anchors
        Element counts of the study's anchors.
    anchor_errors_ev
        Corrections of the study's anchors, were CO2, H2, H2O and N2 the anchors.
    """

    groups: Sequence[GroupSpec]
    molecules: Mapping[str, KnownMolecule]
    corrections_ev: Mapping[str, float]
    errors: GroupErrors
    anchors: Mapping[str, Mapping[str, int]]
    anchor_errors_ev: Mapping[str, float]

    def correction_of(self, structure: Structure) -> CarriedCorrection:
        """The gas correction of the adsorbate of a relaxed complex, eV.

        Parameters
        ----------
        structure
            The atoms of the adsorbate have that role.
        """
        made_of = find_bond_groups(structure, self.groups, self.molecules)
        errors = dict(zip(self.errors.groups, self.errors.correction_ev, strict=True))
        by_groups = sum(
            (n * errors.get(g, 0.0) for g, n in made_of.groups.items()), 0.0
        )
        by_groups -= self._sum_anchor_errors(made_of.rest)
        missing = [m for m in made_of.molecules if m not in self.corrections_ev]
        by_molecules = sum(
            n * self.corrections_ev.get(m, 0.0) for m, n in made_of.molecules.items()
        )
        needed = f"needs the gas correction of {', '.join(missing)}, which failed"
        return CarriedCorrection(
            correction_ev=None if missing else by_molecules + by_groups,
            by_groups_ev=by_groups,
            deviation_ev=deviation_of(
                made_of.groups, len(made_of.unknown), self.errors
            ),
            made_of=made_of,
            reason=needed if missing else "",
        )

    def _sum_anchor_errors(self, counts: Counter[str]) -> float:
        """What other anchors than CO2, H2, H2O and N2 take off, eV."""
        parts = anchor_coefficients(counts, self.anchors) or {}
        return sum(n * self.anchor_errors_ev.get(a, 0.0) for a, n in parts.items())


def deviation_of(
    groups: Mapping[str, float], n_unknown: int, errors: GroupErrors
) -> float:
    """Standard deviation of a sum over groups, eV, as of one more molecule.

    A bond that no gas of the fit has is as uncertain as errors of bonds are large.
    """
    if not groups and not n_unknown:
        return 0.0
    shared = sum(load**2 for load in shared_loads(groups, errors).values())
    n_unknown += sum(g not in errors.groups for g in groups)
    return sqrt(shared + errors.scatter_ev**2 + n_unknown * errors.unknown_ev**2)


def shared_loads(groups: Mapping[str, float], errors: GroupErrors) -> dict[str, float]:
    """What independent standard normal variables add to a sum over groups, eV.

    One variable a group: the columns of the Cholesky factor of the covariance. All
    that carry groups share them, so that between them errors cancel as they should.
    """
    if not errors.groups:
        return {}
    numbers = np.array([groups.get(g, 0.0) for g in errors.groups], dtype=float)
    loads = numbers @ np.linalg.cholesky(np.array(errors.covariance_ev2))
    return {g: float(x) for g, x in zip(errors.groups, loads, strict=True) if x}


def make_group_model(
    groups: Sequence[GroupSpec],
    molecules: Mapping[str, Structure],
    corrections_ev: Mapping[str, float],
    from_exact_ev: Mapping[str, float],
    anchors: Mapping[str, Mapping[str, int]],
) -> GroupModel:
    """Fit the groups to the gases that they name, as far as these are known.

    Parameters
    ----------
    groups
        Of bonds that there are.
    molecules
        A relaxed geometry of each gas.
    corrections_ev, from_exact_ev
        Of the gases, eV, from the anchors of the study, and from CO2, H2, H2O and N2.
    anchors
        Element counts of the study's anchors.
    """
    known = know_molecules(molecules, groups)
    wanted = {gas for group in groups for gas in group.gases} - {"H2", "H2O"}
    counts = {gas: known[gas].groups for gas in sorted(wanted & known.keys())}
    # Without one of them there is no zero.
    zero = all(anchor in from_exact_ev for anchor in FROM_CO2)
    return GroupModel(
        groups=groups,
        molecules=known,
        corrections_ev=corrections_ev,
        errors=fit_group_errors(counts if zero else {}, from_exact_ev),
        anchors=anchors,
        anchor_errors_ev=from_exact_ev,
    )
