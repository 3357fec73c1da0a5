"""DFT on a study: the tutorial as it stands on its page, and what it leaves alone."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.slow
def test_the_tutorial_gives_what_it_shows(folder):
    pytest.importorskip("pyscf", reason="needs clusterflow[dft]")
    pytest.importorskip("pyscf.dispersion", reason="needs clusterflow[dft]")
    (config,) = re.findall(r"^```yaml\n(.+?)^```", PAGE, re.M | re.S)
    folder.configure(yaml.safe_load(config))
    commands = re.findall(r"^    clusterflow (.+)$", PAGE, re.MULTILINE)
    assert [shlex.split(c)[0] for c in commands] == ["check", "run", "query", "explain"]
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
