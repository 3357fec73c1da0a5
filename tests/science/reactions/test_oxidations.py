"""Reactions that give off electrons, and those with ions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clusterflow.library.find import Library, package_data
from clusterflow.science.checks.evidence import Evidence
from clusterflow.science.checks.potentials import potential_scale
from clusterflow.science.reactions.che import Electrode, FreeEnergies
from clusterflow.science.reactions.evaluate import build_networks, evaluate_reactions
from clusterflow.science.reactions.profiles import find_profiles
from clusterflow.science.reactions.scan import Grid, scan_pathways
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.science.uncertainty.comparison import ranking_key
from tests.report.test_page import make_che

LIBRARY = Library((package_data() / "structures",))
# Free energies of formation from H2O(l) and H2: water is zero, O2 is 4.92 eV.
OXYGEN_EV = 4.92
SLOPE = 0.0591597  # kT ln10 at 298.15 K, eV


def oxide(oh, o, ooh):
    return FreeEnergies(
        values={
            **{"*": 0.0, "*OH": oh, "*O": o, "*OOH": ooh},
            **{"H2O(l)": 0.0, "H2(g)": 0.0, "O2(g)": OXYGEN_EV},
        },
        reasons={},
    )


def evaluate(name, energies, electrode=None, pressure_pa=None):
    [result] = evaluate_reactions(
        [LIBRARY.reaction(name)],
        {"s": energies},
        electrode or Electrode(),
        LIBRARY,
        pressure_pa or {},
    )
    return result


# Man et al., ChemCatChem 3, 1159 (2011), doi:10.1002/cctc.201000397: with
# ΔG(*OOH) = ΔG(*OH) + 3.20 eV the overpotential is
# max(ΔG(*O) − ΔG(*OH), 3.20 − [ΔG(*O) − ΔG(*OH)])/e − 1.23 V, and at best 0.37 V.
@pytest.mark.parametrize("difference", [0.9, 1.3, 1.6, 1.9, 2.4])
def test_oxygen_evolution_on_the_published_scaling_line(difference):
    result = evaluate("OER", oxide(oh=1.0, o=1.0 + difference, ooh=4.2))
    published = max(difference, 3.20 - difference) - 1.23
    assert result.overpotential_v == pytest.approx(published, abs=0.002)
    assert result.overpotential_v >= 0.37 - 0.002
    if difference == 1.6:
        assert result.overpotential_v == pytest.approx(0.37, abs=0.002)


def test_the_limiting_potential_of_an_oxidation_pulls_its_worst_step_level():
    weak = oxide(oh=1.3, o=3.0, ooh=4.4)
    result = evaluate("OER", weak)
    assert result.limiting_potential_v_rhe == pytest.approx(1.7)
    assert result.determining_step == "*OH -> *O + H+ + e-"
    assert result.equilibrium_potential_v_rhe == pytest.approx(1.229, abs=0.001)
    there = evaluate("OER", weak, Electrode(potential_v=1.7))
    assert max(step.dg_ev for step in there.steps) == pytest.approx(0.0, abs=1e-12)


def test_oxygen_reduction_is_the_way_back():
    # The same steps: what the first pulls up the other pulls down.
    surface = oxide(oh=0.8, o=1.6, ooh=4.0)
    there, back = evaluate("OER", surface), evaluate("ORR", surface)
    forward = [step.dg0_ev for step in there.steps]
    assert [-step.dg0_ev for step in reversed(back.steps)] == pytest.approx(forward)
    assert back.limiting_potential_v_rhe == pytest.approx(min(forward))
    assert there.limiting_potential_v_rhe == pytest.approx(max(forward))
    assert back.overpotential_v == pytest.approx(1.229 - min(forward), abs=0.001)
    assert there.overpotential_v == pytest.approx(max(forward) - 1.229, abs=0.001)


@pytest.mark.parametrize("ph", [0.0, 13.0])
def test_on_the_she_scale_an_oxidation_moves_as_a_reduction_does(ph):
    surface = oxide(oh=1.0, o=2.6, ooh=4.2)
    she = evaluate("OER", surface, Electrode(scale="she", ph=ph))
    assert she.limiting_potential_v_rhe == pytest.approx(1.6)
    assert she.limiting_potential_v == pytest.approx(1.6 - SLOPE * ph, abs=1e-5)


def test_the_best_surface_of_an_oxidation_has_the_lowest_potential():
    good, bad = oxide(1.0, 2.6, 4.2), oxide(0.6, 3.0, 4.0)
    results = [evaluate("OER", surface) for surface in (bad, good)]
    best = min(results, key=ranking_key)
    assert best.limiting_potential_v_rhe == pytest.approx(1.6)


def test_hydrogen_evolution_does_not_compete_with_an_oxidation():
    energies = oxide(1.0, 2.6, 4.2)
    energies = replace(energies, values={**energies.values, "*H": 0.1})
    results = evaluate_reactions(
        [LIBRARY.reaction("HER"), LIBRARY.reaction("OER"), LIBRARY.reaction("ORR")],
        {"s": energies},
        *(Electrode(), LIBRARY, {}),
    )
    assert [r.her_limiting_potential_v_rhe is None for r in results] == [0, 1, 0]
    assert [r.selectivity_v is None for r in results] == [1, 1, 0]


@pytest.mark.parametrize("seed", range(10))
def test_many_profiles_at_once_say_what_one_says(seed):
    rng = np.random.default_rng(seed)
    surface = oxide(*rng.uniform([0.0, 1.0, 3.0], [2.0, 4.0, 5.0]))
    result = evaluate("OER", surface)
    [network] = build_networks([LIBRARY.reaction("OER")], LIBRARY)
    steps = list(network.pathways[0])
    dg = np.array([[surface.reaction_ev(step)[0] for step in steps]])
    n_e = np.array([step.n_e for step in steps])
    found = find_profiles(steps, network.pathways, dg, -dg / n_e)
    assert found.potential_v_rhe[0, 0] == pytest.approx(
        result.limiting_potential_v_rhe, abs=1e-12
    )
    assert steps[found.determining[0, 0]].name == result.determining_step
    grid = Grid(
        potential_v=np.array([result.limiting_potential_v_rhe]),
        **{"scale": "rhe", "ph": np.array([3.0]), "temperature_k": 298.15},
    )
    scanned = scan_pathways(result.pathways, grid)
    assert scanned.highest_dg_ev[0, 0] == pytest.approx(0.0, abs=1e-9)


def measured(*gases):
    """Free energies of gases, and liquid water, from experiment."""
    table = experimental_table([*gases, "H2O", "H2"], LIBRARY)
    values = {f"{gas}(g)": table.formation_ev(gas, "g") for gas in table.gases}
    return values | {"*": 0.0, "H2O(l)": table.formation_ev("H2O", "l")}


@pytest.mark.parametrize("ph", [0.0, 9.0])
def test_formate_gives_off_two_electrons_and_one_proton(ph):
    energies = FreeEnergies(values={**measured("CO2"), "*OCHO": -3.9}, reasons={})
    result = evaluate("HCOO-oxidation", energies, Electrode(scale="she", ph=ph))
    # ΔfG of CO2(g) and of formate of the NBS tables, by hand; half a slope a pH unit.
    standard = (-394.359 + 351.0) / (2 * 96.485)
    on_she = standard - SLOPE * ph / 2
    on_rhe = result.equilibrium_potential_v_rhe
    assert on_rhe - SLOPE * ph == pytest.approx(on_she, abs=1e-3)
    assert sum(s.dg_ev for s in result.steps) == pytest.approx(2 * on_she, abs=2e-3)


@pytest.mark.parametrize("ph", [0.0, 14.0])
def test_hydroxide_is_water_less_a_proton_at_any_ph(ph, tmp_path, monkeypatch):
    (tmp_path / "structures" / "reactions").mkdir(parents=True)
    (tmp_path / "structures" / "reactions" / "alkaline.yaml").write_text(
        "name: alkaline\nsource: 'unpublished: test'\nproduct: H2\n"
        "equation: '2 H2O(l) + 2 e- -> H2(g) + 2 OH-(aq)'\n"
        "steps:\n"
        "  - '* + H2O(l) + e- -> *H + OH-(aq)'\n"
        "  - '*H + H2O(l) + e- -> * + H2(g) + OH-(aq)'\n"
    )
    library = Library((tmp_path / "structures", package_data() / "structures"))
    energies = FreeEnergies(values={**measured(), "*H": 0.3}, reasons={})
    acid, alkaline = (
        evaluate_reactions(
            [library.reaction(name)],
            {"s": energies},
            *(Electrode(scale="she", ph=ph), library, {}),
        )[0]
        for name in ("HER", "alkaline")
    )
    assert alkaline.limiting_potential_v == pytest.approx(-0.3 - SLOPE * ph, abs=1e-5)
    assert [s.dg_ev for s in alkaline.steps] == pytest.approx(
        [s.dg_ev for s in acid.steps]
    )
    assert alkaline.equilibrium_potential_v_rhe == pytest.approx(0.0, abs=1e-9)


def judge(result):
    record = make_che(results=(result,))
    return [gate.verdict for gate in potential_scale(Evidence(che=[record]))]


@pytest.mark.parametrize("name", ["OER", "HCOO-oxidation"])
def test_the_gate_follows_oxidations(name):
    formate = FreeEnergies(values={**measured("CO2"), "*OCHO": -3.9}, reasons={})
    energies = oxide(1.0, 2.6, 4.2) if name == "OER" else formate
    result = evaluate(name, energies, Electrode(scale="she", ph=6.0))
    assert judge(result) == ["PASS"]
    higher = result.limiting_potential_v_rhe + 0.01
    wrong = result.model_copy(update={"limiting_potential_v_rhe": higher})
    assert judge(wrong) == ["FAIL"]
