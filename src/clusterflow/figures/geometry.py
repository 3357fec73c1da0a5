"""Structures side by side as a matplotlib figure, on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.patches import Circle

from clusterflow.figures.palette import INK
from clusterflow.figures.picture import BALL, BOND, element_styles, view_of
from clusterflow.figures.sheet import USUAL, Sheet, new_figure, unit
from clusterflow.figures.text import chem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clusterflow.records.structure import Structure

_PANEL_IN, _NAME_IN, _STICK_PT = 2.2, 0.3, 1.6
_MARGIN_A = 0.4


def draw_structures(
    structures: Mapping[str, Structure], *, sheet: Sheet = USUAL
) -> Figure:
    """Structures by name, seen as in the report: adsorbates upwards."""
    views = [view_of(structure) for structure in structures.values()]
    reach_a = max(np.abs(view[:, :2]).max() for view in views) + 1.2 + _MARGIN_A
    panel_in = _PANEL_IN
    if sheet.layout_in is not None:
        panel_in = sheet.layout_in / len(views)
    size = (panel_in * len(views), panel_in + _NAME_IN)
    with matplotlib.rc_context(sheet.style):
        figure = new_figure(*size, layout="constrained")
        panels = figure.subplots(1, len(views), squeeze=False)[0]
        for axes, (name, structure) in zip(panels, structures.items(), strict=True):
            # Sticks are as thick beside their atoms on any sheet.
            stick_pt = _STICK_PT * panel_in * unit() / _PANEL_IN
            _draw_balls_and_sticks(axes, structure, stick_pt)
            axes.set_title(chem(name), color=INK, parse_math=False, y=-0.06, va="top")
            axes.set_aspect("equal")
            axes.set_xlim(-reach_a, reach_a)
            axes.set_ylim(-reach_a, reach_a)
            axes.axis("off")
    return figure


def _draw_balls_and_sticks(axes: Axes, structure: Structure, stick_pt: float) -> None:
    """Atoms from the far side to the near one, each bond before its nearer atom."""
    styles = element_styles(structure.symbols)
    radii = np.array([styles[symbol].radius_a for symbol in structure.symbols])
    view = view_of(structure)
    gaps = np.linalg.norm(view[:, None] - view[None], axis=-1)
    bonded = gaps < BOND * (radii[:, None] + radii[None])
    order = np.argsort(view[:, 2], kind="stable")
    for rank, near in enumerate(order):
        for far in (far for far in order[:rank] if bonded[near, far]):
            # From the rim of the farther ball, so that no stick lies on it.
            rim = 0.9 * BALL * radii[far] / gaps[near, far]
            start = view[far] + rim * (view[near] - view[far])
            xs, ys, _ = np.array([start, view[near]]).T
            axes.plot(xs, ys, color=INK, linewidth=stick_pt, zorder=2 * rank - 1)
        x, y, _ = view[near].tolist()
        axes.add_patch(
            Circle(
                (x, y),
                BALL * radii[near],
                facecolor=styles[structure.symbols[near]].color,
                edgecolor=INK,
                linewidth=0.6,
                zorder=2 * rank,
                gid=f"atom-{near}",
            )
        )
