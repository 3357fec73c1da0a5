"""Reactions that give off electrons, and those with ions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clusterflow.library.find import Library, package_data
from clusterflow.library.reactions import ReactionSpec
from clusterflow.science.checks.evidence import Evidence
from clusterflow.science.checks.potentials import judge_overpotential, potential_scale
from clusterflow.science.reactions.che import Electrode, FreeEnergies, evaluate_network
from clusterflow.science.reactions.evaluate import build_networks, evaluate_reactions
from clusterflow.science.reactions.network import Network, find_pathways, parse_network
from clusterflow.science.reactions.profiles import find_profiles
from clusterflow.science.reactions.scan import Grid, scan_pathways
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.science.uncertainty.comparison import ranking_key
from clusterflow.science.uncertainty.deviations import Deviations
from clusterflow.science.uncertainty.sampling import sample_potential
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


EVOLUTION = "2 H2O(l) -> O2(g) + 4 H+ + 4 e-"
WATER = "* + H2O(l) -> *H2O", "*H2O -> *OH + H+ + e-"
MIDDLE = "*OH -> *O + H+ + e-", "*O + H2O(l) -> *OOH + H+ + e-"
OXYGEN = "*OOH -> *O2 + H+ + e-", "*O2 -> * + O2(g)"
AT_ONCE = "* + H2O(l) -> *OH + H+ + e-", "*OOH -> * + O2(g) + H+ + e-"


def read_steps(*steps, pcet="combined"):
    spec = ReactionSpec(
        name="r", source="test", product="O2", equation=EVOLUTION, steps=steps
    )
    overall, read = parse_network(spec)
    paths = tuple(map(tuple, find_pathways(overall, list(read))))
    return Network(spec=spec, overall=overall, pathways=paths, pcet=pcet)


def evaluate_steps(energies, *steps, pcet="combined"):
    return evaluate_network(
        *(read_steps(*steps, pcet=pcet), energies, Electrode()),
        surface="s",
        equilibrium_potential_v_rhe=OXYGEN_EV / 4,
    )


def wet_oxide(rng):
    energies = oxide(*rng.uniform([0.0, 1.0, 3.0], [2.0, 4.0, 5.0]))
    more = {"*H2O": rng.normal(0, 0.5), "*O2": OXYGEN_EV + rng.normal(0, 0.5)}
    return replace(energies, values={**energies.values, **more})


@pytest.mark.parametrize("seed", range(30))
def test_water_that_adsorbs_first_gains_an_oxidation_nothing(seed):
    """By trying: potentials closer and closer, at which no way of water is uphill."""
    energies = wet_oxide(np.random.default_rng([1, seed]))
    g = energies.values
    climbs = (
        *(g["*OH"], g["*OH"] - g["*H2O"]),
        *(g["*O"] - g["*OH"], g["*OOH"] - g["*O"], OXYGEN_EV - g["*OOH"]),
    )
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        downhill = all(climb - middle <= 0 for climb in climbs)
        low, high = (low, middle) if downhill else (middle, high)
    apart = evaluate_steps(energies, *WATER, *MIDDLE, AT_ONCE[1])
    assert apart.limiting_potential_v_rhe == pytest.approx(high, abs=1e-9)
    at_once = evaluate_steps(energies, AT_ONCE[0], *MIDDLE, AT_ONCE[1])
    assert high >= at_once.limiting_potential_v_rhe - 1e-12


def test_split_water_that_adsorbs_first_hides_its_climb():
    dry = oxide(1.7, 2.9, 4.4)
    wet = replace(dry, values={**dry.values, "*H2O": 0.6})
    steps = (*WATER, *MIDDLE, AT_ONCE[1])
    combined = evaluate_steps(wet, *steps)
    assert combined.limiting_potential_v_rhe == pytest.approx(1.7)
    assert combined.determining_with == (WATER[0],)
    split = evaluate_steps(wet, *steps, pcet="split")
    assert split.limiting_potential_v_rhe == pytest.approx(1.5)


def test_oxygen_in_a_well_leaves_it_by_heat_and_is_told_of():
    """No potential pulls O2 off, so its climb stands beside U_L, below U_eq."""
    deep = oxide(oh=1.1, o=2.2, ooh=3.3)
    deep = replace(deep, values={**deep.values, "*O2": 4.3})
    found = evaluate_steps(deep, AT_ONCE[0], *MIDDLE, *OXYGEN)
    assert found.limiting_potential_v_rhe == pytest.approx(1.1)
    assert found.chemical_bottleneck_ev == pytest.approx(0.62)
    warned = judge_overpotential("s", found)
    assert (warned.verdict, warned.culprit) == ("WARN", OXYGEN[1])
    assert warned.value == pytest.approx(1.23 - 1.1)
    # Above the equilibrium potential an oxidation hides nothing.
    usual = evaluate_steps(oxide(1.0, 2.6, 4.2), AT_ONCE[0], *MIDDLE, AT_ONCE[1])
    assert judge_overpotential("s", usual).verdict == "PASS"


@pytest.mark.parametrize("seed", range(10))
def test_gate_samples_and_scan_combine_as_one_profile_does(seed):
    energies = wet_oxide(np.random.default_rng([2, seed]))
    result = evaluate_steps(energies, *WATER, *MIDDLE, *OXYGEN)
    assert judge(result) == ["PASS"]
    exact = {name: {} for name in energies.values if name != "*"}
    sampled = sample_potential(
        read_steps(*WATER, *MIDDLE, *OXYGEN),
        energies,
        Deviations(sigma_ev=exact, bond={}),
        Electrode(),
        surface="s",
    )
    assert sampled.best.median_v_rhe == pytest.approx(
        result.limiting_potential_v_rhe, abs=1e-12
    )
    grid = Grid(
        potential_v=np.array([0.0]),
        **{"scale": "rhe", "ph": np.array([3.0]), "temperature_k": 298.15},
    )
    scanned = scan_pathways(result.pathways, grid)
    assert scanned.limiting_potential_v_rhe[0] == pytest.approx(
        result.limiting_potential_v_rhe, abs=1e-12
    )


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
