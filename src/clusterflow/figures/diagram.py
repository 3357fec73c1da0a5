"""Free-energy diagrams with matplotlib's object-oriented interface: no global state."""

from __future__ import annotations

import io
import textwrap
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from clusterflow.errors import ClusterflowError
from clusterflow.figures.columns import name_axis
from clusterflow.figures.layout import (
    LEFT_IN,
    MAX_NAMED,
    MIN_WIDTH_IN,
    RIGHT_IN,
    TICK_IN,
    Bar,
    Frame,
    find_bars,
    find_tracks,
    lay_out,
    reasons_in,
    wrap_reason,
)
from clusterflow.figures.sheet import PAPER, STYLE, USUAL, Sheet, new_figure, pt, unit
from clusterflow.figures.text import (
    MINUS,
    chem,
    clip,
    number,
    potential_label,
    signed,
)
from clusterflow.records.files import write_atomic
from clusterflow.science.checks.effects import WARNINGS
from clusterflow.science.reactions.flags import (
    group_flags,
    outside_domain,
    with_changed_bonds,
)
from clusterflow.science.reactions.pathways import hole_runs, order_pathways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clusterflow.figures.columns import Place
    from clusterflow.figures.layout import Tracks
    from clusterflow.records.profiles import Pathway, ReactionResult

# Okabe and Ito's palette, told apart with every kind of colour blindness
# (https://jfly.uni-koeln.de/color/). Vermilion is kept for the determining step.
BEST = "#0072b2"
OTHERS = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9")
DAGGER = "†"
DOUBLE_DAGGER = "‡"
DETERMINING = "#d55e00"
INK = "#1b1f24"
MUTED = "#59636e"
FAINT = "#a9b2bc"
BAND = "#eef0f3"

HALF_BAR = 0.34
_DPI = 150
_SAME_V = 0.005  # potentials that are written alike
_LABEL_PT = 9.0
_REASON_PT = 7.0
LEGEND_PT = 8.0
TITLE_PT = 11.0
# A row of a legend may be as long as in a figure of the usual width, and is wrapped.
_MOST_CHARACTERS = 88
_METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def draw_profile(
    result: ReactionResult,
    *,
    title: str | None = None,
    half_widths_ev: Sequence[float | None] = (),
    sheet: Sheet = USUAL,
) -> Figure:
    """Free-energy diagram of all pathways of a reaction, the best one strong.

    The abscissa counts electrons taken up. Levels are cumulative free energies in eV
    at the result's potential, those of the best pathway also at its limiting potential
    U_L, dotted. A state without a value is a gap, marked in its column with the reason.

    Parameters
    ----------
    result
        Pathways of one reaction on one surface.
    title
        Heading; by default the reaction's equation and the surface.
    half_widths_ev
        Half of the 90 % interval of each state of the best pathway, where known.
    sheet
        Width, letters and words.

    Raises
    ------
    ConfigError
        If the states do not fit into the width.
    """
    heading = title or f"{chem(result.equation)} on {result.surface}"
    with matplotlib.rc_context(sheet.style):
        pathways = order_pathways(result)
        if not pathways:
            return _draw_empty_figure(result, heading)
        tracks = find_tracks(result.equation, pathways)
        bars = find_bars(tracks)
        if not bars:
            return _draw_empty_figure(result, heading)
        limit = levels_at_limit(result, pathways[0])
        ends = interval_ends(pathways[0].levels_ev, half_widths_ev)
        frame = lay_out(tracks, bars, (*limit, *ends), sheet=sheet)
        handles = _make_legend_handles(frame, pathways, result, few=sheet.few_words)
        frame = frame.with_legend(wrap_legend(handles, frame.width_in))
        below_in = TICK_IN + reasons_in(pathways[0])
        figure, axes = blank_figure(frame, name_axis(pathways), pt(4 + 72 * below_in))
        number_columns(axes, tracks.columns)
        if not sheet.few_words:
            draw_titles(figure, frame, heading, result)
        _draw_holes(axes, tracks)
        _draw_connectors(axes, tracks, result.determining_step)
        _draw_limit(axes, tracks.at[0], limit)
        draw_bars(axes, bars)
        draw_intervals(
            axes, tracks.at[0], pathways[0].levels_ev, half_widths_ev, color=BEST
        )
        _draw_labels(axes, frame, with_changed_bonds(result), outside_domain(result))
        add_legend(figure, handles)
    return figure


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


