"""Runs that are killed at any moment, in any part, go on to the same numbers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.faults.conftest import IS_LONG, Study

if TYPE_CHECKING:
    from pathlib import Path

N_KILLS = int(os.environ.get("CLUSTERFLOW_KILLS", "100")) if IS_LONG else 3
# A run whose job was killed goes on to its end, on a busy machine slowly.
PATIENCE_S = 1800 if IS_LONG else 300
CORES = 2
# Who gets it; a machine that loses power kills all of them.
VICTIMS = ("all", "run", "snakemake", "job")
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def start(study: Study, *arguments: str) -> subprocess.Popen:
    arguments = arguments or ("--cores", str(CORES))
    return subprocess.Popen(
        [sys.executable, "-m", "clusterflow", "run", *arguments],
        cwd=study.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(study.temporary)},
        text=True,
        start_new_session=True,
    )


def strike(run: subprocess.Popen, victim: str, number: int, chance: random.Random):
    """Send a signal to some of the processes of a run; wait for the end of all."""
    try:
        family = [psutil.Process(run.pid)]
        family += family[0].children(recursive=True)
    except psutil.NoSuchProcess:
        return
    chosen = family
    if victim == "run":
        chosen = family[:1]
    elif victim == "snakemake":
        chosen = [p for p in family[1:] if "snakemake" in " ".join(_words(p))][:1]
    elif victim == "job":
        chosen = chance.sample(family[1:], 1) if family[1:] else []
    # Parents first: one that outlives its child may start another.
    for process in chosen:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
    if victim in ("run", "snakemake"):
        # What outlives it is to be waited for, as the next run would say.
        psutil.wait_procs(family, timeout=PATIENCE_S)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_killed_runs_end_with_the_numbers_of_an_undisturbed_one(
    undisturbed, tmp_path, count
):
    seed = int(os.environ.get("CLUSTERFLOW_SEED", "20"))
    chance = random.Random(seed)
    count(0)
    numbers = undisturbed.read_numbers()
    longest_s = 0.9 * undisturbed.seconds
    kills, round_ = 0, 0
    while kills < N_KILLS:
        round_ += 1
        study = Study(_make(tmp_path / str(round_)))
        for _ in range(8):
            if kills == N_KILLS:
                break
            what = chance.choice(VICTIMS), chance.choice(SIGNALS)
            # Early kills hit the start, late ones the tables; most hit jobs.
            until = chance.uniform(0, longest_s)
            if kills == 0:  # in any case: the machine loses power in the middle
                what, until = ("all", signal.SIGKILL), longest_s / 2
            before = study.stamp_records()
            started = time.monotonic()
            run = start(study)
            while run.poll() is None and time.monotonic() - started < until:
                time.sleep(0.02)
            if run.poll() is None:
                strike(run, *what, chance)
                kills += 1
                count(kills)
            said = run.communicate(timeout=PATIENCE_S)[0]
            where = f"seed {seed}, kill {kills}, round {round_}: {what}\n{said}"
            assert "Traceback" not in said, where
            check_kept(before, study.stamp_records(), where)
            if (study.results / "report.html").exists():
                break
        finish(study, numbers, f"seed {seed}, round {round_}")


def _make(path: Path) -> Path:
    path.mkdir()
    return path


def check_kept(before, after, where) -> None:
    """No record is lost, and none made again but those that were under way.

    A record may be there without Snakemake having heard of it.
    """
    assert before.keys() <= after.keys(), where
    again = [str(path) for path in before if after[path] != before[path]]
    assert len(again) <= CORES, f"{where}\nmade again: {again}"


def finish(study: Study, numbers, where: str) -> None:
    """Run to the end and look at everything."""
    for _ in range(3):  # processes that were left may still be at work
        before = study.stamp_records()
        age_leftovers(study)
        done = study.run()
        said = done.stdout + done.stderr
        if done.returncode == 0 or "still work here" not in said:
            break
        time.sleep(5)
    assert done.returncode == 0, f"{where}\n{said}"
    assert "Traceback" not in said, where
    check_kept(before, study.stamp_records(), where)
    assert study.read_numbers() == numbers, where
    for log in study.results.glob("logs/**/*.log"):
        assert "Traceback" not in log.read_text(), f"{where}: {log}"
    assert study.list_left_behind() == [], where


def age_leftovers(study: Study) -> None:
    """What a killed run has left is old when the next one begins."""
    for path in (*study.results.rglob(".*"), *study.temporary.glob("clusterflow-*")):
        os.utime(path, (1, 1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_asked_to_stop_leaves_nothing(tmp_path, number):
    study = Study(tmp_path)
    run = start(study)
    until = time.monotonic() + 120
    while time.monotonic() < until and len(study.stamp_records()) < 3:
        time.sleep(0.05)
    run.send_signal(number)
    said = run.communicate(timeout=120)[0]
    assert run.returncode != 0 or (study.results / "report.html").exists()
    assert "Traceback" not in said, said
    left = [one for one in study.list_left_behind() if ".scratch" not in one]
    assert left == [], said
