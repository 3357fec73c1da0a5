"""The pathways of a result in order, and what they lack.

A state that nothing is known of, and every state after it, is a hole: it has no free
energy but the reason why not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterflow.records.profiles import Pathway, ReactionResult


def order_pathways(result: ReactionResult) -> tuple[Pathway, ...]:
    """The result's pathways, the best first, otherwise as they stand in the record."""
    best = [p for p in result.pathways if p.name == result.best_pathway]
    rest = [p for p in result.pathways if p.name != result.best_pathway]
    return (*best, *rest)


def holes(pathway: Pathway) -> tuple[tuple[int, str], ...]:
    """Index and reason of each state of a pathway that has no value."""
    reasons = ("", *(step.reason for step in pathway.steps))
    return tuple(
        (index, (reasons[index] if index < len(reasons) else "") or pathway.reason)
        for index, energy_ev in enumerate(pathway.levels_ev)
        if energy_ev is None
    )


def hole_runs(pathway: Pathway) -> list[tuple[list[int], str]]:
    """Neighbouring holes of one reason, taken together."""
    runs: list[tuple[list[int], str]] = []
    for index, reason in holes(pathway):
        if runs and runs[-1][1] == reason and runs[-1][0][-1] == index - 1:
            runs[-1][0].append(index)
        else:
            runs.append(([index], reason))
    return runs


def no_potential_reason(result: ReactionResult) -> str:
    """Why a result has no limiting potential."""
    pathways = order_pathways(result)
    reasons = [result.reason, *(pathway.reason for pathway in pathways)]
    reasons += [reason for pathway in pathways for _, reason in holes(pathway)]
    return next((reason for reason in reasons if reason), "no reason recorded")
