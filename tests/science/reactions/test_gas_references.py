"""Without gas corrections: numbers by hand, and the study recomputed so."""

from __future__ import annotations

import pytest

from clusterflow.library.reactions import ReactionSpec
from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
from clusterflow.science.reactions.gas_references import raw_energies
from clusterflow.science.thermochemistry.anchors import FROM_CO2
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from tests.records.study_records import anchors_of
from tests.stages.test_thermo import Study

CO_EV = -1.8  # the correction of CO(g) by hand
REACTION = ReactionSpec(
    name="CO2-to-CO",
    source="unpublished: test",
    product="CO",
    equation="CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(g)",
    steps=(
        "* + CO2(g) + H+ + e- -> *COOH",
        "*COOH + H+ + e- -> *CO + H2O(g)",
        "*CO -> * + CO(g)",
    ),
)


@pytest.fixture
def study(library, provenance, structure):
    return Study(library, provenance, structure)


def species(name, raw_ev, layer_ev=0.0):
    return SpeciesFreeEnergy(
        name=name,
        status="ok",
        layers={"gas": layer_ev},
        formation_ev=raw_ev + layer_ev,
        formation_uncorrected_ev=raw_ev,
    )


def by_hand(provenance, library, cooh_ev):
    """*CO at 2.0 and CO(g) at 2.1 eV raw; *COOH as given."""
    return ThermoRecord(
        cluster="Cu2",
        level=library.level("gfn1-xtb"),
        temperature_k=298.15,
        half_hydrogen_ev=0.0,
        species=(
            species("*", 0.0),
            *(species(f"{gas}(g)", 0.0) for gas in FROM_CO2),
            species("CO(g)", 2.1, CO_EV),
            species("*COOH", cooh_ev, -0.1),
            species("*CO", 2.0, CO_EV),
        ),
        gas_corrections=anchors_of(FROM_CO2),
        provenance=provenance,
    )


def result(record, reaction, library):
    return che(record, [reaction], CheSettings(), library, Job("che")).results[0]


# Steps by hand, eV. With *COOH at 0.9 raw: study 0.8 and 0.2 − 0.8; raw 0.9 and 1.1.
@pytest.mark.parametrize(
    ("cooh_ev", "study_v", "raw_v"), [(0.9, -0.8, -1.1), (1.2, -1.1, -1.2)]
)
def test_limiting_potentials_by_hand(provenance, library, cooh_ev, study_v, raw_v):
    found = result(by_hand(provenance, library, cooh_ev), REACTION, library)
    potentials = {r.name: r.limiting_potential_v_rhe for r in found.references}
    assert potentials == pytest.approx({"study": study_v, "raw": raw_v})
    assert found.limiting_potential_v_rhe == pytest.approx(study_v)
    # Desorption: both moved or neither moved.
    chemical = {r.name: r.chemical_bottleneck_ev for r in found.references}
    assert chemical == pytest.approx({"study": 0.1, "raw": 0.1})


def test_a_solute_has_its_measured_value_in_both(provenance, library):
    # All of its elements are anchors', which the layer leaves as they are.
    reaction = ReactionSpec(
        name="formate",
        source="unpublished: test",
        product="HCOOH",
        equation="CO2(g) + H+ + 2 e- -> HCOO-(aq)",
        steps=("* + CO2(g) + H+ + e- -> *COOH", "*COOH + e- -> * + HCOO-(aq)"),
    )
    found = result(by_hand(provenance, library, 0.9), reaction, library)
    steps = {r.name: r.limiting_potential_v_rhe for r in found.references}
    # 0.8 eV with the layer of *COOH and 0.9 eV without it, as formate lies far below.
    assert steps == pytest.approx({"study": -0.8, "raw": -0.9})


@pytest.mark.parametrize("reaction", ["HER", "CO2-to-CO", "CO2-to-HCOOH"])
def test_raw_is_the_study_recomputed_without_the_layer(study, library, reaction):
    network = library.reaction(reaction)
    found = result(study.thermo(), network, library)
    (raw,) = (r for r in found.references if r.name == "raw")
    other = result(study.thermo(correct=()), network, library)
    assert raw.limiting_potential_v_rhe == pytest.approx(
        other.limiting_potential_v_rhe, abs=1e-9
    )
    assert raw.determining_step == other.determining_step


def test_the_pair_moves_with_hydrogen_where_h2_is_no_anchor(study):
    """With CO, CO2 and H2O as anchors hydrogen carries the error of the shift."""
    record = study.thermo(anchors=("CO", "CO2", "H2O"))
    raw = study.thermo(anchors=("CO", "CO2", "H2O"), correct=())
    assert record.half_hydrogen_ev != pytest.approx(raw.half_hydrogen_ev, abs=0.1)
    pair = raw_energies(record).pair_ev
    assert pair == pytest.approx(raw.half_hydrogen_ev, abs=1e-9)
