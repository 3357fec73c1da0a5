"""A table of a person's own energies, as rows in eV and cm⁻¹."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clusterflow.errors import ConfigError
from clusterflow.intake.catmap_table import is_catmap_table, read_catmap_rows
from clusterflow.intake.energy_columns import (
    decide_comma,
    read_cell,
    read_columns,
    read_names,
    take_units_row,
)
from clusterflow.intake.table_file import TableRow, read_table_rows
from clusterflow.library.energy_rows import Origin, OwnEnergyRow
from clusterflow.library.find import describe_error, validate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from clusterflow.intake.energy_columns import Column


def read_energy_table(path: Path) -> list[OwnEnergyRow]:
    """The rows of a table, each with where it stood.

    CSV with any of the usual delimiters and decimal signs, Excel, YAML, or the energy
    table of CatMAP.

    Raises
    ------
    ConfigError
        Which names the file, the row, the column and what to write.
    """
    rows = read_table_rows(path)
    if is_catmap_table(rows):
        rows = read_catmap_rows(path, rows)
    units, below = take_units_row(rows)
    headings = dict.fromkeys(heading for row in rows for heading in row.cells)
    try:
        columns = read_columns(headings, units)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    comma = decide_comma(below, columns)
    if not below:
        raise ConfigError(f"{path}: holds no rows below its units")
    return [_read_row(path, row, columns, comma) for row in below]


def _read_row(
    path: Path, row: TableRow, columns: Mapping[str, Column], comma: str
) -> OwnEnergyRow:
    shown = next(
        (str(c) for h, c in row.cells.items() if columns[h].field == "species"), "?"
    )
    try:
        values: dict[str, Any] = {}
        cells: dict[str, tuple[str, str]] = {}
        for heading, cell in row.cells.items():
            column = columns[heading]
            if column.field in values:
                raise ValueError(
                    f"columns {cells[column.field][0]!r} and {heading!r} are both "
                    f"{column.field}; fill one"
                )
            values[column.field] = read_cell(column, cell, comma)
            cells[column.field] = heading, str(cell)
        origin = Origin(
            file=str(path),
            row=f"row {row.number}",
            cells={f: typed for f, typed in cells.items() if typed[0] != f},
        )
        found = validate(read_names(values), OwnEnergyRow)
        return found.model_copy(update={"origin": origin})
    except ValidationError as error:
        reason = describe_error(error)
    except ValueError as error:
        reason = str(error)
    raise ConfigError(f"{path}: row {row.number} ({shown}): {reason}")
