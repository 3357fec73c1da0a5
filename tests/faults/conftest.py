"""Campaigns: the same faults in a short form for every day and a long one by night.

``CLUSTERFLOW_FAULTS=long pytest tests/faults`` runs the long one. Both end with a table
of what was tried.
"""

from __future__ import annotations

import csv
import os
import time
from collections import defaultdict
from pathlib import Path

import psutil
import pytest

from tests.workflow.conftest import EMT, Folder

IS_LONG = os.environ.get("CLUSTERFLOW_FAULTS") == "long"
KINDS = {
    "test_kills": "random kills",
    "test_damaged_records": "damaged records",
    "test_bad_inputs": "bad inputs",
    "test_yaml": "bad inputs",
    "test_engine_faults": "engine faults",
    "test_watchdog": "engine faults",
    "test_full_disks": "full disks",
    "test_lost_nodes": "lost nodes and controllers",
}
# What Snakemake leaves in a folder that is an output.
SNAKEMAKES = (".snakemake_timestamp",)
# Numbers that two runs of one study share to the last digit.
TABLES = ("energies.csv", "steps.csv", "potentials.csv", "edges.csv", "minima.csv")


@pytest.fixture(autouse=True)
def count(request, record_property):
    """Tell how many faults a test tries, where it is not one."""
    kind = KINDS.get(request.module.__name__.rpartition(".")[2])
    tried = [1]
    yield tried.append
    if kind is not None:
        record_property("tried", tried[-1])


def pytest_terminal_summary(terminalreporter):
    """The table: what was tried, and how often it went wrong."""
    rows = defaultdict(lambda: [0, 0, 0.0])
    for outcome in ("passed", "failed", "error", ""):
        for report in terminalreporter.getreports(outcome):
            kind = KINDS.get(Path(report.location[0]).stem)
            if kind is not None:
                tried = dict(report.user_properties).get("tried", 0)
                rows[kind][0] += tried if report.when == "teardown" else 0
                rows[kind][1] += report.failed
                rows[kind][2] += report.duration
    if rows:
        terminalreporter.write_line(
            f"{'faults':<28} {'tried':>6} {'failed':>6} {'s':>6}"
        )
    for kind, (tried, failed, seconds) in sorted(rows.items()):
        terminalreporter.write_line(f"{kind:<28} {tried:6} {failed:6} {seconds:6.0f}")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The study of the campaigns without any fault."""
    study = Study(tmp_path_factory.mktemp("undisturbed"))
    started = time.monotonic()
    done = study.run()
    assert done.returncode == 0, done.stderr
    study.seconds = time.monotonic() - started
    return study


class Study(Folder):
    """A study of two clusters by EMT, and what is asked of it after a fault."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.configure({**EMT, "clusters": ["Cu2", "Cu4"]})
        self.results = path / "results/tiny"
        self.seconds = 0.0
        self.temporary = path / "tmp"
        self.temporary.mkdir()

    def run(self, *arguments: str):
        """`clusterflow run` with a folder of its own for temporary files."""
        env = {"TMPDIR": str(self.temporary)}
        return self.call("clusterflow", "run", "--cores", "2", *arguments, env=env)

    def stamp_records(self) -> dict[Path, int]:
        """When each finished record was written."""
        stamps = {}
        for path in self.results.glob("*/**/*.json"):
            if not any(part.startswith(".") for part in path.parts[-3:]):
                stamps[path] = path.stat().st_mtime_ns
        return stamps

    def read_numbers(self) -> dict[str, list[dict[str, str]]]:
        """All rows of the tables."""
        found = {}
        for name in TABLES:
            with (self.results / name).open(newline="") as stream:
                found[name] = list(csv.DictReader(stream))
        return found

    def list_left_behind(self) -> list[str]:
        """Files and processes that a finished study has no use of."""
        hidden = [p for p in self.results.rglob(".*") if p.name not in SNAKEMAKES]
        leases = [*self.path.glob(".snakemake/clusterflow-run*")]
        leases += [*self.path.glob(".snakemake/.clusterflow-run*")]
        locks = [*self.path.glob(".snakemake/locks/*")]
        sockets = [*self.temporary.glob("clusterflow-*")]
        return [*map(str, (*hidden, *leases, *locks, *sockets)), *self.list_processes()]

    def list_processes(self) -> list[str]:
        """Command lines of processes that work in the folder."""
        found = []
        for process in psutil.process_iter(["cwd", "cmdline"]):
            if process.info["cwd"] == str(self.path):
                found.append(" ".join(process.info["cmdline"] or []))
        return found
