"""Many verdicts in a few lines: how often each gate passed, and its worst number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.science.checks.evidence import Gate

# What a person should look at, the worst first.
_NOTED = ("FAIL", "WARN", "UNVERIFIABLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSummary:
    """One gate: verdicts by kind, and the gates that a person should look at.

    `worst` is the number nearest to its limit or furthest beyond it; None where the
    gate compares no numbers. `noted` failed, warn or stay open, in this order.
    """

    name: str
    counts: Mapping[str, int]
    gates: tuple[Gate, ...]
    worst: Gate | None
    noted: tuple[Gate, ...]

    @property
    def skipped(self) -> bool:
        """Whether it applied to nothing."""
        return self.counts.get("SKIP", 0) == len(self.gates)


def summarise(gates: Iterable[Gate]) -> list[GateSummary]:
    """One summary a gate, in order of appearance."""
    by_name: dict[str, list[Gate]] = {}
    for gate in gates:
        by_name.setdefault(gate.name, []).append(gate)
    return [_summarise_gate(name, own) for name, own in by_name.items()]


def _summarise_gate(name: str, gates: Sequence[Gate]) -> GateSummary:
    noted = [gate for gate in gates if gate.verdict in _NOTED]
    noted.sort(key=lambda gate: _NOTED.index(gate.verdict))
    return GateSummary(
        name=name,
        counts=Counter(gate.verdict for gate in gates),
        gates=tuple(gates),
        worst=_find_worst_gate(gates),
        noted=tuple(noted),
    )


def _find_worst_gate(gates: Sequence[Gate]) -> Gate | None:
    numbers = [
        (abs(gate.value) / gate.limit if gate.limit else abs(gate.value), gate)
        for gate in gates
        if isinstance(gate.value, float) and isinstance(gate.limit, float)
    ]
    return max(numbers, key=lambda pair: pair[0])[1] if numbers else None
