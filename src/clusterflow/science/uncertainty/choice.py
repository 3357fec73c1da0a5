r"""Which free energies to measure next: those that narrow limiting potentials most.

Samples of what is not known give, together, what a measurement of each species would
say and what the limiting potentials then are. Knowing the outcome y takes

.. math:: \mathrm{Var}(U) - \mathrm{E}[\mathrm{Var}(U \mid y)]
    = \mathrm{Var}(\mathrm{E}[U \mid y])

off the variance of a potential U, the first-order index of I. M. Sobol' (Math. Comput.
Simul. 2001, 55, 271, doi:10.1016/S0378-4754(00)00270-6) times that variance. The mean
under the condition is taken over samples of like outcome, so U may be any function of
the energies, and errors that species share count by themselves: what one measurement
tells of the others is in the samples.

Several are chosen one after the other; each leaves of potentials and outcomes what it
does not explain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Samples of like outcome: 10,000 make 40 groups of 250.
_N_GROUPS: Final = 40
# The central 90 %.
_QUANTILES: Final = (0.05, 0.95)
# So many standard errors of itself a gain must be above zero.
_SIGNIFICANT: Final = 3.0
# Every potential counts a little, so that none is forgotten.
_LEAST_WEIGHT: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A species that may be measured.

    `outcome_ev`, shape (n_samples,), is what that may give; `cost_h` its price.
    """

    name: tuple[str, str]
    outcome_ev: Floats
    cost_h: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """A limiting potential that is wanted: samples, V, shape (n_samples,).

    They pair with the outcomes of the candidates.
    """

    name: tuple[str, str]
    potential_v: Floats
    weight: float = 1.0

    @property
    def width_v(self) -> float:
        """Width of the central 90 % interval."""
        return interval_width(self.potential_v)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A candidate that is chosen: what it takes off, and off which potential most.

    `narrows_v` is the expected loss in standard deviation of that potential.
    """

    name: tuple[str, str]
    cost_h: float
    gain_v2: float
    target: tuple[str, str]
    narrows_v: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is chosen, in order, and what is expected of it.

    `widths_v` are those of the potentials after it, `gains_v2` what each candidate
    would take off the wanted variance if it came first.
    """

    picks: tuple[Pick, ...]
    widths_v: Mapping[tuple[str, str], float]
    gains_v2: Mapping[tuple[str, str], float]


def interval_width(samples: Floats) -> float:
    """Width of the central 90 % of some samples."""
    lower, upper = np.quantile(samples, _QUANTILES)
    return float(upper - lower)


def explain_mean(values: Floats, outcome: Floats) -> Floats:
    """Mean of `values` under the condition of each sample's `outcome`, shape (n,).

    Over groups of samples that are next to each other in outcome.

    Examples
    --------
    >>> outcome = np.linspace(-1.0, 1.0, 4000)
    >>> bool(np.abs(explain_mean(outcome**2, outcome) - outcome**2).max() < 0.06)
    True
    """
    found = np.empty_like(values)
    for group in np.array_split(np.argsort(outcome, kind="stable"), _N_GROUPS):
        found[group] = values[group].mean()
    return found


def expected_gain(values: Floats, outcome: Floats) -> float:
    """What knowing the outcome takes off the variance of `values`, on average.

    Groups of samples differ by chance too; that part is taken off, and what is not
    clear of it is zero.
    """
    if np.ptp(outcome) == 0.0 or np.ptp(values) == 0.0:
        return 0.0
    explained = explain_mean(values, outcome)
    within = float(np.mean((values - explained) ** 2))
    by_chance = (_N_GROUPS - 1) / len(values) * within
    gain = float(explained.var()) - by_chance
    noise = by_chance * np.sqrt(2 / (_N_GROUPS - 1))
    return gain if gain > _SIGNIFICANT * noise else 0.0


def choose(
    candidates: Sequence[Candidate],
    targets: Sequence[Target],
    *,
    until_v: float,
    budget_h: float,
    at_most: int,
) -> Choice:
    """Candidates in the order of expected variance taken off per hour.

    Parameters
    ----------
    candidates
        What is not measured yet.
    targets
        Potentials; those narrower than `until_v` ask for nothing more.
    until_v
        Width of the 90 % interval that is narrow enough, V.
    budget_h
        Hours that are left; a candidate that does not fit is passed over.
    at_most
        So many are chosen.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> a, b = generator.standard_normal((2, 10_000))
    >>> found = choose(
    ...     [
    ...         Candidate(name=("Cu4", "CO"), outcome_ev=a, cost_h=1.0),
    ...         Candidate(name=("Cu4", "H"), outcome_ev=b, cost_h=1.0),
    ...     ],
    ...     [Target(name=("Cu4", "CO2-to-CO"), potential_v=a + 0.1 * b)],
    ...     until_v=0.5,
    ...     budget_h=8.0,
    ...     at_most=2,
    ... )
    >>> [pick.name for pick in found.picks]
    [('Cu4', 'CO')]
    """
    outcomes = {c.name: c.outcome_ev for c in candidates}
    costs = {c.name: c.cost_h for c in candidates}
    weights = {t.name: t.weight for t in targets}
    left = {t.name: t.potential_v for t in targets}
    picks: list[Pick] = []
    at_first: dict[tuple[str, str], float] = {}
    while True:
        wide = [name for name, v in left.items() if interval_width(v) >= until_v]
        gains = {
            name: {t: weights[t] * expected_gain(left[t], outcome) for t in wide}
            for name, outcome in outcomes.items()
        }
        totals = {name: sum(own.values()) for name, own in gains.items()}
        at_first = at_first or totals
        spent = sum(pick.cost_h for pick in picks)
        fit = [n for n, t in totals.items() if t > 0 and costs[n] <= budget_h - spent]
        if not fit or len(picks) == at_most:
            break
        best = max(fit, key=lambda name: totals[name] / costs[name])
        target = max(gains[best], key=lambda t: gains[best][t])
        known = outcomes.pop(best)
        after = {t: v - explain_mean(v, known) for t, v in left.items()}
        picks.append(
            Pick(
                name=best,
                cost_h=costs[best],
                gain_v2=totals[best],
                target=target,
                narrows_v=float(left[target].std() - after[target].std()),
            )
        )
        left = after
        outcomes = {n: y - explain_mean(y, known) for n, y in outcomes.items()}
    return Choice(
        picks=tuple(picks),
        widths_v={name: interval_width(v) for name, v in left.items()},
        gains_v2=at_first,
    )


def weigh_by_rank(potentials_v: Mapping[str, Floats], sign: int) -> dict[str, float]:
    """Probability of each surface to be the best of a reaction, from paired samples.

    No less than 0.05, so that all are narrowed in the end.

    Parameters
    ----------
    potentials_v
        Limiting potentials by surface, V against RHE, shape (n_samples,).
    sign
        1 where the highest is best, −1 of an oxidation.
    """
    best = np.argmax(sign * np.stack(list(potentials_v.values())), axis=0)
    shares = np.bincount(best, minlength=len(potentials_v)) / len(best)
    return {
        name: max(float(share), _LEAST_WEIGHT)
        for name, share in zip(potentials_v, shares, strict=True)
    }
