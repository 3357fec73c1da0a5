"""A database that refuses: said before a run, and it costs no table after one."""

from __future__ import annotations

import csv
import sys

import pytest

from clusterflow.cli.app import main
from clusterflow.run.start import run_study

# Port 9 discards: nobody listens there.
DEAD = "postgresql://me@127.0.0.1:9/db"


@pytest.fixture
def study(tmp_path, monkeypatch):
    pytest.importorskip("ase_db_backends", reason="needs clusterflow[postgresql]")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(
        "study: a\nclusters: [Cu2]\nreactions: []\nadsorbates: []\n"
        f"collect: {{database: '{DEAD}'}}\n"
    )
    return tmp_path


@pytest.mark.parametrize("verb", [["check"], ["run"]])
def test_a_dead_server_is_found_before_anything_is_computed(study, capsys, verb):
    assert main(verb) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert said.err.startswith(f"error: collect.database {DEAD}: ")
    assert not (study / "results").exists()


def test_a_missing_driver_is_found_before_anything_is_computed(
    study, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    assert main(["run"]) == 2
    assert "pip install 'clusterflow[postgresql]'" in capsys.readouterr().err
    assert not (study / "results").exists()


def test_a_server_that_dies_during_the_run_leaves_every_table(study, capfd):
    """Without the try at its start, as if the server had been there then."""
    assert run_study(configfiles=[], cores=2, snakemake_args=["--quiet"]) != 0
    results = study / "results/a"
    log = (results / "logs/collect.log").read_text()
    assert log.startswith(f"error: {DEAD}: cannot be written to (")
    assert log.count("\n") == 1
    with (results / "energies.csv").open(newline="") as stream:
        assert "Cu2" in {row["cluster"] for row in csv.DictReader(stream)}
    assert (results / "results.db").stat().st_size > 0
    assert not (results / "collect.json").exists()

    # The database is left out, and only what depends on it runs again.
    (study / "mine.yaml").write_text("collect: {database: null}\n")
    relaxed = (results / "relax/Cu2.json").stat().st_mtime_ns
    assert main(["run", "--configfile", "mine.yaml", "--cores", "2"]) == 0
    assert (results / "report.html").is_file()
    assert (results / "relax/Cu2.json").stat().st_mtime_ns == relaxed
