"""A CSV or YAML table of a person's own energies, as rows in eV and cm⁻¹."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.library.energy_rows import Origin, OwnEnergyRow
from clusterflow.library.own_tables import read_rows

if TYPE_CHECKING:
    from pathlib import Path


def read_energy_table(path: Path) -> list[OwnEnergyRow]:
    """The rows of a table, each with where it stood.

    Raises
    ------
    ConfigError
        Which names the file, the row and what is wrong.
    """
    return [
        row.model_copy(update={"origin": Origin(file=str(path), row=f"row {number}")})
        for number, row in enumerate(read_rows(path, OwnEnergyRow), start=1)
    ]
