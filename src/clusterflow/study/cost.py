"""What a study costs, said before anything is computed.

Gradients of each job times what one takes by its basis functions. Only of xTB: other
engines have no model.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clusterflow.settings import Study, load_study
from clusterflow.stage_table import STAGES
from clusterflow.study.gradients import Host, compare_with_gfn1, count_gradients
from clusterflow.study.resources import count_functions, functions_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clusterflow.stage_table import Stage
    from clusterflow.stages.inputs import Inputs
    from clusterflow.study.plan import Plan

# By hand smaller ones are done before a person looks again.
LARGE: Final = 100
# Of a job outside the engine: reading, deciding, writing.
_JOB_S: Final = 0.1
# Nearly all clusters that were measured lie within this factor of the forecast.
_WITHIN: Final = 1.5
_LARGEST: Final = 3
_SHORT_S: Final = 60.0
_HOUR_S: Final = 3600.0


@dataclass(slots=True, kw_only=True)
class Forecast:
    """Jobs with gradients that are ahead; seconds are of one core.

    `longest_s` is what the cluster takes whose jobs wait longest for each other: no
    number of cores is faster.
    """

    n_jobs: int = 0
    n_done: int = 0
    gradients: float = 0.0
    seconds: float = 0.0
    longest_s: float = 0.0
    seconds_by_cluster: dict[str, float] = field(default_factory=dict)


def forecast_study(plan: Plan, folder: Path) -> Forecast | None:
    """Jobs with gradients whose records are not in a folder; None without a model.

    Left out are DFT, rounds of adsorption after the first, and levels without a model.
    """
    model = _CostModel.of(plan)
    if model.factors[plan.levels[0]] is None:
        return None
    selection = json.loads(plan.selection())
    there = _list_records(folder)
    found = Forecast()
    # Of each cluster the longest job of each stage: these wait for each other.
    longest: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in STAGES.values():
        if not row.gradients or row.refines:
            continue
        for subject in row.subjects(selection):
            if (row.name, *subject) in there:
                found.n_done += 1
                continue
            gradients, seconds = model.expect(row, subject)
            found.n_jobs += 1
            found.gradients += gradients
            found.seconds += seconds
            if "cluster" in row.of:
                name, by_cluster = subject[0], found.seconds_by_cluster
                by_cluster[name] = by_cluster.get(name, 0.0) + seconds
                slowest = longest[name].get(row.name, 0.0)
                longest[name][row.name] = max(slowest, seconds)
    found.longest_s = max((sum(s.values()) for s in longest.values()), default=0.0)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _CostModel:
    """What the jobs of a study depend on, each looked up once.

    Of adsorbates and gases the numbers of atoms and of basis functions; of levels what
    a gradient costs beside GFN1-xTB.
    """

    plan: Plan
    hosts: Mapping[str, Host]
    adsorbates: Mapping[str, tuple[int, int]]
    gases: Mapping[str, Host]
    factors: Mapping[str, float | None]

    @classmethod
    def of(cls, plan: Plan) -> _CostModel:
        library = plan.library
        adsorbates = {name: library.adsorbate(name).counts for name in plan.adsorbates}
        gases = {name: library.gas(name).counts for name in plan.gases}
        return cls(
            plan=plan,
            hosts={name: _make_host(plan, name) for name in plan.clusters},
            adsorbates={
                name: (counts.total(), count_functions(counts))
                for name, counts in adsorbates.items()
            },
            gases={
                name: Host(n_atoms=counts.total(), functions=count_functions(counts))
                for name, counts in gases.items()
            },
            factors={n: compare_with_gfn1(library.level(n)) for n in plan.levels},
        )

    def expect(self, row: Stage, subject: tuple[str, ...]) -> tuple[float, float]:
        """Gradients of a job, and its seconds."""
        first = self.plan.levels[0]
        n_atoms, functions = 0, 0
        factor: float | None = self.factors[first]
        if "gas" in row.of:
            factor, host = self.factors[subject[0]], self.gases[subject[1]]
        else:
            host = self.hosts[subject[0]]
        if "adsorbate" in row.of:
            n_atoms, functions = self.adsorbates[subject[1]]
        if row.name == "level":  # which tries all of them
            factor = sum(known or 0.0 for known in self.factors.values())
        polarised = self.plan.library.level(first).spin_polarised
        gradients = count_gradients(
            row.name, self.plan.study, host, n_atoms, polarised=polarised
        )
        each_s = (factor or 0.0) * functions_s(host.functions + functions)
        return gradients, gradients * each_s + _JOB_S


def _make_host(plan: Plan, name: str) -> Host:
    spec = plan.library.cluster(name)
    states = (plan.library.cluster(state) for state in plan.states_left_of(name))
    return Host.of_cluster(
        spec,
        n_adsorbates=len(plan.adsorbates_of(name)),
        leaving=tuple(spec.n_atoms - state.n_atoms for state in states),
    )


def _list_records(folder: Path) -> set[tuple[str, ...]]:
    """Stage and subject of each record that is there, by its name alone."""
    found = set()
    for row in STAGES.values():
        if not row.gradients or row.refines:
            continue
        for place, _, files in os.walk(folder / row.name):
            inside = Path(place).relative_to(folder).parts
            found |= {
                (*inside, name.removesuffix(".json"))
                for name in files
                if name.endswith(".json")
            }
    return found


def describe_study_costs(plan: Plan, folder: Path, cores: int | None) -> list[str]:
    """What a study costs, in a line, and another on the clusters that cost most.

    Parameters
    ----------
    folder
        Of its results: what is there is not computed again.
    cores
        None where a batch system has them.
    """
    found = forecast_study(plan, folder)
    if found is None:
        level = plan.library.level(plan.levels[0])
        return [
            f"quantum chemistry: no cost is known of level {level.name} (engine "
            f"{level.engine_name}), so none is forecast"
        ]
    beside = f" beside the {found.n_done:,} that are there" if found.n_done else ""
    if not found.n_jobs:
        return [f"quantum chemistry: none is ahead{beside}"]
    what = (
        f"{_round(found.gradients)} gradients by {plan.levels[0]} in "
        f"{found.n_jobs:,} jobs{beside}{_name_left_out(plan)}"
    )
    if found.seconds * _WITHIN < _SHORT_S:
        return [f"quantum chemistry: less than a minute of one core: {what}"]
    low, about, high = (
        _format_time(found.seconds * factor) for factor in (1 / _WITHIN, 1, _WITHIN)
    )
    on_cores = ""
    if cores is not None and cores > 1:
        wall_s = max(found.seconds / cores, found.longest_s)
        on_cores = f", {_format_time(wall_s)} on {cores} cores"
    lines = [
        f"quantum chemistry: about {about} of one core ({low} to {high}){on_cores}: "
        f"{what}"
    ]
    by_cluster = found.seconds_by_cluster
    if len(by_cluster) > 1:
        largest = nlargest(_LARGEST, by_cluster, key=lambda name: by_cluster[name])
        named = ", ".join(f"{n} {_format_time(by_cluster[n])}" for n in largest)
        lines.append(f"the largest, of one core: {named}")
    return lines


def _name_left_out(plan: Plan) -> str:
    """What a forecast does not count."""
    parts = []
    if plan.study.pool.rounds > 1:
        parts.append("rounds of adsorption after the first")
    if plan.refines:
        parts.append("DFT")
    levels = [plan.library.level(name) for name in plan.levels]
    parts += [f"level {one.name}" for one in levels if compare_with_gfn1(one) is None]
    return f"; not counted: {', '.join(parts)}" if parts else ""


def describe_stages_cost(inputs: Inputs) -> list[str]:
    """A line on what a verb will cost where a large cluster is computed by hand."""
    if inputs.request.subject is None:
        return []
    stages = _list_stages_to_run(inputs)
    if not stages:
        return []
    # Imported late: builders are slow to import, and most clusters are small.
    from clusterflow.stages.build import cluster_spec

    spec, _ = cluster_spec(inputs.request, inputs.library)
    if spec.n_atoms < LARGE:
        return []
    own = {key: v for key, v in inputs.sections.items() if key in Study.model_fields}
    study = load_study(own)
    level = inputs.library.level(inputs.request.level or study.level.preferred[0])
    factor = compare_with_gfn1(level)
    if factor is None:
        return []
    one = inputs.of.get("adsorbate")
    names = (one,) if one else inputs.request.adsorbates
    adsorbates = [inputs.library.adsorbate(name).counts for name in names]
    host = Host.of_cluster(spec, n_adsorbates=len(adsorbates))
    gradients = seconds = 0.0
    for stage in stages:
        for adsorbed in adsorbates if "adsorbate" in STAGES[stage].of else [Counter()]:
            n = count_gradients(
                *(stage, study, host, adsorbed.total()),
                polarised=level.spin_polarised,
            )
            gradients += n
            functions = host.functions + count_functions(adsorbed)
            seconds += n * factor * functions_s(functions)
    if not gradients:
        return []
    return [
        f"{spec.name}, {host.n_atoms} atoms: about {gradients:.0f} gradients of "
        f"{seconds / gradients:.1f} s with {level.name} on one core, "
        f"{seconds / _HOUR_S:.1f} h: {', '.join(stages)}"
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


def _format_time(seconds: float) -> str:
    """Seconds, minutes or hours with two digits.

    >>> _format_time(9.4 * 3600), _format_time(75 * 60), _format_time(41)
    ('9.4 h', '75 min', '41 s')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.2g} min"
    hours = seconds / _HOUR_S
    return f"{_round(hours)} h" if hours >= 10 else f"{hours:.2g} h"


def _round(number: float) -> str:
    """Two digits, with thousands apart: more are not known.

    >>> _round(17349), _round(97.3)
    ('17,000', '97')
    """
    digits = len(str(round(number)))
    return f"{round(number, 2 - digits):,.0f}"
