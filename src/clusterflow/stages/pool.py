"""Stage pool: the isomers of a cluster, with those that adsorbates pushed it into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.model import Model
from clusterflow.records.adsorption import (
    AdsorbRecord,
    MinimumIsomers,
    Offer,
    PooledIsomer,
    PoolRecord,
)
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import Isomer, RelaxRecord
from clusterflow.science.adsorption.bare_isomers import split_pool, why_other_species
from clusterflow.science.adsorption.outcome import hydrides_taken
from clusterflow.science.geometry.bonds import bond_graph
from clusterflow.settings import PoolSettings, RelaxSettings
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.relaxation import same_geometry
from clusterflow.stages.parts.scratch import Scratch
from clusterflow.stages.relax import relaxed_isomer, same_isomer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.records.adsorption import Minimum
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

_SHELL = {"ligand", "support"}


class _Bare(Model):
    """A stripped cluster after its relaxation, as it waits in the scratch folder."""

    isomer: Isomer | None
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class _Pooling:
    """What one round needs, and the isomers known so far."""

    relaxed: RelaxRecord
    settings: PoolSettings
    relax: RelaxSettings
    job: Job
    round: int
    isomers: list[PooledIsomer]
    # Stripped geometries that were relaxed, with what became of each.
    stripped: list[tuple[Structure, MinimumIsomers]]

    @property
    def own(self) -> Structure:
        return self.relaxed.isomers[0].structure

    def energy_ev(self, name: str) -> float | None:
        return next(
            (
                pooled.isomer.energy_ev
                for pooled in self.isomers
                if pooled.isomer.structure.name == name
            ),
            None,
        )


def pool(
    relaxed: RelaxRecord,
    adsorptions: Sequence[AdsorbRecord],
    settings: PoolSettings,
    job: Job,
    *,
    relax: RelaxSettings,
    before: PoolRecord | None = None,
) -> PoolRecord:
    """Isomers within the window above the lowest, and the host of each minimum.

    The adsorbate is taken off each minimum whose cluster changed its bonds, and the
    rest relaxed at the same level, unless the round before has done so.

    Parameters
    ----------
    adsorptions
        Minima of all rounds so far.
    before
        The pool after the round before this one.
    """
    job.settings = settings_of(relax, settings)
    pooling = _Pooling(
        relaxed=relaxed,
        settings=settings,
        relax=relax,
        job=job,
        round=before.round + 1 if before else 1,
        isomers=_list_known_isomers(relaxed, before),
        stripped=[],
    )
    hosts = _find_hosts(pooling, adsorptions, before)
    tried = [p.isomer.structure.name for p in before.isomers] if before else []
    stay = tried or [isomer.structure.name for isomer in relaxed.isomers[:1]]
    inside, outside = split_pool(pooling.isomers, settings.window_ev, stay)
    names = [pooled.isomer.structure.name for pooled in inside]
    return PoolRecord(
        cluster=relaxed.cluster,
        level=relaxed.level,
        round=pooling.round,
        window_ev=settings.window_ev,
        isomers=tuple(inside),
        left_out=tuple(outside),
        new=tuple(name for name in names if name not in stay),
        hosts=tuple(hosts),
        offers=tuple(_list_offers(adsorptions, before)),
        reconstructed_by=tuple(
            record.adsorbate
            for record in adsorptions
            if any(not minimum.core_intact for minimum in record.minima)
        ),
        provenance=job.provenance(relaxed.level),
    )


def _list_known_isomers(
    relaxed: RelaxRecord, before: PoolRecord | None
) -> list[PooledIsomer]:
    if before is not None:
        return [*before.isomers, *before.left_out]
    return [
        PooledIsomer(isomer=isomer, bonds=_list_bonds(isomer.structure))
        for isomer in relaxed.isomers
    ]


def _find_hosts(
    pooling: _Pooling, adsorptions: Sequence[AdsorbRecord], before: PoolRecord | None
) -> list[MinimumIsomers]:
    """The host of each minimum; new isomers are added to those known."""
    done = _index_earlier_minima(before)
    found = []
    for record in adsorptions:
        for index, minimum in enumerate(record.minima):
            key = (record.adsorbate, minimum.isomer, minimum.energy_ev)
            host = done.get(key) or _find_host(pooling, record, index)
            found.append(host)
    return found


def _index_earlier_minima(
    before: PoolRecord | None,
) -> dict[tuple[str, str, float], MinimumIsomers]:
    """The minima of earlier rounds, by adsorbate, isomer and energy."""
    return {
        (host.adsorbate, host.placed_on, host.energy_ev): host
        for host in (before.hosts if before else ())
    }


def _list_offers(
    adsorptions: Sequence[AdsorbRecord], before: PoolRecord | None
) -> Iterator[Offer]:
    """New minima in which an adsorbate has become another one of the study."""
    done = _index_earlier_minima(before)
    wanted = {record.adsorbate for record in adsorptions}
    for record in adsorptions:
        for minimum in record.minima:
            key = (record.adsorbate, minimum.isomer, minimum.energy_ev)
            became = minimum.detail if minimum.fate == "became" else ""
            if became in wanted and key not in done:
                yield Offer(
                    adsorbate=became,
                    found_by=record.adsorbate,
                    placed_on=minimum.isomer,
                    energy_ev=minimum.energy_ev,
                    structure=minimum.structure,
                )


def _find_host(pooling: _Pooling, record: AdsorbRecord, index: int) -> MinimumIsomers:
    minimum = record.minima[index]
    host = MinimumIsomers(
        adsorbate=record.adsorbate,
        energy_ev=minimum.energy_ev,
        placed_on=minimum.isomer,
    )
    if minimum.core_intact:
        return _set_host(pooling, host, minimum.isomer)
    if reason := _why_not_stripped(pooling, minimum):
        return host.model_copy(update={"reason": reason})
    bare = _strip_adsorbate(
        pooling, minimum, f"{record.adsorbate}-{pooling.round}-{index}"
    )
    for geometry, other in pooling.stripped:
        if same_geometry(to_atoms(geometry), to_atoms(bare)):
            if other.host is None:
                return host.model_copy(update={"reason": other.reason})
            return _set_host(pooling, host, other.host)
    found = _relax_stripped(pooling, bare)
    if found.isomer is None:
        host = host.model_copy(update={"reason": found.reason})
    else:
        name = _add_isomer(pooling, found.isomer, record.adsorbate, index, minimum)
        host = _set_host(pooling, host, name)
    pooling.stripped.append((bare, host))
    return host


def _set_host(pooling: _Pooling, host: MinimumIsomers, name: str) -> MinimumIsomers:
    placed, own = pooling.energy_ev(host.placed_on), pooling.energy_ev(name)
    fall = None if placed is None or own is None else own - placed
    return host.model_copy(update={"host": name, "fall_ev": fall})


def _why_not_stripped(pooling: _Pooling, minimum: Minimum) -> str:
    if not pooling.settings.relax:
        return "not stripped: pool.relax is false"
    if _SHELL & set(pooling.own.roles) and not pooling.settings.ligated:
        return "a cluster with ligands or a support is not stripped: pool.ligated"
    if hydrides_taken(minimum.structure, len(pooling.own.symbols)):
        return "the adsorbate has taken hydrogen of the cluster"
    return ""


def _strip_adsorbate(pooling: _Pooling, minimum: Minimum, name: str) -> Structure:
    """The cluster of a complex, whose atoms come first, as the bare cluster is."""
    n_atoms = len(pooling.own.symbols)
    positions = minimum.structure.positions[:n_atoms]
    return pooling.own.model_copy(update={"name": name, "positions": positions})


def _relax_stripped(pooling: _Pooling, bare: Structure) -> _Bare:
    level = pooling.relaxed.level
    assert level is not None  # where there are minima there is a level
    scratch = Scratch(pooling.job.scratch)
    key = (bare, level.hash, pooling.relax, STAGES["pool"].protocol)
    known = scratch.load(_Bare, *key)
    if known is not None:
        return known
    found = relaxed_isomer(
        bare,
        level,
        pooling.relax,
        pooling.job,
        # Only of such clusters does the record name spin states.
        auto_multiplicity=bool(pooling.relaxed.spin_states),
    )
    result = (
        _Bare(isomer=None, reason=f"stripped: {found}")
        if isinstance(found, str)
        else _Bare(isomer=found)
    )
    scratch.save(result, *key)
    return result


def _add_isomer(
    pooling: _Pooling, found: Isomer, adsorbate: str, index: int, minimum: Minimum
) -> str:
    """Name of an isomer: the known one it is, else its own, now known too."""
    for known in pooling.isomers:
        if same_isomer(found, known.isomer):
            return known.isomer.structure.name
    reason = why_other_species(found.structure, pooling.own)
    pooling.isomers.append(
        PooledIsomer(
            isomer=found,
            round=pooling.round,
            found_by=adsorbate,
            minimum=index,
            fate=minimum.fate,
            bonds=_list_bonds(found.structure),
            other_species=bool(reason),
            reason=reason,
        )
    )
    return found.structure.name


def _list_bonds(structure: Structure) -> tuple[tuple[int, int], ...]:
    graph = bond_graph(structure.symbols, structure.xyz)
    return tuple(sorted((min(edge), max(edge)) for edge in graph.edges))


def run(inputs: Inputs, job: Job) -> PoolRecord:
    """List a cluster's isomers after the adsorbates of a round."""
    return pool(
        inputs.one(RelaxRecord),
        inputs.every(AdsorbRecord),
        inputs.settings(PoolSettings),
        job,
        relax=inputs.settings(RelaxSettings),
        before=inputs.before(PoolRecord),
    )


def give_up(inputs: Inputs, job: Job, reason: str) -> PoolRecord:
    """The isomers known before, because the job that was to find more crashed."""
    relaxed, before = inputs.one(RelaxRecord), inputs.before(PoolRecord)
    return PoolRecord(
        cluster=relaxed.cluster,
        level=relaxed.level,
        round=before.round + 1 if before else 1,
        isomers=tuple(_list_known_isomers(relaxed, before)),
        status="failed",
        reason=reason,
        provenance=job.provenance(relaxed.level),
    )
