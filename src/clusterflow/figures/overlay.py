"""Free-energy diagram of several clusters: the best pathway of each, in one frame."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.lines import Line2D

from clusterflow.figures.diagram import (
    BEST,
    HALF_BAR,
    OTHERS,
    STYLE,
    add_legend,
    blank_figure,
    draw_titles,
    legend_characters,
)
from clusterflow.figures.labels import wrap_intermediate
from clusterflow.figures.layout import LABEL_CHARACTERS, MAX_NAMED, frame_of
from clusterflow.figures.text import chem, clip, number, signed
from clusterflow.science.checks.effects import WARNINGS
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import order_pathways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clusterflow.records.profiles import Pathway, ReactionResult

COLORS = (BEST, *OTHERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A cluster's best pathway, and the column of each of its states."""

    name: str
    result: ReactionResult
    pathway: Pathway
    columns: tuple[int, ...]


def draw_overlay(results: Mapping[str, ReactionResult]) -> Figure:
    """The best pathway of one reaction on each of a few clusters.

    Columns are states, so that the bars of one state stand in one column though the
    pathways differ; a step that sets a limiting potential is drawn thick. Free
    energies are cumulative, in eV, at the potential the results state.

    Parameters
    ----------
    results
        By label; at one potential and temperature, each with a best pathway, and at
        most five.
    """
    columns, tracks = _align_pathways(results)
    first = next(iter(results.values()))
    energies = [v for t in tracks for v in t.pathway.levels_ev if v is not None]
    names = [wrap_intermediate(chem(state), LABEL_CHARACTERS) for state in columns]
    rows = len(tracks) + 1
    lines = max(name.count("\n") for name in names)
    with matplotlib.rc_context(STYLE):
        frame = frame_of(energies, len(columns), legend_rows=rows, tick_lines=lines)
        figure, axes = blank_figure(frame, 2.0)
        axes.set_xticks(range(len(columns)), names, parse_math=False)
        axes.tick_params(axis="x", length=0)
        draw_titles(figure, frame, chem(first.equation), first)
        for rank, track in enumerate(tracks):
            _draw_track(axes, rank, track)
        limit = legend_characters(frame.width_in)
        handles = [
            _make_legend_handle(rank, track, limit) for rank, track in enumerate(tracks)
        ]
        note = "thick: the step that sets the limiting potential U_L"
        handles.append(Line2D([], [], linestyle="none", label=note))
        add_legend(figure, handles)
    return figure


def merge_intermediates(paths: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One row of intermediates in which those of each path stand in their order.

    Each stands there once, unless two paths pass two of them in opposite orders.

    >>> merge_intermediates([("*", "*CO2", "*COOH", "*"), ("*", "*COOH", "*CO", "*")])
    ('*', '*CO2', '*COOH', '*CO', '*')
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for path in paths:
        for state in path[1:-1]:
            sorter.add(state)
        for before, after in pairwise(path[1:-1]):
            sorter.add(after, before)
    ends = dict.fromkeys(path[-1] for path in paths)
    try:
        return (paths[0][0], *sorter.static_order(), *ends)
    except CycleError:
        return _interleave_paths(paths)


def _interleave_paths(paths: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One row of states, some of them twice, in which each path is a subsequence."""
    merged: list[str] = []
    for path in paths:
        matcher = SequenceMatcher(a=merged, b=list(path), autojunk=False)
        joined: list[str] = []
        for _, left, right, start, end in matcher.get_opcodes():
            ours, theirs = merged[left:right], list(path[start:end])
            joined += ours if ours == theirs else [*ours, *theirs]
        merged = joined
    return tuple(merged)


def _align_pathways(
    results: Mapping[str, ReactionResult],
) -> tuple[tuple[str, ...], list[Track]]:
    """The states of all best pathways in one row, and each pathway's columns."""
    best = {name: order_pathways(result)[0] for name, result in results.items()}
    assert 0 < len(best) <= MAX_NAMED and all(path.complete for path in best.values())
    columns = merge_intermediates([path.states for path in best.values()])
    tracks = [
        Track(
            name=name,
            result=results[name],
            pathway=path,
            columns=_find_columns(columns, path.states),
        )
        for name, path in best.items()
    ]
    return columns, tracks


def _find_columns(columns: Sequence[str], states: Sequence[str]) -> tuple[int, ...]:
    """The first column of each state after that of the state before."""
    found: list[int] = []
    for state in states:
        found.append(columns.index(state, found[-1] + 1 if found else 0))
    return tuple(found)


def _draw_track(axes: Axes, rank: int, track: Track) -> None:
    color = COLORS[rank]
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
            color=color,
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
            color=color,
            zorder=2.0,
            gid=f"connector-{rank}-{column}",
        )


def _make_legend_handle(rank: int, track: Track, limit: int) -> Line2D:
    """A cluster with its limiting potential and its interval."""
    result = track.result
    verdict = "no U_L: no step moves an electron"
    if result.headline_v_rhe is not None:
        verdict = f"U_L = {number(result.headline_v_rhe)} V vs RHE"
    if result.uncertainty is not None:
        low, high = result.uncertainty.lower_v_rhe, result.uncertainty.upper_v_rhe
        basis = result.uncertainty.basis
        verdict += f" (median), 90 % interval {signed(low)} to {signed(high)} ({basis})"
    warnings = [name for name, _ in group_flags(result.flags) if name in WARNINGS]
    label = clip(": ".join((track.name, ", ".join((verdict, *warnings)))), limit)
    return Line2D([], [], color=COLORS[rank], linewidth=3.0, label=label)
