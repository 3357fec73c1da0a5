"""Volcano and scaling plots: one point a cluster, its name beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from clusterflow.figures.diagram import (
    BEST,
    DETERMINING,
    FAINT,
    INK,
    MUTED,
    PAPER,
    STYLE,
    add_legend,
)
from clusterflow.figures.labels import Box, place_beside
from clusterflow.figures.text import clip
from clusterflow.science.reactions.scaling_line import FEW_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from clusterflow.science.reactions.scaling_line import Line

_WIDTH_IN, _HEIGHT_IN = 6.4, 5.0
_LEFT_IN, _RIGHT_IN, _TOP_IN, _BELOW_IN = 0.8, 0.2, 0.75, 0.5
_LEGEND_ROW_IN = 0.205
_LABEL_PT, _LABEL_IN = 9.0, 0.16
# A label that is further from its point than this gets a line to it.
_LEADER_IN = 0.1
# Points that lie together are not blown up to look far apart.
_MIN_RANGE = 0.4
# Of more points than these, so many at either end of the ordinate have a name.
_MOST_NAMED, _NAMED_ENDS = 60, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A cluster in the plane; `low` and `high` are the ends of an interval in y.

    `blocked` marks a surface whose chemical steps heat alone does not climb, so that
    its limiting potential is not the whole story.
    """

    name: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Title, conditions, axis labels and notes of a plot."""

    title: str
    conditions: str
    x_label: str
    y_label: str
    notes: tuple[str, ...] = ()


def draw_volcano(
    points: Sequence[Point], heading: Heading, *, equilibrium: float | None = None
) -> Figure:
    """Limiting potentials against a descriptor, with their intervals.

    Parameters
    ----------
    points
        Descriptor in eV, limiting potential in V on the scale that the label names.
    heading
        Title, conditions, labels of the axes, and lines of the legend.
    equilibrium
        Equilibrium potential of the reaction on the same scale, V.
    """
    handles = []
    if any(not point.blocked for point in points):
        handles.append(_make_marker("o", BEST, "a cluster"))
    if any(point.blocked for point in points):
        label = "a chemical step climbs by more than 0.75 eV: U_L says too little"
        handles.append(_make_marker("^", DETERMINING, label))
    if equilibrium is not None:
        line = Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), linewidth=0.8)
        line.set_label("equilibrium potential of the reaction, from experiment")
        handles.append(line)
    with matplotlib.rc_context(STYLE):
        figure, axes = _set_up_figure(points, heading, handles, equilibrium)
        bars = [
            (p.x, p.low, p.high)
            for p in points
            if p.low is not None and p.high is not None
        ]
        axes.vlines(
            [x for x, _, _ in bars],
            [low for _, low, _ in bars],
            [high for _, _, high in bars],
            capstyle="butt",
            color=FAINT,
            linewidth=1.6,
            zorder=1.0,
            gid="intervals",
        )
        if equilibrium is not None:
            axes.axhline(
                equilibrium,
                color=MUTED,
                linestyle=(0, (4, 3)),
                linewidth=0.8,
                zorder=0.5,
                gid="equilibrium",
            )
        _draw_points(figure, axes, points)
    return figure


def draw_scaling(
    points: Sequence[Point], heading: Heading, *, line: Line | None
) -> Figure:
    """Free energies of one adsorbate against those of another, eV, with their line."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _set_up_figure(points, heading, [], None)
        if line is not None:
            ends = [min(p.x for p in points), max(p.x for p in points)]
            axes.plot(
                ends,
                [line.slope * x + line.intercept for x in ends],
                color=MUTED,
                linewidth=1.0,
                linestyle="--" if line.n_points < FEW_POINTS else "-",
                zorder=1.0,
                gid="line",
            )
        _draw_points(figure, axes, points)
    return figure


def _make_marker(marker: str, color: str, label: str) -> Line2D:
    return Line2D(
        [], [], linestyle="none", marker=marker, color=color, markersize=6, label=label
    )


