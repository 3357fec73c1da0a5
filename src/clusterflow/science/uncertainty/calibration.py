r"""The error of a level for one adsorbate, from those of others on the same cluster.

Errors of adsorbates i on a cluster are taken as a normal distribution about the means
of their bonds, which were measured on other clusters, with

.. math:: \mathrm{cov}_{ij} = \sigma_i \sigma_j \,
    (c + b \, [\text{same bonds}] + (1 - c - b) \, [i = j])

where c and b are the shares of the variance that all bonds of a cluster, and those of
a kind, have in common. Given the errors that were measured on this cluster, that of
another adsorbate has the mean and variance of the conditional distribution (C. E.
Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, 2006,
equations 2.23 and 2.24). So a measured error tells most about its own kind of bond and
something about the others, and many outweigh the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# What an error is known to, eV: energies and geometries have their own noise.
_NOISE_EV: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class BondPrior:
    """What is known of an adsorbate's error before any of its cluster, eV."""

    bonds: tuple[str, ...]
    mean_ev: float
    deviation_ev: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Of the variance: common to all bonds of a cluster; to those of a kind beyond."""

    cluster: float
    bond: float


def predict_error(
    wanted: BondPrior,
    known: Sequence[tuple[BondPrior, float]],
    shares: Shares,
) -> tuple[float, float]:
    """Mean and standard deviation of an error, eV, given others on the cluster.

    Parameters
    ----------
    wanted
        Of the adsorbate asked for.
    known
        Of other minima, with the error that each has.

    Examples
    --------
    >>> hydride = BondPrior(bonds=("hydride on Cu",), mean_ev=0.3, deviation_ev=0.2)
    >>> shares = Shares(cluster=0.25, bond=0.25)
    >>> [round(x, 2) for x in predict_error(hydride, [(hydride, 0.5)], shares)]
    [0.4, 0.17]
    """
    mean, covariance = predict_errors([wanted], known, shares)
    return float(mean[0]), sqrt(max(float(covariance[0, 0]), 0.0))


def predict_errors(
    wanted: Sequence[BondPrior],
    known: Sequence[tuple[BondPrior, float]],
    shares: Shares,
) -> tuple[Floats, Floats]:
    """Means, eV, shape (n,), and covariances, eV², (n, n), of errors, given others.

    Parameters are those of `predict_error`, for n adsorbates of one cluster.

    Examples
    --------
    >>> hydride = BondPrior(bonds=("hydride on Cu",), mean_ev=0.0, deviation_ev=0.2)
    >>> shares = Shares(cluster=0.25, bond=0.25)
    >>> predict_errors([hydride, hydride], [], shares)[1].round(3).tolist()
    [[0.04, 0.02], [0.02, 0.04]]
    """
    own = 1 - shares.cluster - shares.bond
    mean = np.array([prior.mean_ev for prior in wanted])
    covariance = _list_covariances_ev2(wanted, wanted, shares)
    covariance += np.diag([own * prior.deviation_ev**2 for prior in wanted])
    if not known:
        return mean, covariance
    priors = [prior for prior, _ in known]
    left = np.array([error - prior.mean_ev for prior, error in known])
    given = _list_covariances_ev2(priors, priors, shares)
    given += np.diag([own * p.deviation_ev**2 + _NOISE_EV**2 for p in priors])
    between = _list_covariances_ev2(priors, wanted, shares)
    weights = np.linalg.solve(given, between)
    return mean + left @ weights, covariance - between.T @ weights


def _list_covariances_ev2(
    rows: Sequence[BondPrior], columns: Sequence[BondPrior], shares: Shares
) -> Floats:
    """Of each two adsorbates, without what each has for itself."""
    return np.array([[_covariance_ev2(a, b, shares) for b in columns] for a in rows])


def _covariance_ev2(a: BondPrior, b: BondPrior, shares: Shares) -> float:
    common = shares.cluster + (shares.bond if a.bonds == b.bonds else 0.0)
    return a.deviation_ev * b.deviation_ev * common
