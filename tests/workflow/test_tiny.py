"""The tiny study from the first rule to the report, and what makes it run again."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from typing import TYPE_CHECKING

import ase.io
import numpy as np
import pytest

from clusterflow.cli.app import main
from clusterflow.library.find import package_data
from clusterflow.study.copied import refuse_copied_records
from clusterflow.study.cost import forecast_study
from clusterflow.study.plan import Plan

from .conftest import EMT, Folder

if TYPE_CHECKING:
    from pathlib import Path

STAGES = {
    *("build", "level", "relax", "edges", "gas", "sites", "adsorb", "pool", "vibrate"),
    *("thermo", "che", "collect", "report"),
}


def test_lint(folder):
    folder.configure(EMT)
    done = folder.snakemake("--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_a_verb_with_one_sentence(folder):
    folder.configure(EMT)
    done = folder.snakemake("--list-rules")
    said = dict(re.findall(r"^(\w+) \((.*)\)$", done.stdout, re.MULTILINE))
    assert said.keys() >= STAGES
    assert len(said) == len(done.stdout.splitlines())
    for name, sentence in said.items():
        assert re.fullmatch(r"[A-Z][^.]+\.", sentence), name
    help_text = folder.call("clusterflow", "--help").stdout
    assert all(stage in help_text for stage in STAGES)


def test_dry_run_plans_every_stage(folder):
    """By the Snakefile for the catalog of workflows, which includes the other."""
    folder.configure(EMT)
    main_file = package_data() / "workflow/Snakefile"
    assert folder.rules_to_run("-s", str(main_file)) == STAGES


def test_run_leaves_what_is_promised(finished):
    results = finished.path / "results/tiny"
    names = ("report.html", "results.db", "energies.csv", "steps.csv", "failures.csv")
    names += ("potentials.csv", "rankings.csv", "edges.csv", "gas_corrections.csv")
    names += ("minima.csv", "isomers.csv")
    for name in names:
        assert (results / name).stat().st_size > 0, name
    for name in ("Cu2/HER.svg", "edges.svg"):
        assert (results / "diagrams" / name).stat().st_size > 1000
    records = [json.loads(p.read_text()) for p in results.glob("*/**/*.json")]
    assert {r["stage"] for r in records} == STAGES - {"collect", "report"}
    for record in records:
        assert record["schema_version"] == 1
        assert record["provenance"]["versions"]["clusterflow"]


def test_what_is_there_is_not_forecast_again(copied):
    """Every job with gradients is counted, until its record is there."""
    results = copied.path / "results/tiny"
    # The forecast knows only xTB; the records are as good for either.
    plan = Plan.from_config({**EMT, "level": {"preferred": ["gfn1-xtb"]}})
    shutil.move(results / "gas/emt", results / "gas/gfn1-xtb")
    records = {p: json.loads(p.read_text()) for p in results.glob("*/**/*.json")}
    made = {p: r["provenance"]["n_gradients"] for p, r in records.items()}
    counted = {"level", "relax", "edges", "gas", "adsorb", "pool", "vibrate"}
    assert {r["stage"] for p, r in records.items() if made[p]} <= counted
    done = forecast_study(plan, results)
    assert done.n_jobs == 0 and done.gradients == 0.0
    assert done.n_done == sum(r["stage"] in counted for r in records.values())
    (results / "vibrate/Cu2/H.json").unlink()
    left = forecast_study(plan, results)
    assert (left.n_jobs, left.n_done) == (1, done.n_done - 1)
    assert left.gradients > 0


def test_numbers_agree_across_tables(finished):
    """The steps are differences of the energies, redone here from the CSV files."""
    results = finished.path / "results/tiny"
    with (results / "energies.csv").open() as stream:
        rows = {row["species"]: row for row in csv.DictReader(stream)}
    with (results / "steps.csv").open() as stream:
        steps = list(csv.DictReader(stream))
    bound = float(rows["*H"]["formation_ev"])
    assert float(steps[0]["dg_0v_rhe_ev"]) == pytest.approx(bound, abs=2e-6)
    assert float(steps[1]["dg_0v_rhe_ev"]) == pytest.approx(-bound, abs=2e-6)
    terms = ("energy_ev", "zpe_ev", "thermal_ev", "minus_ts_ev")
    total = {s: sum(float(rows[s][t]) for t in terms) for s in ("*H", "*", "H2(g)")}
    by_hand = total["*H"] - total["*"] - total["H2(g)"] / 2
    assert bound == pytest.approx(by_hand, abs=1e-5)


def test_database_reads_with_ase(finished):
    done = finished.call(
        "ase", "db", "results/tiny/results.db", "cluster=Cu2,adsorbate=H"
    )
    assert done.returncode == 0
    assert "Rows: " in done.stdout and "Rows: 0" not in done.stdout


def test_structures_go_out_as_xyz_and_cif_as_the_records_have_them(finished, tmp_path):
    results = finished.path / "results/tiny"
    for form, name in (("xyz", "all.xyz"), ("cif", "cif")):
        words = ["--format", form, "--output", str(tmp_path / name)]
        assert main(["export", str(results), *words]) == 0
    with (results / "energies.csv").open() as stream:
        free = {row["species"]: row for row in csv.DictReader(stream)}
    with (tmp_path / "cif/structures.csv").open() as stream:
        listed = {row["id"]: row for row in csv.DictReader(stream)}
    images = ase.io.read(tmp_path / "all.xyz", ":")
    assert listed.keys() == {atoms.info["id"] for atoms in images}
    assert len(listed) == len(images)
    seen = {}
    for atoms in images:
        told = atoms.info
        record = json.loads((results / told["record"]).read_text())
        for part in ("isomers", "minima"):
            record = record[part][told["rank"]] if part in record else record
        structure = record["structure"]
        assert atoms.get_chemical_symbols() == structure["symbols"]
        assert atoms.positions == pytest.approx(np.array(structure["positions"]))
        assert atoms.get_potential_energy() == told["energy_ev"] == record["energy_ev"]
        assert told["charge"] == structure["charge"]
        assert told["multiplicity"] == structure["multiplicity"]
        assert float(listed[told["id"]]["energy_ev"]) == round(told["energy_ev"], 8)
        boxed = ase.io.read(tmp_path / "cif" / f"{told['id']}.cif")
        assert [*boxed.symbols] == [*atoms.symbols]
        # In the file are fractions of five digits.
        distances = pytest.approx(atoms.get_all_distances(), abs=1e-3)
        assert boxed.get_all_distances() == distances
        assert boxed.cell.lengths() == pytest.approx(
            np.ptp(atoms.positions, axis=0) + 10.0, abs=1e-3
        )
        if "gibbs_ev" in told:
            is_gas = told["kind"] == "gas"
            name = f"{told['gas']}(g)" if is_gas else f"*{told.get('adsorbate', '')}"
            seen[name] = told
    assert {"*", "*H", "H2(g)"} <= seen.keys()
    for name, told in seen.items():
        for key in ("energy_ev", "gibbs_ev", "formation_ev"):
            assert told[key] == pytest.approx(float(free[name][key]), abs=1e-6)
        assert told["temperature_k"] == 298.15
        assert told["status"] == free[name]["status"]
        assert told.get("flags", "") == free[name]["flags"]


def test_a_crate_has_the_study_and_says_what_made_it(finished, tmp_path):
    """What Workflow Run Crate requires, by rocrate-validator 0.13: tried by hand."""
    rocrate = pytest.importorskip("rocrate.rocrate")
    results = finished.path / "results/tiny"
    words = ["--format", "rocrate", "--output", str(tmp_path / "crate")]
    assert main(["export", str(results), *words]) == 0
    crate = rocrate.ROCrate(tmp_path / "crate")
    assert crate.mainEntity.id == "Snakefile"
    [run] = [e for e in crate.get_entities() if e.type == "CreateAction"]
    assert run["instrument"] == crate.mainEntity
    used, made = run["object"], run["result"]
    used = used if isinstance(used, list) else [used]
    assert [file.id for file in used] == ["config.yaml"]
    assert crate.get("README.md")["about"] == crate.root_dataset
    text = (tmp_path / "crate/README.md").read_text()
    assert all((tmp_path / "crate" / n).is_file() for n in re.findall(r"`(\S+)`", text))
    assert all(file.get("encodingFormat") for file in crate.data_entities)
    files = {path for path in results.rglob("*") if path.is_file()}
    names = {path.relative_to(results).as_posix() for path in files}
    assert {f"results/{n}" for n in names if "/." not in f"/{n}"} == {
        f.id for f in made
    }
    for file in (*used, *made, *crate.mainEntity["hasPart"]):
        copy = tmp_path / "crate" / file.id
        if file.get("sha256"):
            assert hashlib.sha256(copy.read_bytes()).hexdigest() == file["sha256"]
        assert copy.is_file()
    assert {f.id for f in made if f.get("sha256")} >= {"results/relax/Cu2.json"}
    told = json.loads((results / "report.json").read_text())["provenance"]["created"]
    assert run["startTime"] < run["endTime"] == told
    versions = crate.mainEntity["softwareRequirements"]
    assert {"clusterflow", "ase"} <= {one["name"] for one in versions}


def test_an_entry_of_nomad_defines_what_it_holds_and_has_the_tables(finished, tmp_path):
    """As NOMAD's parser of archives asks; nomad-lab 2.0 itself was tried by hand."""
    results = finished.path / "results/tiny"
    words = ["--format", "nomad", "--output", str(tmp_path / "nomad")]
    assert main(["export", str(results), *words]) == 0
    content = json.loads((tmp_path / "nomad/Cu2.archive.json").read_text())
    data = content["data"]
    [(name, entry)] = content["definitions"]["sections"].items()
    assert (name, data["m_def"]) == ("Cluster", "#/definitions/section_definitions/0")
    assert data["elemental_composition"] == [{"element": "Cu", "atomic_fraction": 1.0}]
    own = {"np.float64": float, "np.int64": int, "string": str, "bool": bool}
    for table, found in entry["sub_sections"].items():
        quantities = found["section"]["quantities"]
        for row in data[table]:
            for key, value in row.items():
                if "shape" not in quantities[key]:
                    assert type(value) is own[quantities[key]["type"]], (table, key)
        for key, quantity in quantities.items():
            if quantity["type"] == "np.float64" and "shape" not in quantity:
                said = re.findall(r"\b(eV|V|K)\b", quantity["description"])
                assert said[-1:] == [quantity[k] for k in quantity if k == "unit"], key
        if table != "structures":
            with (results / f"{table}.csv").open(newline="") as stream:
                told = [
                    row for row in csv.DictReader(stream) if row["cluster"] == "Cu2"
                ]
            assert len(told) == len(data[table]) > 0
            for row, here in zip(told, data[table], strict=True):
                assert {k for k, v in row.items() if v} == set(here)
                for key, value in here.items():
                    cell = row[key].removeprefix("'")
                    if isinstance(value, float):
                        assert float(cell) == pytest.approx(value, abs=6e-7), key
                    else:
                        assert cell == str(value), key
    relaxed = json.loads((results / "relax/Cu2.json").read_text())
    [bare] = [s for s in data["structures"] if s["kind"] == "cluster"]
    [isomer] = relaxed["isomers"]
    assert bare["energy_ev"] == isomer["energy_ev"]
    assert bare["positions"] == isomer["structure"]["positions"]


