"""Steps that a claim names: the one by which a ligand leaves, the one that is meant."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.science.reactions.claim_language import Choice
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import SITE, check_balance, parse_equation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.library.find import Library
    from clusterflow.science.reactions.claim_language import Claim, Quantity
    from clusterflow.science.reactions.network import Equation


def resolve_steps(claim: Claim, library: Library) -> Claim:
    """A claim with the step of each loss that it names, and its own steps checked.

    Raises
    ------
    LibraryError
        If a ligand is unknown, or no reaction takes it away by that route; or as
        `check_step`.
    """
    if isinstance(claim, Choice):
        return claim
    for _, one in claim.terms:
        if one.kind == "dG":
            check_step(one, library)
    terms = [
        (sign, replace(one, step=library.ligand_loss(one.of, one.route).equation))
        if one.kind == "loss"
        else (sign, one)
        for sign, one in claim.terms
    ]
    return replace(claim, terms=tuple(terms))


def check_step(quantity: Quantity, library: Library) -> None:
    """Refuse a free energy of a step that is not balanced, or of nothing.

    Raises
    ------
    LibraryError
        Which names what is off.
    """
    equation = quantity.equation
    if "->" in quantity.of:
        check_balance(equation, composition_of(library), str(quantity))
    if equation.reactants == equation.products or equation.species == {SITE}:
        raise LibraryError(f"{quantity}: nothing happens, so it is 0 eV; leave it out")


def find_step(choice: Choice, steps: Iterable[Equation]) -> str:
    """The step that a claim means, as it is written in the reaction's file.

    The order of its terms does not matter.

    Raises
    ------
    ConfigError
        If the reaction has no such step that moves electrons, or no other one.
    """
    written = {step.name: step for step in steps if step.n_e}
    if len(written) == 1:
        raise ConfigError(
            f"{choice.reaction} has one step that moves electrons, which always sets "
            "U_L; leave the claim out"
        )
    with suppress(LibraryError):
        meant = parse_equation(choice.value)
        sides = meant.reactants, meant.products
        for name, step in written.items():
            if (step.reactants, step.products) == sides:
                return name
    raise ConfigError(
        f"{choice.reaction} has no step {choice.value!r} that moves electrons; it has "
        f"{'; '.join(written)}"
    )


def reduces_co2(overall: Equation) -> bool:
    """Whether a reaction takes up CO2 and electrons."""
    return overall.reactants["CO2(g)"] > 0 and overall.n_e > 0
