"""Figures of geometries: every atom of the record is drawn, and the table has it."""

from __future__ import annotations

import csv

import pytest
from matplotlib.patches import Circle

from clusterflow.cli.app import main
from clusterflow.errors import RecordError
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import read_record, write_record
from clusterflow.results.plots.structures import plot_sites, plot_structure
from clusterflow.settings import SitesSettings
from clusterflow.stages.parts.job import Job
from clusterflow.stages.sites import sites
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study


@pytest.fixture(scope="module")
def results(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("results")
    write_results(folder, Study(library, provenance, structure), {"Cu2": {}, "Cu4": {}})
    relaxed = read_record(folder / "relax/Cu2.json", RelaxRecord)
    found = sites(relaxed, SitesSettings(), Job("sites"))
    write_record(found, folder / "sites/Cu2.json")
    return folder


def balls(axes):
    found = [p for p in axes.patches if isinstance(p, Circle) and p.get_gid()]
    return {int(p.get_gid().removeprefix("atom-")): p for p in found}


def test_atoms_of_a_minimum_are_drawn_on_one_scale(results):
    plot = plot_structure(results, "Cu2", ["COOH", "*H"])
    names = [axes.get_title() for axes in plot.figure.axes]
    assert names == ["*COOH on Cu₂", "*H on Cu₂"]
    drawn = [balls(axes) for axes in plot.figure.axes]
    for name, panel in zip(("*COOH", "*H"), drawn, strict=True):
        rows = [r for r in plot.rows if r["structure"] == f"{name} on Cu2"]
        assert panel.keys() == {row["atom"] for row in rows}
        for row in rows:
            # A turn leaves distances from the mean no longer than they are.
            x, y = panel[row["atom"]].center
            axes = ("x_angstrom", "y_angstrom", "z_angstrom")
            far = [row[a] - sum(r[a] for r in rows) / len(rows) for a in axes]
            assert x**2 + y**2 <= sum(v**2 for v in far) + 1e-9
    limits = {axes.get_xlim() for axes in plot.figure.axes}
    assert len(limits) == 1


def test_an_adsorbate_stands_above_its_cluster(results):
    plot = plot_structure(results, "Cu2", ["COOH"])
    panel = balls(plot.figure.axes[0])
    height = {row["atom"]: panel[row["atom"]].center[1] for row in plot.rows}
    roles = {row["atom"]: row["role"] for row in plot.rows}
    mean = {
        role: sum(h for a, h in height.items() if (roles[a] == "adsorbate") == role)
        / sum((r == "adsorbate") == role for r in roles.values())
        for role in (True, False)
    }
    assert mean[True] > mean[False]


def test_without_an_adsorbate_the_bare_cluster_is_drawn(results):
    plot = plot_structure(results, "Cu4", [])
    relaxed = read_record(results / "relax/Cu4.json", RelaxRecord)
    symbols = relaxed.isomers[0].structure.symbols
    assert tuple(row["element"] for row in plot.rows) == symbols
    assert len(balls(plot.figure.axes[0])) == len(symbols)


def test_sites_stand_in_the_table_by_their_numbers(results, tmp_path):
    output = tmp_path / "sites.svg"
    words = ["plot", "sites", str(results), "--cluster", "Cu2", "--output", str(output)]
    assert main(words) == 0
    with output.with_suffix(".csv").open() as stream:
        rows = list(csv.DictReader(stream))
    # Two atoms: their two ends are alike, and around their bond is one ring.
    assert {row["kind"] for row in rows} == {"top", "bridge"}
    plot = plot_sites(results, "Cu2")
    marks = {text.get_text() for axes in plot.figure.axes for text in axes.texts}
    assert marks == {row["site"] for row in rows}


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda f: plot_sites(f, "Cu4"), "Cu4: nothing to draw: no sites record"),
        (lambda f: plot_sites(f, "Au"), "--cluster Au: .*known: Cu2, Cu4"),
        (lambda f: plot_structure(f, "Cu4", ["X"]), "--adsorbate X: .*known: .*COOH"),
    ],
)
def test_what_is_not_there_is_named(draw, message, results):
    with pytest.raises(RecordError, match=message):
        draw(results)
