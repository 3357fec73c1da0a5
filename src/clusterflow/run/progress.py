"""How long a study will take, judged by its own jobs."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(slots=True)
class JobTimes:
    """What jobs have taken, and what others will take by that.

    A job takes the mean of its stage on the same subject, else of its stage, in
    proportion to its cost, such as that of one gradient.

    >>> times = JobTimes()
    >>> times.add(20.0, "relax", "Cu4", cost=2.0)
    >>> times.expect_s("relax", "Cu13", cost=5.0), times.expect_s("sites")
    (50.0, None)
    """

    _per_cost: defaultdict[tuple[str, ...], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(
        self, took_s: float, stage: str, subject: str = "", cost: float = 1.0
    ) -> None:
        """Note what a job has taken."""
        for kind in ((stage, subject), (stage,)):
            self._per_cost[kind].append(took_s / cost)

    def expect_s(
        self, stage: str, subject: str = "", cost: float = 1.0
    ) -> float | None:
        """Seconds that a job will take; None where no job of its stage has ended."""
        kinds = ((stage, subject), (stage,))
        known = next((self._per_cost[k] for k in kinds if k in self._per_cost), None)
        return cost * fmean(known) if known else None


@dataclass(slots=True)
class TimeLeft:
    """What is left of a run that is under way.

    >>> run = TimeLeft(planned=Counter(relax=3))
    >>> run.start(1, "relax", at_s=0.0)
    >>> run.end(1, at_s=20.0)
    >>> run.left_s(at_s=20.0), run.is_partial
    (40.0, False)
    """

    planned: Counter[str] = field(default_factory=Counter)
    _running: dict[Hashable, tuple[str, float]] = field(default_factory=dict)
    _ended: Counter[str] = field(default_factory=Counter)
    _times: JobTimes = field(default_factory=JobTimes)
    _took_s: list[float] = field(default_factory=list)
    _at_once: int = 1

    def start(self, job: Hashable, rule: str, at_s: float) -> None:
        """Note that a job starts; one sent again starts anew."""
        self._running[job] = (rule, at_s)
        self._at_once = max(self._at_once, len(self._running))

    def end(self, job: Hashable, at_s: float, *, failed: bool = False) -> None:
        """Note that a job has ended; one that failed says nothing about the others."""
        rule, started_s = self._running.pop(job, ("", at_s))
        if rule and not failed:
            self._ended[rule] += 1
            self._took_s.append(at_s - started_s)
            self._times.add(at_s - started_s, rule)

    def left_s(self, at_s: float) -> float | None:
        """Seconds to the end with as many jobs at once as there were; None at first.

        A job of a rule of which none has ended takes the mean of all; what the running
        ones have had is taken off.
        """
        if not self._took_s:
            return None
        left = self._count_by_rule()
        work_s = sum(n * self._average_time_s(rule) for rule, n in left.items())
        for rule, started_s in self._running.values():
            work_s -= min(at_s - started_s, self._average_time_s(rule))
        return max(work_s, 0.0) / self._at_once

    def count_missing(self) -> int:
        """How many jobs are still to end."""
        return self._count_by_rule().total()

    @property
    def is_partial(self) -> bool:
        """Whether there is a rule to come of which no job has ended."""
        return any(not self._ended[rule] for rule in self._count_by_rule())

    def _count_by_rule(self) -> Counter[str]:
        # Of a rule that ran more often than planned none are left.
        return self.planned - self._ended

    def _average_time_s(self, rule: str) -> float:
        mean_s = self._times.expect_s(rule)
        return fmean(self._took_s) if mean_s is None else mean_s
