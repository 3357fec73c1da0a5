"""Whether records that Snakemake knows nothing of are of the settings of the study.

What a record was made with stands in `.snakemake/` too, which tells Snakemake that
settings have changed. Results that were copied without that folder would count as done
whatever the settings.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterflow.errors import ClusterflowError
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.study.plan import Plan

# What has been made, and what was under way when a run was killed.
KNOWN = (Path(".snakemake/metadata"), Path(".snakemake/incomplete"))


def refuse_copied_records(plan: Plan) -> None:
    """Compare records without a note of Snakemake's with the study of this folder.

    Raises
    ------
    ClusterflowError
        If some were made with other settings or by another version of their stage.
    """
    differing = {
        path: differs
        for path in _list_unknown(plan, Path("results") / plan.study.study)
        if (differs := _compare_settings(plan, path))
    }
    if not differing:
        return
    path, differs = next(iter(differing.items()))
    folders = sorted({str(_find_stage_folder(path)) for path in differing})
    raise ClusterflowError(
        f"{path}: made with {differs} ({len(differing)} such records); .snakemake/, by "
        "which a run knows what to make again, did not come with them: copy it too, or "
        f"have them made again: rm -r {' '.join(folders)}"
    )


def _list_unknown(plan: Plan, results: Path) -> Iterator[Path]:
    """Records of the study that are there, and of which Snakemake has no note."""
    folders = (results, *sorted(results.glob("rounds/[1-9]")))
    for record in plan.records(""):
        for path in (folder / record for folder in folders):
            if not _is_known(path) and path.is_file():
                yield path


def _is_known(path: Path) -> bool:
    """Whether Snakemake has a note of a file; long names are taken for unknown."""
    note = urlsafe_b64encode(str(path).encode()).decode()
    return len(note) < 255 and any((folder / note).exists() for folder in KNOWN)


def _find_stage_folder(path: Path) -> Path:
    """The folder with all records of a stage."""
    return next(folder for folder in path.parents if folder.name in STAGES)


def _compare_settings(plan: Plan, path: Path) -> str:
    """What a record was made with that the study has not; empty if it is the same."""
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
        made = record["provenance"]
        used = {"protocol": made["protocol"]} | made["settings"]
    except (ValueError, KeyError, TypeError):
        return ""  # what cannot be read is said where it is used
    sections = json.loads(plan.settings(_find_stage_folder(path).name, path.stem))
    asked = {"protocol": sections.pop("protocol")}
    for section in sections.values():
        asked |= section
    return next(
        (
            f"{key} {json.dumps(used[key])}, which is {json.dumps(asked[key])} here"
            for key in used
            if key in asked and used[key] != asked[key]
        ),
        "",
    )
