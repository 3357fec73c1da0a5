"""Other gas references: numbers by hand, and the study recomputed with each of them."""

from __future__ import annotations

import pytest

from clusterflow.library.reactions import ReactionSpec
from clusterflow.records.energies import GasCorrection, SpeciesFreeEnergy, ThermoRecord
from clusterflow.science.reactions.gas_references import (
    gas_references_of,
    move_corrections,
)
from clusterflow.science.thermochemistry.anchors import FROM_CO, FROM_CO2
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from tests.stages.test_thermo import GAS_EV, Study

COUNTS = {
    "CO2": {"C": 1, "O": 2},
    "CO": {"C": 1, "O": 1},
    "H2": {"H": 2},
    "H2O": {"H": 2, "O": 1},
    "HCOOH": {"C": 1, "O": 2, "H": 2},
}
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


def species(name, raw_ev, layer_ev=None, inherits=None):
    layers = {} if layer_ev is None else {"gas": layer_ev}
    return SpeciesFreeEnergy(
        name=name,
        status="ok",
        layers=layers,
        formation_ev=raw_ev + sum(layers.values()),
        formation_uncorrected_ev=raw_ev,
        inherits=inherits or {},
    )


def correction(gas, value):
    return GasCorrection(
        gas=gas,
        anchors={},
        computed_ev=0.0,
        experiment_ev=value,
        correction_ev=value,
        is_anchor=gas in FROM_CO2,
        source="by hand",
    )


def by_hand(provenance, library, cooh_ev, *, gas_layer=True):
    """*CO at 2.0 and CO(g) at 2.1 eV raw; *COOH as given."""
    on = CO_EV if gas_layer else None
    zero = 0.0 if gas_layer else None
    return ThermoRecord(
        cluster="Cu2",
        level=library.level("gfn1-xtb"),
        temperature_k=298.15,
        half_hydrogen_ev=0.0,
        species=(
            species("*", 0.0),
            *(species(f"{gas}(g)", 0.0, zero) for gas in FROM_CO2),
            species("CO(g)", 2.1, on),
            species("*COOH", cooh_ev),
            species("*CO", 2.0, on, {"CO": 1}),
        ),
        gas_corrections=(
            *(correction(gas, 0.0) for gas in FROM_CO2),
            correction("CO", CO_EV),
        ),
        provenance=provenance,
    )


def result(record, reaction, library):
    return che(record, [reaction], CheSettings(), library, Job("che")).results[0]


# Steps by hand, eV. With *COOH at 0.9: study 0.9 and 0.2 − 0.9; corrections on gases
# alone 0.9 and 2.0 − 0.9; CO2 raised by 1.8, 0.9 − 1.8 and 2.0 − 0.9.
@pytest.mark.parametrize(
    ("cooh_ev", "study_v", "no_inheritance_v", "other_anchors_v", "raw_v", "spread_v"),
    [(0.9, -0.9, -1.1, -1.1, -1.1, 0.2), (1.2, -1.2, -1.2, -0.8, -1.2, 0.4)],
)
def test_limiting_potentials_by_hand(
    provenance,
    library,
    cooh_ev,
    study_v,
    no_inheritance_v,
    other_anchors_v,
    raw_v,
    spread_v,
):
    found = result(by_hand(provenance, library, cooh_ev), REACTION, library)
    potentials = {r.name: r.limiting_potential_v_rhe for r in found.references}
    assert potentials == pytest.approx(
        {
            "study": study_v,
            "no-inheritance": no_inheritance_v,
            "other-anchors": other_anchors_v,
            "raw": raw_v,
        }
    )
    assert found.reference_spread_v == pytest.approx(spread_v)
    assert found.limiting_potential_v_rhe == pytest.approx(study_v)
    steps = {r.name: r.determining_step for r in found.references}
    assert steps["other-anchors"] == "*COOH + H+ + e- -> *CO + H2O(g)"
    # Desorption: both moved or neither moved, 0.1 eV; CO(g) alone, 0.3 − 2.0.
    chemical = {r.name: r.chemical_bottleneck_ev for r in found.references}
    assert chemical == pytest.approx(
        {"study": 0.1, "no-inheritance": -1.7, "other-anchors": 0.1, "raw": 0.1}
    )


