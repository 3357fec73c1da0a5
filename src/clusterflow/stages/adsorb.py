"""Stage adsorb: the minima of one adsorbate on one cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clusterflow.engines import check_elements
from clusterflow.errors import RecordError
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord, SitesRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.science.adsorption.bare_isomers import all_isomers
from clusterflow.science.adsorption.frozen_shell import find_shell
from clusterflow.science.adsorption.starts_at_random import place_anywhere
from clusterflow.science.adsorption.starts_from_others import offered_start
from clusterflow.science.adsorption.starts_on_sites import place_adsorbate
from clusterflow.science.clusters.spin import complex_multiplicities
from clusterflow.settings import AdsorbSettings, RelaxSettings, SitesSettings
from clusterflow.stages.parts.descent import MinimumSearch
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.minimum_search import find_minima, same_minimum
from clusterflow.stages.parts.scratch import Scratch
from clusterflow.stages.sites import sites_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.records.adsorption import Minimum, Offer, Site
    from clusterflow.records.clusters import Isomer
    from clusterflow.science.adsorption.starts_on_sites import Start
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Adsorb and pool records of the round before, and the settings of sites."""

    adsorbed: AdsorbRecord
    pool: PoolRecord
    sites: SitesSettings


def adsorb(
    relaxed: RelaxRecord,
    sites: SitesRecord,
    adsorbate: AdsorbateSpec,
    settings: AdsorbSettings,
    job: Job,
    *,
    others: Mapping[str, AdsorbateSpec],
    relax: RelaxSettings,
    before: Round | None = None,
) -> AdsorbRecord:
    """All minima found for an adsorbate on the lowest isomer, lowest first.

    After a round before this one the isomers of its pool that were not tried yet are
    tried in the same way, and their minima join those known: all rounds stand in one
    record. Where another adsorbate has become this one, that geometry is a start too.
    Without such isomers and geometries nothing is computed.

    How the minima are looked for stands in docs/theory/adsorb.md.

    Where several multiplicities are possible, starts are screened with one; its
    geometries then decide by single points which one goes on, because placed ones have
    stretched bonds, which favour high spin. At a minimum the others are tried again,
    and relaxed too if they are near.

    Raises
    ------
    EngineError
        If the level has no parameters for an element of the adsorbate.
    """
    job.settings = settings_of(relax, settings)
    found = _Found() if before is None else _restore_findings(before.adsorbed)
    if not relaxed.isomers or relaxed.level is None or sites.status != "ok":
        reason = relaxed.reason or sites.reason
        return _make_adsorb_record(relaxed, adsorbate, found, reason, job)
    check_elements(relaxed.level, adsorbate.counts, adsorbate.name)

    def search_on(host: Isomer) -> MinimumSearch:
        assert relaxed.level is not None
        return MinimumSearch(
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
            frozen=find_shell(host.structure) if settings.freeze == "shell" else (),
        )

    for host, places in _list_isomers_to_try(relaxed, sites, before):
        search = search_on(host)
        found.add(search, _place_starts(search, places))
        found.isomers.append(host.structure.name)
    for host, offers in _group_offers(adsorbate.name, before):
        search = search_on(host)
        found.add(search, _make_offered_starts(search, offers))
    return _make_adsorb_record(
        relaxed, adsorbate, found, _why_nothing_found(found, adsorbate), job
    )


@dataclass(slots=True, kw_only=True)
class _Found:
    """What the searches on all isomers have come to so far."""

    minima: list[Minimum] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    n_starts: int = 0
    isomers: list[str] = field(default_factory=list)

    def add(self, search: MinimumSearch, starts: Sequence[Start]) -> None:
        """Search from some starts, and keep the minima that are not known yet."""
        minima, failures, n_starts = find_minima(search, starts)
        n_before = len(self.minima)
        for new in minima:
            self._merge_minimum(new, n_before)
        self.failures += failures
        self.n_starts += n_starts

    def _merge_minimum(self, new: Minimum, n_before: int) -> None:
        """Add a minimum, or count it with one of those before its search."""
        for index, old in enumerate(self.minima[:n_before]):
            if same_minimum(old, new):
                total = {"n_starts": old.n_starts + new.n_starts}
                self.minima[index] = old.model_copy(update=total)
                return
        self.minima.append(new)


