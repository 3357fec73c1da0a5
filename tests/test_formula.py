"""Formulas and electron counts, against ASE and by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from ase.data import chemical_symbols
from ase.formula import Formula

from clusterflow.errors import LibraryError
from clusterflow.formula import (
    ATOMIC_NUMBERS,
    ELEMENTS,
    check_parity,
    lowest_multiplicity,
    n_electrons,
    parse_formula,
)


def test_elements_are_those_of_ase_up_to_radon():
    assert chemical_symbols[:87] == ELEMENTS


@pytest.mark.parametrize(
    "formula",
    ["Cu13", "CO2", "(CdSe)13", "CH3CH2OH", "Co", "C2(CO2(H2)3)2", "Au25(SCH3)18"],
)
def test_counts_agree_with_ase(formula):
    assert parse_formula(formula) == Formula(formula).count()


def test_cobalt_is_not_carbon_monoxide():
    assert parse_formula("Co") == Counter({"Co": 1})
    assert parse_formula("CO") == Counter({"C": 1, "O": 1})


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("", "cannot be read"),
        ("cu4", "cannot be read"),
        ("Cu 4", "cannot be read"),
        ("Cu4+", "cannot be read"),
        ("(CdSe13", "never closed"),
        ("CdSe)13", "never opened"),
        ("Xx2", "unknown element 'Xx'"),
        ("X2", "unknown element 'X'"),
        ("U2", "unknown element 'U'"),
    ],
)
def test_what_is_no_formula_is_refused(formula, says):
    with pytest.raises(LibraryError, match=says) as caught:
        parse_formula(formula)
    assert repr(formula) in str(caught.value)


def test_electrons():
    assert n_electrons(parse_formula("HCOO"), -1) == 1 + 6 + 16 + 1
    assert n_electrons(parse_formula("Cu13"), +1) == 13 * 29 - 1


@pytest.mark.parametrize("charge", [-2, -1, 0, 1])
@pytest.mark.parametrize("multiplicity", [1, 2, 3, 4])
@pytest.mark.parametrize("formula", ["H2O", "Cu13", "OH", "H", "He"])
def test_parity_means_that_unpaired_electrons_fit(formula, charge, multiplicity):
    counts = parse_formula(formula)
    electrons = sum(ATOMIC_NUMBERS[e] * n for e, n in counts.items()) - charge
    paired, rest = divmod(electrons - (multiplicity - 1), 2)
    if electrons >= 0 and rest == 0 and paired >= 0:
        check_parity(counts, charge, multiplicity, "it")
    else:
        with pytest.raises(LibraryError, match=f"it: multiplicity {multiplicity}"):
            check_parity(counts, charge, multiplicity, "it")


@pytest.mark.parametrize("formula", ["H", "CO2", "Cu13", "CHO2"])
@pytest.mark.parametrize("charge", [-1, 0, 1])
def test_lowest_multiplicity_passes_and_the_one_below_does_not(formula, charge):
    counts = parse_formula(formula)
    lowest = lowest_multiplicity(counts, charge)
    check_parity(counts, charge, lowest, "it")
    assert lowest in (1, 2)
    with pytest.raises(LibraryError):
        check_parity(counts, charge, 3 - lowest, "it")
