"""What `clusterflow run` shows: a bar for each rule on a terminal, and the time left.

Snakemake finds logger plugins by the beginning of their name. The bars are those of
snakemake-logger-plugin-rich; this one adds how long it will take. In a pipe there is
one line for each rule, when its last job has ended, one for each job that failed, and
every minute or so how many jobs are done and how long the others will take.
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
# A log in a file stays short, and who waits for it knows in a minute.
_EVERY_S = 60.0


class LeftColumn(ProgressColumn):
    """The time left, at the bar of the whole run."""

    # What is left shrinks also while nothing ends; a second is often enough.
    max_refresh = 1.0

    def __init__(self, run: TimeLeft) -> None:
        super().__init__()
        self.run = run

    def render(self, task: Task) -> Text:
        """The time left as text; empty at other bars and at the beginning."""
        if not task.description.startswith(_ALL) or task.finished:
            return Text("")
        return Text(_describe_left(self.run), style="progress.remaining")


class PlainLines:
    """A run in a few lines without control codes."""

    def __init__(self, stream: TextIO, run: TimeLeft) -> None:
        self.stream = stream
        self.run = run
        self.said_s = time.monotonic()
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
        now_s, left = time.monotonic(), self.run.count_missing()
        if left and now_s - self.said_s >= _EVERY_S:
            self.said_s = now_s
            n_jobs = self.run.planned.total()
            done = f"{n_jobs - left} of {n_jobs} jobs done"
            self._write_line(", ".join(filter(None, [done, _describe_left(self.run)])))

    def _write_line(self, line: str) -> None:
        if line:
            print(line, file=self.stream, flush=True)


class LogHandler(RichHandler):  # type: ignore[misc]
    """The rich handler, which also hears when jobs start and end; plain in a pipe."""

    def __post_init__(self) -> None:
        """Add the column, or take plain lines in the place of bars."""
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        self.run = TimeLeft()
        self.plain = None if is_terminal(stream) else PlainLines(stream, self.run)
        if self.plain is None:
            super().__post_init__()
            self.progress.columns = (*self.progress.columns, LeftColumn(self.run))

    def emit(self, record: LogRecord) -> None:
        """Note what the record says about time, then show it."""
        _note_times(self.run, record)
        if self.plain is not None:
            self.plain.show(record)
            return
        super().emit(record)

    def close(self) -> None:
        """Take the bars away."""
        if self.plain is None:
            super().close()


def _note_times(run: TimeLeft, record: LogRecord) -> None:
    event, now_s = getattr(record, "event", None), time.monotonic()
    said = vars(record)
    if event == LogEvent.RUN_INFO:
        jobs = {r: n for r, n in said["stats"].items() if r not in _NOT_COUNTED}
        run.planned = Counter(jobs)
    elif event == LogEvent.JOB_INFO and said["rule_name"] not in _NOT_COUNTED:
        run.start(said["jobid"], said["rule_name"], now_s)
    elif event == LogEvent.JOB_FINISHED:
        run.end(said["job_id"], now_s)
    elif event == LogEvent.JOB_ERROR:
        run.end(said["jobid"], now_s, failed=True)


def _describe_left(run: TimeLeft) -> str:
    """``about 4 min 10 s left``; empty at the beginning."""
    left_s = run.left_s(time.monotonic())
    if left_s is None:
        return ""
    about = "roughly" if run.is_partial else "about"
    time_left = f"{left_s:.0f} s" if left_s < 60 else duration(left_s)
    return f"{about} {time_left} left"


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream can show bars."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
