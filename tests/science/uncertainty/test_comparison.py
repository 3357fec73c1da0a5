"""Which cluster is better: probabilities against normal distributions."""

from __future__ import annotations

from math import erf, sqrt

import pytest

from clusterflow.errors import RecordError
from clusterflow.library.reactions import ReactionSpec
from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
from clusterflow.science.uncertainty import comparison
from clusterflow.science.uncertainty.comparison import contenders, probability_a_beats_b
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job

# Three standard deviations of a frequency of one half in 10,000 samples.
PROBABILITY_ABS = 0.015


@pytest.fixture
def made(library, provenance):
    """Thermo and che records of clusters where *H lies at some energy, ± sigma."""

    def make(reaction=None, **hydrogen):
        thermo = [
            record(library, provenance, name, *values)
            for name, values in hydrogen.items()
        ]
        of = [reaction or library.reaction("HER")]
        return thermo, [che(t, of, CheSettings(), library, Job("che")) for t in thermo]

    return make


def record(library, provenance, cluster, energy_ev, sigma_ev, level="gfn1-xtb"):
    def known(name, value, **more):
        return SpeciesFreeEnergy(name=name, status="ok", formation_ev=value, **more)

    return ThermoRecord(
        cluster=cluster,
        level=library.level(level),
        temperature_k=298.15,
        half_hydrogen_ev=0.0,
        species=(
            known("*", 0.0),
            known("H2(g)", 0.0, deviations={"gas": 0.0}),
            known("H2O(l)", -0.1, deviations={"gas": 0.0}),
            known(
                "*H",
                energy_ev,
                deviations={"level": sigma_ev},
                bonds=("hydride on Cu",),
            ),
        ),
        provenance=provenance,
    )


def normal(z):
    return (1 + erf(z / sqrt(2))) / 2


def test_two_normal_distributions_that_share_two_thirds_of_their_variance(made):
    # U_L = −ΔG(*H), far from the second step, so that it is normal.
    ((a, b),) = contenders(*made(A=(3.0, 0.3), B=(3.2, 0.3)))
    assert (a.cluster, b.cluster) == ("A", "B")
    # The diagram's and the binding atom's thirds are common; a third is each one's own.
    sigma = 0.3 * sqrt(2 / 3)
    assert probability_a_beats_b(a, b) == pytest.approx(
        normal(0.2 / sigma), abs=PROBABILITY_ABS
    )
    assert probability_a_beats_b(b, a) == pytest.approx(
        1 - probability_a_beats_b(a, b), abs=1e-12
    )


def test_two_normal_distributions_of_unlike_width(made):
    ((a, b),) = contenders(*made(A=(3.0, 0.1), B=(3.2, 0.4)))
    # Common: √(2/3) (0.4 − 0.1); own: √(1/3) of each.
    variance = 2 / 3 * 0.3**2 + (0.1**2 + 0.4**2) / 3
    assert probability_a_beats_b(a, b) == pytest.approx(
        normal(0.2 / sqrt(variance)), abs=PROBABILITY_ABS
    )


def test_hydroxide_changes_no_rank(made):
    # Water less a proton in the place of the proton: the same free energies.
    alkaline = ReactionSpec(
        name="alkaline",
        source="unpublished: test",
        product="H2",
        equation="2 H2O(l) + 2 e- -> H2(g) + 2 OH-(aq)",
        steps=(
            "* + H2O(l) + e- -> *H + OH-(aq)",
            "*H + H2O(l) + e- -> * + H2(g) + OH-(aq)",
        ),
    )
    thermo, found = made(alkaline, A=(3.0, 0.3), B=(3.2, 0.3))
    ((a, b),) = contenders(thermo, found)
    ((c, d),) = contenders(*made(A=(3.0, 0.3), B=(3.2, 0.3)))
    assert probability_a_beats_b(a, b) == probability_a_beats_b(c, d)
    # Without gas corrections to leave out, it has its potential there too.
    raw = {r.name: r.limiting_potential_v_rhe for r in found[0].results[0].references}
    assert raw == pytest.approx({"study": -3.0, "raw": -3.0})


def test_levels_are_not_ranked_with_each_other(made, library, provenance):
    thermo, found = made(A=(0.3, 0.3))
    other = record(library, provenance, "B", 0.5, 0.3, level="gfn2-xtb")
    her = [library.reaction("HER")]
    found += [che(other, her, CheSettings(), library, Job("che"))]
    (a,), (b,) = contenders([*thermo, other], found)
    with pytest.raises(RecordError, match=r"A and B cannot be ranked: level gfn1-xtb"):
        probability_a_beats_b(a, b)


def test_of_many_clusters_the_best_are_compared(made, monkeypatch):
    monkeypatch.setattr(comparison, "LEADERS", 2)
    ((first, second),) = contenders(*made(A=(3.0, 0.3), B=(2.0, 0.3), C=(2.5, 0.3)))
    assert (first.cluster, second.cluster) == ("B", "C")


def test_a_cluster_with_an_unknown_error_is_left_out(made):
    thermo, found = made(A=(0.3, 0.3), B=(0.4, 0.3))
    species = [
        s.model_copy(update={"deviations": {}}) if s.name == "*H" else s
        for s in thermo[1].species
    ]
    thermo[1] = thermo[1].model_copy(update={"species": tuple(species)})
    ((only,),) = contenders(thermo, found)
    assert only.cluster == "A"


def test_the_order_is_that_of_the_medians(made):
    # At the top of the volcano the estimate is best and the median far from it.
    thermo, found = made(top=(0.0, 0.6), sure=(0.2, 0.01))
    ((first, second),) = contenders(thermo, found)
    assert (first.cluster, second.cluster) == ("sure", "top")
    top, sure = (record.results[0] for record in found)
    assert top.limiting_potential_v_rhe > sure.limiting_potential_v_rhe
    assert top.headline_v_rhe == top.uncertainty.median_v_rhe < sure.headline_v_rhe
    assert probability_a_beats_b(first, second) > 0.5


def test_samples_that_are_not_the_records_are_not_ranked(made):
    thermo, found = made(A=(0.3, 0.3), B=(0.4, 0.3))
    (result,) = found[1].results
    other = result.uncertainty.model_copy(update={"median_v_rhe": -1.0})
    result = result.model_copy(update={"uncertainty": other})
    found[1] = found[1].model_copy(update={"results": (result,)})
    ((only,),) = contenders(thermo, found)
    assert only.cluster == "A"
