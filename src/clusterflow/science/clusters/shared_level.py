"""One level for several clusters, so that their numbers may be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.clusters import LevelRecord


def shared_level(own: LevelRecord, peers: Sequence[LevelRecord]) -> LevelRecord:
    """A cluster's record with the level that its peers and it share.

    That is the level most of them accept, and of several such the first in order of
    preference: one that all accept wins. A cluster that refuses it has no level.

    Parameters
    ----------
    own
        What the stage `level` found for the cluster.
    peers
        The same for the clusters that it is to be compared with, itself left out.
    """
    if not peers or own.level is None:
        return own
    shared = _find_most_accepted([own, *peers])
    if any(level.hash == shared.hash for level in own.accepted):
        return own.model_copy(update={"level": shared})
    n_accepting = sum(_accepts(record, shared) for record in peers)
    refusal = next((a.reason for a in own.attempts if a.level == shared.name), "")
    reason = (
        f"{n_accepting} of {len(peers) + 1} clusters share {shared.name}, refused here "
        f"({refusal}); level.scope = cluster would take {own.level.name}"
    )
    return own.model_copy(update={"level": None, "status": "failed", "reason": reason})


def _find_most_accepted(records: Sequence[LevelRecord]) -> LevelSpec:
    """The level that most records accept; among equals the most preferred."""
    order = [attempt.level for record in records for attempt in record.attempts]
    candidates = {level.hash: level for record in records for level in record.accepted}

    def rank(level: LevelSpec) -> tuple[int, int]:
        return -sum(_accepts(r, level) for r in records), order.index(level.name)

    return min(candidates.values(), key=rank)


def _accepts(record: LevelRecord, level: LevelSpec) -> bool:
    return any(accepted.hash == level.hash for accepted in record.accepted)
