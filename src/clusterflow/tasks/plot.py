"""Figures of finished results, each with the table of what it shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clusterflow.config import CheSettings
from clusterflow.core.che import THERMALLY_CLOSED_EV, Electrode
from clusterflow.core.pathways import holes, no_potential_reason, order_pathways
from clusterflow.core.scaling import fit_line
from clusterflow.errors import ClusterflowError, ConfigError, RecordError
from clusterflow.figures.band_edges import draw_band_edges
from clusterflow.figures.diagram import check_figure_name, draw_profile, save_figure
from clusterflow.figures.layout import MAX_NAMED
from clusterflow.figures.overlay import draw_overlay
from clusterflow.figures.scatter import Heading, Point, draw_scaling, draw_volcano
from clusterflow.figures.text import chem, number
from clusterflow.io import read_records, write_atomic
from clusterflow.library import Library, explain
from clusterflow.records import CheRecord, ThermoRecord
from clusterflow.tables import to_csv
from clusterflow.tasks.che import che
from clusterflow.tasks.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from clusterflow.core.scaling import Line
    from clusterflow.records import BandEdges, ReactionResult
    from clusterflow.tables import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A cluster of a study; `name` tells it from that of another study."""

    name: str
    cluster: str
    che: CheRecord
    thermo: ThermoRecord | None

    @property
    def method(self) -> tuple[str, str, float | None]:
        """What two numbers must share to be compared: the level and temperature."""
        level = self.che.level
        temperature = self.thermo.temperature_k if self.thermo else None
        return (level.name, level.hash, temperature) if level else ("", "", temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A figure, the rows of its table, what is not on it and why, and what it says."""

    figure: Figure
    rows: tuple[Row, ...]
    missing: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    line: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Potential, its scale and the pH, where they are not those of the records."""

    potential_v: float | None = None
    scale: str | None = None
    ph: float | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Those that are given, by the names of the settings."""
        every = {"potential_v": self.potential_v, "scale": self.scale, "ph": self.ph}
        return {key: value for key, value in every.items() if value is not None}


def read_surfaces(
    folders: Sequence[Path], clusters: Sequence[str] = ()
) -> list[Surface]:
    """The clusters of some results folders, by their records of thermo and che.

    Raises
    ------
    RecordError
        If a folder holds no such records, or no cluster is called as asked.
    """
    found = []
    for folder in folders:
        stages = ("thermo", "che")
        paths = [p for stage in stages for p in (folder / stage).glob("*.json")]
        records = read_records(folder, paths)
        thermo = {record.cluster: record for record in records.of(ThermoRecord)}
        found += [(folder, r, thermo.get(r.cluster)) for r in records.of(CheRecord)]
    known = sorted({record.cluster for _, record, _ in found})
    for name in clusters:
        if name not in known:
            raise RecordError(
                f"--cluster {name}: not in these results; "
                f"known: {', '.join(known) or 'none'}"
            )
    n_studies = Counter(record.cluster for _, record, _ in found)
    return [
        Surface(
            name=r.cluster if n_studies[r.cluster] == 1 else f"{r.cluster} ({f.name})",
            cluster=r.cluster,
            che=r,
            thermo=thermo_record,
        )
        for f, r, thermo_record in found
        if not clusters or r.cluster in clusters
    ]


def save(plot: Plot, output: Path) -> Path:
    """Write a figure and, beside it, its table; the path of the table.

    Raises
    ------
    ClusterflowError
        If the name of the file is not that of a figure.
    """
    check_figure_name(output)
    table = output.with_suffix(".csv")
    save_figure(plot.figure, output)
    write_atomic(table, to_csv("plot", plot.rows))
    return table


def plot_diagram(
    surfaces: Sequence[Surface], reaction: str, conditions: Conditions
) -> Plot:
    """Free-energy diagram: all pathways of one cluster, or the best of each of a few.

    Raises
    ------
    ClusterflowError
        If no cluster has the reaction, there are too many to tell apart, or nothing
        can be drawn.
    """
    results = _results(surfaces, reaction, conditions)
    if len(surfaces) == 1:
        result = results[surfaces[0].name]
        best = order_pathways(result)[0]
        return Plot(
            figure=draw_profile(result),
            rows=tuple(_states(surfaces[0], result, result.pathways)),
            missing=tuple((best.states[index], why) for index, why in holes(best)),
        )
    alike, missing = _comparable(surfaces)
    for surface in alike:
        if surface.name not in results:
            missing.append((surface.name, f"has no reaction {reaction}"))
        elif results[surface.name].best_pathway is None:
            missing.append((surface.name, no_potential_reason(results[surface.name])))
    drawn = [s for s in alike if s.name not in dict(missing)]
    if not drawn:
        raise ClusterflowError(f"nothing to draw for {reaction}: {_list(missing)}")
    if len(drawn) > MAX_NAMED:
        raise ClusterflowError(
            f"{len(drawn)} clusters cannot be told apart in one diagram; choose up to "
            f"{MAX_NAMED} with --cluster: {', '.join(s.cluster for s in drawn)}"
        )
    rows = [
        row
        for surface in drawn
        for row in _states(
            surface,
            results[surface.name],
            order_pathways(results[surface.name])[:1],
        )
    ]
    return Plot(
        figure=draw_overlay({s.name: results[s.name] for s in drawn}),
        rows=(*rows, *_holes(rows, missing)),
        missing=tuple(missing),
    )


def plot_volcano(
    surfaces: Sequence[Surface], reaction: str, descriptor: str, conditions: Conditions
) -> Plot:
    """Limiting potentials of a reaction against the ΔG of an adsorbate.

    Raises
    ------
    ClusterflowError
        If no cluster has the reaction or the adsorbate, or nothing can be drawn.
    """
    descriptor = _adsorbed(descriptor, surfaces)
    results = _results(surfaces, reaction, conditions)
    alike, missing = _comparable(surfaces)
    points, rows = [], []
    for surface in alike:
        result = results.get(surface.name)
        x, why_not = _formation(surface, descriptor)
        if result is None:
            missing.append((surface.name, f"has no reaction {reaction}"))
        elif result.limiting_potential_v_rhe is None:
            missing.append((surface.name, no_potential_reason(result)))
        elif x is None:
            missing.append((surface.name, f"{descriptor}: {why_not}"))
        else:
            point = _volcano_point(surface.name, x, result)
            points.append(point)
            rows.append(_volcano_row(surface, descriptor, point, result))
    if not points:
        raise ClusterflowError(f"nothing to draw for {reaction}: {_list(missing)}")
    first = next(results[s.name] for s in alike if s.name == points[0].name)
    electrode = _electrode(first)
    scale = first.scale.upper() + (f", pH {first.ph:g}" if first.scale == "she" else "")
    bases = {row["uncertainty_basis"] for row in rows} - {None}
    notes = [f"bar: 90 % interval of U_L ({', '.join(sorted(map(str, bases)))})"]
    equilibrium = first.equilibrium_potential_v_rhe
    figure = draw_volcano(
        points,
        Heading(
            title=f"U_L of {chem(first.equation)}",
            conditions=_conditions(alike),
            x_label=f"ΔG({chem(descriptor)}) / eV",
            y_label=f"U_L / V vs {scale}",
            notes=tuple(notes) if bases else (),
        ),
        equilibrium=None if equilibrium is None else electrode.from_rhe(equilibrium),
    )
    return Plot(
        figure=figure, rows=(*rows, *_holes(rows, missing)), missing=tuple(missing)
    )


def plot_scaling(surfaces: Sequence[Surface], x: str, y: str) -> Plot:
    """The ΔG of one adsorbate against that of another, with the line through them.

    Raises
    ------
    ClusterflowError
        If an adsorbate is not in the results, or no cluster has both.
    """
    x, y = _adsorbed(x, surfaces), _adsorbed(y, surfaces)
    alike, missing = _comparable(surfaces)
    points, rows = [], []
    for surface in alike:
        values = [_formation(surface, name) for name in (x, y)]
        (at_x, why_not_x), (at_y, why_not_y) = values
        if at_x is None or at_y is None:
            reasons = [f"{n}: {w}" for n, w in ((x, why_not_x), (y, why_not_y)) if w]
            missing.append((surface.name, "; ".join(reasons)))
            continue
        points.append(Point(name=surface.name, x=at_x, y=at_y))
        rows.append(
            {
                **_whence(surface),
                "x_species": x,
                "x_dg_ev": at_x,
                "y_species": y,
                "y_dg_ev": at_y,
                "reason": "",
            }
        )
    if not points:
        raise ClusterflowError(f"nothing to draw for {x} and {y}: {_list(missing)}")
    line, why_not = fit_line([p.x for p in points], [p.y for p in points])
    note = f"no line: {why_not}" if line is None else _describe_line(line, x, y)
    figure = draw_scaling(
        points,
        Heading(
            title=f"{chem(y)} against {chem(x)}",
            conditions=_conditions(alike),
            x_label=f"ΔG({chem(x)}) / eV",
            y_label=f"ΔG({chem(y)}) / eV",
            notes=(note,),
        ),
        line=line,
    )
    return Plot(
        figure=figure,
        rows=(*rows, *_holes(rows, missing)),
        missing=tuple(missing),
        notes=(note,),
        line=line,
    )


def plot_bands(surfaces: Sequence[Surface]) -> Plot:
    """Band edges of clusters beside redox couples, V against SHE.

    Raises
    ------
    ClusterflowError
        If no cluster has band edges.
    """
    views: dict[str, BandEdges] = {}
    missing: list[tuple[str, str]] = []
    rows: list[Row] = []
    for surface in surfaces:
        view = surface.che.edges
        first = next(iter(views.values()), view)
        if view is None or first is None:
            missing.append((surface.name, "its che record holds no band edges"))
        elif (view.ph, view.absolute_she_v) != (first.ph, first.absolute_she_v):
            missing.append((surface.name, f"is at pH {view.ph:g}, not {first.ph:g}"))
        else:
            views[surface.name] = view
            rows += _edge_rows(surface, view)
    if not views:
        raise ClusterflowError(f"nothing to draw: {_list(missing)}")
    missing += [
        (str(row["cluster"]), f"{row['name']}: {row['reason']}")
        for row in rows
        if row["reason"]
    ]
    couples = {c.couple: c.potential_v_she for v in views.values() for c in v.couples}
    rows += [
        {**dict.fromkeys(rows[0]), "name": name, "potential_v_she": potential}
        for name, potential in couples.items()
    ]
    unseen = [(name, why) for name, why in missing if name not in views]
    return Plot(
        figure=draw_band_edges(views),
        rows=(*rows, *_holes(rows, unseen)),
        missing=tuple(missing),
    )


def _results(
    surfaces: Sequence[Surface], reaction: str, conditions: Conditions
) -> dict[str, ReactionResult]:
    """The result of a reaction on each cluster that has it, at the conditions."""
    recorded = {
        surface.name: (surface, result)
        for surface in surfaces
        for result in surface.che.results
        if result.reaction == reaction
    }
    if not recorded:
        known = {r.reaction for surface in surfaces for r in surface.che.results}
        raise RecordError(
            f"--reaction {reaction}: not in these results; "
            f"known: {', '.join(sorted(known)) or 'none'}"
        )
    return {
        name: _at(surface, result, conditions)
        for name, (surface, result) in recorded.items()
    }


def _at(
    surface: Surface, result: ReactionResult, conditions: Conditions
) -> ReactionResult:
    """A result at other conditions: stage che anew on the recorded free energies."""
    settings = {
        "potential_v": result.potential_v,
        "scale": result.scale,
        "ph": result.ph,
    }
    if not conditions.given.items() - settings.items():
        return result
    try:
        chosen = CheSettings.model_validate(settings | conditions.given)
    except ValidationError as error:
        raise ConfigError(f"plot: {explain(error)}") from None
    if surface.thermo is None:
        raise RecordError(
            f"{surface.name}: no thermo record beside its che record; run the study, "
            "or leave out --potential-v, --scale and --ph"
        )
    specs = [s for s in surface.che.networks if s.name == result.reaction]
    record = che(surface.thermo, specs, chosen, Library.default(), Job("che"))
    return record.results[0]


def _comparable(
    surfaces: Sequence[Surface],
) -> tuple[list[Surface], list[tuple[str, str]]]:
    """Clusters of the commonest level and temperature, and why the others are not.

    Numbers of two levels are never compared.
    """
    method = Counter(surface.method for surface in surfaces).most_common(1)[0][0]
    others = [
        (surface.name, f"is at {_method(surface)}, the figure at {_words(method)}")
        for surface in surfaces
        if surface.method != method
    ]
    return [s for s in surfaces if s.method == method], others


def _method(surface: Surface) -> str:
    if surface.che.level is None:
        return f"no level ({surface.che.reason})"
    return _words(surface.method)


def _words(method: tuple[str, str, float | None]) -> str:
    name, digest, temperature_k = method
    at = "unknown temperature" if temperature_k is None else f"{temperature_k:g} K"
    return f"{name} ({digest}), {at}"


def _conditions(surfaces: Sequence[Surface]) -> str:
    """Level, reference and temperature of the free energies of a figure."""
    surface = surfaces[0]
    assert surface.thermo is not None and surface.che.level is not None
    settings = surface.thermo.provenance.settings
    anchors = ", ".join(map(chem, settings.get("anchors", ())))
    reference = f"ΔG from {anchors} and the bare cluster;  " if anchors else ""
    level = surface.che.level.name
    return f"{level};  {reference}T = {surface.thermo.temperature_k:g} K"


def _adsorbed(name: str, surfaces: Sequence[Surface]) -> str:
    """The name of an adsorbate as in the records: with its star."""
    starred = name if name.startswith("*") else f"*{name}"
    known = {
        s.name
        for surface in surfaces
        for s in (surface.thermo.species if surface.thermo else ())
        if s.name.startswith("*") and s.name != "*"
    }
    if starred not in known:
        raise RecordError(
            f"{name}: no such adsorbate in these results; "
            f"known: {', '.join(sorted(known)) or 'none'}"
        )
    return starred


def _formation(surface: Surface, species: str) -> tuple[float | None, str]:
    """ΔG of a species on a cluster, eV, or None and why there is none."""
    if surface.thermo is None:
        return None, "no thermo record"
    for found in surface.thermo.species:
        if found.name == species:
            missing = found.formation_ev is None
            return found.formation_ev, found.reason if missing else ""
    return None, "not computed"


def _electrode(result: ReactionResult) -> Electrode:
    return Electrode(
        scale=result.scale, ph=result.ph, temperature_k=result.temperature_k
    )


def _volcano_point(name: str, x: float, result: ReactionResult) -> Point:
    assert result.limiting_potential_v_rhe is not None
    on_scale = _electrode(result).from_rhe
    interval = result.uncertainty
    return Point(
        name=name,
        x=x,
        y=on_scale(result.limiting_potential_v_rhe),
        low=None if interval is None else on_scale(interval.lower_v_rhe),
        high=None if interval is None else on_scale(interval.upper_v_rhe),
        blocked=(result.chemical_bottleneck_ev or 0.0) > THERMALLY_CLOSED_EV,
    )


def _volcano_row(
    surface: Surface, descriptor: str, point: Point, result: ReactionResult
) -> Row:
    return {
        **_whence(surface),
        "reaction": result.reaction,
        "descriptor": descriptor,
        "descriptor_dg_ev": point.x,
        "limiting_potential_v": point.y,
        "limiting_potential_p05_v": point.low,
        "limiting_potential_p95_v": point.high,
        "uncertainty_basis": result.uncertainty.basis if result.uncertainty else None,
        "scale": result.scale,
        "ph": result.ph if result.scale == "she" else None,
        "chemical_bottleneck_ev": result.chemical_bottleneck_ev,
        "determining_step": result.determining_step,
        "reason": "",
    }


def _states(
    surface: Surface, result: ReactionResult, pathways: Sequence[Any]
) -> Iterator[Row]:
    """One row a state of each pathway, with the step that leads to it."""
    for rank, pathway in enumerate(pathways, start=1):
        why_not = dict(holes(pathway))
        for index, state in enumerate(pathway.states):
            step = pathway.steps[index - 1] if index else None
            yield {
                **_whence(surface),
                "reaction": result.reaction,
                "pathway_rank": rank,
                "pathway": pathway.name,
                "limiting_potential_v_rhe": pathway.limiting_potential_v_rhe,
                "state_number": index,
                "state": state,
                "level_ev": pathway.levels_ev[index],
                "step": step.name if step else None,
                "step_dg_ev": step.dg_ev if step else None,
                "determining": (
                    step is not None and step.name == pathway.determining_step
                ),
                "potential_v": result.potential_v,
                "scale": result.scale,
                "ph": result.ph if result.scale == "she" else None,
                "reason": why_not.get(index, ""),
            }


def _edge_rows(surface: Surface, view: BandEdges) -> Iterator[Row]:
    why_not = {c.edge: c.reason for c in view.couples if c.reason}
    for name, potential in (
        ("conduction", view.conduction_v_she),
        ("valence", view.valence_v_she),
    ):
        reason = "" if potential is not None else why_not.get(name, "no value")  # type: ignore[call-overload]
        yield {
            **_whence(surface),
            "name": name,
            "potential_v_she": potential,
            "ph": view.ph,
            "reason": reason,
        }


def _whence(surface: Surface) -> Row:
    level = surface.che.level
    return {
        "cluster": surface.name,
        "level": level.name if level else None,
        "level_hash": level.hash if level else None,
        "temperature_k": surface.thermo.temperature_k if surface.thermo else None,
    }


def _holes(rows: Sequence[Row], missing: Sequence[tuple[str, str]]) -> Iterator[Row]:
    """A row without numbers for everything that is not on the figure."""
    for name, reason in missing:
        yield {**dict.fromkeys(rows[0]), "cluster": name, "reason": reason}


def _list(missing: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in missing)


def _describe_line(line: Line, x: str, y: str) -> str:
    r_squared = "" if line.r_squared is None else f", R² = {number(line.r_squared)}"
    sign = "−" if line.intercept < 0 else "+"
    return (
        f"ΔG({chem(y)}) = {number(line.slope)} ΔG({chem(x)}) {sign} "
        f"{number(abs(line.intercept))} eV{r_squared}, "
        f"MAE {number(line.mean_absolute_error)} eV, n = {line.n_points}"
    )