def test_the_report_of_snakemake_has_tables_and_diagrams_with_captions(finished):
    done = finished.snakemake("--report", "rep.html")
    assert done.returncode == 0, done.stderr
    page = (finished.path / "rep.html").read_text()
    for name in ("report.html", "HER.svg", "potentials.csv", "failures.csv"):
        assert f"Adding {name}" in done.stderr
    for file in (package_data() / "workflow/report").glob("*.rst"):
        words = file.read_text().partition("``")[0].split()[:6]
        assert " ".join(words) in " ".join(page.split()), file.name


def test_second_run_does_nothing(finished):
    assert finished.rules_to_run() == set()


@pytest.mark.parametrize(
    ("deleted", "rules"),
    [
        ("potentials.csv", {"collect", "report"}),
        ("thermo/*.json", {"thermo", "che", "collect", "report"}),
    ],
)
def test_what_was_deleted_is_made_again(finished, deleted, rules):
    path = next((finished.path / "results/tiny").glob(deleted))
    moved = path.rename(path.with_suffix(".moved"))
    assert finished.rules_to_run() == rules
    moved.rename(path)


def test_temperature_reruns_no_quantum_chemistry(finished):
    changed = {**EMT, "thermo": {**EMT["thermo"], "temperature_k": 350}}
    finished.configure(changed, "warm.yaml")
    assert finished.rules_to_run("--configfile", "warm.yaml") == {
        *("thermo", "che", "collect", "report")
    }


