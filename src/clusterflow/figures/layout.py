"""Sizes of a free-energy diagram: its bars, its scale and the places of its labels."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.figures.columns import find_places, list_columns, name_states
from clusterflow.figures.labels import place_labels, wrap_intermediate
from clusterflow.figures.text import chem, signed
from clusterflow.science.reactions.pathways import hole_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.figures.columns import Place
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
_TWO_PROFILES_IN = 4.2  # with the levels at another potential
_MIN_RANGE_EV = 0.5  # a flat profile is not blown up to look like mountains
_LINE_IN = 0.165
_REASON_LINES = 5
_REASON_LINE_IN = 0.118
_LEGEND_ROW_IN = 0.205
TICK_IN = 0.2  # the numbers under the axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One state of one pathway that has a value; `name` is how it is written."""

    column: int
    state: str
    name: str
    energy_ev: float
    pathway: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The name of a bar, in lines, its value if it is told, and its place."""

    bar: Bar
    text: str
    value: str
    place: PlacedLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """Pathways of one reaction, and the column in which each of their states stands."""

    pathways: tuple[Pathway, ...]
    columns: tuple[Place, ...]
    at: tuple[tuple[int, ...], ...]
    names: tuple[tuple[str, ...], ...]


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


def find_tracks(equation: str, pathways: Sequence[Pathway]) -> Tracks:
    """The columns of pathways of one reaction, by the electrons taken up."""
    places = find_places(equation, pathways)
    columns = list_columns(places)
    return Tracks(
        pathways=tuple(pathways),
        columns=columns,
        at=tuple(tuple(columns.index(place) for place in track) for track in places),
        names=tuple(name_states(equation, pathway) for pathway in pathways),
    )


def find_bars(tracks: Tracks) -> tuple[Bar, ...]:
    """Bars to draw, each state once though several pathways pass through it."""
    seen: dict[tuple[int, str, float], Bar] = {}
    for rank, (pathway, columns, names) in enumerate(
        zip(tracks.pathways, tracks.at, tracks.names, strict=True)
    ):
        for column, state, name, energy_ev in zip(
            columns, pathway.states, names, pathway.levels_ev, strict=True
        ):
            if energy_ev is not None:
                bar = Bar(
                    column=column,
                    state=state,
                    name=name,
                    energy_ev=energy_ev,
                    pathway=rank,
                )
                seen.setdefault((column, name, round(energy_ev, 3)), bar)
    return tuple(seen.values())


def lay_out(
    tracks: Tracks, bars: Sequence[Bar], others_ev: Sequence[float] = ()
) -> Frame:
    """Sizes that leave room for every label, and for levels that have none."""
    energies = [*(bar.energy_ev for bar in bars), *others_ev]
    height_in = _TWO_PROFILES_IN if others_ev else _PROFILE_IN
    scale = height_in / max(max(energies) - min(energies), _MIN_RANGE_EV)
    labels = tuple(
        label
        for column in range(len(tracks.columns))
        for label in _place_column_labels(bars, column, scale)
    )
    bottoms = [*energies, *(label.place.bottom_in / scale for label in labels)]
    tops = [*energies, *(label.place.top_in / scale for label in labels)]
    margin = 0.12 / scale
    return Frame(
        columns=len(tracks.columns),
        inch_per_ev=scale,
        bottom_ev=min(bottoms) - margin,
        top_ev=max(tops) + margin,
        below_in=_measure_room_below(tracks.pathways),
        labels=labels,
    )


def frame_of(
    energies_ev: Sequence[float], columns: int, *, legend_rows: int, tick_lines: int
) -> Frame:
    """Sizes of a diagram whose states are named under the axes, not at the bars."""
    scale = _PROFILE_IN / max(max(energies_ev) - min(energies_ev), _MIN_RANGE_EV)
    margin = 0.12 / scale
    below = 0.5 + TICK_IN + _LINE_IN * tick_lines + _LEGEND_ROW_IN * (legend_rows + 0.3)
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
        + TICK_IN
        + _LEGEND_ROW_IN * (_count_legend_rows(pathways) + 0.3)
    )


def _count_legend_rows(pathways: Sequence[Pathway]) -> int:
    shown = min(len(pathways), MAX_NAMED)
    further = len(pathways) > shown
    # The determining step, the levels at U_L, the interval, and what the dagger means.
    return shown + further + 4


def _place_column_labels(bars: Sequence[Bar], column: int, scale: float) -> list[Label]:
    """Labels of one column with their places."""
    here = [bar for bar in bars if bar.column == column]
    texts = [wrap_intermediate(chem(bar.name), LABEL_CHARACTERS) for bar in here]
    values = [signed(bar.energy_ev) if bar.pathway == 0 else "" for bar in here]
    places = place_labels(
        [bar.energy_ev * scale for bar in here],
        [
            _LINE_IN * (text.count("\n") + 1 + bool(value))
            for text, value in zip(texts, values, strict=True)
        ],
    )
    return [
        Label(bar=bar, text=text, value=value, place=place)
        for bar, text, value, place in zip(here, texts, values, places, strict=True)
    ]
