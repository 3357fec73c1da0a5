"""Free-energy diagrams with matplotlib's object-oriented interface: no global state."""

from __future__ import annotations

import textwrap
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import matplotlib

from clusterflow.figures.columns import name_axis
from clusterflow.figures.layout import (
    HEADING_IN,
    LEFT_IN,
    MIN_WIDTH_IN,
    RIGHT_IN,
    TICK_IN,
    Bar,
    Frame,
    find_bars,
    find_tracks,
    lay_out,
    reasons_in,
    wrap_reason,
)
from clusterflow.figures.legend import (
    MARK_CHANGED,
    MARK_OUTSIDE,
    add_legend,
    make_legend_handles,
    wrap_legend,
)
from clusterflow.figures.palette import (
    BAND,
    BEST,
    DETERMINING,
    FAINT,
    INK,
    MUTED,
    TITLE_PT,
    choose_color,
)
from clusterflow.figures.sheet import HEADING, PAPER, USUAL, Sheet, new_figure, pt
from clusterflow.figures.text import (
    MINUS,
    chem,
    clip,
    potential_label,
)
from clusterflow.science.reactions.flags import outside_domain, with_changed_bonds
from clusterflow.science.reactions.pathways import hole_runs, order_pathways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clusterflow.figures.columns import Place
    from clusterflow.figures.layout import Tracks
    from clusterflow.records.profiles import Pathway, ReactionResult


HALF_BAR = 0.34
_SAME_V = 0.005  # potentials that are written alike
_REASON_PT = 7.0


def draw_profile(
    result: ReactionResult,
    *,
    title: str | None = None,
    half_widths_ev: Sequence[float | None] = (),
    sheet: Sheet = USUAL,
) -> Figure:
    """Free-energy diagram of all pathways of a reaction, the best one strong.

    The abscissa counts electrons taken up. Levels are cumulative free energies in eV
    at the result's potential, those of the best pathway also at its limiting potential
    U_L, dotted. A state without a value is a gap, marked in its column with the reason.

    Parameters
    ----------
    result
        Pathways of one reaction on one surface.
    title
        Heading; by default the reaction's equation and the surface.
    half_widths_ev
        Half of the 90 % interval of each state of the best pathway, where known.
    sheet
        Width, letters and words.

    Raises
    ------
    ConfigError
        If the states do not fit into the width.
    """
    heading = title or f"{chem(result.equation)} on {result.surface}"
    with matplotlib.rc_context(sheet.style):
        pathways = order_pathways(result)
        if not pathways:
            return _draw_empty_figure(result, heading)
        tracks = find_tracks(result.equation, pathways)
        bars = find_bars(tracks)
        if not bars:
            return _draw_empty_figure(result, heading)
        limit = levels_at_limit(result, pathways[0])
        ends = interval_ends(pathways[0].levels_ev, half_widths_ev)
        frame = lay_out(tracks, bars, (*limit, *ends), sheet=sheet)
        handles = make_legend_handles(
            frame, pathways, result, dotted=bool(limit), few=sheet.few_words
        )
        frame = frame.with_legend(wrap_legend(handles, frame.width_in))
        below_in = TICK_IN + reasons_in(pathways[0])
        figure, axes = blank_figure(frame, name_axis(pathways), pt(4 + 72 * below_in))
        number_columns(axes, tracks.columns)
        if not sheet.few_words:
            draw_titles(figure, frame, heading, result)
        _draw_holes(axes, tracks)
        _draw_connectors(axes, tracks, result.determining_step)
        _draw_limit(axes, tracks.at[0], limit)
        draw_bars(axes, bars)
        draw_intervals(
            axes, tracks.at[0], pathways[0].levels_ev, half_widths_ev, color=BEST
        )
        _draw_labels(axes, frame, with_changed_bonds(result), outside_domain(result))
        add_legend(figure, handles)
    return figure


def blank_figure(frame: Frame, label: str, labelpad: float) -> tuple[Figure, Axes]:
    """A figure with axes of the frame's size and nothing on them."""
    width, height = frame.width_in, frame.height_in
    figure = new_figure(width, height)
    left, right = LEFT_IN / width, 1 - RIGHT_IN / width
    axes = figure.add_axes(
        (left, frame.below_in / height, right - left, frame.axes_in / height),
        facecolor=PAPER,
    )
    axes.set_xlim(-0.5, frame.columns - 0.5)
    axes.set_ylim(frame.bottom_ev, frame.top_ev)
    axes.set_xticks([])
    axes.set_xlabel(label, color=MUTED, labelpad=labelpad)
    axes.set_ylabel("Free energy ΔG / eV", color=INK)
    axes.tick_params(colors=MUTED, labelcolor=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
    axes.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0.5)
    return figure, axes


