"""Choosing what to measure, against trying every single measurement by sampling."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.science.reactions.che import Electrode, FreeEnergies
from clusterflow.science.reactions.evaluate import build_networks
from clusterflow.science.uncertainty.calibration import (
    BondPrior,
    Shares,
    predict_errors,
)
from clusterflow.science.uncertainty.choice import (
    Candidate,
    Target,
    choose,
    expected_gain,
    weigh_by_rank,
)
from clusterflow.science.uncertainty.sampling import Shifts, propagate

SHARES = Shares(cluster=0.3, bond=0.3)
# Free energies of CO2-to-CO and HER about where steps compete, and their errors, eV.
MEAN = {"*": 0.0, "*COOH": 0.55, "*CO": 0.1, "*H": 0.3, "CO2(g)": 0.0}
MEAN |= {"CO(g)": 0.7, "H2(g)": 0.0, "H2O(l)": 0.0, "H2O(g)": 0.1}
PRIORS = {
    "*COOH": BondPrior(bonds=("acyl on Cu",), mean_ev=0.0, deviation_ev=0.25),
    "*CO": BondPrior(bonds=("carbonyl on Cu",), mean_ev=0.0, deviation_ev=0.35),
    "*H": BondPrior(bonds=("hydride on Cu",), mean_ev=0.0, deviation_ev=0.15),
}


@pytest.fixture(scope="module")
def network(library):
    (found,) = build_networks([library.reaction("CO2-to-CO")], library)
    return found


def potentials_of(network, shifts_ev):
    """Limiting potentials for shifts of the three adsorbates, shape (n, 3)."""
    terms = tuple(MEAN)
    values = np.zeros((len(shifts_ev), len(terms)))
    for column, term in enumerate(PRIORS):
        values[:, terms.index(term)] = shifts_ev[:, column]
    shifts = Shifts(species=terms, values_ev=values)
    energies = FreeEnergies(values=MEAN, reasons={})
    return propagate(network, energies, Electrode(), shifts).best.samples_v_rhe


def try_measurement(network, which, generator):
    """Mean variance of the potential that is left after one measurement."""
    priors = list(PRIORS.values())
    left = []
    for _ in range(150):
        outcome = generator.normal(0.0, priors[which].deviation_ev)
        mean, covariance = predict_errors(priors, [(priors[which], outcome)], SHARES)
        drawn = generator.multivariate_normal(mean, covariance, 1000)
        drawn[:, which] = outcome
        left.append(potentials_of(network, drawn).var())
    return float(np.mean(left)), float(np.std(left) / np.sqrt(len(left)))


def test_the_gain_of_each_measurement_is_what_trying_it_gives(network):
    generator = np.random.default_rng(2)
    mean, covariance = predict_errors(list(PRIORS.values()), [], SHARES)
    # PRIORS measured anew have the noise of a measurement; what is asked is without.
    drawn = generator.multivariate_normal(mean, covariance, 10_000)
    potential = potentials_of(network, drawn)
    gains, tried = {}, {}
    for which, name in enumerate(PRIORS):
        gains[name] = expected_gain(potential, drawn[:, which])
        left, error = try_measurement(network, which, generator)
        tried[name] = potential.var() - left
        # Own samples of 10,000 scatter by some per cent as well.
        allowed = 3 * error + 0.04 * potential.var()
        assert gains[name] == pytest.approx(tried[name], abs=allowed)
    assert max(gains.values()) > 0.2 * potential.var()
    best = max(tried, key=tried.get)
    found = choose(
        [
            Candidate(name=("Cu4", name), outcome_ev=drawn[:, i], cost_h=1.0)
            for i, name in enumerate(PRIORS)
        ],
        [Target(name=("Cu4", "CO2-to-CO"), potential_v=potential)],
        until_v=0.01,
        budget_h=10,
        at_most=1,
    )
    assert [pick.name[1] for pick in found.picks] == [best]


def draw(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 10_000))


def candidates_of(outcomes, costs):
    return [
        Candidate(name=("Cu4", name), outcome_ev=outcome, cost_h=cost)
        for (name, outcome), cost in zip(outcomes.items(), costs, strict=True)
    ]


def test_hours_count():
    a, b = draw(2)
    targets = [Target(name=("Cu4", "HER"), potential_v=a + 0.8 * b)]
    for costs, first in (((1.0, 1.0), "a"), ((2.0, 1.0), "b")):
        found = choose(
            candidates_of({"a": a, "b": b}, costs),
            targets,
            until_v=0.1,
            budget_h=10,
            at_most=1,
        )
        assert found.picks[0].name[1] == first


def test_what_one_tells_of_another_is_not_paid_twice():
    common, own, other = draw(3)
    twin = common + 0.01 * own
    found = choose(
        candidates_of({"CO": common, "CHO": twin, "H": other}, (1.0, 1.0, 1.0)),
        [Target(name=("Cu4", "CO2-to-CO"), potential_v=common + twin + 0.5 * other)],
        until_v=0.05,
        budget_h=10,
        at_most=2,
    )
    assert {pick.name[1] for pick in found.picks} in ({"CO", "H"}, {"CHO", "H"})


def test_nothing_is_chosen_that_does_not_fit_matter_or_is_asked_for():
    a, b, c = draw(3)
    own = candidates_of({"a": a, "b": b, "c": c}, (5.0, 1.0, 1.0))
    wide = Target(name=("Cu4", "HER"), potential_v=a + 0.3 * b)
    narrow = Target(name=("Cu4", "CO2-to-CO"), potential_v=0.01 * c)
    limits = {"until_v": 0.5, "at_most": 3}
    found = choose(own, [wide, narrow], budget_h=4, **limits)
    assert [pick.name[1] for pick in found.picks] == ["b"]
    assert found.gains_v2["Cu4", "c"] == 0.0 < found.gains_v2["Cu4", "a"]
    found = choose(own, [wide, narrow], budget_h=40, **limits)
    assert {pick.name[1] for pick in found.picks} == {"a", "b"}
    assert found.widths_v["Cu4", "HER"] < 0.5
    assert not choose(own, [narrow], budget_h=40, **limits).picks


def test_a_better_cluster_comes_first():
    a, b = draw(2)
    samples = {"Cu4": 0.1 * a - 0.3, "Cd6Se6": 0.1 * b - 1.5}
    weights = weigh_by_rank(samples, 1)
    assert weights == {"Cu4": 1.0, "Cd6Se6": 0.05}
    assert weigh_by_rank(samples, -1) == {"Cu4": 0.05, "Cd6Se6": 1.0}
    equal = weigh_by_rank({"Cu4": a, "Cd6Se6": b}, 1)
    assert equal["Cu4"] == pytest.approx(0.5, abs=0.02)
    found = choose(
        [
            Candidate(name=("Cd6Se6", "H"), outcome_ev=b, cost_h=1.0),
            Candidate(name=("Cu4", "H"), outcome_ev=a, cost_h=2.0),
        ],
        [
            Target(name=(name, "HER"), potential_v=v, weight=weights[name])
            for name, v in samples.items()
        ],
        until_v=0.1,
        budget_h=10,
        at_most=2,
    )
    assert [pick.name[0] for pick in found.picks] == ["Cu4", "Cd6Se6"]
