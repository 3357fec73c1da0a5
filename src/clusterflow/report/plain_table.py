"""Rows of a table as a person reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.figures import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SUFFIX_UNITS = {
    "_ev": "eV",
    "_v": "V",
    "_v_rhe": "V vs RHE",
    "_k": "K",
    "_cm1": "cm⁻¹",
    "_s": "s",
    "_a": "Å",
    "_ev_per_a": "eV/Å",
    "_pa": "Pa",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTable:
    """A table as read by a person: headings, and cells as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    records: tuple[str, ...]


def make_table(rows: Sequence[Mapping[str, object]]) -> PlainTable:
    """Rows of unlike keys as one table."""
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    return PlainTable(
        columns=tuple(_format_heading(key) for key in keys),
        rows=tuple(tuple(_format_cell(row.get(key)) for key in keys) for row in rows),
        numeric=tuple(
            any(isinstance(row.get(key), float) for row in rows) for key in keys
        ),
        records=tuple(
            f"thermo/{row['cluster']}.json" if row.get("cluster") else ""
            for row in rows
        ),
    )


def _format_heading(key: str) -> str:
    """A column's name with its unit set apart: ``gibbs_ev`` becomes ``gibbs / eV``."""
    for suffix in sorted(_SUFFIX_UNITS, key=len, reverse=True):
        if key.endswith(suffix):
            stem = key.removesuffix(suffix)
            return f"{stem.replace('_', ' ')} / {_SUFFIX_UNITS[suffix]}"
    return key.replace("_", " ")


def _format_cell(value: object) -> str:
    if value is None or value == "":
        return text.HOLE
    if isinstance(value, float):
        return text.number(value, 3)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)