def draw_titles(
    figure: Figure, frame: Frame, heading: str, result: ReactionResult
) -> None:
    """Write the heading, and under it the conditions."""
    x, top = 0.12 / frame.width_in, frame.height_in
    conditions = potential_label(result.potential_v, result.scale, result.ph)
    limit = int(frame.width_in * 72 / (TITLE_PT * 0.6))
    figure.text(
        x,
        1 - 0.13 / top,
        clip(heading, limit),
        fontsize=pt(TITLE_PT),
        weight="bold",
        color=INK,
        va="top",
        parse_math=False,
        gid=HEADING,
    )
    figure.text(
        x,
        1 - (0.13 + HEADING_IN) / top,
        f"{conditions};  T = {result.temperature_k:g} K",
        color=MUTED,
        va="top",
    )


def number_columns(axes: Axes, columns: Sequence[Place]) -> None:
    """Write how many electrons each group of columns has taken up, and part groups."""
    electrons = [place.electrons for place in columns]
    for count in dict.fromkeys(electrons):
        first, n = electrons.index(count), electrons.count(count)
        axes.annotate(
            f"{count}".replace("-", MINUS),
            (first + (n - 1) / 2, 0),
            xytext=(0, pt(-4)),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            va="top",
            color=INK,
            gid=f"electrons-{count}",
        )
        if first:
            axes.axvline(first - 0.5, color=BAND, linewidth=0.8, zorder=0.05)


def levels_at_limit(result: ReactionResult, pathway: Pathway) -> tuple[float, ...]:
    """Free energies of a pathway at its own limiting potential, eV.

    Nothing where it has none, or where that is the potential of the result.
    """
    limit = pathway.limiting_potential_v
    if limit is None and result.scale == "rhe":
        limit = pathway.limiting_potential_v_rhe
    if limit is None or abs(limit - result.potential_v) < _SAME_V:
        return ()
    electrons = accumulate((step.n_e for step in pathway.steps), initial=0)
    # A pathway with a limiting potential has all its energies.
    return tuple(
        energy_ev + n * (limit - result.potential_v)
        for energy_ev, n in zip(pathway.levels_ev, electrons, strict=True)
        if energy_ev is not None
    )


def _draw_limit(axes: Axes, columns: Sequence[int], levels_ev: Sequence[float]) -> None:
    """The levels at the limiting potential, dotted."""
    dotted: Any = {"color": MUTED, "linestyle": (0, (1, 1.2)), "zorder": 1.5}
    points = list(zip(columns, levels_ev, strict=False))
    for column, energy_ev in points:
        axes.plot(
            [column - HALF_BAR, column + HALF_BAR],
            [energy_ev, energy_ev],
            linewidth=1.6,
            gid=f"limit-{column}",
            **dotted,
        )
    for (column, energy_ev), (following, next_ev) in pairwise(points):
        axes.plot(
            [column + HALF_BAR, following - HALF_BAR],
            [energy_ev, next_ev],
            linewidth=0.8,
            **dotted,
        )


def interval_ends(
    levels_ev: Sequence[float | None], half_widths_ev: Sequence[float | None]
) -> list[float]:
    """Both ends of the interval of each level that has one, eV."""
    return [
        energy_ev + side * half
        for energy_ev, half in zip(levels_ev, half_widths_ev, strict=False)
        if energy_ev is not None and half
        for side in (-1, 1)
    ]


def draw_intervals(
    axes: Axes,
    columns: Sequence[int],
    levels_ev: Sequence[float | None],
    half_widths_ev: Sequence[float | None],
    *,
    color: str,
    shift: float = 0.0,
) -> None:
    """Draw the 90 % interval of each level, `shift` columns beside its middle."""
    for column, energy_ev, half in zip(
        columns, levels_ev, half_widths_ev, strict=False
    ):
        if energy_ev is not None and half:
            axes.errorbar(
                column + HALF_BAR * 0.8 + shift,
                energy_ev,
                yerr=half,
                color=color,
                elinewidth=0.9,
                capsize=2.0,
                alpha=0.6,
                zorder=1.8,
            )


