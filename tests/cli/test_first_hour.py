"""What a person who has only the README does first, with its own commands."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import EMT, Folder

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Ten minutes")[2].partition("\n## ")[0]
TRIMER = "3\ncopper trimer\nCu 0 0 0\nCu 2.3 0 0\nCu 1.15 1.99 0\n"


def commands(heading: str) -> list[str]:
    """Lines to type below a heading of the section, up to the next one."""
    text = SECTION.partition(f"**{heading}")[2].partition("\n**")[0]
    return re.findall(r"^    (.+)$", text, re.MULTILINE)


def type_in(folder: Folder, command: str) -> str:
    """Standard output of a command typed in a folder."""
    words = shlex.split(command)
    assert words[0] == "clusterflow"
    done = folder.call(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The README's first study, run; at a level that takes no time."""
    new, cd, run = commands("A report.")
    where = Folder(tmp_path_factory.mktemp("home"))
    type_in(where, new)
    folder = Folder(where.path / cd.removeprefix("cd "))
    config = folder.path / "config.yaml"
    quick = {key: EMT[key] for key in ("level", "edges")}
    content = yaml.safe_load(config.read_text()) | quick
    content["thermo"] |= EMT["thermo"]
    config.write_text(yaml.safe_dump(content))
    folder.said = type_in(folder, run)
    return folder


def test_a_report(study):
    """It is where the README says, and a run says it too."""
    (name,) = re.findall(r"Open `(.+?)`", SECTION)
    assert f"report: {name}" in study.said
    page = (study.path / name).read_text()
    assert "my-Cu2" in page and "</html>" in page


@pytest.mark.xtb
def test_the_number_of_the_first_study_is_the_one_that_the_readme_has(tmp_path):
    new, cd, run = commands("A report.")
    type_in(Folder(tmp_path), new)
    folder = Folder(tmp_path / cd.removeprefix("cd "))
    type_in(folder, run)
    said, step = re.findall(r"(?s): (−[\d.]+) V against RHE, .+? `(.+?)`", SECTION)[0]
    with (folder.path / "results/first/potentials.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    median = float(row["limiting_potential_median_v_rhe"])
    assert round(median, 3) == float(said.replace("−", "-"))
    assert row["determining_step"] == step


def test_a_cluster_of_ones_own(study):
    """Only its own jobs run, and it stands in the tables beside the first."""
    add, setting, run = commands("A cluster of your own,")
    (study.path / "mine.xyz").write_text(TRIMER)
    type_in(study, add)
    config = study.path / "config.yaml"
    content = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(content | yaml.safe_load(setting)))
    type_in(study, "clusterflow check")
    record = study.path / "results/first/adsorb/my-Cu2/H.json"
    before = record.stat().st_mtime_ns
    type_in(study, run)
    assert record.stat().st_mtime_ns == before
    with (study.path / "results/first/potentials.csv").open() as stream:
        found = {row["cluster"]: row for row in csv.DictReader(stream)}
    assert found.keys() == set(yaml.safe_load(setting)["clusters"])
    estimate = "limiting_potential_best_estimate_v_rhe"
    assert all(row[estimate] for row in found.values())


def test_a_figure_for_a_paper(study):
    """It is there with its numbers, the same as in the tables."""
    (plot,) = commands("A figure for a paper,")
    type_in(study, plot)
    figure = study.path / shlex.split(plot)[-1]
    assert figure.read_bytes().startswith(b"%PDF")
    (table,) = re.findall(r"beside it as `(.+?)`", SECTION)
    with (study.path / table).open() as stream:
        drawn = {(row["cluster"], row["step"]): row for row in csv.DictReader(stream)}
    with (study.path / "results/first/steps.csv").open() as stream:
        for row in csv.DictReader(stream):
            there = drawn[row["cluster"], row["step"]]["step_dg_ev"]
            assert float(there) == pytest.approx(float(row["dg_ev"]), abs=2e-6)