def test_an_edited_table_reruns_no_quantum_chemistry(copied, tmp_path):
    table = tmp_path / "mine.csv"
    row = "cluster,species,shift_ev,source\nCu2,*H,{},unpublished: a test\n"
    table.write_text(row.format(0.1))
    thermo = {**EMT["thermo"], "correct": ["gas", "user"], "user": "mine.csv"}
    copied.configure({**EMT, "thermo": thermo})
    done = copied.run()
    assert done.returncode == 0, done.stderr
    with (tmp_path / "results/tiny/energies.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    for line in rows:
        layers = [line[name] or 0 for name in line if name.startswith("layer_")]
        terms = [
            line[f"{name}_ev"] for name in ("energy", "zpe", "thermal", "minus_ts")
        ]
        made_of = sum(float(cell) for cell in (*terms, *layers))
        assert made_of == pytest.approx(float(line["gibbs_ev"]), abs=1e-5)
    shifts = {line["species"]: line["layer_user_ev"] for line in rows}
    assert shifts["*H"] == "0.1" and shifts["*"] == ""
    assert copied.rules_to_run() == set()
    table.write_text(row.format(0.2))
    assert copied.rules_to_run() == {"thermo", "che", "collect", "report"}
    # The scan of these results finds its way without the workflow.
    done = copied.call(
        *("clusterflow", "scan", "results/tiny", "--potential-v", "-1:0:3"),
        *("--temperature-k", "350", "--output", "scan.csv"),
    )
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "scan.csv").read_text().splitlines()) == 4


