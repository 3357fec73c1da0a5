"""Free-energy diagram of several clusters: the best pathway of each, in one frame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.lines import Line2D

from clusterflow.figures.columns import (
    find_places,
    list_columns,
    name_axis,
    name_states,
)
from clusterflow.figures.diagram import (
    HALF_BAR,
    blank_figure,
    draw_intervals,
    draw_titles,
    interval_ends,
    number_columns,
)
from clusterflow.figures.layout import MAX_NAMED, TICK_IN, frame_of, name_columns
from clusterflow.figures.legend import add_legend, wrap_legend
from clusterflow.figures.palette import BEST, OTHERS
from clusterflow.figures.sheet import USUAL, Sheet, pt
from clusterflow.figures.text import chem, number, signed
from clusterflow.science.checks.effects import WARNINGS
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import order_pathways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clusterflow.figures.columns import Place
    from clusterflow.records.profiles import Pathway, ReactionResult

COLORS = (BEST, *OTHERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A cluster's best pathway, and the column of each of its states."""

    name: str
    result: ReactionResult
    pathway: Pathway
    columns: tuple[int, ...]
    half_widths_ev: Sequence[float | None]
    color: str


def draw_overlay(
    results: Mapping[str, ReactionResult],
    half_widths_ev: Mapping[str, Sequence[float | None]] | None = None,
    sheet: Sheet = USUAL,
    colors: Mapping[str, str] | None = None,
) -> Figure:
    """The best pathway of one reaction on each of a few clusters, or at a few levels.

    The abscissa counts electrons taken up, and a state has one column though the
    pathways differ; a step that sets a limiting potential is drawn thick. Free
    energies are cumulative, in eV, at the potential the results state.

    Parameters
    ----------
    results
        By label; at one potential and temperature, each with a best pathway, and at
        most five.
    half_widths_ev
        Half of the 90 % interval of each state, by label, where known.
    sheet
        Width, letters and words.
    colors
        By label; by default those of the palette in its order.

    Raises
    ------
    ConfigError
        If the states do not fit into the width.
    """
    chosen = colors or dict(zip(results, COLORS, strict=False))
    columns, states, tracks = _align_pathways(results, half_widths_ev or {}, chosen)
    first = next(iter(results.values()))
    energies = [v for t in tracks for v in t.pathway.levels_ev if v is not None]
    for track in tracks:
        energies += interval_ends(track.pathway.levels_ev, track.half_widths_ev)
    with matplotlib.rc_context(sheet.style):
        frame = frame_of(energies, len(columns), sheet=sheet)
        names = name_columns(states, frame.column_in)
        handles = [_make_legend_handle(track, few=sheet.few_words) for track in tracks]
        note = "thick: the step that sets the limiting potential U_L"
        handles.append(Line2D([], [], linestyle="none", label=note))
        lines = wrap_legend(handles, frame.width_in)
        frame = frame.with_names(names).with_legend(lines)
        axis = name_axis([track.pathway for track in tracks])
        figure, axes = blank_figure(frame, axis, pt(2.0))
        number_columns(axes, columns)
        texts = [name.text for name in names]
        axes.set_xticks(range(len(columns)), texts, parse_math=False)
        for label, name in zip(axes.get_xticklabels(), names, strict=True):
            label.set_rotation(90 if name.turned else 0)
        axes.tick_params(axis="x", length=0, pad=pt(4 + 72 * TICK_IN))
        if not sheet.few_words:
            draw_titles(figure, frame, chem(first.equation), first)
        for rank, track in enumerate(tracks):
            _draw_track(axes, rank, track)
            draw_intervals(
                axes,
                track.columns,
                track.pathway.levels_ev,
                track.half_widths_ev,
                color=track.color,
                # Side by side, so that those of equal levels are seen.
                shift=-0.13 * rank,
            )
        add_legend(figure, handles)
    return figure


def _align_pathways(
    results: Mapping[str, ReactionResult],
    half_widths_ev: Mapping[str, Sequence[float | None]],
    colors: Mapping[str, str],
) -> tuple[tuple[Place, ...], list[list[str]], list[Track]]:
    """The columns of all best pathways, the states in each, and each pathway's."""
    best = {name: order_pathways(result)[0] for name, result in results.items()}
    assert 0 < len(best) <= MAX_NAMED and all(path.complete for path in best.values())
    # Of all pathways, so that a state stands where the diagram of one cluster has it.
    places = {
        name: find_places(result.equation, order_pathways(result))[0]
        for name, result in results.items()
    }
    columns = list_columns(places.values())
    found: list[dict[str, None]] = [{} for _ in columns]
    for name, path in best.items():
        states = name_states(results[name].equation, path)
        for place, state in zip(places[name], states, strict=True):
            found[columns.index(place)][state] = None
    tracks = [
        Track(
            name=name,
            result=results[name],
            pathway=path,
            columns=tuple(columns.index(place) for place in places[name]),
            half_widths_ev=half_widths_ev.get(name, ()),
            color=colors[name],
        )
        for name, path in best.items()
    ]
    return columns, [list(states) for states in found], tracks


def _draw_track(axes: Axes, rank: int, track: Track) -> None:
    # Bars that fall on one another are still seen: the later ones are thinner.
    width = 4.4 - 0.7 * rank
    # A complete pathway has all its energies.
    energies = [
        energy_ev for energy_ev in track.pathway.levels_ev if energy_ev is not None
    ]
    points = list(zip(track.columns, energies, strict=True))
    for column, energy_ev in points:
        axes.plot(
            [column - HALF_BAR, column + HALF_BAR],
            [energy_ev, energy_ev],
            linewidth=width,
            solid_capstyle="butt",
            color=track.color,
            zorder=3.0 + 0.1 * rank,
            gid=f"level-{rank}-{column}",
        )
    for step, ((column, energy_ev), (following, next_ev)) in zip(
        track.pathway.steps, pairwise(points), strict=True
    ):
        decisive = step.name == track.pathway.determining_step
        axes.plot(
            [column + HALF_BAR, following - HALF_BAR],
            [energy_ev, next_ev],
            linestyle=(0, (3, 2)),
            linewidth=2.4 if decisive else 1.0,
            color=track.color,
            zorder=2.0,
            gid=f"connector-{rank}-{column}",
        )


def _make_legend_handle(track: Track, *, few: bool) -> Line2D:
    """A cluster with its limiting potential and its interval, or its name alone."""
    if few:
        return Line2D([], [], color=track.color, linewidth=3.0, label=track.name)
    result = track.result
    verdict = "no U_L: no step moves an electron"
    if result.headline_v_rhe is not None:
        verdict = f"U_L = {number(result.headline_v_rhe)} V vs RHE"
    if result.uncertainty is not None:
        low, high = result.uncertainty.lower_v_rhe, result.uncertainty.upper_v_rhe
        basis = result.uncertainty.basis
        verdict += f" (median), 90 % interval {signed(low)} to {signed(high)} ({basis})"
    warnings = [name for name, _ in group_flags(result.flags) if name in WARNINGS]
    label = ": ".join((track.name, ", ".join((verdict, *warnings))))
    return Line2D([], [], color=track.color, linewidth=3.0, label=label)
