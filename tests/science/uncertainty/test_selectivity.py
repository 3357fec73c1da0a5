"""The lead of a product on hydrogen: its interval against normal distributions."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest

from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
from clusterflow.science.uncertainty.selectivity import compare_with_hydrogen
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job

SIGMA = 0.3
# From a median to the end of the central 90 % of a normal distribution.
HALF_WIDTH = 1.6449
# Three standard deviations of a frequency of one half in 10,000 samples, and of the
# median of a distribution of this width.
PROBABILITY_ABS, MEDIAN_ABS = 0.015, 0.015


@pytest.fixture
def results(library, provenance):
    """Carbon monoxide and hydrogen, each with one high first step; without *CO2."""

    def known(name, value, bond="", **deviations):
        return SpeciesFreeEnergy(
            name=name,
            status="ok",
            formation_ev=value,
            deviations=deviations,
            bonds=(bond,) if bond else (),
        )

    thermo = ThermoRecord(
        cluster="A",
        level=library.level("gfn1-xtb"),
        temperature_k=298.15,
        half_hydrogen_ev=0.0,
        species=(
            known("*", 0.0),
            *(known(gas, 0.0) for gas in ("H2(g)", "CO2(g)", "H2O(l)", "CO(g)")),
            known("*H", 3.2, "hydride on Cu", level=SIGMA),
            known("*COOH", 3.0, "acyl on Cu", level=SIGMA),
            known("*CO", 0.0, "acyl on Cu", level=SIGMA),
        ),
        provenance=provenance,
    )
    reactions = [library.reaction(name) for name in ("CO2-to-CO", "HER")]
    return che(thermo, reactions, CheSettings(), library, Job("che")).results


def test_what_both_adsorbates_share_cancels(results):
    carbon, hydrogen = results
    # A third of the variance is the diagram's; neither shares the other two.
    sigma = SIGMA * sqrt(2 * 2 / 3)
    lead = carbon.selectivity
    assert carbon.selectivity_v == pytest.approx(0.2, abs=1e-12)
    assert lead.median_v == pytest.approx(0.2, abs=MEDIAN_ABS)
    assert lead.lower_v == pytest.approx(0.2 - HALF_WIDTH * sigma, abs=0.03)
    assert lead.upper_v == pytest.approx(0.2 + HALF_WIDTH * sigma, abs=0.03)
    expected = (1 + erf(0.2 / sigma / sqrt(2))) / 2
    assert lead.probability == pytest.approx(expected, abs=PROBABILITY_ABS)
    for result in results:
        assert result.her_median_v_rhe == hydrogen.uncertainty.median_v_rhe
    assert hydrogen.selectivity is None


def test_hydrogen_against_itself_is_even():
    samples = np.random.default_rng(1).normal(size=500)
    lead = compare_with_hydrogen(samples, samples)
    assert (lead.lower_v, lead.median_v, lead.upper_v) == (0.0, 0.0, 0.0)
    assert lead.probability == 0.5
