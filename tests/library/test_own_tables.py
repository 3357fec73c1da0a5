"""Tables of shifts: what is read, and what is refused with its row."""

from __future__ import annotations

import pytest

from clusterflow.errors import ConfigError
from clusterflow.library.own_tables import read_shifts
from clusterflow.settings import ThermoSettings, load_study
from clusterflow.study.check import check
from clusterflow.study.plan import Plan

HEAD = "cluster,species,shift_ev,source\n"


def write(folder, rows, name="mine.csv"):
    path = folder / name
    path.write_text(rows)
    return path


def test_the_shifts_of_one_cluster(tmp_path, library):
    rows = "Cu4,*COOH,-0.31,10.1000/x\nCu4,CO,0.2,unpublished: me\nCu8,CO,1,10.1/x\n"
    path = write(tmp_path, "# by hand\n" + HEAD + rows)
    assert read_shifts(path, "Cu4", library) == {"COOH": -0.31, "CO": 0.2}
    assert read_shifts(path, "Cu2", library) == {}


def test_yaml_says_the_same(tmp_path, library):
    text = "- {cluster: Cu4, species: '*CO', shift_ev: 0.2, source: 10.1/x}\n"
    path = write(tmp_path, text, "mine.yaml")
    assert read_shifts(path, "Cu4", library) == {"CO": 0.2}


def test_the_cluster_in_hand_need_not_be_in_the_library(tmp_path, library):
    path = write(tmp_path, HEAD + "mine,CO,0.2,10.1/x\n")
    assert read_shifts(path, "mine", library) == {"CO": 0.2}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Cu99,CO,0.1,x", "row 2: no cluster called 'Cu99'"),
        ("Cu4,COX,0.1,x", "row 2: no adsorbate called 'COX'"),
        ("Cu4,CO(g),0.1,x", r"row 2 \(CO\(g\)\): species = 'CO\(g\)'"),
        ("Cu4,CO,0.1,", r"row 2 \(CO\): key 'source' is missing"),
        ("Cu4,CO,30.1,x", r"row 2 \(CO\): shift_ev = '30.1'.*less than or equal to 5"),
        ("Cu4,CO,nan,x", r"row 2 \(CO\): shift_ev = 'nan'"),
        ("Cu4,*H,0.1,x", "row 2: H on Cu4 stands there twice"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, library, row, says):
    path = write(tmp_path, HEAD + "Cu4,H,0.1,x\n" + row + "\n")
    with pytest.raises(ConfigError, match=f"mine.csv: {says}"):
        read_shifts(path, "Cu4", library)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "cluster,species,shift_ev,shift_ev,source\nCu4,H,0.1,0.2,x\n",
            "two columns are called 'shift_ev'",
        ),
        (f"{HEAD}Cu4,H,0.1,{'x' * 200_000}\n", r"no table \(field larger"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, library, text, says):
    with pytest.raises(ConfigError, match=f"mine.csv: {says}"):
        read_shifts(write(tmp_path, text), "Cu4", library)


def test_a_layer_needs_its_table():
    with pytest.raises(ValueError, match="layer 'user', but user names no table"):
        ThermoSettings(correct=("gas", "user"))
    # A table without its layer is switched off.
    assert ThermoSettings(user="x.csv").tables == {}


def test_a_layer_is_named_once():
    with pytest.raises(ValueError, match="correct names gas twice"):
        ThermoSettings(correct=("gas", "gas"))


def test_a_plan_refuses_a_table_that_is_not_there():
    settings = {"thermo": {"correct": ["user"], "user": "nowhere.csv"}}
    with pytest.raises(ConfigError, match=r"thermo.user = 'nowhere.csv': no such file"):
        Plan.from_config(settings)


def test_a_plan_makes_the_table_an_input_of_thermo(tmp_path, library):
    path = write(tmp_path, HEAD)
    study = load_study({"thermo": {"correct": ["dft"], "dft": str(path)}})
    plan = Plan(study=study, library=library)
    assert path in plan.data_files("thermo")
    assert path not in plan.data_files("che")


def test_water_twice_is_refused_only_where_it_is_asked_for(tmp_path, monkeypatch):
    levels = tmp_path / "structures" / "levels"
    levels.mkdir(parents=True)
    (levels / "wet.yaml").write_text(
        "name: wet\nsource: 'unpublished: x'\nengine: tblite\nmethod: GFN1-xTB\n"
        "solvent: water\n"
    )
    monkeypatch.chdir(tmp_path)
    wet = {"preferred": ["gfn1-xtb", "wet"]}
    with pytest.raises(ConfigError, match="solvent 'water' of level 'wet'"):
        Plan.from_config({"level": wet, "thermo": {"correct": ["gas", "solvation"]}})
    Plan.from_config({"level": wet})
    (tmp_path / "config.yaml").write_text("level: {preferred: [gfn1-xtb, wet]}\n")
    assert (
        "level wet has a solvent of its own: the layer solvation is left out"
    ) in check([tmp_path / "config.yaml"])


def test_check_names_what_has_no_value_for_water(tmp_path, monkeypatch, library):
    own = tmp_path / "structures" / "adsorbates"
    own.mkdir(parents=True)
    text = library.path("adsorbates", "CO").read_text()
    start, end = text.index("solvation_ev"), text.index("forms:")
    (own / "CO.yaml").write_text(text[:start] + text[end:])
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "config.yaml"
    study.write_text("reactions: [CO2-to-CO]\n")
    (line,) = (line for line in check([study]) if "solvation_ev" in line)
    assert "*CO:" in line
    assert "*COOH" not in line
    study.write_text("reactions: [CO2-to-CO]\nthermo: {correct: [gas]}\n")
    assert not [line for line in check([study]) if "solvation_ev" in line]
