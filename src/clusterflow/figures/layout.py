"""Sizes of a free-energy diagram: its bars, its scale and the places of its labels."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.figures.labels import place_labels, wrap_intermediate
from clusterflow.figures.text import chem
from clusterflow.science.reactions.pathways import hole_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.figures.labels import PlacedLabel
    from clusterflow.records.profiles import Pathway

LEFT_IN = 0.75
RIGHT_IN = 0.2
MIN_WIDTH_IN = 6.4
LABEL_CHARACTERS = 11
MAX_NAMED = 5  # pathways with a colour and a line of the legend of their own
_COLUMN_IN = 1.12
_TITLE_IN = 0.72
_PROFILE_IN = 2.7  # height of the profile itself, from the lowest bar to the highest
_MIN_RANGE_EV = 0.5  # a flat profile is not blown up to look like mountains
_LINE_IN = 0.165
_REASON_LINES = 5
_REASON_LINE_IN = 0.118
_LEGEND_ROW_IN = 0.205


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One state of one pathway that has a value."""

    column: int
    state: str
    energy_ev: float
    pathway: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The name of a bar, in lines, and its place."""

    bar: Bar
    text: str
    place: PlacedLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Sizes of a diagram, inches, and its scale."""

    columns: int
    inch_per_ev: float
    bottom_ev: float
    top_ev: float
    below_in: float
    labels: tuple[Label, ...]

    @property
    def width_in(self) -> float:
        """Width of the whole figure."""
        wanted = LEFT_IN + RIGHT_IN + self.columns * _COLUMN_IN
        return max(MIN_WIDTH_IN, wanted)

    @property
    def axes_in(self) -> float:
        """Height of the axes."""
        return (self.top_ev - self.bottom_ev) * self.inch_per_ev

    @property
    def height_in(self) -> float:
        """Height of the whole figure."""
        return _TITLE_IN + self.axes_in + self.below_in


def find_bars(pathways: Sequence[Pathway]) -> tuple[Bar, ...]:
    """Bars to draw, each state once though several pathways pass through it."""
    seen: dict[tuple[int, str, float], Bar] = {}
    for rank, pathway in enumerate(pathways):
        for column, (state, energy_ev) in enumerate(
            zip(pathway.states, pathway.levels_ev, strict=False)
        ):
            if energy_ev is not None:
                bar = Bar(column=column, state=state, energy_ev=energy_ev, pathway=rank)
                seen.setdefault((column, state, round(energy_ev, 3)), bar)
    return tuple(seen.values())


def lay_out(pathways: Sequence[Pathway], bars: Sequence[Bar]) -> Frame:
    """Sizes that leave room for every label."""
    energies = [bar.energy_ev for bar in bars]
    scale = _PROFILE_IN / max(max(energies) - min(energies), _MIN_RANGE_EV)
    columns = max(len(pathway.states) for pathway in pathways)
    labels = tuple(
        label
        for column in range(columns)
        for label in _place_column_labels(bars, column, scale)
    )
    bottoms = [*energies, *(label.place.bottom_in / scale for label in labels)]
    tops = [*energies, *(label.place.top_in / scale for label in labels)]
    margin = 0.12 / scale
    return Frame(
        columns=columns,
        inch_per_ev=scale,
        bottom_ev=min(bottoms) - margin,
        top_ev=max(tops) + margin,
        below_in=_measure_room_below(pathways),
        labels=labels,
    )


def frame_of(
    energies_ev: Sequence[float], columns: int, *, legend_rows: int, tick_lines: int
) -> Frame:
    """Sizes of a diagram whose states are named under the axes, not at the bars."""
    scale = _PROFILE_IN / max(max(energies_ev) - min(energies_ev), _MIN_RANGE_EV)
    margin = 0.12 / scale
    below = 0.5 + _LINE_IN * tick_lines + _LEGEND_ROW_IN * (legend_rows + 0.3)
    return Frame(
        columns=columns,
        inch_per_ev=scale,
        bottom_ev=min(energies_ev) - margin,
        top_ev=max(energies_ev) + margin,
        below_in=below,
        labels=(),
    )


def wrap_reason(reason: str, columns: int) -> str:
    """A reason in a few short lines under its columns."""
    lines = textwrap.wrap(
        reason or "no reason recorded",
        width=18 * columns,
        max_lines=_REASON_LINES,
        placeholder=" …",
    )
    return "\n".join(lines)


def reasons_in(pathway: Pathway) -> float:
    """Room for the reasons under the holes, inches."""
    texts = [
        wrap_reason(reason, len(columns)) for columns, reason in hole_runs(pathway)
    ]
    lines = max((text.count("\n") + 1 for text in texts), default=0)
    return _REASON_LINE_IN * lines + (0.05 if lines else 0.0)


def _measure_room_below(pathways: Sequence[Pathway]) -> float:
    """Room under the axes for reasons, axis label and legend, inches."""
    return (
        reasons_in(pathways[0])
        + 0.4
        + _LEGEND_ROW_IN * (_count_legend_rows(pathways) + 0.3)
    )


def _count_legend_rows(pathways: Sequence[Pathway]) -> int:
    shown = min(len(pathways), MAX_NAMED)
    further = len(pathways) > shown
    # The determining step, the interval, and what the dagger means.
    return shown + further + 3


def _place_column_labels(bars: Sequence[Bar], column: int, scale: float) -> list[Label]:
    """Labels of one column with their places."""
    here = [bar for bar in bars if bar.column == column]
    texts = [wrap_intermediate(chem(bar.state), LABEL_CHARACTERS) for bar in here]
    places = place_labels(
        [bar.energy_ev * scale for bar in here],
        [_LINE_IN * (text.count("\n") + 1) for text in texts],
    )
    return [
        Label(bar=bar, text=text, place=place)
        for bar, text, place in zip(here, texts, places, strict=True)
    ]