def blank_figure(frame: Frame, label: str, labelpad: float) -> tuple[Figure, Axes]:
    """A figure with axes of the frame's size and nothing on them."""
    width, height = frame.width_in, frame.height_in
    figure = new_figure(width, height)
    left, right = LEFT_IN / width, 1 - RIGHT_IN / width
    axes = figure.add_axes(
        (left, frame.below_in / height, right - left, frame.axes_in / height),
        facecolor=PAPER,
    )
    axes.set_xlim(-0.5, frame.columns - 0.5)
    axes.set_ylim(frame.bottom_ev, frame.top_ev)
    axes.set_xticks([])
    axes.set_xlabel(label, color=MUTED, labelpad=labelpad)
    axes.set_ylabel("Free energy ΔG / eV", color=INK)
    axes.tick_params(colors=MUTED, labelcolor=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
    axes.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0.5)
    return figure, axes


def draw_titles(
    figure: Figure, frame: Frame, heading: str, result: ReactionResult
) -> None:
    """Write the heading, and under it the conditions."""
    x, top = 0.12 / frame.width_in, frame.height_in
    conditions = potential_label(result.potential_v, result.scale, result.ph)
    limit = int(frame.width_in * 72 / (TITLE_PT * 0.6))
    figure.text(
        x,
        1 - 0.13 / top,
        clip(heading, limit),
        fontsize=pt(TITLE_PT),
        weight="bold",
        color=INK,
        va="top",
        parse_math=False,
    )
    figure.text(
        x,
        1 - 0.37 / top,
        f"{conditions};  T = {result.temperature_k:g} K",
        color=MUTED,
        va="top",
    )


def number_columns(axes: Axes, columns: Sequence[Place]) -> None:
    """Write how many electrons each group of columns has taken up, and part groups."""
    electrons = [place.electrons for place in columns]
    for count in dict.fromkeys(electrons):
        first, n = electrons.index(count), electrons.count(count)
        axes.annotate(
            f"{count}".replace("-", MINUS),
            (first + (n - 1) / 2, 0),
            xytext=(0, pt(-4)),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            va="top",
            color=INK,
            gid=f"electrons-{count}",
        )
        if first:
            axes.axvline(first - 0.5, color=BAND, linewidth=0.8, zorder=0.05)


def levels_at_limit(result: ReactionResult, pathway: Pathway) -> tuple[float, ...]:
    """Free energies of a pathway at its own limiting potential, eV.

    Nothing where it has none, or where that is the potential of the result.
    """
    limit = pathway.limiting_potential_v
    if limit is None and result.scale == "rhe":
        limit = pathway.limiting_potential_v_rhe
    if limit is None or abs(limit - result.potential_v) < _SAME_V:
        return ()
    electrons = accumulate((step.n_e for step in pathway.steps), initial=0)
    # A pathway with a limiting potential has all its energies.
    return tuple(
        energy_ev + n * (limit - result.potential_v)
        for energy_ev, n in zip(pathway.levels_ev, electrons, strict=True)
        if energy_ev is not None
    )


def _draw_limit(axes: Axes, columns: Sequence[int], levels_ev: Sequence[float]) -> None:
    """The levels at the limiting potential, dotted."""
    dotted: Any = {"color": MUTED, "linestyle": (0, (1, 1.2)), "zorder": 1.5}
    points = list(zip(columns, levels_ev, strict=False))
    for column, energy_ev in points:
        axes.plot(
            [column - HALF_BAR, column + HALF_BAR],
            [energy_ev, energy_ev],
            linewidth=1.6,
            gid=f"limit-{column}",
            **dotted,
        )
    for (column, energy_ev), (following, next_ev) in pairwise(points):
        axes.plot(
            [column + HALF_BAR, following - HALF_BAR],
            [energy_ev, next_ev],
            linewidth=0.8,
            **dotted,
        )


def interval_ends(
    levels_ev: Sequence[float | None], half_widths_ev: Sequence[float | None]
) -> list[float]:
    """Both ends of the interval of each level that has one, eV."""
    return [
        energy_ev + side * half
        for energy_ev, half in zip(levels_ev, half_widths_ev, strict=False)
        if energy_ev is not None and half
        for side in (-1, 1)
    ]


def draw_intervals(
    axes: Axes,
    columns: Sequence[int],
    levels_ev: Sequence[float | None],
    half_widths_ev: Sequence[float | None],
    *,
    color: str,
    shift: float = 0.0,
) -> None:
    """Draw the 90 % interval of each level, `shift` columns beside its middle."""
    for column, energy_ev, half in zip(
        columns, levels_ev, half_widths_ev, strict=False
    ):
        if energy_ev is not None and half:
            axes.errorbar(
                column + HALF_BAR * 0.8 + shift,
                energy_ev,
                yerr=half,
                color=color,
                elinewidth=0.9,
                capsize=2.0,
                alpha=0.6,
                zorder=1.8,
            )


