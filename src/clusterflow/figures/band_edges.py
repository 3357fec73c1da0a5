"""Diagram of band edges: clusters as columns, redox couples as lines across them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.lines import Line2D

from clusterflow.figures.legend import add_legend
from clusterflow.figures.palette import (
    BAND,
    BEST,
    FAINT,
    INK,
    MUTED,
    OTHERS,
    TITLE_PT,
)
from clusterflow.figures.sheet import PAPER, USUAL, Sheet, new_figure, pt, unit
from clusterflow.figures.text import chem, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clusterflow.records.profiles import BandEdges

CONDUCTION, VALENCE = BEST, OTHERS[0]
# Name, colour, and on which side of its line the number of an edge stands.
_KINDS = (("conduction", CONDUCTION, "bottom"), ("valence", VALENCE, "top"))
_COLUMN_IN, _LEFT_IN, _RIGHT_IN = 1.05, 0.8, 1.85
_HEIGHT_IN, _TOP_IN, _BOTTOM_IN = 3.9, 0.72, 0.72
_NO_TITLE_IN = 0.15
_CHARACTER_IN = 0.085  # of a cluster's name under its column
_LABEL_IN = 0.17
_HALF_BAR = 0.32
_MARGIN_V = 0.6


def draw_band_edges(views: Mapping[str, BandEdges], *, sheet: Sheet = USUAL) -> Figure:
    """Conduction and valence edges of clusters beside redox couples, V against SHE.

    The potential runs downwards, so that electrons fall and holes rise. A cluster
    without an edge has a grey column.

    Parameters
    ----------
    views
        Edges and couples, by cluster; all at one pH.
    sheet
        Width, letters and words.
    """
    couples = {
        c.couple: c.potential_v_she
        for view in views.values()
        for c in view.couples
        if c.potential_v_she is not None
    }
    found = [v for view in views.values() for v in _pick_edges(view) if v is not None]
    potentials = [*found, *couples.values(), 0.0]
    low, high = min(potentials) - _MARGIN_V, max(potentials) + _MARGIN_V
    width = sheet.layout_in or _LEFT_IN + _RIGHT_IN + _COLUMN_IN * max(len(views), 3)
    column_in = (width - _LEFT_IN - _RIGHT_IN) / len(views)
    longest_in = _CHARACTER_IN * max(map(len, views))
    upright = longest_in > column_in
    bottom = _BOTTOM_IN + (longest_in if upright else 0.0)
    top = _NO_TITLE_IN if sheet.few_words else _TOP_IN
    height = _HEIGHT_IN + top + bottom
    with matplotlib.rc_context(sheet.style):
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (
                _LEFT_IN / width,
                bottom / height,
                1 - (_LEFT_IN + _RIGHT_IN) / width,
                _HEIGHT_IN / height,
            ),
            facecolor=PAPER,
        )
        axes.set_xlim(-0.5, len(views) - 0.5)
        axes.set_ylim(high, low)
        ph = next((view.ph for view in views.values()), None)
        at = "" if ph is None else f" (couples at pH {ph:g})"
        axes.set_ylabel(f"U / V vs SHE{at}", color=INK)
        axes.tick_params(colors=MUTED, labelcolor=INK, bottom=False)
        axes.set_xticks(range(len(views)), list(views), rotation=90 if upright else 0)
        for side, spine in axes.spines.items():
            spine.set_visible(side == "left")
            spine.set_color(MUTED)
        _draw_couples(axes, couples, (high - low) * _LABEL_IN / _HEIGHT_IN)
        for column, view in enumerate(views.values()):
            _draw_column(axes, column, view)
        add_legend(figure, [_make_legend_handle(*kind) for kind in _KINDS])
        if not sheet.few_words:
            _write_title(figure, next(iter(views.values())))
    return figure


def _make_legend_handle(name: str, color: str, _side: str) -> Line2D:
    return Line2D([], [], color=color, linewidth=3.4, label=f"{name} edge")


def _write_title(figure: Figure, view: BandEdges) -> None:
    width, height = figure.get_size_inches() / unit()
    title = "Band edges and redox couples"
    conditions = (
        f"vertical, in the gas phase;  absolute potential of the SHE "
        f"{view.absolute_she_v:g} V"
    )
    big: dict[str, Any] = {"fontsize": pt(TITLE_PT), "weight": "bold"}
    x = 0.12 / width
    figure.text(x, 1 - 0.13 / height, title, color=INK, va="top", **big)
    figure.text(
        x, 1 - 0.37 / height, conditions, color=MUTED, va="top", parse_math=False
    )


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Places near ascending values that keep a distance, each group about its mean.

    >>> spread([0.0, 0.1, 5.0], 1.0)
    [-0.45, 0.55, 5.0]
    """
    groups: list[list[float]] = []
    for value in values:
        groups.append([value])
        while len(groups) > 1 and _find_group_start(groups[-1], gap) < _find_group_end(
            groups[-2], gap
        ):
            groups[-2:] = [groups[-2] + groups[-1]]
    return [
        round(_find_group_start(group, gap) + (rank + 0.5) * gap, 9)
        for group in groups
        for rank in range(len(group))
    ]


