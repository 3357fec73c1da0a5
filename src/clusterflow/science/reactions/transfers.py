r"""Proton-electron transfers, and the adsorptions that are judged with them.

Whether a reactant is adsorbed first and reduced then, or both at once, is a choice of
whoever writes the network:

.. math::
    * + CO_2 \to *CO_2, \quad *CO_2 + H^+ + e^- \to *COOH \qquad (a, b)

.. math:: * + CO_2 + H^+ + e^- \to *COOH \qquad (a + b)

The limiting potential reads electrochemical steps alone, so what *a* climbs would cost
nothing once it is written as a step of its own. Diagrams of the hydrogen electrode are
drawn with one step a proton-electron pair, reactants being taken up with the first:
CO2 as \*COOH or \*OCHO (Peterson 2010), O2 as \*OOH (Rossmeisl 2007, read backwards).
With ``combined`` a transfer is therefore judged by

.. math:: \Delta G_b + \max(\Delta G_a, 0)

What an adsorption climbs counts in the transfer that follows, and what it falls does
not: \*CO2 in a well has to leave it by *b* alone. The way past the well is the step
*a + b* itself, another pathway if the network has it. So the potential is that at
which both *b* and *a + b* are downhill, and splitting a step never raises it.
``split`` judges each transfer as it is written.

An oxidation is read in its own direction, with electrons given off: what the adsorption
of water climbs counts in \* + H2O -> \*OH + H+ + e-. What leaves after a transfer is
a chemical step in either direction, O2 from \*O2 as CO from \*CO: an adsorbate in a
well leaves it by heat alone, and no potential helps.

References
----------
A. A. Peterson et al., Energy Environ. Sci. 3, 1311 (2010), doi:10.1039/c0ee00071j
J. Rossmeisl et al., J. Electroanal. Chem. 607, 83 (2007),
doi:10.1016/j.jelechem.2006.11.008
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clusterflow.science.reactions.network import SITE, read_surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clusterflow.science.reactions.network import Equation
    from clusterflow.science.reactions.profiles import Elementary

# Of each transfer of a pathway, the adsorptions judged with it, by their places.
Adsorptions = dict[int, tuple[int, ...]]


def direction(steps: Iterable[Elementary]) -> Literal[1, -1]:
    """1 for a reduction, −1 for an oxidation: which gives off electrons on the whole.

    The limiting potential of a reduction is the lowest turning point of its steps, and
    the higher the better; of an oxidation it is the highest, and the lower the better.

    Examples
    --------
    >>> from clusterflow.science.reactions.network import parse_equation
    >>> direction([parse_equation("*OH -> *O + H+ + e-")])
    -1
    """
    return -1 if sum(step.n_e for step in steps) < 0 else 1


def find_adsorptions(path: Sequence[Equation]) -> Adsorptions:
    """Of each transfer, the adsorptions of what it takes up, as indices of steps.

    Other steps may lie between, on other sites. An adsorbate that a chemical step
    takes up is another one from then on, and its adsorption counts in no transfer.
    Transfers are those in the direction of the reaction.

    Examples
    --------
    >>> from clusterflow.science.reactions.network import parse_equation
    >>> find_adsorptions([parse_equation("* + CO2(g) -> *CO2"),
    ...     parse_equation("*CO2 + H+ + e- -> *COOH")])
    {1: (0,)}
    """
    sign = direction(path)
    waiting: dict[str, list[int]] = {}
    found: Adsorptions = {}
    for index, step in enumerate(path):
        taken = [
            waiting[term].pop(0)
            for term, n in step.reactants.items()
            for _ in range(min(n, len(waiting.get(term, ()))))
        ]
        if taken and sign * step.n_e > 0:
            found[index] = tuple(taken)
        if (adsorbed := _find_adsorbed(step)) is not None:
            waiting.setdefault(adsorbed, []).append(index)
    return found


def _find_adsorbed(step: Equation) -> str | None:
    """What a step adsorbs as one adsorbate, if it does only that.

    It makes no bond to another adsorbate and takes no atom of the cluster: those are
    reactions.
    """
    surface = [term for term in step.reactants if term.startswith(SITE)]
    if step.n_e or step.n_h or len(surface) != 1 or len(step.products) != 1:
        return None
    (product, n), takes_gas = next(iter(step.products.items())), len(step.reactants) > 1
    if n != 1 or not takes_gas or not product.startswith(SITE):
        return None
    (change, adsorbed), (before, already) = map(read_surface, (product, surface[0]))
    return product if adsorbed and not already and change == before else None