def _draw_connectors(axes: Axes, tracks: Tracks, determining: str | None) -> None:
    """Dashed lines between neighbouring states of each pathway."""
    seen: set[tuple[int, str, float]] = set()
    for rank, (pathway, columns) in enumerate(
        zip(tracks.pathways, tracks.at, strict=True)
    ):
        points = pairwise(zip(columns, pathway.levels_ev, strict=True))
        for step, ((column, energy_ev), (following, next_ev)) in zip(
            pathway.steps, points, strict=True
        ):
            if energy_ev is None or next_ev is None:
                continue
            key = (column, step.name, round(energy_ev, 3))
            if key in seen:
                continue
            seen.add(key)
            decisive = rank == 0 and step.name == determining
            axes.plot(
                [column + HALF_BAR, following - HALF_BAR],
                [energy_ev, next_ev],
                linestyle=(0, (3, 2)),
                linewidth=2.0 if decisive else (1.3 if rank == 0 else 0.9),
                color=DETERMINING if decisive else _choose_color(rank),
                zorder=2.0 if rank == 0 else 1.0,
                gid=f"connector-{rank}-{column}",
            )


def draw_bars(axes: Axes, bars: Sequence[Bar]) -> None:
    """Draw a horizontal bar for each state."""
    for bar in bars:
        axes.plot(
            [bar.column - HALF_BAR, bar.column + HALF_BAR],
            [bar.energy_ev, bar.energy_ev],
            linewidth=3.4 if bar.pathway == 0 else 1.6,
            solid_capstyle="butt",
            color=_choose_color(bar.pathway),
            zorder=4.0 if bar.pathway == 0 else 3.0,
            gid=f"level-{bar.pathway}-{bar.column}",
        )


def _draw_labels(
    axes: Axes, frame: Frame, changed: set[str], outside: set[str]
) -> None:
    """The name of each state at its place, with a leader where it had to move."""
    for label in frame.labels:
        bar, text, place = label.bar, label.text, label.place
        species = set(bar.state.split(" + "))
        text += DAGGER if changed & species else ""
        text += DOUBLE_DAGGER if outside & species else ""
        text += f"\n{label.value}" if label.value else ""
        middle = (place.bottom_in + place.height_in / 2) / frame.inch_per_ev
        longest = max(len(line) for line in text.split("\n"))
        best = bar.pathway == 0
        axes.text(
            bar.column,
            middle,
            text,
            ha="center",
            va="center",
            fontsize=pt(_LABEL_PT) * min(1.0, (frame.characters + 2) / longest),
            weight="bold" if best else "normal",
            color=INK if best else MUTED,
            linespacing=1.1,
            zorder=5.0,
            parse_math=False,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.4, "alpha": 0.75},
        )
        if place.displaced:
            axes.plot(
                [bar.column, bar.column],
                [bar.energy_ev, middle],
                color=FAINT,
                linewidth=0.6,
                zorder=0.8,
            )


def _draw_holes(axes: Axes, tracks: Tracks) -> None:
    """A grey band for each run of states without a value, its reason underneath."""
    names, at = tracks.names[0], tracks.at[0]
    for indices, reason in hole_runs(tracks.pathways[0]):
        columns = [at[index] for index in indices]
        for index, column in zip(indices, columns, strict=True):
            axes.axvspan(column - 0.5, column + 0.5, color=BAND, zorder=0.1)
            axes.text(
                column,
                0.5,
                f"{chem(names[index])}: no value",
                rotation=90,
                ha="center",
                va="center",
                color=MUTED,
                transform=axes.get_xaxis_transform(),
                zorder=0.7,
                parse_math=False,
                bbox={"facecolor": BAND, "edgecolor": "none", "pad": 1.0},
            )
        axes.annotate(
            wrap_reason(reason, len(columns)),
            ((columns[0] + columns[-1]) / 2, 0),
            xytext=(0, pt(-4 - 72 * TICK_IN)),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=pt(_REASON_PT),
            color=MUTED,
            parse_math=False,
        )


def legend_characters(width_in: float) -> int:
    """How many characters of a legend's row fit into a figure."""
    return int((width_in - 0.9) * 72 / (LEGEND_PT * 0.56))


def _make_legend_handles(
    frame: Frame, pathways: Sequence[Pathway], result: ReactionResult, *, few: bool
) -> list[Line2D | Patch]:
    """Pathways with their limiting potentials, and the determining step."""
    limit = max(legend_characters(frame.width_in), _MOST_CHARACTERS)
    handles: list[Line2D | Patch] = [
        _make_legend_line(rank, pathway, limit)
        for rank, pathway in enumerate(pathways[:MAX_NAMED])
    ]
    further = len(pathways) - len(handles)
    if further:
        handles.append(Line2D([], [], color=FAINT, label=f"{further} further"))
    handles.append(_make_legend_verdict(result, limit))
    notes = [*_explain_marks(result), *([] if few else _list_legend_notes(result))]
    return [*handles, *(Line2D([], [], linestyle="none", label=n) for n in notes)]


