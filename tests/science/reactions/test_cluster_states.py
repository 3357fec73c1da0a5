"""Cluster states: their energies on the parent's scale, and what must be refused."""

from __future__ import annotations

from math import hypot, log

import pytest

from clusterflow.errors import RecordError
from clusterflow.library.reactions import ReactionSpec
from clusterflow.records.energies import (
    FreeEnergyTerms,
    LostVibrations,
    SpeciesFreeEnergy,
    ThermoRecord,
)
from clusterflow.science.reactions.cluster_states import add_cluster_states
from clusterflow.science.reactions.flags import CLUSTER_STATE_FLAG
from clusterflow.science.thermochemistry.partition_functions import electronic_only
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.study.plan import Plan
from tests.records.study_records import anchors_of

GAS_G_EV = {"CO2": -300.0, "H2": -30.0, "H2O": -140.0, "HCOOH": -329.5}
PARENT_EV, STATE_EV = -100.0, -84.11
HYDRIDE_VIBRATIONS_EV = 0.09
FORMATE_EV = -1.1  # formation on the state
FORMATE = "*[-H]OCHO"


def gas(name, formation_ev):
    terms = FreeEnergyTerms(
        energy_ev=GAS_G_EV[name] - 0.3,
        zpe_ev=0.5,
        thermal_ev=0.1,
        minus_ts_ev=-0.3,
        gibbs_ev=GAS_G_EV[name],
        minus_ts_undamped_ev=-0.3,
    )
    return SpeciesFreeEnergy(
        name=f"{name}(g)",
        status="ok",
        terms=terms,
        gibbs_ev=GAS_G_EV[name],
        formation_ev=formation_ev,
        formation_uncorrected_ev=formation_ev,
        deviations={"gas": 0.0},
    )


def adsorbed(name, formation_ev):
    return SpeciesFreeEnergy(
        name=name,
        status="intact",
        terms=electronic_only(-1.0, 1, 298.15),
        formation_ev=formation_ev,
        formation_uncorrected_ev=formation_ev,
        deviations={"level": 0.45, "cutoff": 0.01},
        bonds=("oxide on Cu",),
    )


@pytest.fixture
def record(library, provenance):
    def make(cluster, energy_ev, *more, **changes):
        clean = SpeciesFreeEnergy(
            name="*",
            status="ok",
            terms=electronic_only(energy_ev, 1, 298.15),
            gibbs_ev=energy_ev,
            formation_ev=0.0,
            formation_uncorrected_ev=0.0,
        )
        anchors = ("CO2", "H2", "H2O")
        found = ThermoRecord(
            cluster=cluster,
            level=library.level("gfn1-xtb"),
            temperature_k=298.15,
            half_hydrogen_ev=0.0,
            species=(
                clean,
                *(gas(name, 0.0) for name in anchors),
                gas("HCOOH", 0.5),
                *more,
            ),
            gas_corrections=anchors_of(anchors),
            provenance=provenance,
        )
        return found.model_copy(update=changes)

    return make


def lost_hydride(**changes):
    terms = FreeEnergyTerms(
        energy_ev=0.0,
        zpe_ev=0.1,
        thermal_ev=0.01,
        minus_ts_ev=-0.02,
        gibbs_ev=HYDRIDE_VIBRATIONS_EV,
        minus_ts_undamped_ev=-0.05,
    )
    return LostVibrations(state="Cu2H", terms=terms).model_copy(update=changes)


@pytest.fixture
def pair(record):
    state = record("Cu2H", STATE_EV, adsorbed("*OCHO", FORMATE_EV))
    parent = record("Cu2H2", PARENT_EV, adsorbed("*OCHO", -0.2))
    return parent.model_copy(update={"lost_vibrations": (lost_hydride(),)}), state


def profiles(library, parent, *states, names=("CO2-to-HCOOH-hydride", "hydride-loss")):
    reactions = [library.reaction(name) for name in names]
    return che(parent, reactions, CheSettings(), library, Job("che"), states=states)


