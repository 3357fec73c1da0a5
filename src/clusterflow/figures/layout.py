"""Sizes of a free-energy diagram: its bars, its scale and the places of its labels."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from clusterflow.errors import ConfigError
from clusterflow.figures.columns import find_places, list_columns, name_states
from clusterflow.figures.labels import place_labels, wrap_intermediate
from clusterflow.figures.text import chem, signed
from clusterflow.science.reactions.pathways import hole_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.figures.columns import Place
    from clusterflow.figures.labels import PlacedLabel
    from clusterflow.figures.sheet import Sheet
    from clusterflow.records.profiles import Pathway

LEFT_IN = 0.75
RIGHT_IN = 0.2
MIN_WIDTH_IN = 6.4
MAX_NAMED = 5  # pathways with a colour and a line of the legend of their own
_COLUMN_IN, _COLUMN_CHARACTERS = 1.12, 11
_LEAST_COLUMN_IN = 0.28
_CHARACTER_IN = 0.08  # of a name in letters of 9 pt
_TURNED_CHARACTERS = 13  # of a line of a name that is turned
_TITLE_IN, _NO_TITLE_IN = 0.72, 0.12
HEADING_IN = 0.24  # of the title, the line that a page says in its own heading
_PROFILE_IN = 2.7  # height of the profile itself, from the lowest bar to the highest
_TWO_PROFILES_IN = 4.2  # with the levels at another potential
_LEAST_AXES_IN = 1.6  # the name of the ordinate
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
    """The name of a bar, in lines, its value if it is told, and its place.

    A turned one runs upwards.
    """

    bar: Bar
    text: str
    value: str
    turned: bool
    place: PlacedLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnName:
    """The names of the states of a column as they stand under the axis."""

    text: str
    turned: bool

    @property
    def height_in(self) -> float:
        """Room that it takes below the axis."""
        return _measure_height(self.text, turned=self.turned)


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
    column_in: float
    title_in: float
    inch_per_ev: float
    bottom_ev: float
    top_ev: float
    below_in: float
    labels: tuple[Label, ...]

    @property
    def width_in(self) -> float:
        """Width of the whole figure."""
        return LEFT_IN + RIGHT_IN + self.columns * self.column_in

    def with_names(self, names: Sequence[ColumnName]) -> Self:
        """With room for names under the axis, of which a line of letters is there."""
        further_in = max(name.height_in for name in names) - _LINE_IN
        return replace(self, below_in=self.below_in + further_in)

    def with_legend(self, lines: int) -> Self:
        """With room for so many lines of a legend."""
        room_in = _LEGEND_ROW_IN * (lines + 0.3)
        return replace(self, below_in=self.below_in + room_in)

    @property
    def axes_in(self) -> float:
        """Height of the axes."""
        return (self.top_ev - self.bottom_ev) * self.inch_per_ev

    @property
    def height_in(self) -> float:
        """Height of the whole figure."""
        return self.title_in + self.axes_in + self.below_in


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
    tracks: Tracks,
    bars: Sequence[Bar],
    others_ev: Sequence[float] = (),
    *,
    sheet: Sheet,
) -> Frame:
    """Sizes that leave room for every label, and for levels that have none.

    Raises
    ------
    ConfigError
        If the columns do not fit onto the sheet.
    """
    column_in = _choose_column(len(tracks.columns), sheet)
    energies = [*(bar.energy_ev for bar in bars), *others_ev]
    height_in = _TWO_PROFILES_IN if others_ev else _PROFILE_IN
    scale = height_in / max(max(energies) - min(energies), _MIN_RANGE_EV)
    groups = [
        [bar for bar in bars if bar.column == column]
        for column in range(len(tracks.columns))
    ]
    turned = _list_turned([[bar.name for bar in here] for here in groups], column_in)
    labels = tuple(
        label
        for here, upwards in zip(groups, turned, strict=True)
        for label in _place_column_labels(here, scale, column_in, turned=upwards)
    )
    bottoms = [*energies, *(label.place.bottom_in / scale for label in labels)]
    tops = [*energies, *(label.place.top_in / scale for label in labels)]
    margin = 0.12 / scale
    return Frame(
        columns=len(tracks.columns),
        column_in=column_in,
        title_in=_NO_TITLE_IN if sheet.few_words else _TITLE_IN,
        inch_per_ev=scale,
        bottom_ev=min(bottoms) - margin,
        top_ev=max(tops) + margin,
        below_in=reasons_in(tracks.pathways[0]) + 0.4 + TICK_IN,
        labels=labels,
    )


def frame_of(energies_ev: Sequence[float], columns: int, *, sheet: Sheet) -> Frame:
    """Sizes of a diagram whose states are named under the axes, not at the bars.

    Raises
    ------
    ConfigError
        If the columns do not fit onto the sheet.
    """
    range_ev = max(energies_ev) - min(energies_ev)
    scale = _PROFILE_IN / max(range_ev, _MIN_RANGE_EV)
    margin = max(0.12 / scale, (_LEAST_AXES_IN / scale - range_ev) / 2)
    return Frame(
        columns=columns,
        column_in=_choose_column(columns, sheet),
        title_in=_NO_TITLE_IN if sheet.few_words else _TITLE_IN,
        inch_per_ev=scale,
        bottom_ev=min(energies_ev) - margin,
        top_ev=max(energies_ev) + margin,
        below_in=0.5 + TICK_IN,
        labels=(),
    )


def name_columns(
    states: Sequence[Sequence[str]], column_in: float
) -> tuple[ColumnName, ...]:
    """The states of each column as they are written under the axis."""
    named = []
    for names, turned in zip(states, _list_turned(states, column_in), strict=True):
        text = "\n".join(_write_name(name, column_in, turned=turned) for name in names)
        if len(names) > 1 and turned and not _fits_turned(text, column_in):
            text = ", ".join(chem(name) for name in names)
        named.append(ColumnName(text=text, turned=turned))
    return tuple(named)


def _choose_column(columns: int, sheet: Sheet) -> float:
    """Width of a column, inches of the layout, so that all are on the sheet.

    Raises
    ------
    ConfigError
        If they are too many for its width.
    """
    wanted_in = LEFT_IN + RIGHT_IN + columns * _COLUMN_IN
    least_in = LEFT_IN + RIGHT_IN + columns * _LEAST_COLUMN_IN
    usual_in = max(MIN_WIDTH_IN, min(wanted_in, sheet.most_in), least_in)
    column_in = ((sheet.layout_in or usual_in) - LEFT_IN - RIGHT_IN) / columns
    if column_in < _LEAST_COLUMN_IN - 1e-9:
        raise ConfigError(
            f"--width {sheet.width_in:.3g}in: {columns} states do not fit side by "
            "side; give a larger width, or none"
        )
    return column_in


def _count_characters(column_in: float) -> int:
    """How many characters of a name fit over a column."""
    return max(5, int(_COLUMN_CHARACTERS * column_in / _COLUMN_IN))


def _write_name(name: str, column_in: float, *, turned: bool) -> str:
    """The name of a state in lines."""
    characters = _TURNED_CHARACTERS if turned else _count_characters(column_in)
    return wrap_intermediate(chem(name), characters)


def _list_turned(states: Sequence[Sequence[str]], column_in: float) -> list[bool]:
    """Whether the names of each column are turned, one being wider than its column.

    The first and the last, which name all molecules, are turned alone; else all are.
    """
    wide = []
    for names in states:
        written = [_write_name(name, column_in, turned=False) for name in names]
        longest = max((len(line) for line in "\n".join(written).split("\n")), default=0)
        wide.append(longest * _CHARACTER_IN > column_in)
    if any(wide[1:-1]):
        return [True] * len(wide)
    ends = (0, len(wide) - 1)
    return [any(wide) and index in ends for index in range(len(wide))]


def _fits_turned(text: str, column_in: float) -> bool:
    """Whether the lines of a turned text stand side by side within a column."""
    return (text.count("\n") + 1) * _LINE_IN <= column_in


def _measure_height(text: str, *, turned: bool) -> float:
    """Height of lines of letters of 9 pt, or of turned ones, which are bold, inches."""
    lines = text.split("\n")
    if not turned:
        return _LINE_IN * len(lines)
    bold = FontProperties(weight="bold", size=9)
    measure = text_to_path.get_text_width_height_descent
    return max(measure(line, bold, ismath=False)[0] for line in lines) / 72


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


def _place_column_labels(
    bars: Sequence[Bar], scale: float, column_in: float, *, turned: bool
) -> list[Label]:
    """Labels of the bars of one column with their places."""
    texts = [_write_name(bar.name, column_in, turned=turned) for bar in bars]
    values = []
    for bar, text in zip(bars, texts, strict=True):
        value = signed(bar.energy_ev) if bar.pathway == 0 else ""
        if turned and not _fits_turned(f"{text}\n", column_in):
            value = ""  # it would stand in the next column
        values.append(value)
    places = place_labels(
        [bar.energy_ev * scale for bar in bars],
        [
            _measure_height(f"{text}\n{value}" if value else text, turned=turned)
            for text, value in zip(texts, values, strict=True)
        ],
    )
    return [
        Label(bar=bar, text=text, value=value, turned=turned, place=place)
        for bar, text, value, place in zip(bars, texts, values, places, strict=True)
    ]
