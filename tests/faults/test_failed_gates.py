"""What a gate fails is a hole or carries a flag, in everything made from it."""

from __future__ import annotations

import re

import pytest

from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.profiles import Uncertainty
from clusterflow.results.flag_table import flags_of
from clusterflow.results.tables import energies, failures, minima, potentials
from clusterflow.science.checks.effects import EFFECTS, failure_flag
from clusterflow.science.checks.gates import DFT_GATES, GATES, OWN_GATES, gate_name
from clusterflow.settings import CheSettings, ThermoSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.verdicts import mark_reactions, mark_species
from clusterflow.stages.thermo import thermo
from tests.records.study_records import study_of
from tests.stages.test_thermo import AD_EV, GAS_EV, HOST_EV, Study


@pytest.fixture
def study(library, provenance, structure):
    return Study(library, provenance, structure)


@pytest.fixture
def strict(provenance):
    """Provenance with a limit of forces."""
    return provenance.model_copy(update={"settings": {"fmax_ev_per_a": 0.01}})


def compute(study, *, relaxed=None, adsorbed=(), vibrated=(), gases=()):
    """Thermo and che records, with some records in the place of the sound ones."""
    own = {r.adsorbate: r for r in adsorbed}, {r.adsorbate: r for r in vibrated}
    other = {r.gas: r for r in gases}
    records = ClusterRecords(
        relaxed=relaxed or study.relaxed(),
        adsorptions=[own[0].get(n) or study.adsorbed(n) for n in AD_EV],
        vibrations=[own[1].get(n) or study.vibrated(n) for n in AD_EV],
        gases=[other.get(n) or study.gas(n) for n in GAS_EV],
    )
    summed = thermo(records, ThermoSettings(), study.library, Job("thermo"))
    reactions = [study.library.reaction("CO2-to-CO")]
    return summed, che(summed, reactions, CheSettings(), study.library, Job("che"))


def bent(study, name, **changes):
    """A bound molecule whose structure has changed."""
    structure = study.minimum(0.0).structure
    structure = structure.model_copy(
        update={"roles": ("core", "adsorbate"), **changes.pop("structure", {})}
    )
    return study.vibrated(name, structure=structure, **changes)


def unrelaxed(record):
    return tuple(i.model_copy(update={"fmax_ev_per_a": 0.5}) for i in record)


# What is broken, the gate that finds it, and which species lose their numbers.
HOLES = {
    "an asymmetric Hessian": (
        "hessian-symmetry",
        lambda s, p: {"vibrated": [s.vibrated("CO", hessian_asymmetry_ev_per_a2=25.0)]},
        {"*CO"},
    ),
    "forces that are no slope": (
        "force-error",
        lambda s, p: {"vibrated": [s.vibrated("CO", force_error_ev_per_a=0.3)]},
        {"*CO"},
    ),
    "forces where it vibrates": (
        "forces",
        lambda s, p: {"vibrated": [s.vibrated("CO", fmax_ev_per_a=0.5, provenance=p)]},
        {"*CO"},
    ),
    "forces of its minimum": (
        "forces",
        lambda s, p: {
            "adsorbed": [
                s.adsorbed("CO", unrelaxed(s.adsorbed("CO").minima), provenance=p)
            ]
        },
        {"*CO"},
    ),
    "electrons that do not fit": (
        "parity",
        lambda s, p: {"vibrated": [bent(s, "CO", structure={"multiplicity": 2})]},
        {"*CO"},
    ),
    "a mode that is missing": (
        "zpe",
        lambda s, p: {"vibrated": [bent(s, "CO", frequencies_cm1=(2000.0, 300.0))]},
        {"*CO"},
    ),
    "a gas with an imaginary mode": (
        "gas-frequencies",
        lambda s, p: {"gases": [s.gas("CO", imaginary_cm1=(300.0,))]},
        {"CO(g)", "*CO"},  # whose error it inherits
    ),
    "an anchor with an asymmetric Hessian": (
        "hessian-symmetry",
        lambda s, p: {"gases": [s.gas("CO2", hessian_asymmetry_ev_per_a2=25.0)]},
        {"CO2(g)", "CO(g)", "*CO", "*COOH", "*OCHO"},
    ),
    "a bare cluster with forces": (
        "forces",
        lambda s, p: {
            "relaxed": s.relaxed(isomers=unrelaxed(s.relaxed().isomers), provenance=p)
        },
        {"*", *(f"*{name}" for name in AD_EV)},
    ),
}


