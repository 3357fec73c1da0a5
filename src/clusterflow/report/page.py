"""The report: one HTML file that works from a disk, without a network."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

import clusterflow
from clusterflow.figures import style_sheet, text
from clusterflow.figures.band_edges import draw_band_edges
from clusterflow.figures.diagram import draw_profile, svg_source
from clusterflow.figures.overlay import draw_overlay
from clusterflow.figures.picture import ball_definitions, draw_structure
from clusterflow.figures.svg import inline_svg
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import name_composite
from clusterflow.report.answers import TOLD_APART, find_answers
from clusterflow.report.claims import show_claims
from clusterflow.report.contents import (
    BAND_EDGES_FIGURE,
    ISOMER_MODES,
    band_edges_of,
    cluster_id,
    cluster_views,
    count_fates,
    describe_band_edges,
    describe_profile,
    failures_of,
    gas_corrections,
    levels_of,
    protocols_of,
    summarise_stages,
    versions_of,
)
from clusterflow.report.first_screen import (
    MOST_ROWS,
    choose_colors,
    show_answers,
)
from clusterflow.report.page_data import (
    NamedStructure,
    chemistry,
    cluster_block,
    conditions_of,
    elements_of,
    scaling_block,
    sources_of,
    structures_of,
    to_json,
)
from clusterflow.report.words import say_fate, say_flag, say_outcome
from clusterflow.results.flag_table import flags_of
from clusterflow.results.ranking import (
    level_key,
    overviews,
    probability_tables,
    rank_reactions,
)
from clusterflow.results.scaling_relations import scalings_of
from clusterflow.results.temperatures import StepEnergies
from clusterflow.science.adsorption.chosen_minimum import representative_minimum
from clusterflow.science.checks.effects import EFFECTS, failure_flag
from clusterflow.science.checks.summary import summarise
from clusterflow.science.reactions.che import THERMALLY_CLOSED_EV
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import (
    hole_runs,
    no_potential_reason,
    order_pathways,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.levels import DomainSpec
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import Pathway, ReactionResult
    from clusterflow.records.structure import Structure
    from clusterflow.report.contents import BandEdgesRow, ClusterView
    from clusterflow.report.page_data import Json
    from clusterflow.results.flag_table import Flag
    from clusterflow.science.checks.evidence import Gate

_PACKAGE = "clusterflow.report"
# Those that others build on come first.
_SCRIPTS = (
    *("page", "text", "atoms", "electrode", "controls", "diagram", "scaling"),
    *("files", "tables"),
)
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
_SUFFIX_UNITS = {
    "_ev": "eV",
    "_v": "V",
    "_v_rhe": "V vs RHE",
    "_k": "K",
    "_cm1": "cm⁻¹",
    "_s": "s",
    "_a": "Å",
    "_ev_per_a": "eV/Å",
    "_pa": "Pa",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """A small picture and what stands under it."""

    svg: Markup
    title: str
    note: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _RefinedProfile:
    """A reaction at a composite level, in one picture with the level's.

    Without a best pathway at one of them there is no picture.
    """

    level: str
    result: ReactionResult
    svg: Markup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """A reaction's result with its diagram and its pathways, best first."""

    result: ReactionResult
    svg: Markup
    pathways: tuple[Pathway, ...]
    flags: frozenset[str]
    refined: _RefinedProfile | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A cluster with its pictures and diagrams, and the data behind them.

    `numbers` counts its structures: by ``adsorbate/minimum``, or ``/isomer``.
    """

    view: ClusterView
    pictures: tuple[_Picture, ...]
    profiles: tuple[_Profile, ...]
    numbers: Mapping[str, int]
    data: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table as read by a person: headings, and cells as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    records: tuple[str, ...]


def render_page(
    records: StudyRecords,
    *,
    study: str,
    domain: Sequence[DomainSpec] = (),
    energies: Sequence[Mapping[str, object]] = (),
    failures: Sequence[Mapping[str, object]] = (),
    pairs: Sequence[Mapping[str, object]] = (),
    gates: Sequence[Gate] = (),
    figures: Mapping[tuple[str, str], str] | None = None,
    steps: Mapping[str, StepEnergies] | None = None,
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
    hashes
        SHA-256 of each record by the name of its file.
    """
    edges = band_edges_of(records)
    flags = flags_of(records, domain)
    clusters = [(v, structures_of(v)) for v in cluster_views(records)]
    rankings = rank_reactions(records.of(CheRecord))
    names = [view.name for view, _ in clusters]
    shown = show_answers(find_answers(rankings, pairs), flags, names)
    page = _load_template().render(
        study=study,
        style=Markup(style_sheet()),
        version=clusterflow.__version__,
        **_count_outcomes(records),
        **_gather_provenance(records),
        failures=_make_table(failures or failures_of(records)),
        overviews=overviews(records.of(CheRecord)),
        claims=show_claims(records),
        shown=shown,
        n_levels=len({one.answer.level_hash for one in shown}),
        colors=choose_colors(names),
        probabilities=probability_tables(pairs),
        checks=summarise(gates),
        sections=_make_sections(records, clusters, figures or {}, steps or {}),
        edges=edges,
        edges_svg=_make_edges_svg(edges, figures or {}),
        scalings=scalings_of(records.of(ThermoRecord)),
        **_assemble_script(
            [group for _, group in clusters],
            {
                "chemistry": chemistry(),
                "conditions": conditions_of(records.of(CheRecord), steps or {}),
                "tracks": [one.tracks for one in shown],
                "sources": sources_of(records, hashes or {}),
            },
        ),
        corrections=gas_corrections(records),
        flags=sorted(flags, key=_order_flag),
        flag_of={flag.name: flag for flag in flags},
        energies=_make_table(energies),
    )
    return page.lstrip()


