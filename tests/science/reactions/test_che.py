"""The hydrogen electrode: signs, scales, limiting potentials and their ranking."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq

from clusterflow.errors import ConfigError
from clusterflow.library.reactions import ReactionSpec
from clusterflow.science.reactions.che import (
    Electrode,
    FreeEnergies,
    equilibrium_potential,
    evaluate_network,
    evaluate_pathway,
    nernst_slope,
    with_hydrogen,
)
from clusterflow.science.reactions.network import Network, find_pathways, parse_equation

SLOPE = 0.0591597  # kT ln10 at 298.15 K, eV: the Nernst slope of textbooks


def network(equation, *steps, product="P", name="r"):
    spec = ReactionSpec(
        name=name, source="test", product=product, equation=equation, steps=steps
    )
    overall = parse_equation(equation)
    paths = find_pathways(overall, [parse_equation(s) for s in steps])
    return Network(spec=spec, overall=overall, pathways=tuple(map(tuple, paths)))


def energies(pair_ev=0.0, reasons=None, **values):
    """Keywords name adsorbates; ``g_CO`` is CO(g), ``l_H2O`` is H2O(l)."""
    named = {"*": 0.0}
    for key, value in values.items():
        phase, _, gas = key.partition("_")
        named[f"{gas}({phase})" if phase in "gl" and gas else f"*{key}"] = value
    return FreeEnergies(values=named, reasons=reasons or {}, pair_ev=pair_ev)


CO_EQUATION = "CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)"
CO_STEPS = (
    "* + CO2(g) + H+ + e- -> *COOH",
    "*COOH + H+ + e- -> *CO + H2O(l)",
    "*CO -> * + CO(g)",
)
TO_CO = network(CO_EQUATION, *CO_STEPS)
ON_COPPER = energies(g_CO2=0.0, COOH=0.62, CO=0.05, l_H2O=-0.09, g_CO=0.297)


def evaluate(net, values, electrode=None):
    return evaluate_network(net, values, electrode or Electrode(), surface="s")


def test_nernst_slope():
    assert nernst_slope(298.15) == pytest.approx(SLOPE, abs=1e-6)
    assert nernst_slope(350.0) == pytest.approx(SLOPE * 350 / 298.15, abs=1e-6)


def test_steps_at_zero_potential_are_differences():
    best = evaluate(TO_CO, ON_COPPER)
    assert [s.dg_ev for s in best.steps] == pytest.approx(
        [0.62, 0.05 - 0.09 - 0.62, 0.297 - 0.05], abs=1e-12
    )
    assert best.pathways[0].levels_ev == pytest.approx(
        [0, 0.62, -0.04, 0.207], abs=1e-12
    )
    assert best.limiting_potential_v_rhe == pytest.approx(-0.62, abs=1e-12)
    assert best.determining_step == CO_STEPS[0]
    assert best.chemical_bottleneck_ev == pytest.approx(0.247, abs=1e-12)
    assert best.pathways[0].chemical_bottleneck_step == CO_STEPS[2]


def test_a_negative_potential_helps_a_reduction():
    at = evaluate(TO_CO, ON_COPPER, Electrode(potential_v=-0.5))
    assert at.steps[0].dg_ev == pytest.approx(0.12, abs=1e-12)
    assert at.steps[2].dg_ev == pytest.approx(0.247, abs=1e-12)  # desorption: as is
    assert at.steps[0].dg0_ev == pytest.approx(0.62, abs=1e-12)


def test_alkaline_electrolyte_hinders_on_the_she_scale():
    def first(ph):
        she = Electrode(potential_v=-0.5, scale="she", ph=ph)
        return evaluate(TO_CO, ON_COPPER, she).steps[0].dg_ev

    assert first(7.0) - first(0.0) == pytest.approx(7 * SLOPE, abs=1e-5)


@pytest.mark.parametrize("ph", [0.0, 6.8, 14.0])
@pytest.mark.parametrize("temperature", [298.15, 340.0])
@pytest.mark.parametrize("u_rhe", [-0.7, 0.0, 0.4])
def test_the_two_scales_say_the_same(ph, temperature, u_rhe):
    u_she = u_rhe - 8.617333262e-5 * temperature * np.log(10) * ph
    common = {"ph": ph, "temperature_k": temperature}
    rhe = evaluate(TO_CO, ON_COPPER, Electrode(potential_v=u_rhe, **common))
    she = evaluate(
        TO_CO, ON_COPPER, Electrode(potential_v=u_she, scale="she", **common)
    )
    for one, other in zip(rhe.steps, she.steps, strict=True):
        assert one.dg_ev == pytest.approx(other.dg_ev, abs=1e-12)
    assert rhe.limiting_potential_v_rhe == she.limiting_potential_v_rhe
    shift = u_rhe - u_she
    assert rhe.limiting_potential_v == rhe.limiting_potential_v_rhe
    assert she.limiting_potential_v == pytest.approx(
        she.limiting_potential_v_rhe - shift, abs=1e-12
    )


@pytest.mark.parametrize("ph", [0.0, 7.0])
@pytest.mark.parametrize("scale", ["rhe", "she"])
@pytest.mark.parametrize(
    "values",
    [
        ON_COPPER,
        energies(g_CO2=0, COOH=-0.4, CO=0.5, l_H2O=-0.09, g_CO=0.3),
        energies(g_CO2=0, COOH=0.2, CO=-1.5, l_H2O=-0.09, g_CO=0.3, pair_ev=0.11),
    ],
)
def test_at_the_limiting_potential_the_worst_step_is_flat(values, scale, ph):
    def worst(potential):
        electrode = Electrode(potential_v=potential, scale=scale, ph=ph)
        steps = evaluate(TO_CO, values, electrode).steps
        return max(s.dg_ev for s in steps if s.n_e)

    root = brentq(worst, -5, 5, xtol=1e-12)
    result = evaluate(TO_CO, values, Electrode(scale=scale, ph=ph))
    assert result.limiting_potential_v == pytest.approx(root, abs=1e-9)


# Bard and Faulkner (2001): Ag/AgCl and SCE, saturated KCl, stand +0.197 and +0.241 V
# above SHE, so the same electrode reads that much less against them.
@pytest.mark.parametrize(("scale", "above_she"), [("ag-agcl", 0.197), ("sce", 0.241)])
@pytest.mark.parametrize("ph", [0.0, 8.5])
def test_a_reference_electrode_is_a_shift_of_she(scale, above_she, ph):
    she = evaluate(TO_CO, ON_COPPER, Electrode(potential_v=-0.7, scale="she", ph=ph))
    there = Electrode(potential_v=-0.7 - above_she, scale=scale, ph=ph)
    found = evaluate(TO_CO, ON_COPPER, there)
    assert [s.dg_ev for s in found.steps] == pytest.approx([s.dg_ev for s in she.steps])
    shift = found.limiting_potential_v - she.limiting_potential_v
    assert shift == pytest.approx(-above_she)
    assert found.limiting_potential_v_rhe == she.limiting_potential_v_rhe


def test_a_reference_electrode_is_known_at_room_temperature_alone():
    with pytest.raises(ConfigError, match=r"sce: known at 298.15 K alone, not at 320"):
        Electrode(scale="sce", temperature_k=320.0)


def test_a_step_of_several_electrons_counts_by_electron():
    net = network("A(g) + 2 H+ + 2 e- -> B(g)", "A(g) + 2 H+ + 2 e- -> B(g)")
    result = evaluate(net, energies(g_A=0.0, g_B=0.9))
    assert result.limiting_potential_v_rhe == pytest.approx(-0.45, abs=1e-12)


def test_formate_takes_two_electrons_and_one_proton():
    # ΔG(U) = ΔG(0) + 2 e U_SHE + kT ln10 pH; solve for zero on the SHE scale.
    net = network("CO2(g) + H+ + 2 e- -> F(g)", "CO2(g) + H+ + 2 e- -> F(g)")
    values = energies(g_CO2=0.0, g_F=0.40)
    for ph in (0.0, 7.0, 13.0):
        she = Electrode(potential_v=-0.3, scale="she", ph=ph)
        result = evaluate(net, values, she)
        assert result.steps[0].dg_ev == pytest.approx(
            0.40 - 2 * 0.3 + SLOPE * ph, abs=1e-5
        )
        assert result.limiting_potential_v == pytest.approx(
            -(0.40 + SLOPE * ph) / 2, abs=1e-5
        )
        # Against RHE it moves up by half a slope a pH unit.
        assert result.limiting_potential_v_rhe == pytest.approx(
            -0.20 + SLOPE * ph / 2, abs=1e-5
        )


@pytest.mark.parametrize("scale", ["rhe", "she"])
def test_a_step_is_level_at_its_turning_potential(scale):
    net = network(
        "A(g) + 2 H+ + 3 e- -> B(g)",
        "* + A(g) + H+ + e- -> *X",
        "*X + H+ + 2 e- -> *Y",
        "*Y -> * + B(g)",
    )
    values = energies(g_A=0.0, X=0.4, Y=-0.3, g_B=0.2)
    conditions = {"scale": scale, "ph": 6.0, "temperature_k": 330.0}
    steps = evaluate(net, values, Electrode(**conditions)).steps
    assert steps[2].turning_potential_v is steps[2].turning_potential_v_rhe is None
    for index in (0, 1):
        at = Electrode(potential_v=steps[index].turning_potential_v, **conditions)
        assert evaluate(net, values, at).steps[index].dg_ev == pytest.approx(
            0, abs=1e-12
        )
        rhe = Electrode(
            **conditions | {"scale": "rhe"},
            potential_v=steps[index].turning_potential_v_rhe,
        )
        level = evaluate(net, values, rhe).steps[index].dg_ev
        assert level == pytest.approx(0, abs=1e-12)


def test_the_pair_is_half_a_hydrogen_molecule():
    net = network(
        "2 H+ + 2 e- -> H2(g)", "* + H+ + e- -> *H", "*H + H+ + e- -> * + H2(g)"
    )
    # Total energies in place of formation energies move nothing.
    formation = evaluate(net, energies(H=0.15, g_H2=0.0))
    total = FreeEnergies(
        values={"*": -1000.0, "*H": -1000.0 - 15.9 + 0.15, "H2(g)": -31.8},
        reasons={},
        pair_ev=-15.9,
    )
    for one, other in zip(formation.steps, evaluate(net, total).steps, strict=True):
        assert one.dg0_ev == pytest.approx(other.dg0_ev, abs=1e-9)


def test_a_missing_species_is_a_hole_not_a_zero():
    values = energies(
        g_CO2=0.0, CO=0.05, l_H2O=-0.09, g_CO=0.3, reasons={"*COOH": "it fell apart"}
    )
    result = evaluate(TO_CO, values)
    assert result.status == "failed"
    assert result.reason == "*COOH: it fell apart"
    assert result.limiting_potential_v is None
    assert result.best_pathway is None
    (pathway,) = result.pathways
    assert [s.dg_ev is None for s in pathway.steps] == [True, True, False]
    # Nothing joins the levels across the gap.
    assert pathway.levels_ev == (0.0, None, None, None)


def test_a_species_nobody_computed_says_so():
    result = evaluate(TO_CO, energies(g_CO2=0.0, COOH=0.5, l_H2O=0, g_CO=0.3))
    assert "*CO: not computed" in result.reason


TWO_WAYS = network(
    "A(g) + 2 H+ + 2 e- -> P(g)",
    "* + A(g) + H+ + e- -> *X",
    "* + A(g) + H+ + e- -> *Y",
    "*X + H+ + e- -> *P",
    "*Y + H+ + e- -> *P",
    "*P -> * + P(g)",
)


def best_of(**values):
    return evaluate(TWO_WAYS, energies(g_A=0.0, g_P=0.0, **values))


def test_the_highest_limiting_potential_wins():
    result = best_of(X=0.5, Y=0.3, P=0.0)
    assert [p.states[1] for p in result.pathways] == ["*Y", "*X"]
    assert result.limiting_potential_v_rhe == pytest.approx(-0.3, abs=1e-12)
    assert result.tied_pathways == ()


def test_a_hole_comes_last_whatever_else():
    result = best_of(X=2.0, P=0.0)
    assert [p.complete for p in result.pathways] == [True, False]
    assert result.best_pathway == "* > *X > *P > *"


WITH_CO2 = network(
    CO_EQUATION, *CO_STEPS, "* + CO2(g) -> *CO2", "*CO2 + H+ + e- -> *COOH"
)


def with_co2(energy, pcet="split"):
    values = {"g_CO2": 0.0, "COOH": 0.8, "CO": 0.05, "l_H2O": -0.09, "g_CO": 0.297}
    net = dataclasses.replace(WITH_CO2, pcet=pcet)
    return evaluate(net, energies(CO2=energy, **values))


def test_split_a_chemical_step_that_heat_can_climb_is_a_shortcut():
    # 0.6 eV: kT/h exp(−ΔG/kT) is 450 a second at 298 K.
    result = with_co2(0.6)
    assert result.best_pathway == "* > *CO2 > *COOH > *CO > *"
    assert result.limiting_potential_v_rhe == pytest.approx(-0.2, abs=1e-12)
    assert result.chemical_bottleneck_ev == pytest.approx(0.6, abs=1e-12)


def test_combined_it_is_none():
    result = with_co2(0.6, "combined")
    assert result.limiting_potential_v_rhe == pytest.approx(-0.8, abs=1e-12)
    assert result.best_pathway == "* > *COOH > *CO > *"
    (by_co2,) = result.pathways[1:]
    assert by_co2.determining_step == "*CO2 + H+ + e- -> *COOH"
    assert by_co2.determining_with == ("* + CO2(g) -> *CO2",)
    # What each step is stays printed.
    assert [s.dg0_ev for s in by_co2.steps[:2]] == pytest.approx([0.6, 0.2])
    assert by_co2.chemical_bottleneck_ev == pytest.approx(0.6, abs=1e-12)


def test_split_a_chemical_step_that_heat_cannot_climb_is_closed():
    # 0.9 eV: one in 250 s; otherwise any uphill step could hide as a chemical one.
    result = with_co2(0.9)
    assert result.best_pathway == "* > *COOH > *CO > *"
    assert result.limiting_potential_v_rhe == pytest.approx(-0.8, abs=1e-12)
    assert result.pathways[1].limiting_potential_v_rhe > -0.8


def test_a_tie_goes_to_the_lower_chemical_step():
    net = network(
        "A(g) + H+ + e- -> P(g)",
        "* + A(g) + H+ + e- -> *X",
        "*X -> *P",
        "*X -> *Q",
        "*P -> * + P(g)",
        "*Q -> * + P(g)",
    )
    for worse in ("P", "Q"):
        values = {"g_A": 0.0, "X": 0.4, "P": 0.4, "Q": 0.4, "g_P": 0.0} | {worse: 0.9}
        result = evaluate(net, energies(**values))
        assert f"*{worse}" not in result.pathways[0].states
        limits = [p.limiting_potential_v_rhe for p in result.pathways]
        assert limits == pytest.approx([-0.4, -0.4], abs=1e-12)
        assert result.tied_pathways == (result.pathways[1].name,)


def test_levels_end_at_the_overall_free_energy():
    for path in TWO_WAYS.pathways:
        values = energies(g_A=0.2, g_P=-0.5, X=0.5, Y=0.1, P=-1.0, pair_ev=0.3)
        electrode = Electrode(potential_v=-0.25)
        found = evaluate_pathway(TWO_WAYS.overall, path, values, electrode)
        # P − A − 2 pairs, two electrons at −0.25 V
        assert found.levels_ev[-1] == pytest.approx(-0.7 - 0.6 - 0.5, abs=1e-12)


def test_equilibrium_potential_of_water():
    water = parse_equation("O2(g) + 4 H+ + 4 e- -> 2 H2O(l)")
    values = {"O2(g)": 0.0, "H2O(l)": -2.4578}
    # 1.229 V, the textbook value; the energy of formation has four decimals.
    assert equilibrium_potential(water, values.__getitem__) == pytest.approx(
        1.2289, abs=1e-4
    )


def test_the_overpotential_is_against_the_reactions_own_equilibrium():
    result = evaluate_network(
        TO_CO, ON_COPPER, Electrode(), surface="s", equilibrium_potential_v_rhe=-0.104
    )
    assert result.overpotential_v == pytest.approx(-0.104 + 0.62, abs=1e-12)


def test_hydrogen_competes():
    her = network(
        "2 H+ + 2 e- -> H2(g)",
        "* + H+ + e- -> *H",
        "*H + H+ + e- -> * + H2(g)",
        product="H2",
        name="HER",
    )
    hydrogen = evaluate(her, energies(H=0.2, g_H2=0.0))
    carbon = evaluate(TO_CO, ON_COPPER)
    second, first = with_hydrogen([carbon, hydrogen])
    assert second.her_limiting_potential_v_rhe == pytest.approx(-0.2, abs=1e-12)
    assert second.selectivity_v == pytest.approx(-0.62 + 0.2, abs=1e-12)
    assert first.selectivity_v is None
    alone = with_hydrogen([carbon])
    assert alone == [carbon]
    # A hole in hydrogen evolution is no zero either.
    hole = evaluate(her, energies(g_H2=0.0))
    assert with_hydrogen([carbon, hole])[0].selectivity_v is None
