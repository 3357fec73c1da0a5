"""Tables as people keep them: CSV of any dialect, Excel or YAML, as rows of cells.

Nothing is understood here but where a cell begins and ends; `energy_columns` says what
it means.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clusterflow.errors import ConfigError
from clusterflow.library.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_DELIMITERS = ("\t", ";", ",")
# A heading is looked for in so many lines: a title or two may stand above it.
_LINES_ABOVE = 10
# One of these names the column that every table must have.
SPECIES_HEADINGS = ("species", "species_name", "adsorbate", "intermediate")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """Cells of a row by heading as it was typed, empty ones left out.

    Rows are counted from 1 below the headings; empty ones and comments do not count.
    """

    number: int
    cells: dict[str, Any]


def read_table_rows(path: Path) -> list[TableRow]:
    """The rows of a table.

    Raises
    ------
    ConfigError
        If it cannot be read as a table; says what was met.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        rows = _read_yaml_rows(path)
    elif suffix in (".xlsx", ".xlsm"):
        rows = _read_grid(path, _read_sheet(path))
    elif suffix in (".xls", ".ods", ".numbers"):
        raise ConfigError(f"{path}: a spreadsheet; save it as .xlsx or CSV")
    else:
        rows = _read_grid(path, _split_lines(path))
    if not rows:
        raise ConfigError(f"{path}: holds no rows; the first line names the columns")
    return rows


def _read_yaml_rows(path: Path) -> list[TableRow]:
    content = read_yaml(path)
    if not isinstance(content, list):
        return []
    for number, item in enumerate(content, start=1):
        if not isinstance(item, dict):
            raise ConfigError(
                f"{path}: row {number}: {item!r} has no keys; write a list of mappings"
            )
    return [
        TableRow(
            number=number,
            cells={
                str(key): _strip(value)
                for key, value in item.items()
                if value is not None and _strip(value) != ""
            },
        )
        for number, item in enumerate(content, start=1)
    ]


def _strip(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _split_lines(path: Path) -> list[list[str]]:
    """Cells of the lines of a text file, by the delimiter that its headings have."""
    content = path.read_bytes()
    if content.startswith(b"PK"):
        raise ConfigError(f"{path}: a spreadsheet; name it .xlsx, or save it as CSV")
    try:
        # Excel writes "Unicode text" in two bytes a character, with a mark before it.
        utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text; save it as CSV UTF-8") from None
    lines = _drop_comments(text.splitlines())
    for delimiter in _DELIMITERS:
        try:
            cells = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
        except csv.Error as error:  # a cell of more than 131,072 characters
            raise ConfigError(f"{path}: no table ({error})") from None
        if _find_headings(cells) is not None:
            return cells
    met = next((line.strip() for line in lines if line.strip()), "an empty file")
    raise ConfigError(
        f"{path}: line 1: no heading {SPECIES_HEADINGS[0]!r} was found, only "
        f"{met[:60]!r}; the first line names the columns, separated by commas, "
        "semicolons or tabs"
    )


def _drop_comments(lines: Iterable[str]) -> list[str]:
    """Lines that do not begin with #; headings may."""
    return [
        line
        for line in lines
        if not line.startswith("#")
        or any(
            fold_heading(line.split(mark)[0]) in SPECIES_HEADINGS
            for mark in _DELIMITERS
            if mark in line
        )
    ]


def _read_sheet(path: Path) -> list[list[str]]:
    """Cells of the first sheet that has headings."""
    try:
        import openpyxl
    except ImportError:
        raise ConfigError(
            f"{path}: a spreadsheet needs openpyxl; pip install 'clusterflow[excel]', "
            "or save it as CSV"
        ) from None
    # What openpyxl raises for a file that is none depends on how it is broken.
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = [
            [[_write_cell(cell) for cell in row] for row in sheet.values]
            for sheet in book.worksheets
        ]
    except Exception as error:
        raise ConfigError(f"{path}: not an Excel file ({error})") from None
    for cells in sheets:
        if _find_headings(cells) is not None:
            return cells
    raise ConfigError(
        f"{path}: no sheet has a heading {SPECIES_HEADINGS[0]!r}; "
        "the first row names the columns"
    )


def _write_cell(value: Any) -> str:
    """The text of a cell; a number as Python writes it, so that none of it is lost."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def fold_heading(text: str) -> str:
    """A heading in one way of writing.

    Examples
    --------
    >>> fold_heading(" #Species "), fold_heading("Energy (kJ/mol)")
    ('species', 'energy_kj_mol')
    >>> fold_heading("frequencies [cm-1]"), fold_heading("E_ads / eV")
    ('frequencies_cm1', 'e_ads_ev')
    """
    folded = text.strip().lstrip("#").strip().lower()
    folded = re.sub(r"cm\s*(?:\^?[-−]1|⁻¹)", "cm1", folded)
    folded = re.sub(r"/\s*mol|\s*mol\^?[-−]1|\s*mol⁻¹", "_mol", folded)
    return re.sub(r"[\s()\[\]/,_-]+", "_", folded).strip("_")


def _find_headings(cells: Sequence[Sequence[str]]) -> int | None:
    """Index of the row of headings: it names the species and something else."""
    for index, row in enumerate(cells[:_LINES_ABOVE]):
        folded = [fold_heading(cell) for cell in row if cell.strip()]
        if len(folded) > 1 and any(name in SPECIES_HEADINGS for name in folded):
            return index
    return None


def _read_grid(path: Path, cells: Sequence[Sequence[str]]) -> list[TableRow]:
    """Rows of cells below the headings, without empty ones."""
    start = _find_headings(cells)
    assert start is not None
    headings = [heading.strip() for heading in cells[start]]
    folded = [fold_heading(h) for h in headings if h]
    if doubled := [name for name in folded if folded.count(name) > 1]:
        raise ConfigError(f"{path}: two columns are called {doubled[0]!r}; leave one")
    rows: list[TableRow] = []
    for line in cells[start + 1 :]:
        if not any(cell.strip() for cell in line):
            continue
        number = len(rows) + 1
        beyond = [
            cell.strip()
            for index, cell in enumerate(line)
            if cell.strip() and (index >= len(headings) or not headings[index])
        ]
        if beyond:
            raise ConfigError(
                f"{path}: row {number} has {beyond[0]!r} where no column has a "
                "heading: more cells than columns; quote a cell that holds a comma"
            )
        named = zip(headings, line, strict=False)
        rows.append(
            TableRow(number=number, cells={h: c.strip() for h, c in named if c.strip()})
        )
    return rows
