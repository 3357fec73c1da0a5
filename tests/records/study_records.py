"""Records of a study put together by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.records.energies import GasCorrection
from clusterflow.records.files import StudyRecords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.records.provenance import Record


def study_of(*groups: Iterable[Record], folder: str = "results") -> StudyRecords:
    """A study of some records, group after group."""
    return StudyRecords(folder=Path(folder), records=tuple(chain(*groups)))


def anchors_of(gases: Iterable[str]) -> tuple[GasCorrection, ...]:
    """Corrections of gases that are anchors: none."""
    return tuple(
        GasCorrection(
            gas=gas,
            anchors={gas: 1.0},
            computed_ev=0.0,
            experiment_ev=0.0,
            correction_ev=0.0,
            is_anchor=True,
            source="by hand",
        )
        for gas in gases
    )


def instead(
    study: StudyRecords, model: type[Record], items: Iterable[Record] = ()
) -> StudyRecords:
    """The same study with other records of one stage, or none."""
    others = [record for record in study.records if not isinstance(record, model)]
    return replace(study, records=(*others, *items))
