r"""The error of a level, bond by bond: means to correct by, deviations that are left.

An error is the energy of an adsorbate at the level less that of a reference. The
mean of a kind of bond is that of its structures, each of which counts once. What is
left is judged on structures that were held out: for each point the mean of its bond
over all *other* structures, so that a deviation is that of a cluster nobody measured,

.. math:: e_{ij} = r_{ij} - \frac{1}{S-1} \sum_{k \ne j} \bar r_{k}(b_i)

A deviation is drawn towards that of all bonds, as if `PRIOR_POINTS` more points of
that size had been seen: few residuals tell little of their own spread. (G. K. Smyth,
doi:10.2202/1544-6115.1027, does so with the variances of genes.) The covariances of
the residuals of one structure give the shares of the variance that all bonds of a
cluster have in common, and bonds of one kind.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PRIOR_POINTS: Final = 4
# Half the width of the central 90 % of a normal distribution, in deviations.
_HALF_WIDTH_90: Final = 1.6448536269514722


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """The error of a level for one adsorbate on one structure, eV."""

    structure: str
    adsorbate: str
    bond: str
    error_ev: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BondStatistics:
    """Mean error of a kind of bond and the deviation that is left, eV."""

    mean_ev: float
    deviation_ev: float
    n_points: int
    n_structures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorModel:
    """Errors of a level by kind of bond.

    `cluster_share` and `bond_share` are shares of the variance: what all bonds of a
    cluster have in common, and what bonds of one kind on it have beyond that.
    """

    bonds: Mapping[str, BondStatistics]
    cluster_share: float
    bond_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of a point of a structure that it never saw."""

    residual: Residual
    left_ev: float
    deviation_ev: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How well models do on structures held out: root mean squares, eV; shares.

    `shift_ev` is one shift for all bonds, `shuffled_ev` the model with the bonds of
    the points interchanged: a model that is not better than both knows nothing.
    """

    n_points: int
    left_ev: float
    raw_ev: float
    shift_ev: float
    shuffled_ev: float
    inside_1_sigma: float
    inside_90: float


def fit_bond_errors(
    residuals: Sequence[Residual], single_deviation_ev: float | None = None
) -> ErrorModel:
    """Means and deviations of every kind of bond.

    Parameters
    ----------
    residuals
        Of one level and one material.
    single_deviation_ev
        Deviation where one structure alone has a kind of bond, so that nothing can be
        held out; by default that of all held-out points.

    Raises
    ------
    RecordError
        If no bond is on two structures and `single_deviation_ev` is not given.
    """
    held = _hold_out(residuals)
    if not held and single_deviation_ev is None:
        raise RecordError(
            "errors of a level: no kind of bond is on two structures, so nothing can "
            "be held out; add a structure"
        )
    pooled = _mean_square([left for _, left in held]) if held else 0.0
    by_bond: dict[str, list[float]] = defaultdict(list)
    for residual, left in held:
        by_bond[residual.bond].append(left)
    alone = single_deviation_ev or float(np.sqrt(pooled))
    bonds = {}
    for bond, by_structure in sorted(_group_by_bond(residuals).items()):
        own = by_bond.get(bond, [])
        drawn = alone**2
        if own:
            squares = PRIOR_POINTS * pooled + sum(x * x for x in own)
            drawn = squares / (PRIOR_POINTS + len(own))
        bonds[bond] = BondStatistics(
            mean_ev=_mean_of_means(by_structure.values()),
            deviation_ev=float(np.sqrt(drawn)),
            n_points=sum(map(len, by_structure.values())),
            n_structures=len(by_structure),
        )
    cluster, bond_share = _share_variance(held)
    return ErrorModel(bonds=bonds, cluster_share=cluster, bond_share=bond_share)


def predict_held_out(residuals: Sequence[Residual]) -> list[Prediction]:
    """Each structure predicted from all the others, deviations included.

    A bond that no other structure has is not among them; one that a single other
    structure has gets the deviation of all.
    """
    found = []
    for structure in sorted({r.structure for r in residuals}):
        rest = [r for r in residuals if r.structure != structure]
        if not _hold_out(rest):
            continue
        model = fit_bond_errors(rest)
        found += [
            Prediction(
                residual=r,
                left_ev=r.error_ev - model.bonds[r.bond].mean_ev,
                deviation_ev=model.bonds[r.bond].deviation_ev,
            )
            for r in residuals
            if r.structure == structure and r.bond in model.bonds
        ]
    return found


def compare_models(residuals: Sequence[Residual], seed: int = 0) -> Comparison:
    """The model beside what knows nothing of bonds, on structures held out.

    Raises
    ------
    RecordError
        If there are too few structures to hold one out.
    """
    predictions = predict_held_out(residuals)
    if not predictions:
        raise RecordError("errors of a level: too few structures to hold one out")
    scaled = np.array([p.left_ev / p.deviation_ev for p in predictions])
    shifted = [
        r.error_ev
        - float(np.mean([q.error_ev for q in residuals if q.structure != r.structure]))
        for r in residuals
    ]
    generator = np.random.default_rng(seed)
    shuffled = []
    for _ in range(20):
        bonds = generator.permutation([r.bond for r in residuals])
        mixed = [
            Residual(
                structure=r.structure,
                adsorbate=r.adsorbate,
                bond=str(bond),
                error_ev=r.error_ev,
            )
            for r, bond in zip(residuals, bonds, strict=True)
        ]
        shuffled.append(_mean_square([left for _, left in _hold_out(mixed)]))
    return Comparison(
        n_points=len(predictions),
        left_ev=float(np.sqrt(_mean_square([p.left_ev for p in predictions]))),
        raw_ev=float(np.sqrt(_mean_square([r.error_ev for r in residuals]))),
        shift_ev=float(np.sqrt(_mean_square(shifted))),
        shuffled_ev=float(np.sqrt(np.mean(shuffled))),
        inside_1_sigma=float(np.mean(np.abs(scaled) < 1)),
        inside_90=float(np.mean(np.abs(scaled) < _HALF_WIDTH_90)),
    )


def _group_by_bond(
    residuals: Iterable[Residual],
) -> dict[str, dict[str, list[float]]]:
    """Errors by kind of bond and by structure, eV."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for r in residuals:
        found[r.bond][r.structure].append(r.error_ev)
    return found