def _find_group_start(group: Sequence[float], gap: float) -> float:
    return sum(group) / len(group) - len(group) * gap / 2


def _find_group_end(group: Sequence[float], gap: float) -> float:
    return _find_group_start(group, gap) + len(group) * gap


def _pick_edges(view: BandEdges) -> tuple[float | None, float | None]:
    return view.conduction_v_she, view.valence_v_she


def _draw_couples(axes: Axes, couples: Mapping[str, float], gap: float) -> None:
    """A dashed line a couple, its name at the right with a leader."""
    ordered = sorted(couples.items(), key=lambda item: item[1])
    places = spread([potential for _, potential in ordered], gap)
    for (name, potential), place in zip(ordered, places, strict=True):
        axes.axhline(
            potential, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1.5
        )
        axes.annotate(
            f"{chem(name.replace('-', '/', 1))}  {signed(potential)}",
            (1.0, potential),
            xycoords=axes.get_yaxis_transform(),
            xytext=(1.08, place),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            color=INK,
            parse_math=False,
            annotation_clip=False,
            arrowprops={
                **{"arrowstyle": "-", "color": FAINT, "linewidth": 0.6},
                **{"relpos": (0.0, 0.5), "shrinkA": 1.0, "shrinkB": 0.0},
            },
        )


def _draw_column(axes: Axes, column: int, view: BandEdges) -> None:
    """The two edges of a cluster, with the gap between them shaded."""
    conduction, valence = _pick_edges(view)
    left, right = column - _HALF_BAR, column + _HALF_BAR
    if conduction is None and valence is None:
        axes.axvspan(column - 0.5, column + 0.5, color=BAND, zorder=0.1)
        axes.text(
            column,
            0.5,
            "no value",
            rotation=90,
            ha="center",
            va="center",
            color=MUTED,
            transform=axes.get_xaxis_transform(),
            zorder=2.0,
        )
    if conduction is not None and valence is not None:
        axes.fill_between([left, right], conduction, valence, color=BAND, zorder=1.0)
    for value, (name, color, side) in zip((conduction, valence), _KINDS, strict=True):
        if value is None:
            continue
        axes.plot(
            [left, right],
            [value, value],
            color=color,
            linewidth=3.4,
            solid_capstyle="butt",
            zorder=4.0,
            gid=f"{name}-{column}",
        )
        axes.annotate(
            signed(value),
            (column, value),
            xytext=(0, 4 if side == "bottom" else -4),
            textcoords="offset points",
            ha="center",
            va=side,
            fontsize=pt(8),
            color=INK,
            zorder=5.0,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.4, "alpha": 0.75},
        )
