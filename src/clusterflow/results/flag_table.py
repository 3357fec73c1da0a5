"""The flags that the numbers of a study carry, and what each means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import RefinedCheRecord, RefinedThermoRecord
from clusterflow.science.reactions.flags import ORIGIN_FLAGS, group_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.levels import DomainSpec
    from clusterflow.records.files import StudyRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag with its mark in the tables, what it means and what to do about it."""

    mark: str
    name: str
    reason: str
    way_out: str
    source: str


def flags_of(records: StudyRecords, domain: Sequence[DomainSpec]) -> tuple[Flag, ...]:
    """Every flag that a number of the study carries, marked a, b, c, ..."""
    energies = [
        *records.of(ThermoRecord),
        *(one.energies for one in records.of(RefinedThermoRecord)),
    ]
    profiles = [
        *records.of(CheRecord),
        *(one.profiles for one in records.of(RefinedCheRecord)),
    ]
    carried = {f for t in energies for s in t.species for f in s.flags}
    results = [result for che in profiles for result in che.results]
    steps = (s for result in results for p in result.pathways for s in p.steps)
    carried |= {name for s in steps for name, _ in group_flags(s.flags)}
    carried |= {name for r in results for name, _ in group_flags(r.flags)}
    limits = {entry.name: entry for entry in domain}
    found = []
    for index, name in enumerate(sorted(carried)):
        reason, way_out = ORIGIN_FLAGS.get(name, ("not in the domain table", ""))
        source = ""
        if name in limits:
            entry = limits[name]
            reason, way_out, source = entry.description, entry.way_out, entry.source
        mark = chr(ord("a") + index)
        found.append(
            Flag(mark=mark, name=name, reason=reason, way_out=way_out, source=source)
        )
    return tuple(found)
