"""Surfaces ranked for each reaction, one table a level: levels are never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.core.comparison import order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.records import CheRecord, ReactionResult
    from clusterflow.specs import LevelSpec

NO_LEVEL = "no level"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedResult:
    """One surface's result and the cluster it belongs to."""

    cluster: str
    result: ReactionResult


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRanking:
    """Results of one reaction at one level, best first, holes last."""

    level: str
    level_hash: str
    rows: tuple[RankedResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRanking:
    """Rankings of one reaction, one a level."""

    reaction: str
    equation: str
    levels: tuple[LevelRanking, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Limiting potentials of all surfaces and reactions at one level."""

    level: str
    level_hash: str
    reactions: tuple[str, ...]
    rows: tuple[tuple[str, tuple[ReactionResult | None, ...]], ...]


def rank_reactions(records: Iterable[CheRecord]) -> tuple[ReactionRanking, ...]:
    """One ranking a reaction, in the order in which the reactions first appear."""
    groups: dict[str, dict[tuple[str, str], list[RankedResult]]] = {}
    for record in records:
        for result in record.results:
            levels = groups.setdefault(result.reaction, {})
            row = RankedResult(cluster=record.cluster, result=result)
            levels.setdefault(level_key(record.level), []).append(row)
    return tuple(
        ReactionRanking(
            reaction=reaction,
            equation=next(iter(levels.values()))[0].result.equation,
            levels=tuple(
                LevelRanking(
                    level=name, level_hash=digest, rows=tuple(sorted(rows, key=_order))
                )
                for (name, digest), rows in levels.items()
            ),
        )
        for reaction, levels in groups.items()
    )


def overviews(records: Iterable[CheRecord]) -> tuple[Overview, ...]:
    """One matrix of surfaces and reactions a level."""
    groups: dict[tuple[str, str], list[CheRecord]] = {}
    for record in records:
        groups.setdefault(level_key(record.level), []).append(record)
    return tuple(
        _overview(name, digest, group) for (name, digest), group in groups.items()
    )


def level_key(level: LevelSpec | None) -> tuple[str, str]:
    """Name and hash of a level; the hash is what decides that two are the same."""
    return (NO_LEVEL, "") if level is None else (level.name, level.hash)


def _overview(name: str, digest: str, records: list[CheRecord]) -> Overview:
    reactions = tuple(
        dict.fromkeys(result.reaction for rec in records for result in rec.results)
    )
    rows = []
    for record in records:
        found = {result.reaction: result for result in record.results}
        rows.append((record.cluster, tuple(found.get(name) for name in reactions)))
    return Overview(
        level=name, level_hash=digest, reactions=reactions, rows=tuple(rows)
    )


def _order(row: RankedResult) -> tuple[tuple[bool, bool, float, float], str]:
    return order(row.result), row.cluster
