"""What a FAIL or WARN of each gate does to the number behind it.

It is done where the number is made, so that tables, diagrams and the report follow.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

# A hole: there is no number, but the verdict as the reason. A mark: the number has a
# flag wherever it is printed.
Kind = Literal["hole", "mark"]


class Effect(NamedTuple):
    """What a FAIL or WARN does, to what, and what to do about it.

    A gate that only warns names the `flag` by which its mark is known.
    """

    kind: Kind
    of: str
    means: str
    way_out: str
    flag: str = ""


_RUN_AGAIN: Final = "delete the record and run again; tighter settings if it stays"

EFFECTS: Final = {
    "provenance": Effect(
        *("mark", "all made from the record"),
        "a record behind the number has changed since it was read",
        "run the study again",
    ),
    "level-equality": Effect(
        *("hole", "the species; a stage that is given two levels refuses them"),
        "parts of the number are of two levels",
        "run the stage again",
    ),
    "parity": Effect(
        *("hole", "the species; on the bare cluster, all on it"),
        "charge and multiplicity do not fit the electrons",
        _RUN_AGAIN,
    ),
    "closure": Effect(
        *("mark", "the reaction"),
        "the steps of a pathway do not add up to the measured reaction",
        "look for a step that is not balanced or a datum that is wrong",
    ),
    "balance": Effect(
        *("mark", "the reaction"),
        "an equation does not keep atoms, charge or sites",
        "correct the reaction's YAML",
    ),
    "forces": Effect(
        *("hole", "the species or minimum; on the bare cluster, all on it"),
        "the geometry is not relaxed to the study's limit",
        _RUN_AGAIN,
    ),
    "force-error": Effect(
        *("hole", "the species"),
        "the forces are not the slope of the energy",
        "use another level, or an engine whose forces are right",
    ),
    "fragments": Effect(
        *("mark", "the species"),
        "a second look at the bonds sees something else than the adsorbate",
        "look at the minimum",
    ),
    "substitution": Effect(
        *("mark", "the species"),
        "what vibrates is not the minimum that was found, or inherits in spite of that",
        "look at the minimum and at what its mode led to",
    ),
    "hessian-symmetry": Effect(
        *("hole", "the species"),
        "the vibrations are of a Hessian that is not symmetric",
        _RUN_AGAIN,
    ),
    "term-sum": Effect(
        *("mark", "the species"),
        "the free energy is not the sum of its terms, layers and references",
        "report it: the program is wrong",
    ),
    "dg-window": Effect(
        *("mark", "the species"),
        "the free energy of formation is larger than an adsorbate's can be",
        "look at the minimum and the level",
    ),
    "zpe": Effect(
        *("hole", "the species"),
        "modes are missing, or their zero-point energy is not positive",
        _RUN_AGAIN,
    ),
    "potential-scale": Effect(
        *("mark", "the reaction"),
        "the limiting potential does not follow from its steps",
        "report it: the program is wrong",
    ),
    "best-estimate": Effect(
        *("mark", "the reaction"),
        "the best estimate of the limiting potential lies outside its own interval",
        "read the median",
        flag="read-the-median",
    ),
    "overpotential-sign": Effect(
        *("mark", "the reaction"),
        "the limiting potential lies above the equilibrium potential, or below that of "
        "an oxidation: a chemical step, which no potential helps, hides part of the "
        "climb",
        "read it with the climb of that step",
        flag="hidden-chemical-step",
    ),
    "gas-frequencies": Effect(
        *("hole", "the molecule; of an anchor, all numbers"),
        "the molecule has imaginary modes, or too many or too few",
        _RUN_AGAIN,
    ),
    "refined-energy": Effect(
        *("mark", "the species"),
        "its electronic energy is not the lowest that DFT has of it",
        "report it: the program is wrong",
    ),
    "spin-purity": Effect(
        *("mark", "the species"),
        "⟨S²⟩ behind its DFT energy lies 0.1 or more above that of a pure spin",
        "compare another functional: the energy mixes spin states",
        flag="spin-contaminated",
    ),
    "measured-sum": Effect(
        *("mark", "the reaction"),
        "the steps from a person's own energies are far from the measured reaction",
        "look at the rows of the gases: units, number of molecules, pressure",
    ),
    "potential-window": Effect(
        *("mark", "the reaction"),
        "the limiting potential is one that no electrode has",
        "look at the rows of the step that sets it",
    ),
}


# Flags of numbers that are right and easily misread.
WARNINGS: Final = frozenset(effect.flag for effect in EFFECTS.values() if effect.flag)


def failure_flag(gate: str) -> str:
    """The flag of a number that a gate marks.

    >>> failure_flag("dg-window")
    'fails-dg-window'
    >>> failure_flag("best-estimate")
    'read-the-median'
    """
    return EFFECTS[gate].flag or f"fails-{gate}"
