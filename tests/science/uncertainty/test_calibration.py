"""What errors on a cluster say of another one: against brute force, and limits."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.science.uncertainty.calibration import (
    BondPrior,
    Shares,
    predict_error,
)

SHARES = Shares(cluster=0.3, bond=0.2)


def prior(bond, mean_ev=0.0, deviation_ev=0.3):
    return BondPrior(bonds=(bond,), mean_ev=mean_ev, deviation_ev=deviation_ev)


def test_it_is_what_samples_say_that_have_the_known_errors():
    """Clusters drawn as the model says, of which those are kept that fit."""
    generator = np.random.default_rng(0)
    n = 4_000_000
    cluster, of_a, of_b = generator.normal(size=(3, n))
    own = generator.normal(size=(3, n))
    c, b, rest = np.sqrt([SHARES.cluster, SHARES.bond, 0.5])
    first = 0.5 + 0.3 * (c * cluster + b * of_a + rest * own[0])
    second = -0.2 + 0.4 * (c * cluster + b * of_b + rest * own[1])
    third = 0.1 + 0.2 * (c * cluster + b * of_a + rest * own[2])
    fits = (abs(first - 0.9) < 0.02) & (abs(second + 0.5) < 0.02)
    known = [
        (prior("a", 0.5, 0.3), 0.9),
        (prior("b", -0.2, 0.4), -0.5),
    ]
    mean, deviation = predict_error(prior("a", 0.1, 0.2), known, SHARES)
    assert fits.sum() > 1000
    assert mean == pytest.approx(third[fits].mean(), abs=0.015)
    assert deviation == pytest.approx(third[fits].std(), abs=0.01)


def test_nothing_known_leaves_the_table():
    assert predict_error(prior("a", 0.4, 0.2), [], SHARES) == (0.4, 0.2)


def test_many_points_outweigh_the_table_and_few_do_not():
    wanted = prior("a")
    by_number = [
        predict_error(wanted, [(prior("a"), 1.0)] * n, SHARES)[0] for n in (1, 4, 100)
    ]
    assert by_number[0] == pytest.approx(0.5, abs=0.01)
    assert by_number[0] < by_number[1] < by_number[2]
    assert by_number[2] > 0.95


def test_another_kind_of_bond_tells_less_than_the_same():
    same, _ = predict_error(prior("a"), [(prior("a"), 1.0)], SHARES)
    other, _ = predict_error(prior("a"), [(prior("b"), 1.0)], SHARES)
    assert 0 < other < same
