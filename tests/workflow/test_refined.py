"""DFT on a study: the tutorial as it stands on its page, and what it leaves alone."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from .conftest import EMT

PAGE = (Path(__file__).parents[2] / "docs/dft.md").read_text(encoding="utf-8")
REFINING = {
    *("refine_gas", "refine_bare", "refine", "refined_thermo", "refined_che"),
    *("collect", "report"),
}


def test_a_study_that_has_run_is_refined_without_repeating_anything(finished):
    refined = {"refine": {"species": "all", "level": "pbe-d3-svp-cp"}}
    finished.configure(refined, "refined.yaml")
    assert finished.rules_to_run() == set()
    jobs = finished.jobs_to_run("--configfile", "config.yaml", "refined.yaml")
    assert set(jobs) == REFINING
    assert (jobs["refine"], jobs["refine_bare"], jobs["refined_che"]) == (1, 1, 1)
    refined["refine"] |= {"relax": ["H"], "second_level": "r2scan-d4-tzvp"}
    finished.configure(refined, "refined.yaml")
    jobs = finished.jobs_to_run("--configfile", "config.yaml", "refined.yaml")
    assert set(jobs) == {*REFINING, "refine_relax", "refine_second"}
    assert (jobs["refine_relax"], jobs["refine_second"]) == (1, 1)


UNSURE = {
    **{"name": "unsure", "description": "EMT that says how wrong it is."},
    **{"source": "10.1016/0039-6028(96)00816-3", "engine": "emt", "method": "EMT"},
    "uncertainty_ev": 0.5,
}
CHOOSING = EMT | {
    "clusters": ["Cu2", "Cu4"],
    "level": {"preferred": ["unsure"], "probes": ["H"]},
    # Any engine is one that refines: GFN1 takes a tenth of a second.
    "refine": {"species": "chosen", "level": "gfn1-xtb", "rounds": 3, "until_v": 0.01},
}


def read_plan(folder, number):
    path = folder.path / f"results/tiny/refine_plan/{number}.json"
    return json.loads(path.read_text())


def list_chosen(folder, number):
    species = read_plan(folder, number)["species"]
    return {s["cluster"]: s["chosen_in"] for s in species if s["chosen_in"]}


def test_rounds_choose_until_it_is_enough_and_compute_nothing_twice(folder):
    levels = folder.path / "structures/levels"
    levels.mkdir(parents=True)
    (levels / "unsure.yaml").write_text(yaml.safe_dump(UNSURE))
    poor = {"refine": {**CHOOSING["refine"], "budget_h": 1e-9}}
    folder.configure(CHOOSING | poor)
    done = folder.run()
    assert done.returncode == 0, done.stderr
    assert "is spent" in read_plan(folder, 3)["ends"]
    results = folder.path / "results/tiny"
    record = json.loads((results / "refine/Cu4/H.json").read_text())
    assert record["status"] == "ok" and record["minima"] == []
    assert "not chosen in round 3: takes" in record["reason"]
    profile = json.loads((results / "refined_che/Cu4.json").read_text())["profiles"]
    assert "*H: calibrated" in profile["results"][0]["flags"]
    # A larger budget runs the rounds again, and not what they are chosen from.
    folder.configure(CHOOSING)
    assert folder.rules_to_run() == {
        *("refine_plan", "refine_round", "refine", "refined_thermo", "refined_che"),
        *("collect", "report"),
    }
    done = folder.run()
    assert done.returncode == 0, done.stderr
    # One a round, for two candidates in three rounds.
    assert len(list_chosen(folder, 1)) == 1
    assert sorted(list_chosen(folder, 2).values()) == [1, 2]
    assert "narrower than 0.01 V" in read_plan(folder, 3)["ends"]
    points = {p: p.stat().st_mtime_ns for p in results.glob("refine_points/*.json")}
    assert len(points) == 2
    # What earlier rounds have computed stands in all later ones.
    first = next(iter(list_chosen(folder, 1)))
    rounds = [results / f"rounds/{n}/refine/{first}/H.json" for n in (1, 2)]
    rounds.append(results / f"refine/{first}/H.json")
    minima = [json.loads(path.read_text())["minima"] for path in rounds]
    assert minima[0] and minima[0] == minima[1] == minima[2]
    # Chosen anew from the same points, cut off in the middle.
    folder.configure({"refine": {**CHOOSING["refine"], "rounds": 2}}, "fewer.yaml")
    done = folder.run("--configfile", "fewer.yaml", "--until", "refine_round")
    assert done.returncode == 0, done.stderr
    done = folder.run("--configfile", "fewer.yaml")
    assert done.returncode == 0, done.stderr
    assert len(list_chosen(folder, 2)) == 2
    assert {p: p.stat().st_mtime_ns for p in points} == points
    assert len(list(results.glob("refine_points/*.json"))) == 2
    again = ("--configfile", "config.yaml", "fewer.yaml")
    assert folder.rules_to_run(*again) == set()
    status = folder.call("clusterflow", "status", "--configfile", "fewer.yaml")
    assert re.search(r"refinement: \d+ points done in .* none ahead", status.stdout)


@pytest.mark.slow
def test_the_tutorial_gives_what_it_shows(folder):
    pytest.importorskip("pyscf", reason="needs clusterflow[dft]")
    pytest.importorskip("pyscf.dispersion", reason="needs clusterflow[dft]")
    (config,) = re.findall(r"^```yaml\n(.+?)^```", PAGE, re.M | re.S)
    folder.configure(yaml.safe_load(config))
    commands = re.findall(r"^    clusterflow (.+)$", PAGE, re.MULTILINE)
    verbs = [shlex.split(command)[0] for command in commands]
    assert verbs == ["check", "run", "query", "explain", "plot"]
    said = {}
    for command in commands:
        words = shlex.split(command)
        done = folder.call("clusterflow", *words)
        assert done.returncode == 0, done.stderr
        said[words[0]] = done.stdout
    (shown,) = re.findall(r"^      HER +(\S+) +(\S+)$", PAGE, re.MULTILINE)
    (row,) = re.findall(r"^ *HER +(\S+) +(\S+) *$", said["query"], re.MULTILINE)
    # Machines differ in the last digits of vibrations and of loose SCFs.
    assert [*map(float, row)] == pytest.approx([*map(float, shown)], abs=3e-3)
    assert f"= {-float(row[1]):+.3f}" in said["explain"].splitlines()[0]
    assert "counterpoise within E / eV: +0." in said["explain"]
    assert re.search(r"⟨S²⟩ 0\.7[5-9]", said["explain"])
