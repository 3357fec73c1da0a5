"""The pages of the report: HTML files that work from a disk, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

import clusterflow
from clusterflow.figures import style_sheet
from clusterflow.figures.band_edges import draw_band_edges
from clusterflow.figures.picture import draw_structure
from clusterflow.figures.saving import svg_source
from clusterflow.figures.svg import inline_svg
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import RefinedCheRecord
from clusterflow.report.answers import find_answers
from clusterflow.report.claims import show_claims
from clusterflow.report.cluster_list import list_clusters
from clusterflow.report.contents import (
    BAND_EDGES_FIGURE,
    band_edges_of,
    cluster_id,
    cluster_views,
    count_fates,
    describe_band_edges,
    failures_of,
    gas_corrections,
    levels_of,
    protocols_of,
    summarise_stages,
    versions_of,
)
from clusterflow.report.first_screen import MOST_ROWS, choose_colors, show_answers
from clusterflow.report.page_data import (
    chemistry,
    conditions_of,
    sources_of,
    structures_of,
    track_block,
)
from clusterflow.report.plain_table import make_table
from clusterflow.report.sections import make_section
from clusterflow.report.templating import assemble_script, load_templates
from clusterflow.results.flag_table import flags_of
from clusterflow.results.ranking import overviews, probability_tables, rank_reactions
from clusterflow.results.scaling_relations import scalings_of
from clusterflow.results.temperatures import StepEnergies
from clusterflow.science.checks.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from clusterflow.library.levels import DomainSpec
    from clusterflow.records.files import StudyRecords
    from clusterflow.report.answers import Answer
    from clusterflow.report.contents import BandEdgesRow, ClusterView
    from clusterflow.report.first_screen import ShownAnswer
    from clusterflow.results.flag_table import Flag
    from clusterflow.science.checks.evidence import Gate

    Rows = Sequence[Mapping[str, object]]

# Of the tables on the page of a large study; the list of clusters has them all.
_MOST_RANKED = 50
_MOST_COMPARED = 20
_MOST_FAILURES = 200


def render_page(
    records: StudyRecords,
    *,
    study: str,
    domain: Sequence[DomainSpec] = (),
    energies: Rows = (),
    failures: Rows = (),
    pairs: Rows = (),
    gates: Iterable[Gate] = (),
    figures: Mapping[tuple[str, str], str] | None = None,
    steps: Mapping[str, StepEnergies] | None = None,
    refined_steps: Mapping[str, StepEnergies] | None = None,
    hashes: Mapping[str, str] | None = None,
) -> str:
    """A self-contained HTML page about a study, also where nothing succeeded.

    Parameters
    ----------
    records
        All records of the study.
    study
        Its name.
    domain
        Where methods are not to be trusted: the texts of the flags.
    energies
        Rows of the table of energies, shown as they are and offered as CSV.
    failures
        Rows about what failed; without any, they are taken from the failed records.
    pairs
        Rows of the table of rankings: which cluster is the better, and how probably.
    gates
        Verdicts of all checks on the records.
    figures
        Diagrams as SVG by cluster and reaction; those that are missing are drawn.
    steps
        Free energies over temperature by cluster; without them the sliders have the
        study's temperature only, and there are no intervals.
    refined_steps
        The same at the composite level.
    hashes
        SHA-256 of each record by the name of its file.
    """
    figures, steps, refined_steps = figures or {}, steps or {}, refined_steps or {}
    edges = band_edges_of(records)
    flags = flags_of(records, domain)
    clusters = [(view, structures_of(view)) for view in cluster_views(records)]
    numbers = {view.name: number for number, (view, _) in enumerate(clusters)}
    answers = _find_answers(records, pairs)
    shown = show_answers(
        *(answers, flags, list(numbers)),
        lambda name, answer: (
            f"{'refined' if answer.composite else 'data'}-{numbers[name]}"
        ),
    )
    symbols = {
        symbol
        for _, structures in clusters
        for one in structures
        for symbol in one.structure.symbols
    }
    blocks = {
        "chemistry": chemistry(),
        "conditions": conditions_of(records.of(CheRecord), steps),
        "tracks": [one.tracks for one in shown],
        "sources": sources_of(records, hashes or {}),
        **{
            f"refined-{numbers[view.name]}": track_block(
                *(view, records.about(view.name), ""),
                refined_steps.get(view.name, StepEnergies()),
                composite=True,
            )
            for view, _ in clusters
            if view.refined is not None
        },
    }
    return _render(
        "study.html.j2",
        **_describe_study(records, study, flags, shown, pairs),
        **assemble_script(symbols, blocks),
        failures=make_table(failures or failures_of(records)),
        n_failures=len(failures or failures_of(records)),
        overviews=overviews(records.of(CheRecord), records.of(RefinedCheRecord)),
        checks=summarise(gates),
        chips=_draw_chips([view for view, _ in clusters], list(numbers)),
        link=lambda name: f"#{cluster_id(name)}",
        sections=[
            make_section(
                view,
                structures,
                records.about(view.name),
                steps.get(view.name, StepEnergies()),
                order=numbers[view.name],
                figures=figures,
            )
            for view, structures in clusters
        ],
        edges=edges,
        edges_svg=_draw_edges(edges, figures),
        energies=make_table(energies),
        listed=None,
        most_ranked=None,
        most_compared=None,
    )


def render_summary(
    records: StudyRecords,
    *,
    study: str,
    domain: Sequence[DomainSpec],
    failures: Rows,
    pairs: Rows,
    gates: Iterable[Gate],
    find_steps: Callable[[str, bool], StepEnergies],
    hashes: Mapping[str, str],
    link: Callable[[str], str],
) -> str:
    """The page of a study of many clusters, each of which has a page of its own.

    The other parameters are those of `render_page`.

    Parameters
    ----------
    find_steps
        Free energies over temperature of a cluster that leads, and whether those of
        the composite level.
    link
        Where the page of a cluster is.
    """
    flags = flags_of(records, domain)
    views = {view.name: view for view in cluster_views(records)}
    answers = _find_answers(records, pairs)
    led: dict[str, tuple[str, Answer]] = {}

    def name_block(cluster: str, answer: Answer) -> str:
        name = f"lead-{len(led)}"
        led[name] = cluster, answer
        return name

    shown = show_answers(answers, flags, list(views), name_block, MOST_ROWS)
    leaders = list(dict.fromkeys(cluster for cluster, _ in led.values()))
    asked = {(cluster, answer.composite) for cluster, answer in led.values()}
    steps = {one: find_steps(*one) for one in sorted(asked)}
    leading = [answer for answer in answers if answer.leads]
    listed = list_clusters(list(views.values()), leading, flags, link)
    of_level = {name: steps[name, False] for name, _ in asked if (name, False) in steps}
    blocks = {
        "chemistry": chemistry(),
        "conditions": conditions_of(records.of(CheRecord), of_level),
        "tracks": [one.tracks for one in shown],
        "sources": sources_of(records.about(*leaders), hashes),
        "clusters-list": listed.content,
        **{
            name: track_block(
                *(views[cluster], records.about(cluster), answer.reaction),
                steps[cluster, answer.composite],
                composite=answer.composite,
            )
            for name, (cluster, answer) in led.items()
        },
    }
    return _render(
        "study.html.j2",
        **_describe_study(records, study, flags, shown, pairs),
        **assemble_script(listed.symbols, blocks, "cluster_list"),
        failures=make_table(failures[:_MOST_FAILURES]),
        n_failures=len(failures),
        overviews=(),
        checks=summarise(gates),
        chips=_draw_chips([views[name] for name in leaders], list(views)),
        link=link,
        sections=(),
        edges=(),
        edges_svg=None,
        energies=make_table(()),
        listed=listed,
        most_ranked=_MOST_RANKED,
        most_compared=_MOST_COMPARED,
    )


def render_cluster_page(
    view: ClusterView,
    records: StudyRecords,
    *,
    study: str,
    domain: Sequence[DomainSpec],
    steps: StepEnergies,
    hashes: Mapping[str, str],
    link: Callable[[str], str],
) -> str:
    """The page of one cluster of a large study; scripts draw its diagrams.

    Parameters
    ----------
    records
        Those of the cluster and of the gases.
    link
        Where the page of another cluster, or ``""`` for that of the study, is.
    """
    flags = flags_of(records, domain)
    structures = structures_of(view)
    che = [view.che] if view.che else []
    blocks = {
        "chemistry": chemistry(),
        "conditions": conditions_of(che, {view.name: steps}),
        "tracks": [],
        "sources": sources_of(records, hashes),
    }
    return _render(
        "cluster.html.j2",
        **assemble_script({s for o in structures for s in o.structure.symbols}, blocks),
        title=view.name,
        study=study,
        style=Markup(style_sheet()),
        levels=levels_of(records),
        section=make_section(view, structures, records, steps),
        edges=band_edges_of(records),
        edges_svg=None,
        flags=sorted(flags, key=_order_flag),
        flag_of={flag.name: flag for flag in flags},
        link=link,
    )


def _find_answers(records: StudyRecords, pairs: Rows) -> tuple[Answer, ...]:
    rankings = rank_reactions(records.of(CheRecord), records.of(RefinedCheRecord))
    return find_answers(rankings, pairs)


def _render(template: str, **context: object) -> str:
    return load_templates().get_template(template).render(context).lstrip()


def _describe_study(
    records: StudyRecords,
    study: str,
    flags: Sequence[Flag],
    shown: Sequence[ShownAnswer],
    pairs: Rows,
) -> dict[str, object]:
    """What the page of a study says, whether it has all clusters or a list of them."""
    return {
        "title": study,
        "style": Markup(style_sheet()),
        "version": clusterflow.__version__,
        **_count_outcomes(records),
        **_gather_provenance(records),
        "claims": show_claims(records),
        "shown": shown,
        "n_levels": len({one.answer.level_hash for one in shown}),
        "refines": any(one.answer.composite for one in shown),
        "probabilities": probability_tables(pairs),
        "scalings": scalings_of(records.of(ThermoRecord)),
        "corrections": gas_corrections(records),
        "flags": sorted(flags, key=_order_flag),
        "flag_of": {flag.name: flag for flag in flags},
    }


def _count_outcomes(records: StudyRecords) -> dict[str, object]:
    """How much ran, and what became of it."""
    stages = summarise_stages(records)
    every = [result for record in records.of(CheRecord) for result in record.results]
    return {
        "stages": stages,
        "fates": count_fates(records),
        "n_clusters": len(records.clusters),
        "n_results": len(every),
        "n_complete": sum(r.limiting_potential_v_rhe is not None for r in every),
        "n_records": len(records.records),
        "n_failed": sum(stage.n_failed for stage in stages),
    }


def _gather_provenance(records: StudyRecords) -> dict[str, object]:
    """By what the records were made, and when."""
    levels = levels_of(records)
    return {
        "levels": levels,
        "methods": ", ".join(dict.fromkeys(one.method for one in levels)),
        "versions": versions_of(records),
        "protocols": protocols_of(records),
        "created": sorted(r.provenance.created for r in records.records),
    }


def _order_flag(flag: Flag) -> tuple[int, float, str]:
    """The weightiest first."""
    return (
        ("out", "moves", "note").index(flag.weight),
        -(flag.moves_ev or 0.0),
        flag.name,
    )


def _draw_chips(
    views: Sequence[ClusterView], names: Sequence[str]
) -> list[dict[str, object]]:
    """A small picture of each cluster that has one, with its colour among all."""
    colors = choose_colors(names)
    return [
        {
            "name": view.name,
            "color": colors[view.name],
            "svg": Markup(
                draw_structure(
                    view.relax.isomers[0].structure,
                    alt=f"Balls and sticks: {view.name}, lowest isomer",
                )
            ),
        }
        for view in views
        if view.relax and view.relax.isomers
    ]


def _draw_edges(
    rows: Sequence[BandEdgesRow], figures: Mapping[tuple[str, str], str]
) -> Markup | None:
    """The diagram of band edges, if any cluster has them beside its profiles."""
    found = {row.record.cluster: row.view for row in rows if row.view is not None}
    if not found:
        return None
    alt = describe_band_edges(rows)
    source = figures.get(BAND_EDGES_FIGURE) or svg_source(draw_band_edges(found))
    return Markup(inline_svg(source, prefix="edges-", alt=alt))
