"""A strip of limiting potentials with their intervals, as SVG for the page.

Each row is a cluster: a dot at the median on the bar of its 90 % interval, hydrogen
evolution beside it as an open diamond on a thin one. Brackets join rows that cannot be
told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from clusterflow.figures.text import clip, number, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 620
_LEFT, _RIGHT = 92, 108
_ROW, _AXIS = 15, 16
_LANE = 6  # between brackets
_NAME_LENGTH = 13
_CHARACTER = 6.2  # widest mean of a line of the letters of a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A potential with the ends of its interval, V; None where they are not known."""

    value_v: float
    lower_v: float | None = None
    upper_v: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StripRow:
    """A cluster's potential and that of hydrogen evolution; `why` says why not."""

    name: str
    color: str
    mark: Mark | None
    hydrogen: Mark | None = None
    why: str = ""
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class _Scale:
    """From volts to picture units."""

    low_v: float
    high_v: float

    @classmethod
    def around(cls, low_v: float, high_v: float) -> _Scale:
        """The scale that holds two potentials and ends at half volts."""
        low = floor(2 * low_v) / 2
        return cls(low, max(ceil(2 * high_v) / 2, low + 0.5))

    def place(self, volts: float) -> float:
        share = (volts - self.low_v) / (self.high_v - self.low_v)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def draw_strip(
    rows: Sequence[StripRow],
    groups: Sequence[tuple[int, int]],
    limits_v: tuple[float, float],
    *,
    axis: bool,
    alt: str,
) -> str:
    """A strip of rows on a scale of potentials, V vs RHE, as an ``<svg>`` element.

    Parameters
    ----------
    rows
        From above to below.
    groups
        First and last row of each run of clusters that cannot be told apart.
    limits_v
        What the scale has to hold.
    axis
        Whether the scale is written below.
    alt
        The strip in words.
    """
    scale = _Scale.around(*limits_v)
    bottom = _ROW * len(rows)
    root = ElementTree.Element(
        "svg",
        {
            "class": "strip",
            "viewBox": f"0 0 {WIDTH} {bottom + (_AXIS if axis else 0)}",
            "role": "img",
            "aria-label": alt,
        },
    )
    _draw_scale(root, scale, bottom, axis=axis)
    for index, row in enumerate(rows):
        _draw_row(root, row, scale, _ROW * (index + 0.5))
    for lane, (first, last) in enumerate(groups):
        _draw_bracket(root, lane, _ROW * first + 3, _ROW * (last + 1) - 3)
    return ElementTree.tostring(root, encoding="unicode")


def _add(parent: ElementTree.Element, tag: str, **attributes: object) -> None:
    """Add an element; `cls` is its class, `text` what it says."""
    said = attributes.pop("text", None)
    names = {"cls": "class"}
    child = ElementTree.SubElement(
        parent, tag, {names.get(k, k): str(v) for k, v in attributes.items()}
    )
    child.text = None if said is None else str(said)


def _draw_scale(
    root: ElementTree.Element, scale: _Scale, bottom: float, *, axis: bool
) -> None:
    wide = scale.high_v - scale.low_v
    step = 0.5 if wide <= 4 else ceil(wide / 8)
    for k in range(int(wide / step + 1e-9) + 1):
        tick = scale.low_v + step * k
        at, kind = scale.place(tick), "grid" if tick else "zero"
        _add(root, "line", cls=kind, x1=at, x2=at, y1=0, y2=bottom)
        if axis:
            said = number(tick, 1)
            _add(root, "text", cls="tick", x=at, y=bottom + 11, text=said)
    if axis:
        label = {"x": WIDTH - 34, "y": bottom + 11, "text": "V vs RHE"}
        _add(root, "text", cls="axis", **label)


def _draw_row(
    root: ElementTree.Element, row: StripRow, scale: _Scale, y: float
) -> None:
    """Name, interval, median and value of a cluster."""
    name = clip(row.name, _NAME_LENGTH)
    _add(root, "text", cls="row", x=_LEFT - 8, y=y + 4, text=name)
    if row.hydrogen is not None:
        _draw_interval(root, row.hydrogen, scale, y + 4, "hydrogen")
        at = scale.place(row.hydrogen.value_v)
        diamond = f"M{at} {y}l4 4l-4 4l-4-4z"
        _add(root, "path", cls="hydrogen", d=diamond)
    if row.mark is None:
        _draw_reason(root, row, scale, y)
        return
    group = ElementTree.SubElement(root, "g", {"style": f"--color: {row.color}"})
    _draw_interval(group, row.mark, scale, y, "interval")
    kind = "median hollow" if row.hollow else "median"
    _add(group, "circle", cls=kind, cx=scale.place(row.mark.value_v), cy=y, r=4.5)
    said = signed(row.mark.value_v)
    _add(root, "text", cls="number", x=WIDTH - 40, y=y + 4, text=said)


def _draw_reason(
    root: ElementTree.Element, row: StripRow, scale: _Scale, y: float
) -> None:
    """Why a cluster has no potential, on the wider side of hydrogen evolution."""
    start, end = _LEFT + 6.0, WIDTH - 6.0
    if row.hydrogen is not None:
        at = scale.place(row.hydrogen.value_v)
        start, end = (start, at - 10) if at - start > end - at else (at + 10, end)
    said = clip(row.why, int((end - start) / _CHARACTER))
    _add(root, "text", cls="why", x=start, y=y + 4, text=said)
    ElementTree.SubElement(root[-1], "title").text = row.why


def _draw_interval(
    parent: ElementTree.Element, mark: Mark, scale: _Scale, y: float, kind: str
) -> None:
    if mark.lower_v is not None and mark.upper_v is not None:
        ends = {"x1": scale.place(mark.lower_v), "x2": scale.place(mark.upper_v)}
        _add(parent, "line", cls=kind, y1=y, y2=y, **ends)


def _draw_bracket(
    root: ElementTree.Element, lane: int, top: float, bottom: float
) -> None:
    at = WIDTH - 32 + _LANE * (lane % 5)
    bracket = ElementTree.SubElement(
        root, "path", {"class": "alike", "d": f"M{at - 3} {top}h3V{bottom}h-3"}
    )
    ElementTree.SubElement(bracket, "title").text = "cannot be told apart"
