"""The search for the minima of one adsorbate on one isomer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from clusterflow.records.adsorption import Minimum
from clusterflow.records.atoms import to_atoms
from clusterflow.science.adsorption.kicks import kicked
from clusterflow.science.adsorption.same_minimum import (
    Shape,
    near_shape,
    same_shape,
    shape_of,
)
from clusterflow.science.adsorption.search_decisions import (
    better_half,
    group_candidates,
    is_exhausted,
)
from clusterflow.science.adsorption.surface_bonds import surface_bonds
from clusterflow.science.geometry.symmetry import own_permutations
from clusterflow.stages.parts.descent import Descent, finish_lowest, single_point
from clusterflow.stages.parts.relaxation import same_geometry

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from clusterflow.records.clusters import SpinState
    from clusterflow.records.structure import Structure
    from clusterflow.science.adsorption.outcome import FateVerdict
    from clusterflow.science.adsorption.starts_on_sites import Start
    from clusterflow.science.adsorption.surface_bonds import SurfaceBond
    from clusterflow.stages.parts.descent import DescentResult, MinimumSearch

# Minima are one if they agree in these; their forces are not quite zero.
_SAME_A, _SAME_EV = 0.1, 0.005
# Coarse geometries so alike end in one minimum: of H, CO, COOH and OCHO on Cd6Se6 and
# Cu8 those that still move end apart in one case of twenty.
_ALIKE_A, _ALIKE_EV = 0.3, 0.1
# After so many steps a geometry is looked at: whether it still is what was meant, or,
# when it was kicked, is back where it came from.
_LOOK_STEPS = 8
# Of one set of bonds so many are followed: a start may fall into other bonds.
_TRIES_OF_BONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A geometry on its way to a minimum, for all starts that came to it."""

    start: Start
    outcome: DescentResult
    verdict: FateVerdict
    shape: Shape
    bonds: tuple[SurfaceBond, ...]
    n_starts: int

    @property
    def energy_ev(self) -> float:
        assert self.outcome.energy_ev is not None
        return self.outcome.energy_ev

    @property
    def is_intact(self) -> bool:
        return self.verdict.fate == "intact"

    @property
    def ways(self) -> tuple[Hashable, ...]:
        start = self.start
        kind = start.site.kind if start.placed == "site" else ""
        return (start.placed, start.form, kind), self.bonds


@dataclass(slots=True, kw_only=True)
class _Found:
    """Distinct minima so far, and what else became of starts."""

    host: Structure
    known: list[_Candidate] = field(default_factory=list)
    spin_states: list[tuple[SpinState, ...]] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    # Good ones that a halving dropped.
    reserve: list[_Candidate] = field(default_factory=list)
    # Good ones that were followed to their end.
    followed: list[_Candidate] = field(default_factory=list)

    @property
    def lowest(self) -> _Candidate:
        """The lowest intact minimum; there must be one."""
        return min((c for c in self.known if c.is_intact), key=lambda c: c.energy_ev)

    @property
    def n_intact(self) -> int:
        return sum(candidate.is_intact for candidate in self.known)

    def alike(
        self,
        first: _Candidate,
        second: _Candidate,
        tolerance_a: float,
        energy_ev: float,
    ) -> bool:
        """Whether two candidates are one."""
        spins = {c.outcome.structure.multiplicity for c in (first, second)}
        if len(spins) > 1 or abs(first.energy_ev - second.energy_ev) > energy_ev:
            return False
        if not near_shape(first.shape, second.shape, tolerance_a):
            return False
        permutations = own_permutations(self.host)
        return same_shape(first.shape, second.shape, permutations, tolerance_a)

    def counted(self, new: _Candidate, tolerance_a: float, energy_ev: float) -> bool:
        """Count a candidate with the known minimum that it is, if there is one."""
        for index, old in enumerate(self.known):
            if self.alike(old, new, tolerance_a, energy_ev):
                total = old.n_starts + new.n_starts
                self.known[index] = replace(old, n_starts=total)
                return True
        return False

    def add(self, new: _Candidate, states: tuple[SpinState, ...]) -> bool:
        """Add a minimum, or count it with one known; whether it is a lowest one."""
        if self.counted(new, _SAME_A, _SAME_EV):
            return False
        kin = [c.energy_ev for c in self.known if c.is_intact == new.is_intact]
        self.known.append(new)
        self.spin_states.append(states)
        return new.energy_ev < min(kin, default=np.inf)


class FoundMinima(NamedTuple):
    """Minima, starts without one by reason, and the number of all starts."""

    minima: list[Minimum]
    failures: Counter[str]
    n_starts: int


