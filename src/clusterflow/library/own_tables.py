"""Tables a person wrote: rows of a CSV or YAML file, each checked."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, ValidationError

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.library.common import Source
from clusterflow.library.find import describe_error, validate
from clusterflow.library.yaml_file import read_yaml
from clusterflow.model import Model, Name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clusterflow.library.find import Library

M = TypeVar("M", bound=Model)
# No correction of an adsorption energy is larger; one in kJ/mol soon is.
_LARGEST_SHIFT_EV = 5.0


class ShiftRow(Model):
    """One row of a table of shifts: what to add to an adsorbate's free energy."""

    cluster: Name
    species: str = Field(pattern=r"^\*?[A-Za-z0-9][A-Za-z0-9-]*$")
    shift_ev: float = Field(ge=-_LARGEST_SHIFT_EV, le=_LARGEST_SHIFT_EV)
    source: Source


def read_shifts(
    path: Path, cluster: str, library: Library, also: Sequence[str] | None = ()
) -> dict[str, float]:
    """The shifts of one cluster's adsorbates, eV, by name of the adsorbate.

    Parameters
    ----------
    path
        A CSV or YAML table with the columns of `ShiftRow`; a species may be written
        with or without its star. It may hold other clusters of the library.
    cluster
        The cluster, which need not be in the library.
    library
        Where clusters and adsorbates are looked up.
    also
        Names of other clusters that the table may hold; None: any.

    Raises
    ------
    ConfigError
        For the first row that is wrong, doubled, or names what is in no library.
    """
    found: dict[tuple[str, str], float] = {}
    clusters = {cluster, *(also or ()), *library.paths("clusters")}
    for number, row in enumerate(read_rows(path, ShiftRow), start=1):
        where = f"{path}: row {number}"
        species = row.species.removeprefix("*")
        if also is not None and row.cluster not in clusters:
            raise ConfigError(
                f"{where}: no cluster called {row.cluster!r}; "
                "`clusterflow list clusters` shows all"
            )
        try:
            library.path("adsorbates", species)
        except LibraryError:
            raise ConfigError(
                f"{where}: no adsorbate called {species!r}; "
                "`clusterflow list adsorbates` shows all"
            ) from None
        if (row.cluster, species) in found:
            raise ConfigError(f"{where}: {species} on {row.cluster} stands there twice")
        found[row.cluster, species] = row.shift_ev
    return {species: ev for (name, species), ev in found.items() if name == cluster}


def read_rows(path: Path, model: type[M]) -> list[M]:
    """The rows of a CSV or YAML table.

    Raises
    ------
    ConfigError
        Which names the file, the row and what is wrong.
    """
    raw = (
        _read_yaml_rows(path)
        if path.suffix in (".yaml", ".yml")
        else _read_csv_rows(path)
    )
    if not raw:
        raise ConfigError(f"{path}: holds no rows; the first line names the columns")
    return [
        _validate_row(path, number, item, model) for number, item in enumerate(raw, 1)
    ]


def _read_yaml_rows(path: Path) -> list[Any]:
    content = read_yaml(path)
    return content if isinstance(content, list) else []


def _read_csv_rows(path: Path) -> list[Any]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    try:
        text = path.read_text(encoding="utf-8-sig")  # as spreadsheets write it
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text; save it as CSV UTF-8") from None
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    if lines and "," not in lines[0]:
        raise ConfigError(f"{path}: columns must be separated by commas")
    reader = csv.DictReader(lines, skipinitialspace=True)
    try:
        names = list(reader.fieldnames or ())
        rows = list(reader)
    except csv.Error as error:  # a cell of more than 131,072 characters
        raise ConfigError(f"{path}: no table ({error})") from None
    if doubles := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"{path}: two columns are called {min(doubles)!r}; leave one")
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise ConfigError(f"{path}: row {number} has more cells than columns")
    return [{k: v.strip() for k, v in row.items() if v and v.strip()} for row in rows]


def _validate_row(path: Path, number: int, item: Any, model: type[M]) -> M:
    name = item.get("species", "?") if isinstance(item, dict) else "?"
    try:
        return validate(item, model)
    except ValidationError as error:
        reason = describe_error(error)
    except ValueError as error:
        reason = str(error)
    raise ConfigError(f"{path}: row {number} ({name}): {reason}")
