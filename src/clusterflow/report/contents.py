"""What the page shows, gathered from the records: no HTML and no formatting here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from clusterflow.records.adsorption import AdsorbRecord, PoolRecord, SitesRecord
from clusterflow.records.clusters import (
    BuildRecord,
    EdgesRecord,
    LevelRecord,
    RelaxRecord,
)
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import StudyRecords
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import RefinedCheRecord, RefinedThermoRecord
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.reactions.pathways import holes, order_pathways

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.energies import GasCorrection
    from clusterflow.records.profiles import BandEdges, ReactionResult
    from clusterflow.records.provenance import Record

T = TypeVar("T")
# The key of the figure of band edges among those of reactions on clusters.
BAND_EDGES_FIGURE = ("", "edges")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSummary:
    """Counts, times and gradients of the records of one stage."""

    stage: str
    n_ok: int
    n_failed: int
    wall_time_s: float
    engine_time_s: float
    n_gradients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """All that is known of one cluster; a stage that did not run is None."""

    name: str
    records: tuple[Record, ...]
    build: BuildRecord | None
    level: LevelRecord | None
    relax: RelaxRecord | None
    edges: EdgesRecord | None
    sites: SitesRecord | None
    adsorptions: tuple[AdsorbRecord, ...]
    pool: PoolRecord | None
    vibrations: tuple[VibrateRecord, ...]
    thermo: ThermoRecord | None
    che: CheRecord | None
    refined: RefinedCheRecord | None
    refined_thermo: RefinedThermoRecord | None

    @property
    def anchor(self) -> str:
        """Its id on the page."""
        return cluster_id(self.name)

    @property
    def failures(self) -> tuple[tuple[str, str], ...]:
        """Stage and reason of each record that failed."""
        return tuple(
            (name_record(record), record.reason)
            for record in self.records
            if record.status == "failed"
        )

    @property
    def set_aside(self) -> tuple[tuple[str, str], ...]:
        """Stage and reason of each minimum that does not stand for its adsorbate."""
        return tuple(
            (name_record(record), reason)
            for record in self.vibrations
            for reason in record.set_aside
        )

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the correction layers its species have."""
        species = self.thermo.species if self.thermo else ()
        return tuple(dict.fromkeys(name for item in species for name in item.layers))


@dataclass(frozen=True, slots=True, kw_only=True)
class BandEdgesRow:
    """A cluster's band edges, and what they drive; None without profiles."""

    record: EdgesRecord
    view: BandEdges | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """Gas corrections of one level at one temperature."""

    level: str
    temperature_k: float
    rows: tuple[GasCorrection, ...]
    cluster: str


def cluster_id(name: str) -> str:
    """The id of a cluster's section, safe whatever its name holds."""
    return "cluster-" + quote(name, safe="")


def name_record(record: Record) -> str:
    """A record's stage and what it is about: ``adsorb CO``."""
    subject = getattr(record, "adsorbate", None) or getattr(record, "gas", None)
    return f"{record.stage} {subject}" if subject else record.stage


def summarise_stages(records: StudyRecords) -> tuple[StageSummary, ...]:
    """One summary a stage, in the order of the workflow."""
    by_stage: dict[str, list[Record]] = {}
    for record in records.records:
        by_stage.setdefault(record.stage, []).append(record)
    return tuple(_summarise_records(stage, group) for stage, group in by_stage.items())


def cluster_views(records: StudyRecords) -> tuple[ClusterView, ...]:
    """One view a cluster that any record names, in order of appearance."""
    return tuple(
        _view_cluster(
            name,
            tuple(r for r in records.about(name).records if hasattr(r, "cluster")),
        )
        for name in records.clusters
    )


def failures_of(records: StudyRecords) -> tuple[dict[str, str], ...]:
    """Stage, subject and reason of each failed record."""
    return tuple(
        {
            "stage": record.stage,
            "cluster": str(getattr(record, "cluster", "")),
            "species": str(
                getattr(record, "adsorbate", None) or getattr(record, "gas", "")
            ),
            "reason": record.reason,
        }
        for record in records.records
        if record.status == "failed"
    )


def count_fates(records: StudyRecords) -> tuple[tuple[str, int], ...]:
    """How many starting geometries of adsorbates met each fate, most frequent first."""
    fates: Counter[str] = Counter()
    for record in records.of(AdsorbRecord):
        for minimum in record.minima:
            fates[minimum.fate] += minimum.n_starts
        fates.update(record.failures)
    return tuple(fates.most_common())


