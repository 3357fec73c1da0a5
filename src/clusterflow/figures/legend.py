"""Legends of diagrams: pathways, the determining step, and what marks mean."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from clusterflow.figures.layout import MAX_NAMED
from clusterflow.figures.palette import BAND, DETERMINING, FAINT, INK, choose_color
from clusterflow.figures.sheet import pt, unit
from clusterflow.figures.text import chem, clip, number, signed
from clusterflow.science.checks.effects import WARNINGS
from clusterflow.science.reactions.flags import (
    group_flags,
    outside_domain,
    with_changed_bonds,
)
from clusterflow.science.reactions.pathways import order_pathways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from clusterflow.figures.layout import Frame
    from clusterflow.records.profiles import Pathway, ReactionResult

MARK_CHANGED, MARK_OUTSIDE = "†", "‡"
_LEGEND_PT = 8.0
# A row of a legend may be as long as in a figure of the usual width, and is wrapped.
_MOST_CHARACTERS = 88


def make_legend_handles(
    frame: Frame,
    pathways: Sequence[Pathway],
    result: ReactionResult,
    *,
    dotted: bool,
    few: bool,
) -> list[Line2D | Patch]:
    """Pathways with their limiting potentials, and the determining step."""
    limit = max(_count_row_characters(frame.width_in), _MOST_CHARACTERS)
    handles: list[Line2D | Patch] = [
        _make_legend_line(rank, pathway, limit)
        for rank, pathway in enumerate(pathways[:MAX_NAMED])
    ]
    further = len(pathways) - len(handles)
    if further:
        handles.append(Line2D([], [], color=FAINT, label=f"{further} further"))
    handles.append(_make_legend_verdict(result, limit))
    notes = ["dotted: the best pathway at its U_L"] if dotted else []
    notes += [*_explain_marks(result), *([] if few else _list_legend_notes(result))]
    return [*handles, *(Line2D([], [], linestyle="none", label=n) for n in notes)]


def wrap_legend(handles: Sequence[Line2D | Patch], width_in: float) -> int:
    """Wrap the labels of a legend's rows to a figure; how many lines they are."""
    lines = 0
    for handle in handles:
        text = textwrap.fill(str(handle.get_label()), _count_row_characters(width_in))
        handle.set_label(text)
        lines += text.count("\n") + 1
    return lines


def add_legend(figure: Figure, handles: Sequence[Line2D | Patch]) -> None:
    """Add a legend of plain text at the foot of a figure."""
    width_in, height_in = figure.get_size_inches() / unit()
    legend = figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.08 / width_in, 0.03 / height_in),
        fontsize=pt(_LEGEND_PT),
        frameon=False,
        labelcolor=INK,
        borderaxespad=0.0,
        handlelength=2.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _count_row_characters(width_in: float) -> int:
    """How many characters of a legend's row fit into a figure."""
    return int((width_in - 0.9) * 72 / (_LEGEND_PT * 0.56))


def _make_legend_line(rank: int, pathway: Pathway, limit: int) -> Line2D:
    """A pathway with its limiting potential, or why it has none."""
    if pathway.limiting_potential_v_rhe is None:
        verdict = f"no U_L: {pathway.reason or 'incomplete'}"
    else:
        verdict = f"U_L = {number(pathway.limiting_potential_v_rhe)} V vs RHE"
    name = clip(chem(pathway.name), max(20, limit - len(verdict) - 2))
    return Line2D(
        [],
        [],
        color=choose_color(rank),
        linewidth=3.4 if rank == 0 else 1.6,
        label=clip(f"{name}: {verdict}", limit),
    )


def _make_legend_verdict(result: ReactionResult, limit: int) -> Line2D | Patch:
    """The determining step with its free energy, or that there is none."""
    if result.determining_step is None:
        reason = result.reason or "no pathway is complete"
        return Patch(
            facecolor=BAND,
            edgecolor=FAINT,
            label=clip(f"no determining step: {reason}", limit),
        )
    best = order_pathways(result)[0]
    steps = [s for s in best.steps if s.name == result.determining_step]
    cost = f", ΔG(0 V vs RHE) = {signed(best.judged_ev(steps[0]))} eV" if steps else ""
    named = " after ".join((result.determining_step, *result.determining_with))
    step = clip(chem(named), limit - len(cost) - 18)
    return Line2D(
        [],
        [],
        color=DETERMINING,
        linestyle=(0, (3, 2)),
        linewidth=2.0,
        label=f"determining step: {step}{cost}",
    )


def _explain_marks(result: ReactionResult) -> list[str]:
    """What daggers of a figure mean."""
    notes = []
    if with_changed_bonds(result):
        notes.append(
            f"{MARK_CHANGED} the cluster changed its bonds: its gain is counted too"
        )
    if outside_domain(result):
        notes.append(f"{MARK_OUTSIDE} outside the domain of the level: see its flags")
    return notes


def _list_legend_notes(result: ReactionResult) -> list[str]:
    """The limiting potential by the samples and what it rests on."""
    notes = []
    if result.uncertainty is not None:
        median = signed(result.uncertainty.median_v_rhe)
        low = signed(result.uncertainty.lower_v_rhe)
        high = signed(result.uncertainty.upper_v_rhe)
        basis = result.uncertainty.basis
        notes.append(
            f"median of U_L {median} V vs RHE, 90 % interval {low} to {high} ({basis})"
        )
    notes += [
        ": ".join(filter(None, (name.replace("-", " "), chem(", ".join(carriers)))))
        for name, carriers in group_flags(result.flags)
        if name in WARNINGS
    ]
    return notes
