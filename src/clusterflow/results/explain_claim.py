"""Where the verdicts on a claim come from: flags, errors and records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clusterflow.errors import RecordError
from clusterflow.records.adsorption import PoolRecord
from clusterflow.records.claims import ClaimRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.results.claims import say_verdict
from clusterflow.results.explain import list_sources
from clusterflow.results.explanation import Explanation
from clusterflow.results.flag_table import flags_of
from clusterflow.science.reactions.flags import group_flags
from clusterflow.stage_table import record_name

if TYPE_CHECKING:
    from clusterflow.library.find import Library
    from clusterflow.records.files import StudyRecords

PREFIX: Final = "claim/"


def explain_claim(records: StudyRecords, name: str, library: Library) -> Explanation:
    """The verdicts of a claim, what they rest on and the records behind them.

    Parameters
    ----------
    name
        ``claim/NAME``.

    Raises
    ------
    RecordError
        If there is no such claim; the message lists those there are.
    """
    known = {record.claim.name: record for record in records.of(ClaimRecord)}
    record = known.get(name.removeprefix(PREFIX))
    if record is None:
        raise RecordError(
            f"explain {name!r}: no such claim in these results; known: "
            f"{', '.join(known) or 'none: write some under claims, and run'}"
        )
    spec, found = record.claim, record.verdicts[0].judgement
    names = [flag for one in record.verdicts for flag in one.flags]
    flags = dict(group_flags(names))
    every = {flag.name: flag for flag in flags_of(records, library.domain())}
    facts: dict[str, Any] = {"source": spec.source}
    for one in record.verdicts:
        facts[f"at {one.level}"] = say_verdict(record, one, records)
        if one.basis is not None:
            facts[f"errors at {one.level}"] = one.basis
        if one.judgement.not_included:
            facts[f"without, at {one.level}"] = list(one.judgement.not_included)
    inputs = record.provenance.inputs
    behind = [
        one
        for kind in (CheRecord, ThermoRecord, RelaxRecord, PoolRecord)
        for one in records.of(kind)
        if any(key.endswith(f"/{record_name(one)}") for key in inputs)
    ]
    return Explanation(
        name=name,
        what=f"Probability that {spec.claim}, from joint samples of all errors",
        value=found.probability,
        unit=f"({found.verdict})",
        reason=found.reason,
        facts=facts,
        flags=tuple(every[flag] for flag in flags if flag in every),
        carriers=flags,
        sources=tuple(list_sources(records, record, behind, record.provenance)),
    )
