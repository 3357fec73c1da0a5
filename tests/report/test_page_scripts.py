"""What the page's scripts compute again, against Python: in V8, without a browser."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from clusterflow.figures.text import chem, number, signed
from clusterflow.records.files import read_records, write_record
from clusterflow.report.contents import cluster_views
from clusterflow.report.page_data import chemistry, cluster_block
from clusterflow.results.temperatures import StepEnergies
from clusterflow.science.reactions.che import (
    Electrode,
    FreeEnergies,
    evaluate_network,
    n_closed_steps,
)
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import build_network, parse_equation
from clusterflow.stage_table import record_name
from tests.report.test_page import make_che

NETWORKS = (
    *("HER", "CO2-to-CO", "CO2-to-HCOOH", "CO2-to-CH3OH", "CO2-to-CH4"),
    *("OER", "HCOO-oxidation", "apart", "wet"),
)
# Electrons and protons that do not come together: their steps depend on the pH.
APART = (
    ("* + CO2(g) + e- -> *CO2", "*CO2 + H+ -> *COOH", "*COOH + 2 e- + H+ -> *CO"),
    ("* + CO2(g) + H+ -> *COOH", "*COOH + 2 H+ + e- -> *CHO", "*CHO + 2 e- -> *CO"),
)
# An oxidation whose water adsorbs first and whose O2 leaves last.
WET = (
    *("* + H2O(l) -> *H2O", "*H2O -> *OH + H+ + e-", "*OH -> *O + H+ + e-"),
    *("*O + H2O(l) -> *OOH + H+ + e-", "*OOH -> *O2 + H+ + e-", "*O2 -> * + O2(g)"),
)
# Sums of a dozen free energies of some eV, in another order.
ROUNDING = 1e-9
EVALUATE = """
const evaluate = (...given) => evaluateReaction(...given).map((found) => ({
  ...found,
  steps: found.taken.map((step) => step.name),
  determining: found.determining ? found.determining.name : null,
}));
const changeScale = (conditions, { boltzmann }, scale) =>
  potentialOn(scale, conditionsAt(conditions, boltzmann));
const writeAll = (values, ...how) => values.map((value) => write(value, ...how));
const chemAll = (texts) => texts.map(chem);
"""


@pytest.fixture(scope="module")
def page():
    """An engine with the scripts that need no document, as the page has them."""
    engine = MiniRacer()
    scripts = resources.files("clusterflow.report") / "scripts"
    for name in ("text", "electrode"):
        engine.eval((scripts / f"{name}.js").read_text(encoding="utf-8"))
    engine.eval(EVALUATE)
    return engine


@pytest.fixture(scope="module")
def networks(library):
    """A few networks of different length, by name."""
    compositions = composition_of(library)
    found = {
        name: build_network(library.reaction(name), compositions)
        for name in NETWORKS[:-2]
    }
    paths = tuple(
        tuple(parse_equation(step) for step in (*path, "*CO -> * + CO(g)"))
        for path in APART
    )
    wet = tuple(parse_equation(step) for step in WET)
    return {
        **found,
        "apart": replace(found["CO2-to-CO"], pathways=paths),
        "wet": replace(found["OER"], pathways=(*found["OER"].pathways, wet)),
    }


def draw_conditions(rng, temperature_k):
    return Electrode(
        potential_v=float(rng.uniform(-2, 1)),
        scale=("rhe", "she")[rng.integers(2)],
        ph=float(rng.uniform(0, 14)),
        temperature_k=temperature_k,
    )


def draw_energies(rng, network, n, holes):
    """Free energies at so many temperatures; a share of the species has none."""
    names = sorted(network.species)
    known = [name for name in names if name == "*" or rng.random() >= holes]
    reasons = dict.fromkeys(names, "not computed")
    return [
        FreeEnergies(
            values={name: float(rng.normal(0, 0.8)) for name in known},
            reasons=reasons,
            pair_ev=float(rng.normal(0, 0.3)),
        )
        for _ in range(n)
    ]


def data_of(result, energies, folder):
    """A reaction as the page's script reads it."""
    che = make_che("Cu4", results=(result,))
    write_record(che, folder / record_name(che))
    records = read_records(folder)
    (view,) = cluster_views(records)
    (data,) = cluster_block(view, records, (), energies)["reactions"]
    return data


