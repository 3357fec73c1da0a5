"""Places of states in a diagram, against the atoms that they are made of."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from clusterflow.figures.columns import find_places, name_states
from clusterflow.figures.diagram import draw_profile
from clusterflow.science.reactions.che import (
    Electrode,
    FreeEnergies,
    evaluate_network,
)
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import build_network, parse_equation

REACTIONS = (
    *("CO2-to-C2H4", "CO2-to-C2H5OH", "CO2-to-C2H6", "CO2-to-CH3CHO", "CO2-to-CH3COOH"),
    *("CO2-to-CH3OH", "CO2-to-CH4", "CO2-to-CH4-full", "CO2-to-CO", "CO2-to-H2C2O4"),
    *("CO2-to-HCHO", "CO2-to-HCOOH", "CO2-to-HCOOH-hydride", "CO2-to-carbonate"),
    *("HER", "HER-Tafel", "hydride-loss", "methyl-loss"),
    *("thiolate-loss", "thiolate-loss-anion", "thiolate-loss-radical"),
    *("chloride-loss", "chloride-loss-anion", "chloride-loss-radical"),
    *("alkynyl-loss", "alkynyl-loss-radical", "methanethiolate-loss"),
    *("ammonia-loss", "phosphine-loss"),
    *("CO-oxidation", "HCOO-oxidation", "OER", "ORR", "O2-to-H2O2"),
    *("N2-to-NH3", "HNO3-to-NH3", "CO2-N2-to-urea", "CO2-HNO3-to-urea"),
    "CO2-to-CH4-by-CO",
)


def evaluate(library, reaction, seed=None):
    """A reaction whose species all have one free energy, or each one by chance."""
    network = build_network(library.reaction(reaction), composition_of(library))
    values = dict.fromkeys(network.species, 0.5)
    if seed is not None:
        chance = random.Random(seed)
        values = {name: chance.gauss(0.0, 1.0) for name in sorted(network.species)}
    energies = FreeEnergies(values=values, reasons={}, pair_ev=0.0)
    return evaluate_network(network, energies, Electrode(), surface="Cu4")


def test_every_reaction_of_the_library_is_asked_for(library):
    assert set(REACTIONS) == set(library.paths("reactions"))


@pytest.mark.parametrize("reaction", REACTIONS)
def test_a_state_stands_at_the_hydrogen_that_it_took_up(library, reaction):
    # Each pair brings one H, and an electron alone its charge: what is there less what
    # there was at first. Oxidations count what they give off.
    gives_off = "e-" in library.reaction(reaction).equation.partition("->")[2]
    composition = composition_of(library)
    result = evaluate(library, reaction)
    places = find_places(result.equation, result.pathways)
    assert len(places) == len(result.pathways)
    for pathway, track in zip(result.pathways, places, strict=True):
        total: Counter[str] = Counter()
        assert track[0].electrons == 0
        for step, (before, place) in zip(pathway.steps, pairwise(track), strict=True):
            read = parse_equation(step.name)
            for side, sign in ((read.reactants, -1), (read.products, 1)):
                for term, n in side.items():
                    if term not in ("H+", "e-"):
                        atoms, charge = composition(term)
                        total["e"] += sign * n * (atoms["H"] - charge)
            assert place.electrons == (-total["e"] if gives_off else total["e"])
            assert before < place, "a step leads to the right"
    drawn = [t.get_text() for t in draw_profile(result).axes[0].texts]
    counts = {str(place.electrons) for track in places for place in track}
    assert counts <= set(drawn)


@pytest.mark.parametrize("reaction", REACTIONS)
def test_a_state_has_one_place_and_ends_are_whole(library, reaction):
    result = evaluate(library, reaction)
    places = find_places(result.equation, result.pathways)
    found: dict[tuple[str, int], set] = {}
    for pathway, track in zip(result.pathways, places, strict=True):
        names = name_states(result.equation, pathway)
        for name, place in zip(names[1:-1], track[1:-1], strict=True):
            found.setdefault((name, place.electrons), set()).add(place.chemical)
        overall = parse_equation(result.equation)
        for name, side in (
            (names[0], overall.reactants),
            (names[-1], overall.products),
        ):
            wanted = Counter(side)
            for term in ("H+", "e-"):
                del wanted[term]
            if not any(term.startswith("*") for term in wanted):
                wanted["*"] += 1
            assert parse_equation(f"{name} -> *").reactants == wanted
    if reaction in ("CO2-to-CO", "CO2-to-HCOOH", "CO2-to-CH3OH", "CO2-to-CH4"):
        # Bare names are enough here: nothing leaves the cluster at different times.
        assert all(len(chemical) == 1 for chemical in found.values())


def test_chemical_steps_stand_within_their_number_of_electrons(library):
    result = evaluate(library, "CO2-to-CO")
    tracks = dict(
        zip(
            (pathway.states for pathway in result.pathways),
            find_places(result.equation, result.pathways),
            strict=True,
        )
    )
    assert tracks["*", "*COOH", "*CO", "*"] == ((0, 0), (1, 0), (2, 0), (2, 1))
    assert tracks["*", "*CO2", "*COOH", "*CO", "*"] == (
        *((0, 0), (0, 1), (1, 0), (2, 0), (2, 1)),
    )