def gas_corrections(records: StudyRecords) -> tuple[Corrections, ...]:
    """Gas corrections, once for each level and temperature."""
    found: dict[tuple[str, float], Corrections] = {}
    for record in records.of(ThermoRecord):
        if record.level is None or not record.gas_corrections:
            continue
        found.setdefault(
            (record.level.hash, record.temperature_k),
            Corrections(
                level=record.level.name,
                temperature_k=record.temperature_k,
                rows=record.gas_corrections,
                cluster=record.cluster,
            ),
        )
    return tuple(found.values())


def band_edges_of(records: StudyRecords) -> tuple[BandEdgesRow, ...]:
    """Band edges of each cluster that has a record of them."""
    views = {record.cluster: record.edges for record in records.of(CheRecord)}
    return tuple(
        BandEdgesRow(record=record, view=views.get(record.cluster))
        for record in records.of(EdgesRecord)
    )


def describe_band_edges(rows: Iterable[BandEdgesRow]) -> str:
    """A diagram of band edges in words, V against SHE."""
    parts = [
        f"{row.record.cluster} "
        f"conduction {_format_potential(row.view.conduction_v_she)}, "
        f"valence {_format_potential(row.view.valence_v_she)}"
        for row in rows
        if row.view is not None
    ]
    return f"Band edges against SHE: {'; '.join(parts)}"


def _format_potential(value: float | None) -> str:
    return "has no value" if value is None else f"{value:+.2f} V"


def levels_of(records: StudyRecords) -> tuple[LevelSpec, ...]:
    """Every level that a record names, once; those of DFT last."""
    found = {
        level.hash: level
        for attribute in ("level", "dft_level")
        for record in records.records
        if (level := getattr(record, attribute, None)) is not None
    }
    return tuple(found.values())


ISOMER_MODES = {
    "fixed_core_first": "minima on the cluster's own isomer; where the core changed in "
    "all of them, the lowest of these",
    "fixed_core": "minima on the cluster's own isomer with its bonds kept",
    "pool": "the lowest minima on all isomers of the pool",
}


def versions_of(records: StudyRecords) -> tuple[tuple[str, str], ...]:
    """Name and version of each program; several versions of one stand side by side."""
    found: dict[str, set[str]] = {}
    for record in records.records:
        for name, version in record.provenance.versions.items():
            found.setdefault(name, set()).add(version)
    return tuple((name, ", ".join(sorted(found[name]))) for name in sorted(found))


def protocols_of(records: StudyRecords) -> tuple[tuple[str, str], ...]:
    """Stage and the protocol its records follow; more than one is worth a look."""
    found: dict[str, set[int]] = {}
    for record in records.records:
        found.setdefault(record.stage, set()).add(record.provenance.protocol)
    return tuple(
        (stage, ", ".join(str(number) for number in sorted(numbers)))
        for stage, numbers in found.items()
    )


def describe_profile(result: ReactionResult) -> str:
    """A diagram in words: the levels of its best pathway in eV."""
    for pathway in order_pathways(result)[:1]:
        missing = dict(holes(pathway))
        parts = [
            f"{state} has no value" if level is None else f"{state} {level:+.2f} eV"
            for state, level in zip(pathway.states, pathway.levels_ev, strict=False)
        ]
        end = f" {len(missing)} states without a value." if missing else ""
        return f"Free-energy diagram, best pathway: {'; '.join(parts)}.{end}"
    return f"No free-energy diagram: {result.reason or 'no pathway'}"


def _summarise_records(stage: str, records: list[Record]) -> StageSummary:
    failed = sum(record.status == "failed" for record in records)
    origins = [record.provenance for record in records]
    return StageSummary(
        stage=stage,
        n_ok=len(records) - failed,
        n_failed=failed,
        wall_time_s=sum(origin.wall_time_s for origin in origins),
        engine_time_s=sum(origin.engine_time_s for origin in origins),
        n_gradients=sum(origin.n_gradients for origin in origins),
    )


def _view_cluster(name: str, records: tuple[Record, ...]) -> ClusterView:
    own = StudyRecords(folder=Path(), records=records)
    return ClusterView(
        name=name,
        records=own.records,
        build=_take_first(own.of(BuildRecord)),
        level=_take_first(own.of(LevelRecord)),
        relax=_take_first(own.of(RelaxRecord)),
        edges=_take_first(own.of(EdgesRecord)),
        sites=_take_first(own.of(SitesRecord)),
        adsorptions=own.of(AdsorbRecord),
        pool=_take_first(own.of(PoolRecord)),
        vibrations=own.of(VibrateRecord),
        thermo=_take_first(own.of(ThermoRecord)),
        che=_take_first(own.of(CheRecord)),
        refined=_take_first(own.of(RefinedCheRecord)),
        refined_thermo=_take_first(own.of(RefinedThermoRecord)),
    )


def _take_first(items: Iterable[T]) -> T | None:
    return next(iter(items), None)