def _restore_findings(adsorbed: AdsorbRecord) -> _Found:
    return _Found(
        minima=list(adsorbed.minima),
        failures=Counter(adsorbed.failures),
        n_starts=adsorbed.n_starts,
        isomers=list(adsorbed.isomers_tried),
    )


def _list_isomers_to_try(
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


def _place_starts(search: MinimumSearch, places: Sequence[Site]) -> list[Start]:
    """Starts on sites, then those that come in from anywhere."""
    host, settings = search.host.structure, search.settings
    multiplicity = search.multiplicities[0]
    on_sites = place_adsorbate(
        host,
        places,
        search.adsorbate,
        multiplicity=multiplicity,
        max_starts=settings.max_screened,
    )
    anywhere = (
        place_anywhere(
            host,
            search.adsorbate,
            multiplicity=multiplicity,
            seed=(settings.seed, index),
        )
        for index in range(search.tries(settings.random_starts))
    )
    return [*on_sites, *(start for start in anywhere if start is not None)]


def _group_offers(
    adsorbate: str, before: Round | None
) -> Iterator[tuple[Isomer, list[Offer]]]:
    """What other adsorbates have become this one on, with those geometries."""
    if before is None:
        return
    own = [offer for offer in before.pool.offers if offer.adsorbate == adsorbate]
    for isomer in all_isomers(before.pool):
        here = [offer for offer in own if offer.placed_on == isomer.structure.name]
        if here:
            yield isomer, here


def _make_offered_starts(search: MinimumSearch, offers: Sequence[Offer]) -> list[Start]:
    starts = (
        offered_start(
            offer,
            search.host.structure,
            search.others[offer.found_by],
            search.adsorbate,
            multiplicity=search.multiplicities[0],
        )
        for offer in offers
    )
    return [start for start in starts if start is not None]


def _why_nothing_found(found: _Found, adsorbate: AdsorbateSpec) -> str:
    """Why a search came to no minimum, if it did not."""
    if found.n_starts:
        return ", ".join(f"{n} {why}" for why, n in found.failures.items())
    forms = ", ".join(form.name for form in adsorbate.forms)
    return (
        f"*{adsorbate.name} is too large: none of its forms ({forms}) fits any site "
        "without a clash"
    )


def _make_adsorb_record(
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


def run(inputs: Inputs, job: Job) -> AdsorbRecord:
    """Place an adsorbate on a relaxed cluster, after the round before if there is one.

    Raises
    ------
    RecordError
        If of the round before only one of its two records is given.
    """
    earlier = inputs.before(AdsorbRecord), inputs.before(PoolRecord)
    if (earlier[0] is None) != (earlier[1] is None):
        raise RecordError("give one adsorb and one pool record, of one round")
    before = (
        Round(
            adsorbed=earlier[0],
            pool=earlier[1],
            sites=inputs.settings(SitesSettings),
        )
        if earlier[0] and earlier[1]
        else None
    )
    return adsorb(
        inputs.one(RelaxRecord),
        inputs.one(SitesRecord),
        inputs.library.adsorbate(inputs.of["adsorbate"]),
        inputs.settings(AdsorbSettings),
        job,
        others=inputs.library.adsorbates(),
        relax=inputs.settings(RelaxSettings),
        before=before,
    )


def give_up(inputs: Inputs, job: Job, reason: str) -> AdsorbRecord:
    """No minimum, because the job that was to find them crashed."""
    relaxed = inputs.one(RelaxRecord)
    return AdsorbRecord(
        cluster=relaxed.cluster,
        adsorbate=inputs.of["adsorbate"],
        level=relaxed.level,
        minima=(),
        n_starts=0,
        status="failed",
        reason=reason,
        provenance=job.provenance(relaxed.level),
    )
