"""Results as other programs read them: the chain as CSV, CatMAP, Catalysis-Hub."""

from __future__ import annotations

import ast
import csv
import json
import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import ase.io
import pytest
import yaml
from ase import Atoms, units
from ase.thermochemistry import HarmonicThermo

from clusterflow.cli.app import main
from clusterflow.errors import RecordError
from clusterflow.intake.own_energies import read_energies
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_record, read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.results.cathub_folder import make_cathub_folder, write_cathub_folder
from clusterflow.results.catmap_files import make_catmap_input
from tests.intake.slips import as_csv, right_table
from tests.results.results_folder import REACTIONS, write_results
from tests.stages.test_thermo import HOST_EV, Study

# What CatMAP's TableParser asks for (its documentation, "Generating an Input File").
NEEDED = ("surface_name", "site_name", "species_name", "formation_energy")
NEEDED += ("frequencies", "reference")
KT_EV = 8.617333262e-5 * 298.15


@pytest.fixture
def computed(tmp_path, library, provenance, structure, monkeypatch):
    """Results of a study of two clusters."""
    monkeypatch.chdir(tmp_path)
    shifts = {"Cu4": {"COOH": 0.2}, "Cu8": {"H": 0.1}}
    folder = Path("results/demo")
    write_results(folder, Study(library, provenance, structure), shifts)
    return folder


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Results of a table of one's own, with deviations and corrections."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {**row, "deviation_ev": "0.1"} if row["state"] == "ads" else row
        for row in right_table()
    ]
    return make_own(as_csv(rows), "--correct", "gas,solvation")


def make_own(text, *options):
    Path("mine.csv").write_text(text, encoding="utf-8")
    words = ["--reaction", "HER", "--reaction", "CO2-to-CO", *options]
    assert main(["che", "--energies", "mine.csv", *words, "-o", "results/mine"]) == 0
    return Path("results/mine")


def export(folder, form, output):
    words = ["export", str(folder), "--format", form, "--output", str(output)]
    assert main(words) == 0
    return Path(output)


