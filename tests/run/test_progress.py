"""How long a run will take: sums done by hand, and what a terminal shows."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections import Counter
from logging import makeLogRecord
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from clusterflow.run.progress import TimeLeft
from snakemake_logger_plugin_clusterflow import LogHandler


def test_nothing_is_known_before_the_first_job_has_ended():
    run = TimeLeft(planned=Counter(relax=2))
    assert run.left_s(0.0) is None
    run.start(1, "relax", at_s=0.0)
    assert run.left_s(5.0) is None


def test_the_sum_is_over_missing_jobs_less_what_running_ones_have_had():
    run = TimeLeft(planned=Counter(relax=4, adsorb=10))
    for job in (1, 2):
        run.start(job, "relax", at_s=0.0)
    run.end(1, at_s=10.0)
    run.start(3, "relax", at_s=10.0)
    run.end(2, at_s=30.0)
    # Mean 20 s, two to come, one of them for 15 s by now; two ran at once. Nothing is
    # known of the ten of adsorb, which count as the others.
    assert run.left_s(25.0) == pytest.approx((2 * 20 - 15 + 10 * 20) / 2)
    assert run.is_partial
    # A job that takes longer than the mean takes nothing off the others.
    assert run.left_s(100.0) == pytest.approx((2 * 20 - 20 + 10 * 20) / 2)
    run.start(4, "adsorb", at_s=30.0)
    run.end(4, at_s=31.0)
    assert not run.is_partial
    assert run.left_s(30.0) == pytest.approx((2 * 20 - 20 + 9 * 1) / 2)


def test_a_failed_job_counts_for_nothing_and_may_come_again():
    run = TimeLeft(planned=Counter(relax=2))
    run.start(1, "relax", at_s=0.0)
    run.end(1, at_s=1.0, failed=True)
    run.start(1, "relax", at_s=2.0)
    run.end(1, at_s=12.0)
    assert run.left_s(12.0) == pytest.approx(10.0)
    run.end("unknown", at_s=13.0)
    run.start(2, "relax", at_s=12.0)
    run.end(2, at_s=20.0)
    assert run.left_s(20.0) == 0.0 and not run.is_partial


SNAKEFILE = """\
rule all:
    input: expand("{n}", n=range(3))
rule wait:
    output: touch("{n}")
    shell: "sleep 0.5"
"""


def test_a_terminal_shows_bars_and_the_time_left(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--logger", "clusterflow"],
        cwd=tmp_path,
        stdout=inner,
        stderr=inner,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(inner)
    shown = b""
    while piece := _read(outer):
        shown += piece
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"wait\s.*\d+%", text)
    assert re.search(r"Total Progress\s.*about \d s left", text)
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("command", "shown"),
    [("true", "wait: 3 done"), ("false", "failed: wait, log wait-0.log")],
)
def test_a_pipe_shows_a_line_for_each_rule(tmp_path, command, shown):
    rule = SNAKEFILE.replace('    shell: "sleep 0.5"', '    log: "wait-{n}.log"\n')
    (tmp_path / "Snakefile").write_text(f'{rule}    shell: "{command}"\n')
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--logger", "clusterflow"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (1 if command == "false" else 0), done.stderr
    lines = re.sub(r"wait-\d", "wait-0", done.stderr).splitlines()
    assert shown in lines and len(lines) < 12
    assert "\x1b" not in done.stderr


def test_a_pipe_says_every_minute_what_is_done_and_left(monkeypatch, capsys):
    """Jobs of 25 s one by one: each third one ends a minute or more after a line."""
    clock = SimpleNamespace(now_s=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now_s)
    handler = LogHandler(SimpleNamespace(stdout=False), None)

    def tell(event, **said):
        handler.emit(makeLogRecord({"event": event, **said}))

    tell(LogEvent.RUN_INFO, stats={"relax": 7, "che": 1, "all": 1, "total": 9})
    for job in range(7):
        tell(LogEvent.JOB_INFO, jobid=job, rule_name="relax", log=[])
        clock.now_s += 25.0
        tell(LogEvent.JOB_FINISHED, job_id=job)
    tell(LogEvent.JOB_INFO, jobid=7, rule_name="che", log=[])
    clock.now_s += 600.0
    tell(LogEvent.JOB_FINISHED, job_id=7)
    assert capsys.readouterr().err.splitlines() == [
        "3 of 8 jobs done, roughly 2 min 5 s left",
        "6 of 8 jobs done, roughly 50 s left",
        "relax: 7 done",
        "che: 1 done",
    ]


def _read(descriptor):
    try:
        return os.read(descriptor, 4096)
    except OSError:  # what Linux says when the other side is closed
        return b""
