r"""How probable a claim is, and which species would decide it.

A claim is judged on the joint samples of all free energies that it names, so that what
its quantities share cancels: P is the share of the samples in which it holds.

Where that leaves it open, species are asked for which their error goes with the claim:
of a set S with the covariance C of the errors, the share of the variance of D, the
difference claimed, is that of its linear regression,

.. math:: R^2 = c_S^T C_{SS}^{-1} c_S / \mathrm{var}(D),
    \quad c_i = \mathrm{cov}(x_i, D)

Species join S one by one, each the one that adds most; with the coefficients b of the
regression, b_i c_i / var(D) is the share of each. Were their errors f times as large,
the others would be, by what is known of them through S,

.. math:: x' = x - (1 - f) \, x_S C_{SS}^{-1} C_{S \cdot}

(C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, 2006,
equation A.6), and the claim is judged anew on these, about the present best estimates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np

from clusterflow.records.claims import DecidingSpecies, Judgement
from clusterflow.science.reactions.che import TIE_V
from clusterflow.science.reactions.claim_language import Choice
from clusterflow.science.reactions.claimed_steps import find_step, reduces_co2
from clusterflow.science.reactions.network import parse_network
from clusterflow.science.uncertainty.deviations import not_included
from clusterflow.science.uncertainty.sampling import (
    QUANTILES,
    Shifts,
    propagate,
    sample_species,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from clusterflow.records.claims import Verdict
    from clusterflow.science.reactions.che import Electrode, FreeEnergies
    from clusterflow.science.reactions.claim_language import (
        Difference,
        Quantity,
        ReadClaim,
    )
    from clusterflow.science.reactions.network import Network
    from clusterflow.science.uncertainty.deviations import Deviations
    from clusterflow.science.uncertainty.sampling import UncertainPotential

    Floats = NDArray[np.float64]

SUPPORTED: Final = 0.9
CONTRADICTED: Final = 0.1
# More species than these are no advice.
_MOST_DECIDING: Final = 4
_LEAST_SHARE: Final = 0.02
# By how much the errors have to shrink, tried in this order. DFT has an error too.
_FACTORS: Final = (0.75, 0.5, 0.25, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What is known of one cluster; its free energies, and the errors of these.

    `deviations` are None where they are unknown. `basis` names what two clusters must
    have in common to be compared, such as level and temperature, with its value.
    """

    cluster: str
    energies: FreeEnergies
    deviations: Deviations | None
    networks: Mapping[str, Network]
    electrode: Electrode
    basis: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """In each sample: what is claimed about, and whether it holds."""

    values: Floats
    holds: Floats

    @property
    def probability(self) -> float:
        """The share of the samples in which it holds."""
        return float(self.holds.mean())


class NotComputedError(Exception):
    """Why a claim cannot be judged."""


class _HasBasis(Protocol):
    """What is known of a cluster, by what it may be compared."""

    @property
    def cluster(self) -> str: ...

    @property
    def basis(self) -> Mapping[str, str]: ...


OnBasis = TypeVar("OnBasis", bound=_HasBasis)


def name_verdict(probability: float) -> Verdict:
    """The word for a probability.

    >>> name_verdict(0.9), name_verdict(0.5), name_verdict(0.1)
    ('supported', 'undecided', 'contradicted')
    """
    if probability >= SUPPORTED:
        return "supported"
    return "contradicted" if probability <= CONTRADICTED else "undecided"


def judge_claim(read: ReadClaim, surfaces: Mapping[str, Surface]) -> Judgement:
    """What the joint samples say of a claim.

    Parameters
    ----------
    read
        The claim, with its numbers.
    surfaces
        By cluster; those that the claim does not name are left alone.

    Raises
    ------
    ConfigError
        If the claim is of a step that its reaction lacks.
    """
    try:
        named = choose_named(read, surfaces)
        shifts = {
            name: sample_species(
                sorted(_list_terms(read, one)), _get_deviations(one), surface=name
            )
            for name, one in named.items()
        }
        outcome = _evaluate(read, named, shifts)
    except NotComputedError as error:
        return Judgement(verdict="not computed", reason=str(error))
    verdict = name_verdict(outcome.probability)
    has_values = not isinstance(read.claim, Choice) or read.claim.of == "product"
    lower, median, upper = np.quantile(outcome.values, QUANTILES).tolist()
    missing = {
        part
        for name, one in named.items()
        for part in not_included(_get_deviations(one), shifts[name].species)
    }
    return Judgement(
        verdict=verdict,
        probability=outcome.probability,
        published_probability=compare_published(read, outcome.values),
        median=median if has_values else None,
        lower=lower if has_values else None,
        upper=upper if has_values else None,
        deciding=_find_deciding(read, named, shifts, outcome)
        if verdict == "undecided"
        else (),
        not_included=tuple(sorted(missing)),
    )


