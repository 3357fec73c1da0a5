"""The energy table of CatMAP, as rows with the headings of this project.

Its formation energies are relative to gases that nothing in the file names: those whose
own formation energy is zero (A. J. Medford et al., Catal. Lett. 145, 794, 2015,
doi:10.1007/s10562-015-1495-6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError
from clusterflow.intake.table_file import TableRow, fold_heading
from clusterflow.library.energy_rows import FREE_ENERGY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NEEDED = ("surface_name", "site_name", "species_name", "formation_energy")


def is_catmap_table(rows: Sequence[TableRow]) -> bool:
    """Whether the headings are those of CatMAP."""
    return set(_NEEDED) <= {fold_heading(heading) for heading in rows[0].cells}


def read_catmap_rows(path: Path, rows: Sequence[TableRow]) -> list[TableRow]:
    """The same rows with the headings that every other table has.

    Raises
    ------
    ConfigError
        If a row lacks a cell, or no gas has a formation energy of zero.
    """
    plain = []
    for row in rows:
        cells = {fold_heading(h): str(c) for h, c in row.cells.items()}
        if missing := [name for name in _NEEDED if name not in cells]:
            raise ConfigError(f"{path}: row {row.number}: has no {missing[0]}")
        plain.append((row.number, cells))
    zeros = [
        cells["species_name"]
        for _, cells in plain
        if _is_gas(cells) and _is_zero(cells["formation_energy"])
    ]
    if not zeros:
        raise ConfigError(
            f"{path}: no gas has formation_energy 0, so nothing says what the energies "
            "are relative to; add rows of those gases with 0"
        )
    kind = f"formation from {', '.join(zeros)}"
    return [
        TableRow(number=number, cells=_translate_cells(cells, kind))
        for number, cells in plain
    ]


def _is_gas(cells: dict[str, str]) -> bool:
    return cells["site_name"].lower() == "gas"


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False


def _translate_cells(cells: dict[str, str], kind: str) -> dict[str, str]:
    is_free = cells.get("energy_kind", "").strip() == FREE_ENERGY
    found = {
        "species": cells["species_name"],
        "gibbs_ev" if is_free else "energy_ev": cells["formation_energy"],
        "energy_kind": kind,
    }
    frequencies = cells.get("frequencies", "").strip(" []")
    if frequencies:
        found["frequencies_cm1"] = frequencies
    if reference := cells.get("reference", "").strip("\"' "):
        found["note"] = reference
    if _is_gas(cells):
        return {**found, "state": "gas"}
    surface, site = cells["surface_name"], cells["site_name"]
    # A site of digits is a facet.
    where = (
        {"surface": f"{surface}({site})"}
        if site.isdigit()
        else {"surface": surface, "site": site}
    )
    return {**found, **where, "state": "ads"}
