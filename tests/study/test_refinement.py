"""Points of DFT and their hours, done and ahead, before and while a study runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from clusterflow.cli.app import main
from clusterflow.records.files import write_record
from clusterflow.records.refinements import RefineGasRecord, SinglePoint
from clusterflow.stages.parts.dft_cost import point_s
from clusterflow.study.check import check
from clusterflow.study.plan import Plan
from clusterflow.study.refinement import measure_refinement

STUDY = {
    **{"study": "toy", "clusters": ["Cu2", "Cu4"], "reactions": ["HER"]},
    "thermo": {"anchors": ["H2", "H2O", "CO2"]},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path("results/toy")


def measure(folder, **refine):
    settings = {**STUDY, "refine": {"level": "pbe-d3-tzvp", **refine}}
    Path("config.yaml").write_text(yaml.safe_dump(settings))
    return measure_refinement(Plan.from_config(settings), folder)


def test_before_a_run_each_species_is_one_point(folder, library):
    found = measure(folder, species="all")
    # H2, H2O, CO2, two clusters, H on each; 12 functions of H2, 4 · 45 + 6 of Cu4H.
    assert (found.n_done, found.n_ahead) == (0, 7)
    assert found.basis == (12, 186) and found.budget_h is None
    dft = library.level("pbe-d3-tzvp")
    hydrogen = library.adsorbate("H").counts
    seconds = sum(point_s(dft, library.gas(n).counts) for n in ("H2", "H2O", "CO2"))
    for name in STUDY["clusters"]:
        counts = library.cluster(name).counts
        seconds += point_s(dft, counts) + point_s(dft, counts + hydrogen)
    assert found.ahead_h == pytest.approx(seconds / 3600)
    assert str(found).startswith("refinement: 7 points of 12 to 186 basis functions")
    assert measure(folder, species="none") is None


def test_two_states_of_all_but_gases_are_twice_as_many(folder):
    assert measure(folder, species="all", other_multiplicities=True).n_ahead == 3 + 8


def test_a_choice_takes_no_more_than_its_budget(folder):
    free = measure(folder, species="chosen")
    tight = measure(folder, species="chosen", budget_h=0.001)
    assert free.n_ahead == tight.n_ahead == 7
    assert tight.ahead_h == 0.001 < free.ahead_h < free.budget_h == 8.0
    assert "at most 7 points" in str(tight)
    assert str(tight).endswith("at most the budget of 0.001 h")
    # The study here is the last one that was written.
    assert str(tight) in check([Path("config.yaml")])


def test_what_is_relaxed_or_computed_twice_comes_on_top(folder, library):
    plain = measure(folder, species="all")
    assert plain.again is None
    named = {"second_level": "pbe0-d3-tzvp", "second_species": ["H"]}
    both = measure(folder, species="all", relax=["H"], **named)
    # H2, H2O, CO2; both clusters bare and with H: each is relaxed, and one more point.
    assert (both.again.n_relaxations, both.again.n_points) == (7, 7)
    assert (both.n_ahead, both.ahead_h) == (plain.n_ahead, plain.ahead_h)
    relaxed = measure(folder, species="all", relax=["H"]).again
    second = measure(folder, species="all", **named).again
    assert relaxed.n_points == second.n_relaxations == 0
    assert both.again.ahead_h == pytest.approx(relaxed.ahead_h + second.ahead_h)
    assert 10 < relaxed.ahead_h / plain.ahead_h < 40
    assert "7 relaxations and 7 points at the second level ahead" in str(both)
    # Before it is known what decides, all that is refined counts.
    guess = measure(folder, species="all", second_level="pbe0-d3-tzvp")
    assert (guess.again.n_points, guess.again.at_most) == (7, True)
    # No budget ends it.
    tight = measure(folder, species="chosen", budget_h=0.001, relax=["H"])
    assert tight.again.ahead_h == relaxed.ahead_h > tight.ahead_h == 0.001


def test_what_is_there_counts_and_tells_how_long_the_rest_takes(
    folder, library, provenance, structure, capsys
):
    before = measure(folder, species="all")
    dft, water = library.level("pbe-d3-tzvp"), library.gas("H2O")
    expected_s = point_s(dft, water.counts)
    point = SinglePoint(
        structure=structure(["O", "H", "H"], [[0, 0, 0], [0, 0, 1], [0, 1, 0]]),
        energy_ev=-1.0,
        wall_s=10 * expected_s,
    )
    record = RefineGasRecord(
        gas="H2O",
        level=library.level("gfn1-xtb"),
        dft_level=dft,
        point=point,
        provenance=provenance,
    )
    write_record(record, folder / "refine_gas/gfn1-xtb/H2O.json")
    again = record.model_copy(update={"relaxed": point})
    write_record(again, folder / "refine_gas/gfn1-xtb/H2O.json")
    relaxing = measure(folder, species="all", relax=["H"])
    assert (relaxing.again.n_done, relaxing.again.n_relaxations) == (1, 6)
    write_record(record, folder / "refine_gas/gfn1-xtb/H2O.json")
    # Relaxing was not asked for when the record was made.
    assert measure(folder, species="all", relax=["H"]).again.n_relaxations == 7
    found = measure(folder, species="all")
    assert (found.n_done, found.n_ahead) == (1, 6)
    assert found.done_h == pytest.approx(10 * expected_s / 3600)
    left_h = before.ahead_h - expected_s / 3600
    assert found.ahead_h == pytest.approx(10 * left_h)
    main(["status", "--json"])
    told = json.loads(capsys.readouterr().out)["refinement"]
    assert (told["n_done"], told["n_ahead"]) == (1, 6)
