"""What a claim may say, and what it is told where it cannot be read."""

from __future__ import annotations

import pytest

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.library.claims import ClaimSpec
from clusterflow.science.reactions.claim_language import (
    Choice,
    parse_claim,
    read_claim,
)
from clusterflow.science.reactions.network import parse_equation

STEP = "* + CO2(g) + H+ + e- -> *COOH"


def spec(claim, **more):
    return ClaimSpec(name="mine", claim=claim, source="10.1039/c0ee00071j", **more)


@pytest.mark.parametrize(
    ("text", "terms", "relation", "threshold"),
    [
        (
            "U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8)",
            [(1, "CO2-to-CO", "Cu4"), (-1, "CO2-to-CO", "Cu8")],
            ">",
            0.0,
        ),
        (
            "dG(*CHO, Cu4) - dG(*OCH3, Cu4) > 0.5 eV",
            [(1, "*CHO", "Cu4"), (-1, "*OCH3", "Cu4")],
            ">",
            0.5,
        ),
        # Numbers may stand anywhere, and are brought to the right.
        (
            "-dG(*H, Cu4-Ag111)+.1eV<1 eV−dG(*[-H]OCHO,Cu2H2)",
            [(-1, "*H", "Cu4-Ag111"), (1, "*[-H]OCHO", "Cu2H2")],
            "<",
            0.9,
        ),
        (f'dG("{STEP}", Cu4) = 0 eV', [(1, STEP, "Cu4")], "=", 0.0),
        ("1.5e-1 V < U_L(HER, Cu4)", [(-1, "HER", "Cu4")], "<", -0.15),
        # As copied from a page.
        (
            'dG("*CO + H⁺ + e⁻ → *CHO", Cu4) > dG(*CO₂, Cu4) – 1 eV',
            [(1, "*CO + H+ + e- -> *CHO", "Cu4"), (-1, "*CO2", "Cu4")],
            ">",
            -1.0,
        ),
        ("loss(SH, A)>loss(HS,B,radical)", [(1, "SH", "A"), (-1, "HS", "B")], ">", 0.0),
        (
            "bond_length(Cd-S, A) > bond_length(S-Cd, B, core) + 0.02 Å",
            [(1, "Cd-S", "A"), (-1, "S-Cd", "B")],
            ">",
            0.02,
        ),
    ],
)
def test_comparisons(text, terms, relation, threshold):
    found = parse_claim(text)
    assert [(sign, q.of, q.cluster) for sign, q in found.terms] == terms
    assert found.relation == relation
    assert found.threshold == pytest.approx(threshold)
    assert found.clusters == tuple(dict.fromkeys(c for *_, c in terms))


def test_choices():
    found = parse_claim(f'determining_step(CO2-to-CO, Cu4) = "{STEP}"')
    assert isinstance(found, Choice)
    assert (found.reaction, found.cluster, found.value) == ("CO2-to-CO", "Cu4", STEP)
    found = parse_claim("product(Cu4) = HCOOH")
    assert (found.of, found.cluster, found.value) == ("product", "Cu4", "HCOOH")
    assert found == parse_claim('product(Cu4)="HCOOH"')


