"""Figures to files: SVG, PNG and PDF, the same bytes each time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.font_manager import FontProperties, findfont

from clusterflow.errors import ClusterflowError
from clusterflow.figures.sheet import STYLE, Sheet
from clusterflow.records.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

_DPI = 150
_METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def save_figure(figure: Figure, path: Path, *, dpi: int = _DPI, font: str = "") -> None:
    """Write a figure as SVG, PNG or PDF, byte for byte the same each time.

    Parameters
    ----------
    dpi
        Dots an inch of a PNG.
    font
        Family of its letters; what it lacks is written in DejaVu Sans.

    Raises
    ------
    ClusterflowError
        If the file name ends otherwise, or the font is not installed.
    """
    check_figure_name(path)
    if font:
        check_font(font)
    style = {"font.sans-serif": Sheet(font=font).style["font.sans-serif"]}
    content = _render_figure(
        figure, path.suffix, text_as_paths=True, dpi=dpi, style=style
    )
    write_atomic(path, content)


def check_font(font: str) -> None:
    """Refuse a family of letters that is not installed.

    Raises
    ------
    ClusterflowError
        Which says how to list those there are.
    """
    try:
        findfont(FontProperties(family=font), fallback_to_default=False)
    except ValueError:
        raise ClusterflowError(
            f"font {font!r}: is not installed; name one that `fc-list : family` shows"
        ) from None


def check_figure_name(path: Path) -> None:
    """Refuse a file name whose ending is no format of figures.

    Raises
    ------
    ClusterflowError
        Which names the endings there are.
    """
    if path.suffix not in _METADATA:
        raise ClusterflowError(
            f"{path}: figures are written as .svg, .png or .pdf, not {path.suffix!r}"
        )


def svg_source(figure: Figure) -> str:
    """The figure as SVG with its text kept as text."""
    return _render_figure(figure, ".svg", text_as_paths=False).decode()


def _render_figure(
    figure: Figure,
    suffix: str,
    *,
    text_as_paths: bool,
    dpi: int = _DPI,
    style: Mapping[str, Any] = {},
) -> bytes:
    stream = io.BytesIO()
    whole: Any = {
        **STYLE,
        "svg.fonttype": "path" if text_as_paths else "none",
        # Letters as TrueType, which journals ask for and editors can change.
        "pdf.fonttype": 42,
        **style,
    }
    with matplotlib.rc_context(whole):
        figure.savefig(stream, format=suffix[1:], dpi=dpi, metadata=_METADATA[suffix])
    return stream.getvalue()