def terms_of(read: ReadClaim, surface: Surface) -> frozenset[str]:
    """Known species of a cluster that enter a claim."""
    try:
        return _list_terms(read, surface)
    except NotComputedError:
        return frozenset()


def reactions_of(read: ReadClaim, surface: Surface) -> tuple[str, ...]:
    """Reactions of a cluster whose potentials enter a claim; of a product several."""
    claim, cluster = read.claim, surface.cluster
    if not isinstance(claim, Choice):
        named = (
            q.of for _, q in claim.terms if (q.kind, q.cluster) == ("U_L", cluster)
        )
        return tuple(dict.fromkeys(named))
    if claim.of == "determining_step":
        return (claim.reaction,)
    return tuple(
        n for n, network in surface.networks.items() if reduces_co2(network.overall)
    )


def choose_named(
    read: ReadClaim, surfaces: Mapping[str, OnBasis], what_of: str = "profiles"
) -> dict[str, OnBasis]:
    """What is known of the clusters of a claim, if they may be compared.

    Raises
    ------
    NotComputedError
        If one of them is not there, or of another basis than the first.
    """
    named = {}
    for cluster in read.claim.clusters:
        if cluster not in surfaces:
            raise NotComputedError(f"no {what_of} of {cluster}")
        named[cluster] = surfaces[cluster]
    first, *others = named.values()
    for other in others:
        for what, value in first.basis.items():
            if other.basis[what] != value:
                raise NotComputedError(
                    f"{first.cluster} and {other.cluster} cannot be compared: {what} "
                    f"{value} against {other.basis[what]}; compute both at one"
                )
    return named


def _get_deviations(surface: Surface) -> Deviations:
    if surface.deviations is None:
        raise NotComputedError(f"the errors of {surface.cluster} are not known")
    return surface.deviations


def _list_terms(read: ReadClaim, surface: Surface) -> frozenset[str]:
    found: set[str] = set()
    for reaction in reactions_of(read, surface):
        found |= _get_network(surface, reaction).species
    if not isinstance(read.claim, Choice):
        for _, quantity in read.claim.terms:
            if quantity.kind != "U_L" and quantity.cluster == surface.cluster:
                found |= quantity.equation.species
    return frozenset(found & surface.energies.values.keys())


def _get_network(surface: Surface, reaction: str) -> Network:
    if reaction not in surface.networks:
        raise NotComputedError(f"no profile of {reaction} on {surface.cluster}")
    return surface.networks[reaction]


def _evaluate(
    read: ReadClaim, surfaces: Mapping[str, Surface], shifts: Mapping[str, Shifts]
) -> Outcome:
    claim = read.claim
    if not isinstance(claim, Choice):
        return _evaluate_difference(read, claim, surfaces, shifts)
    surface, own = surfaces[claim.cluster], shifts[claim.cluster]
    if claim.of == "determining_step":
        found = _sample_reaction(surface, claim.reaction, own)
        _, steps = parse_network(surface.networks[claim.reaction].spec)
        holds = (found.best.determining == find_step(claim, steps)).astype(float)
        return Outcome(values=holds, holds=holds)
    return _evaluate_product(read, claim.value, surface, own)


def _evaluate_difference(
    read: ReadClaim,
    claim: Difference,
    surfaces: Mapping[str, Surface],
    shifts: Mapping[str, Shifts],
) -> Outcome:
    total: Floats = np.zeros(1)
    for sign, quantity in claim.terms:
        cluster = quantity.cluster
        total = total + sign * _sample_quantity(
            quantity, surfaces[cluster], shifts[cluster]
        )
    return compare_values(read, claim, total)


def compare_values(read: ReadClaim, claim: Difference, total: Floats) -> Outcome:
    """Whether a difference of quantities lies where it is claimed, sample by sample.

    `total` is that difference, in the unit of the claim, shape (n_samples,).
    """
    off = total - claim.threshold
    if claim.relation == "=":
        assert read.tolerance is not None
        holds = (np.abs(off) <= read.tolerance).astype(float)
    else:
        ahead = off if claim.relation == ">" else -off
        holds = (ahead > 0) + (ahead == 0) / 2
    return Outcome(values=total, holds=holds)


def _sample_quantity(quantity: Quantity, surface: Surface, shifts: Shifts) -> Floats:
    """A quantity in each sample, V against RHE or eV, shape (n_samples,)."""
    if quantity.kind == "U_L":
        return _sample_reaction(surface, quantity.of, shifts).best.samples_v_rhe
    equation = quantity.equation
    mean_ev, why = surface.energies.reaction_ev(equation)
    if mean_ev is None:
        raise NotComputedError(f"{quantity}: {why}")
    counts = [equation.products[s] - equation.reactants[s] for s in shifts.species]
    return mean_ev + shifts.values_ev @ np.array(counts, dtype=np.float64)


