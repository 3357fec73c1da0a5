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
    if not known:
        return wanted.mean_ev, wanted.deviation_ev
    priors = [prior for prior, _ in known]
    left = np.array([error - prior.mean_ev for prior, error in known])
    own = 1 - shares.cluster - shares.bond
    covariance = np.array(
        [[_covariance_ev2(a, b, shares) for b in priors] for a in priors]
    )
    covariance += np.diag([own * p.deviation_ev**2 + _NOISE_EV**2 for p in priors])
    between = np.array([_covariance_ev2(wanted, p, shares) for p in priors])
    weights = np.linalg.solve(covariance, between)
    variance = wanted.deviation_ev**2 - float(weights @ between)
    return wanted.mean_ev + float(weights @ left), sqrt(max(variance, 0.0))


def _covariance_ev2(a: BondPrior, b: BondPrior, shares: Shares) -> float:
    """Of two adsorbates, without what each has for itself."""
    common = shares.cluster + (shares.bond if a.bonds == b.bonds else 0.0)
    return a.deviation_ev * b.deviation_ev * common
