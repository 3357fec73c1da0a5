"""What every record shares, and where its numbers come from."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import Field

from clusterflow.model import Model

SCHEMA_VERSION: Final = 1
# Flags of numbers that cannot be trusted as they were written.
EDITED_FLAG: Final = "edited-record"
CHANGED_FLAG: Final = "changed-input"

# `ok` and `failed` judge a record; the others judge one minimum.
Status = Literal["ok", "failed"]


class Provenance(Model):
    """Where a record comes from."""

    protocol: int
    settings: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(
        default_factory=dict, description="SHA-256 of each input file"
    )
    edited: tuple[str, ...] = Field(
        default=(),
        description="Records changed by hand, and accepted, that it goes back to",
    )
    versions: dict[str, str] = Field(default_factory=dict)
    wall_time_s: float
    engine_time_s: float = Field(
        default=0.0, description="CPU time inside the engine: quantum chemistry"
    )
    n_gradients: int = 0
    scf_rungs: dict[str, int] = Field(
        default_factory=dict,
        description="Geometries by rung of the SCF ladder, if one failed",
    )
    scf_failures: dict[str, int] = Field(
        default_factory=dict, description="Geometries that a rung did not converge"
    )
    max_rss_mb: float = Field(default=0.0, description="Peak memory of the process")
    created: str


class Record(Model):
    """What all records share. `status` is failed where the science did not work."""

    schema_version: Literal[1] = SCHEMA_VERSION
    stage: str
    status: Status = "ok"
    reason: str = ""
    provenance: Provenance

    def flagged(self, flag: str) -> Self:
        """The record with a flag at each of its numbers, where they have flags."""
        return self


class CollectRecord(Record):
    """What was collected, and what is missing."""

    stage: Literal["collect"] = "collect"
    study: str
    tables: tuple[str, ...]
    n_records: int
    n_failures: int


class ReportRecord(Record):
    """The report that was written."""

    stage: Literal["report"] = "report"
    study: str
    files: tuple[str, ...]
