"""How far a study is: counts, what is left, and whether anybody works at it."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from clusterflow.cli.app import main
from clusterflow.run.lease import HOLDER, current_run, describe_run
from clusterflow.study.new import new
from clusterflow.study.status import study_progress

STUDY = "study: toy\nclusters: [Cu2, Cu4]\nreactions: [HER]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(STUDY)
    return tmp_path


def write(name, wall_s, status="ok"):
    path = Path("results/toy") / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"status": status, "provenance": {"wall_time_s": wall_s}}
    path.write_text(json.dumps(content))


def run_of(process, **changes):
    state = describe_run(process.pid).model_copy(update=changes)
    HOLDER.parent.mkdir(exist_ok=True)
    HOLDER.write_text(state.model_dump_json())


def stages(found):
    return {s.stage: (s.done, s.failed, s.waiting) for s in found.stages}


def test_an_unstarted_study_waits_for_everything(folder):
    found = study_progress()
    counts = stages(found)
    # Two clusters, one adsorbate, and the gases CO2, H2 and H2O at one level.
    assert counts["relax"] == counts["adsorb"] == counts["che"] == (0, 0, 2)
    assert counts["gas"] == (0, 0, 3) and counts["report"] == (0, 0, 1)
    assert found.run is None and found.elapsed_s is None
    assert found.left_s is None and found.left_is_partial


def test_records_are_counted_and_the_rest_is_judged_by_them(folder):
    for name, wall_s, status in (
        ("build/Cu2", 1.0, "ok"),
        ("build/Cu4", 3.0, "ok"),
        ("relax/Cu2", 10.0, "failed"),
        ("gas/gfn1-xtb/H2", 4.0, "ok"),
        ("gas/gfn1-xtb/CO2", 6.0, "ok"),
    ):
        write(name, wall_s, status)
    Path("results/toy/relax/Cu4.json").write_text("{half")
    counts = stages(study_progress())
    assert counts["build"] == (2, 0, 0)
    assert counts["relax"] == (0, 1, 1), "a half-written record is not there"
    assert counts["gas"] == (2, 0, 1)
    found = study_progress()
    # relax of Cu4 as that of Cu2, by the cost of a gradient of n basis functions,
    # 0.5 ms + 1.9 µs n² + 12.5 ns n³, nine of each copper; H2O as the mean of the
    # other molecules.
    copper = {n: 5e-4 + 1.9e-6 * n**2 + 12.5e-9 * n**3 for n in (18, 36)}
    ratio = copper[36] / copper[18]
    assert found.left_s == pytest.approx(10.0 * ratio + 5.0)
    assert found.left_is_partial, "nothing is known of the other stages"


def test_a_large_cluster_is_not_judged_by_a_small_one(folder):
    names = ["Cu2", "Cd13Se13"]
    Path("config.yaml").write_text(STUDY.replace("[Cu2, Cu4]", f"[{', '.join(names)}]"))
    for stage in ("build", "relax"):
        write(f"{stage}/Cu2", 1.0)
    found = study_progress().left_s
    # A gradient costs a hundred times that of Cu2, with four functions of each cadmium
    # and nine of each selenium; building it does not.
    assert found == pytest.approx(1.0 + 0.11510 / 0.0011885, rel=1e-3)
    write("relax/Cd13Se13", 30.0)
    assert study_progress().left_s == pytest.approx(1.0)


def test_records_of_other_clusters_do_not_count(folder):
    write("relax/Cd6Se6", 1.0)
    assert stages(study_progress())["relax"] == (0, 0, 2)


def test_a_run_is_seen_with_its_overlays_and_cores(folder):
    Path("more.yaml").write_text("clusters: [Cu2]\n")
    write("relax/Cu2", 1.0)
    run_of(psutil.Process(), configfiles=("more.yaml",), cores=4, study="toy")
    found = study_progress()
    assert found.run is not None and found.elapsed_s > 0 and found.cores == 4
    assert stages(found)["relax"] == (1, 0, 0), "the overlay names one cluster"


def test_a_run_that_is_gone_is_no_run(folder):
    run_of(psutil.Process(), create_time=1.0)
    assert current_run() is None and study_progress().run is None


def test_a_run_on_another_machine_counts(folder):
    run_of(psutil.Process(), host="elsewhere", pid=1, create_time=1.0)
    assert current_run().host == "elsewhere"


def test_the_verb_looks_into_a_folder_and_leaves_where_it_was(folder, capsys):
    study = folder / "other"
    new(study)
    here = Path.cwd()
    assert main(["status", str(study), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert Path.cwd() == here
    assert content["study"] == "other" and content["running"] is False
    assert sum(stage["waiting"] for stage in content["stages"]) == 15
    assert main(["status", str(study)]) == 0
    assert "15 records to come, time not known" in capsys.readouterr().out
    assert main(["status", str(folder / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_bars_are_as_long_as_what_is_there(folder, capsys):
    for name in ("build/Cu2", "build/Cu4", "relax/Cu2"):
        write(name, 1.0)
    assert main(["status"]) == 0
    said = capsys.readouterr().out.splitlines()
    lines = {line.split()[0]: line for line in said if line.strip()}
    assert lines["build"].count("━") == 20 and "100%" in lines["build"]
    assert lines["relax"].count("━") == 10 and "50%" in lines["relax"]
    assert lines["che"].count("━") == 0 and "0%" in lines["che"]