def _count_outcomes(records: StudyRecords) -> dict[str, object]:
    """How much ran, and what became of it."""
    stages = summarise_stages(records)
    every = [result for record in records.of(CheRecord) for result in record.results]
    return {
        "stages": stages,
        "fates": count_fates(records),
        "n_results": len(every),
        "n_complete": sum(r.limiting_potential_v_rhe is not None for r in every),
        "n_records": len(records.records),
        "n_failed": sum(stage.n_failed for stage in stages),
    }


def _gather_provenance(records: StudyRecords) -> dict[str, object]:
    """By what the records were made, and when."""
    return {
        "levels": levels_of(records),
        "methods": ", ".join(dict.fromkeys(one.method for one in levels_of(records))),
        "versions": versions_of(records),
        "protocols": protocols_of(records),
        "created": sorted(r.provenance.created for r in records.records),
    }


def _assemble_script(
    structures: Sequence[Sequence[NamedStructure]], blocks: Mapping[str, object]
) -> dict[str, object]:
    """The script, the hash by which the page allows it, and the data of the study."""
    symbols = {
        s for group in structures for one in group for s in one.structure.symbols
    }
    script = "\n".join(_read_resource(f"scripts/{name}.js") for name in _SCRIPTS)
    digest = hashlib.sha256(script.encode()).digest()
    every = {**blocks, "elements": elements_of(symbols)}
    return {
        "balls": Markup(ball_definitions(symbols)),
        "script": Markup(script),
        "script_hash": base64.b64encode(digest).decode(),
        "blocks": {name: to_json(content) for name, content in every.items()},
    }


def _order_flag(flag: Flag) -> tuple[int, float, str]:
    """The weightiest first."""
    return (
        ("out", "moves", "note").index(flag.weight),
        -(flag.moves_ev or 0.0),
        flag.name,
    )


def _load_template() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        chem=text.chem,
        clip=text.clip,
        number=text.number,
        signed=text.signed,
        duration=text.duration,
        anchor=cluster_id,
        fate=say_fate,
        outcome=say_outcome,
        flag=say_flag,
        json=to_json,
    )
    environment.globals.update(
        hole_runs=_name_hole_runs,
        scaling_block=scaling_block,
        group_flags=group_flags,
        level_key=level_key,
        isomer_mode=ISOMER_MODES.__getitem__,
        potential_label=text.potential_label,
        hole_reason=no_potential_reason,
        hole_mark=text.HOLE,
        closed_ev=THERMALLY_CLOSED_EV,
        gate_flags={failure_flag(gate) for gate in EFFECTS},
        told_apart=TOLD_APART,
        most_rows=MOST_ROWS,
    )
    # Indentation is for whoever reads the template; a large page has megabytes of it.
    return environment.from_string(
        _INDENTATION.sub("", _read_resource("template.html.j2"))
    )


def _read_resource(name: str) -> str:
    return resources.files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _name_hole_runs(pathway: Pathway) -> list[tuple[list[str], str]]:
    """Neighbouring states without a value, by name, and their reason."""
    return [
        ([pathway.states[column] for column in columns], reason)
        for columns, reason in hole_runs(pathway)
    ]


