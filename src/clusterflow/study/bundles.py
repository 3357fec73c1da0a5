"""Parts of a study, each planned by itself.

Part 0 is what all clusters share, such as molecules; then come the bundles of clusters,
which need nothing of each other, and what is made of the records of all. They run
beside each other, each on a machine of its own, or in turn, where one plan of all would
be too large.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clusterflow.errors import ConfigError
from clusterflow.run.command import TABLES
from clusterflow.stage_table import STAGES, read_name
from clusterflow.study.resources import gradient_s

if TYPE_CHECKING:
    from clusterflow.study.plan import Plan

# A plan takes 70 MB, and 24 kB for each job.
_JOBS_AT_ONCE: Final = 20_000
# By DFT whatever is chosen.
_UNCHOSEN = ("refine_gas", "refine_bare")


def bundle_records(plan: Plan, bundle: str) -> list[str]:
    """The records of a part, such as ``2/12``; none of an empty one.

    What is made of the records of all clusters is in no bundle.

    Raises
    ------
    ConfigError
        If the study has no such part.
    """
    if not bundle:
        return []
    part, number = _parse_bundle(bundle)
    parts = split_study(plan, number)
    if len(parts) != number:
        raise ConfigError(
            f"--bundle {bundle}: the study has {len(parts)} clusters, or groups of "
            "clusters, that do not need each other: it cannot be in more bundles"
        )
    folder = Path("results") / plan.study.study
    wanted = set(parts[part - 1]) if part else set()
    waiting = set(study_stages())
    found = []
    for path in plan.records(str(folder)):
        stage, subject = read_name(path.relative_to(folder))
        # What is chosen for DFT on one cluster depends on all: the last run chooses.
        if plan.refine_rounds and stage.refines and stage.name not in _UNCHOSEN:
            continue
        if stage.name in waiting:
            continue
        cluster = subject[0] if "cluster" in stage.of else ""
        # With several levels to choose from, clusters wait for the levels of others.
        is_shared = not cluster or (
            stage.name == "level" and bool(plan.level_peers(cluster))
        )
        if is_shared if part == 0 else cluster in wanted and not is_shared:
            found.append(str(path))
    return found


def parts_in_turn(plan: Plan) -> tuple[str, ...]:
    """Parts of a study too large for one plan, in their order; none of a small one.

    With DFT chosen among all clusters there is one plan: it goes back and forth.
    """
    n_jobs = len(plan.records("results"))
    number = len(split_study(plan, -(-n_jobs // _JOBS_AT_ONCE)))
    if number < 2 or plan.refine_rounds:
        return ()
    return (*(f"{part}/{number}" for part in range(number + 1)), TABLES)


def study_stages() -> list[str]:
    """Stages that wait for the records of all clusters, or of several."""
    own = {"cluster", "gas"}
    return [stage.name for stage in STAGES.values() if not own & set(stage.of)]


def _parse_bundle(text: str) -> tuple[int, int]:
    """Part and number of parts of ``2/12``.

    >>> _parse_bundle("2/12")
    (2, 12)

    Raises
    ------
    ConfigError
        If it is none.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    if found is None or not 0 <= int(found[1]) <= int(found[2]) or not int(found[2]):
        raise ConfigError(
            f"--bundle {text}: write 2/12 for the second of twelve, or 0/12 for what "
            "they share"
        )
    return int(found[1]), int(found[2])


def split_study(plan: Plan, number: int) -> list[tuple[str, ...]]:
    """Clusters of each bundle: about the same work, at most so many bundles.

    States of a cluster go with it: its profiles need their free energies.
    """
    bundles: list[list[str]] = [[] for _ in range(number)]
    work = [0.0] * number
    groups = _group_clusters(plan)
    costs = {group: _estimate_cost(plan, group) for group in groups}
    for group in sorted(groups, key=lambda group: (-costs[group], group)):
        lightest = work.index(min(work))
        bundles[lightest] += group
        work[lightest] += costs[group]
    return [tuple(bundle) for bundle in bundles if bundle]


def _group_clusters(plan: Plan) -> list[tuple[str, ...]]:
    """Clusters that need each other."""
    group_of: dict[str, set[str]] = {name: {name} for name in plan.clusters}
    for cluster in plan.study.clusters:
        for state in plan.cluster_states_of(cluster):
            if group_of[state] is not group_of[cluster]:
                group_of[cluster] |= group_of[state]
                for member in group_of[state]:
                    group_of[member] = group_of[cluster]
    return sorted({tuple(sorted(group)) for group in group_of.values()})


def _estimate_cost(plan: Plan, group: tuple[str, ...]) -> float:
    """What its gradients cost beside those of other groups, in any unit."""
    return sum(
        gradient_s(plan.library.cluster(name).counts)
        * (1 + len(plan.adsorbates_of(name)))
        for name in group
    )