@pytest.mark.parametrize("what", HOLES)
def test_a_number_that_a_gate_refuses_is_a_hole(study, strict, what):
    gate, change, lost = HOLES[what]
    before, _ = compute(study)
    after, profiles = compute(study, **change(study, strict))
    numbers = {s.name: s.formation_ev for s in before.species}
    found = {s.name: s for s in after.species}
    assert all(numbers[name] is not None for name in lost)
    assert {n for n, s in found.items() if s.formation_ev is None} >= lost
    reasons = [found[n].reason for n in lost]
    assert any(r.startswith(f"fails {gate}") or f" fails {gate}" in r for r in reasons)
    # What is left has the number it had.
    kept = {n: s.formation_ev for n, s in found.items() if s.formation_ev is not None}
    assert all(kept[n] == pytest.approx(numbers[n], abs=1e-12) for n in kept)
    # Every table says so: no limiting potential goes through it, and there is a reason.
    records = study_of([after, profiles])
    (row,) = potentials(records)
    assert row["limiting_potential_median_v_rhe"] is None and row["reason"]
    assert row["limiting_potential_best_estimate_v_rhe"] is None
    assert {
        r["species"] for r in energies(records) if r["formation_ev"] is None
    } >= lost
    refused = [r for r in failures(records) if f"fails {gate}" in r["reason"]]
    assert {r["species"] for r in refused} & lost


def test_a_minimum_with_forces_has_no_energy_in_the_table(study, strict):
    adsorbed = study.adsorbed("CO", unrelaxed(study.adsorbed("CO").minima))
    adsorbed = adsorbed.model_copy(update={"provenance": strict})
    record, _ = compute(study, adsorbed=[adsorbed])
    rows = {row["species"]: row for row in minima(study_of([record]))}
    assert rows["*CO"]["de_placed_ev"] is None
    assert "fails forces: 0.5" in rows["*CO"]["reason"]
    assert rows["*COOH"]["de_placed_ev"] is not None


def test_a_sound_study_has_neither_holes_nor_marks_of_gates(study):
    records = study_of(compute(study))
    assert not list(failures(records))
    assert not any(f.name.startswith("fails-") for f in flags_of(records, ()))


def test_an_implausible_free_energy_is_marked_in_all_tables(study):
    high = study.vibrated("CO", energy_ev=HOST_EV + AD_EV["CO"] + 9.0)
    records = study_of(compute(study, vibrated=[high]))
    rows = {row["species"]: row for row in energies(records)}
    assert "fails-dg-window" in rows["*CO"]["flags"]
    assert "fails-dg-window" not in rows["*H"]["flags"]
    (row,) = potentials(records)
    assert "*CO: fails-dg-window" in row["flags"]
    (flag,) = [f for f in flags_of(records, ()) if f.name == "fails-dg-window"]
    assert flag.reason == EFFECTS["dg-window"].means and flag.way_out


def test_another_adsorbate_than_its_label_is_marked(study, structure):
    # Labelled intact, but its two atoms are 3 Å from each other.
    apart = structure(
        ["Cu", "C", "O"], [[0, 0, 0], [0, 0, 1.85], [0, 0, 4.9]], multiplicity=2
    ).model_copy(update={"roles": ("core", "adsorbate", "adsorbate")})
    minimum = study.minimum(HOST_EV + AD_EV["CO"])
    minimum = minimum.model_copy(update={"structure": apart})
    record, _ = compute(study, adsorbed=[study.adsorbed("CO", (minimum,))])
    flags = {s.name: s.flags for s in record.species}
    assert "fails-fragments" in flags["*CO"]


