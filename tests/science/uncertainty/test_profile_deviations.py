"""Deviations of the levels of a diagram: against samples, and what must cancel."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.uncertainty.deviations import Deviations
from clusterflow.science.uncertainty.profile_deviations import (
    profile_deviations,
    profile_half_widths,
)
from clusterflow.science.uncertainty.sampling import N_SAMPLES, sample_species

# Four times the standard error of a standard deviation.
SIGMA_REL = 4 / sqrt(2 * N_SAMPLES)
STEPS = [
    parse_equation(text)
    for text in (
        "* + CO2(g) + H+ + e- -> *COOH",
        "*COOH + H+ + e- -> *CO + H2O(l)",
        "*CO -> * + CO(g)",
    )
]
DEVIATIONS = Deviations(
    sigma_ev={
        "*COOH": {"level": 0.3, "site": 0.1},
        "*CO": {"level": 0.2},
        "CO2(g)": {},
        "CO(g)": {"gas": 0.15},
        "H2O(l)": {"gas": 0.05},
    },
    bond={"*COOH": "C", "*CO": "C"},
    inherits={"*CO": {"CO": 1.0}},
)


def test_deviations_are_those_of_sampled_levels():
    shifts = sample_species(DEVIATIONS.sigma_ev, DEVIATIONS, surface="Cu4")
    changes = [
        [step.products[s] - step.reactants[s] for s in shifts.species] for step in STEPS
    ]
    levels = np.cumsum(shifts.values_ev @ np.array(changes, dtype=float).T, axis=1)
    found = profile_deviations(STEPS, DEVIATIONS, surface="Cu4")
    assert found[0] == 0.0
    assert found[1:] == pytest.approx(levels.std(axis=0), rel=SIGMA_REL)
    half_widths = profile_half_widths(STEPS, DEVIATIONS, surface="Cu4")
    nine_tenths = [NormalDist(sigma=sigma).inv_cdf(0.95) for sigma in found[1:]]
    assert half_widths == pytest.approx([0.0, *nine_tenths], rel=1e-9)


def test_the_last_level_holds_gases_only():
    # √(0.15² + 0.05²): whatever the surface got wrong is gone with the adsorbate.
    last = profile_deviations(STEPS, DEVIATIONS, surface="Cu4")[-1]
    assert last == pytest.approx(sqrt(0.15**2 + 0.05**2))


def test_an_unknown_deviation_is_not_zero():
    known = {k: v for k, v in DEVIATIONS.sigma_ev.items() if k != "H2O(l)"}
    partly = Deviations(
        sigma_ev=known,
        bond=DEVIATIONS.bond,
        inherits=DEVIATIONS.inherits,
    )
    found = profile_deviations(STEPS, partly, surface="Cu4")
    assert found[1] is not None and found[2:] == (None, None)
    assert profile_half_widths(STEPS, partly, surface="Cu4")[2:] == (None, None)
