"""What a large cluster costs is said before it is computed."""

from __future__ import annotations

import re

import pytest
from ase.cluster import Octahedron
from ase.io import write

from clusterflow.cli.app import main
from clusterflow.cli.options import read_inputs
from clusterflow.library.find import Library
from clusterflow.study.check import check
from clusterflow.study.cost import describe_stages_cost
from clusterflow.study.resources import gradient_s


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for length, cutoff in ((7, 2), (5, 1)):
        atoms = Octahedron("Cu", length, cutoff)
        write(f"Cu{len(atoms)}.xyz", atoms)
    return tmp_path


def cost(stage, subject, **of):
    return describe_stages_cost(read_inputs(stage, [subject], "{}", of=of))


# CPU seconds of a second gradient on one core, GFN1-xTB at 300 K.
MEASURED_S = {
    **{"Cu55": 2.0, "Au25SH18-anion": 1.2, "Cd33Se33": 2.4},
    **{"Au38SH24": 3.9, "Au25SCH318-anion": 2.9},
}


@pytest.mark.parametrize("name", sorted(MEASURED_S))
def test_a_gradient_takes_about_what_was_measured(name):
    found = gradient_s(Library.default().cluster(name).counts)
    assert MEASURED_S[name] / 2 < found < 2 * MEASURED_S[name]


def test_hours_are_gradients_times_what_each_takes(folder):
    (line,) = cost("relax", "Cu201.xyz")
    said = re.fullmatch(
        r"Cu201, 201 atoms: up to about (\d+) gradients of ([\d.]+) s .*, "
        r"([\d.]+) h: relax",
        line,
    )
    gradients, seconds, hours = map(float, said.groups())
    assert hours == pytest.approx(gradients * seconds / 3600, abs=0.06)


def test_what_a_verb_computes_on_its_way_counts(folder):
    (relax,), (adsorb,) = cost("relax", "Cu201.xyz"), cost("adsorb", "Cu201.xyz")
    assert relax.endswith(": relax") and adsorb.endswith(": relax, adsorb")


def test_small_clusters_and_geometry_cost_nothing_worth_a_word(folder):
    assert cost("relax", "Cu79.xyz") == []
    assert cost("build", "Cu201.xyz") == []


def test_check_says_it_of_a_study(folder):
    write("Cu201-mine.xyz", Octahedron("Cu", 7, 2))
    words = ["--name", "Cu201-mine", "--charge", "0", "--multiplicity", "2"]
    assert main(["add", "Cu201.xyz", *words, "--source", "unpublished: a test"]) == 0
    (folder / "config.yaml").write_text(
        "study: mine\nclusters: [Cu201-mine, Cu4]\nreactions: [HER]\n"
    )
    lines = [line for line in check([folder / "config.yaml"]) if "gradients" in line]
    assert len(lines) == 1 and lines[0].startswith("Cu201-mine, 201 atoms")