def read_csv(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("which", ["computed", "own"])
def test_the_summands_of_every_number_are_the_recorded_number(which, request):
    folder = request.getfixturevalue(which)
    rows = read_csv(export(folder, "chain", "chain.csv"))
    added: dict[str, float] = Counter()
    for row in rows:
        if row["term"] != "sum" and row["ev"]:
            product = float(row["count"]) * float(row["each_ev"])
            assert float(row["ev"]) == pytest.approx(product, abs=1e-7)
            added[row["number"]] += float(row["ev"])
    sums = {row["number"]: row for row in rows if row["term"] == "sum"}
    recorded = {}
    for path in (folder / "thermo").glob("*.json"):
        thermo = read_record(path, ThermoRecord)
        for species in thermo.species:
            recorded[f"{thermo.cluster}/{species.name}/dG"] = species.formation_ev
    for path in (folder / "che").glob("*.json"):
        for result in read_record(path, CheRecord).results:
            for rank, pathway in enumerate(result.pathways, start=1):
                for number, step in enumerate(pathway.steps, start=1):
                    name = f"{result.surface}/{result.reaction}/{rank}/{number}"
                    recorded[name] = step.dg0_ev
    assert sums.keys() == recorded.keys()
    for name, value in recorded.items():
        if value is None:
            assert sums[name]["ev"] == "" and sums[name]["note"]
        else:
            assert float(sums[name]["ev"]) == pytest.approx(value, abs=1e-7), name
            assert added[name] == pytest.approx(value, abs=1e-6), name


def test_the_chain_names_terms_layers_deviations_level_and_status(own):
    rows = read_csv(export(own, "chain", "chain.csv"))
    of_cooh = [r for r in rows if r["number"] == "Cu211/*COOH/dG"]
    terms = [r["term"] for r in of_cooh]
    assert terms[:4] == ["E", "ZPE", "∫Cp dT", "−TS"]
    assert {"layer gas", "layer solvation", "bare cluster", "G(CO2, 1 bar)"} < {*terms}
    [level] = [r for r in of_cooh if r["term"] == "deviation level"]
    assert level["deviation_ev"] == "0.1"
    assert terms[-1] == "sum"
    assert of_cooh[-1]["status"] == "ok" and of_cooh[-1]["level"] == "own"
    [setting] = [r for r in rows if r["note"] == "sets the limiting potential"][1:2]
    assert setting["reaction"] == "CO2-to-CO"


def read_table(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def find_potentials(table, pressure_pa, capsys, *reactions):
    """As the table gives them; pressures are in the model."""
    words = [word for name in reactions for word in ("--reaction", name)]
    words += ["--settings", json.dumps({"thermo": {"pressure_pa": pressure_pa}})]
    capsys.readouterr()
    assert main(["che", "--energies", str(table), *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["surfaces"]
    return {(r["surface"], r["reaction"]): r["limiting_potential_v_rhe"] for r in found}


def recorded_potentials(folder):
    return {
        (result.surface, result.reaction): result.limiting_potential_v_rhe
        for path in (folder / "che").glob("*.json")
        for result in read_record(path, CheRecord).results
    }


def test_the_table_of_catmap_gives_the_same_potentials(own, capsys):
    table = export(own, "catmap", "catmap") / "energies.txt"
    assert {*NEEDED} <= {*read_table(table)[0]}
    known = recorded_potentials(own)
    names = list(dict.fromkeys(reaction for _, reaction in known))
    [thermo] = (read_record(p, ThermoRecord) for p in (own / "thermo").glob("*.json"))
    found = find_potentials(table, thermo.pressure_pa, capsys, *names)
    assert all(value is not None for value in known.values())
    assert found == pytest.approx(known, abs=1e-6)


def test_energies_of_catmap_with_their_modes_are_the_free_energies(computed, library):
    """By ASE, whose harmonic limit knows nothing of spin: it stands in the energy."""
    rows = read_table(export(computed, "catmap", "catmap") / "energies.txt")
    thermo = read_record(computed / "thermo" / "Cu4.json", ThermoRecord)
    heat = {
        s.name.removesuffix("(g)"): s.terms.gibbs_ev
        - s.terms.energy_ev
        - (KT_EV * math.log(0.2) if s.name == "CO2(g)" else 0.0)
        for s in thermo.species
        if s.name in ("CO2(g)", "H2(g)", "H2O(g)")
    }
    seen = set()
    for row in rows:
        name = row["species_name"]
        if row["surface_name"] != "Cu4":
            continue
        modes = [m * units.invcm for m in ast.literal_eval(row["frequencies"])]
        energy = float(row["formation_energy"])
        found = HarmonicThermo(modes, energy).get_helmholtz_energy(298.15, False)
        c, h, o = (library.adsorbate(name).counts[e] for e in "CHO")
        # c CO2, o - 2c H2O, and the hydrogen that is left.
        water = o - 2 * c
        found -= c * heat["CO2"] + water * heat["H2O"] + (h / 2 - water) * heat["H2"]
        [species] = [s for s in thermo.species if s.name == f"*{name}"]
        assert found == pytest.approx(species.formation_ev, abs=1e-4), name
        seen.add(name)
    assert {"H", "COOH", "OCHO", "CO"} <= seen


def run_model(path):
    """A model is Python with literals alone; CatMAP executes it."""
    values: dict = {}
    exec(path.read_text(encoding="utf-8"), values)
    return values


def test_the_model_of_catmap_has_the_steps_each_balanced(computed, library):
    folder = export(computed, "catmap", "catmap")
    model, rows = run_model(folder / "model.mkm"), read_table(folder / "energies.txt")
    assert sorted(model["surface_names"]) == ["Cu4", "Cu8"]
    [sites] = [model["species_definitions"]["s"]["site_names"]]
    there = {
        f"{r['species_name']}_{'g' if r['site_name'] == 'gas' else 's'}" for r in rows
    }
    assert {r["site_name"] for r in rows} == {"gas", *sites}
    steps = {s for n in REACTIONS for s in library.reaction(n).steps}
    expected = {step for step in steps if "*CO2" not in step}  # not in this study
    assert len(model["rxn_expressions"]) == len(expected)
    for expression in model["rxn_expressions"]:
        assert not count_atoms(expression, there, library), expression
    # Water as a gas as high as the liquid: 23.8 Torr at 298 K is 0.0317 bar.
    water = model["species_definitions"]["H2O_g"]["pressure"]
    assert water == pytest.approx(0.0317, abs=0.0003)
    assert model["species_definitions"]["CO2_g"]["pressure"] == pytest.approx(0.2)
    assert model["gas_thermo_mode"] == "ideal_gas"


def count_atoms(expression, there, library):
    """What a step makes from nothing: atoms, electrons and sites."""
    total: Counter[str] = Counter()
    for sign, side in zip((-1, 1), expression.split(" <-> "), strict=True):
        for part in side.split(" + "):
            number, name = re.fullmatch(r"(\d*)(\S+)", part).groups()
            species, _, place = name.rpartition("_")
            content = {"H_g": {"H": 1, "+": 1}, "ele_g": {"+": -1}, "*_s": {"site": 1}}
            if name in content:
                counts = content[name]
            else:
                assert name in there
                kind = library.gas if place == "g" else library.adsorbate
                counts = {**kind(species).counts, "site": int(place == "s")}
            for what, n in counts.items():
                total[what] += sign * int(number or 1) * n
    return {what: n for what, n in total.items() if n}


FREE = """species,state,surface,gibbs_ev,energy_kind,pressure_pa
H2,gas,,0,formation,
CO2,gas,,0,formation,
H2O,gas,,0.0,formation,3169
CO,gas,,0.297,formation,
COOH,ads,Cu(211),0.3,formation,
CO,ads,Cu(211),-0.4,formation,
H,ads,Cu(211),0.1,formation,
"""


def test_free_energies_go_out_and_come_back_as_such(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = make_own(FREE)
    out = export(folder, "catmap", "catmap")
    rows = {r["species_name"]: r for r in read_table(out / "energies.txt")}
    assert {r["frequencies"] for r in rows.values()} == {"[]"}
    # A facet is a site of CatMAP. From water at 1 bar, kT ln(1 bar/p) above the row's,
    # CO (CO2 + H2 - H2O) lies as much higher, and COOH where it was.
    assert (rows["COOH"]["surface_name"], rows["COOH"]["site_name"]) == ("Cu", "211")
    at_1_bar = KT_EV * math.log(1e5 / 3169)
    values = {name: float(row["formation_energy"]) for name, row in rows.items()}
    expected = {"H2": 0, "CO2": 0, "H2O": 0, "COOH": 0.3, "H": 0.1}
    expected["CO"] = -0.4 + at_1_bar
    assert values == pytest.approx(expected, abs=1e-6)
    known = recorded_potentials(folder)
    found = find_potentials(
        out / "energies.txt", {"H2O": 3169}, capsys, "HER", "CO2-to-CO"
    )
    assert found == pytest.approx(known, abs=1e-6)
    model = run_model(out / "model.mkm")
    assert model["adsorbate_thermo_mode"] == "frozen_adsorbate"
    assert model["species_definitions"]["s"]["site_names"] == ["211"]


def test_a_name_that_catmap_reads_otherwise_is_left_out(own, capsys, library):
    records = read_records(own)
    [thermo] = records.of(ThermoRecord)
    strange = tuple(
        s.model_copy(update={"name": "*CO-H"}) if s.name == "*COOH" else s
        for s in thermo.species
    )
    changed = thermo.model_copy(update={"species": strange})
    others = tuple(r for r in records.records if r is not thermo)
    found = make_catmap_input(replace(records, records=(changed, *others)), library)
    assert "left out: Cu211/*CO-H: CatMAP reads another name in it" in found.notes
    assert "CO-H" not in found.table and "COOH" not in found.table
    gone = [note for note in found.notes if "*COOH + H+ + e-" in note]
    assert gone == [f"left out: {STEP}: not all of it is in energies.txt"]
    named = thermo.model_copy(update={"cluster": "None"})
    with pytest.raises(RecordError, match="surface 'None': CatMAP cannot have"):
        make_catmap_input(replace(records, records=(named, *others)), library)


STEP = "*COOH + H+ + e- -> *CO + H2O(l)"


@pytest.fixture
def with_structures(computed, structure, library):
    """The records of the study with clusters of ten atoms, each complex drawn."""
    records = read_records(computed)
    copper = [[2.5 * n, 0.0, 0.0] for n in range(10)]
    changed = []
    for record in records.records:
        if isinstance(record, RelaxRecord):
            host = structure(["Cu"] * 10, copper)
            [isomer] = record.isomers
            isomers = (isomer.model_copy(update={"structure": host}),)
            changed.append(record.model_copy(update={"isomers": isomers}))
        elif isinstance(record, VibrateRecord):
            lines = library.adsorbate(record.adsorbate).forms[0].atoms
            symbols = ["Cu"] * 10 + [line[0] for line in lines]
            at = [*copper, *([x, y, z + 1.9] for _, x, y, z in lines)]
            complex_ = structure(symbols, at)
            changed.append(record.model_copy(update={"structure": complex_}))
        else:
            changed.append(record)
    return replace(records, records=tuple(changed))


def test_a_folder_of_catalysis_hub_gives_the_same_reaction_energies(
    with_structures, library, tmp_path
):
    """Laid out and named as `cathub folder2db` 0.1.7 reads it: tried by hand."""
    found = make_cathub_folder(with_structures, library)
    assert not found.notes
    write_cathub_folder(found, tmp_path / "hub")
    told = yaml.safe_load((tmp_path / "hub" / "publication.txt").read_text())
    assert {"title", "authors", "year", "doi", "email", "tags"} <= told.keys()
    base = tmp_path / "hub" / "tblite" / "GFN1-xTB"
    energies = {
        path.stem.removesuffix("_gas"): ase.io.read(path).get_potential_energy()
        for path in (base / "gas").glob("*.traj")
    }
    gases = {g.gas: g.energy_ev for g in with_structures.of(GasRecord)}
    assert energies == pytest.approx(gases)
    vibrated = {
        (v.cluster, v.adsorbate): v.energy_ev for v in with_structures.of(VibrateRecord)
    }
    seen = set()
    for folder in base.glob("*_cluster/NA/*__*star"):
        left, _, right = folder.name.partition("__")
        counts = Counter(Atoms(right.removesuffix("star")).get_chemical_symbols())
        total = HOST_EV
        for part in left.split("_"):
            number, gas = re.fullmatch(r"(-?[\d.]*)(\w+?)(?:gas|star)?", part).groups()
            if part == "star":
                continue
            n = float(number or 1)
            total += n * energies[gas]
            for symbol in Atoms(gas).get_chemical_symbols():
                counts[symbol] -= n
        assert not any(counts.values()), folder.name
        [file] = folder.glob("*.traj")
        cluster = folder.parents[1].name.removesuffix("_cluster")
        reaction = ase.io.read(file).get_potential_energy() - total
        parts = vibrated[cluster, file.stem] - total
        assert reaction == pytest.approx(parts)
        seen.add((cluster, file.stem))
    assert seen == vibrated.keys()


def test_a_folder_of_catalysis_hub_is_read_again(with_structures, library, tmp_path):
    found = make_cathub_folder(with_structures, library)
    write_cathub_folder(found, tmp_path / "hub")
    # Left by cathub: its database, and places for files that are not there yet.
    (tmp_path / "hub" / "Lastnamedemo2026.db").write_bytes(b"SQLite format 3\0")
    (tmp_path / "hub" / "tblite" / "GFN1-xTB" / "gas" / "MISSING:CO_gas").touch()
    rows = read_energies(tmp_path / "hub", library)
    assert {row.surface for row in rows if row.state == "ads"} == {
        f"Cu{n}_cluster-NA" for n in (4, 8)
    }
    [cooh] = [r for r in rows if r.species == "COOH" and r.surface.startswith("Cu4")]
    [record] = [
        v
        for v in with_structures.of(VibrateRecord)
        if (v.cluster, v.adsorbate) == ("Cu4", "COOH")
    ]
    assert cooh.energy_ev == pytest.approx(record.energy_ev)
    assert cooh.frequencies_cm1 == pytest.approx(record.frequencies_cm1)


def test_an_adsorbate_larger_than_its_cluster_is_left_out(with_structures, library):
    """`cathub` takes more than twice the atoms for another cell."""
    small = []
    for record in with_structures.records:
        if isinstance(record, RelaxRecord) and record.cluster == "Cu4":
            [isomer] = record.isomers
            cut = {name: getattr(isomer.structure, name)[:2] for name in ATOM_FIELDS}
            host = isomer.structure.model_copy(update=cut)
            isomers = (isomer.model_copy(update={"structure": host}),)
            record = record.model_copy(update={"isomers": isomers})
        small.append(record)
    found = make_cathub_folder(replace(with_structures, records=tuple(small)), library)
    assert any("Cu4/*COOH: has more atoms than the" in note for note in found.notes)
    assert not any("Cu8" in note for note in found.notes)


ATOM_FIELDS = ("symbols", "positions", "roles")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--format", "pdf", "--output", "x"], "must be one of chain, catmap, cathub"),
        (["--format", "xyz", "--output", "x"], "has no structures"),
        (["--format", "cif", "--output", "."], "has no structures"),
        (["--format", "cathub", "--output", "x"], "wants structures"),
        (["--format", "cathub", "--output", "."], "is not an empty folder"),
        (["--format", "nomad", "--output", "."], "is not an empty folder"),
        (["--format", "catmap", "--output", "mine.csv"], "mine.csv"),
        (["--format", "chain", "--output", "results"], "results"),
    ],
)
def test_what_cannot_be_exported_is_one_line(own, words, says, capsys):
    capsys.readouterr()
    assert main(["export", str(own), *words]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and says in line
