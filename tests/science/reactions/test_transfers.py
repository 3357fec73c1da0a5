"""An adsorption of its own gains no potential, however the network is written."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from clusterflow.library.reactions import ReactionSpec
from clusterflow.science.reactions.che import Electrode, FreeEnergies, evaluate_network
from clusterflow.science.reactions.network import Network, find_pathways, parse_equation
from clusterflow.science.reactions.transfers import find_adsorptions
from clusterflow.science.uncertainty.deviations import Deviations
from clusterflow.science.uncertainty.sampling import propagate, sample_species

TO_CO = "CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)"
AT_ONCE = "* + CO2(g) + H+ + e- -> *COOH"
ADSORPTION, TRANSFER = "* + CO2(g) -> *CO2", "*CO2 + H+ + e- -> *COOH"
REST = ("*COOH + H+ + e- -> *CO + H2O(l)", "*CO -> * + CO(g)")
SPECIES = ("*COOH", "*CO2", "*CO", "CO(g)", "H2O(l)")


def network(*steps, equation=TO_CO, pcet="combined"):
    spec = ReactionSpec(
        name="r", source="test", product="CO", equation=equation, steps=steps
    )
    overall = parse_equation(equation)
    paths = find_pathways(overall, [parse_equation(step) for step in steps])
    return Network(
        spec=spec, overall=overall, pathways=tuple(map(tuple, paths)), pcet=pcet
    )


def draw(rng, species=SPECIES):
    values = {name: float(rng.normal(0, 0.5)) for name in species}
    return FreeEnergies(values={"*": 0.0, "CO2(g)": 0.0, **values}, reasons={})


def potential(net, energies):
    found = evaluate_network(net, energies, Electrode(), surface="x")
    return found.limiting_potential_v_rhe


DIRECT = network(AT_ONCE, *REST)
SPLIT = network(ADSORPTION, TRANSFER, *REST)
BOTH = network(AT_ONCE, ADSORPTION, TRANSFER, *REST)


@pytest.mark.parametrize("seed", range(40))
def test_writing_the_adsorption_apart_gains_nothing(seed):
    energies = draw(np.random.default_rng(seed))
    direct = potential(DIRECT, energies)
    assert potential(SPLIT, energies) <= direct + 1e-12
    # A closed adsorption costs the pathway its place, never the reaction a volt.
    assert potential(BOTH, energies) == pytest.approx(direct, abs=1e-9)


def test_split_it_does():
    rng = np.random.default_rng(1)
    gains = []
    for _ in range(40):
        energies = draw(rng)
        split = dataclasses.replace(SPLIT, pcet="split")
        gains.append(potential(split, energies) - potential(DIRECT, energies))
    assert max(gains) > 0.1


@pytest.mark.parametrize("seed", range(20))
def test_at_the_potential_no_electrochemical_way_up_is_left(seed):
    """By trying: the free energies of all states, at potentials closer and closer."""
    rng = np.random.default_rng([7, seed])
    energies = draw(rng)
    g = energies.values
    taken = (0, 0, 1, 2, 2)  # electrons in *, *CO2, *COOH, *CO, * + CO
    water = g["H2O(l)"]
    states = (
        *(0.0, g["*CO2"], g["*COOH"]),
        *(g["*CO"] + water, g["CO(g)"] + water),
    )

    def is_downhill(u):
        at = [s + n * u for s, n in zip(states, taken, strict=True)]
        pairs = ((0, 2), (1, 2), (2, 3))
        return all(at[j] <= at[i] for i, j in pairs)

    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_downhill(middle) else (low, middle)
    assert potential(SPLIT, energies) == pytest.approx(low, abs=1e-9)


TWO = "2 * + 2 CO2(g) + 2 H+ + 2 e- -> 2 * + H2C2O4(g)"


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_steps_on_other_sites_changes_nothing(seed):
    """Two CO2 on two sites, in every order that the network allows."""
    net = network(*(ADSORPTION, TRANSFER, "2 *COOH -> 2 * + H2C2O4(g)"), equation=TWO)
    assert len(net.pathways) > 1
    energies = draw(np.random.default_rng([3, seed]), ("*CO2", "*COOH", "H2C2O4(g)"))
    g = energies.values
    expected = -(g["*COOH"] - g["*CO2"] + max(g["*CO2"], 0.0))
    result = evaluate_network(net, energies, Electrode(), surface="x")
    for pathway in result.pathways:
        assert pathway.limiting_potential_v_rhe == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("pcet", ["combined", "split"])
def test_samples_are_judged_as_profiles_are(pcet):
    net = dataclasses.replace(BOTH, pcet=pcet)
    energies = draw(np.random.default_rng(11))
    sigma = {s: {"level": 0.4} if s[0] == "*" else {"gas": 0.1} for s in SPECIES}
    deviations = Deviations(
        sigma_ev={"CO2(g)": {}, **sigma},
        bond={s: "acyl on Cu" for s in SPECIES if s[0] == "*"},
    )
    names = ("CO2(g)", *SPECIES)
    shifts = sample_species(names, deviations, surface="x", n_samples=300)
    samples = propagate(net, energies, Electrode(), shifts).best.samples_v_rhe
    for row, sample in zip(shifts.values_ev, samples, strict=True):
        moved = {n: energies.values[n] + d for n, d in zip(names, row, strict=True)}
        own = FreeEnergies(values={"*": 0.0, **moved}, reasons={})
        assert potential(net, own) == pytest.approx(sample, abs=1e-9)


@pytest.mark.parametrize(
    ("before", "transfer"),
    [
        # a bond between carbons; an atom of the cluster; two adsorbates; two steps
        ("*COOH + CO2(g) -> *HC2O4", "*HC2O4 + H+ + e- -> *H2C2O4"),
        ("* + CO2(g) -> *[-H]OCHO", "*[-H]OCHO + H+ + e- -> *[-H]HCOOH"),
        ("2 * + O2(g) -> 2 *O", "*O + H+ + e- -> *OH"),
        ("*CO -> * + CO(g)", "* + CO(g) + H+ + e- -> *CHO"),
    ],
)
def test_a_reaction_is_no_adsorption(before, transfer):
    assert find_adsorptions([parse_equation(before), parse_equation(transfer)]) == {}


def test_what_a_chemical_step_took_up_is_another():
    path = (ADSORPTION, "*CO2 -> *OCO", "*OCO + H+ + e- -> *OCHO")
    assert find_adsorptions([parse_equation(step) for step in path]) == {}


def test_a_site_of_a_changed_cluster_adsorbs_as_well():
    path = ("*[-H] + CO2(g) -> *[-H]CO2", "*[-H]CO2 + H+ + e- -> *[-H]COOH")
    read = [parse_equation(step) for step in path]
    assert find_adsorptions(read) == {1: (0,)}


def test_each_of_two_is_taken_once():
    path = (ADSORPTION, ADSORPTION, TRANSFER, TRANSFER)
    found = find_adsorptions([parse_equation(step) for step in path])
    assert sorted(itertools.chain(*found.values())) == [0, 1]
    assert sorted(found) == [2, 3]
