"""What `clusterflow run` shows: a bar for each rule on a terminal, and the time left.

Snakemake finds logger plugins by the beginning of their name. The bars are those of
snakemake-logger-plugin-rich; this one adds how long it will take. In a pipe there is
one line for each rule, when its last job has ended, and one for each job that failed.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.progress import ProgressColumn, Task
from rich.text import Text
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_rich import LogHandler as RichHandler

from clusterflow.figures.text import duration
from clusterflow.run.progress import TimeLeft

if TYPE_CHECKING:
    from logging import LogRecord
    from typing import TextIO

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
        """The time left as text; empty at other bars and at the beginning."""
        left_s = self.run.left_s(time.monotonic())
        if not task.description.startswith(_ALL) or task.finished or left_s is None:
            return Text("")
        about = "roughly" if self.run.is_partial else "about"
        time_left = f"{left_s:.0f} s" if left_s < 60 else duration(left_s)
        return Text(f"{about} {time_left} left", style="progress.remaining")


class PlainLines:
    """A run in a few lines without control codes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.planned: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.rules: dict[int, str] = {}
        self.logs: dict[int, list[str]] = {}

    def show(self, record: LogRecord) -> None:
        """Print a line for a log record, if it is worth one."""
        event, said = getattr(record, "event", None), vars(record)
        if event == LogEvent.RUN_INFO:
            self.planned = Counter(said["stats"])
        elif event == LogEvent.JOB_INFO:
            self.rules[said["jobid"]] = said["rule_name"]
            self.logs[said["jobid"]] = list(said["log"] or ())
        elif event == LogEvent.JOB_FINISHED:
            self._note_job_end(self.rules.get(said["job_id"], ""))
        elif event == LogEvent.JOB_ERROR:
            job = said["jobid"]
            log = ", ".join(self.logs.get(job, ())) or "none"
            self._write_line(f"failed: {self.rules.get(job, job)}, log {log}")
        elif record.levelno >= logging.ERROR:
            self._write_line(record.getMessage())

    def _note_job_end(self, rule: str) -> None:
        self.ended[rule] += 1
        if self.ended[rule] == self.planned[rule] and rule not in _NOT_COUNTED:
            self._write_line(f"{rule}: {self.ended[rule]} done")

    def _write_line(self, line: str) -> None:
        if line:
            print(line, file=self.stream, flush=True)


class LogHandler(RichHandler):  # type: ignore[misc]
    """The rich handler, which also hears when jobs start and end; plain in a pipe."""

    def __post_init__(self) -> None:
        """Add the column, or take plain lines in the place of bars."""
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        self.plain = None if is_terminal(stream) else PlainLines(stream)
        if self.plain is None:
            super().__post_init__()
            self.run = TimeLeft()
            self.progress.columns = (*self.progress.columns, LeftColumn(self.run))

    def emit(self, record: LogRecord) -> None:
        """Note what the record says about time, then show it."""
        if self.plain is not None:
            self.plain.show(record)
            return
        self._note_times(record)
        super().emit(record)

    def close(self) -> None:
        """Take the bars away."""
        if self.plain is None:
            super().close()

    def _note_times(self, record: LogRecord) -> None:
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


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream can show bars."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
