"""Questions to finished results: the tables of the study, filtered and sorted."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final

from clusterflow.errors import ConfigError, name_near
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.results.columns import TABLE_COLUMNS
from clusterflow.results.flag_table import flags_of
from clusterflow.results.ranking import rank_reactions
from clusterflow.results.table_file import INDEXED, read_table
from clusterflow.results.tables import TABLES, energies, plain_fields
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from clusterflow.library.find import Library
    from clusterflow.records.files import StudyRecords
    from clusterflow.results.tables import Cell, Row

# What a person sees of a table with many columns; JSON and CSV have all.
SHORT: dict[str, tuple[str, ...]] = {
    "best": (
        *("reaction", "rank", "cluster", "median_v_rhe", "p05_v_rhe", "p95_v_rhe"),
        *("best_estimate_v_rhe", "basis", "selectivity_median_v"),
        *("probability_ahead_of_her", "flags", "reason"),
    ),
    "species": ("cluster", "species", "status", "formation_ev", "flags", "reason"),
    "flags": ("cluster", "species", "flag", "meaning", "way_out"),
    "energies": ("cluster", "species", "status", "formation_ev", "flags", "reason"),
    "steps": (
        *("cluster", "reaction", "pathway_rank", "step_number", "step"),
        *("dg_0v_rhe_ev", "determining", "reason"),
    ),
    "potentials": (
        *("cluster", "reaction", "limiting_potential_median_v_rhe"),
        *("limiting_potential_p05_v_rhe", "limiting_potential_p95_v_rhe"),
        *("limiting_potential_best_estimate_v_rhe", "determining_step"),
        *("chemical_bottleneck_ev", "selectivity_median_v", "reason"),
    ),
    "edges": (
        *("cluster", "ip_ev", "ea_ev", "conduction_v_she", "valence_v_she"),
        *("reactions_driven", "reason"),
    ),
    "isomers": ("cluster", "isomer", "above_lowest_ev", "weight", "temperature_k"),
    "rankings": ("reaction", "cluster", "other_cluster", "probability_better"),
    "claims": ("claim", "level", "verdict", "probability", "decided_by", "reason"),
    "gas_corrections": ("gas", "level", "computed_ev", "experiment_ev", "source"),
}
_CONDITION = re.compile(r"(?P<column>\w+)(?P<sign>!=|<=|>=|=|<|>)(?P<value>.*)$")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def best(records: StudyRecords) -> Iterator[Row]:
    """One row a reaction and cluster, the best of each reaction and level first."""
    for ranking in rank_reactions(records.of(CheRecord)):
        for level in ranking.levels:
            for rank, row in enumerate(level.rows, start=1):
                r, s = row.result, row.result.selectivity
                has_value = r.limiting_potential_v_rhe is not None
                yield {
                    "reaction": ranking.reaction,
                    "level": level.level,
                    "rank": rank if has_value else None,
                    "cluster": row.cluster,
                    "median_v_rhe": r.uncertainty.median_v_rhe
                    if r.uncertainty
                    else None,
                    "p05_v_rhe": r.uncertainty.lower_v_rhe if r.uncertainty else None,
                    "p95_v_rhe": r.uncertainty.upper_v_rhe if r.uncertainty else None,
                    "best_estimate_v_rhe": r.limiting_potential_v_rhe,
                    "basis": r.uncertainty.basis if r.uncertainty else None,
                    "selectivity_median_v": s.median_v if s else None,
                    "selectivity_p05_v": s.lower_v if s else None,
                    "selectivity_p95_v": s.upper_v if s else None,
                    "probability_ahead_of_her": s.probability if s else None,
                    "selectivity_best_estimate_v": r.selectivity_v,
                    "chemical_bottleneck_ev": r.chemical_bottleneck_ev,
                    "flags": "; ".join(r.flags),
                    "reason": r.reason,
                }


def species(records: StudyRecords) -> Iterator[Row]:
    """One row a species and cluster: its free energy of formation and its layers."""
    for row in energies(records):
        layers = {k: v for k, v in row.items() if k.startswith("layer_")}
        yield {
            **{key: row[key] for key in ("cluster", "species", "status")},
            "formation_ev": row["formation_ev"],
            "formation_uncorrected_ev": row["formation_uncorrected_ev"],
            **layers,
            "model": row["model"],
            "flags": row["flags"],
            "reason": row["reason"],
        }


def flags(records: StudyRecords, library: Library) -> Iterator[Row]:
    """One row a flag of a number, with what it means and what to do about it."""
    known = {flag.name: flag for flag in flags_of(records, library.domain())}
    for thermo in records.of(ThermoRecord):
        for item in thermo.species:
            for name in item.flags:
                yield {
                    "cluster": thermo.cluster,
                    "species": item.name,
                    "flag": name,
                    "meaning": known[name].reason,
                    "way_out": known[name].way_out,
                    "source": known[name].source,
                }


READABLE: Final = {"best": best, "species": species}
# A stage with a table of its own name is asked for by that.
_PLAIN = tuple(s.name for s in STAGES.values() if s.of and s.name not in TABLES)
NAMES = (*READABLE, "flags", *TABLES, *_PLAIN)


def query(
    folder: Path,
    table: str,
    library: Library,
    *,
    where: Sequence[str] = (),
    columns: Sequence[str] = (),
    sort: str | None = None,
) -> list[Row]:
    """Rows of a table that meet every condition.

    They are from the tables that `collect` has written, unless records have changed
    since: then, and for what it does not write, from the records.

    Parameters
    ----------
    folder
        Results of a study.
    where
        Conditions such as ``cluster=Cu4`` or ``formation_ev<0.5``; an empty value
        stands for an empty cell.
    columns
        Which ones, in this order; all by default.
    sort
        Column to sort by, with ``-`` before it to put the largest first; empty cells
        come last.

    Raises
    ------
    ConfigError
        If there is no such table or column, or a condition cannot be read.
    """
    if table not in NAMES:
        raise ConfigError(f"query {table!r}: {name_near(table, NAMES)}")
    conditions = [_parse_condition(text) for text in where]
    rows, known = _read_rows(folder, table, library, conditions)
    for condition in conditions:
        _check_column(condition["column"], known, table)
        rows = [row for row in rows if _meets_condition(row, condition)]
        if not rows:
            _check_name(folder, condition)
    if sort is not None:
        rows = _sort_rows(rows, sort, known, table)
    for name in columns:
        _check_column(name, known, table)
    return [{name: row[name] for name in columns or row} for row in rows]


def _read_rows(
    folder: Path, table: str, library: Library, conditions: Sequence[dict[str, str]]
) -> tuple[list[Row], list[str]]:
    """Rows, of which some that fail a condition may be left out, and the columns."""
    equal = {
        condition["column"]: condition["value"]
        for condition in conditions
        # An empty value stands for an empty cell, which is no text.
        if condition["sign"] == "="
        and condition["column"] in INDEXED
        and condition["value"]
    }
    found = None
    if table in (*READABLE, *TABLES):
        found = read_table(folder, table, equal)
    if found is None:
        rows = list(_list_rows(read_records(folder), table, library))
        return rows, list(rows[0]) if rows else list(TABLE_COLUMNS.get(table, ()))
    return found


def _list_rows(records: StudyRecords, table: str, library: Library) -> Iterable[Row]:
    if table == "flags":
        return flags(records, library)
    if table in _PLAIN:
        return plain_fields(records, table)
    return (READABLE | TABLES)[table](records)


def _check_name(folder: Path, condition: dict[str, str]) -> None:
    """Refuse a cluster or reaction that the study has not; an empty table is none."""
    column, name = condition["column"], condition["value"]
    if column not in INDEXED or condition["sign"] != "=" or not name:
        return
    records = read_records(folder)
    known = set(records.clusters)
    if column == "reaction":
        known = {r.reaction for che in records.of(CheRecord) for r in che.results}
    if name not in known:
        raise ConfigError(
            f"query: no {column} {name!r} in these results; {name_near(name, known)}"
        )


def _check_column(name: str, known: Sequence[str], table: str) -> None:
    # A table without rows has no columns to hold a name against.
    if known and name not in known:
        raise ConfigError(
            f"table {table} has no column {name!r}; {name_near(name, known)}"
        )


def _parse_condition(text: str) -> dict[str, str]:
    found = _CONDITION.match(text)
    if found is None:
        raise ConfigError(
            f"--where {text!r}: write COLUMN=VALUE, or with !=, <, <=, > or >="
        )
    condition = found.groupdict()
    if (
        condition["sign"] not in ("=", "!=")
        and _parse_number(condition["value"]) is None
    ):
        raise ConfigError(f"--where {text!r}: {condition['value']!r} is no number")
    return condition


def _meets_condition(row: Row, condition: dict[str, str]) -> bool:
    cell, value = row[condition["column"]], condition["value"]
    compare = _COMPARE[condition["sign"]]
    if cell is None or cell == "":
        return condition["sign"] in ("=", "!=") and compare("", value)
    wanted = _parse_number(value)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return wanted is not None and compare(cell, wanted)
    text = str(cell).lower() if isinstance(cell, bool) else cell
    return condition["sign"] in ("=", "!=") and compare(text, value)


def _parse_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _sort_rows(
    rows: list[Row], sort: str, known: Sequence[str], table: str
) -> list[Row]:
    name = sort.removeprefix("-")
    _check_column(name, known, table)
    full = [row for row in rows if row[name] is not None]
    empty = [row for row in rows if row[name] is None]

    def key(row: Row) -> Cell:
        return row[name]

    return sorted(full, key=key, reverse=sort.startswith("-")) + empty  # type: ignore[arg-type]