def key(pathway):
    """What the best pathway is chosen by; no chemical step counts as a level one."""
    limiting = pathway.limiting_potential_v_rhe
    return (
        pathway.complete,
        n_closed_steps(pathway),
        math.inf if limiting is None else limiting,
        pathway.chemical_bottleneck_ev or 0.0,
    )


def key_of_script(found):
    limiting = found["limiting"]
    return (
        found["complete"],
        found["n_closed"],
        math.inf if limiting is None else limiting,
        found["chemical"] or 0.0,
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", NETWORKS)
def test_the_electrode_of_the_page_is_that_of_python(
    page, networks, tmp_path, name, seed
):
    network = networks[name]
    rng = np.random.default_rng([seed, NETWORKS.index(name)])
    temperatures = sorted(rng.uniform(250.0, 400.0, 3).tolist())
    energies = draw_energies(rng, network, 3, holes=(0.0, 0.15)[seed % 2])
    electrode = draw_conditions(rng, temperatures[0])
    study = evaluate_network(network, energies[0], electrode, surface="Cu4")
    steps = {s.name: s for path in network.pathways for s in path}
    grid = StepEnergies(
        temperatures_k=tuple(temperatures),
        dg0_ev={
            name: tuple(at.reaction_ev(step)[0] for at in energies)
            for name, step in steps.items()
        },
    )
    data = data_of(study, grid, tmp_path)
    for column, temperature in enumerate(temperatures):
        electrode = draw_conditions(rng, temperature)
        result = evaluate_network(network, energies[column], electrode, surface="Cu4")
        found = page.call("evaluate", data, conditions(electrode, column), chemistry())
        assert [key_of_script(one) for one in found] == [
            pytest.approx(key(pathway), abs=ROUNDING) for pathway in result.pathways
        ]
        by_steps = {tuple(s.name for s in p.steps): p for p in result.pathways}
        assert len(by_steps) == len(found) == len(result.pathways)
        for one in found:
            pathway = by_steps[tuple(one["steps"])]
            dg = [step.dg_ev for step in pathway.steps]
            assert one["energies"] == pytest.approx(dg, abs=ROUNDING)
            assert one["levels"] == pytest.approx(pathway.levels_ev, abs=ROUNDING)
            assert one["determining"] == pathway.determining_step
            assert key_of_script(one) == pytest.approx(key(pathway), abs=ROUNDING)


def conditions(electrode, column=0):
    """As the controls of a diagram say them."""
    return {
        "potential": electrode.potential_v,
        "scale": electrode.scale,
        "ph": electrode.ph,
        "temperature": electrode.temperature_k,
        "column": column,
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_scale_of_a_potential_is_changed_as_in_python(page, seed):
    electrode = draw_conditions(np.random.default_rng(seed), 310.0)
    for scale, potential in (
        ("rhe", electrode.potential_rhe_v),
        ("she", electrode.potential_she_v),
    ):
        found = page.call("changeScale", conditions(electrode), chemistry(), scale)
        assert found == pytest.approx(potential, abs=ROUNDING)


def test_numbers_are_written_as_in_python(page):
    rng = np.random.default_rng(0)
    values = [float(rng.normal(0, 10.0 ** rng.integers(-4, 4))) for _ in range(200)]
    values += [0.0, -0.0, -0.001, 0.004, -0.006, None]
    for digits in range(5):
        for sign, said in ((False, number), (True, signed)):
            written = page.call("writeAll", values, digits, sign)
            assert written == [said(value, digits) for value in values]


def test_formulas_are_written_as_in_python(page, library, networks):
    names = {term for network in networks.values() for term in network.species}
    paths = (path for network in networks.values() for path in network.pathways)
    names |= {step.name for path in paths for step in path}
    for kind in ("clusters", "adsorbates", "gases", "couples", "ligands"):
        names |= set(library.paths(kind))
    couples = (library.couple(name) for name in library.paths("couples"))
    names |= {couple.equation for couple in couples if couple.equation}
    assert len(names) > 100
    texts = sorted(names)
    assert page.call("chemAll", texts) == [chem(text) for text in texts]
