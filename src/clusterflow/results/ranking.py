"""Surfaces ranked for each reaction, one table a level: levels are never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.records.refinements import name_composite
from clusterflow.science.uncertainty.comparison import ranking_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.profiles import CheRecord, ReactionResult
    from clusterflow.records.refinements import RefinedCheRecord

NO_LEVEL = "no level"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedResult:
    """One surface's result and the cluster it belongs to."""

    cluster: str
    result: ReactionResult


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRanking:
    """Results of one reaction at one level, best first, holes last.

    `refines` is the hash of the level that gave the geometries of a composite level,
    empty of any other.
    """

    level: str
    level_hash: str
    refines: str
    rows: tuple[RankedResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRanking:
    """Rankings of one reaction, one a level."""

    reaction: str
    equation: str
    levels: tuple[LevelRanking, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Limiting potentials of all surfaces and reactions at one level.

    `stage` is that of the records they stand in.
    """

    level: str
    level_hash: str
    stage: str
    reactions: tuple[str, ...]
    rows: tuple[tuple[str, tuple[ReactionResult | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbabilityTable:
    """Probability that the cluster of a row has a higher U_L than that of a column.

    Clusters come best first, in rows as in columns; None on the diagonal.
    """

    clusters: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


def probability_tables(
    pairs: Iterable[Mapping[str, object]],
) -> dict[tuple[str, str], ProbabilityTable]:
    """Tables by reaction and hash of the level, from the rows of ``rankings.csv``."""
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for pair in pairs:
        key = str(pair["reaction"]), str(pair["level_hash"])
        one, other = str(pair["cluster"]), str(pair["other_cluster"])
        probability = float(str(pair["probability_better"]))
        known = found.setdefault(key, {})
        known[one, other], known[other, one] = probability, 1.0 - probability
    return {key: _make_probability_table(known) for key, known in found.items()}


def _make_probability_table(known: Mapping[tuple[str, str], float]) -> ProbabilityTable:
    # The better of each pair is entered first, so they appear in the order of ranks.
    clusters = tuple(dict.fromkeys(one for one, _ in known))
    return ProbabilityTable(
        clusters=clusters,
        rows=tuple(
            (one, tuple(known.get((one, other)) for other in clusters))
            for one in clusters
        ),
    )


@dataclass(frozen=True, slots=True)
class _LevelKey:
    """What tells two levels apart, and of a composite level what it refines."""

    name: str
    digest: str
    refines: str = ""


def rank_reactions(
    records: Iterable[CheRecord], refined: Iterable[RefinedCheRecord] = ()
) -> tuple[ReactionRanking, ...]:
    """One ranking a reaction, in the order in which the reactions first appear.

    Composite levels come behind the others.
    """
    groups: dict[str, dict[_LevelKey, list[RankedResult]]] = {}
    for key, record in _list_by_level(records, refined):
        for result in record.results:
            levels = groups.setdefault(result.reaction, {})
            row = RankedResult(cluster=record.cluster, result=result)
            levels.setdefault(key, []).append(row)
    return tuple(
        ReactionRanking(
            reaction=reaction,
            equation=next(iter(levels.values()))[0].result.equation,
            levels=tuple(
                LevelRanking(
                    level=key.name,
                    level_hash=key.digest,
                    refines=key.refines,
                    rows=tuple(sorted(rows, key=_order)),
                )
                for key, rows in levels.items()
            ),
        )
        for reaction, levels in groups.items()
    )


def overviews(
    records: Iterable[CheRecord], refined: Iterable[RefinedCheRecord] = ()
) -> tuple[Overview, ...]:
    """One matrix of surfaces and reactions a level, composite ones last."""
    groups: dict[_LevelKey, list[CheRecord]] = {}
    for key, record in _list_by_level(records, refined):
        groups.setdefault(key, []).append(record)
    return tuple(_make_overview(key, group) for key, group in groups.items())


def _list_by_level(
    records: Iterable[CheRecord], refined: Iterable[RefinedCheRecord]
) -> Iterator[tuple[_LevelKey, CheRecord]]:
    for record in records:
        yield _LevelKey(*level_key(record.level)), record
    for one in refined:
        if one.level is not None and one.dft_level is not None:
            key = _LevelKey(*composite_key(one.level, one.dft_level), one.level.hash)
            yield key, one.profiles


def level_key(level: LevelSpec | None) -> tuple[str, str]:
    """Name and hash of a level; the hash is what decides that two are the same."""
    return (NO_LEVEL, "") if level is None else (level.name, level.hash)


def composite_key(level: LevelSpec, dft_level: LevelSpec) -> tuple[str, str]:
    """The same of a composite level."""
    return name_composite(level, dft_level), f"{dft_level.hash}//{level.hash}"


def _make_overview(key: _LevelKey, records: list[CheRecord]) -> Overview:
    reactions = tuple(
        dict.fromkeys(result.reaction for rec in records for result in rec.results)
    )
    rows = []
    for record in records:
        found = {result.reaction: result for result in record.results}
        rows.append((record.cluster, tuple(found.get(name) for name in reactions)))
    return Overview(
        level=key.name,
        level_hash=key.digest,
        stage="refined_che" if key.refines else "che",
        reactions=reactions,
        rows=tuple(rows),
    )


def _order(row: RankedResult) -> tuple[tuple[bool, bool, float, float], str]:
    return ranking_key(row.result), row.cluster