def find_minima(search: MinimumSearch, starts: Sequence[Start]) -> FoundMinima:
    """Minima below some starts, and below those that kicks of the lowest add to them.

    All starts are screened; those that became one go on as one, the better half of
    them for twice the steps, as often as the settings say; the rest is relaxed.
    """
    found = _Found(host=search.host.structure)
    steps = search.settings.screen_steps
    fresh = [(start, Descent(search, start.structure), 1) for start in starts]
    candidates = _screen_descents(search, fresh, steps, found)
    candidates = [_choose_lowest_spin(search, c) for c in candidates]
    for _ in range(search.settings.halvings):
        steps *= 2
        candidates = _halve_candidates(search, candidates, steps, found)
    _relax_best(search, candidates, found)
    n_kicks = _kick_lowest_minimum(search, found)
    pairs = zip(found.known, found.spin_states, strict=True)
    minima = [_make_minimum(search, c, states) for c, states in pairs]
    return FoundMinima(minima, found.failures, len(starts) + n_kicks)


def _screen_descents(
    search: MinimumSearch,
    coming: Sequence[tuple[Start, Descent, int]],
    steps: int,
    found: _Found,
) -> list[_Candidate]:
    """Descents of so many starts some steps further, those that became one as one."""
    candidates = []
    for start, descent, n_starts in coming:
        outcome = descent.run(steps)
        descent.rest()
        made = _make_candidate(search, start, outcome, n_starts, found.failures)
        candidates += [] if made is None else [made]
    groups = group_candidates(
        candidates,
        lambda a, b: found.alike(a, b, _ALIKE_A, _ALIKE_EV),
        _ALIKE_EV,
    )
    return [
        replace(group[0], n_starts=sum(c.n_starts for c in group)) for group in groups
    ]


def _make_candidate(
    search: MinimumSearch,
    start: Start,
    outcome: DescentResult,
    n_starts: int,
    failures: Counter[str],
) -> _Candidate | None:
    """A start as far as it came; None, and counted, if it came to nothing."""
    if outcome.energy_ev is None:
        failures[outcome.outcome] += n_starts
        return None
    verdict = search.verdict(outcome.structure)
    shape = shape_of(outcome.structure, search.n_host, core_intact=verdict.core_intact)
    return _Candidate(
        start=start,
        outcome=outcome,
        verdict=verdict,
        shape=shape,
        bonds=surface_bonds(outcome.structure),
        n_starts=n_starts,
    )


def _halve_candidates(
    search: MinimumSearch, candidates: Sequence[_Candidate], steps: int, found: _Found
) -> list[_Candidate]:
    """The better half of the candidates after further steps."""
    settings = search.settings
    kept = better_half(
        candidates, settings.window_ev, settings.max_relaxed, search.spare
    )
    stay = {id(c) for c in kept}
    found.reserve += [c for c in candidates if c.is_intact and id(c) not in stay]
    further = [(c.start, c.outcome.descent, c.n_starts) for c in kept]
    return _screen_descents(search, further, steps, found)


def _relax_best(
    search: MinimumSearch, candidates: Sequence[_Candidate], found: _Found
) -> None:
    """Relax candidates to the end, lowest first, until that is enough.

    Good ones come first. Where they bring too few minima, what the halvings dropped
    follows: the lowest on the way often are those about to fall. Then comes the lowest
    of each set of bonds to the cluster that has no minimum yet: how the level orders
    these is no guide to how a better one does. What is no longer what was meant is
    worth a look where it lies below all good ones, or where those are too few: CO on
    Cd13Se13 pulls it into isomers that are 2 eV lower.
    """
    changed = [c for c in candidates if not c.is_intact]
    good = [c for c in candidates if c.is_intact]
    changed += _relax_good(search, good, found)
    changed += _relax_good(search, found.reserve, found)
    changed += _relax_other_bonds(search, [*good, *found.reserve], found)
    _relax_changed(search, changed, found)


def _relax_good(
    search: MinimumSearch, candidates: Sequence[_Candidate], found: _Found
) -> list[_Candidate]:
    """Relax good candidates, as many as are wanted; those that changed, unfinished."""
    wanted = search.settings.max_relaxed
    changed: list[_Candidate] = []
    news: list[bool] = []
    for coarse in sorted(candidates, key=lambda c: c.energy_ev):
        if found.n_intact >= wanted or is_exhausted(news, search.settings.patience):
            break
        found.followed.append(coarse)
        ahead = _follow_candidate(search, coarse, found)
        if ahead is not None and not ahead.is_intact:
            changed.append(ahead)
        elif ahead is not None:
            is_news = _relax_candidate(search, ahead, found)
            news += [] if is_news is None else [is_news]
    return changed


def _relax_other_bonds(
    search: MinimumSearch, candidates: Sequence[_Candidate], found: _Found
) -> list[_Candidate]:
    """Relax the lowest good one of each way to be bonded that is not known yet.

    Returns those that changed, unfinished.
    """
    changed: list[_Candidate] = []
    for coarse in sorted(candidates, key=lambda c: c.energy_ev):
        known = {c.bonds for c in found.known if c.is_intact}
        alike = [c for c in found.followed if c.bonds == coarse.bonds]
        if coarse.bonds in known or len(alike) >= _TRIES_OF_BONDS:
            continue
        if any(coarse is one for one in alike):
            continue
        found.followed.append(coarse)
        ahead = _follow_candidate(search, coarse, found)
        if ahead is not None and not ahead.is_intact:
            changed.append(ahead)
        elif ahead is not None:
            _relax_candidate(search, ahead, found)
    return changed


