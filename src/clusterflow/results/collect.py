"""Stage collect: every record into one database and a few tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError
from clusterflow.records.files import StudyRecords, write_atomic
from clusterflow.records.provenance import CollectRecord
from clusterflow.results.columns import COLUMNS, TABLE_COLUMNS
from clusterflow.results.database import write_file, write_server
from clusterflow.results.tables import TABLES, to_csv
from clusterflow.results.verify import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clusterflow.library.find import Library
    from clusterflow.results.tables import Row
    from clusterflow.settings import CollectSettings
    from clusterflow.stages.parts.job import Job

_PANDAS = {
    **{"text": "string", "number": "float64"},
    **{"integer": "Int64", "truth": "boolean"},
}


def collect(
    records: StudyRecords,
    folder: Path,
    study: str,
    library: Library,
    *,
    settings: CollectSettings,
    job: Job,
) -> CollectRecord:
    """Write tables, gates and databases, each whole or not at all.

    Raises
    ------
    ConfigError
        If a library for Parquet or PostgreSQL is missing.
    ClusterflowError
        If the database on a server refuses; the files are written then.
    """
    if settings.parquet:
        _require_pyarrow()
    written = []
    n_failures = 0
    for name, make_rows in TABLES.items():
        rows = list(make_rows(records))
        written += _write_table(folder, name, rows, parquet=settings.parquet)
        if name == "failures":
            n_failures = len(rows)
    gates = [{**asdict(gate)} for gate in verify(records, library)]
    write_atomic(folder / "gates.csv", to_csv("gates", gates))
    write_file(records, study, folder / "results.db")
    if settings.database is not None:
        write_server(records, study, settings.database)
    return CollectRecord(
        study=study,
        tables=(*written, "gates.csv", "results.db"),
        n_records=len(records.records),
        n_failures=n_failures,
        provenance=job.provenance(),
    )


def _write_table(
    folder: Path, name: str, rows: Sequence[Row], *, parquet: bool
) -> list[str]:
    """One table as CSV, and as Parquet or else none: no old one stays beside it."""
    write_atomic(folder / f"{name}.csv", to_csv(name, rows))
    other = folder / f"{name}.parquet"
    if not parquet:
        other.unlink(missing_ok=True)
        return [f"{name}.csv"]
    write_atomic(other, to_parquet(name, rows))
    return [f"{name}.csv", other.name]


def to_parquet(name: str, rows: Sequence[Row]) -> bytes:
    """A table as Parquet; each column has the same type in every study."""
    import io

    import pandas as pd

    columns = TABLE_COLUMNS[name]
    frame = pd.DataFrame(rows, columns=list(columns))
    # Texts that are empty in CSV are empty here too, and not "".
    frame = frame.replace("", None)
    frame = frame.astype({column: _PANDAS[COLUMNS[column].kind] for column in columns})
    stream = io.BytesIO()
    frame.to_parquet(stream, engine="pyarrow", index=False)
    return stream.getvalue()


def _require_pyarrow() -> None:
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise ConfigError(
            "collect.parquet: needs a library; pip install 'clusterflow[parquet]'"
        )
