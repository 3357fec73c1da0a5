"""What the first screen says: who leads, how surely, and what would tell."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from clusterflow.figures.strip import Mark, StripRow, draw_strip
from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
from clusterflow.records.profiles import Pathway, Step, Uncertainty
from clusterflow.records.refinements import RefinedCheRecord
from clusterflow.report.answers import TOLD_APART, find_answers
from clusterflow.report.words import say_fate, say_outcome
from clusterflow.results.flag_table import flags_of
from clusterflow.results.ranking import rank_reactions
from tests.records.study_records import study_of
from tests.report.test_page import (
    make_adsorption,
    make_che,
    make_holed_result,
    make_level,
    make_provenance,
    make_result,
    make_structure,
)

COOH = "* + CO2(g) + H+ + e- -> *COOH"
CO = "*COOH + H+ + e- -> *CO + H2O(l)"


def make_uncertain(cluster, median, steps=None, chemical=0.1, **changes):
    """A result with an interval of 0.4 V on each side of its median."""
    errors = Uncertainty(
        median_v_rhe=median,
        lower_v_rhe=median - 0.4,
        upper_v_rhe=median + 0.4,
        deviation_v=0.25,
        determining_step_probability=steps or {COOH: 1.0},
        best_pathway_probability=1.0,
        n_samples=1000,
    )
    changes = {"uncertainty": errors, "chemical_bottleneck_ev": chemical} | changes
    # The best estimate lies off the median, as those of maxima do.
    return make_result(cluster, limiting_potential_v_rhe=median - 0.03, **changes)


def answer(results, odds=None):
    """The one answer of some clusters' results; `odds` by pair of clusters."""
    che = [make_che(name, results=(result,)) for name, result in results.items()]
    pairs = [
        {
            "reaction": "CO2-to-CO",
            "level_hash": make_level().hash,
            "cluster": one,
            "other_cluster": other,
            "probability_better": probability,
        }
        for (one, other), probability in (odds or {}).items()
    ]
    (found,) = find_answers(rank_reactions(che), pairs)
    return found


def make_three(**changes):
    medians = {"Cu4": -0.3, "Cu8": -0.5, "Cu13": -1.2}
    return {name: make_uncertain(name, v, **changes) for name, v in medians.items()}


def test_who_cannot_be_told_apart_leads_together():
    odds = {("Cu4", "Cu8"): 0.7, ("Cu4", "Cu13"): 0.98, ("Cu8", "Cu13"): 0.93}
    found = answer(make_three(), odds)
    assert [row.cluster for row in found.rows] == ["Cu4", "Cu8", "Cu13"]
    assert found.groups == ((0, 1),)
    assert found.sentence == (
        "Cu4 (U_L −0.30 V) and Cu8 lead and cannot be told apart (70 %); "
        "ahead of Cu13 with 98 %."
    )
    assert found.decides == "Would decide: a better ΔG of *COOH on Cu4 and Cu8."


def answer_refined(level, refined):
    """Answers of a reaction that is refined; odds are those of the composite level."""
    base, dft = make_level(), make_level("pbe-d3-tzvp", "PBE")
    records = [
        RefinedCheRecord(
            cluster=name,
            level=base,
            dft_level=dft,
            profiles=make_che(name, level=dft, results=(result,)),
            provenance=make_provenance(),
        )
        for name, result in refined.items()
    ]
    che = [make_che(name, results=(result,)) for name, result in level.items()]
    pair = {
        "reaction": "CO2-to-CO",
        "level_hash": f"{dft.hash}//{base.hash}",
        **{"cluster": "Cu8", "other_cluster": "Cu4", "probability_better": 0.97},
    }
    return find_answers(rank_reactions(che, records), [pair])


def test_the_composite_level_leads_where_it_lacks_no_cluster():
    level = {"Cu4": make_uncertain("Cu4", -0.3), "Cu8": make_uncertain("Cu8", -0.5)}
    flags = ("*COOH: calibrated",)
    refined = {
        "Cu4": make_uncertain("Cu4", -0.9),
        "Cu8": make_uncertain("Cu8", -0.4, flags=flags),
    }
    leading, behind = answer_refined(level, refined)
    assert (leading.level, leading.leads) == ("pbe-d3-tzvp//gfn1-xtb", True)
    assert leading.sentence == "Cu8 leads (U_L −0.40 V); ahead of Cu4 with 97 %."
    assert "*COOH on Cu8 has no DFT energy yet: refine it." in leading.decides
    assert (behind.level, behind.leads) == ("gfn1-xtb", False)
    # Never both in one ranking, and each as if the other were not there.
    assert [r.result for r in leading.rows] == [refined["Cu8"], refined["Cu4"]]
    assert [r.result for r in behind.rows] == [level["Cu4"], level["Cu8"]]


