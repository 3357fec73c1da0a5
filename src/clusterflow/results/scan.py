"""Reactions over a grid of potential, pH and temperature, from finished records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from clusterflow.errors import ConfigError, RecordError
from clusterflow.library.find import Library, describe_error
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import StudyRecords, read_record, read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.results.tables import make_harmless
from clusterflow.results.temperatures import thermo_at
from clusterflow.science.reactions.che import Electrode, free_energies_of
from clusterflow.science.reactions.cluster_states import add_cluster_states
from clusterflow.science.reactions.evaluate import evaluate_reactions
from clusterflow.science.reactions.scan import Grid, Scan, scan_pathways
from clusterflow.settings import CheSettings
from clusterflow.units import REFERENCE_V_SHE, check_scale, check_temperature

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.profiles import ReactionResult
    from clusterflow.units import Scale

# More points than this along one axis are a slip of the pen.
_MOST_POINTS = 10_000
COLUMNS = (
    *("cluster", "level", "reaction", "temperature_k", "ph"),
    *("potential_v_rhe", "potential_v_she", "pathway", "limiting_potential_v_rhe"),
    *("chemical_bottleneck_ev", "highest_step", "highest_dg_ev"),
    *("all_downhill", "electrochemical_downhill", "reason"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScannedReaction:
    """A reaction on a cluster at one temperature; `scan` is None at a hole."""

    cluster: str
    level: LevelSpec | None
    result: ReactionResult
    grid: Grid
    scan: Scan | None


def read_axis(text: str, option: str) -> list[float]:
    """Values of an axis: ``A:B:N`` for N points from A to B, or values by commas.

    >>> read_axis("-1:0:3", "--potential-v"), read_axis("7", "--ph")
    ([-1.0, -0.5, 0.0], [7.0])

    Raises
    ------
    ConfigError
        If it is neither.
    """
    try:
        if ":" not in text:
            values = [float(part) for part in text.split(",")]
        else:
            first, last, n = text.split(":")
            if not 1 <= int(n) <= _MOST_POINTS:
                raise ValueError
            values = np.linspace(float(first), float(last), int(n)).tolist()
    except ValueError:
        raise ConfigError(
            f"{option} {text}: write A:B:N for N points from A to B "
            f"(1 to {_MOST_POINTS}), or values by commas"
        ) from None
    if not np.isfinite(values).all():
        raise ConfigError(f"{option} {text}: every value must be finite")
    return values


def scan(
    sources: Sequence[Path],
    *,
    potential_v: Sequence[float],
    scale: Scale,
    ph: Sequence[float] | None,
    temperature_k: Sequence[float] | None,
    reactions: Sequence[str] = (),
    clusters: Sequence[str] = (),
) -> list[ScannedReaction]:
    """Every reaction of some results over a grid, without quantum chemistry.

    Parameters
    ----------
    sources
        Results folders of studies, or records of stage che.
    potential_v, scale
        Potentials, V, and the scale they are on.
    ph
        By default that of each record.
    temperature_k
        By default that of each record. Another one needs a results folder, whose
        frequencies give the free energies anew.
    reactions, clusters
        Which ones, by name; all by default.

    Raises
    ------
    ConfigError
        If a condition is impossible, or nothing is called as asked.
    RecordError
        If a record is missing or corrupt.
    """
    _check_conditions(potential_v, ph, temperature_k)
    found = list(_read_che_records(sources))
    _refuse_unknown("--cluster", clusters, {r.cluster for r, _ in found})
    if clusters:
        found = [(r, folder) for r, folder in found if r.cluster in clusters]
    known = {result.reaction for r, _ in found for result in r.results}
    _refuse_unknown("--reaction", reactions, known)
    scanned = []
    for record, folder in found:
        for result in _select_results(record, folder, reactions, temperature_k):
            check_scale(scale, result.temperature_k, "--scale")
            on_she = np.array(potential_v) + REFERENCE_V_SHE.get(scale, 0.0)
            grid = Grid(
                potential_v=on_she,
                scale="rhe" if scale == "rhe" else "she",
                ph=np.array([result.ph] if ph is None else ph, dtype=np.float64),
                temperature_k=result.temperature_k,
            )
            scanned.append(
                ScannedReaction(
                    cluster=record.cluster,
                    level=record.level,
                    result=result,
                    grid=grid,
                    scan=scan_pathways(result.pathways, grid),
                )
            )
    return scanned


def _check_conditions(
    potential_v: Sequence[float],
    ph: Sequence[float] | None,
    temperature_k: Sequence[float] | None,
) -> None:
    """Hold every value against the limits of the settings of stage che."""
    checked = [("potential_v", v) for v in (min(potential_v), max(potential_v))]
    checked += [("ph", v) for v in (min(ph), max(ph))] if ph else []
    for name, value in checked:
        try:
            CheSettings.model_validate({name: value})
        except ValidationError as error:
            raise ConfigError(f"scan: {describe_error(error)}") from None
    for temperature in temperature_k or ():
        check_temperature(temperature, "--temperature-k")


def _refuse_unknown(option: str, asked: Sequence[str], known: set[str]) -> None:
    for name in asked:
        if name not in known:
            raise ConfigError(
                f"{option} {name}: not in these results; "
                f"known: {', '.join(sorted(known)) or 'none'}"
            )


def _read_che_records(
    sources: Sequence[Path],
) -> Iterator[tuple[CheRecord, Path | None]]:
    """Records of stage che, with the results folder of each where one was given."""
    for source in sources:
        if not source.is_dir():
            yield read_record(source, CheRecord), None
            continue
        paths = sorted((source / "che").glob("*.json"))
        if not paths:
            raise RecordError(f"{source}: holds no che records; run the study first")
        for path in paths:
            yield read_record(path, CheRecord), source


def _select_results(
    record: CheRecord,
    folder: Path | None,
    reactions: Sequence[str],
    temperature_k: Sequence[float] | None,
) -> Iterator[ReactionResult]:
    """The chosen results of a record, once for each temperature."""
    recorded = [r for r in record.results if not reactions or r.reaction in reactions]
    own = {r.temperature_k for r in recorded}
    for temperature in own if temperature_k is None else temperature_k:
        if {temperature} == own or not recorded:
            yield from recorded
        elif folder is None:
            raise ConfigError(
                f"--temperature-k {temperature:g}: the che record of {record.cluster} "
                f"holds free energies at {min(own):g} K only; give the results folder, "
                "whose frequencies serve any temperature"
            )
        else:
            yield from _evaluate_at_temperature(record, folder, temperature, recorded)


def _evaluate_at_temperature(
    record: CheRecord,
    folder: Path,
    temperature_k: float,
    recorded: Sequence[ReactionResult],
) -> list[ReactionResult]:
    """The results anew, from the stored energies and frequencies."""
    library = Library.default()
    wanted = {result.reaction for result in recorded}
    reactions = [spec for spec in record.networks if spec.name in wanted]
    own, *states = (
        _recompute_thermo(cluster, folder, temperature_k, library)
        for cluster in (record.cluster, *record.states.values())
    )
    energies = add_cluster_states(own, states, reactions, library).thermo
    return evaluate_reactions(
        reactions,
        {record.cluster: free_energies_of(energies)},
        Electrode(ph=recorded[0].ph, temperature_k=temperature_k),
        library,
        energies.pressure_pa,
        pcet=recorded[0].pcet,
    )


def _recompute_thermo(
    cluster: str, folder: Path, temperature_k: float, library: Library
) -> ThermoRecord:
    """Stage thermo at another temperature, from the records of a results folder."""
    known = read_record(folder / "thermo" / f"{cluster}.json", ThermoRecord)
    if known.own:
        alone = StudyRecords(folder=folder, records=())
        return thermo_at(known, alone, temperature_k, library)
    paths = [
        folder / stage / f"{cluster}.json" for stage in ("relax", "pool", "leaving")
    ]
    stages = ("adsorb", "vibrate")
    paths += [p for s in stages for p in (folder / s / cluster).glob("*.json")]
    paths += (folder / "gas").glob("*/*.json")
    records = read_records(folder, [path for path in paths if path.is_file()])
    return thermo_at(known, records, temperature_k, library)


def to_csv(scanned: Sequence[ScannedReaction]) -> str:
    """One row a point; a reaction without a complete pathway has one row, a hole."""
    lines = [",".join(COLUMNS)]
    for item in scanned:
        head = _quote_cells(
            item.cluster,
            item.level.name if item.level else "",
            item.result.reaction,
            f"{item.grid.temperature_k:g}",
        )
        if item.scan is None:
            hole = _quote_cells(*[""] * (len(COLUMNS) - 5), item.result.reason)
            lines.append(f"{head},{hole}")
        else:
            lines += _format_csv_rows(head, item.scan, item.grid)
    return "\n".join(lines) + "\n"


def _format_csv_rows(head: str, scan: Scan, grid: Grid) -> Iterator[str]:
    """Rows of one reaction; text is made once, because there may be 100,000 points."""
    steps = [_quote_cells(name) for name in scan.steps]
    flag = {True: "True", False: "False"}
    rhe, she = grid.potential_on("rhe"), grid.potential_on("she")
    for row, ph in enumerate(grid.ph.tolist()):
        start = f"{head},{ph:.6g}"
        pathway = (
            f"{_quote_cells(scan.pathways[scan.pathway[row]])},"
            f"{_format_number(scan.limiting_potential_v_rhe[row])},"
            f"{_format_number(scan.chemical_bottleneck_ev[row])}"
        )
        points = zip(
            rhe[row].tolist(),
            she[row].tolist(),
            scan.highest_step[row].tolist(),
            scan.highest_dg_ev[row].tolist(),
            scan.downhill[row].tolist(),
            scan.electrochemical_downhill[row].tolist(),
            strict=True,
        )
        for u_rhe, u_she, step, dg, downhill, moved in points:
            yield (
                f"{start},{u_rhe:.6f},{u_she:.6f},{pathway},{steps[step]},{dg:.6f},"
                f"{flag[downhill]},{flag[moved]},"
            )


def _format_number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6f}"


def _quote_cells(*texts: str) -> str:
    """Text cells, quoted where CSV needs it, and never a formula."""
    quoted = (
        f'"{t.replace(chr(34), chr(34) * 2)}"' if set(t) & set(',"\n') else t
        for t in map(make_harmless, texts)
    )
    return ",".join(quoted)


def to_json(scanned: Sequence[ScannedReaction]) -> list[dict[str, Any]]:
    """One object a reaction, cluster and temperature, with arrays over pH and U."""
    return [
        {
            "cluster": item.cluster,
            "level": item.level.name if item.level else None,
            "reaction": item.result.reaction,
            "temperature_k": item.grid.temperature_k,
            "ph": item.grid.ph.tolist(),
            "potential_v_rhe": _round_values(item.grid.potential_on("rhe")),
            "potential_v_she": _round_values(item.grid.potential_on("she")),
            "reason": "" if item.scan else item.result.reason,
            **(_encode_arrays(item.scan) if item.scan else {}),
        }
        for item in scanned
    ]


def _encode_arrays(scan: Scan) -> dict[str, Any]:
    return {
        "steps": list(scan.steps),
        "pathway": [scan.pathways[index] for index in scan.pathway],
        "limiting_potential_v_rhe": _round_values(scan.limiting_potential_v_rhe),
        "chemical_bottleneck_ev": _round_values(scan.chemical_bottleneck_ev),
        "highest_step": scan.highest_step.tolist(),
        "highest_dg_ev": _round_values(scan.highest_dg_ev),
        "all_downhill": scan.downhill.tolist(),
        "electrochemical_downhill": scan.electrochemical_downhill.tolist(),
    }


def _round_values(values: Any) -> Any:
    """Nested lists with six decimals; null for what is not a number."""
    rounded = np.round(values, 6).astype(object)
    rounded[np.isnan(values)] = None
    return rounded.tolist()


def describe(scanned: Sequence[ScannedReaction]) -> str:
    """One line a reaction, cluster, temperature and pH."""
    lines = []
    for item in scanned:
        name = f"{item.cluster} {item.result.reaction} {item.grid.temperature_k:g} K"
        if item.scan is None:
            lines.append(f"{name}: no complete pathway, {item.result.reason}")
            continue
        rhe = item.grid.potential_on("rhe")
        for row, ph in enumerate(item.grid.ph):
            downhill = rhe[row][item.scan.downhill[row]]
            where = (
                f"all steps downhill at {len(downhill)} of {rhe.shape[1]} potentials, "
                f"up to {downhill.max():+.3f} V vs RHE"
                if len(downhill)
                else "at no potential are all steps downhill"
            )
            limit = _format_number(item.scan.limiting_potential_v_rhe[row]) or "none"
            lines.append(f"{name} pH {ph:g}: U_L = {limit} V vs RHE; {where}")
    return "\n".join(lines)
