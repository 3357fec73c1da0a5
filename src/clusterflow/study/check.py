"""Looking a study over before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.engines import check_elements
from clusterflow.errors import ClusterflowError, EngineError
from clusterflow.library.adsorbates import AdsorbateSpec
from clusterflow.library.clusters import ClusterSpec
from clusterflow.library.find import KINDS, Library, load_spec
from clusterflow.library.own_tables import read_shifts
from clusterflow.library.reactions import ReactionSpec
from clusterflow.run.command import choose_cores
from clusterflow.science.adsorption.starts_on_sites import split_form
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import (
    build_network,
    read_change,
    read_surface,
)
from clusterflow.stages.build import build_structures
from clusterflow.stages.level import why_no_auto
from clusterflow.study.copied import refuse_copied_records
from clusterflow.study.cost import describe_study_costs
from clusterflow.study.plan import Plan
from clusterflow.study.refinement import measure_refinement

if TYPE_CHECKING:
    from collections.abc import Sequence


def check(config: Sequence[Path]) -> list[str]:
    """Counts of library and study, line by line, with warnings of coming holes.

    Every problem of the library is looked for before any is reported.

    Raises
    ------
    ClusterflowError
        With every problem, one a line.
    """
    from clusterflow.settings import read_config

    plan = Plan.from_config(read_config(config), config)
    library = plan.library
    problems = [
        *_find_library_problems(library, plan.clusters),
        *_find_study_problems(plan),
        *_find_refine_problems(plan),
        *_find_table_problems(plan),
    ]
    if problems:
        raise ClusterflowError("\nerror: ".join(dict.fromkeys(problems)))
    refuse_copied_records(plan)
    folder = Path("results") / plan.study.study
    ahead = measure_refinement(plan, folder)
    counts = ", ".join(f"{len(library.paths(kind))} {kind}" for kind in KINDS)
    return [
        f"library: {counts}",
        f"study {plan.study.study}: {len(plan.study.clusters)} clusters, "
        f"{len(plan.adsorbates)} adsorbates, {len(plan.gases)} gases, "
        f"{len(plan.study.reactions)} reactions, levels {', '.join(plan.levels)}",
        *(
            f"{what}: {first} is used in place of {other}"
            for what, first, other in library.shadowed()
        ),
        *_warn_of_holes(plan),
        *_warn_of_water(plan),
        *describe_study_costs(plan, folder, choose_cores(None, ())),
        *([str(ahead)] if ahead is not None else []),
        "everything is in order",
    ]


def _find_library_problems(library: Library, clusters: Sequence[str]) -> list[str]:
    """What is wrong in any file; of clusters, the study's and one's own are built."""
    problems = []
    for kind, model in KINDS.items():
        for path in library.paths(kind).values():
            try:
                spec = load_spec(path, model)
                own = path.is_relative_to("structures")
                if isinstance(spec, ClusterSpec) and (own or spec.name in clusters):
                    build_structures(spec, path.parent, library)
                if isinstance(spec, AdsorbateSpec):
                    for form in spec.forms:
                        if form.apart:
                            split_form(form, spec.name)
                if isinstance(spec, ReactionSpec):
                    build_network(spec, composition_of(library))
            except ClusterflowError as error:
                problems.append(str(error))
    return problems


def _find_study_problems(plan: Plan) -> list[str]:
    """Clusters that none of the study's levels can treat."""
    problems = []
    for name in plan.clusters:
        spec = plan.library.cluster(name)
        refused = []
        for level in plan.levels:
            try:
                chosen = plan.library.level(level)
                if why_not := why_no_auto(name, spec.auto_multiplicity, chosen):
                    raise EngineError(why_not)
                check_elements(chosen, spec.counts, name)
            except ClusterflowError as error:
                refused.append(str(error))
        if len(refused) == len(plan.levels):
            problems += refused
    return problems


def _find_refine_problems(plan: Plan) -> list[str]:
    """What the levels that refine cannot treat, or cannot be had without."""
    if not plan.refines:
        return []
    problems = []
    for name in plan.study.clusters:
        adsorbates = (plan.library.adsorbate(n).counts for n in plan.refined_of(name))
        elements = {
            *plan.library.cluster(name).counts,
            *(e for c in adsorbates for e in c),
        }
        for key, level in zip(
            ("level", "second_level"), plan.refining_levels, strict=False
        ):
            try:
                dft = plan.library.level(level)
                check_elements(dft, elements, f"refine.{key}: {name}")
            except ClusterflowError as error:
                problems.append(str(error))
    return problems


def _find_table_problems(plan: Plan) -> list[str]:
    """What is wrong in the tables of shifts."""
    problems = []
    for name in plan.study.thermo.tables.values():
        try:
            read_shifts(Path(name), plan.study.clusters[0], plan.library)
        except ClusterflowError as error:
            problems.append(str(error))
    return problems


def _warn_of_water(plan: Plan) -> list[str]:
    """Where the layer `solvation` is on, and has no number or no place."""
    if "solvation" not in plan.study.thermo.correct:
        return []
    unknown = [
        f"*{name}"
        for name in plan.adsorbates
        if plan.library.adsorbate(name).solvation_ev is None
    ]
    wet = [name for name in plan.levels if plan.library.level(name).solvent is not None]
    return [
        *(
            f"level {name} has a solvent of its own: the layer solvation is left out"
            for name in wet
        ),
        *(
            f"warning: no `solvation_ev` in the YAML of {', '.join(unknown)}: not "
            "shifted, flagged no-solvation-value, with a standard deviation of 0.25 eV"
            for _ in unknown[:1]
        ),
    ]


def _warn_of_holes(plan: Plan) -> list[str]:
    """Species of the reactions that the study leaves out: holes to come."""
    lines = []
    for name in plan.study.reactions:
        network = build_network(
            plan.library.reaction(name), composition_of(plan.library)
        )
        surface = {s: read_surface(s) for s in network.species if s.startswith("*")}
        known = {"", *plan.adsorbates}
        missing = sorted(s for s, (_, name) in surface.items() if name not in known)
        if missing:
            lines.append(
                f"warning: reaction {name} will have holes at {', '.join(missing)}"
            )
        lines += [
            f"warning: reaction {name} will have holes on {cluster}: "
            f"no state {change} of it in the library"
            for change in sorted({change for change, _ in surface.values()} - {""})
            for cluster in plan.study.clusters
            if not plan.library.cluster_states(cluster, read_change(change))
        ]
    return lines