def _set_up_figure(
    points: Sequence[Point],
    heading: Heading,
    handles: Sequence[Line2D],
    equilibrium: float | None,
) -> tuple[Figure, Axes]:
    """A figure with axes that hold all points and intervals, and the words around."""
    rows = [
        *handles,
        *(Line2D([], [], linestyle="none", label=n) for n in heading.notes),
    ]
    below = _BELOW_IN + _LEGEND_ROW_IN * len(rows)
    height = _HEIGHT_IN + _LEGEND_ROW_IN * len(rows)
    figure = Figure(figsize=(_WIDTH_IN, height), facecolor=PAPER)
    axes = figure.add_axes(
        (
            _LEFT_IN / _WIDTH_IN,
            below / height,
            1 - (_LEFT_IN + _RIGHT_IN) / _WIDTH_IN,
            1 - (below + _TOP_IN) / height,
        ),
        facecolor=PAPER,
    )
    ends = [v for p in points for v in (p.y, p.low, p.high) if v is not None]
    axes.set_xlim(*_choose_limits([p.x for p in points], 0.16))
    axes.set_ylim(
        *_choose_limits([*ends, *([] if equilibrium is None else [equilibrium])])
    )
    axes.set_xlabel(heading.x_label, color=INK, parse_math=False)
    axes.set_ylabel(heading.y_label, color=INK, parse_math=False)
    axes.tick_params(colors=MUTED, labelcolor=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
    x = 0.12 / _WIDTH_IN
    words: dict[str, Any] = {"va": "top", "parse_math": False}
    limit = int(_WIDTH_IN * 72 / (11 * 0.6))
    title = clip(heading.title, limit)
    figure.text(
        x, 1 - 0.13 / height, title, fontsize=11, weight="bold", color=INK, **words
    )
    figure.text(x, 1 - 0.37 / height, heading.conditions, color=MUTED, **words)
    if rows:
        add_legend(figure, rows)
    return figure, axes


def _choose_limits(
    values: Sequence[float], margin: float = 0.08
) -> tuple[float, float]:
    low, high = min(values), max(values)
    span = max(high - low, _MIN_RANGE)
    middle = (low + high) / 2
    return middle - span * (0.5 + margin), middle + span * (0.5 + margin)


def _draw_points(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """Markers, and the names where they cover neither one another nor a marker."""
    width_in, height_in = figure.get_size_inches() * axes.get_position().size
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    per_x, per_y = width_in / (right - left), height_in / (top - bottom)
    centres = [((p.x - left) * per_x, (p.y - bottom) * per_y) for p in points]
    frame = Box(left_in=0.0, bottom_in=0.0, width_in=width_in, height_in=height_in)
    for blocked in sorted({point.blocked for point in points}):
        alike = [point for point in points if point.blocked == blocked]
        axes.plot(
            [point.x for point in alike],
            [point.y for point in alike],
            linestyle="none",
            marker="^" if blocked else "o",
            markersize=6,
            color=DETERMINING if blocked else BEST,
            zorder=4.0,
            gid="points-blocked" if blocked else "points",
        )
    named = _choose_named(points)
    sizes = [(_measure_text_width_in(points[i].name) + 0.08, _LABEL_IN) for i in named]
    places = place_beside(centres, sizes, frame, order=named)
    for index, box in zip(named, places, strict=True):
        point, centre = points[index], centres[index]
        x_in = box.left_in + box.width_in / 2
        y_in = box.bottom_in + box.height_in / 2
        axes.text(
            left + x_in / per_x,
            bottom + y_in / per_y,
            point.name,
            ha="center",
            va="center",
            fontsize=_LABEL_PT,
            color=INK,
            zorder=5.0,
            parse_math=False,
        )
        if _measure_gap_in(centre, box) > _LEADER_IN:
            axes.plot(
                [point.x, left + x_in / per_x],
                [point.y, bottom + y_in / per_y],
                color=FAINT,
                linewidth=0.6,
                zorder=0.8,
            )


def _choose_named(points: Sequence[Point]) -> list[int]:
    """Indices of the points that get a name: of many, those at the ends of y."""
    if len(points) <= _MOST_NAMED:
        return list(range(len(points)))
    by_height = sorted(range(len(points)), key=lambda index: points[index].y)
    return sorted(by_height[:_NAMED_ENDS] + by_height[-_NAMED_ENDS:])


def _measure_gap_in(point: tuple[float, float], box: Box) -> float:
    """Distance from a point to the nearest edge of a box, inches."""
    across = max(box.left_in - point[0], point[0] - box.left_in - box.width_in, 0.0)
    up = max(box.bottom_in - point[1], point[1] - box.bottom_in - box.height_in, 0.0)
    return hypot(across, up)


def _measure_text_width_in(text: str) -> float:
    font = FontProperties(family=STYLE["font.sans-serif"])
    return (
        float(TextPath((0, 0), text, size=_LABEL_PT, prop=font).get_extents().x1) / 72
    )