def _relax_changed(
    search: MinimumSearch, candidates: Sequence[_Candidate], found: _Found
) -> None:
    """Relax the lowest of those that changed, as few as may be."""
    n_more = search.spare
    for coarse in sorted(candidates, key=lambda c: c.energy_ev):
        is_low = not found.n_intact or coarse.energy_ev < found.lowest.energy_ev
        is_wanted = is_low or found.n_intact < search.settings.max_relaxed
        if n_more and is_wanted and _relax_candidate(search, coarse, found) is not None:
            n_more -= 1


def _follow_candidate(
    search: MinimumSearch, coarse: _Candidate, found: _Found
) -> _Candidate | None:
    """A good candidate at rest, or as soon as it is no longer what was meant."""
    ahead: _Candidate | None = coarse
    for _ in range(0, search.relax.max_steps, _LOOK_STEPS):
        if ahead is None or not ahead.is_intact or ahead.outcome.outcome != "running":
            break
        outcome = ahead.outcome.descent.run(_LOOK_STEPS)
        ahead = _make_candidate(
            search, coarse.start, outcome, coarse.n_starts, found.failures
        )
    if ahead is not None and not ahead.is_intact:
        ahead.outcome.descent.rest()
    return ahead


def _kick_lowest_minimum(search: MinimumSearch, found: _Found) -> int:
    """Kick the lowest good minimum until none lower is found; how often that was.

    A kick that soon is back near a known minimum counts as a start of that one.
    """
    n_kicks = n_idle = 0
    while found.n_intact and n_idle < search.tries(search.settings.kicks):
        lowest = found.lowest
        seed = (search.settings.seed, n_kicks)
        structure = kicked(lowest.outcome.structure, search.n_host, seed)
        start = replace(lowest.start, structure=structure, placed="kicked")
        outcome = Descent(search, structure).run(_LOOK_STEPS)
        coarse = _make_candidate(search, start, outcome, 1, found.failures)
        if coarse and not found.counted(coarse, _ALIKE_A, _ALIKE_EV):
            ahead = _follow_candidate(search, coarse, found)
            if ahead and ahead.is_intact:
                _relax_candidate(search, ahead, found)
        n_kicks += 1
        n_idle = n_idle + 1 if found.lowest.outcome is lowest.outcome else 0
    return n_kicks


def _relax_candidate(
    search: MinimumSearch, coarse: _Candidate, found: _Found
) -> bool | None:
    """Whether a candidate ends in a lowest minimum; None if it ends in none."""
    outcome, states = finish_lowest(search, coarse.outcome)
    coarse.outcome.descent.rest()
    if outcome.outcome != "converged":
        found.failures[outcome.outcome] += coarse.n_starts
        return None
    done = _make_candidate(
        search, coarse.start, outcome, coarse.n_starts, found.failures
    )
    return None if done is None else found.add(done, states)


def _choose_lowest_spin(search: MinimumSearch, coarse: _Candidate) -> _Candidate:
    """A screened geometry in the spin state that is lowest there."""
    structure = coarse.outcome.structure
    others = [
        single_point(search, structure, multiplicity)
        for multiplicity in search.multiplicities
        if multiplicity != structure.multiplicity
    ]
    points = [coarse.outcome, *(o for o in others if o.energy_ev is not None)]
    best = min(points, key=lambda outcome: outcome.energy_ev or 0.0)
    return replace(coarse, outcome=best)


def same_minimum(first: Minimum, second: Minimum) -> bool:
    """Whether two minima of one adsorbate are one, by energy and sorted distances."""
    near = abs(first.energy_ev - second.energy_ev) < _SAME_EV
    return (
        near
        and (first.isomer, first.fate) == (second.isomer, second.fate)
        and same_geometry(
            to_atoms(first.structure), to_atoms(second.structure), _SAME_A
        )
    )


def _make_minimum(
    search: MinimumSearch, found: _Candidate, states: tuple[SpinState, ...]
) -> Minimum:
    done, start = found.outcome, found.start
    assert done.fmax_ev_per_a is not None
    return Minimum(
        structure=done.structure,
        energy_ev=found.energy_ev,
        fmax_ev_per_a=done.fmax_ev_per_a,
        n_gradients=done.n_gradients,
        n_starts=found.n_starts,
        fate=found.verdict.fate,
        detail=found.verdict.detail,
        core_intact=found.verdict.core_intact,
        isomer=search.host.structure.name,
        form=start.form,
        site_kind=start.site.kind,
        site_atoms=start.site.atoms,
        placed=start.placed,
        spin_states=states,
        frozen=search.frozen,
    )
