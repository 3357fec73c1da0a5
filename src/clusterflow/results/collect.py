"""Stage collect: every record into one database and a few tables."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from clusterflow.errors import ConfigError
from clusterflow.records.files import StudyRecords, replacing, write_atomic
from clusterflow.records.provenance import CollectRecord
from clusterflow.results.columns import COLUMNS, TABLE_COLUMNS
from clusterflow.results.database import write_file, write_server
from clusterflow.results.outlines import NAME as OUTLINES
from clusterflow.results.outlines import list_outlines
from clusterflow.results.query import READABLE
from clusterflow.results.table_file import NAME as TABLE_FILE
from clusterflow.results.table_file import confirm_fingerprint, open_tables
from clusterflow.results.tables import TABLES, write_csv
from clusterflow.results.verify import run_gates
from clusterflow.run.forks import doing_in_fork
from clusterflow.science.checks.evidence import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from clusterflow.library.find import Library
    from clusterflow.results.table_file import Fingerprint
    from clusterflow.results.tables import Row
    from clusterflow.settings import CollectSettings
    from clusterflow.stages.parts.job import Job

_GATE_FIELDS = tuple(field.name for field in fields(Gate))
# From more clusters on the database is written beside the tables.
_FEW_CLUSTERS: Final = 50
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
    made_of: Fingerprint | None = None,
    n_cores: int = 1,
) -> CollectRecord:
    """Write tables, gates and databases, each whole or not at all.

    Parameters
    ----------
    made_of
        Of the files of the records, taken before they were read; without it `query`
        reads the records.
    n_cores
        To work on, where there are many clusters.

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
    with (
        doing_in_fork(
            lambda: write_file(records, study, folder / "results.db"),
            n_cores if len(records.clusters) > _FEW_CLUSTERS else 1,
        ),
        open_tables(folder, confirm_fingerprint(made_of, records)) as tables,
    ):
        for name, make_rows in TABLES.items():
            rows = tables.keep(name, make_rows(records))
            files, n_rows = _write_table(folder, name, rows, parquet=settings.parquet)
            written += files
            if name == "failures":
                n_failures = n_rows
        for name, make_rows in (READABLE | {OUTLINES: list_outlines}).items():
            deque(tables.keep(name, make_rows(records)), maxlen=0)
        gates = (_make_gate_row(gate) for gate in run_gates(records, library))
        _write_csv(folder, "gates", tables.keep("gates", gates))
    if settings.database is not None:
        write_server(records, study, settings.database)
    return CollectRecord(
        study=study,
        tables=(*written, "gates.csv", "results.db", TABLE_FILE),
        n_records=len(records.records),
        n_failures=n_failures,
        provenance=job.provenance(),
    )


def _write_table(
    folder: Path, name: str, rows: Iterable[Row], *, parquet: bool
) -> tuple[list[str], int]:
    """One table as CSV, and as Parquet or else none: no old one stays beside it.

    Returns the names of the files, and the number of rows.
    """
    other = folder / f"{name}.parquet"
    if not parquet:
        other.unlink(missing_ok=True)
        return [f"{name}.csv"], _write_csv(folder, name, rows)
    every = list(rows)
    write_atomic(other, to_parquet(name, every))
    return [f"{name}.csv", other.name], _write_csv(folder, name, every)


def _write_csv(folder: Path, name: str, rows: Iterable[Row]) -> int:
    """One table, row by row: a large study has hundreds of thousands."""
    with (
        replacing(folder / f"{name}.csv") as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        n_rows = write_csv(stream, name, rows)
        stream.flush()
        os.fsync(stream.fileno())
    return n_rows


def _make_gate_row(gate: Gate) -> Row:
    return {name: getattr(gate, name) for name in _GATE_FIELDS}


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
