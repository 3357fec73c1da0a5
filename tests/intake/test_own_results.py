"""A person's own energies in a results folder: every verb works on it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from clusterflow.cli.app import main
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_record, sha256
from clusterflow.records.profiles import CheRecord
from tests.intake.slips import as_csv, change_cell, right_table

EV_PER_K = 8.617333262e-5
REACTIONS = ("--reaction", "HER", "--reaction", "CO2-to-CO")


def write_table(path, rows=None):
    path.write_text(as_csv(right_table() if rows is None else rows), encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_table(Path("mine.csv"))
    return tmp_path


@pytest.fixture
def results(here):
    assert (
        main(["che", "--energies", "mine.csv", *REACTIONS, "-o", "results/mine"]) == 0
    )
    return Path("results/mine")


def read_csv(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_records_say_whose_energies_they_are_and_of_which_file(results):
    thermo = read_record(results / "thermo" / "Cu211.json", ThermoRecord)
    profiles = read_record(results / "che" / "Cu211.json", CheRecord)
    assert thermo.level.name == profiles.level.name == "own"
    assert thermo.provenance.inputs == {"mine.csv": sha256(Path("mine.csv"))}
    written = results / "thermo" / "Cu211.json"
    assert profiles.provenance.inputs == {str(written): sha256(written)}


def test_the_folder_holds_what_that_of_a_study_holds(results):
    names = ["potentials.csv", "steps.csv", "energies.csv", "gates.csv", "results.db"]
    names += ["report.html", "diagrams/Cu211/HER.svg", "diagrams/Cu211/CO2-to-CO.svg"]
    assert all((results / name).stat().st_size for name in names)
    potentials = {r["reaction"]: r for r in read_csv(results / "potentials.csv")}
    # By ase.thermochemistry, to 1 meV.
    for reaction, expected in (("HER", -0.005), ("CO2-to-CO", -0.785)):
        found = float(potentials[reaction]["limiting_potential_best_estimate_v_rhe"])
        assert found == pytest.approx(expected, abs=1e-3)
    assert not [g for g in read_csv(results / "gates.csv") if g["verdict"] == "FAIL"]


@pytest.mark.parametrize(
    "words",
    [
        ("verify",),
        ("query", "best"),
        ("query", "energies"),
        ("explain", "Cu211/CO/dG"),
        ("explain", "Cu211/CO2-to-CO/U_L"),
        ("explain", "CO(g)"),
        ("scan", "--potential-v=-1:0:3", "--temperature-k", "298.15,350"),
        ("plot", "diagram", "--reaction", "HER", "--output", "f.svg"),
        (
            "plot",
            "volcano",
            "--reaction",
            "HER",
            "--descriptor",
            "H",
            "--output",
            "v.svg",
        ),
        ("plot", "scaling", "--x", "H", "--y", "CO", "--output", "s.svg"),
        ("report", "--output", "r.json"),
        ("collect", "--output", "c.json"),
    ],
    ids=" ".join,
)
def test_a_verb_works_on_the_folder(results, words, capsys):
    n_words = 2 if words[0] == "plot" else 1
    assert main([*words[:n_words], str(results), *words[n_words:]]) == 0
    assert capsys.readouterr().out or Path(words[-1]).is_file()


def test_the_page_says_nothing_of_a_method_that_was_not_used(results):
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "Energies of one's own." in page
    assert "GFN-xTB is" not in page


def test_a_scan_at_another_temperature_starts_from_the_table(results, capsys):
    """The same as a table evaluated there from the beginning."""
    words = ["--potential-v", "0", "--temperature-k", "350", "--json"]
    assert main(["scan", str(results), *words]) == 0
    scanned = {r["reaction"]: r for r in json.loads(capsys.readouterr().out)}
    words = [*REACTIONS, "--temperature-k", "350", "--json"]
    assert main(["che", "--energies", "mine.csv", *words]) == 0
    for result in json.loads(capsys.readouterr().out)["surfaces"]:
        (found,) = scanned[result["reaction"]]["limiting_potential_v_rhe"]
        assert found == pytest.approx(result["limiting_potential_v_rhe"], abs=1e-6)


def test_a_free_energy_is_not_carried_to_another_temperature(here, capsys):
    rows = change_cell(right_table(), "H", "ads", frequencies_cm1="", gibbs_ev="-158.7")
    write_table(Path("g.csv"), [{**r, "energy_ev": r["energy_ev"]} for r in rows])
    assert main(["che", "--energies", "g.csv", *REACTIONS, "-o", "results/g"]) == 0
    words = ["--potential-v", "0", "--temperature-k", "350"]
    assert main(["scan", "results/g", *words]) == 2
    assert "H: a gibbs_ev holds at 298.15 K" in capsys.readouterr().err


def test_verify_sees_that_the_table_has_changed(results, capsys):
    write_table(
        Path("mine.csv"), change_cell(right_table(), "H", "ads", energy_ev="-158")
    )
    assert main(["verify", str(results)]) == 1
    assert "changed since: mine.csv" in capsys.readouterr().out


def test_a_second_table_takes_the_place_of_the_first(results):
    rows = [{**r, "surface": r["surface"] and "Ag211"} for r in right_table()]
    write_table(Path("mine.csv"), rows)
    assert main(["che", "--energies", "mine.csv", *REACTIONS, "-o", str(results)]) == 0
    assert [p.name for p in (results / "thermo").iterdir()] == ["Ag211.json"]
    assert [p.name for p in (results / "che").iterdir()] == ["Ag211.json"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--settings", '{"relax": {}}'), "relax does not apply to --energies"),
        (
            ("--settings", '{"thermo": {"isomers": "pool"}}'),
            "thermo.isomers does not apply to --energies",
        ),
        (("--edges", "none.json"), "--edges none.json: does not apply to --energies"),
        (("--by", "size"), "--by size: must be site"),
        (("--correct", "magic"), "correct"),
        (("--correct", "level"), "the layer 'level' takes off errors"),
        (("--anchors", "CO,H2,Xe"), "Xe"),
        (("--from-experiment", "CO"), "--from-experiment CO gives it another"),
        (("--from-experiment", "N2"), "cannot be made of the gases with a row"),
        (("-o", "mine.csv"), "mine.csv: is a file"),
        (("-o", "study"), "holds records of a study (relax)"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_does_not_apply_is_one_line(here, words, says, capsys):
    Path("study/relax").mkdir(parents=True)
    assert main(["che", "--energies", "mine.csv", *REACTIONS, *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_surface_without_a_name_for_a_file_is_refused(here, capsys):
    rows = [{**r, "surface": r["surface"] and "Pt/C"} for r in right_table()]
    write_table(Path("mine.csv"), rows)
    assert main(["che", "--energies", "mine.csv", *REACTIONS, "-o", "results/c"]) == 2
    assert "surface = 'Pt/C': its records need a file name" in capsys.readouterr().err


def find_results(capsys, *words):
    assert main(["che", "--energies", "mine.csv", *REACTIONS, *words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    return {r["reaction"]: r for r in answer["surfaces"]}, answer


def test_a_shift_moves_the_steps_of_its_gas_and_says_its_source(here, capsys):
    plain, _ = find_results(capsys)
    rows = change_cell(
        right_table(), "CO2", "gas", shift_ev="0.41", shift_source="10.1/x"
    )
    write_table(Path("mine.csv"), rows)
    shifted, _ = find_results(capsys)
    moved = plain["CO2-to-CO"]["sum_ev"] - shifted["CO2-to-CO"]["sum_ev"]
    assert moved == pytest.approx(0.41, abs=1e-9)
    assert shifted["HER"] == plain["HER"]
    assert main(["che", "--energies", "mine.csv", *REACTIONS, "-o", "results/s"]) == 0
    assert "corrections: CO2 +0.410 eV, 10.1/x" in capsys.readouterr().out
    assert main(["explain", "results/s", "CO2(g)"]) == 0
    assert "10.1/x" in capsys.readouterr().out


def test_a_shift_of_hydrogen_moves_the_pair(here, capsys):
    plain, _ = find_results(capsys)
    rows = change_cell(right_table(), "H2", "gas", shift_ev="0.1", shift_source="me")
    write_table(Path("mine.csv"), rows)
    shifted, _ = find_results(capsys)
    first = [r["HER"]["steps"][0]["dg0_ev"] for r in (plain, shifted)]
    assert first[0] - first[1] == pytest.approx(0.05, abs=1e-9)


def test_with_other_anchors_the_error_is_that_of_co2(here, capsys):
    """CO is right then, so its desorption stays, and the sum meets experiment."""
    plain, _ = find_results(capsys)
    found, answer = find_results(capsys, "--correct", "gas", "--anchors", "CO,H2,H2O")
    assert set(answer["anchors"]) == {"CO", "H2", "H2O"}
    result = found["CO2-to-CO"]
    assert result["sum_ev"] == pytest.approx(result["measured_ev"], abs=1e-6)
    last = [r["steps"][-1]["dg0_ev"] for r in (plain["CO2-to-CO"], result)]
    assert last[0] == pytest.approx(last[1], abs=1e-9)


def test_oxygen_is_made_of_water_and_the_measured_energy(here):
    """2 H2O(l) -> O2 + 2 H2 costs 4.917 eV (CODATA), whatever the functional."""
    words = ["--from-experiment", "O2", "-o", "results/o2"]
    assert main(["che", "--energies", "mine.csv", *REACTIONS, *words]) == 0
    thermo = read_record(Path("results/o2/thermo/Cu211.json"), ThermoRecord)
    g = {s.name: s.formation_ev for s in thermo.species}
    assert g["O2(g)"] - 2 * g["H2O(l)"] == pytest.approx(4.917, abs=2e-3)


def test_a_profile_a_site(here, capsys):
    rows = right_table()
    (row,) = (r for r in rows if (r["species"], r["state"]) == ("H", "ads"))
    top = {**row, "site": "top", "energy_ev": "-158.505"}
    write_table(Path("mine.csv"), [*change_cell(rows, "H", "ads", site="fcc"), top])
    assert (
        main(["che", "--energies", "mine.csv", *REACTIONS, "--by", "site", "--json"])
        == 0
    )
    answer = json.loads(capsys.readouterr().out)
    found = {
        r["surface"]: r["steps"][0]["dg0_ev"]
        for r in answer["surfaces"]
        if r["reaction"] == "HER"
    }
    assert found["Cu211 top"] - found["Cu211 fcc"] == pytest.approx(0.4, abs=1e-9)


def test_deviations_of_a_table_give_an_interval(here, capsys):
    rows = [
        {**r, "deviation_ev": "0.2"} if r["state"] == "ads" else r
        for r in right_table()
    ]
    write_table(Path("mine.csv"), rows)
    found, _ = find_results(capsys)
    interval = found["HER"]["uncertainty"]
    assert interval["lower_v_rhe"] < interval["upper_v_rhe"]
    # U_L = −|ΔG| with ΔG from a normal of 0.2 eV around 0: quantiles of −|x|.
    assert interval["lower_v_rhe"] == pytest.approx(-1.96 * 0.2, abs=0.02)
    assert interval["median_v_rhe"] == pytest.approx(-0.6745 * 0.2, abs=0.01)
    assert main(["che", "--energies", "mine.csv", "--reaction", "HER"]) == 0
    printed = capsys.readouterr().out
    assert f"U_L = {interval['median_v_rhe']:+.3f} V vs RHE" in printed
    assert "best estimate -0.005" in printed


def test_what_water_adds_has_an_error_where_it_is_added(here, capsys):
    rows = [
        {**r, "deviation_ev": "0.2"} if r["state"] == "ads" else r
        for r in right_table()
    ]
    write_table(Path("mine.csv"), rows)
    dry, _ = find_results(capsys)
    wet, _ = find_results(capsys, "--correct", "solvation")
    without, within = (
        found["CO2-to-CO"]["uncertainty"]["deviation_v"] for found in (dry, wet)
    )
    assert within > without
    assert "solvation" in dry["CO2-to-CO"]["uncertainty"]["not_included"]
    assert "solvation" not in wet["CO2-to-CO"]["uncertainty"]["not_included"]


def test_an_oxidation_of_an_ion_has_an_interval_and_no_rival(here, capsys):
    """Formate is measured, so the error is that of the adsorbate alone."""
    rows = right_table()
    [acid] = [r for r in rows if r["species"] == "COOH"]
    rows = [
        {**r, "deviation_ev": "0.2"} if r["state"] == "ads" else r
        for r in (*rows, {**acid, "species": "OCHO"})
    ]
    write_table(Path("mine.csv"), rows)
    found, _ = find_results(capsys, "--reaction", "HCOO-oxidation")
    formate = found["HCOO-oxidation"]
    assert [step["n_e"] for step in formate["steps"]] == [-1, -1]
    # The largest of two steps between which one normal variable moves both ways.
    first, last = (step["turning_potential_v_rhe"] for step in formate["steps"])
    moved = 0.2 * np.random.default_rng(0).standard_normal(200_000)
    expected = np.quantile(np.maximum(first + moved, last - moved), (0.05, 0.5, 0.95))
    interval = formate["uncertainty"]
    names = ("lower_v_rhe", "median_v_rhe", "upper_v_rhe")
    assert [interval[name] for name in names] == pytest.approx(expected, abs=0.02)
    assert formate["her_median_v_rhe"] is formate["selectivity"] is None
    assert found["CO2-to-CO"]["selectivity"] is not None


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (("H2", "gas", "-3.3855"), "fails-measured-sum: look for a slip in the rows"),
        (("COOH", "ads", "-0.25"), "fails-potential-window: no electrode goes there"),
    ],
)
def test_a_number_outside_chemistry_is_said_below_its_profile(
    here, cells, says, capsys
):
    name, state, energy = cells
    rows = change_cell(right_table(), name, state, energy_ev=energy)
    write_table(Path("mine.csv"), rows)
    assert main(["che", "--energies", "mine.csv", *REACTIONS]) == 0
    printed = capsys.readouterr().out
    hydrogen, carbon = printed.split("Cu211: ")[1:]
    assert says in carbon and says not in hydrogen


FORMATE = """species,state,surface,gibbs_ev,energy_kind
CO2,gas,,0,formation
H2,gas,,0,formation
H2O,gas,,0,formation
OCHO,ads,Pd,0.1,formation
"""


@pytest.mark.parametrize("ph", [0, 7, 13])
def test_an_ion_is_measured_at_whatever_ph(here, ph, capsys):
    Path("mine.csv").write_text(FORMATE)
    words = ["che", "--energies", "mine.csv", "--reaction", "HCOO-oxidation"]
    assert main([*words, "--ph", str(ph), "-o", "results/mine"]) == 0
    # Gases from experiment, so the sum is the measured one. With U_eq by hand: formate
    # -351.0, CO2 -394.4 kJ/mol (Bard, Parsons, Jordan 1985), and pH on the RHE scale.
    printed = capsys.readouterr().out
    total, measured = re.search(
        r"steps add to (\S+) eV, measured (\S+)", printed
    ).groups()
    assert float(total) == pytest.approx(float(measured), abs=0.002)
    assert float(total) == pytest.approx((-394.4 + 351.0) / 96.485, abs=0.01)
    low, equilibrium = re.search(
        r"overpotential (\S+) V, .* = (\S+) V", printed
    ).groups()
    expected = (-394.4 + 351.0) / 96.485 / 2 + 0.05916 * ph / 2
    assert float(equilibrium) == pytest.approx(expected, abs=0.01)
    shown = re.search(r"U_L = (\S+) V vs RHE", printed)[1]
    assert float(low) == pytest.approx(float(shown) - float(equilibrium), abs=0.0011)


def test_a_step_with_an_ion_is_explained(here, capsys):
    Path("mine.csv").write_text(FORMATE)
    words = ["che", "--energies", "mine.csv", "--reaction", "HCOO-oxidation"]
    assert main([*words, "-o", "results/mine"]) == 0
    assert main(["explain", "results/mine", "Pd/HCOO-oxidation/U_L"]) == 0
    printed = capsys.readouterr().out
    assert "− ΔG(HCOO-(aq))" in printed
    assert "the lowest at which" in " ".join(printed.split())
    assert "difference 0.0e+00" in printed


def test_many_profiles_are_a_table(here, capsys):
    rows = right_table()
    gases = [r for r in rows if r["state"] == "gas"]
    more = [
        {**r, "surface": f"S{n}"}
        for n in range(15)
        for r in rows
        if r["state"] != "gas"
    ]
    write_table(Path("mine.csv"), [*gases, *more])
    assert main(["che", "--energies", "mine.csv", *REACTIONS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["surface", "reaction", "U_L"]
    assert len(lines) == 1 + 2 * 15


def test_an_adsorbate_without_a_geometry_is_enough(here, capsys):
    Path("structures/adsorbates").mkdir(parents=True)
    Path("structures/reactions").mkdir()
    source = "source: 'unpublished: A. Person'\n"
    Path("structures/adsorbates/Had.yaml").write_text(
        f"name: Had\n{source}formula: H\nmultiplicity: 2\n"
    )
    Path("structures/reactions/own-HER.yaml").write_text(
        f"name: own-HER\n{source}product: H2\nequation: '2 H+ + 2 e- -> H2(g)'\n"
        "steps: ['* + H+ + e- -> *Had', '*Had + H+ + e- -> * + H2(g)']\n"
    )
    rows = [
        {"species": "H2", "state": "gas", "gibbs_ev": "-7.0"},
        {"species": "clean", "state": "clean", "surface": "Pt", "energy_ev": "-50"},
        {"species": "Had", "state": "ads", "surface": "Pt", "gibbs_ev": "-53.2"},
    ]
    write_table(Path("mine.csv"), rows)
    words = ["--reaction", "own-HER", "-o", "results/own"]
    assert main(["che", "--energies", "mine.csv", *words]) == 0
    # -53.2 + 50 + 7 / 2
    assert "+0.300 eV  * + H+ + e- -> *Had" in capsys.readouterr().out
