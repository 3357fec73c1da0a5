"""What a figure is drawn on: its width, its letters, and how many words stand there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import ScalarFormatter

from clusterflow.errors import ConfigError

PAPER = "#ffffff"
HEADING = "heading"  # id of the line above a diagram that says what it is of
_FONT_PT = 9.0
# Journals ask for letters of 5 to 8 pt at the final size.
_NARROW_IN, _NARROW_PT, _WIDE_PT = 4.5, 7.0, 8.0
_LEAST_IN, _MOST_IN = 2.0, 40.0
_UNITS = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4}
_WIDTH = re.compile(r"(\d+(?:\.\d+)?)\s*(in|cm|mm)")
_LOW, _HIGH = "₀₁₂₃₄₅₆₇₈₉", "⁺⁻"
_RAISED = re.compile(f"U_L|[{_LOW}]+|[{_HIGH}]+")
_PLAIN = str.maketrans(_LOW + _HIGH, "0123456789+−")
# `Any`: the names of all settings are the type that matplotlib asks for.
STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": _FONT_PT,
    "svg.hashsalt": "clusterflow",
    "path.simplify": False,
    "axes.unicode_minus": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Width of a figure, family of its letters, and its words.

    Drawings are laid out in inches for letters of 9 pt. On a sheet of a given width the
    letters are smaller, and so is every inch of the layout.

    Parameters
    ----------
    width_in
        Width on paper, inches; without it as wide as the figure needs.
    font
        Family of the letters; what it lacks is written in DejaVu Sans.
    words
        ``few``: no title, conditions and notes, which stand in a caption; what explains
        a mark stays. By default few where a width is given.
    most_in
        Of a diagram without a given width: from here on its columns get narrower, since
        a wider one is shown reduced, with letters too small to read.
    """

    width_in: float | None = None
    font: str = ""
    words: Literal["all", "few"] | None = None
    most_in: float = 9.0

    @property
    def style(self) -> dict[str, Any]:
        """Settings of matplotlib with which the figure is drawn and saved."""
        family = [*([self.font] if self.font else []), *STYLE["font.sans-serif"]]
        return {**STYLE, "font.size": self._font_pt, "font.sans-serif": family}

    @property
    def layout_in(self) -> float | None:
        """Its width in inches of the layout."""
        if self.width_in is None:
            return None
        return self.width_in * _FONT_PT / self._font_pt

    @property
    def few_words(self) -> bool:
        """Whether what a caption says is left out."""
        return (self.words or ("all" if self.width_in is None else "few")) == "few"

    @property
    def _font_pt(self) -> float:
        if self.width_in is None:
            return _FONT_PT
        return _NARROW_PT if self.width_in < _NARROW_IN else _WIDE_PT


USUAL = Sheet()


def read_width(text: str) -> float:
    """A width in inches, from text with its unit.

    Raises
    ------
    ConfigError
        If it is none, or none of a sheet of paper.

    Examples
    --------
    >>> read_width("3.3in"), round(read_width("84mm"), 3)
    (3.3, 3.307)
    """
    found = _WIDTH.fullmatch(text.strip())
    width = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not _LEAST_IN <= width <= _MOST_IN:
        raise ConfigError(
            f"--width {text}: must be {_LEAST_IN:g}in to {_MOST_IN:g}in, "
            "with its unit: 3.3in, 8.4cm or 84mm"
        )
    return width


def unit() -> float:
    """How many inches on paper an inch of the layout is, with the style in force."""
    return float(matplotlib.rcParams["font.size"]) / _FONT_PT


def pt(size: float) -> float:
    """A size in points for letters of 9 pt, as it is with the style in force."""
    return size * unit()


def new_figure(width_in: float, height_in: float, **given: Any) -> Figure:
    """An empty figure; its size is in inches of the layout."""
    size = (width_in * unit(), height_in * unit())
    return Figure(figsize=size, facecolor=PAPER, **given)


def typeset(figure: Figure) -> None:
    """Set the words of a figure with subscripts and superscripts as smaller letters.

    Those of Unicode are missing in many families, such as Arial.
    """
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if not isinstance(axis.get_major_formatter(), ScalarFormatter):
            names = [write_math(t.get_text()) for t in axis.get_majorticklabels()]
            axis.set_ticks(axis.get_majorticklocs(), names, parse_math=True)
    for text in figure.findobj(Text):
        text.set_text(write_math(text.get_text()))
        text.set_parse_math(True)


def write_math(text: str) -> str:
    r"""Text with its subscripts and superscripts as matplotlib sets them.

    >>> write_math("CO₂")
    'CO$_{\\mathregular{2}}$'
    """

    def write(match: re.Match[str]) -> str:
        found = match.group()
        if found == "U_L":
            return r"U$_{\mathregular{L}}$"
        side = "^" if found[0] in _HIGH else "_"
        return rf"${side}{{\mathregular{{{found.translate(_PLAIN)}}}}}$"

    return _RAISED.sub(write, text.replace("$", r"\$"))
