"""A page with a picture of each cluster of the library."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

import clusterflow
from clusterflow.figures import style_sheet
from clusterflow.figures.picture import ball_definitions, draw_structure
from clusterflow.figures.text import chem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records.structure import Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A cluster with its picture, or the reason why it has none."""

    name: str
    formula: str
    structure: Structure | None
    reason: str = ""
    n_isomers: int
    facts: tuple[str, ...]
    source: str

    @property
    def svg(self) -> Markup:
        """The first starting geometry."""
        assert self.structure is not None
        return Markup(draw_structure(self.structure, alt=f"{self.name}, as built"))


def render_gallery(cards: Sequence[Card]) -> str:
    """One HTML file that works without a network, a figure for each cluster."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["chem"] = chem
    file = resources.files("clusterflow.figures").joinpath("gallery.html.j2")
    symbols = {s for card in cards if card.structure for s in card.structure.symbols}
    return environment.from_string(file.read_text(encoding="utf-8")).render(
        cards=cards,
        balls=Markup(ball_definitions(sorted(symbols))),
        style=Markup(style_sheet()),
        version=clusterflow.__version__,
    )