def _draw_connectors(axes: Axes, tracks: Tracks, determining: str | None) -> None:
    """Dashed lines between neighbouring states of each pathway."""
    seen: set[tuple[int, str, float]] = set()
    for rank, (pathway, columns) in enumerate(
        zip(tracks.pathways, tracks.at, strict=True)
    ):
        points = pairwise(zip(columns, pathway.levels_ev, strict=True))
        for step, ((column, energy_ev), (following, next_ev)) in zip(
            pathway.steps, points, strict=True
        ):
            if energy_ev is None or next_ev is None:
                continue
            key = (column, step.name, round(energy_ev, 3))
            if key in seen:
                continue
            seen.add(key)
            decisive = rank == 0 and step.name == determining
            axes.plot(
                [column + HALF_BAR, following - HALF_BAR],
                [energy_ev, next_ev],
                linestyle=(0, (3, 2)),
                linewidth=2.0 if decisive else (1.3 if rank == 0 else 0.9),
                color=DETERMINING if decisive else choose_color(rank),
                zorder=2.0 if rank == 0 else 1.0,
                gid=f"connector-{rank}-{column}",
            )


def draw_bars(axes: Axes, bars: Sequence[Bar]) -> None:
    """Draw a horizontal bar for each state."""
    for bar in bars:
        axes.plot(
            [bar.column - HALF_BAR, bar.column + HALF_BAR],
            [bar.energy_ev, bar.energy_ev],
            linewidth=3.4 if bar.pathway == 0 else 1.6,
            solid_capstyle="butt",
            color=choose_color(bar.pathway),
            zorder=4.0 if bar.pathway == 0 else 3.0,
            gid=f"level-{bar.pathway}-{bar.column}",
        )


def _draw_labels(
    axes: Axes, frame: Frame, changed: set[str], outside: set[str]
) -> None:
    """The name of each state at its place, with a leader where it had to move."""
    for label in frame.labels:
        bar, text, place = label.bar, label.text, label.place
        species = set(bar.state.split(" + "))
        text += MARK_CHANGED if changed & species else ""
        text += MARK_OUTSIDE if outside & species else ""
        text += f"\n{label.value}" if label.value else ""
        middle = (place.bottom_in + place.height_in / 2) / frame.inch_per_ev
        best = bar.pathway == 0
        axes.text(
            bar.column,
            middle,
            text,
            ha="center",
            va="center",
            rotation=90 if label.turned else 0,
            weight="bold" if best else "normal",
            color=INK if best else MUTED,
            linespacing=1.1,
            zorder=5.0,
            parse_math=False,
        )
        if place.displaced:
            is_above = middle > bar.energy_ev
            near_in = place.bottom_in if is_above else place.top_in
            axes.plot(
                [bar.column, bar.column],
                [bar.energy_ev, near_in / frame.inch_per_ev],
                color=FAINT,
                linewidth=0.6,
                zorder=0.8,
            )


def _draw_holes(axes: Axes, tracks: Tracks) -> None:
    """A grey band for each run of states without a value, its reason underneath."""
    names, at = tracks.names[0], tracks.at[0]
    for indices, reason in hole_runs(tracks.pathways[0]):
        columns = [at[index] for index in indices]
        for index, column in zip(indices, columns, strict=True):
            axes.axvspan(column - 0.5, column + 0.5, color=BAND, zorder=0.1)
            axes.text(
                column,
                0.5,
                f"{chem(names[index])}: no value",
                rotation=90,
                ha="center",
                va="center",
                color=MUTED,
                transform=axes.get_xaxis_transform(),
                zorder=0.7,
                parse_math=False,
                bbox={"facecolor": BAND, "edgecolor": "none", "pad": 1.0},
            )
        axes.annotate(
            wrap_reason(reason, len(columns)),
            ((columns[0] + columns[-1]) / 2, 0),
            xytext=(0, pt(-4 - 72 * TICK_IN)),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=pt(_REASON_PT),
            color=MUTED,
            parse_math=False,
        )


def _draw_empty_figure(result: ReactionResult, heading: str) -> Figure:
    """A figure that says why there is no profile."""
    figure = new_figure(MIN_WIDTH_IN, 1.6)
    reason = textwrap.fill(result.reason or "no reason recorded", 90, max_lines=4)
    figure.text(
        0.02,
        0.9,
        clip(heading, 66),
        fontsize=pt(TITLE_PT),
        weight="bold",
        color=INK,
        va="top",
        parse_math=False,
        gid=HEADING,
    )
    figure.text(
        0.02, 0.6, f"no value: {reason}", color=MUTED, va="top", parse_math=False
    )
    return figure
