"""What the page says of the study's claims: the verdict at each level, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clusterflow.records.claims import ClaimRecord
from clusterflow.results.claims import say_findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.records.claims import Verdict
    from clusterflow.records.files import StudyRecords

# How the tag of a verdict looks.
_LOOKS: Final[Mapping[Verdict, str]] = {
    "supported": "good",
    "contradicted": "bad",
    "undecided": "moves",
    "not computed": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVerdict:
    """A verdict with its look, the rest of its sentence and its flags."""

    verdict: Verdict
    look: str
    sentence: str
    flags: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClaim:
    """A claim as written, who makes it, and its verdicts."""

    name: str
    statement: str
    source: str
    verdicts: tuple[ShownVerdict, ...]


def show_claims(records: StudyRecords) -> list[ShownClaim]:
    """The claims of a study, in the order of their names."""
    return [
        ShownClaim(
            name=record.claim.name,
            statement=record.claim.claim,
            source=record.claim.source,
            verdicts=tuple(
                ShownVerdict(
                    verdict=one.judgement.verdict,
                    look=_LOOKS[one.judgement.verdict],
                    sentence=say_findings(record, one, records),
                    flags=one.flags,
                )
                for one in record.verdicts
            ),
        )
        for record in records.of(ClaimRecord)
    ]