def test_results_without_the_notes_of_snakemake_are_held_against_the_settings(
    copied, monkeypatch, capsys
):
    shutil.rmtree(copied.path / ".snakemake")
    monkeypatch.chdir(copied.path)
    refuse_copied_records(Plan.from_config(EMT))
    changed = {"thermo": {"temperature_k": 350}, "che": {"ph": 3.0}}
    copied.configure(changed, "warm.yaml")
    both = ("config.yaml", "warm.yaml")
    for words in (
        ["run", "-n", "--configfile", "warm.yaml"],
        ["run", "-n", "--config", "thermo={temperature_k: 350}", "che={ph: 3.0}"],
        ["check", *(f"--config={file}" for file in both)],
    ):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "temperature_k 298.15, which is 350.0 here (2 such records)" in said
        assert "\n" not in said.strip()
    command = re.search(r"rm -r .*", said)[0].split()
    assert command[2:] == ["results/tiny/che", "results/tiny/thermo"]
    for stage in command[2:]:
        shutil.rmtree(stage)
    again = copied.rules_to_run("--configfile", *both)
    assert again == {"thermo", "che", "collect", "report"}


def test_a_study_of_clusters_alone_has_no_profiles(copied):
    copied.configure({**EMT, "reactions": []})
    assert copied.rules_to_run() == {"pool", "thermo", "collect", "report"}
    done = copied.run()
    assert done.returncode == 0, done.stderr
    results = copied.path / "results/tiny"
    assert "Cu2" in (results / "report.html").read_text()
    assert len((results / "potentials.csv").read_text().splitlines()) == 1
    assert copied.rules_to_run() == set()


