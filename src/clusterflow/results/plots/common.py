"""Clusters of a study as the figures compare them, and what a figure leaves behind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from clusterflow.errors import ConfigError, RecordError, name_near
from clusterflow.figures.saving import check_figure_name, save_figure
from clusterflow.figures.sheet import typeset
from clusterflow.figures.text import chem
from clusterflow.library.find import Library, describe_error
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import (
    StudyRecords,
    check_output,
    read_records,
    write_atomic,
)
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import (
    RefinedCheRecord,
    RefinedThermoRecord,
    name_composite,
)
from clusterflow.results.outlines import read_outlines
from clusterflow.results.tables import to_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from clusterflow.records.profiles import ReactionResult
    from clusterflow.results.tables import Row
    from clusterflow.science.reactions.scaling_line import Line


# The level of a study, or that of its energies by DFT.
LevelChoice = Literal["study", "refined"]
# What was read: profiles, free energies, and the record of DFT that they are from.
_Levelled = tuple[CheRecord, ThermoRecord | None, RefinedCheRecord | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCluster:
    """A cluster of a study; `name` tells it from that of another study or level.

    With `refined` the profiles and free energies are those of a composite level.
    """

    name: str
    cluster: str
    che: CheRecord
    thermo: ThermoRecord | None
    refined: RefinedCheRecord | None = None

    @property
    def level(self) -> tuple[str, str] | None:
        """Name and hash of the level; of a composite one both, joined alike."""
        if self.refined is None:
            level = self.che.level
            return None if level is None else (level.name, level.hash)
        level, dft = self.refined.level, self.refined.dft_level
        if level is None or dft is None:
            return None
        return name_composite(level, dft), f"{dft.hash}//{level.hash}"

    @property
    def method(self) -> tuple[str, str, float | None]:
        """What makes numbers comparable: level by name and hash, temperature in K."""
        temperature = self.thermo.temperature_k if self.thermo else None
        return (*(self.level or ("", "")), temperature)


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


def read_study_clusters(
    folders: Sequence[Path],
    clusters: Sequence[str] = (),
    *,
    level: LevelChoice = "study",
    in_outline: bool = False,
) -> list[StudyCluster]:
    """The clusters of some results folders, by their records of thermo and che.

    Parameters
    ----------
    level
        Whether those of the study's level, or of the composite one.
    in_outline
        Whether records without pathways and terms will do, which are read faster.

    Raises
    ------
    RecordError
        If a folder holds no such records, or no cluster is called as asked.
    """
    found = []
    for folder in folders:
        if level == "refined":
            read = _read_refined(folder, clusters)
        else:
            read = _read_unrefined(folder, clusters, in_outline=in_outline)
        found += [(folder, *one) for one in read]
    known = {record.cluster for _, record, _, _ in found}
    stage = "refined_che" if level == "refined" else "che"
    for name in clusters:
        if name not in known:
            known |= {p.stem for f in folders for p in (f / stage).glob("*.json")}
            raise RecordError(
                f"--cluster {name}: not in these results; {name_near(name, known)}"
            )
    n_studies = Counter(record.cluster for _, record, _, _ in found)
    return [
        StudyCluster(
            name=r.cluster if n_studies[r.cluster] == 1 else f"{r.cluster} ({f.name})",
            cluster=r.cluster,
            che=r,
            thermo=thermo_record,
            refined=refined,
        )
        for f, r, thermo_record, refined in found
        if not clusters or r.cluster in clusters
    ]


def read_both_levels(
    folders: Sequence[Path], clusters: Sequence[str] = ()
) -> list[StudyCluster]:
    """One cluster at the level of its study, and at the composite one.

    Raises
    ------
    RecordError
        As `read_study_clusters`.
    ConfigError
        If there are several clusters, or studies of it.
    """
    found = read_study_clusters(folders, clusters, level="refined")
    if len(found) > 1:
        raise ConfigError(
            "--level both: draws one cluster of one study; choose it with --cluster: "
            f"{', '.join(surface.name for surface in found)}"
        )
    plain = read_study_clusters(folders, [found[0].cluster])
    return [
        replace(surface, name=f"{surface.cluster}, {surface.method[0]}")
        for surface in (*plain, *found)
    ]


def _read_unrefined(
    folder: Path, clusters: Sequence[str], *, in_outline: bool
) -> list[_Levelled]:
    """Records of che and thermo, or in outline where a file has that."""
    outlines = read_outlines(folder) if in_outline else None
    if outlines is None:
        records = _read_records_of(folder, ("thermo", "che"), clusters)
        thermo = {record.cluster: record for record in records.of(ThermoRecord)}
        outlines = [(che, thermo.get(che.cluster)) for che in records.of(CheRecord)]
    return [(che, thermo_record, None) for che, thermo_record in outlines]


def _read_refined(folder: Path, clusters: Sequence[str]) -> list[_Levelled]:
    """What records of the composite level hold.

    Raises
    ------
    RecordError
        If there are none.
    """
    if not any((folder / "refined_che").glob("*.json")):
        raise RecordError(
            f"{folder}: no profiles of a composite level; set refine.species, and run"
        )
    records = _read_records_of(folder, ("refined_thermo", "refined_che"), clusters)
    thermo = {one.cluster: one.energies for one in records.of(RefinedThermoRecord)}
    return [
        (one.profiles, thermo.get(one.cluster), one)
        for one in records.of(RefinedCheRecord)
    ]


def _read_records_of(
    folder: Path, stages: Sequence[str], clusters: Sequence[str]
) -> StudyRecords:
    """Records of some stages: of some clusters, or of all where none is named."""
    every = [p for s in stages for p in (folder / s).glob("*.json")]
    if clusters and every:
        every = [path for path in every if path.stem in clusters]
        if not every:
            return StudyRecords(folder=folder, records=())
    return read_records(folder, every)


def save(plot: Plot, output: Path, **style: Any) -> Path:
    """Write a figure and, beside it, its table; the path of the table.

    `style` is what `save_figure` takes. The words of the figure are typeset.

    Raises
    ------
    ClusterflowError
        If the name of the file is not that of a figure, its font is not there, or one
        cannot be written.
    """
    check_figure_name(output)
    table = output.with_suffix(".csv")
    check_output(table)
    typeset(plot.figure)
    save_figure(plot.figure, output, **style)
    write_atomic(table, to_csv("plot", plot.rows))
    return table


def find_results(
    surfaces: Sequence[StudyCluster], reaction: str, conditions: Conditions
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
            f"--reaction {reaction}: not in these results; {name_near(reaction, known)}"
        )
    return {
        name: _apply_conditions(surface, result, conditions)
        for name, (surface, result) in recorded.items()
    }


def _apply_conditions(
    surface: StudyCluster, result: ReactionResult, conditions: Conditions
) -> ReactionResult:
    """A result at other conditions: stage che anew on the recorded free energies."""
    settings = {
        "potential_v": result.potential_v,
        "scale": result.scale,
        "ph": result.ph,
    }
    if not conditions.given.items() - settings.items():
        return result
    # A figure at the conditions of its study would take a third longer to start.
    from clusterflow.settings import CheSettings
    from clusterflow.stages.che import che
    from clusterflow.stages.parts.job import Job

    try:
        chosen = CheSettings.model_validate(settings | conditions.given)
    except ValidationError as error:
        raise ConfigError(f"plot: {describe_error(error)}") from None
    if surface.thermo is None:
        raise RecordError(
            f"{surface.name}: no thermo record beside its che record; run the study, "
            "or leave out --potential-v, --scale and --ph"
        )
    specs = [s for s in surface.che.networks if s.name == result.reaction]
    record = che(surface.thermo, specs, chosen, Library.default(), Job("che"))
    return record.results[0]


def split_comparable(
    surfaces: Sequence[StudyCluster],
) -> tuple[list[StudyCluster], list[tuple[str, str]]]:
    """Clusters of the commonest level and temperature, and why the others are not.

    Numbers of two levels are never compared.
    """
    method = Counter(surface.method for surface in surfaces).most_common(1)[0][0]
    others = [
        (
            surface.name,
            f"is at {_describe_method(surface)}, "
            f"the figure at {_format_method(method)}",
        )
        for surface in surfaces
        if surface.method != method
    ]
    return [s for s in surfaces if s.method == method], others


def _describe_method(surface: StudyCluster) -> str:
    if surface.level is None:
        return f"no level ({surface.che.reason})"
    return _format_method(surface.method)


def _format_method(method: tuple[str, str, float | None]) -> str:
    name, digest, temperature_k = method
    at = "unknown temperature" if temperature_k is None else f"{temperature_k:g} K"
    return f"{name} ({digest}), {at}"


def describe_conditions(surfaces: Sequence[StudyCluster]) -> str:
    """Level, reference and temperature of the free energies of a figure."""
    surface = surfaces[0]
    assert surface.thermo is not None and surface.level is not None
    settings = surface.thermo.provenance.settings
    anchors = ", ".join(map(chem, settings.get("anchors", ())))
    reference = f"ΔG from {anchors} and the bare cluster;  " if anchors else ""
    return f"{surface.level[0]};  {reference}T = {surface.thermo.temperature_k:g} K"


def name_adsorbed(name: str, surfaces: Sequence[StudyCluster]) -> str:
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
            f"{name}: no such adsorbate in these results; {name_near(starred, known)}"
        )
    return starred


def find_formation(surface: StudyCluster, species: str) -> tuple[float | None, str]:
    """ΔG of a species on a cluster, eV, or None and why there is none."""
    if surface.thermo is None:
        return None, "no thermo record"
    for found in surface.thermo.species:
        if found.name == species:
            missing = found.formation_ev is None
            return found.formation_ev, found.reason if missing else ""
    return None, "not computed"


def describe_origin(surface: StudyCluster) -> Row:
    """The columns that say where a row comes from."""
    name, digest = surface.level or (None, None)
    return {
        "cluster": surface.name,
        "level": name,
        "level_hash": digest,
        "temperature_k": surface.thermo.temperature_k if surface.thermo else None,
    }


def list_hole_rows(
    rows: Sequence[Row], missing: Sequence[tuple[str, str]]
) -> Iterator[Row]:
    """A row without numbers for everything that is not on the figure."""
    for name, reason in missing:
        yield {**dict.fromkeys(rows[0]), "cluster": name, "reason": reason}


def list_missing(missing: Sequence[tuple[str, str]]) -> str:
    """What is missing and why, in a line."""
    return "; ".join(f"{name}: {reason}" for name, reason in missing)
