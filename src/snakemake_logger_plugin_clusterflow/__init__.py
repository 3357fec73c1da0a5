"""What `clusterflow run` shows on a terminal: a bar for each rule, and the time left.

Snakemake finds logger plugins by the beginning of their name. The bars are those of
snakemake-logger-plugin-rich; this one adds how long it will take.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.progress import ProgressColumn, Task
from rich.text import Text
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_rich import LogHandler as RichHandler

from clusterflow.report.text import duration
from clusterflow.time_left import TimeLeft

if TYPE_CHECKING:
    from logging import LogRecord

# The bar of the whole run, as the plugin below names it.
_ALL = "Total Progress"
_NOT_COUNTED = ("all", "total")


class LeftColumn(ProgressColumn):
    """The time left, at the bar of the whole run."""

    # What is left shrinks also while nothing ends; a second is often enough.
    max_refresh = 1.0

    def __init__(self, run: TimeLeft) -> None:
        super().__init__()
        self.run = run

    def render(self, task: Task) -> Text:
        """Nothing at other bars, and at the beginning."""
        left_s = self.run.left_s(time.monotonic())
        if not task.description.startswith(_ALL) or task.finished or left_s is None:
            return Text("")
        about = "roughly" if self.run.is_partial else "about"
        time_left = f"{left_s:.0f} s" if left_s < 60 else duration(left_s)
        return Text(f"{about} {time_left} left", style="progress.remaining")


class LogHandler(RichHandler):  # type: ignore[misc]
    """The rich handler, which also hears when jobs start and end."""

    def __post_init__(self) -> None:
        """Add the column."""
        super().__post_init__()
        self.run = TimeLeft()
        self.progress.columns = (*self.progress.columns, LeftColumn(self.run))

    def emit(self, record: LogRecord) -> None:
        """Note what the record says about time, then show it."""
        self._note(record)
        super().emit(record)

    def _note(self, record: LogRecord) -> None:
        event, now_s = getattr(record, "event", None), time.monotonic()
        said = vars(record)
        if event == LogEvent.RUN_INFO:
            jobs = {r: n for r, n in said["stats"].items() if r not in _NOT_COUNTED}
            self.run.planned = Counter(jobs)
        elif event == LogEvent.JOB_INFO and said["rule_name"] not in _NOT_COUNTED:
            self.run.start(said["jobid"], said["rule_name"], now_s)
        elif event == LogEvent.JOB_FINISHED:
            self.run.end(said["job_id"], now_s)
        elif event == LogEvent.JOB_ERROR:
            self.run.end(said["jobid"], now_s, failed=True)
