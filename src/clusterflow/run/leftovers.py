"""What killed runs leave in the results of a study."""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