def _sample_reaction(
    surface: Surface, reaction: str, shifts: Shifts
) -> UncertainPotential:
    network, energies = _get_network(surface, reaction), surface.energies
    found = propagate(network, energies, surface.electrode, shifts)
    if found is None:
        holes = sorted(network.species - energies.values.keys())
        why = "; ".join(
            f"{s}: {energies.reasons.get(s, 'not computed')}" for s in holes
        )
        raise NotComputedError(
            f"{reaction} has no complete pathway on {surface.cluster}: {why}"
        )
    return found


def _evaluate_product(
    read: ReadClaim, molecule: str, surface: Surface, shifts: Shifts
) -> Outcome:
    """The lead of a product on the best of the others, V."""
    by_product: dict[str, Floats] = {}
    for reaction in reactions_of(read, surface):
        product = surface.networks[reaction].spec.product
        samples = _sample_reaction(surface, reaction, shifts).best.samples_v_rhe
        known = by_product.get(product, samples)
        by_product[product] = np.maximum(known, samples)
    if molecule not in by_product:
        raise NotComputedError(f"no reaction of CO2 to {molecule} on {surface.cluster}")
    own = by_product.pop(molecule)
    if not by_product:
        raise NotComputedError(
            f"{surface.cluster} has no product of CO2 beside {molecule} to compare with"
        )
    others = np.array(list(by_product.values()))
    lead = own - others.max(axis=0)
    # Of n that are equal, as where one step limits them all, each is one n-th the best.
    n_equal = 1 + (np.abs(others - own) <= TIE_V).sum(axis=0)
    return Outcome(values=lead, holds=np.where(lead >= -TIE_V, 1 / n_equal, 0.0))


def compare_published(read: ReadClaim, values: Floats) -> float | None:
    """The share of samples within the tolerance of what was published."""
    if read.published is None or read.tolerance is None:
        return None
    return float(np.mean(np.abs(values - read.published) <= read.tolerance))


def _find_deciding(
    read: ReadClaim,
    surfaces: Mapping[str, Surface],
    shifts: Mapping[str, Shifts],
    outcome: Outcome,
) -> tuple[DecidingSpecies, ...]:
    """Species that carry the variance, and how narrow they would decide the claim."""
    columns = _list_columns(shifts)
    if not columns or not outcome.values.std():
        return ()
    errors = np.column_stack([shifts[c].values_ev[:, i] for c, i in columns.values()])
    errors -= errors.mean(axis=0)
    left = outcome.values - outcome.values.mean()
    covariance, with_value = errors.T @ errors, errors.T @ left
    total = float(left @ left)
    chosen: list[int] = []

    def regress(indices: Sequence[int]) -> Floats:
        """The share of each of some species; together they are R²."""
        own = with_value[indices]
        inverse = np.linalg.pinv(covariance[np.ix_(indices, indices)])
        shares: Floats = own * (inverse @ own) / total
        return shares

    factor, known = None, 0.0
    while len(chosen) < min(_MOST_DECIDING, len(columns)) and factor is None:
        rest = [i for i in range(len(columns)) if i not in chosen]
        best = max(rest, key=lambda i: regress([*chosen, i]).sum())
        found = float(regress([*chosen, best]).sum())
        if found - known < _LEAST_SHARE:
            break
        chosen.append(best)
        known = found
        factor = _find_factor(read, surfaces, shifts, errors[:, chosen])
    names, widths = list(columns), errors.std(axis=0)
    deciding = [
        DecidingSpecies(
            cluster=names[i][0],
            species=names[i][1],
            share=float(share),
            deviation_ev=float(widths[i]),
            needed_ev=None if factor is None else factor * float(widths[i]),
        )
        for i, share in zip(chosen, regress(chosen), strict=True)
    ]
    return tuple(sorted(deciding, key=lambda one: -one.share))


def _list_columns(
    shifts: Mapping[str, Shifts],
) -> dict[tuple[str, str], tuple[str, int]]:
    """Where the error of each species stands; of a molecule, which all share, once."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for cluster, own in shifts.items():
        for index, species in enumerate(own.species):
            if own.values_ev[:, index].any():
                owner = cluster if species.startswith("*") else ""
                found.setdefault((owner, species), (cluster, index))
    return found


def _find_factor(
    read: ReadClaim,
    surfaces: Mapping[str, Surface],
    shifts: Mapping[str, Shifts],
    errors: Floats,
) -> float | None:
    """The largest factor on some errors with which the claim is decided, if any.

    `errors` has shape (n_samples, n_species).
    """
    inverse = np.linalg.pinv(errors.T @ errors)
    known = {
        name: errors @ (inverse @ (errors.T @ own.values_ev))
        for name, own in shifts.items()
    }

    def is_decided(factor: float) -> bool:
        narrowed = {
            name: replace(own, values_ev=own.values_ev - (1 - factor) * known[name])
            for name, own in shifts.items()
        }
        found = _evaluate(read, surfaces, narrowed)
        return name_verdict(found.probability) != "undecided"

    if not is_decided(_FACTORS[-1]):
        return None
    return next(factor for factor in _FACTORS if is_decided(factor))
