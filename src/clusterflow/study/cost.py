"""What a study costs, said before anything is computed.

Gradients of each job, from the settings as far as they decide and else as measured,
times what one takes by its basis functions. Only of xTB: other engines have no model.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from heapq import nlargest
from math import log10, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clusterflow.settings import Study, load_study
from clusterflow.stage_table import STAGES
from clusterflow.study.resources import count_functions, functions_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clusterflow.library.clusters import ClusterSpec, IsomerSearch
    from clusterflow.library.levels import LevelSpec
    from clusterflow.stage_table import Stage
    from clusterflow.stages.inputs import Inputs
    from clusterflow.study.plan import Plan

# By hand smaller ones are done before a person looks again.
LARGE: Final = 100
# Measured on the default study (Cu4, Cu8, Cd6Se6 and Cd13Se13 with 14 adsorbates), on
# Cu13, Au8Ag and Au8Cu. To 0.02 eV/Å a relaxation of n atoms takes 9 to 14 √n
# gradients, taken as the same for each decade of force. One adsorbate in three leaves a
# cluster changed, which is then relaxed bare.
_STEPS_A_DECADE: Final = 7
_FIRST_FORCE_EV_PER_A: Final = 1.0
_CHANGED: Final = 1 / 3
# Minima that are relaxed beyond those wanted, for other ways to be bonded: 0.5 on Cu4
# and Cu8, 0.8 on Cu13, 1.6 on Au8Ag and Au8Cu, 2 on Cd6Se6 and Cd13Se13.
_OTHER_WAYS: Final = 0.5
_OTHER_WAYS_ON_COMPOUND: Final = 1.5
# An atom cannot turn: it has half the starts, and half the minima.
_OF_ATOM: Final = 0.5
# A molecule is drawn near its minimum.
_OF_MOLECULE: Final = 0.5
# The check of forces and the geometry itself, beside six displacements an atom; three
# atoms bind the adsorbate; three anchors; a cluster and its two ions.
_FORCE_CHECK: Final = 3
_BINDING_ATOMS: Final = 3
_ANCHORS: Final = 3
_CHARGES: Final = 3
# Of a spin-polarised level so many multiplicities are tried, half of them to the end.
_SPINS: Final = 3
# CPU time of a gradient beside GFN1-xTB of tblite, ten steps on Cu8 and Cd6Se6 with CO
# and COOH: GFN2 1.3 to 2.5, spin polarisation 1.6 to 1.8, CPCM 6 to 7, xtb-python 1.4
# to 1.6; ALPB, GBSA and a higher temperature 0.9 to 1.
_GFN2, _POLARISED, _CPCM, _XTB_PYTHON = 1.6, 1.7, 6.0, 1.5
# Elements of ligands, not of cores.
_SHELL: Final = frozenset({"H", "C", "N", "P"})
# Of a job outside the engine: reading, deciding, writing.
_JOB_S: Final = 0.1
# Studies that were measured lie within this factor of the forecast.
_WITHIN: Final = 1.5
_LARGEST: Final = 3
_SHORT_S: Final = 60.0
_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What gradients on a cluster depend on, or on a molecule.

    `n_structures` are relaxed bare, with `n_spins` multiplicities each, and those that
    a `search` from them keeps; `leaving` are the numbers of atoms that states lack.
    """

    n_atoms: int
    functions: int
    n_structures: int = 1
    n_spins: int = 1
    search: IsomerSearch | None = None
    is_compound: bool = False
    has_shell: bool = False
    n_adsorbates: int = 0
    leaving: tuple[int, ...] = ()

    @classmethod
    def of_cluster(
        cls, spec: ClusterSpec, n_adsorbates: int, leaving: tuple[int, ...] = ()
    ) -> Host:
        """That of a cluster, by its YAML alone: nothing is built."""
        counts = spec.counts
        on_support = any(structure.host is not None for structure in spec.structures)
        return cls(
            n_atoms=counts.total(),
            functions=count_functions(counts),
            # A state is made of its parent's isomers: about one.
            n_structures=max(len(spec.structures), 1),
            n_spins=_SPINS if spec.auto_multiplicity else 1,
            search=spec.search,
            is_compound=len(counts) > 1,
            has_shell=on_support or bool(spec.ligands) or not _SHELL.isdisjoint(counts),
            n_adsorbates=n_adsorbates,
            leaving=leaving,
        )


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


