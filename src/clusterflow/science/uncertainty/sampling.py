r"""Uncertainty of limiting potentials: from deviations of species to rankings.

Every free energy is a mean and named standard deviations. Samples of the energies go
through the whole network at once; out come the interval on the limiting potential,
the probability of each step being the determining one, and of one surface being
better than another. The level's error of an adsorbate i held by a bond b is

.. math:: \delta_i = \sigma_i (\sqrt{d}\, z + \sqrt{a}\, z_b + \sqrt{1 - d - a}\, z_i)

with independent standard normal z; d is the part of the variance that the diagram
shares, a the part that a kind of bond b shares. What DFT is off by has three such
errors: of the functional, of the basis and of the geometry. Between species of the
same σ the first cancels from every \*A → \*B step, the second where the bond stays.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.errors import RecordError
from clusterflow.science.reactions.che import TIE_V
from clusterflow.science.reactions.network import SITE, list_intermediates
from clusterflow.science.reactions.profiles import find_profiles
from clusterflow.science.reactions.transfers import direction, find_adsorptions
from clusterflow.science.uncertainty.deviations import METHOD_PARTS, SURFACE_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from clusterflow.science.reactions.che import Electrode, FreeEnergies
    from clusterflow.science.reactions.network import Equation, Network
    from clusterflow.science.reactions.profiles import Profiles
    from clusterflow.science.reactions.transfers import Adsorptions
    from clusterflow.science.uncertainty.deviations import Deviations

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

N_SAMPLES: Final = 10_000
SEED: Final = 20_240_229

# The central 90 %.
QUANTILES: Final = (0.05, 0.50, 0.95)

# Surfaces share those of gases and groups, reactions those of a surface: 20 MB.
_MOST_DRAWS_KEPT: Final = 256

# The name of one standard normal variable, such as ("gas", "CO").
Draw = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shifts:
    """Sampled shifts of free energies: `values_ev`, shape (n_samples, n_species)."""

    species: tuple[str, ...]
    values_ev: Floats


def sample_species(
    species: Iterable[str],
    deviations: Deviations,
    *,
    surface: str,
    level_group: str = "study",
    n_samples: int = N_SAMPLES,
    seed: int = SEED,
) -> Shifts:
    """Random shifts of free energies, in eV, the same for the same seed and names.

    Each variable is drawn from a stream of its own, seeded by `seed` and its name, so
    a sample of one surface pairs with the same sample of another, and a species more
    or less changes nothing for the rest.

    Parameters
    ----------
    species
        Terms such as ``*COOH`` or ``CO(g)``. A gas and its liquid move together.
    deviations
        Their standard deviations.
    surface
        Name of the surface. It owns the independent part of the level's error and
        the deviations ``isomer``, ``site``, ``cutoff`` and ``solvation``; ``gas`` and
        ``group`` belong to no surface and are common to all.
    level_group
        Surfaces with the same group share the diagram's and the bond's part of a
        level's error that is an assumption, so a bias of the method cancels from
        their ranking. By default all do. With the name of the surface, and where the
        error was measured, surfaces share nothing of it.
    n_samples
        Number of samples.
    seed
        Of all draws.

    Raises
    ------
    RecordError
        If a species has no entry in the deviations.

    Examples
    --------
    >>> from clusterflow.science.uncertainty.deviations import Deviations
    >>> oxygen = Deviations(sigma_ev={"*O": {"level": 0.3}}, bond={"*O": "oxide"})
    >>> shifts = sample_species(["*", "*O"], oxygen, surface="Cu4")
    >>> shifts.values_ev.shape, round(float(shifts.values_ev[:, 1].std()), 2)
    ((10000, 2), 0.3)
    """
    columns = tuple(dict.fromkeys(species))
    drawn: dict[Draw, Floats] = {}
    values = np.zeros((n_samples, len(columns)))
    for column, term in enumerate(columns):
        weights = draw_weights(term, deviations, surface, level_group)
        for draw, weight in weights.items():
            if draw not in drawn:
                drawn[draw] = _draw_standard_normal(draw, n_samples, seed)
            values[:, column] += weight * drawn[draw]
    return Shifts(species=columns, values_ev=values)


def draw_uniform(draw: Draw, n_samples: int = N_SAMPLES, seed: int = SEED) -> Floats:
    """Samples between 0 and 1 of one variable, by its name, shape (n_samples,)."""
    return np.asarray(_make_generator(draw, seed).random(n_samples))


@lru_cache(maxsize=_MOST_DRAWS_KEPT)
def _draw_standard_normal(draw: Draw, n_samples: int, seed: int) -> Floats:
    """Samples of one variable."""
    samples = _make_generator(draw, seed).standard_normal(n_samples)
    samples.flags.writeable = False
    return samples


def _make_generator(draw: Draw, seed: int) -> np.random.Generator:
    """That of one variable; its name is hashed, as `hash` differs between runs."""
    digest = hashlib.sha256("\n".join(draw).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.default_rng([seed, *words])


def draw_weights(
    term: str,
    deviations: Deviations,
    surface: str,
    level_group: str,
) -> dict[Draw, float]:
    """What each standard normal variable adds to the energy of a term, eV."""
    sigma = deviations.of(term)
    weights: dict[Draw, float] = {}
    if "gas" in sigma:
        weights["gas", term.partition("(")[0]] = sigma["gas"]
    for molecule, n in deviations.inherits.get(term, {}).items():
        weights["gas", molecule] = n * deviations.of(f"{molecule}(g)").get("gas", 0.0)
    correlation = deviations.correlation
    owner = surface if correlation.of_surface else level_group
    for part in METHOD_PARTS:
        if part in sigma:
            shared = f"{part}-shared", owner
            weights[shared] = sigma[part] * sqrt(correlation.diagram)
            by_bond = sigma[part] * sqrt(correlation.bond)
            weights[*shared, deviations.bond[term]] = by_bond
            weights[part, surface, term] = sigma[part] * sqrt(correlation.independent)
    if "group" in sigma:
        loads = deviations.group_loads.get(term, {})
        for name, load in loads.items():
            weights["group", name] = load
        own = sigma["group"] ** 2 - sum(load**2 for load in loads.values())
        weights["group-own", term] = sqrt(max(0.0, own))
    for part in SURFACE_PARTS:
        if part in sigma:
            weights[part, surface, term] = sigma[part]
    return weights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LimitingPotential:
    """Distribution of a limiting potential, V against RHE.

    `samples_v_rhe`, shape (n_samples,), pairs with that of another surface;
    `lower_v_rhe` and `upper_v_rhe` hold the central 90 %, and the lower is the worse.
    `determining` has the step of each sample. Probabilities come highest first,
    without the steps that never determine.
    """

    samples_v_rhe: Floats
    determining: NDArray[np.str_]
    median_v_rhe: float
    lower_v_rhe: float
    upper_v_rhe: float
    deviation_v: float
    determining_step_probability: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UncertainPotential:
    """A reaction on one surface: its limiting potential and its best pathway.

    `best_pathway` is the best one without shifts. `best` takes the best pathway of
    each sample: what the surface can do; `fixed` takes `best_pathway` in each: what
    its diagram shows. Probabilities come highest first, without those that are zero.
    `tied_pathways` have as many closed steps as `best_pathway`, and a limiting
    potential that is lower by no more than one standard deviation of the difference.
    """

    best: LimitingPotential
    fixed: LimitingPotential
    best_pathway: str
    best_pathway_probability: float
    pathway_probability: Mapping[str, float]
    tied_pathways: tuple[str, ...]


def propagate(
    network: Network, energies: FreeEnergies, electrode: Electrode, shifts: Shifts
) -> UncertainPotential | None:
    """Distribution of the limiting potential of a reaction on one surface.

    In each sample pathways are ranked as in `clusterflow.science.reactions.che`: only
    complete ones, by the number of thermally closed chemical steps, then by limiting
    potential, then by chemical step; what is still tied, in the order of the network.

    Parameters
    ----------
    network
        The reaction.
    energies
        Mean free energies of the species, eV.
    electrode
        For steps whose electrons and protons differ in number.
    shifts
        Of all species of the complete pathways. The pair of proton and electron is
        exact, unless ``H+`` is among them: as H2 is no anchor, it inherits half of it.

    Returns
    -------
    UncertainPotential or None
        None where no pathway is complete, or none moves an electron.

    Raises
    ------
    RecordError
        If a species has no shifts.

    Examples
    --------
    >>> from clusterflow.science.uncertainty.deviations import Deviations
    >>> from clusterflow.science.reactions.che import Electrode, FreeEnergies
    >>> from clusterflow.science.reactions.network import Network, parse_equation
    >>> step = parse_equation("* + H+ + e- -> *H")
    >>> network = Network(spec=None, overall=step, pathways=((step,),))
    >>> hydrogen = Deviations(sigma_ev={"*H": {"level": 0.2}}, bond={"*H": "hydride"})
    >>> found = propagate(
    ...     network,
    ...     FreeEnergies(values={"*": 0.0, "*H": 0.4}, reasons={}),
    ...     Electrode(),
    ...     sample_species(["*H"], hydrogen, surface="Cu4"),
    ... )
    >>> round(found.best.median_v_rhe, 1), round(found.best.deviation_v, 1)
    (-0.4, 0.2)
    """
    steps = {step.name: step for path in network.pathways for step in path}
    known = {
        name: dg0
        for name, step in steps.items()
        if (dg0 := energies.reaction_ev(step)[0]) is not None
    }
    paths = [
        path
        for path in network.pathways
        if all(step.name in known for step in path)
        and any(direction(path) * step.n_e > 0 for step in path)
    ]
    if not paths:
        return None
    used = {step.name: step for path in paths for step in path}
    mean = np.array([[known[name] for name in used]])
    combined = [
        find_adsorptions(path) if network.pcet == "combined" else {} for path in paths
    ]
    sampled = _evaluate_profiles(
        used, paths, combined, electrode, mean + _sum_step_shifts(used, shifts)
    )
    without = _evaluate_profiles(used, paths, combined, electrode, mean)
    first = without.best[0]
    names = [
        " > ".join(list_intermediates(network.overall, list(path))) for path in paths
    ]
    probability = _compute_shares(sampled.best, names)
    return UncertainPotential(
        best=_summarise_samples(sampled, sampled.best, list(used)),
        fixed=_summarise_samples(
            sampled, np.full_like(sampled.best, first), list(used)
        ),
        best_pathway=names[first],
        best_pathway_probability=probability.get(names[first], 0.0),
        pathway_probability=probability,
        tied_pathways=tuple(
            names[i] for i in _find_tied_pathways(without, sampled, first)
        ),
    )


def _find_tied_pathways(mean: Profiles, sampled: Profiles, best: np.intp) -> list[int]:
    """Indices of the pathways that the error does not tell from the best."""
    behind = mean.potential_v_rhe[0, best] - mean.potential_v_rhe[0]
    behind *= mean.direction
    samples = sampled.potential_v_rhe
    error = (samples[:, [best]] - samples).std(axis=0)
    same = mean.n_closed[0] == mean.n_closed[0, best]
    tied = same & (behind <= np.maximum(error, TIE_V))
    tied[best] = False
    return [int(index) for index in np.flatnonzero(tied)]


def sample_potential(
    network: Network,
    energies: FreeEnergies,
    deviations: Deviations,
    electrode: Electrode,
    *,
    surface: str,
) -> UncertainPotential | None:
    """Distribution of a reaction's limiting potential from all its known species.

    Distributions of two surfaces pair, sample by sample; None as for `propagate`.
    """
    known = sorted(s for s in network.species if s in energies.values)
    shifts = sample_species(known, deviations, surface=surface)
    return propagate(network, energies, electrode, shifts)


def _sum_step_shifts(steps: Mapping[str, Equation], shifts: Shifts) -> Floats:
    """Shift of each step's free energy, eV, shape (n_samples, n_steps)."""
    rows = []
    for step in steps.values():
        missing = sorted(step.species - {SITE, *shifts.species})
        if missing:
            raise RecordError(
                f"step {step.name!r}: no shifts of {', '.join(missing)}; "
                "sample every species of the network"
            )
        rows.append([step.products[s] - step.reactants[s] for s in shifts.species])
    return shifts.values_ev @ np.array(rows, dtype=np.float64).T


