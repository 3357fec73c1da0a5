"""Slips of one kind each, put into a right table.

A slip takes the rows of the right table and gives rows, or the whole content of the
file as text or bytes with the file's name. Whoever adds a kind writes one function with
`slip` above it; the test asks that none of them gives another number in silence.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Row = dict[str, str]
Table = list[Row]
Fate = Literal["read", "refused", "flagged"]

# What a PBE-like calculator gives, rounded; 1 bar, but for water.
_HEAD = "species,state,surface,energy_ev,energy_kind,frequencies_cm1,pressure_pa"
_ROWS = """\
H2,gas,,-6.771,total,4310,101325
CO2,gas,,-22.958,total,632;634;1316;2350,101325
H2O,gas,,-14.221,total,1585;3710;3825,3534
CO,gas,,-14.780,total,2125,101325
clean,clean,Cu211,-155.320,total,,
H,ads,Cu211,-158.905,total,780;950;1210,
COOH,ads,Cu211,-181.730,total,95;130;210;265;330;470;640;690;1090;1270;1690;3560,
CO,ads,Cu211,-170.880,total,60;75;230;260;310;1990,
"""


@dataclass(frozen=True)
class Slip:
    """One kind of slip, what must become of it and what must be said."""

    name: str
    change: Callable[[Table], Table | str | bytes]
    fate: Fate
    says: str
    suffix: str


SLIPS: list[Slip] = []


def slip(
    fate: Fate, says: str = "", suffix: str = ".csv"
) -> Callable[[Callable[[Table], Table | str | bytes]], None]:
    """Register a slip.

    Parameters
    ----------
    fate
        ``read``: the numbers are those of the right table; ``refused``: one line that
        names the file; ``flagged``: a number, and a line that says what is odd.
    says
        What the line must hold.
    suffix
        Of the file.
    """

    def register(change: Callable[[Table], Table | str | bytes]) -> None:
        name = change.__name__.removeprefix("_")
        SLIPS.append(Slip(name, change, fate, says, suffix))

    return register


def right_table() -> Table:
    """The rows without a slip."""
    return list(csv.DictReader(io.StringIO(f"{_HEAD}\n{_ROWS}")))


def as_csv(table: Table, delimiter: str = ",") -> str:
    """Rows as the text of a CSV file; columns in the order they appear."""
    columns = list(dict.fromkeys(key for row in table for key in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return stream.getvalue()


def change_cell(table: Table, species: str, state: str, **cells: str) -> Table:
    """The rows with cells of one of them written anew."""
    return [
        {**row, **cells} if (row["species"], row["state"]) == (species, state) else row
        for row in table
    ]


def change_column(table: Table, column: str, change: Callable[[str], str]) -> Table:
    """The rows with each filled cell of a column changed."""
    return [
        {k: change(v) if k == column and v else v for k, v in row.items()}
        for row in table
    ]


@slip("refused", "stands there twice")
def _doubled_row(table: Table) -> Table:
    return [*table, table[5]]


@slip("refused", "kinds are mixed")
def _two_kinds_of_energy(table: Table) -> Table:
    return change_cell(table, "H", "ads", energy_kind="formation")


@slip("flagged", "frequencies")
def _a_mode_too_few_of_a_gas(table: Table) -> Table:
    return change_cell(table, "CO2", "gas", frequencies_cm1="632;1316;2350")