def count_gradients(
    stage: str,
    study: Study,
    host: Host,
    n_adsorbed: int = 0,
    *,
    polarised: bool = False,
) -> float:
    """Gradients of one job, about, at a level that may be spin-polarised.

    Parameters
    ----------
    n_adsorbed
        Atoms of the adsorbate, if there is one.
    """
    n_atoms = host.n_atoms + n_adsorbed
    relax = study.relax
    relaxation = _count_steps(n_atoms, relax.fmax_ev_per_a, relax.max_steps)
    if stage == "level":
        n_probes = 1 + len(study.level.probes)
        return n_probes * study.level.probe_steps + _ANCHORS
    if stage == "relax":
        return _count_relax(host, relaxation)
    if stage == "edges":
        return _CHARGES
    if stage == "adsorb":
        return _count_adsorb(study, host, relaxation, n_adsorbed, polarised=polarised)
    if stage == "pool":
        is_stripped = study.pool.relax and (study.pool.ligated or not host.has_shell)
        return is_stripped * _CHANGED * host.n_adsorbates * relaxation
    if stage == "vibrate":
        moving = n_adsorbed + _BINDING_ATOMS * study.vibrate.include_binding_atoms
        return 6 * moving + _FORCE_CHECK
    if stage == "leaving":
        return sum(6 * n + _FORCE_CHECK for n in host.leaving)
    if stage == "gas":
        return _OF_MOLECULE * relaxation + 6 * n_atoms + _FORCE_CHECK
    # The worst case of a stage that nobody has measured.
    return STAGES[stage].gradients


def _count_steps(n_atoms: int, fmax_ev_per_a: float, max_steps: int) -> float:
    """Gradients of one relaxation."""
    decades = log10(_FIRST_FORCE_EV_PER_A / min(fmax_ev_per_a, 0.5))
    return min(_STEPS_A_DECADE * decades * sqrt(n_atoms), max_steps)


def _count_relax(host: Host, relaxation: float) -> float:
    """Each structure, the hops of a search from it, and those that the search keeps."""
    search = host.search
    if search is None:
        return host.n_structures * host.n_spins * relaxation
    hop = _count_steps(host.n_atoms, search.fmax_ev_per_a, search.max_steps)
    hops = host.n_structures * (1 + search.steps) * hop
    return hops + (host.n_structures + search.keep) * host.n_spins * relaxation


def _count_adsorb(
    study: Study, host: Host, relaxation: float, n_adsorbed: int, *, polarised: bool
) -> float:
    """Starts, which halvings follow at the same cost each, then minima, then kicks."""
    search = study.adsorb
    n_spins = _SPINS if polarised else 1
    n_starts = search.max_screened + search.random_starts
    screened = n_starts * (search.screen_steps * (1 + search.halvings) + n_spins - 1)
    ways = _OTHER_WAYS_ON_COMPOUND if host.is_compound else _OTHER_WAYS
    relaxed = (search.max_relaxed + ways) * relaxation * (n_spins + 1) / 2
    total = screened + relaxed + search.kicks * relaxation
    return total * _OF_ATOM if n_adsorbed == 1 else total


def compare_with_gfn1(level: LevelSpec) -> float | None:
    """What a gradient costs beside GFN1-xTB of tblite; None where nothing is known."""
    if level.engine not in ("tblite", "xtb-python"):
        return None
    solvent = level.solvent
    is_cpcm = not isinstance(solvent, str | None) and solvent.model == "cpcm"
    return (
        (_GFN2 if level.method == "GFN2-xTB" else 1.0)
        * (_POLARISED if level.spin_polarised else 1.0)
        * (_CPCM if is_cpcm else 1.0)
        * (_XTB_PYTHON if level.engine == "xtb-python" else 1.0)
    )


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
