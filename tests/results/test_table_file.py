"""The tables that `collect` keeps answer like the records, or not at all."""

from __future__ import annotations

import json
import shutil

import pytest

from clusterflow.cli.app import main
from clusterflow.records.files import ACCEPT_EDITED
from clusterflow.results import query as asked
from clusterflow.results.plots import common, volcano
from clusterflow.results.table_file import NAME, read_table
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

SHIFTS = {"Cu2": {}, "Cu4": {"H": 1.2}, "Cu8": {"H": 0.4}}
KEPT = [name for name in asked.NAMES if name in asked.READABLE | asked.TABLES]


@pytest.fixture(scope="module")
def collected(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("results") / "toy"
    write_results(folder, Study(library, provenance, structure), SHIFTS)
    assert main(["collect", str(folder), "--output", str(folder / "c.json")]) == 0
    return folder


@pytest.fixture
def folder(collected, tmp_path, monkeypatch):
    # As people move studies; time stamps stay.
    shutil.copytree(collected, tmp_path / "toy")
    monkeypatch.setenv(ACCEPT_EDITED, "0")
    return tmp_path / "toy"


def ask(folder, table, capsys, *options):
    assert main(["query", str(folder), table, "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


NONE_HERE = ("failures", "isomers", "edges", "rankings", "claims")


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize(
    "options", [(), ("--cluster", "Cu4"), ("--where", "cluster=")], ids=str
)
def test_every_digit_is_that_of_the_records(folder, capsys, table, options):
    if options and table in ("gas_corrections", "claims"):
        options = ("--where", "level=gfn1-xtb")
    assert read_table(folder, table, {}) is not None
    kept = ask(folder, table, capsys, *options)
    (folder / NAME).unlink()
    assert kept == ask(folder, table, capsys, *options)
    assert kept or options or table in NONE_HERE


def test_records_are_not_read_where_the_tables_are_there(folder, capsys, monkeypatch):
    monkeypatch.setattr(asked, "read_records", None)
    assert len(ask(folder, "best", capsys, "--reaction", "HER")) == 3


def test_a_changed_record_is_refused_as_before(folder, capsys):
    path = folder / "thermo/Cu4.json"
    path.write_text(path.read_text().replace("Cu4", "Cu5"))
    assert main(["query", str(folder), "energies"]) == 2
    assert "was changed" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["added", "gone"])
def test_records_that_came_or_went_count(folder, capsys, change):
    path = folder / "che/Cu4.json"
    if change == "gone":
        path.unlink()
    else:
        other = path.with_name("Cu9.json")
        other.write_text(path.read_text())
    assert read_table(folder, "best", {}) is None


def test_a_damaged_file_is_no_answer(folder, capsys):
    whole = ask(folder, "best", capsys)
    (folder / NAME).write_bytes((folder / NAME).read_bytes()[:5000])
    assert ask(folder, "best", capsys) == whole


def test_tables_of_accepted_records_are_not_for_those_who_do_not(folder, capsys):
    path = folder / "thermo/Cu4.json"
    content = json.loads(path.read_text())
    content["reason"] = "by hand"
    path.write_text(json.dumps(content))
    own = ["collect", str(folder), "--output", str(folder / "c.json")]
    assert main(["--accept-edited", *own]) == 0
    assert read_table(folder, "best", {}) is None


@pytest.mark.parametrize(
    "figure",
    [
        ("volcano", "--reaction", "CO2-to-CO", "--descriptor", "COOH"),
        ("scaling", "--x", "CO", "--y", "COOH"),
        ("bands",),
        ("bands", "--cluster", "Cu4"),
    ],
    ids=" ".join,
)
def test_figures_of_many_are_those_of_the_records(folder, figure, monkeypatch):
    kind, *options = figure
    monkeypatch.setattr(volcano, "MOST_NAMED", 2)
    drawn = {}
    for source in ("tables", "records"):
        output = folder.parent / source / "figure.svg"
        output.parent.mkdir()
        with monkeypatch.context() as patch:
            if source == "tables":
                patch.setattr(common, "read_records", None)
            else:
                (folder / NAME).unlink()
            words = ["plot", kind, str(folder), *options, "--output", str(output)]
            assert main(words) == 0
        drawn[source] = output.read_bytes(), output.with_suffix(".csv").read_bytes()
    assert drawn["tables"] == drawn["records"]


def test_a_diagram_reads_the_records_of_its_clusters_alone(folder, capsys):
    (folder / "che/Cu4.json").write_text("broken")
    words = ["plot", "diagram", str(folder), "--reaction", "HER"]
    output = folder.parent / "one.svg"
    assert main([*words, "--cluster", "Cu8", "--output", str(output)]) == 0
    assert main([*words, "--cluster", "Cu9", "--output", str(output)]) == 2
    assert "known: Cu2, Cu4, Cu8" in capsys.readouterr().err
