"""What a job has cost so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Meter:
    """Counts gradients and the CPU time they take, for the record's provenance.

    CPU time, because a job has one thread and machines are shared. `rungs` and
    `failures` count the geometries that each rung of the SCF ladder converged or not.
    `note_progress` is called after each gradient: who watches the job hears of it.
    """

    n_gradients: int = 0
    seconds: float = field(default=0.0)
    rungs: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    note_progress: Callable[[], None] = lambda: None
