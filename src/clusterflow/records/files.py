"""Records to and from files, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from clusterflow.errors import RecordError
from clusterflow.library.find import describe_error
from clusterflow.records.provenance import Record
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

R = TypeVar("R", bound=Record)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: to a temporary name, flushed, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; results are as readable as any other file.
        os.chmod(temporary, 0o666 & ~_read_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_record(record: Record, path: Path) -> None:
    """Write a record as JSON, whole or not at all."""
    write_atomic(path, record.model_dump_json(indent=1) + "\n")


def read_record(path: Path, model: type[R]) -> R:
    """A record of the given kind.

    Raises
    ------
    RecordError
        If the file is missing, corrupt or another kind of record.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise RecordError(
            f"{path}: corrupt record ({error}); delete it and run again"
        ) from None
    wanted = model.model_fields["stage"].default
    found = content.get("stage") if isinstance(content, dict) else None
    if found != wanted:
        raise RecordError(f"{path}: is a record of {found!r}, expected {wanted!r}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise RecordError(
            f"{path}: corrupt record: {describe_error(error)}; delete it and run again"
        ) from None


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class StudyRecords:
    """Every record of a study, stage after stage, and the folder it is from."""

    folder: Path
    records: tuple[Record, ...]

    def of(self, model: type[R]) -> tuple[R, ...]:
        """The records of a stage, by their class."""
        return tuple(self._by_model.get(model, ()))  # type: ignore[arg-type]

    @cached_property
    def _by_model(self) -> dict[type[Record], list[Record]]:
        by_model: dict[type[Record], list[Record]] = {}
        for record in self.records:
            by_model.setdefault(type(record), []).append(record)
        return by_model


def read_records(folder: Path, paths: Sequence[Path] | None = None) -> StudyRecords:
    """All records below a results folder, or those named by `paths`.

    Raises
    ------
    RecordError
        If the folder holds none, or one is corrupt.
    """
    chosen = sorted(paths) if paths is not None else _list_record_files(folder)
    if not chosen:
        raise RecordError(f"{folder}: holds no records; run the study first")
    by_stage: dict[str, list[Record]] = {name: [] for name in STAGES}
    for path in chosen:
        # Those of earlier rounds and of the whole study are in folders of their own.
        stage = path.relative_to(folder).parts[0]
        if stage in STAGES:
            by_stage[stage].append(read_record(path, STAGES[stage].model))
    found = (record for records in by_stage.values() for record in records)
    return StudyRecords(folder=folder, records=tuple(found))


def _list_record_files(folder: Path) -> list[Path]:
    """Every JSON file below a folder's stages; hidden ones are work in progress."""
    return sorted(
        path
        for path in folder.glob("*/**/*.json")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _read_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
