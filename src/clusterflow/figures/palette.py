"""Colours of diagrams and plots, and the size of their titles."""

from __future__ import annotations

from clusterflow.figures.layout import MAX_NAMED

# Okabe and Ito's palette, told apart with every kind of colour blindness
# (https://jfly.uni-koeln.de/color/). Vermilion is kept for the determining step.
BEST = "#0072b2"
OTHERS = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9")
DETERMINING = "#d55e00"
INK = "#1b1f24"
MUTED = "#59636e"
FAINT = "#a9b2bc"
BAND = "#eef0f3"

TITLE_PT = 11.0


def choose_color(rank: int) -> str:
    """Colour of a pathway by its rank; those beyond the palette share a grey."""
    return (BEST, *OTHERS)[rank] if rank < MAX_NAMED else FAINT
