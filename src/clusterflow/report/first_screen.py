"""The pictures of the first screen: potentials as strips, a diagram a reaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from clusterflow.figures import text
from clusterflow.figures.layout import MAX_NAMED
from clusterflow.figures.overlay import COLORS, draw_overlay
from clusterflow.figures.palette import FAINT
from clusterflow.figures.saving import svg_source
from clusterflow.figures.sheet import Sheet
from clusterflow.figures.strip import Mark, StripRow, draw_strip
from clusterflow.figures.svg import inline_svg
from clusterflow.report.answers import potential_range
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import no_potential_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clusterflow.records.profiles import ReactionResult
    from clusterflow.report.answers import Answer
    from clusterflow.report.page_data import Json
    from clusterflow.results.flag_table import Flag

# A still diagram fills its half of the page with letters as large as the text's.
_SHEET = Sheet(most_in=6.5)
MOST_ROWS = 8  # of a strip; the table has them all


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAnswer:
    """An answer with its strip and its diagram of all clusters.

    Only an answer that leads has a strip. `tracks` is what the script draws the diagram
    of, best cluster first; `still` is what stands there without scripts, None where no
    cluster has a complete pathway.
    """

    answer: Answer
    strip: Markup | None
    still: Markup | None
    tracks: Sequence[Json]


def choose_colors(names: Sequence[str]) -> dict[str, str]:
    """The colour of each cluster; those beyond the palette share a grey."""
    palette = ("var(--plot-best)", *(f"var(--plot-{n})" for n in range(1, MAX_NAMED)))
    colors = dict.fromkeys(names, "var(--faint)")
    return colors | dict(zip(names, palette, strict=False))


def show_answers(
    answers: Sequence[Answer],
    flags: Sequence[Flag],
    names: Sequence[str],
    name_block: Callable[[str, Answer], str],
    most_tracks: int | None = None,
) -> list[ShownAnswer]:
    """Each answer with its pictures; all strips have one scale, written once.

    Parameters
    ----------
    names
        All clusters.
    name_block
        The block of the page that has the data of a cluster for an answer.
    most_tracks
        How many clusters a diagram can show.
    """
    leading = [answer for answer in answers if answer.leads]
    limits_v = potential_range(leading)
    out = {flag.name for flag in flags if flag.weight == "out"}
    shown = []
    for index, answer in enumerate(answers):
        # The study's colours while they suffice, else those of the reaction's best.
        ranked = [row.cluster for row in answer.rows]
        order = names if len(names) <= MAX_NAMED else ranked
        colors = choose_colors(order)
        strip = None
        if answer.leads:
            drawn = draw_strip(
                _list_strip_rows(answer, colors, out),
                _find_brackets(answer),
                limits_v,
                axis=answer is leading[-1],
                alt=_describe_strip(answer),
            )
            strip = Markup(drawn)
        tracks = [
            {
                "cluster": row.cluster,
                "block": name_block(row.cluster, answer),
                "reaction": answer.reaction,
                "color": colors[row.cluster],
            }
            for row in answer.rows[:most_tracks]
            if row.result.pathways
        ]
        still = _draw_still(answer, f"all{index}-", order)
        shown.append(
            ShownAnswer(answer=answer, strip=strip, still=still, tracks=tracks)
        )
    return shown


def _find_brackets(answer: Answer) -> list[tuple[int, int]]:
    """Of the groups that none leads, what there is in a strip."""
    last = MOST_ROWS - 1
    return [(a, min(b, last)) for a, b in answer.groups if a < last]


def _list_strip_rows(
    answer: Answer, colors: Mapping[str, str], out: set[str]
) -> list[StripRow]:
    """The best rows of an answer as its strip draws them."""
    hydrogen = {name: _mark_potential(result) for name, result in answer.her.items()}
    return [
        StripRow(
            name=row.cluster,
            color=colors[row.cluster],
            mark=_mark_potential(row.result),
            hydrogen=hydrogen.get(row.cluster),
            why=no_potential_reason(row.result),
            hollow=any(name in out for name, _ in group_flags(row.result.flags)),
        )
        for row in answer.rows[:MOST_ROWS]
    ]


def _draw_still(answer: Answer, prefix: str, order: Sequence[str]) -> Markup | None:
    """The diagram of the best clusters at the study's conditions.

    `order` is that of the palette, as in the strip.
    """
    complete = {
        row.cluster: row.result
        for row in answer.rows
        if row.result.best_pathway is not None
    }
    best = dict(list(complete.items())[:MAX_NAMED])
    if not best:
        return None
    alt = f"Free-energy diagram of {answer.reaction}: {', '.join(best)}"
    colors = dict.fromkeys(best, FAINT) | dict(zip(order, COLORS, strict=False))
    source = svg_source(draw_overlay(best, sheet=_SHEET, colors=colors))
    return Markup(inline_svg(source, prefix=prefix, alt=alt))


def _mark_potential(result: ReactionResult) -> Mark | None:
    value_v = result.headline_v_rhe
    if value_v is None:
        return None
    errors = result.uncertainty
    if errors is None:
        return Mark(value_v=value_v)
    return Mark(value_v=value_v, lower_v=errors.lower_v_rhe, upper_v=errors.upper_v_rhe)


def _describe_strip(answer: Answer) -> str:
    """A strip in words, V vs RHE."""
    parts = [
        f"{row.cluster} {text.signed(row.result.headline_v_rhe)}" for row in answer.rows
    ]
    return f"Limiting potentials of {answer.reaction}, V vs RHE: {'; '.join(parts)}"