def joined(library, parent, *states):
    reactions = [library.reaction("CO2-to-HCOOH-hydride")]
    return {
        s.name: s
        for s in add_cluster_states(parent, states, reactions, library).thermo.species
    }


def test_a_state_lies_where_its_atoms_go(pair, library):
    found = joined(library, *pair)
    # Cu2H + ½ H2 − Cu2H2, which has the vibrations of the hydride
    vacancy = STATE_EV + GAS_G_EV["H2"] / 2 - PARENT_EV - HYDRIDE_VIBRATIONS_EV
    assert vacancy == pytest.approx(0.8)
    assert found["*[-H]"].formation_ev == pytest.approx(vacancy)
    assert found[FORMATE].formation_ev == pytest.approx(vacancy + FORMATE_EV)
    assert (
        CLUSTER_STATE_FLAG in found["*[-H]"].flags
        and CLUSTER_STATE_FLAG in found[FORMATE].flags
    )
    unmeasured = library.level("gfn1-xtb").uncertainty_ev
    assert found["*[-H]"].deviations["level"] == unmeasured
    # What the damping of the hydride's low modes moves.
    assert found["*[-H]"].deviations["cutoff"] == pytest.approx(0.03)
    assert found[FORMATE].deviations["cutoff"] == pytest.approx(hypot(0.01, 0.03))
    assert found[FORMATE].deviations["level"] == pytest.approx(hypot(unmeasured, 0.45))


def test_a_state_with_unpaired_electrons_has_their_entropy(pair, library):
    parent, state = pair
    terms = electronic_only(STATE_EV, 2, 298.15)
    clean = state.species[0].model_copy(update={"terms": terms})
    doublet = state.model_copy(update={"species": (clean, *state.species[1:])})
    for name in ("*[-H]", FORMATE):
        plain, found = (joined(library, parent, s)[name] for s in (state, doublet))
        moved = found.formation_ev - plain.formation_ev
        assert moved == pytest.approx(-8.617333262e-5 * 298.15 * log(2), abs=1e-9)


def test_hydride_loss_is_that_energy_with_hydrogen_beside(pair, library):
    answer = profiles(library, *pair, names=["hydride-loss"])
    (result,) = answer.results
    assert answer.states == {"-H": "Cu2H"}
    # The anchors are zero, so the step costs what the vacancy does.
    assert result.limiting_potential_v_rhe == pytest.approx(-0.8)
    assert result.uncertainty.lower_v_rhe < -0.8 < result.uncertainty.upper_v_rhe
    assert result.uncertainty.not_included == ("isomer", "site", "solvation")
    # Nobody measured what a cluster loses.
    assert result.equilibrium_potential_v_rhe is None
    assert f"*[-H]: {CLUSTER_STATE_FLAG}" in result.flags


def test_a_hydride_taken_and_given_back_costs_nothing(pair, library):
    answer = profiles(library, *pair, names=["CO2-to-HCOOH-hydride"])
    complete = [p for p in answer.results[0].pathways if p.complete]
    assert len(complete) == 2
    steps = {s.name: s.dg0_ev for p in complete for s in p.steps}
    assert steps["* + CO2(g) -> *[-H]OCHO"] == pytest.approx(0.8 + FORMATE_EV)
    back = "*[-H]OCHO + H+ + e- -> *OCHO"
    assert steps[back] == pytest.approx(-0.2 - 0.8 - FORMATE_EV)
    for pathway in complete:
        assert sum(s.dg0_ev for s in pathway.steps) == pytest.approx(0.5)


def test_without_the_vibrations_of_what_leaves_a_state_is_a_hole(pair, library):
    parent, state = pair
    unknown = parent.model_copy(update={"lost_vibrations": ()})
    found = joined(library, unknown, state)
    assert found["*[-H]"].formation_ev is found[FORMATE].formation_ev is None
    assert "run stage leaving" in found["*[-H]"].reason
    failed = lost_hydride(terms=None, reason="scf-failed")
    unknown = parent.model_copy(update={"lost_vibrations": (failed,)})
    assert joined(library, unknown, state)[FORMATE].reason == "scf-failed"