@pytest.mark.parametrize("missing", [True, False])
def test_a_composite_level_with_holes_leaves_the_lead_to_the_level(missing):
    level = {name: make_uncertain(name, v) for name, v in (("Cu4", -0.3), ("Cu8", -1))}
    # What has no potential at either level is no reason to fall back.
    both = level | {"Cu13": make_holed_result("Cu13")}
    refined = {"Cu4": make_uncertain("Cu4", -0.9)}
    if not missing:
        refined["Cu8"] = make_holed_result("Cu8")
    leading, behind = answer_refined(both, refined)
    assert (leading.level, leading.leads) == ("gfn1-xtb", True)
    assert leading.sentence.startswith(
        "By the level alone, as DFT leaves no potential on Cu8: the reasons"
    )
    assert "Cu4 has the least negative potential" in leading.sentence
    assert (behind.level, behind.leads) == ("pbe-d3-tzvp//gfn1-xtb", False)
    (first, _) = answer_refined(both, refined | {"Cu8": make_uncertain("Cu8", -2)})
    assert first.composite and "alone" not in first.sentence


def test_one_leads_or_none():
    sure = {("Cu4", "Cu8"): 0.95, ("Cu4", "Cu13"): 0.98, ("Cu8", "Cu13"): 0.6}
    found = answer(make_three(), sure)
    assert found.sentence == (
        "Cu4 leads (U_L −0.30 V); ahead of Cu8 and Cu13 with 95 to 98 %."
    )
    assert found.groups == ((1, 2),)
    found = answer(make_three(), dict.fromkeys(sure, 0.55))
    assert found.sentence == (
        "No cluster can be told apart from Cu4 (U_L −0.30 V), which is ahead with 55 %."
    )
    assert found.groups == ((0, 2),)
    assert found.decides.endswith("*COOH on all.")


def test_a_chemical_step_that_stays_closed_tells_apart():
    results = make_three() | {"Cu4": make_uncertain("Cu4", -0.3, chemical=1.2)}
    odds = {("Cu8", "Cu13"): 0.95, ("Cu4", "Cu8"): 0.6, ("Cu4", "Cu13"): 0.97}
    found = answer(results, odds)
    assert [row.cluster for row in found.rows] == ["Cu8", "Cu13", "Cu4"]
    assert "Cu8 leads" in found.sentence
    assert "Cu4 (U_L −0.30 V) meets a chemical step above 0.75 eV" in found.sentence


def test_studies_without_errors_potentials_or_rivals_say_so():
    results = {name: make_result(name) for name in ("Cu4", "Cu8")}
    assert "how surely is not known" in answer(results).sentence
    only = answer({"Cu4": make_uncertain("Cu4", -0.5), "Cu8": make_holed_result("Cu8")})
    assert only.sentence == "Only Cu4 has a limiting potential (U_L −0.50 V)."
    none = answer({"Cu8": make_holed_result("Cu8")})
    assert none.sentence.startswith("No cluster has a limiting potential: every start")


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_the_longest_runs_in_which_none_is_told_apart(seed):
    rng = np.random.default_rng(seed)
    names = [f"Cu{k}" for k in range(2, 9)]
    results = {n: make_uncertain(n, -0.1 * k) for k, n in enumerate(names)}
    odds = {pair: float(rng.uniform(0.3, 1.0)) for pair in combinations(names, 2)}
    found = answer(results, odds).groups

    def alike(first, last):
        run = names[first : last + 1]
        return all(odds[pair] < TOLD_APART for pair in combinations(run, 2))

    n = len(names)
    runs = {(a, b) for a in range(n) for b in range(a + 1, n) if alike(a, b)}
    longest = {
        (a, b)
        for a, b in runs
        if not any(c <= a and b <= d and (a, b) != (c, d) for c, d in runs)
    }
    assert set(found) == longest


