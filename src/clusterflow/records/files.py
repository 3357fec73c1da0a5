"""Records to and from files, whole or not at all.

A file ends with a checksum of what it holds, and a record names the SHA-256 of each
file that it was made from. Whoever reads compares: what was changed by hand is refused,
or marked wherever it goes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from clusterflow.errors import OutputError, RecordError
from clusterflow.library.find import describe_error
from clusterflow.library.yaml_file import why_no_file
from clusterflow.records.provenance import (
    CHANGED_FLAG,
    EDITED_FLAG,
    SCHEMA_VERSION,
    Record,
)
from clusterflow.stage_table import STAGES, record_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

R = TypeVar("R", bound=Record)

# Set to 1, records that were changed by hand are read, and marked.
ACCEPT_EDITED: Final = "CLUSTERFLOW_ACCEPT_EDITED"


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
    """An empty file, which takes the place of `path` when the block ends well.

    It stands beside `path`. What is no file, such as a device, is never replaced: it is
    written into, from a temporary file elsewhere.

    Raises
    ------
    OutputError
        If it cannot be made, or `path` not be replaced.
    """
    with _name_failures(path):
        if is_device(path):
            with tempfile.TemporaryDirectory() as folder:
                temporary = Path(folder, "content")
                temporary.touch()
                yield temporary
                _write_through(path, temporary.read_bytes())
            return
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        # A name may have 255 bytes, and this one is longer than that of the file.
        prefix = f".{os.fsencode(target.name)[:200].decode(errors='ignore')}."
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
    """Write a record as JSON with its checksum, whole or not at all."""
    write_atomic(path, record_text(record))


def record_text(record: Record) -> str:
    """A record as its file holds it: its fields, then their checksum."""
    content = record.model_dump(mode="json")
    content["checksum"] = _hash_content(content)
    return to_json(content, indent=1).decode() + "\n"


def _hash_content(content: Any) -> str:
    """SHA-256 of JSON without spaces: a file may be indented anew, not changed."""
    return hashlib.sha256(to_json(content)).hexdigest()


def read_record(path: Path, model: type[R]) -> R:
    """A record of the given kind.

    Raises
    ------
    RecordError
        If the file is missing, corrupt, changed by hand, from a newer clusterflow or
        another kind of record.
    """
    return _check_record(path, read_json(path), model)[0]


def read_json(path: Path) -> Any:
    """What a file of JSON holds.

    Raises
    ------
    RecordError
        If it cannot be read.
    """
    return _parse_json(path, _read_bytes(path))


def _read_bytes(path: Path) -> bytes:
    if reason := why_no_file(path):
        raise RecordError(f"{path}: cannot be read ({reason})")
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from None


def _parse_json(path: Path, data: bytes) -> Any:
    try:
        return from_json(data)
    except ValueError as error:
        raise RecordError(
            f"{path}: corrupt record ({error}); delete it and run again"
        ) from None


def _check_record(path: Path, content: Any, model: type[R]) -> tuple[R, bool]:
    """A record of the given kind, and whether it had a checksum to compare."""
    wanted = model.model_fields["stage"].default
    found = content.get("stage") if isinstance(content, dict) else None
    if found != wanted:
        raise RecordError(
            f"{path}: is a record of {found!r}, expected {wanted!r}; "
            "delete it and run again"
        )
    schema = content.get("schema_version")
    if isinstance(schema, int) and schema > SCHEMA_VERSION:
        raise _describe_newer(path, "schema_version", schema, SCHEMA_VERSION)
    checksum = content.pop("checksum", None)
    edited = checksum is not None and checksum != _hash_content(content)
    if edited and os.environ.get(ACCEPT_EDITED) != "1":
        raise RecordError(
            f"{path}: was changed after it was written (its checksum differs); delete "
            f"it and run again, or accept it: --accept-edited or {ACCEPT_EDITED}=1"
        )
    try:
        record = model.model_validate(content)
    except ValidationError as error:
        raise RecordError(
            f"{path}: corrupt record: {describe_error(error)}; delete it and run again"
        ) from None
    protocol, known = record.provenance.protocol, STAGES[record.stage].protocol
    if protocol > known:
        raise _describe_newer(path, "protocol", protocol, known)
    return _mark_edited(record, path) if edited else record, checksum is not None


def _describe_newer(path: Path, what: str, found: int, known: int) -> RecordError:
    return RecordError(
        f"{path}: {what} = {found} is newer than this clusterflow, which knows "
        f"{known}; update clusterflow"
    )


def _mark_edited(record: R, path: Path) -> R:
    """A changed record that was accepted: it, and all made from it, say so."""
    provenance = record.provenance
    names = (*provenance.edited, str(path))
    marked = provenance.model_copy(update={"edited": names})
    return record.model_copy(update={"provenance": marked}).flagged(EDITED_FLAG)


def refuse_wrong_name(record: Record, path: Path, below: Path) -> None:
    """A record must be what its place in a results folder says.

    Parameters
    ----------
    record
        As it was read.
    path
        Its file, for the message.
    below
        The same below the results folder.

    Raises
    ------
    RecordError
        If the file is named for another record.
    """
    own = record_name(record)
    if own != below:
        raise RecordError(
            f"{path}: holds the record {own.with_suffix('').as_posix()}, not that of "
            "its name; delete it and run again"
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class StudyRecords:
    """Every record of a study, stage after stage, and the folder it is from.

    `hashes` has the SHA-256 of each file by its name below the folder; `n_unchecked`
    are those that an older clusterflow wrote without a checksum.
    """

    folder: Path
    records: tuple[Record, ...]
    hashes: Mapping[str, str] = field(default_factory=dict)
    n_unchecked: int = 0

    def of(self, model: type[R]) -> tuple[R, ...]:
        """The records of a stage, by their class."""
        return tuple(self._by_model.get(model, ()))  # type: ignore[arg-type]

    def about(self, *clusters: str) -> StudyRecords:
        """The records of some clusters, and those of none, such as of gases."""
        names = (None, *dict.fromkeys(clusters))
        chosen = (r for name in names for r in self._by_cluster.get(name, ()))
        return replace(self, records=tuple(chosen))

    @property
    def clusters(self) -> tuple[str, ...]:
        """Every cluster that a record names, in order of appearance."""
        return tuple(name for name in self._by_cluster if name is not None)

    @cached_property
    def _by_cluster(self) -> dict[str | None, list[Record]]:
        by_cluster: dict[str | None, list[Record]] = {}
        for record in self.records:
            name = getattr(record, "cluster", None)
            by_cluster.setdefault(name, []).append(record)
        return by_cluster

    @cached_property
    def _by_model(self) -> dict[type[Record], list[Record]]:
        by_model: dict[type[Record], list[Record]] = {}
        for record in self.records:
            by_model.setdefault(type(record), []).append(record)
        return by_model


def read_records(folder: Path, paths: Sequence[Path] | None = None) -> StudyRecords:
    """All records below a results folder, or those named by `paths`.

    Numbers made from a record that has changed since carry a flag.

    Raises
    ------
    RecordError
        If the folder holds none, or one cannot be trusted.
    """
    chosen = sorted(paths) if paths is not None else _list_record_files(folder)
    if not chosen:
        raise RecordError(f"{folder}: holds no records; run the study first")
    by_stage: dict[str, list[Record]] = {name: [] for name in STAGES}
    hashes: dict[str, str] = {}
    n_unchecked = 0
    for path in chosen:
        below = path.relative_to(folder)
        # Those of earlier rounds and of the whole study are in folders of their own.
        stage = below.parts[0]
        if stage not in STAGES:
            continue
        data = _read_bytes(path)
        content = _parse_json(path, data)
        record, is_checked = _check_record(path, content, STAGES[stage].model)
        refuse_wrong_name(record, path, below)
        by_stage[stage].append(record)
        hashes[below.as_posix()] = hashlib.sha256(data).hexdigest()
        n_unchecked += not is_checked
    found = [record for records in by_stage.values() for record in records]
    return StudyRecords(
        folder=folder,
        records=tuple(_flag_changed(found, hashes)),
        hashes=hashes,
        n_unchecked=n_unchecked,
    )


def name_below(name: str, known: Mapping[str, str]) -> str | None:
    """An input as a record names it, by its name below the results folder.

    >>> name_below("results/default/relax/Cu4.json", {"relax/Cu4.json": "…"})
    'relax/Cu4.json'
    >>> name_below("results/a/rounds/1/relax/Cu4.json", {"relax/Cu4.json": "…"})
    """
    parts = Path(name).parts
    if "rounds" in parts[-5:-2]:  # a record of the last round has the same name
        parts = parts[parts.index("rounds") :]
        return "/".join(parts) if "/".join(parts) in known else None
    tails = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((tail for tail in tails if tail in known), None)


def _flag_changed(
    records: Sequence[Record], hashes: Mapping[str, str]
) -> Iterator[Record]:
    """The records, flagged where something they go back to has changed since."""
    changed: set[str] = set()
    for record in records:  # what a stage reads comes before it
        inputs = record.provenance.inputs.items()
        below = {name_below(name, hashes): was for name, was in inputs}
        if any(
            name in changed or hashes[name] != was
            for name, was in below.items()
            if name is not None
        ):
            changed.add(record_name(record).as_posix())
            yield record.flagged(CHANGED_FLAG)
        else:
            yield record


def _list_record_files(folder: Path) -> list[Path]:
    """Every JSON file below a folder's stages; hidden ones are work in progress."""
    found: list[Path] = []
    for stage in STAGES:
        # Path.glob passes over what it may not look into, and records would be lost.
        walk = os.walk(folder / stage, onerror=_refuse_unreadable)
        for where, folders, names in walk:
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [
                Path(where, name)
                for name in (*folders, *names)
                if name.endswith(".json") and not name.startswith(".")
            ]
    return sorted(found)


def _refuse_unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise RecordError(f"{error.filename}: cannot be read ({error.strerror})")


def _read_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