def _evaluate_profiles(
    steps: Mapping[str, Equation],
    paths: Sequence[Sequence[Equation]],
    adsorptions: Sequence[Adsorptions],
    electrode: Electrode,
    dg0_ev: Floats,
) -> Profiles:
    """Pathways from their steps' free energies at 0 V, shape (n_samples, n_steps)."""
    turning = np.full_like(dg0_ev, np.inf)
    for column, step in enumerate(steps.values()):
        if step.n_e:
            # The turning point is linear in ΔG, with the slope −1/n_e.
            flat = electrode.turning_point_rhe_v(0.0, step.n_e, step.n_h)
            turning[:, column] = flat - dg0_ev[:, column] / step.n_e
    return find_profiles(list(steps.values()), paths, dg0_ev, turning, adsorptions)


def _summarise_samples(
    profiles: Profiles, pathway: Indices, steps: Sequence[str]
) -> LimitingPotential:
    """Of the given pathway of each sample, by its index, shape (n_samples,)."""
    rows = np.arange(len(pathway))
    samples = profiles.potential_v_rhe[rows, pathway]
    lower, median, upper = np.quantile(samples, QUANTILES)
    determining = profiles.determining[rows, pathway]
    return LimitingPotential(
        samples_v_rhe=samples,
        determining=np.array(steps)[determining],
        median_v_rhe=float(median),
        lower_v_rhe=float(lower),
        upper_v_rhe=float(upper),
        deviation_v=float(samples.std()),
        determining_step_probability=_compute_shares(determining, steps),
    )


def _compute_shares(indices: Indices, names: Sequence[str]) -> dict[str, float]:
    """How often each name occurs, most frequent first, without those that never do."""
    counts = np.bincount(indices, minlength=len(names)).tolist()
    found: Counter[str] = Counter()
    for name, count in zip(names, counts, strict=True):
        found[name] += count
    return {name: n / len(indices) for name, n in found.most_common() if n}


def probability_better(a_v_rhe: Floats, b_v_rhe: Floats) -> float:
    """Probability that A has the higher limiting potential; a tie counts half.

    Parameters
    ----------
    a_v_rhe, b_v_rhe
        Samples of both, V against RHE, shape (n_samples,), drawn with one seed so
        that they pair.

    Raises
    ------
    ValueError
        If they are not of one shape, so cannot pair.

    Examples
    --------
    >>> probability_better(np.array([-0.2, -0.5]), np.array([-0.3, -0.4]))
    0.5
    """
    if a_v_rhe.shape != b_v_rhe.shape:
        raise ValueError(f"samples do not pair: {a_v_rhe.shape}, {b_v_rhe.shape}")
    return float(np.mean(a_v_rhe > b_v_rhe) + np.mean(a_v_rhe == b_v_rhe) / 2)