def test_what_decides_is_the_adsorbate_of_the_likeliest_steps():
    odds = {("Cu4", "Cu8"): 0.6}
    results = {
        "Cu4": make_uncertain("Cu4", -0.3, {COOH: 0.9, CO: 0.1}),
        "Cu8": make_uncertain("Cu8", -0.4, {"*CO -> * + CO(g)": 0.7, COOH: 0.3}),
    }
    decides = answer(results, odds).decides
    assert decides == "Would decide: a better ΔG of *COOH on Cu4, of *CO on Cu8."


def test_an_adsorption_that_counts_in_its_step_does_not_decide():
    adsorption, step = "* + CO2(g) -> *CO2", "*CO2 + H+ + e- -> *COOH"

    def make(climb_ev):
        first = Step(name=adsorption, n_e=0, n_h=0, dg_ev=climb_ev, dg0_ev=climb_ev)
        combined = {"combined_with": (adsorption,)}
        second = Step(name=step, n_e=1, n_h=1, dg_ev=0.2, dg0_ev=0.2, **combined)
        path = Pathway(
            name="through *CO2",
            complete=True,
            states=("*", "*CO2", "*COOH"),
            steps=(first, second),
            levels_ev=(0.0, climb_ev, climb_ev + 0.2),
        )
        changes = {"pathways": (path,), "best_pathway": path.name}
        return make_uncertain("Cu4", -0.3, {step: 1.0}, **changes)

    rival = {"Cu8": make_uncertain("Cu8", -1.4)}
    for climb_ev, decisive in ((0.3, "*COOH"), (-0.3, "*CO2")):
        found = answer({"Cu4": make(climb_ev)} | rival, {("Cu4", "Cu8"): 0.99})
        assert found.decides == f"Would decide: a better ΔG of {decisive} on Cu4."


def test_bonds_that_were_not_measured_ask_for_dft():
    odds = {("Cu4", "Cu8"): 0.7}
    flags = {"flags": ("*COOH: bond-not-measured",)}
    results = {
        "Cu4": make_uncertain("Cu4", -0.3, **flags),
        "Cu8": make_uncertain("Cu8", -0.5),
    }
    asked = "Not all bonds on Cu4 were measured: refine with DFT."
    assert answer(results, odds).decides.endswith(asked)
    both = results | {"Cu8": make_uncertain("Cu8", -0.5, **flags)}
    assert "Not all bonds there were measured" in answer(both, odds).decides
    alone = answer(both, {("Cu4", "Cu8"): 0.95}).decides
    assert alone.endswith("Not all bonds there were measured: refine with DFT.")
    assert "DFT" not in answer(make_three(), odds).decides


def test_a_strip_has_each_potential_at_its_place_on_the_scale():
    rows = [
        StripRow(
            name=f"Cu{k}",
            color="red",
            mark=Mark(value_v=v, lower_v=v - 0.3, upper_v=v + 0.2),
            hydrogen=Mark(value_v=-0.1),
        )
        for k, v in enumerate((-0.31, -1.27, 0.12))
    ]
    rows.append(StripRow(name="Cu9", color="red", mark=None, why="*CO fell off"))
    root = ElementTree.fromstring(
        draw_strip(rows, [(0, 1)], (-1.6, 0.4), axis=True, alt="x")
    )
    ticks = {
        float(t.text.replace("−", "-")): float(t.get("x"))
        for t in root.iter("text")
        if t.get("class") == "tick"
    }
    assert set(ticks) == {-2.0, -1.5, -1.0, -0.5, 0.0, 0.5}
    slope, intercept = np.polyfit([*ticks], [*ticks.values()], 1)
    circles = [c for c in root.iter("circle") if c.get("class") == "median"]
    volts = [(float(c.get("cx")) - intercept) / slope for c in circles]
    assert volts == pytest.approx([-0.31, -1.27, 0.12], abs=2e-3)
    bars = [line for line in root.iter("line") if line.get("class") == "interval"]
    ends = [(float(line.get("x1")), float(line.get("x2"))) for line in bars]
    assert [(b - a) / slope for a, b in ends] == pytest.approx([0.5] * 3, abs=3e-3)
    assert "*CO fell off" in "".join(root.itertext())
    heights = [float(c.get("cy")) for c in circles]
    (bracket,) = [p for p in root.iter("path") if p.get("class") == "alike"]
    top, bottom = map(float, re.findall(r"M\S+ (\S+)h3V(\S+)h", bracket.get("d"))[0])
    assert top < heights[0] < heights[1] < bottom < heights[2]
    assert all(a < b for a, b in pairwise(heights))


