"""Global search of a cluster's isomers: starts for stage relax, inside its job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.model import Model
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import FoundIsomer, IsomerSearchResult
from clusterflow.records.structure import Structure
from clusterflow.science.adsorption.bare_isomers import why_other_species
from clusterflow.science.clusters.crossover import cut_and_splice
from clusterflow.science.clusters.random_moves import (
    is_accepted,
    random_cluster,
    random_move,
)
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.relaxation import Relaxation, rattled, same_geometry
from clusterflow.stages.parts.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.clusters import IsomerSearch
    from clusterflow.library.levels import LevelSpec
    from clusterflow.stages.parts.job import Job

# Loosely relaxed geometries of one minimum differ by so much, eV and Å.
_SAME_ENERGY_EV = 0.02
_SAME_A = 0.25
_RATTLE_A = 0.02
# Of a genetic search: minima that breed, and the share of children with one parent.
_POPULATION = 8
_MUTATED = 0.3


class _Hop(Model):
    """Where a hop has ended, as it waits in the scratch folder."""

    structure: Structure
    energy_ev: float | None
    failure: str = ""
    n_gradients: int


@dataclass(slots=True, kw_only=True)
class _Walks:
    """What the search needs, and what it has found so far."""

    settings: IsomerSearch
    level: LevelSpec
    job: Job
    scratch: Scratch
    found: list[FoundIsomer] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    n_gradients: int = 0


def search_isomers(
    starts: Sequence[Structure], settings: IsomerSearch, level: LevelSpec, job: Job
) -> IsomerSearchResult:
    """The lowest minima that a global search comes across, each once.

    In basin hopping one walk goes from each start: a move out of the minimum, a loose
    relaxation, and Metropolis' rule on the two minima. In a genetic search the starts
    and random geometries are the first parents; each further geometry is cut and
    spliced of two of the lowest minima found so far, or is one of them after a move.
    What falls apart, does not converge, or is another species is turned down. The same
    seed and level give the same search; finished hops are kept, so that a killed job
    goes on where it was.

    References
    ----------
    D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997),
    doi:10.1021/jp970984n; D. M. Deaven and K. M. Ho, Phys. Rev. Lett. 75, 288 (1995),
    doi:10.1103/PhysRevLett.75.288.
    """
    walks = _Walks(
        settings=settings, level=level, job=job, scratch=Scratch(job.scratch)
    )
    if settings.method == "genetic":
        _run_generations(walks, starts, np.random.default_rng(settings.seed))
    else:
        for number, start in enumerate(starts):
            _run_walk(walks, start, np.random.default_rng([settings.seed, number]))
    found = sorted(walks.found, key=lambda isomer: isomer.energy_ev)
    kept = [
        isomer
        for isomer in found[: settings.keep]
        if isomer.energy_ev - found[0].energy_ev <= settings.window_ev
    ]
    return IsomerSearchResult(
        level=level,
        n_hops=settings.steps * len(starts),
        failures=dict(walks.failures),
        n_isomers=len(found),
        candidates=tuple(_name_isomer(one, i) for i, one in enumerate(kept, start=1)),
        n_gradients=walks.n_gradients,
    )


def _run_walk(walks: _Walks, start: Structure, rng: np.random.Generator) -> None:
    first = rattled(to_atoms(start), _RATTLE_A).positions
    here = _try_hop(walks, start, first)
    for _ in range(walks.settings.steps):
        from_ = here.structure.xyz
        there = _try_hop(walks, start, random_move(start.symbols, from_, rng))
        if there.energy_ev is None:
            continue
        # A start that failed is left by the first hop that does not.
        rise_ev = there.energy_ev - (
            there.energy_ev if here.energy_ev is None else here.energy_ev
        )
        if is_accepted(rise_ev, walks.settings.hop_ev, rng):
            here = there


def _run_generations(
    walks: _Walks, starts: Sequence[Structure], rng: np.random.Generator
) -> None:
    for start in starts:
        _try_hop(walks, start, rattled(to_atoms(start), _RATTLE_A).positions)
    first = starts[0]
    n_children = walks.settings.steps * len(starts)
    n_random = min(_POPULATION, n_children // 4) - len(starts)
    for number in range(n_children):
        found = sorted(walks.found, key=lambda isomer: isomer.energy_ev)
        parents = [one.structure.xyz for one in found[:_POPULATION]]
        if number < n_random or not parents:
            new = random_cluster(first.symbols, rng)
        else:
            new = _breed(first.symbols, parents, rng)
        _try_hop(walks, first, new)


def _breed(
    symbols: Sequence[str], parents: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """A child of two parents, the first more often a low one, or of one by a move."""
    mother = int(rng.integers(rng.integers(len(parents)) + 1))
    father = int(rng.integers(len(parents)))
    child = None
    if mother != father and rng.random() > _MUTATED:
        child = cut_and_splice(symbols, parents[mother], parents[father], rng)
    return random_move(symbols, parents[mother], rng) if child is None else child


def _try_hop(walks: _Walks, start: Structure, positions: np.ndarray) -> _Hop:
    """The minimum below some positions, now among those found unless it is none."""
    hop = _compute_hop(walks, _replace_positions(start, positions))
    walks.n_gradients += hop.n_gradients
    failure = hop.failure
    if not failure and why_other_species(hop.structure, start):
        failure = "another species"
    if failure:
        walks.failures[failure] += 1
        return hop.model_copy(update={"energy_ev": None})
    _count_minimum(walks, hop)
    return hop


def _compute_hop(walks: _Walks, structure: Structure) -> _Hop:
    fmax, steps = walks.settings.fmax_ev_per_a, walks.settings.max_steps
    key = (structure, walks.level.hash, "search", fmax, steps, STAGES["relax"].protocol)
    known = walks.scratch.load(_Hop, *key)
    if known is not None:
        return known
    calculator = walks.job.calculator(
        walks.level, structure.charge, structure.multiplicity
    )
    relaxation = Relaxation(to_atoms(structure), calculator)
    outcome = relaxation.finish(fmax, steps)
    done = outcome == "converged"
    hop = _Hop(
        structure=from_atoms(
            relaxation.atoms,
            charge=structure.charge,
            multiplicity=structure.multiplicity,
            name=structure.name,
        ),
        energy_ev=relaxation.energy_ev if done else None,
        failure="" if done else outcome,
        n_gradients=relaxation.n_gradients,
    )
    walks.scratch.save(hop, *key)
    return hop


def _count_minimum(walks: _Walks, hop: _Hop) -> None:
    """Add a minimum to those found, or count it with the same one."""
    assert hop.energy_ev is not None
    atoms = to_atoms(hop.structure)
    for index, known in enumerate(walks.found):
        near = abs(known.energy_ev - hop.energy_ev) < _SAME_ENERGY_EV
        if near and same_geometry(to_atoms(known.structure), atoms, _SAME_A):
            better = hop if hop.energy_ev < known.energy_ev else known
            walks.found[index] = FoundIsomer(
                structure=better.structure,
                energy_ev=min(hop.energy_ev, known.energy_ev),
                n_found=known.n_found + 1,
            )
            return
    walks.found.append(
        FoundIsomer(structure=hop.structure, energy_ev=hop.energy_ev, n_found=1)
    )


def _replace_positions(start: Structure, positions: np.ndarray) -> Structure:
    points = tuple((float(x), float(y), float(z)) for x, y, z in positions)
    return start.model_copy(update={"positions": points})


def _name_isomer(isomer: FoundIsomer, number: int) -> FoundIsomer:
    named = isomer.structure.model_copy(update={"name": f"search-{number}"})
    return isomer.model_copy(update={"structure": named})