def _make_sections(
    records: StudyRecords,
    clusters: Sequence[tuple[ClusterView, Sequence[NamedStructure]]],
    figures: Mapping[tuple[str, str], str],
    steps: Mapping[str, StepEnergies],
) -> list[_Section]:
    sections = []
    for order, (view, structures) in enumerate(clusters):
        numbers = {item.key: number for number, item in enumerate(structures)}
        energies = steps.get(view.name, StepEnergies())
        block: Json = cluster_block(view, records, structures, energies)
        profiles = (
            _make_profile(
                result,
                f"plot{order}-{index}-",
                figures.get((view.name, result.reaction))
                or svg_source(draw_profile(result)),
                _make_refined_profile(view, result, f"refined{order}-{index}-"),
            )
            for index, result in enumerate(view.che.results if view.che else ())
        )
        sections.append(
            _Section(
                view=view,
                pictures=tuple(_make_cluster_pictures(view, numbers)),
                profiles=tuple(profiles),
                numbers=numbers,
                data=to_json(block),
            )
        )
    return sections


def _make_profile(
    result: ReactionResult,
    prefix: str,
    source: str,
    refined: _RefinedProfile | None,
) -> _Profile:
    drawn = inline_svg(source, prefix=prefix, alt=describe_profile(result))
    marks = {mark for p in result.pathways for step in p.steps for mark in step.flags}
    marks |= set(refined.result.flags if refined else ())
    return _Profile(
        result=result,
        svg=Markup(drawn),
        pathways=order_pathways(result),
        flags=frozenset(name for name, _ in group_flags(marks)),
        refined=refined,
    )


def _make_refined_profile(
    view: ClusterView, result: ReactionResult, prefix: str
) -> _RefinedProfile | None:
    """A reaction's result by DFT, if the study refines this cluster."""
    if view.refined is None or view.refined.level is None:
        return None
    results = {r.reaction: r for r in view.refined.profiles.results}
    if result.reaction not in results:
        return None
    refined = results[result.reaction]
    level = name_composite(view.refined.level, view.refined.dft_level)
    drawn = None
    if result.best_pathway is not None and refined.best_pathway is not None:
        both = {view.refined.level.name: result, level: refined}
        alt = f"At {level}: {describe_profile(refined)}"
        source = svg_source(draw_overlay(both))
        drawn = Markup(inline_svg(source, prefix=prefix, alt=alt))
    return _RefinedProfile(level=level, result=refined, svg=drawn)


def _make_edges_svg(
    rows: Sequence[BandEdgesRow], figures: Mapping[tuple[str, str], str]
) -> Markup | None:
    """The diagram of band edges, if any cluster has them beside its profiles."""
    found = {row.record.cluster: row.view for row in rows if row.view is not None}
    if not found:
        return None
    alt = describe_band_edges(rows)
    source = figures.get(BAND_EDGES_FIGURE) or svg_source(draw_band_edges(found))
    return Markup(inline_svg(source, prefix="edges-", alt=alt))


def _make_cluster_pictures(
    view: ClusterView, numbers: Mapping[str, int]
) -> list[_Picture]:
    """The lowest isomer, then each adsorbate's minimum."""
    found: list[_Picture] = []
    for isomer in view.relax.isomers[:1] if view.relax else ():
        found.append(
            _make_picture(isomer.structure, view.name, "lowest isomer", numbers["/0"])
        )
    for record in view.adsorptions:
        minimum = representative_minimum(record, view.vibrations)
        if minimum is not None:
            note = f"{say_outcome(minimum)}, {minimum.site_kind}"
            number = numbers[f"{record.adsorbate}/{record.minima.index(minimum)}"]
            title = f"*{record.adsorbate}"
            found.append(_make_picture(minimum.structure, title, note, number))
    return found


def _make_picture(structure: Structure, title: str, note: str, index: int) -> _Picture:
    alt = f"Balls and sticks: {title}, {note}"
    drawn = Markup(draw_structure(structure, alt=alt))
    return _Picture(svg=drawn, title=title, note=note, index=index)


def _make_table(rows: Sequence[Mapping[str, object]]) -> _Table:
    """Rows of unlike keys as one table."""
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    return _Table(
        columns=tuple(_format_heading(key) for key in keys),
        rows=tuple(tuple(_format_cell(row.get(key)) for key in keys) for row in rows),
        numeric=tuple(
            any(isinstance(row.get(key), float) for row in rows) for key in keys
        ),
        records=tuple(
            f"thermo/{row['cluster']}.json" if row.get("cluster") else ""
            for row in rows
        ),
    )


def _format_heading(key: str) -> str:
    """A column's name with its unit set apart: ``gibbs_ev`` becomes ``gibbs / eV``."""
    for suffix in sorted(_SUFFIX_UNITS, key=len, reverse=True):
        if key.endswith(suffix):
            stem = key.removesuffix(suffix)
            return f"{stem.replace('_', ' ')} / {_SUFFIX_UNITS[suffix]}"
    return key.replace("_", " ")


def _format_cell(value: object) -> str:
    if value is None or value == "":
        return text.HOLE
    if isinstance(value, float):
        return text.number(value, 3)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)
