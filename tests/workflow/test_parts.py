"""A study that is too large for one plan: run in parts, and as a whole in the end."""

from __future__ import annotations

import csv
from pathlib import Path

import yaml

from clusterflow.cli.app import main
from clusterflow.study import bundles
from tests.workflow.conftest import EMT

CLAIM = {"name": "mine", "claim": "U_L(HER, Cu2) > -9 V", "source": "unpublished: x"}


def test_a_run_in_parts_goes_on_after_a_failure_and_ends_as_one_of_the_whole(
    finished, tmp_path, monkeypatch, capfd
):
    def tell(*arguments):
        code = main(["run", "--cores", "2", *arguments])
        return code, "".join(capfd.readouterr())

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bundles, "_JOBS_AT_ONCE", 10)
    study = {**EMT, "clusters": ["Cu2", "Cu3"], "claims": [CLAIM]}
    Path("config.yaml").write_text(yaml.safe_dump(study))
    in_the_way = Path("results/tiny/sites/Cu2.json/folder")
    in_the_way.mkdir(parents=True)
    code, said = tell("-k", "--rerun-triggers", "mtime", "--resources", "gpu=1")
    assert code == 1 and "the run is not complete" in said
    assert Path("results/tiny/che/Cu3.json").exists()
    assert "part: 2/2" in said and "part: tables" not in said
    assert not Path("results/tiny/potentials.csv").exists()

    in_the_way.rmdir()
    in_the_way.parent.rmdir()
    assert tell("-n")[1].count("Nothing to be done") == 2
    code, said = tell()
    assert code == 0, said
    rows = {}
    for folder in (finished.path, tmp_path):
        with (folder / "results/tiny/potentials.csv").open() as stream:
            rows[folder] = [r for r in csv.DictReader(stream) if r["cluster"] == "Cu2"]
    assert rows[tmp_path] == rows[finished.path] != []
    assert "not computed" in Path("results/tiny/claims.csv").read_text()
    assert Path("results/tiny/report.html").exists()
    # One plan of all has nothing to add.
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert "Nothing to be done" in tell("-n")[1]
