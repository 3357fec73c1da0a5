"""Many verdicts in a few lines: how often each gate passed, and its worst number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clusterflow.science.checks.evidence import Gate

# What a person should look at, the worst first.
_NOTED = ("FAIL", "WARN", "UNVERIFIABLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSummary:
    """One gate: verdicts by kind, and the gates that a person should look at.

    `worst` is the number nearest to its limit or furthest beyond it; None where the
    gate compares no numbers. `noted` failed, warn or stay open, in this order. `first`
    is the first verdict, `example` the first by verdict of those with a value.
    """

    name: str
    counts: Mapping[str, int]
    first: Gate
    example: Gate | None
    worst: Gate | None
    noted: tuple[Gate, ...]

    @property
    def skipped(self) -> bool:
        """Whether it applied to nothing."""
        return self.counts.keys() == {"SKIP"}


@dataclass(slots=True)
class _Tally:
    """Verdicts of one gate as they come: a large study has too many to keep."""

    first: Gate
    counts: Counter[str] = field(default_factory=Counter)
    example: Gate | None = None
    worst: Gate | None = None
    worst_share: float = -1.0
    noted: list[Gate] = field(default_factory=list)

    def add(self, gate: Gate) -> None:
        self.counts[gate.verdict] += 1
        if gate.verdict in _NOTED:
            self.noted.append(gate)
        if gate.value is not None and (
            self.example is None or gate.verdict < self.example.verdict
        ):
            self.example = gate
        if isinstance(gate.value, float) and isinstance(gate.limit, float):
            size = abs(gate.value)
            share = size / gate.limit if gate.limit else size
            if share > self.worst_share:
                self.worst, self.worst_share = gate, share


def summarise(gates: Iterable[Gate]) -> list[GateSummary]:
    """One summary a gate, in order of appearance."""
    by_name: dict[str, _Tally] = {}
    for gate in gates:
        by_name.setdefault(gate.name, _Tally(gate)).add(gate)
    return [
        GateSummary(
            name=name,
            counts=tally.counts,
            first=tally.first,
            example=tally.example,
            worst=tally.worst,
            noted=tuple(sorted(tally.noted, key=lambda g: _NOTED.index(g.verdict))),
        )
        for name, tally in by_name.items()
    ]
