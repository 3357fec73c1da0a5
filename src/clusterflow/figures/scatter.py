"""Volcano and scaling plots: one point a cluster, its name beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from clusterflow.figures.labels import Box, place_beside
from clusterflow.figures.legend import add_legend, wrap_legend
from clusterflow.figures.palette import (
    BEST,
    DETERMINING,
    FAINT,
    INK,
    MUTED,
    TITLE_PT,
)
from clusterflow.figures.sheet import PAPER, USUAL, Sheet, new_figure, pt, unit
from clusterflow.figures.text import clip
from clusterflow.science.reactions.scaling_line import FEW_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clusterflow.science.reactions.scaling_line import Line

_WIDTH_IN, _PLANE_SHAPE = 6.4, 0.7  # the plane's height by its width
_LEFT_IN, _RIGHT_IN, _TOP_IN, _BELOW_IN = 0.8, 0.2, 0.75, 0.5
_NO_TITLE_IN = 0.15
_LEGEND_ROW_IN = 0.205
_LABEL_PT, _LABEL_IN = 9.0, 0.16
# A label that is further from its point than this gets a line to it.
_LEADER_IN = 0.1
# Points that lie together are not blown up to look far apart.
_MIN_RANGE = 0.4
# Of more points than these, so many at either end of the ordinate have a name.
MOST_NAMED, _NAMED_ENDS = 60, 10


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
    """Title, conditions, axis labels and notes of a plot.

    `marks` are notes that explain what is drawn, and stand there with few words too.
    """

    title: str
    conditions: str
    x_label: str
    y_label: str
    notes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of a volcano: where one step sets the limiting potential.

    `ends` are two points of the plane; `few` marks a line through few points.
    """

    name: str
    ends: tuple[tuple[float, float], tuple[float, float]]
    few: bool


def draw_volcano(
    points: Sequence[Point],
    heading: Heading,
    *,
    equilibrium: float | None = None,
    legs: Sequence[Leg] = (),
    sheet: Sheet = USUAL,
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
    legs
        The legs, V on the same scale.
    sheet
        Width, letters and words.
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
    further = [] if equilibrium is None else [equilibrium]
    further += [y for leg in legs for _, y in leg.ends]
    with matplotlib.rc_context(sheet.style):
        figure, axes = _set_up_figure(points, heading, handles, further, sheet=sheet)
        for number, leg in enumerate(legs):
            _draw_line(axes, leg.ends, few=leg.few, gid=f"leg-{number}")
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
    points: Sequence[Point],
    heading: Heading,
    *,
    line: Line | None,
    sheet: Sheet = USUAL,
) -> Figure:
    """Free energies of one adsorbate against those of another, eV, with their line."""
    with matplotlib.rc_context(sheet.style):
        figure, axes = _set_up_figure(points, heading, [], [], sheet=sheet)
        if line is not None:
            ends = [
                (x, line.slope * x + line.intercept)
                for x in (min(p.x for p in points), max(p.x for p in points))
            ]
            _draw_line(axes, ends, few=line.n_points < FEW_POINTS, gid="line")
        _draw_points(figure, axes, points)
    return figure


def _draw_line(
    axes: Axes, ends: Sequence[tuple[float, float]], *, few: bool, gid: str
) -> None:
    """A fitted line, dashed where few points are all it has."""
    xs, ys = zip(*ends, strict=True)
    style = "--" if few else "-"
    axes.plot(xs, ys, color=MUTED, linewidth=1.0, linestyle=style, zorder=1.0, gid=gid)


def _make_marker(marker: str, color: str, label: str) -> Line2D:
    return Line2D(
        [], [], linestyle="none", marker=marker, color=color, markersize=6, label=label
    )


def _set_up_figure(
    points: Sequence[Point],
    heading: Heading,
    handles: Sequence[Line2D],
    further_y: Sequence[float],
    *,
    sheet: Sheet,
) -> tuple[Figure, Axes]:
    """A figure with axes that hold all points and intervals, and the words around."""
    notes = [*heading.marks, *([] if sheet.few_words else heading.notes)]
    rows = [*handles, *(Line2D([], [], linestyle="none", label=n) for n in notes)]
    width = sheet.layout_in or _WIDTH_IN
    top = _NO_TITLE_IN if sheet.few_words else _TOP_IN
    below = _BELOW_IN + _LEGEND_ROW_IN * wrap_legend(rows, width)
    plane = (width - _LEFT_IN - _RIGHT_IN) * _PLANE_SHAPE
    height = top + plane + below
    figure = new_figure(width, height)
    axes = figure.add_axes(
        (
            _LEFT_IN / width,
            below / height,
            1 - (_LEFT_IN + _RIGHT_IN) / width,
            plane / height,
        ),
        facecolor=PAPER,
    )
    ends = [v for p in points for v in (p.y, p.low, p.high) if v is not None]
    axes.set_xlim(*_choose_limits([p.x for p in points], 0.16))
    axes.set_ylim(*_choose_limits([*ends, *further_y]))
    axes.set_xlabel(heading.x_label, color=INK, parse_math=False)
    axes.set_ylabel(heading.y_label, color=INK, parse_math=False)
    axes.tick_params(colors=MUTED, labelcolor=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
    if not sheet.few_words:
        _write_heading(figure, heading, width, height)
    if rows:
        add_legend(figure, rows)
    return figure, axes


def _write_heading(
    figure: Figure, heading: Heading, width: float, height: float
) -> None:
    """The title and the conditions at the head of a figure."""
    x = 0.12 / width
    words: dict[str, Any] = {"va": "top", "parse_math": False}
    title = clip(heading.title, int(width * 72 / (TITLE_PT * 0.6)))
    big: dict[str, Any] = {"fontsize": pt(TITLE_PT), "weight": "bold"}
    figure.text(x, 1 - 0.13 / height, title, color=INK, **big, **words)
    figure.text(x, 1 - 0.37 / height, heading.conditions, color=MUTED, **words)


def _choose_limits(
    values: Sequence[float], margin: float = 0.08
) -> tuple[float, float]:
    low, high = min(values), max(values)
    span = max(high - low, _MIN_RANGE)
    middle = (low + high) / 2
    return middle - span * (0.5 + margin), middle + span * (0.5 + margin)


def _draw_points(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """Markers, and the names where they cover neither one another nor a marker."""
    size_in = figure.get_size_inches() / unit()
    width_in, height_in = size_in * axes.get_position().size
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
            fontsize=pt(_LABEL_PT),
            color=INK,
            zorder=5.0,
            parse_math=False,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.2, "alpha": 0.8},
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
    if len(points) <= MOST_NAMED:
        return list(range(len(points)))
    by_height = sorted(range(len(points)), key=lambda index: points[index].y)
    return sorted(by_height[:_NAMED_ENDS] + by_height[-_NAMED_ENDS:])


def _measure_gap_in(point: tuple[float, float], box: Box) -> float:
    """Distance from a point to the nearest edge of a box, inches."""
    across = max(box.left_in - point[0], point[0] - box.left_in - box.width_in, 0.0)
    up = max(box.bottom_in - point[1], point[1] - box.bottom_in - box.height_in, 0.0)
    return hypot(across, up)


def _measure_text_width_in(text: str) -> float:
    font = FontProperties(family=matplotlib.rcParams["font.sans-serif"])
    return (
        float(TextPath((0, 0), text, size=_LABEL_PT, prop=font).get_extents().x1) / 72
    )
