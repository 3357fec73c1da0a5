"""Records of a study put together by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.records.files import StudyRecords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.records.provenance import Record


def study_of(*groups: Iterable[Record], folder: str = "results") -> StudyRecords:
    """A study of some records, group after group."""
    return StudyRecords(folder=Path(folder), records=tuple(chain(*groups)))


def instead(
    study: StudyRecords, model: type[Record], items: Iterable[Record] = ()
) -> StudyRecords:
    """The same study with other records of one stage, or none."""
    others = [record for record in study.records if not isinstance(record, model)]
    return replace(study, records=(*others, *items))
