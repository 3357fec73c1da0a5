"""How long a run will take, judged by its own jobs."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(slots=True)
class TimeLeft:
    """What is left of a run, from the times of the jobs that have ended.

    >>> run = TimeLeft(planned=Counter(relax=3))
    >>> run.start(1, "relax", at_s=0.0)
    >>> run.end(1, at_s=20.0)
    >>> run.left_s(at_s=20.0), run.is_partial
    (40.0, False)
    """

    planned: Counter[str] = field(default_factory=Counter)
    _running: dict[Hashable, tuple[str, float]] = field(default_factory=dict)
    _took_s: defaultdict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _at_once: int = 1

    def start(self, job: Hashable, rule: str, at_s: float) -> None:
        """Note that a job starts; one sent again starts anew."""
        self._running[job] = (rule, at_s)
        self._at_once = max(self._at_once, len(self._running))

    def end(self, job: Hashable, at_s: float, *, failed: bool = False) -> None:
        """Note that a job has ended; one that failed says nothing about the others."""
        rule, started_s = self._running.pop(job, ("", at_s))
        if rule and not failed:
            self._took_s[rule].append(at_s - started_s)

    def left_s(self, at_s: float) -> float | None:
        """Seconds to the end with as many jobs at once as there were; None at first.

        Each job that is missing takes as long as its rule's mean, or as the mean of all
        where none of its rule has ended; what the running ones have had is taken off.
        """
        if not any(self._took_s.values()):
            return None
        left = self._missing()
        work_s = sum(n * self._mean_s(rule) for rule, n in left.items())
        for rule, started_s in self._running.values():
            work_s -= min(at_s - started_s, self._mean_s(rule))
        return max(work_s, 0.0) / self._at_once

    @property
    def is_partial(self) -> bool:
        """Whether there is a rule to come of which no job has ended."""
        return any(
            n and rule not in self._took_s for rule, n in self._missing().items()
        )

    def _missing(self) -> dict[str, int]:
        return {
            rule: max(n - len(self._took_s.get(rule, ())), 0)
            for rule, n in self.planned.items()
        }

    def _mean_s(self, rule: str) -> float:
        everything = itertools.chain.from_iterable(self._took_s.values())
        took_s = self._took_s.get(rule) or list(everything)
        return sum(took_s) / len(took_s)
