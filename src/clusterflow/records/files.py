"""Records to and from files, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from clusterflow.errors import OutputError, RecordError
from clusterflow.library.find import describe_error
from clusterflow.records.provenance import Record
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

R = TypeVar("R", bound=Record)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; into what is no file, such as a device.

    A link stays a link: the file that it points to is replaced.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    with _name_failures(path):
        if is_device(path):
            _write_through(path, data)
            return
        with replacing(path) as temporary, temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, which takes its place when the block ends well.

    Raises
    ------
    OutputError
        If it cannot be made, or `path` not be replaced.
    """
    with _name_failures(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        target = Path(os.path.realpath(path))
        # A name may have 255 bytes, and this one is longer than that of the file.
        prefix = f".{target.name.encode()[:200].decode(errors='ignore')}."
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=prefix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            # mkstemp makes files private; results are as readable as any other file.
            temporary.chmod(0o666 & ~_read_umask())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def is_device(path: Path) -> bool:
    """Whether something is there that is neither a file of its own nor a folder.

    Devices and pipes, and the file that this process has as its output.

    Raises
    ------
    OSError
        If it is a folder, or cannot be looked at.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder")
    return not stat.S_ISREG(found.st_mode) or _find_own_stream(path) is not None


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed for it.

    Raises
    ------
    OutputError
        If it is a folder, has too long a name, or its folder cannot be written to.
    """
    with _name_failures(path):
        if is_device(path):
            return
        folder = Path(os.path.realpath(path)).parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{folder} is no folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"no right to write in {folder}")


def _write_through(path: Path, data: bytes) -> None:
    own = _find_own_stream(path)
    if own is None:
        path.write_bytes(data)
        return
    # Opened anew it would have a place of its own, and what is printed overwrite it.
    sys.stdout.flush()
    with os.fdopen(os.dup(own), "wb") as stream:
        stream.write(data)


def _find_own_stream(path: Path) -> int | None:
    """Standard output or error of this process, where `path` is one of the two."""
    for number in (1, 2):
        with suppress(OSError):
            if os.path.samestat(path.stat(), os.fstat(number)):
                return number
    return None


@contextmanager
def _name_failures(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader went away, and nothing is wrong
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written ({reason})") from None


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