def test_a_gain_brings_the_vibrations_that_a_loss_takes(pair, library):
    parent, state = pair
    gain = ReactionSpec(
        name="gain",
        source="unpublished: test",
        product="H2",
        equation="* + H+ + e- -> *[+H]",
        steps=("* + H+ + e- -> *[+H]",),
    )
    found = add_cluster_states(state, [parent], [gain], library).thermo
    (gained,) = (s for s in found.species if s.name == "*[+H]")
    lost = joined(library, parent, state)["*[-H]"]
    assert gained.formation_ev == pytest.approx(-lost.formation_ev)


def test_a_second_hydride_is_a_hole_without_its_state(pair, library):
    answer = profiles(library, *pair, names=["CO2-to-HCOOH-hydride"])
    (hole,) = (p for p in answer.results[0].pathways if not p.complete)
    assert hole.reason == "*[-H2]: no state -H2 of Cu2H2 in the library"


def test_a_cluster_without_the_state_is_a_hole(record, library):
    answer = profiles(library, record("Cd6Se6", PARENT_EV))
    for result in answer.results:
        assert result.limiting_potential_v_rhe is None
        assert "no state -H of Cd6Se6 in the library" in result.reason


@pytest.mark.parametrize("cluster", ["Cu2H2", "mine"])
def test_a_state_without_a_record_is_a_hole(record, library, cluster):
    found = joined(library, record(cluster, PARENT_EV))
    expected = {
        "Cu2H2": "Cu2H, the state -H, has no thermo record",
        "mine": "no state -H of mine in the library",
    }
    assert found["*[-H]"].reason == expected[cluster]


def test_two_levels_never_meet(pair, library):
    parent, state = pair
    other = state.model_copy(update={"level": library.level("gfn2-xtb")})
    found = joined(library, parent, other)
    assert found["*[-H]"].formation_ev is None
    assert "Cu2H is at level 'gfn2-xtb', Cu2H2 at 'gfn1-xtb'" in found[FORMATE].reason


def test_a_failed_state_says_why(pair, library):
    parent, state = pair
    lost = [s for s in state.species if s.name != "*"]
    failed = state.model_copy(update={"species": tuple(lost), "reason": "scf-failed"})
    assert joined(library, parent, failed)["*[-H]"].reason == "Cu2H: scf-failed"


def test_an_adsorbate_that_failed_on_the_state_says_why(pair, record, library):
    hole = SpeciesFreeEnergy(name="*OCHO", status="desorbed", reason="it left")
    found = joined(library, pair[0], record("Cu2H", STATE_EV, hole))
    assert found[FORMATE].reason == "Cu2H: it left"
    assert found[FORMATE].status == "desorbed"
    bare = joined(library, pair[0], record("Cu2H", STATE_EV))
    assert bare[FORMATE].reason == "*OCHO was not computed on Cu2H"


def test_other_settings_are_refused(pair, library, provenance):
    settings = {"temperature_k": 350.0}
    other = provenance.model_copy(update={"settings": settings})
    changed = pair[1].model_copy(update={"provenance": other})
    with pytest.raises(RecordError, match=r"another temperature_k; run thermo again"):
        joined(library, pair[0], changed)


def test_a_record_that_is_no_state_is_refused(pair, record, library):
    with pytest.raises(RecordError, match="Cu8: the reactions name no such state"):
        joined(library, *pair, record("Cu8", STATE_EV))


