"""What a large cluster will cost, said before anything is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.stage_table import STAGES
from clusterflow.study.resources import gradient_s

if TYPE_CHECKING:
    from collections import Counter

    from clusterflow.stages.inputs import Inputs
    from clusterflow.study.plan import Plan

# Smaller ones are done before a person looks again.
LARGE: Final = 100
_HOUR_S: Final = 3600.0


def describe_stages_cost(inputs: Inputs) -> list[str]:
    """A line on what a verb will cost where a large cluster is computed by hand."""
    if inputs.request.subject is None:
        return []
    stages = _list_stages_to_run(inputs)
    gradients = sum(STAGES[name].gradients for name in stages)
    if not gradients:
        return []
    # Imported late: builders are slow to import, and most clusters are small.
    from clusterflow.stages.build import cluster_spec

    spec, _ = cluster_spec(inputs.request, inputs.library)
    if spec.n_atoms < LARGE:
        return []
    return [f"{_describe_cost(spec.name, spec.counts, gradients)}: {', '.join(stages)}"]


def describe_study_costs(plan: Plan) -> list[str]:
    """A line on each large cluster of a study."""
    n_adsorbates = len(plan.adsorbates)
    gradients = sum(
        row.gradients * (n_adsorbates if "adsorbate" in row.of else 1)
        for row in STAGES.values()
        if "cluster" in row.of and not row.name.startswith("refine")
    )
    counts = {name: plan.library.cluster(name).counts for name in plan.clusters}
    return [
        f"{_describe_cost(name, atoms, gradients)}: {n_adsorbates} adsorbates"
        for name, atoms in counts.items()
        if atoms.total() >= LARGE
    ]


def _list_stages_to_run(inputs: Inputs) -> tuple[str, ...]:
    """Stages with gradients that a verb runs, in their order."""
    waiting = [inputs.stage.name]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        # A level that is named has no need of probes, and gases are small.
        if name in found or name == "gas" or (name == "level" and found):
            continue
        found.add(name)
        waiting += STAGES[name].reads
    if inputs.request.as_given:
        found.discard("relax")
    return tuple(name for name in STAGES if name in found and STAGES[name].gradients)


def _describe_cost(name: str, counts: Counter[str], gradients: int) -> str:
    each = gradient_s(counts)
    hours = gradients * each / _HOUR_S
    return (
        f"{name}, {counts.total()} atoms: up to about {gradients} gradients of "
        f"{each:.1f} s with GFN1-xTB on one core, {hours:.1f} h"
    )
