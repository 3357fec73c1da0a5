"""A study in a few batch jobs, by a SLURM that runs each job when it is sent."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import pytest
import yaml

from clusterflow.cli.app import main
from tests.workflow.conftest import EMT

STUDY = {**EMT, "clusters": ["Cu2", "Cu3", "Cu4"]}
CLAIM = {"name": "mine", "claim": "U_L(HER, Cu2) > -9 V", "source": "unpublished: x"}
# A job runs as soon as it is sent, which is after those that it depends on.
SBATCH = """#!{python}
import os, pathlib, subprocess, sys
jobs = pathlib.Path("{jobs}")
number = 101 + (len(jobs.read_text().splitlines()) if jobs.exists() else 0)
with jobs.open("a") as stream:
    stream.write("\\t".join(sys.argv[1:]) + "\\n")
if "--account=nobody" in sys.argv and "--bundle 0/" not in sys.argv[-1]:
    sys.exit("sbatch: error: invalid account")
options = dict(a.split("=", 1) for a in sys.argv if a.startswith("--") and "=" in a)
with open(options["--output"], "a") as log:
    subprocess.run(
        sys.argv[-1], shell=True, stdout=log, stderr=log,
        env=os.environ | {{"SLURM_JOB_ID": str(number)}},
    )
print(number)
"""
QUEUE = "#!/bin/sh\nprintf '%s' \"$QUEUED\"\n"
CANCEL = '#!/bin/sh\necho "$@" > {jobs}.cancelled\n'


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A folder with a study, and programs in the place of those of SLURM."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**STUDY, "claims": [CLAIM]}))
    programs = tmp_path / "bin"
    programs.mkdir()
    jobs = tmp_path / "jobs"
    for name, text in (("sbatch", SBATCH), ("squeue", QUEUE), ("scancel", CANCEL)):
        path = programs / name
        path.write_text(text.format(python=sys.executable, jobs=jobs))
        path.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    monkeypatch.setenv("QUEUED", "")
    return jobs


def test_bundles_leave_what_a_run_leaves_and_compute_nothing_twice(slurm, capfd):
    assert main(["submit", "--bundles", "2", "--cores", "2", "--time=10"]) == 0
    sent = [line.split("\t") for line in slurm.read_text().splitlines()]
    said = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in said[:-1]] == ["101", "102", "103", "104"]
    after = [[o for o in job if o.startswith("--dependency")] for job in sent]
    assert after == [
        [],
        ["--dependency=afterok:101"],
        ["--dependency=afterok:101"],
        ["--dependency=afterany:101:102:103"],
    ]
    assert all("--time=10" in job and "--requeue" in job for job in sent)
    results = Path("results/tiny")
    logs = {path.stem: path.read_text() for path in results.glob("logs/bundles/*")}
    done = "\n".join(logs.values())
    assert "error" not in done, done
    # The last one had nothing to do but the claim, the tables and the report.
    assert "this run: 3 records" in logs["end"]
    assert "gas: 1 done" in logs["shared"] and "build" not in logs["shared"]
    assert "gas" not in logs["1"] + logs["2"]
    with (results / "potentials.csv").open() as stream:
        assert {r["cluster"] for r in csv.DictReader(stream)} == set(STUDY["clusters"])
    assert main(["run", "--cores", "1", "-n"]) == 0
    assert "Nothing to be done" in "".join(capfd.readouterr())


def test_a_study_in_the_queue_is_not_sent_again(slurm, capsys, monkeypatch):
    monkeypatch.setenv("QUEUED", f"7|{Path.cwd()}|clusterflow-tiny-2\n8|/x|other\n")
    assert main(["submit", "--bundles", "2"]) == 2
    assert (
        "is in the queue; wait, or stop it with: scancel 7" in capsys.readouterr().err
    )
    assert not slurm.exists()


def test_what_sbatch_refuses_takes_the_rest_along(slurm, capsys):
    assert main(["submit", "--bundles", "2", "--account=nobody"]) == 2
    assert capsys.readouterr().err == "error: sbatch: sbatch: error: invalid account\n"
    assert Path(f"{slurm}.cancelled").read_text() == "101\n"


def test_without_slurm_it_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(STUDY))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["submit", "--bundles", "2"]) == 2
    assert "sbatch: no such program here" in capsys.readouterr().err
    assert main(["submit", "--bundles", "9", "-n"]) == 0
    commands = capsys.readouterr().out.splitlines()
    assert len(commands) == 5, "three clusters are no nine bundles"
    assert not Path("results").exists()