def test_potential_reruns_only_che_and_later(finished):
    finished.configure({**EMT, "che": {"potential_v": -0.3}}, "volt.yaml")
    assert finished.rules_to_run("--configfile", "volt.yaml") == {
        *("che", "collect", "report")
    }


def test_ph_and_absolute_potential_rerun_only_che_and_later(finished):
    later = {"che", "collect", "report"}
    finished.configure({**EMT, "che": {"ph": 3.0}}, "ph.yaml")
    assert finished.rules_to_run("--configfile", "ph.yaml") == later
    she = {**EMT["edges"], "absolute_she_v": 4.28}
    finished.configure({**EMT, "edges": she}, "she.yaml")
    assert finished.rules_to_run("--configfile", "she.yaml") == later


def test_another_level_of_the_edges_reruns_the_edges_and_no_relaxation(finished):
    finished.configure({**EMT, "edges": {"level": "ipea1-xtb"}}, "ipea.yaml")
    assert finished.rules_to_run("--configfile", "ipea.yaml") == {
        *("edges", "che", "collect", "report")
    }


def test_edges_without_electrons_are_a_hole_with_a_reason(finished):
    results = finished.path / "results/tiny"
    with (results / "edges.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert (row["cluster"], row["status"], row["ip_ev"]) == ("Cu2", "failed", "")
    assert "emt has no ip_ea_offset_ev" in row["reason"]
    assert "edges,Cu2,," in (results / "failures.csv").read_text()
    che = json.loads((results / "che/Cu2.json").read_text())
    assert all(c["driven"] is None and c["reason"] for c in che["edges"]["couples"])
    assert "Band edges (gas phase)" in (results / "report.html").read_text()


def test_relaxation_settings_rerun_what_depends_on_them(finished):
    finished.configure({**EMT, "relax": {"max_steps": 300}}, "relax.yaml")
    rules = finished.rules_to_run("--configfile", "relax.yaml")
    assert "relax" in rules and "vibrate" in rules and "edges" in rules
    assert not rules & {"build", "level", "gas"}


def test_added_cluster_runs_only_its_own_jobs(copied, tmp_path):
    """And Snakemake alone goes on where `clusterflow run` has ended."""
    (tmp_path / "mine.xyz").write_text("2\nx\nCu 0 0 0\nCu 0 0 2.3\n")
    done = copied.call(
        *("clusterflow", "add", "mine.xyz", "--name", "Mine", "--charge", "0"),
        *("--multiplicity", "1", "--source", "unpublished: a test"),
    )
    assert done.returncode == 0, done.stderr
    copied.configure({**EMT, "clusters": ["Cu2", "Mine"]})
    counts = copied.jobs_to_run()
    assert counts["adsorb"] == counts["relax"] == counts["thermo"] == 1
    assert "gas" not in counts
    before = _fingerprints(tmp_path)
    assert copied.snakemake().returncode == 0
    after = _fingerprints(tmp_path)
    assert {k: after[k] for k in before if "Cu2" in k} == {
        k: v for k, v in before.items() if "Cu2" in k
    }
    assert "Mine" in (tmp_path / "results/tiny/report.html").read_text()


def _fingerprints(path: Path) -> dict[str, int]:
    """Time stamp of each finished record; hidden scratch files are none."""
    records = (path / "results/tiny").glob("*/**/*.json")
    return {
        str(p): p.stat().st_mtime_ns
        for p in records
        if not any(part.startswith(".") for part in p.parts[-3:])
    }


def test_wrong_config_is_one_clear_line(folder):
    folder.configure({**EMT, "relx": {}})
    done = folder.snakemake("--dry-run")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "config.yaml" in said and "'relx'" in said
    assert "Traceback" not in said


RHOMBUS = "4\nx\nCu 0 0 0\nCu 2.3 0 0\nCu 1.15 2 0\nCu 1.15 -2 0\n"


def test_rounds_of_the_isomer_pool(tmp_path):
    """Hydrogen pulls the rhombus into a tetrahedron, and is then tried on that."""
    folder = Folder(tmp_path)
    (tmp_path / "rhombus.xyz").write_text(RHOMBUS)
    done = folder.call(
        *("clusterflow", "add", "rhombus.xyz", "--name", "Rhombus", "--charge", "0"),
        *("--multiplicity", "1", "--source", "unpublished: a test"),
    )
    assert done.returncode == 0, done.stderr
    config = {
        **EMT,
        "clusters": ["Rhombus", "Cu2"],
        "adsorb": {"max_relaxed": 2},
        "pool": {"rounds": 2},
        "thermo": {**EMT["thermo"], "isomers": "pool"},
    }
    folder.configure(config)
    planned = folder.jobs_to_run()
    # One adsorbate: one job a cluster and round, known before anything has run.
    for rule in ("adsorb", "adsorb_round", "pool", "pool_round"):
        assert planned[rule] == 2, rule
    done = folder.run()
    assert done.returncode == 0, done.stderr
    assert folder.rules_to_run() == set()

    def load(name):
        return json.loads((tmp_path / "results/tiny" / f"{name}.json").read_text())

    early, late = load("rounds/1/pool/Rhombus"), load("pool/Rhombus")
    assert early["new"] == ["H-1-0"]
    assert (early["round"], late["round"]) == (1, 2)
    tried = load("adsorb/Rhombus/H")
    assert tried["isomers_tried"] == ["main", "H-1-0"]
    assert {m["isomer"] for m in tried["minima"]} == {"main", "H-1-0"}
    # Nothing new on the dimer: its second round copies the first.
    first, second = load("rounds/1/adsorb/Cu2/H"), load("adsorb/Cu2/H")
    assert second["minima"] == first["minima"]
    assert first["provenance"]["n_gradients"] > 0
    assert second["provenance"]["n_gradients"] == 0
    assert load("pool/Cu2")["provenance"]["n_gradients"] == 0
    results = tmp_path / "results/tiny"
    with (results / "minima.csv").open() as stream:
        rows = [r for r in csv.DictReader(stream) if r["cluster"] == "Rhombus"]
    assert len(rows) == len(tried["minima"])
    pulled = [r for r in rows if r["placed_on"] == "main" and r["host"] == "H-1-0"]
    fall = late["isomers"][0]["isomer"]["energy_ev"]
    fall -= late["isomers"][1]["isomer"]["energy_ev"]
    for row in pulled:
        gained = float(row["de_placed_ev"]) - float(row["de_host_ev"])
        assert gained == pytest.approx(fall, abs=2e-6)
    assert pulled
    with (results / "potentials.csv").open() as stream:
        modes = {row["isomers"] for row in csv.DictReader(stream)}
    assert modes == {"pool"}
    assert "the lowest minima on all isomers" in (results / "report.html").read_text()
    done = folder.call("clusterflow", "verify", "results/tiny")
    assert "Rhombus/H-1-0" not in done.stdout.partition("FAIL")[2]
    done = folder.call(
        *("clusterflow", "scan", "results/tiny", "--potential-v", "0"),
        *("--temperature-k", "298.15,350"),
    )
    assert done.returncode == 0, done.stderr


def test_one_round_leaves_no_folder_of_rounds(finished):
    assert not (finished.path / "results/tiny/rounds").exists()