def test_atoms_that_no_anchor_holds_are_a_hole(record, library, tmp_path):
    (tmp_path / "structures/clusters").mkdir(parents=True)
    own = tmp_path / "structures/clusters"
    common = "material: metal\nsource: 'unpublished: test'\ncharge: 0\n"
    (own / "Cu2S.yaml").write_text(
        f"name: Cu2S\nformula: Cu2S\nmultiplicity: 1\n{common}"
        "structures: [{builder: ring, parameters: "
        "{metal: Cu, anion: S, n: 2, bond_a: 2.2}}]\n"
    )
    (own / "Cu2-left.yaml").write_text(
        f"name: Cu2-left\nformula: Cu2\nmultiplicity: 1\n{common}"
        "parent: Cu2S\nremoved: {element: S, count: 1}\n"
    )
    wide = type(library)((tmp_path / "structures", *library.roots))
    loss = ReactionSpec(
        name="loss",
        source="unpublished: test",
        product="H2S",
        equation="* + 2 H+ + 2 e- -> *[-S] + H2(g)",
        steps=("* + 2 H+ + 2 e- -> *[-S] + H2(g)",),
    )
    states = [record("Cu2-left", STATE_EV)]
    found = add_cluster_states(record("Cu2S", PARENT_EV), states, [loss], wide)
    (hole,) = (s for s in found.thermo.species if s.name == "*[-S]")
    assert hole.reason == "the anchors CO2, H2, H2O cannot make it"


def test_a_gain_is_a_loss_turned_round(library):
    assert library.cluster_states("Cu2H2", {"H": -1}) == ("Cu2H",)
    assert library.cluster_states("Cu2H", {"H": 1}) == ("Cu2H2",)
    assert library.cluster_states("Cu2H2", {"H": -2}) == ()
    assert library.cluster_states("Cu2", {"H": 1}) == ()


HYDRIDE = {
    "study": "x",
    "clusters": ["Cu2H2", "Cd6Se6"],
    "reactions": ["HER", "CO2-to-HCOOH-hydride"],
}


def test_the_plan_takes_in_states_and_what_is_named_on_them():
    plan = Plan.from_config(HYDRIDE)
    assert plan.clusters == ("Cu2H2", "Cd6Se6", "Cu2H")
    assert (
        plan.cluster_states_of("Cu2H2") == ("Cu2H",)
        and plan.cluster_states_of("Cd6Se6") == ()
    )
    assert plan.adsorbates_of("Cu2H2") == ("H", "OCHO")
    assert plan.adsorbates_of("Cu2H") == ("OCHO",)
    paths = {str(path) for path in plan.records("r")}
    assert {"r/thermo/Cu2H.json", "r/adsorb/Cu2H/OCHO.json"} <= paths
    assert "r/leaving/Cu2H2.json" in paths
    assert not {"r/leaving/Cu2H.json", "r/leaving/Cd6Se6.json"} & paths
    # A state has no profiles of its own.
    unwanted = {"r/che/Cu2H.json", "r/edges/Cu2H.json", "r/adsorb/Cu2H/H.json"}
    assert not unwanted & paths


def test_a_state_may_be_a_cluster_of_the_study_too():
    plan = Plan.from_config({**HYDRIDE, "clusters": ["Cu2H2", "Cu2H"]})
    assert plan.clusters == ("Cu2H2", "Cu2H")
    assert plan.adsorbates_of("Cu2H") == ("H", "OCHO")
    assert "r/che/Cu2H.json" in {str(path) for path in plan.records("r")}


def test_adsorbates_asked_for_hold_on_states_too():
    plan = Plan.from_config({**HYDRIDE, "adsorbates": ["H"]})
    assert plan.adsorbates_of("Cu2H2") == ("H",) and plan.adsorbates_of("Cu2H") == ()


def test_a_study_without_states_is_planned_as_before():
    plan = Plan.from_config({})
    assert plan.clusters == plan.study.clusters
    assert {plan.adsorbates_of(c) for c in plan.clusters} == {plan.adsorbates}
    n = len(plan.clusters)
    singles, doubles = 8 * n, 2 * n * len(plan.adsorbates)
    assert len(plan.records("r")) == singles + doubles + len(plan.gases)


def test_co_is_computed_for_the_references_where_carbon_takes_part():
    formic = Plan.from_config({"study": "x", "reactions": ["CO2-to-HCOOH"]})
    hydrogen = Plan.from_config({"study": "x", "reactions": ["HER"]})
    assert "CO" in formic.gases and "CO" not in hydrogen.gases