def test_a_study_without_the_gas_layer_has_the_same_alternatives(provenance, library):
    on, off = (
        result(by_hand(provenance, library, 0.9, gas_layer=g), REACTION, library)
        for g in (True, False)
    )
    assert off.limiting_potential_v_rhe == pytest.approx(-1.1)
    others = [r.model_dump() for r in on.references[1:]]
    assert [r.model_dump() for r in off.references[1:]] == others


@pytest.mark.parametrize("reaction", ["CO2-to-CO", "CO2-to-HCOOH"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [("raw", {"correct": ()}), ("other-anchors", {"anchors": FROM_CO})],
)
def test_an_alternative_is_the_study_recomputed_with_these_settings(
    study, library, reaction, name, settings
):
    spec = library.reaction(reaction)
    found = result(study.thermo(), spec, library)
    again = result(study.thermo(**settings), spec, library)
    (reference,) = (r for r in found.references if r.name == name)
    assert reference.limiting_potential_v_rhe == pytest.approx(
        again.limiting_potential_v_rhe, abs=1e-9
    )
    assert reference.determining_step == again.determining_step
    assert reference.best_pathway == again.best_pathway
    assert reference.chemical_bottleneck_ev == pytest.approx(
        again.chemical_bottleneck_ev, abs=1e-9
    )


def test_with_anchors_from_co_the_other_ones_are_the_default(study, library):
    spec = library.reaction("CO2-to-CO")
    default = result(study.thermo(), spec, library)
    swapped = result(study.thermo(anchors=FROM_CO), spec, library)
    other = {r.name: r for r in swapped.references}["other-anchors"]
    assert other.anchors == FROM_CO2
    assert other.limiting_potential_v_rhe == pytest.approx(
        default.limiting_potential_v_rhe, abs=1e-9
    )


def test_corrections_there_and_back_again():
    own = {"CO2": 0.0, "H2": 0.0, "H2O": 0.0, "CO": -1.8, "HCOOH": 0.14}
    from_co = move_corrections(own, FROM_CO, COUNTS)
    # HCOOH = CO + H2O
    assert from_co["HCOOH"] == pytest.approx(0.14 + 1.8)
    assert move_corrections(from_co, FROM_CO2, COUNTS) == pytest.approx(own)


def test_without_a_record_of_co_its_anchors_are_a_hole(study, library):
    gases = [study.gas(name) for name in GAS_EV if name != "CO"]
    record = study.thermo(gases=gases)
    formic = result(record, library.reaction("CO2-to-HCOOH"), library)
    found = {r.name: r for r in formic.references}
    assert found["other-anchors"].limiting_potential_v_rhe is None
    assert "no correction of CO2 from CO, H2, H2O" in found["other-anchors"].reason
    assert found["no-inheritance"].limiting_potential_v_rhe is not None
    assert formic.reference_spread_v is None
    # Hydrogen evolution holds no carbon, so it needs no reference for it.
    hydrogen = result(record, library.reaction("HER"), library)
    assert hydrogen.reference_spread_v == pytest.approx(0.0, abs=1e-12)


def test_the_pair_moves_with_hydrogen_where_h2_is_no_anchor(study):
    """With CO, CO2 and H2O as anchors hydrogen carries the error of the shift."""
    record = study.thermo(anchors=("CO", "CO2", "H2O"))
    raw = study.thermo(anchors=("CO", "CO2", "H2O"), correct=())
    energies = {r.name: r.energies for r in gas_references_of(record, COUNTS)}
    assert record.half_hydrogen_ev != pytest.approx(raw.half_hydrogen_ev, abs=0.1)
    assert energies["raw"].pair_ev == pytest.approx(raw.half_hydrogen_ev, abs=1e-9)
    alone = energies["no-inheritance"].pair_ev
    assert alone == pytest.approx(record.half_hydrogen_ev, abs=1e-9)
