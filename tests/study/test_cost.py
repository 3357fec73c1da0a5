"""What a study costs, and a large cluster by hand, is said before it is computed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ase.cluster import Octahedron
from ase.io import write

from clusterflow.cli.app import main
from clusterflow.cli.options import read_inputs
from clusterflow.library.find import Library
from clusterflow.settings import load_study
from clusterflow.study.check import check
from clusterflow.study.cost import (
    describe_stages_cost,
    describe_study_costs,
    forecast_study,
)
from clusterflow.study.gradients import Host, count_gradients
from clusterflow.study.plan import Plan
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


def plan_of(**content):
    return Plan(study=load_study(content), library=Library.default())


def lines(cores=None, **content):
    return describe_study_costs(plan_of(**content), Path("nowhere"), cores)


# CPU seconds of a second gradient on one core, GFN1-xTB at 300 K.
MEASURED_S = {
    **{"Cu55": 2.0, "Au25SH18-anion": 1.2, "Cd33Se33": 2.4},
    **{"Au38SH24": 3.9, "Au25SCH318-anion": 2.9},
}


@pytest.mark.parametrize("name", sorted(MEASURED_S))
def test_a_gradient_takes_about_what_was_measured(name):
    found = gradient_s(Library.default().cluster(name).counts)
    assert MEASURED_S[name] / 2 < found < 2 * MEASURED_S[name]


# Sums over the records of studies that ran alone on a core, by GFN1-xTB: gradients of
# all jobs, the 732 of 18 gases among them, and seconds of those on the cluster.
DEFAULT = {
    "Cu4": (3139, 17.2),
    "Cu8": (3362, 52.3),
    "Cd6Se6": (4833, 118.1),
    "Cd13Se13": (6012, 757.8),
}
# The same, of the whole study: searched isomers, other reactions and other settings.
OTHERS = [
    ({"clusters": ["Au8Ag", "Au8Cu"], "reactions": ["HER", "CO2-to-CO"]}, 4764),
    (
        {
            "clusters": ["Cu4", "Cu13"],
            "reactions": ["HER", "HNO3-to-NH3"],
            "thermo": {"anchors": ["CO2", "H2", "H2O", "N2"]},
        },
        4660,
    ),
    (
        {
            "clusters": ["Au13"],
            "reactions": ["HER", "ORR", "O2-to-H2O2"],
            "adsorb": {"max_screened": 24, "random_starts": 12, "max_relaxed": 4},
        },
        1525,
    ),
    (
        {
            "clusters": ["Au25SH17-anion", "Au25SH18-anion"],
            "reactions": ["HER", "CO2-to-CO"],
            "adsorbates": ["COOH", "CO", "H"],
            "level": {"probes": [], "probe_steps": 0},
            "relax": {"fmax_ev_per_a": 0.1},
            "adsorb": {"max_screened": 6, "screen_steps": 5, "random_starts": 0},
        },
        1814,
    ),
]
ONE = [({"clusters": [name]}, n) for name, (n, _) in DEFAULT.items()]


@pytest.mark.parametrize(("content", "made"), [*ONE, *OTHERS])
def test_gradients_are_about_those_that_were_made(content, made):
    found = forecast_study(plan_of(**content), Path("nowhere"))
    assert made / 1.5 < found.gradients < 1.5 * made


def test_the_default_study_takes_about_what_it_took():
    """Each cluster, and all of them, within the range that is said."""
    found = forecast_study(plan_of(), Path("nowhere")).seconds_by_cluster
    took = {name: seconds for name, (_, seconds) in DEFAULT.items()}
    ratios = {name: found[name] / took[name] for name in found}
    ratios["all"] = sum(found.values()) / sum(took.values())
    assert ratios.keys() - {"all"} == took.keys()
    assert all(1 / 1.5 < ratio < 1.5 for ratio in ratios.values()), ratios


def test_vibrations_are_counted_one_by_one(folder):
    """Of hydrogen on Cu2, by the record of a run."""
    Path("mine.xyz").write_text("2\n\nCu 0 0 0\nCu 2.24 0 0\n")
    words = ["--adsorbate", "H", "--output", "vibrate.json"]
    assert main(["vibrate", "mine.xyz", *words]) == 0
    record = json.loads(Path("vibrate.json").read_text())
    host = Host.of_cluster(Library.default().cluster("Cu2"), n_adsorbates=1)
    expected = count_gradients("vibrate", load_study({}), host, n_adsorbed=1)
    assert record["n_repairs"] == 0
    assert expected == record["provenance"]["n_gradients"]


def read_range(line):
    """Seconds that a line says: about, least, most, and on all cores."""
    units = {"s": 1, "min": 60, "h": 3600}
    said = re.findall(r"([\d.,]+) (s|min|h)\b", line)
    return [float(n.replace(",", "")) * units[unit] for n, unit in said]


def test_hours_are_said_of_one_core_and_of_those_that_are_asked_for():
    content = {"clusters": ["Au25SH18", "Cd6Se6", "Cu2", "Cu13"], "reactions": ["HER"]}
    seconds = forecast_study(plan_of(**content), Path("nowhere")).seconds
    total, largest = lines(2, **content)
    about, least, most, on_two = read_range(total)
    assert about == pytest.approx(seconds, rel=0.05)
    assert least < about / 1.4 and most > 1.4 * about
    # One cluster takes nearly all, and its jobs wait for each other.
    assert about / 2 < on_two <= about
    names = re.findall(r"\w+(?= [\d.]+ (?:s|min|h)\b)", largest)
    assert names[0] == "Au25SH18" and len(names) == 3 and "Cu2" not in names
    (alone,) = lines(1, clusters=["Cd13Se13"])
    assert len(read_range(alone)) == 3


def test_a_polarised_level_costs_more_and_others_are_not_known():
    content = {"clusters": ["Cu8"]}
    plain, polarised = (
        forecast_study(plan_of(level={"preferred": [one]}, **content), Path("nowhere"))
        for one in ("gfn1-xtb", "spgfn1-xtb")
    )
    assert polarised.seconds > 2 * plain.seconds
    for level in ("emt", "pbe-d3-tzvp"):
        (line,) = lines(level={"preferred": [level]}, clusters=["Cu2"])
        assert "no cost is known" in line and level in line and not read_range(line)


def test_what_is_not_counted_is_said():
    (line,) = lines(
        clusters=["Cd6Se6"],
        level={"preferred": ["gfn1-xtb", "emt"]},
        pool={"rounds": 2},
        refine={"species": "all"},
    )
    _, _, said = line.partition("; not counted: ")
    assert said == "rounds of adsorption after the first, DFT, level emt"


def test_hours_are_gradients_times_what_each_takes(folder):
    (line,) = cost("relax", "Cu201.xyz")
    said = re.fullmatch(
        r"Cu201, 201 atoms: about (\d+) gradients of ([\d.]+) s .*, "
        r"([\d.]+) h: relax",
        line,
    )
    gradients, seconds, hours = map(float, said.groups())
    assert hours == pytest.approx(gradients * seconds / 3600, abs=0.06)


def test_what_a_verb_computes_on_its_way_counts(folder):
    (relax,), (adsorb,) = (
        cost("relax", "Cu201.xyz"),
        cost("adsorb", "Cu201.xyz", adsorbate="CO"),
    )
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
    found = "\n".join(check([folder / "config.yaml"]))
    assert "quantum chemistry: about" in found
    assert "largest, of one core: Cu201-mine" in found
