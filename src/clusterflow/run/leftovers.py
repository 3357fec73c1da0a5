"""What killed runs leave in the results of a study."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Of the folder in which a warm process listens.
SOCKET_PREFIX = "clusterflow-"

# As `write_atomic` names them; SQLite writes a journal beside its file.
_TEMPORARY = re.compile(
    r"\..+\.(json|csv|parquet|db|svg|png|pdf|html|xyz|yaml)\.[a-z0-9_]{8}(-journal)?"
)
# A job on another machine may be writing; that takes seconds.
_OLD_S = 60.0


def sweep_temporaries(results: Path) -> None:
    """Remove half-written files; pieces of unfinished jobs stay, to go on from."""
    newest = time.time() - _OLD_S
    for path in results.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.lstat().st_mtime < newest:
            path.unlink(missing_ok=True)


def sweep_pieces(results: Path) -> None:
    """Remove pieces of jobs whose record is there; called when a run is complete.

    A job that was killed between the two leaves them.
    """
    for folder in results.rglob(".*.scratch"):
        stem = folder.name.removeprefix(".").removesuffix(".scratch")
        if folder.with_name(f"{stem}.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)


def sweep_sockets(parent: Path) -> None:
    """Remove own sockets of warm processes that are gone, and the folders around them.

    Of a run that was killed together with its warm process.
    """
    newest = time.time() - _OLD_S
    for folder in parent.glob(f"{SOCKET_PREFIX}*"):
        # Others may remove theirs, or not let us look.
        with suppress(OSError):
            status = folder.lstat()
            is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
            if not is_own or status.st_mtime > newest or _is_answered(folder):
                continue
            shutil.rmtree(folder)


def _is_answered(folder: Path) -> bool:
    """Whether anybody listens there, or it holds anything else."""
    names = [path.name for path in folder.iterdir()]
    if names not in ([], ["socket"]):
        return True
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(folder / "socket"))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True
