"""The tables of a study in one SQLite file, so that a question reads no records.

They are what `query` would make of the records, in full precision. The file knows size
and time stamp of each record that it was made of; where one of them has changed since,
came or went, it is of no use.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import clusterflow
from clusterflow.errors import OutputError, RecordError
from clusterflow.records.files import replacing
from clusterflow.results.columns import TABLE_COLUMNS
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from clusterflow.records.files import StudyRecords
    from clusterflow.results.tables import Cell, Row

NAME = "tables.db"
# What people ask for by name; each has an index.
INDEXED = ("cluster", "reaction")
# SQLite has no truth values.
_TRUTH = {"\x00true": True, "\x00false": False}
_AS_TEXT = {truth: text for text, truth in _TRUTH.items()}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """SHA-256 of names, sizes and time stamps of all records, and their number."""

    digest: str
    n_records: int


@dataclass(frozen=True, slots=True)
class TableFile:
    """Tables that are being written."""

    database: sqlite3.Connection

    def keep(self, name: str, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows of a table as they come, each of which is written too."""
        columns: list[str] = []
        insert = ""
        for row in rows:
            if not columns:
                columns = list(row)
                names = ", ".join(f'"{column}"' for column in columns)
                self.database.execute(f'CREATE TABLE "{name}" ({names})')
                places = ", ".join("?" * len(columns))
                insert = f'INSERT INTO "{name}" VALUES ({places})'
            cells = [
                _AS_TEXT[cell] if isinstance(cell, bool) else cell
                for cell in row.values()
            ]
            self.database.execute(insert, cells)
            yield row
        for column in set(INDEXED) & set(columns):
            index = f'CREATE INDEX "{name}_{column}" ON "{name}" ("{column}")'
            self.database.execute(index)


@contextmanager
def open_tables(folder: Path, made_of: Fingerprint | None) -> Iterator[TableFile]:
    """Tables to be written, whole or not at all; without `made_of` never to be read.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    path = folder / NAME
    with replacing(path) as temporary:
        try:
            with closing(sqlite3.connect(temporary)) as database:
                yield TableFile(database)
                digest = made_of.digest if made_of else ""
                database.execute("CREATE TABLE made_of (digest)")
                database.execute("INSERT INTO made_of VALUES (?)", (digest,))
                database.commit()
        except sqlite3.Error as error:
            raise OutputError(f"{path}: cannot be written ({error})") from None


def read_table(
    folder: Path, name: str, equal: Mapping[str, str]
) -> tuple[list[Row], list[str]] | None:
    """Rows and columns of a table; None where records would say other ones now.

    Parameters
    ----------
    folder
        Results of a study.
    name
        The table.
    equal
        Texts that some of the columns `INDEXED` must have.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            (digest,) = database.execute("SELECT digest FROM made_of").fetchone()
            if digest != take_fingerprint(folder).digest:
                return None
            return _select_rows(database, name, equal)
    except sqlite3.Error:
        return None  # damaged; records are the truth


def take_fingerprint(folder: Path) -> Fingerprint:
    """What the records below a results folder are now, by a look at their files."""
    tables = sorted(TABLE_COLUMNS.items())
    found = hashlib.sha256(f"{clusterflow.__version__} {tables}".encode())
    n_records = 0
    for stage in STAGES:
        for name, about in _list_files(str(folder / stage), stage):
            found.update(f"{name}\n{about}\n".encode())
            n_records += 1
    return Fingerprint(found.hexdigest(), n_records)


def confirm_fingerprint(
    made_of: Fingerprint | None, records: StudyRecords
) -> Fingerprint | None:
    """None where records are not all that are there, or were changed by hand."""
    if made_of is None or made_of.n_records != len(records.records):
        return None
    is_edited = any(record.provenance.edited for record in records.records)
    return None if is_edited else made_of


def read_table_of(folder: Path, name: str, records: StudyRecords) -> list[Row] | None:
    """Rows of a table that was made of just these records; None if none was."""
    if confirm_fingerprint(take_fingerprint(folder), records) is None:
        return None
    found = read_table(folder, name, {})
    return None if found is None else found[0]


def stream_table_of(folder: Path, name: str, records: StudyRecords) -> Iterator[Row]:
    """The same one row after the other, for a table that is large; none if none was.

    Raises
    ------
    RecordError
        If the file is damaged.
    """
    made_of = confirm_fingerprint(take_fingerprint(folder), records)
    path = folder / NAME
    if made_of is None or not path.is_file():
        return
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            (digest,) = database.execute("SELECT digest FROM made_of").fetchone()
            if digest != made_of.digest or not _has_table(database, name):
                return
            found = database.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
            columns = [about[0] for about in found.description]
            for cells in found:
                yield _make_row(columns, cells)
    except sqlite3.Error as error:
        raise RecordError(f"{path}: damaged ({error}); collect again") from None


def _has_table(database: sqlite3.Connection, name: str) -> bool:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return (name,) in database.execute(tables).fetchall()


def _make_row(columns: Sequence[str], cells: Sequence[Cell]) -> Row:
    plain = (_TRUTH.get(c, c) if isinstance(c, str) else c for c in cells)
    return dict(zip(columns, plain, strict=True))


def _list_files(folder: str, name: str) -> Iterator[tuple[str, str]]:
    """Records below a folder of a stage, with size and time stamp.

    Hidden files are work in progress.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # it is not there; one that is no folder has no records either
        return
    for entry in entries:
        below = f"{name}/{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.name.endswith(".json"):
            yield below, _describe_file(entry)
        elif entry.is_dir(follow_symlinks=False):
            yield from _list_files(entry.path, below)


def _describe_file(entry: os.DirEntry[str]) -> str:
    try:
        about = entry.stat()
    except OSError as error:  # whoever reads it says so
        return error.strerror or ""
    return f"{about.st_size} {about.st_mtime_ns}"


def _select_rows(
    database: sqlite3.Connection, name: str, equal: Mapping[str, str]
) -> tuple[list[Row], list[str]]:
    if not _has_table(database, name):  # one without rows
        return [], list(TABLE_COLUMNS.get(name, ()))
    columns = [about[1] for about in database.execute(f'PRAGMA table_info("{name}")')]
    known = {column: text for column, text in equal.items() if column in columns}
    conditions = "".join(f' AND "{column}" = ?' for column in known)
    select = f'SELECT * FROM "{name}" WHERE 1{conditions} ORDER BY rowid'
    rows = database.execute(select, tuple(known.values()))
    return [_make_row(columns, cells) for cells in rows], columns