def _mean_of_means(groups: Iterable[Sequence[float]]) -> float:
    return float(np.mean([np.mean(group) for group in groups]))


def _mean_square(values: Sequence[float]) -> float:
    return float(np.mean(np.square(values)))


def _hold_out(residuals: Sequence[Residual]) -> list[tuple[Residual, float]]:
    """What is left of each error after the mean of its bond on other structures."""
    grouped = _group_by_bond(residuals)
    found = []
    for r in residuals:
        others = [v for s, v in grouped[r.bond].items() if s != r.structure]
        if others:
            found.append((r, r.error_ev - _mean_of_means(others)))
    return found


def _share_variance(held: Sequence[tuple[Residual, float]]) -> tuple[float, float]:
    """Shares of the variance common to a cluster, and to a kind of bond beyond it."""
    if not held:
        return 0.0, 0.0
    other: list[float] = []
    same: list[float] = []
    for (a, left_a), (b, left_b) in itertools.combinations(held, 2):
        if a.structure == b.structure and a.adsorbate != b.adsorbate:
            (same if a.bond == b.bond else other).append(left_a * left_b)
    variance = _mean_square([left for _, left in held])
    cluster = min(1.0, max(0.0, float(np.mean(other)) / variance)) if other else 0.0
    bond = float(np.mean(same)) / variance - cluster if same else 0.0
    return cluster, min(1.0 - cluster, max(0.0, bond))