def test_a_sum_that_is_not_its_terms_is_marked(study):
    record, _ = compute(study)
    species = tuple(
        s.model_copy(update={"formation_ev": s.formation_ev + 0.1})
        if s.name == "*CO"
        else s
        for s in record.species
    )
    wrong = mark_species(record.model_copy(update={"species": species}), study.library)
    marked = {s.name for s in wrong.species if "fails-term-sum" in s.flags}
    assert marked == {"*CO"}


def shift_step(result):
    """A profile whose determining step is off."""
    way = result.pathways[0]
    steps = tuple(
        s.model_copy(update={"dg0_ev": s.dg0_ev + 0.5})
        if s.name == way.determining_step
        else s
        for s in way.steps
    )
    way = way.model_copy(update={"steps": steps})
    return result.model_copy(update={"pathways": (way, *result.pathways[1:])})


def unbalance(network):
    return network.model_copy(update={"equation": "CO2(g) + H+ + e- -> CO(g)"})


@pytest.mark.parametrize(
    ("gate", "change"),
    [
        ("closure", {"results": shift_step}),
        ("potential-scale", {"results": shift_step}),
        ("balance", {"networks": unbalance}),
    ],
)
def test_a_reaction_that_does_not_add_up_is_marked(study, gate, change):
    energies_, profiles = compute(study)
    (field, make), *_ = change.items()
    wrong = tuple(make(item) for item in getattr(profiles, field))
    record = profiles.model_copy(update={field: wrong})
    flag = failure_flag(gate)
    assert flag not in profiles.results[0].flags
    (result,) = mark_reactions(record, energies_, study.library).results
    assert flag in result.flags
    assert all(flag in step.flags for p in result.pathways for step in p.steps)


def test_the_documentation_says_what_each_gate_does(root):
    text = (root / "docs/results.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (hole|mark) \| (.+) \|$", text, re.M)
    assert rows == [(name, e.kind, e.of) for name, e in EFFECTS.items()]
    # What is odd about a person's rows marks nothing: it is said beside the profiles.
    checks = [gate_name(check) for check in (*GATES, *DFT_GATES, *OWN_GATES)]
    assert list(EFFECTS) == [name for name in checks if name != "own-rows"]
    # Two levels are refused or left out: see the tests of stage thermo.
    holes = {name for name, effect in EFFECTS.items() if effect.kind == "hole"}
    assert {gate for gate, *_ in HOLES.values()} == holes - {"level-equality"}


def misread(result):
    """A profile whose estimate lies above its interval and the equilibrium."""
    estimate = result.limiting_potential_v_rhe
    uncertainty = Uncertainty(
        median_v_rhe=estimate - 0.5,
        lower_v_rhe=estimate - 0.9,
        upper_v_rhe=estimate - 0.1,
        deviation_v=0.2,
        determining_step_probability={result.determining_step: 1.0},
        best_pathway_probability=1.0,
        n_samples=10_000,
    )
    return result.model_copy(
        update={
            "uncertainty": uncertainty,
            "equilibrium_potential_v_rhe": estimate - 0.2,
        }
    )


def test_a_potential_that_is_easily_misread_is_marked_where_it_stands(study):
    energies_, profiles = compute(study)
    (result,) = profiles.results
    record = profiles.model_copy(update={"results": (misread(result),)})
    marked = mark_reactions(record, energies_, study.library)
    (found,) = marked.results
    step = result.pathways[0].chemical_bottleneck_step
    assert result.chemical_bottleneck_ev > 0
    new = {"read-the-median", f"{step}: hidden-chemical-step"}
    assert set(found.flags) - set(result.flags) == new
    # The number stays, and so do its steps.
    assert found.headline_v_rhe is not None and found.steps == result.steps
    records = study_of([energies_, marked])
    (row,) = potentials(records)
    assert all(flag in row["flags"].split("; ") for flag in new)
    for gate in ("best-estimate", "overpotential-sign"):
        (flag,) = [f for f in flags_of(records, ()) if f.name == failure_flag(gate)]
        assert flag.reason == EFFECTS[gate].means and flag.way_out