def test_fates_are_said_in_words():
    assert say_fate("became:CHO") == "became *CHO"
    assert say_fate("what-nobody-named") == "what-nobody-named"
    (minimum, broken) = make_adsorption("Cu4", make_level()).minima
    assert say_outcome(minimum) == "intact"
    assert say_outcome(broken) == "broke apart: C and O"
    # Cd at 0, 2.7 and 5.4 Å; Se beside the first, or 6 Å away from all.
    for x, said in (
        (2.6, "the cluster changed its bonds"),
        (11, "Se left the cluster"),
    ):
        structure = make_structure(("Cd", "Cd", "Se", "H")).model_copy(
            update={
                "positions": ((0, 0, 0), (0, 2.7, 0), (x, 0, 0), (0, 0, 1.8)),
                "roles": ("core", "core", "core", "adsorbate"),
            }
        )
        changed = {"structure": structure, "fate": "reconstructed"}
        assert say_outcome(minimum.model_copy(update=changed)) == said


def test_flags_have_three_weights(library):
    species = (
        SpeciesFreeEnergy(
            name="*CO",
            status="intact",
            formation_ev=0.1,
            layers={"gas": -1.7},
            flags=("large-gas-correction", "fails-term-sum", "soft-imaginary-mode"),
        ),
        SpeciesFreeEnergy(
            name="*COOH",
            status="intact",
            formation_ev=0.1,
            layers={"gas": 0.1, "level": 0.3},
            deviations={"level": 0.8, "group": 0.5, "solvation": 0.25, "cutoff": 0.1},
            flags=(
                *("bond-not-measured", "unknown-bond", "no-solvation-value"),
                *("other-molecule", "read-the-median", "hidden-chemical-step"),
                "noise-imaginary-mode",
            ),
        ),
        SpeciesFreeEnergy(
            name="*O",
            status="intact",
            formation_ev=0.1,
            de_host_ev=-1.0,
            de_placed_ev=-1.4,
            flags=("reconstructed", "co2-activation", "anionic-cluster"),
        ),
    )
    record = ThermoRecord(
        provenance=make_provenance(),
        cluster="Cu4",
        level=make_level(),
        temperature_k=298.15,
        species=species,
    )
    found = {f.name: f for f in flags_of(study_of((record,)), library.domain())}
    weights = {name: flag.weight for name, flag in found.items()}
    assert weights == {
        "large-gas-correction": "moves",
        "reconstructed": "moves",
        "co2-activation": "moves",
        "soft-imaginary-mode": "note",
        "fails-term-sum": "out",
        "anionic-cluster": "out",
        "bond-not-measured": "moves",
        "unknown-bond": "moves",
        "no-solvation-value": "moves",
        "other-molecule": "note",
        "read-the-median": "note",
        "hidden-chemical-step": "note",
        "noise-imaginary-mode": "note",
    }
    assert all(flag.way_out for name, flag in found.items() if "mode" in name)
    assert found["large-gas-correction"].moves_ev == pytest.approx(1.7)
    assert found["reconstructed"].moves_ev == pytest.approx(0.4)
    assert found["bond-not-measured"].moves_ev == 0.8
    assert found["unknown-bond"].moves_ev == 0.5
    assert found["no-solvation-value"].moves_ev == 0.25


def test_a_bond_to_a_nonmetal_weighs_less_once_its_error_is_taken_off():
    def weigh(layers, *others):
        species = SpeciesFreeEnergy(
            name="*COOH",
            status="intact",
            formation_ev=0.1,
            layers=layers,
            deviations={"level": 0.6},
            flags=("bonded-to-nonmetal", *others),
        )
        record = ThermoRecord(
            provenance=make_provenance(),
            cluster="Cd6Se6",
            level=make_level(),
            temperature_k=298.15,
            species=(species,),
        )
        found = {f.name: f.moves_ev for f in flags_of(study_of((record,)), ())}
        return found["bonded-to-nonmetal"]

    assert weigh({"gas": 0.1}) == 1.5
    assert weigh({"level": 0.9}) == 0.6
    assert weigh({"level": 0.9}, "bond-not-measured") == 1.5


def test_limits_that_refuse_a_method_have_no_size(library):
    limits = {entry.name: entry for entry in library.domain()}
    assert all(e.moves_ev is None for e in limits.values() if e.refuses)
