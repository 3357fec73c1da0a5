"""Stage adsorb: the minima of one adsorbate on one cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clusterflow.core.fate import Verdict, judge
from clusterflow.core.placement import Start, place_adsorbate
from clusterflow.core.spin import by_energy, complex_multiplicities
from clusterflow.io import from_atoms, to_atoms
from clusterflow.models import Model
from clusterflow.protocol import PROTOCOL
from clusterflow.records import AdsorbRecord, Minimum, SpinState, Structure
from clusterflow.tasks.job import settings_of
from clusterflow.tasks.relaxation import Relaxation, same_geometry
from clusterflow.tasks.scratch import Scratch
from clusterflow.tasks.sites import sites_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clusterflow.config import AdsorbSettings, RelaxSettings, SitesSettings
    from clusterflow.records import Isomer, PoolRecord, RelaxRecord, Site, SitesRecord
    from clusterflow.specs import AdsorbateSpec, LevelSpec
    from clusterflow.tasks.job import Job

_SAME_ENERGY_EV = 0.005
# How many minima of another kind a search may come across before it gives up.
_SPARE_MINIMA = 2
# A coarse geometry with nearly the energy of another one will reach its minimum.
_SAME_SCREENED_EV = 0.01
# A spin state this close above another one at its geometry is relaxed as well: what a
# spin state gains by its own geometry is less.
_SPIN_WINDOW_EV = 0.3


class Outcome(Model):
    """What one start came to, in a form that can wait in the scratch folder."""

    outcome: str
    reason: str = ""
    structure: Structure
    energy_ev: float | None = None
    fmax_ev_per_a: float | None = None
    n_gradients: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Everything the search for one pair needs."""

    host: Isomer
    level: LevelSpec
    adsorbate: AdsorbateSpec
    others: Mapping[str, AdsorbateSpec]
    multiplicities: tuple[int, ...]
    settings: AdsorbSettings
    relax: RelaxSettings
    scratch: Scratch
    job: Job

    def verdict(self, structure: Structure) -> Verdict:
        return judge(structure, self.host.structure, self.adsorbate, self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round after the first goes on from."""

    adsorbed: AdsorbRecord
    pool: PoolRecord
    sites: SitesSettings


def adsorb(
    relaxed: RelaxRecord,
    sites: SitesRecord,
    adsorbate: AdsorbateSpec,
    others: Mapping[str, AdsorbateSpec],
    settings: AdsorbSettings,
    relax: RelaxSettings,
    job: Job,
    before: Round | None = None,
) -> AdsorbRecord:
    """All minima found for an adsorbate on the lowest isomer, lowest first.

    After a round before this one the isomers of its pool that were not tried yet are
    tried in the same way, and their minima join those known: all rounds stand in one
    record. Without such isomers nothing is computed.

    Every start is relaxed a few steps; those that still are what they were meant to
    be, lowest first, are relaxed to the end.

    Where several multiplicities are possible, starts are screened with one; its
    geometries then decide by single points which one goes on, because placed ones have
    stretched bonds, which favour high spin. At a minimum the others are tried again,
    and relaxed too if they are near.
    """
    job.settings = settings_of(relax, settings)
    found = _Found() if before is None else _found_before(before.adsorbed)
    if not relaxed.isomers or relaxed.level is None or sites.status != "ok":
        reason = relaxed.reason or sites.reason
        return _record(relaxed, adsorbate, found, reason, job)
    for host, places in _hosts(relaxed, sites, before):
        search = _Search(
            host=host,
            level=relaxed.level,
            adsorbate=adsorbate,
            others=others,
            multiplicities=complex_multiplicities(
                host.structure, adsorbate, relaxed.level, relaxed.cluster
            ),
            settings=settings,
            relax=relax,
            scratch=Scratch(job.scratch),
            job=job,
        )
        starts = place_adsorbate(
            host.structure,
            places,
            adsorbate,
            multiplicity=search.multiplicities[0],
            max_starts=settings.max_screened,
        )
        minima, failures = _find_minima(search, starts)
        found.minima += minima
        found.failures += failures
        found.n_starts += len(starts)
        found.isomers.append(host.structure.name)
    reason = "" if found.n_starts else "no start fits any site without a clash"
    if found.n_starts and not found.minima:
        reason = ", ".join(f"{n} {why}" for why, n in found.failures.items())
    return _record(relaxed, adsorbate, found, reason, job)


@dataclass(slots=True, kw_only=True)
class _Found:
    """What the searches on all isomers have come to so far."""

    minima: list[Minimum] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    n_starts: int = 0
    isomers: list[str] = field(default_factory=list)


def _found_before(adsorbed: AdsorbRecord) -> _Found:
    return _Found(
        minima=list(adsorbed.minima),
        failures=Counter(adsorbed.failures),
        n_starts=adsorbed.n_starts,
        isomers=list(adsorbed.isomers_tried),
    )


def _hosts(
    relaxed: RelaxRecord, sites: SitesRecord, before: Round | None
) -> Iterator[tuple[Isomer, tuple[Site, ...]]]:
    """Isomers to try in this round, with their sites."""
    if before is None:
        yield relaxed.isomers[0], sites.sites
        return
    for pooled in before.pool.isomers:
        structure = pooled.isomer.structure
        if structure.name not in before.adsorbed.isomers_tried:
            yield pooled.isomer, sites_on(structure, before.sites)[1]


def _record(
    relaxed: RelaxRecord,
    adsorbate: AdsorbateSpec,
    found: _Found,
    reason: str,
    job: Job,
) -> AdsorbRecord:
    return AdsorbRecord(
        cluster=relaxed.cluster,
        adsorbate=adsorbate.name,
        level=relaxed.level,
        minima=tuple(sorted(found.minima, key=lambda m: m.energy_ev)),
        n_starts=found.n_starts,
        failures=dict(found.failures),
        isomers_tried=tuple(found.isomers),
        status="ok" if found.minima else "failed",
        reason="" if found.minima else reason,
        provenance=job.provenance(relaxed.level),
    )


def _find_minima(
    search: _Search, starts: Sequence[Start]
) -> tuple[list[Minimum], Counter[str]]:
    failures: Counter[str] = Counter()
    screened = [(start, _screen(search, start)) for start in starts]
    groups = _merge_screened(search, screened, failures)
    minima: list[Minimum] = []
    n_intact = 0
    for group in groups:
        start, coarse = group[0]
        # Starts that fell apart are worth a look, but not in the place of good ones.
        if n_intact >= search.settings.max_relaxed:
            break
        if len(minima) >= search.settings.max_relaxed + _SPARE_MINIMA:
            break
        done, states = _finish_lowest(search, coarse)
        if done.outcome != "converged":
            failures[done.outcome] += len(group)
            continue
        minimum = _minimum(search, start, done, len(group))
        minimum = minimum.model_copy(update={"spin_states": states})
        n_intact += minimum.fate == "intact"
        _add(minima, minimum)
    return minima, failures


def _screen(search: _Search, start: Start) -> Outcome:
    """A start after a few steps."""
    steps = search.settings.screen_steps
    return _advance(search, start.structure, "screen", steps)


def _finish(search: _Search, coarse: Outcome) -> Outcome:
    """A screened geometry brought to its minimum."""
    return _advance(search, coarse.structure, "finish", search.relax.max_steps)


def _lowest_spin(search: _Search, coarse: Outcome) -> Outcome:
    """A screened geometry in the spin state that is lowest there."""
    others = [
        _single_point(search, coarse.structure, multiplicity)
        for multiplicity in search.multiplicities
        if multiplicity != coarse.structure.multiplicity
    ]
    found = [coarse, *(o for o in others if o.energy_ev is not None)]
    return min(found, key=lambda outcome: outcome.energy_ev or 0.0)


def _single_point(search: _Search, structure: Structure, multiplicity: int) -> Outcome:
    """The energy of a geometry with another multiplicity."""
    changed = structure.model_copy(update={"multiplicity": multiplicity})
    return _advance(search, changed, "screen", 0)


def _finish_lowest(
    search: _Search, coarse: Outcome
) -> tuple[Outcome, tuple[SpinState, ...]]:
    """A geometry's minimum in its lowest spin state, and the states that were tried."""
    best = _finish(search, coarse)
    own = coarse.structure.multiplicity
    rest = [m for m in search.multiplicities if m != own]
    if not rest:
        return best, ()
    states = {own: _spin_state(best, own, relaxed=True)}
    for multiplicity in rest:
        geometry = best if best.outcome == "converged" else coarse
        point = _single_point(search, geometry.structure, multiplicity)
        states[multiplicity] = _spin_state(point, multiplicity, relaxed=False)
        if point.energy_ev is None:
            continue
        limit = (best.energy_ev or 0.0) + _SPIN_WINDOW_EV
        if best.outcome == "converged" and point.energy_ev > limit:
            continue
        done = _finish(search, point)
        states[multiplicity] = _spin_state(done, multiplicity, relaxed=True)
        if done.outcome == "converged" and (
            best.outcome != "converged"
            or (done.energy_ev or 0.0) < (best.energy_ev or 0.0)
        ):
            best = done
    return best, tuple(sorted(states.values(), key=by_energy))


def _spin_state(outcome: Outcome, multiplicity: int, *, relaxed: bool) -> SpinState:
    failed = relaxed and outcome.outcome != "converged"
    return SpinState(
        multiplicity=multiplicity,
        energy_ev=None if failed else outcome.energy_ev,
        relaxed=relaxed,
        reason=f"{outcome.outcome}: {outcome.reason}" if outcome.reason else "",
    )


def _advance(search: _Search, structure: Structure, kind: str, steps: int) -> Outcome:
    fmax = search.relax.fmax_ev_per_a
    key = (structure, search.level.hash, kind, fmax, steps, PROTOCOL["adsorb"])
    known = search.scratch.load(Outcome, *key)
    if known is not None:
        return known
    calculator = search.job.calculator(
        search.level, structure.charge, structure.multiplicity
    )
    relaxation = Relaxation(to_atoms(structure), calculator)
    advance = relaxation.run if kind == "screen" else relaxation.finish
    outcome = advance(fmax, steps)
    failed = outcome == "scf-failed"
    result = Outcome(
        outcome=outcome,
        reason=relaxation.reason,
        structure=from_atoms(
            relaxation.atoms,
            charge=structure.charge,
            multiplicity=structure.multiplicity,
            name=structure.name,
        ),
        energy_ev=None if failed else relaxation.energy_ev,
        fmax_ev_per_a=None if failed else relaxation.fmax_ev_per_a,
        n_gradients=relaxation.n_gradients,
    )
    search.scratch.save(result, *key)
    return result


def _merge_screened(
    search: _Search,
    screened: Sequence[tuple[Start, Outcome]],
    failures: Counter[str],
) -> list[list[tuple[Start, Outcome]]]:
    """Starts that have become one, grouped; the still intact first, lowest first."""
    groups: list[list[tuple[Start, Outcome]]] = []
    for start, coarse in screened:
        if coarse.energy_ev is None:
            failures[coarse.outcome] += 1
            continue
        for group in groups:
            if _alike(group[0][1], coarse, _SAME_SCREENED_EV):
                group.append((start, coarse))
                break
        else:
            groups.append([(start, coarse)])
    groups = [
        [(group[0][0], _lowest_spin(search, group[0][1])), *group[1:]]
        for group in groups
    ]

    def rank(group: list[tuple[Start, Outcome]]) -> tuple[bool, float]:
        coarse = group[0][1]
        verdict = search.verdict(coarse.structure)
        return verdict.fate != "intact", coarse.energy_ev or 0.0

    return sorted(groups, key=rank)


def _alike(first: Outcome, second: Outcome, energy_ev: float) -> bool:
    if first.energy_ev is None or second.energy_ev is None:
        return False
    near = abs(first.energy_ev - second.energy_ev) < energy_ev
    return near and same_geometry(to_atoms(first.structure), to_atoms(second.structure))


def _minimum(search: _Search, start: Start, done: Outcome, n_starts: int) -> Minimum:
    verdict = search.verdict(done.structure)
    assert done.energy_ev is not None and done.fmax_ev_per_a is not None
    return Minimum(
        structure=done.structure,
        energy_ev=done.energy_ev,
        fmax_ev_per_a=done.fmax_ev_per_a,
        n_gradients=done.n_gradients,
        n_starts=n_starts,
        fate=verdict.fate,
        detail=verdict.detail,
        core_intact=verdict.core_intact,
        isomer=search.host.structure.name,
        form=start.form,
        site_kind=start.site.kind,
        site_atoms=start.site.atoms,
    )


def _add(minima: list[Minimum], new: Minimum) -> None:
    """Add a minimum, or count it with the same one found before."""
    for index, known in enumerate(minima):
        near = abs(known.energy_ev - new.energy_ev) < _SAME_ENERGY_EV
        if near and same_geometry(to_atoms(known.structure), to_atoms(new.structure)):
            total = known.n_starts + new.n_starts
            minima[index] = known.model_copy(update={"n_starts": total})
            return
    minima.append(new)
