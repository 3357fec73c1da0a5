"""A cluster seen from two sides, with each of its distinct sites marked once."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from clusterflow.figures.saving import svg_source
from clusterflow.figures.sheet import USUAL, Sheet, new_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from clusterflow.records.adsorption import Site
    from clusterflow.records.structure import Structure

    Array = NDArray[np.float64]

_COLORS = {
    "top": "#0072b2",
    "bridge": "#d55e00",
    "hollow3": "#009e73",
    "hollow4": "#cc79a7",
    "pair": "#8c6d00",
    "hydride": "#444444",
}
_WIDTH_IN, _SHAPE, _NUMBER_PT = 9.0, 5 / 9, 6.0
_BALL = 0.7  # drawn radius of an atom, of its covalent radius
_MARK_A = 0.28  # radius of a mark
_ABOVE_A = 0.9  # how far above a site its mark floats
_LIMB = -0.1  # marks whose normal points farther away than this are on the back
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;
padding:0 1rem;color:#222;background:#fff}svg{width:100%;height:auto}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .6rem;
border-bottom:1px solid #ddd}.scroll{overflow-x:auto}"""


def draw_sites(
    structure: Structure, sites: Sequence[Site], *, sheet: Sheet = USUAL
) -> Figure:
    """Front and back of a cluster; marks bear the numbers of the table, from 1."""
    width = sheet.layout_in or _WIDTH_IN
    with matplotlib.rc_context(sheet.style):
        figure = new_figure(width, width * _SHAPE, layout="constrained")
        for axes, side in zip(figure.subplots(1, 2), (1, -1), strict=True):
            frame = _find_view_frame(np.array(structure.positions, dtype=float), side)
            _draw_atoms(axes, structure, frame)
            # Numbers are as large beside their marks on any sheet.
            number_pt = _NUMBER_PT * float(figure.get_figwidth()) / _WIDTH_IN
            _draw_marks(axes, sites, frame, number_pt)
            axes.set_title("front" if side > 0 else "back")
        kinds = [kind for kind in _COLORS if any(site.kind == kind for site in sites)]
        handles = [
            Line2D([], [], marker="o", linestyle="", color=_COLORS[kind], label=kind)
            for kind in kinds
        ]
        if handles:
            place = "outside lower center"
            figure.legend(handles=handles, loc=place, ncols=len(handles))
    return figure


def sites_page(
    title: str, figure: Figure, rows: Sequence[Mapping[str, object]], note: str
) -> str:
    """A self-contained HTML page: the drawing and the table of sites."""
    svg = svg_source(figure)
    head = "".join(f"<th>{escape(key)}</th>" for key in (rows[0] if rows else ()))
    body = "".join(
        "<tr>"
        + "".join(f"<td>{_format_cell(value)}</td>" for value in row.values())
        + "</tr>"
        for row in rows
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n<p>{escape(note)}</p>\n"
        f"{svg[svg.index('<svg') :]}\n"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div></body></html>\n"
    )


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    return escape(f"{value:.2f}" if isinstance(value, float) else str(value))


def _find_view_frame(positions: Array, side: int) -> Array:
    """Rows x, y, z of the view, z towards the eye, along the thinnest direction."""
    centred = positions - positions.mean(axis=0)
    z, y, _ = np.linalg.eigh(centred.T @ centred)[1].T
    # A little off the axes, so that fewer atoms hide behind others.
    z = side * (z + 0.2 * y + 0.15 * np.cross(y, z))
    z = z / np.linalg.norm(z)
    y = y - (y @ z) * z
    y = y / np.linalg.norm(y)
    return np.array([np.cross(y, z), y, z])


def _draw_atoms(axes: Axes, structure: Structure, frame: Array) -> None:
    from ase.data import atomic_numbers, covalent_radii
    from ase.data.colors import jmol_colors

    view = np.array(structure.positions, dtype=float) @ frame.T
    for i in np.argsort(view[:, 2], kind="stable"):
        number = atomic_numbers[structure.symbols[i]]
        axes.add_patch(
            Circle(
                (view[i, 0], view[i, 1]),
                _BALL * covalent_radii[number],
                facecolor=jmol_colors[number],
                edgecolor="#333333",
                linewidth=0.6,
                zorder=2,
            )
        )
    axes.set_aspect("equal")
    axes.axis("off")
    low, high = view[:, :2].min(axis=0) - 2, view[:, :2].max(axis=0) + 2
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])


def _draw_marks(
    axes: Axes, sites: Sequence[Site], frame: Array, number_pt: float
) -> None:
    marks: list[tuple[float, float]] = []
    for number, site in enumerate(sites, start=1):
        normal = np.array(site.normal)
        if (frame @ normal)[2] < _LIMB:
            continue
        x, y, _ = frame @ (np.array(site.position) + _ABOVE_A * normal)
        while any(np.hypot(x - u, y - v) < 2 * _MARK_A for u, v in marks):
            x += 2 * _MARK_A
        marks.append((x, y))
        axes.add_patch(Circle((x, y), _MARK_A, facecolor=_COLORS[site.kind], zorder=3))
        axes.text(
            x,
            y,
            str(number),
            color="white",
            fontsize=number_pt,
            ha="center",
            va="center",
            zorder=4,
        )
