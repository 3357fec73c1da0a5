"""Steps that a claim names: those of losses, those of a reaction, and wrong ones."""

from __future__ import annotations

import pytest

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.science.reactions.claim_language import parse_claim
from clusterflow.science.reactions.claimed_steps import (
    find_step,
    reduces_co2,
    resolve_steps,
)
from clusterflow.science.reactions.network import parse_equation, parse_network

STEP = "* + CO2(g) + H+ + e- -> *COOH"


def test_a_ligand_leaves_as_acid_where_nothing_is_said(library):
    claim = parse_claim("loss(SH, A) > loss(HS, A, radical) + loss(SH, A, anion)")
    assert str(claim) == "loss(SH, A) − loss(HS, A, radical) − loss(SH, A, anion)"
    acid, radical, anion = (
        one.equation for _, one in resolve_steps(claim, library).terms
    )
    assert (acid.n_h, acid.n_e, acid.products["H2S(g)"]) == (1, 1, 1)
    assert (radical.n_h, radical.n_e, radical.products["HS(g)"]) == (0, 0, 1)
    assert (anion.n_h, anion.n_e, anion.products["HS-(aq)"]) == (0, 1, 1)
    assert all(one.products["*[-HS]"] == 1 for one in (acid, radical, anion))


@pytest.mark.parametrize(
    ("quantity", "says"),
    [
        ('"*CO -> *H"', r"'\*CO -> \*H' is not balanced \(C -1, H \+1, O -1"),
        ('"*CO + H2O(l) -> *COOH + H+"', "not balanced .charge"),
        ('"0 *CO -> *CO"', r"cannot read '0 \*CO'"),
        ('"*CO -> *CO"', "nothing happens"),
        ("*", "nothing happens"),
        ("**", r"dG\(\*\*, Cu4\): .*cannot read '\*\*'"),
    ],
)
def test_a_wrong_step_is_refused(library, quantity, says):
    with pytest.raises(LibraryError, match=says):
        resolve_steps(parse_claim(f"dG({quantity}, Cu4) > 0 eV"), library)


@pytest.mark.parametrize(
    "written",
    [
        STEP,
        "e- + H+ + CO2(g) + * -> *COOH",
        "1 * + CO2(g)  + H⁺ + e⁻ → *COOH",
    ],
)
def test_the_order_of_terms_does_not_matter(library, written):
    _, steps = parse_network(library.reaction("CO2-to-CO"))
    choice = parse_claim(f'determining_step(CO2-to-CO, Cu4) = "{written}"')
    assert find_step(choice, steps) == STEP


@pytest.mark.parametrize(
    "written",
    [
        "*COOH -> * + CO2(g) + H+ + e-",
        "2 * + 2 CO2(g) + 2 H+ + 2 e- -> 2 *COOH",
        "*CO -> * + CO(g)",
        "*COOH",
    ],
)
def test_another_step_is_refused(library, written):
    _, steps = parse_network(library.reaction("CO2-to-CO"))
    choice = parse_claim(f'determining_step(CO2-to-CO, Cu4) = "{written}"')
    with pytest.raises(ConfigError, match=r"has no step .* moves electrons; it has"):
        find_step(choice, steps)


def test_the_only_step_is_no_choice(library):
    _, steps = parse_network(library.reaction("hydride-loss"))
    choice = parse_claim('determining_step(hydride-loss, Cu2H2) = "x"')
    with pytest.raises(ConfigError, match="hydride-loss has one step"):
        find_step(choice, steps)


def test_what_reduces_co2():
    assert reduces_co2(parse_equation("CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)"))
    assert not reduces_co2(parse_equation("2 H+ + 2 e- -> H2(g)"))
    assert not reduces_co2(parse_equation("CO(g) + H2O(l) -> CO2(g) + 2 H+ + 2 e-"))
