"""Probabilities of bond lengths, whatever order the isomers come in."""

from __future__ import annotations

import pytest

from clusterflow.library.claims import ClaimSpec
from clusterflow.records.structure import Structure
from clusterflow.science.reactions.claim_language import read_claim
from clusterflow.science.uncertainty.claimed_lengths import (
    WeighedIsomers,
    judge_lengths,
)


def diatomic(length_a):
    """Cadmium and sulfur at a distance."""
    return Structure(
        name=f"{length_a}",
        symbols=("Cd", "S"),
        positions=((0.0, 0.0, 0.0), (0.0, 0.0, length_a)),
        roles=("core", "core"),
        charge=0,
        multiplicity=1,
    )


def test_an_isomer_out_of_reach_is_left_out_wherever_it_stands():
    # A low one may weigh less than those above it, where these have more copies.
    isomers = WeighedIsomers(
        cluster="A",
        structures=[diatomic(length) for length in (2.7, 2.4, 2.5)],
        weights=[1e-5, 0.5, 0.5],
        basis={},
    )
    claim = "bond_length(Cd-S, A) < 2.6 A"
    read = read_claim(ClaimSpec(name="mine", claim=claim, source="unpublished: x"))
    found = judge_lengths(read, read.claim, {"A": isomers})
    assert found.probability == 1
    assert (found.lower, found.upper) == pytest.approx((2.4, 2.5))
