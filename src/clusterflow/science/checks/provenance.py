"""Gate on what records were made from: it is what is there now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.science.checks.evidence import judge_fit, leave_open, skip_gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.science.checks.evidence import Evidence, Gate, Origin


def provenance(evidence: Evidence) -> Iterator[Gate]:
    """The files that each record was made from have the hashes they had then.

    A record that was changed by hand and accepted, or an older protocol made, cannot be
    verified; nor can one that an older clusterflow wrote without a checksum.
    """
    for origin in evidence.origins:
        yield _judge_origin(origin)
    if evidence.n_unchecked:
        why = f"{evidence.n_unchecked} of {len(evidence.origins)} records were written "
        yield leave_open("provenance", "study", f"{why}without a checksum")


def _judge_origin(origin: Origin) -> Gate:
    name, subject = "provenance", origin.record
    changed = sorted(n for n, same in origin.inputs.items() if same is False)
    known = [same for same in origin.inputs.values() if same is not None]
    if changed:
        detail = f"changed since: {', '.join(changed)}; run the study again"
        shown = f"{len(changed)} of {len(known)} inputs"
        return judge_fit(
            name, subject, False, value=shown, limit="none changed", detail=detail
        )
    if origin.edited:
        why = f"changed by hand, and accepted: {', '.join(origin.edited)}"
        return leave_open(name, subject, why)
    if origin.protocol < origin.protocol_now:
        why = f"protocol {origin.protocol}, now {origin.protocol_now}; run again"
        return leave_open(name, subject, why)
    if not known:
        return skip_gate(name, subject, "no input is recorded or there")
    shown = f"{len(known)} inputs"
    return judge_fit(name, subject, True, value=shown, limit="none changed")