def wrap_legend(handles: Sequence[Line2D | Patch], width_in: float) -> int:
    """Wrap the labels of a legend's rows to a figure; how many lines they are."""
    lines = 0
    for handle in handles:
        text = textwrap.fill(str(handle.get_label()), legend_characters(width_in))
        handle.set_label(text)
        lines += text.count("\n") + 1
    return lines


def add_legend(figure: Figure, handles: Sequence[Line2D | Patch]) -> None:
    """Add a legend of plain text at the foot of a figure."""
    width_in, height_in = figure.get_size_inches() / unit()
    legend = figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.08 / width_in, 0.03 / height_in),
        fontsize=pt(LEGEND_PT),
        frameon=False,
        labelcolor=INK,
        borderaxespad=0.0,
        handlelength=2.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _make_legend_line(rank: int, pathway: Pathway, limit: int) -> Line2D:
    """A pathway with its limiting potential, or why it has none."""
    if pathway.limiting_potential_v_rhe is None:
        verdict = f"no U_L: {pathway.reason or 'incomplete'}"
    else:
        verdict = f"U_L = {number(pathway.limiting_potential_v_rhe)} V vs RHE"
    name = clip(chem(pathway.name), max(20, limit - len(verdict) - 2))
    return Line2D(
        [],
        [],
        color=_choose_color(rank),
        linewidth=3.4 if rank == 0 else 1.6,
        label=clip(f"{name}: {verdict}", limit),
    )


def _make_legend_verdict(result: ReactionResult, limit: int) -> Line2D | Patch:
    """The determining step with its free energy, or that there is none."""
    if result.determining_step is None:
        reason = result.reason or "no pathway is complete"
        return Patch(
            facecolor=BAND,
            edgecolor=FAINT,
            label=clip(f"no determining step: {reason}", limit),
        )
    best = order_pathways(result)[0]
    steps = [s for s in best.steps if s.name == result.determining_step]
    cost = f", ΔG(0 V vs RHE) = {signed(best.judged_ev(steps[0]))} eV" if steps else ""
    named = " after ".join((result.determining_step, *result.determining_with))
    step = clip(chem(named), limit - len(cost) - 18)
    return Line2D(
        [],
        [],
        color=DETERMINING,
        linestyle=(0, (3, 2)),
        linewidth=2.0,
        label=f"determining step: {step}{cost}",
    )


def _explain_marks(result: ReactionResult) -> list[str]:
    """What dots and daggers of a figure mean."""
    notes = []
    best = order_pathways(result)[:1]
    if best and levels_at_limit(result, best[0]):
        notes.append("dotted: the best pathway at its U_L")
    if with_changed_bonds(result):
        notes.append(f"{DAGGER} the cluster changed its bonds: its gain is counted too")
    if outside_domain(result):
        notes.append(f"{DOUBLE_DAGGER} outside the domain of the level: see its flags")
    return notes


def _list_legend_notes(result: ReactionResult) -> list[str]:
    """The limiting potential by the samples and what it rests on."""
    notes = []
    if result.uncertainty is not None:
        median = signed(result.uncertainty.median_v_rhe)
        low = signed(result.uncertainty.lower_v_rhe)
        high = signed(result.uncertainty.upper_v_rhe)
        basis = result.uncertainty.basis
        notes.append(
            f"median of U_L {median} V vs RHE, 90 % interval {low} to {high} ({basis})"
        )
    notes += [
        ": ".join(filter(None, (name.replace("-", " "), chem(", ".join(carriers)))))
        for name, carriers in group_flags(result.flags)
        if name in WARNINGS
    ]
    return notes


def _draw_empty_figure(result: ReactionResult, heading: str) -> Figure:
    """A figure that says why there is no profile."""
    figure = new_figure(MIN_WIDTH_IN, 1.6)
    reason = textwrap.fill(result.reason or "no reason recorded", 90, max_lines=4)
    figure.text(
        0.02,
        0.9,
        clip(heading, 66),
        fontsize=pt(TITLE_PT),
        weight="bold",
        color=INK,
        va="top",
        parse_math=False,
    )
    figure.text(
        0.02, 0.6, f"no value: {reason}", color=MUTED, va="top", parse_math=False
    )
    return figure


def _choose_color(rank: int) -> str:
    """Colour of a pathway by its rank; those beyond the palette share a grey."""
    return (BEST, *OTHERS)[rank] if rank < MAX_NAMED else FAINT
