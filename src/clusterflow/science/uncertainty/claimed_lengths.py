"""How probable a claim about bond lengths is, by which isomer a cluster is found in.

A length is the mean over all bonds of two elements in one isomer. Each sample draws an
isomer of each cluster by its Boltzmann weight, and the lengths of one cluster are of
the same draw. What the level is off by in a length is known to nobody here, and in no
probability: it is the same on both sides as far as the bonds are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.records.claims import Judgement
from clusterflow.science.geometry.bonds import bond_graph, distances
from clusterflow.science.uncertainty.claims import (
    NotComputedError,
    choose_named,
    compare_published,
    compare_values,
    name_verdict,
)
from clusterflow.science.uncertainty.sampling import QUANTILES, draw_uniform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from clusterflow.records.structure import Structure
    from clusterflow.science.reactions.claim_language import (
        Difference,
        Quantity,
        ReadClaim,
    )

    Floats = NDArray[np.float64]

# An isomer of a smaller share is one that nobody meets.
_LEAST_WEIGHT: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedIsomers:
    """The isomers of a cluster with their shares in equilibrium.

    `basis` names what two clusters must have in common to be compared, with its value.
    """

    cluster: str
    structures: Sequence[Structure]
    weights: Sequence[float]
    basis: Mapping[str, str]


def judge_lengths(
    read: ReadClaim, claim: Difference, isomers: Mapping[str, WeighedIsomers]
) -> Judgement:
    """What the isomers, by cluster, say of a claim about bond lengths."""
    try:
        named = choose_named(read, isomers, "isomers")
        drawn = {name: _draw_isomers(one) for name, one in named.items()}
        total: Floats = np.zeros(1)
        for sign, quantity in claim.terms:
            found = _measure_isomers(quantity, named[quantity.cluster])
            total = total + sign * found[drawn[quantity.cluster]]
    except NotComputedError as error:
        return Judgement(verdict="not computed", reason=str(error))
    outcome = compare_values(read, claim, total)
    lower, median, upper = np.quantile(outcome.values, QUANTILES).tolist()
    return Judgement(
        verdict=name_verdict(outcome.probability),
        probability=outcome.probability,
        published_probability=compare_published(read, outcome.values),
        median=median,
        lower=lower,
        upper=upper,
        not_included=("level",),
    )


def mean_bond_length(structure: Structure, quantity: Quantity) -> float:
    """Mean length of the bonds that a quantity is of, Å.

    Bonds are those of :func:`~clusterflow.science.geometry.bonds.bond_graph`.

    Raises
    ------
    NotComputedError
        If there is no such bond.
    """
    pair = sorted(quantity.elements)
    symbols, gaps = structure.symbols, distances(structure.xyz)
    found = [
        gaps[i, j]
        for i, j in bond_graph(symbols, structure.xyz).edges
        if sorted((symbols[i], symbols[j])) == pair
        and (
            quantity.bonds == "all"
            or "ligand" not in (structure.roles[i], structure.roles[j])
        )
    ]
    if not found:
        raise NotComputedError(f"{quantity}: isomer {structure.name} has no such bond")
    return float(np.mean(found))


def _draw_isomers(isomers: WeighedIsomers) -> NDArray[np.intp]:
    """Which of the isomers within reach a sample is of, shape (n_samples,)."""
    shares = np.cumsum([weight for _, weight in _list_within_reach(isomers)])
    draws = draw_uniform(("isomer", isomers.cluster))
    return np.searchsorted(shares / shares[-1], draws, side="right")


def _list_within_reach(isomers: WeighedIsomers) -> list[tuple[Structure, float]]:
    pairs = zip(isomers.structures, isomers.weights, strict=True)
    return [pair for pair in pairs if pair[1] >= _LEAST_WEIGHT]


def _measure_isomers(quantity: Quantity, isomers: WeighedIsomers) -> Floats:
    """The length in each isomer within reach, Å, shape (n_isomers,)."""
    within = _list_within_reach(isomers)
    return np.array([mean_bond_length(one, quantity) for one, _ in within])
