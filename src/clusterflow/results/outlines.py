"""What a figure of all clusters draws: their records without pathways, terms and gases.

They stand in the file of tables, so that a figure of a thousand reads no records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.results.table_file import read_table
from clusterflow.science.reactions.pathways import no_potential_reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import ReactionResult
    from clusterflow.records.provenance import Provenance
    from clusterflow.results.tables import Row

NAME: Final = "outlines"
Outline = tuple[CheRecord, ThermoRecord | None]


def list_outlines(records: StudyRecords) -> Iterator[Row]:
    """One row a cluster with profiles, its two records as JSON."""
    thermo = {record.cluster: record for record in records.of(ThermoRecord)}
    for che in records.of(CheRecord):
        own = thermo.get(che.cluster)
        yield {
            "cluster": che.cluster,
            "che": _outline_che(che).model_dump_json(exclude_defaults=True),
            "thermo": None
            if own is None
            else _outline_thermo(own).model_dump_json(exclude_defaults=True),
        }


def read_outlines(folder: Path) -> list[Outline] | None:
    """Outlines of all clusters of a results folder; None where records say more."""
    found = read_table(folder, NAME, {})
    if found is None or not found[0]:
        return None
    return [
        (
            CheRecord.model_validate_json(str(row["che"])),
            ThermoRecord.model_validate_json(str(row["thermo"]))
            if row["thermo"]
            else None,
        )
        for row in found[0]
    ]


def _outline_che(record: CheRecord) -> CheRecord:
    return record.model_copy(
        update={
            "networks": (),
            "edges": record.edges and record.edges.model_copy(update={"reactions": ()}),
            "results": tuple(_outline_result(result) for result in record.results),
            "provenance": _outline_provenance(record.provenance),
        }
    )


def _outline_result(result: ReactionResult) -> ReactionResult:
    has_value = result.limiting_potential_v_rhe is not None
    reason = result.reason if has_value else no_potential_reason(result)
    left_out = dict.fromkeys(("pathways", "steps", "references", "tied_pathways"), ())
    return result.model_copy(update={**left_out, "reason": reason})


def _outline_thermo(record: ThermoRecord) -> ThermoRecord:
    species = tuple(
        one.model_copy(
            update={"terms": None, "layers": {}, "deviations": {}, "groups": {}}
        )
        for one in record.species
        if one.name.startswith("*")
    )
    left_out = dict.fromkeys(
        ("minima", "isomer_weights", "gas_corrections", "lost_vibrations", "own"), ()
    )
    return record.model_copy(
        update={
            **left_out,
            "group_errors": None,
            "other_isomers": None,
            "species": species,
            "provenance": _outline_provenance(record.provenance),
        }
    )


def _outline_provenance(provenance: Provenance) -> Provenance:
    return provenance.model_copy(update={"inputs": {}, "versions": {}})
