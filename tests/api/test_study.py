"""A study from Python says what its files and the command line say."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest

import clusterflow
from clusterflow.cli.app import main
from clusterflow.errors import ConfigError, RecordError
from clusterflow.figures.sheet import write_math
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import read_record
from clusterflow.results.tables import TABLES, to_csv
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study as Records

SHIFTS = {"Cu2": {}, "Cu4": {"H": 0.3, "COOH": 0.1}}


@pytest.fixture(scope="module")
def study(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("results")
    write_results(folder, Records(library, provenance, structure), SHIFTS)
    return clusterflow.Study(folder)


def test_names_of_the_package_are_there_and_load_nothing_before():
    assert set(clusterflow.__all__) <= set(dir(clusterflow))
    code = (
        "import sys, clusterflow; dir(clusterflow); assert 'numpy' not in sys.modules;"
        "from clusterflow import Study, evaluate, find_sites, search_minima"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        clusterflow.nothing  # noqa: B018


@pytest.mark.parametrize("name", ["potentials", "energies", "steps"])
def test_a_table_is_that_of_the_command_line(name, study, capsys):
    frame = getattr(study, name)
    assert main(["query", str(study.folder), name, "--csv"]) == 0
    printed = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert list(frame) == printed[0] and len(frame) == len(printed) - 1 > 0
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert to_csv(name, rows) == to_csv(name, TABLES[name](study.records))


def test_a_missing_number_is_nan_even_where_a_column_has_no_other(study):
    assert study.energies["layer_user_ev"].dtype == float
    assert study.energies["layer_user_ev"].isna().all()
    with pytest.raises(ConfigError, match="known: best"):
        study.table("nothing")


def test_a_minimum_has_the_energy_and_place_of_its_record(study):
    atoms = study.minimum("Cu4", "*COOH")
    record = read_record(study.folder / atoms.info["record"], AdsorbRecord)
    minimum = record.minima[atoms.info["rank"]]
    assert atoms.get_potential_energy() == minimum.energy_ev
    assert atoms.positions == pytest.approx(minimum.structure.xyz)
    assert (atoms.info["fate"], atoms.info["charge"]) == ("intact", 0)
    table = study.energies.set_index(["cluster", "species"])
    dg_ev = table.loc[("Cu4", "*COOH"), "formation_ev"]
    assert atoms.info["formation_ev"] == dg_ev
    same = study.minimum("Cu4", "COOH", rank=0)
    assert same.positions == pytest.approx(atoms.positions)
    bare = study.isomer("Cu4")
    relaxed = read_record(study.folder / bare.info["record"], RelaxRecord).isomers[0]
    assert bare.get_potential_energy() == relaxed.energy_ev
    assert bare.positions == pytest.approx(relaxed.structure.xyz)


def test_a_diagram_has_the_numbers_of_the_command_line(study, tmp_path):
    output = tmp_path / "f.svg"
    words = ["--reaction", "CO2-to-CO", "--potential-v", "-0.4", "--output"]
    assert main(["plot", "diagram", str(study.folder), *words, str(output)]) == 0
    axes = study.plot_diagram("CO2-to-CO", potential_v=-0.4)
    levels = [
        line.get_ydata()[0]
        for line in axes.get_lines()
        if str(line.get_gid()).startswith("level-")
    ]
    with output.with_suffix(".csv").open() as stream:
        rows = [float(row["level_ev"]) for row in csv.DictReader(stream)]
    assert sorted(levels) == pytest.approx(sorted(rows), abs=1e-6)
    one = study.plot_diagram("CO2-to-CO", "Cu4").figure.texts[0].get_text()
    assert one == write_math("CO₂(g) + 2 H⁺ + 2 e⁻ → CO(g) + H₂O(l) on Cu4")


def test_what_a_diagram_leaves_out_is_a_warning(study, tmp_path):
    import shutil

    from clusterflow.records.files import write_record
    from clusterflow.records.profiles import CheRecord

    folder = shutil.copytree(study.folder, tmp_path / "results")
    path = folder / "che" / "Cu2.json"
    record = read_record(path, CheRecord)
    others = tuple(r for r in record.results if r.reaction != "HER")
    write_record(record.model_copy(update={"results": others}), path)
    with pytest.warns(UserWarning, match="not shown: Cu2: has no reaction HER"):
        clusterflow.Study(folder).plot_diagram("HER")


def test_an_explanation_prints_as_the_command_does(study, capsys):
    assert main(["explain", str(study.folder), "Cu4/CO/dG"]) == 0
    found = study.explain("Cu4/CO/dG")
    assert f"{found}\n" == capsys.readouterr().out
    assert found.sum_ev == pytest.approx(found.value, abs=1e-9)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.minimum("Au9", "CO"), "has no cluster 'Au9'; known: Cu2, Cu4"),
        (lambda s: s.minimum("Cu4", "XY"), "Cu4: has no minimum of 'XY'; known: .*CO"),
        (lambda s: s.minimum("Cu4", "CO", 9), "Cu4/CO: has 1 minima, no rank 9"),
        (lambda s: s.isomer("Cu4", 5), "Cu4: has 1 isomers, no rank 5"),
        (lambda s: s.plot_diagram("X"), "reaction X: not in these results"),
        (lambda _: clusterflow.Study("nowhere"), "nowhere: .*no such folder"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(ask, message, study):
    with pytest.raises(RecordError, match=message) as caught:
        ask(study)
    assert "\n" not in str(caught.value)
