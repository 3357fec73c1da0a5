"""Checks on finished records that recompute, by other means, what a stage claims.

Each gate is one function over the evidence; it yields a verdict a subject:

PASS, FAIL
    The check was made.
WARN
    The number is right, but read alone it misleads: it has a flag, and is no failure.
SKIP
    It does not apply here: a failed record, other conditions. The detail says why.
UNVERIFIABLE
    It applies, but what it needs is missing, or the case lies on a border.

Gates share no function with what they check: equations, compositions, electrons, bonds
and formation energies are read and counted again here, from the items of the library
as they stand in their files. They find slips of bookkeeping and geometry; none of them
says that an energy is right.

To add a gate: write a generator that takes `Evidence`, put it into `GATES`, say in
``effects.py`` what a FAIL does to the number, and show in
``tests/science/checks/test_gates.py`` that it fails on a broken record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.science.checks.balance import balance, parity
from clusterflow.science.checks.forces import force_error, forces, hessian_symmetry
from clusterflow.science.checks.geometry import fragments, substitution
from clusterflow.science.checks.levels import level_equality
from clusterflow.science.checks.own_energies import (
    measured_sum,
    own_rows,
    potential_window,
)
from clusterflow.science.checks.potentials import (
    best_estimate,
    overpotential_sign,
    potential_scale,
)
from clusterflow.science.checks.provenance import provenance
from clusterflow.science.checks.refined import refined_energy, spin_purity
from clusterflow.science.checks.terms import term_sum
from clusterflow.science.checks.thermochemistry import (
    closure,
    dg_window,
    gas_frequencies,
    zpe,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clusterflow.science.checks.evidence import Evidence, Gate

GATES: Final[list[Callable[[Evidence], Iterator[Gate]]]] = [
    provenance,
    level_equality,
    parity,
    closure,
    balance,
    forces,
    force_error,
    fragments,
    substitution,
    hessian_symmetry,
    term_sum,
    dg_window,
    zpe,
    potential_scale,
    best_estimate,
    overpotential_sign,
    gas_frequencies,
]
# Asked where there are energies by DFT.
DFT_GATES: Final[list[Callable[[Evidence], Iterator[Gate]]]] = [
    refined_energy,
    spin_purity,
]
# Asked of the free energies and profiles of composite levels too.
REFINED_GATES: Final[list[Callable[[Evidence], Iterator[Gate]]]] = [
    closure,
    balance,
    term_sum,
    dg_window,
    potential_scale,
    best_estimate,
    overpotential_sign,
]
# Asked of what a person brought, whose gases and units nobody else has looked at.
OWN_GATES: Final[list[Callable[[Evidence], Iterator[Gate]]]] = [
    own_rows,
    measured_sum,
    potential_window,
]


def gate_name(check: Callable[[Evidence], Iterator[Gate]]) -> str:
    """The name on the verdicts of a gate.

    >>> gate_name(level_equality)
    'level-equality'
    """
    return check.__name__.replace("_", "-")