def test_a_free_energy_is_that_of_an_equation():
    (_, species), (_, step) = parse_claim(f'dG(*CO, Cu4) > dG("{STEP}", Cu4)').terms
    assert species.equation.products == {"*CO": 1}
    assert not species.equation.reactants
    assert step.equation.reactants == parse_equation(STEP).reactants


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("U_L(HER, Cu4) > 0.5", "0.5: a unit is missing; write 0.5 eV, 0.5 V or 0.5 A"),
        ("U_L(HER, Cu4) > 0", "0: a unit is missing"),
        ("dG(*H, Cu4) > 50 kJ/mol", "50: the unit 'kJ/mol' is not known"),
        (
            "U_L(HER, Cu4) > -100 mV",
            "'mV' is not known; give it in eV, V or A",
        ),
        ("dG(*H, Cu4) > 0,5 eV", "0,5: write a number as 1000 or 0.5"),
        ("dG(*H, Cu4) > 1_000 eV", "1_000: write a number as 1000 or 0.5"),
        ("dG(*H, Cu4) > 1e999 eV", "1e999: the number is too large"),
        ("dG(*H, Cu4) > dG(*H, Cu4)", "dG(*H, Cu4) cancels"),
        ('dG("2 *H", Cu4) > 0 eV', "write dG(*SPECIES, CLUSTER)"),
        ("U_L(HER, Cu4) > 0.5 eV", "U_L(HER, Cu4), in V, with 0.5 eV, in eV"),
        ("loss(SH, A) > 0 V", "loss(SH, A), in eV, with 0 V, in V"),
        ("loss(SH, A, thiol) > 0 eV", "leaves as acid, radical, anion, neutral"),
        ("bond_length(Cd-S, A) > 2.5", "2.5: a unit is missing"),
        ("bond_length(Cd-S, A) > 0.5 eV", "in Å, with 0.5 eV, in eV"),
        ("bond_length(CdS, A) > 2 A", "write two elements with a hyphen"),
        ("bond_length(Cd-R, A) > 2 A", "write two elements with a hyphen"),
        ("bond_length(Cd-X, A) > 2 A", "write two elements with a hyphen"),
        ("bond_length(Cd-S, A, shell) > 2 A", "write core, or leave it out"),
        ("U_L(HER, Cu4) > dG(*H, Cu4)", "in V, with dG(*H, Cu4), in eV"),
        ("dG(CO, Cu4) > 0 eV", "write dG(*CO, Cu4)"),
        ("1 eV > 0 eV", "names no quantity"),
        ("U_L(HER, Cu4)", "cannot be read at 'its end'"),
        ("", "cannot be read at 'its end'"),
        ("gain(SH, Cu4) > 0 eV", "cannot be read at 'gain(SH, Cu4) > 0 eV'"),
        ("U_L(HER, Cu4) >= 0 V", "cannot be read at '= 0 V'"),
        ("U_L(HER, Cu4) > 0 V; exit()", "cannot be read at '; exit()'"),
        ("__import__('os')", "cannot be read at"),
        ("U_L(HER) > 0 V", "cannot be read at"),
        ("determining_step(CO2-to-CO, Cu4) = *COOH", "cannot be read at '*COOH'"),
        ("product(Cu4) > HCOOH", "cannot be read at '> HCOOH'"),
        ("U_L(HER, Cu4) > 2 U_L(HER, Cu8)", "2: the unit 'U' is not known"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text, says):
    with pytest.raises(ConfigError) as caught:
        read_claim(spec(text))
    message = str(caught.value)
    assert message.startswith(f"claims: mine: {text!r}")
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("claim", "more", "says"),
    [
        ("dG(*H, Cu4) = 1 eV", {}, "= needs a tolerance"),
        ("dG(*H, Cu4) > 1 eV", {"published": "2 eV"}, "published needs a tolerance"),
        ("dG(*H, Cu4) > 1 eV", {"tolerance": "2 eV"}, "neither = nor published"),
        ("dG(*H, Cu4) = 1 eV", {"tolerance": "0.1 V"}, "'0.1 V': the claim is in eV"),
        ("dG(*H, Cu4) = 1 eV", {"tolerance": "0.1"}, "a unit is missing"),
        ("dG(*H, Cu4) = 1 eV", {"tolerance": "-0.1 eV"}, "must be above 0"),
        ("dG(*H, Cu4) = 1 eV", {"tolerance": "dG(*H, Cu4)"}, "must be a number and eV"),
        ("product(Cu4) = CO", {"tolerance": "0.1 V"}, "leave out published and"),
    ],
)
def test_numbers_beside_a_claim(claim, more, says):
    with pytest.raises(ConfigError, match=r"^claims: mine: ") as caught:
        read_claim(spec(claim, **more))
    assert says in str(caught.value)


def test_angstrom_is_written_in_two_ways():
    one, other = (parse_claim(f"bond_length(Cd-S, A) > 2.5 {u}") for u in ("A", "Å"))
    assert one == other
    assert one.is_of_lengths and not parse_claim("dG(*H, A) > 1 eV").is_of_lengths


def test_published_and_tolerance_are_numbers():
    read = read_claim(
        spec("dG(*H, Cu4) > 1 eV", published="-0.5 eV", tolerance="0.1 eV")
    )
    assert (read.published, read.tolerance) == (-0.5, 0.1)


def test_a_species_that_is_no_term_is_refused_where_it_is_used():
    ((_, quantity),) = parse_claim("dG(*a/b, Cu4) > 0 eV").terms
    with pytest.raises(LibraryError, match=r"cannot read '\*a/b'"):
        _ = quantity.equation
