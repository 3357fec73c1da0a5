"""Engines that hang, eat the memory or crash leave a hole with a reason."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from clusterflow.errors import ClusterflowError
from clusterflow.run.watchdog import watch
from clusterflow.settings import WatchdogSettings
from tests.workflow.conftest import EMT, Folder

# Each cluster with hydrogen has a fault of its own.
ENGINE = """
import ctypes, os, time
import numpy as np
from ase.calculators.emt import EMT

class Faulty(EMT):
    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        formula = atoms.symbols.formula.format("metal")
        if formula == "Cu2H":
            time.sleep(1000)
        if formula == "Cu4H":
            ctypes.string_at(0)
        if formula == "Cu6H":
            eaten = [np.ones(60_000_000)]
            time.sleep(1000)
        if formula == "Cu8H":
            os._exit(3)
        super().calculate(atoms, properties, system_changes)
"""
LEVEL = """
name: faulty
description: EMT with faults.
source: "unpublished: a test"
engine: {calculator: "faulty_engine:Faulty", spinless: true}
method: EMT
"""
REASONS = {
    "Cu2": "no step of progress in 0.2 min",
    "Cu4": "SIGSEGV (Segmentation fault)",
    "Cu6": "500 MB are allowed",
    "Cu8": "exit code 3",
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A study of four clusters with a fault each, and a sound one; and its run."""
    folder = Folder(tmp_path_factory.mktemp("faulty"))
    (folder.path / "faulty_engine.py").write_text(ENGINE)
    levels = folder.path / "structures/levels"
    levels.mkdir(parents=True)
    (levels / "faulty.yaml").write_text(LEVEL)
    folder.configure(
        {
            **EMT,
            "clusters": [*REASONS, "Cu3"],
            "level": {"preferred": ["faulty"], "probes": []},
            "watchdog": {"stalled_min": 0.2, "memory_mb": 500, "tries": 2},
        }
    )
    path = os.pathsep.join([str(folder.path), os.environ.get("PYTHONPATH", "")])
    done = folder.call("clusterflow", "run", "--cores", "2", env={"PYTHONPATH": path})
    return folder.path / "results/tiny", done


def test_the_run_ends_in_tables_and_report_with_the_holes(faulty):
    results, done = faulty
    assert done.returncode == 0, done.stdout + done.stderr
    assert (results / "report.html").is_file()
    with (results / "failures.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["stage"] == "adsorb"]
    assert {row["cluster"] for row in rows} == REASONS.keys()
    for row in rows:
        assert row["reason"].startswith("given up after 2 tries: "), row
        assert REASONS[row["cluster"]] in row["reason"], row
        hole = f"hole: results/tiny/adsorb/{row['cluster']}/H.json: {row['reason']}"
        assert hole in done.stderr
    with (results / "energies.csv").open() as stream:
        found = {
            row["cluster"]: row
            for row in csv.DictReader(stream)
            if row["species"] == "*H"
        }
    assert found["Cu3"]["formation_ev"]
    for cluster, reason in REASONS.items():
        assert found[cluster]["formation_ev"] == ""
        assert reason in found[cluster]["reason"]


@pytest.mark.parametrize("cluster", REASONS)
def test_each_try_is_in_the_log_of_its_job(faulty, cluster):
    log = (faulty[0] / f"logs/adsorb/{cluster}/H.log").read_text()
    assert log.count(REASONS[cluster]) == 2


def test_nothing_is_left_running(faulty):
    here = str(faulty[0].parents[1])
    left = [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == here]
    assert not left


SOON = WatchdogSettings(stalled_min=0.02, tries=1)


def test_progress_keeps_a_slow_job_alive(tmp_path):
    def work(note_progress):
        for _ in range(10):
            time.sleep(0.4)
            note_progress()
        (tmp_path / "done").touch()

    assert watch(work, SOON) == ""
    assert (tmp_path / "done").exists()


@pytest.fixture(params=["linux", "darwin"])
def platform(request, monkeypatch):
    """With forks, and without them, where each error must come out the same."""
    monkeypatch.setattr(sys, "platform", request.param)
    return request.param


def test_work_is_tried_again_on_every_platform(platform, tmp_path, capfd):
    def work(note_progress):
        note_progress()
        with (tmp_path / "tries").open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        if (tmp_path / "tries").read_text().count("\n") < 2:
            raise ValueError("no convergence")

    assert watch(work, WatchdogSettings(tries=2)) == ""
    assert "error: ValueError: no convergence" in capfd.readouterr().err
    own = str(os.getpid()) in (tmp_path / "tries").read_text().split()
    assert own == (platform == "darwin")


def test_what_a_person_must_mend_is_no_hole(platform):
    def work(note_progress):
        raise ClusterflowError("Cu4.yaml: no such file")

    with pytest.raises(ClusterflowError, match="no such file"):
        watch(work, WatchdogSettings())


def test_a_full_disk_is_no_hole(platform, tmp_path):
    def work(note_progress):
        raise OSError(28, "No space left on device", str(tmp_path))

    with pytest.raises(OSError, match="No space left"):
        watch(work, WatchdogSettings())


def test_an_error_that_cannot_be_sent_still_has_its_words(platform, capfd):
    class OddError(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} and {two}")

    def work(note_progress):
        raise OddError("this", "that")

    assert "OddError: this and that" in watch(work, WatchdogSettings(tries=1))
    assert "Traceback" in capfd.readouterr().err


WATCHING = """
import signal, sys, time
from clusterflow.run.watchdog import watch
from clusterflow.settings import WatchdogSettings

# A shell has jobs in its background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

def work(note_progress):
    print("working", flush=True)
    while True:
        time.sleep(0.1)
        note_progress()

watch(work, WatchdogSettings())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_who_is_stopped_takes_the_work_along_and_tries_no_more(number):
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHING],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None and process.stdout.readline() == b"working\n"
    (worker,) = psutil.Process(process.pid).children()
    process.send_signal(number)
    assert process.wait(timeout=10) == -number
    _, alive = psutil.wait_procs([worker], timeout=10)
    assert not alive
    # No second try has begun.
    assert process.stdout.read() == b""


def test_another_limit_runs_no_job_again(faulty):
    folder = Folder(faulty[0].parents[1])
    config = json.loads(json.dumps(EMT))
    settings = {"level": {"preferred": ["faulty"], "probes": []}}
    settings["watchdog"] = {"stalled_min": 30}
    folder.configure({**config, **settings, "clusters": [*REASONS, "Cu3"]})
    assert folder.rules_to_run() == set()
