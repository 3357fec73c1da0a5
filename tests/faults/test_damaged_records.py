"""A damaged record gives one line or a flag, never a traceback or a wrong number."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from pydantic_core import to_json

from clusterflow.cli.app import main
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import ACCEPT_EDITED, _hash_content, read_record
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

FOLDER = Path("results/toy")
CO2 = FOLDER / "gas/gfn1-xtb/CO2.json"
CO = FOLDER / "gas/gfn1-xtb/CO.json"
THERMO = Path("thermo.json")
CU2, CU4 = FOLDER / "relax/Cu2.json", FOLDER / "relax/Cu4.json"


@pytest.fixture(scope="module")
def sound(library, provenance, structure, tmp_path_factory):
    """Results of two clusters, in order."""
    home = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        study = Study(library, provenance, structure)
        write_results(FOLDER, study, {"Cu2": {}, "Cu4": {"CO": 0.1}})
    return home


@pytest.fixture
def folder(sound, tmp_path, monkeypatch):
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    # Undone in the end, whatever a command sets.
    monkeypatch.setenv(ACCEPT_EDITED, "0")
    return FOLDER


def change(path, *, forge=False, **fields):
    """A record with other fields; forged, with the checksum that then fits."""
    content = json.loads(path.read_text()) | fields
    if forge:
        del content["checksum"]
        content["checksum"] = _hash_content(content)
    path.write_bytes(to_json(content, indent=1))


def lower(path, *, forge=False):
    energy_ev = json.loads(path.read_text())["energy_ev"]
    change(path, forge=forge, energy_ev=energy_ev - 1.0)


def raise_protocol(path):
    provenance = json.loads(path.read_text())["provenance"]
    change(path, forge=True, provenance={**provenance, "protocol": 99})


def swap(one, other):
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def loop(path):
    path.unlink()
    path.symlink_to(path.name)


def make_folder(path):
    path.unlink()
    path.mkdir()


def make_pipe(path):
    path.unlink()
    os.mkfifo(path)


def rename_level(path):
    level = json.loads(path.read_text())["level"]
    change(path, forge=True, level={**level, "name": "gfn2-xtb"})


def describe(path, says):
    return rf"error: {path}: {says}[^\n]*\n"


# What is done to a record, and the one line that a reader of the folder prints.
DAMAGED = {
    "truncated": (
        lambda: CO2.write_bytes(CO2.read_bytes()[:700]),
        describe(CO2, "corrupt record .*delete it and run again"),
    ),
    "empty": (lambda: CO2.write_text(""), describe(CO2, "corrupt record")),
    "not JSON": (lambda: CO2.write_text("CO2: -1\n"), describe(CO2, "corrupt record")),
    "not text": (lambda: CO2.write_bytes(b"\xff\xfe{"), describe(CO2, "corrupt")),
    "a list": (lambda: CO2.write_text("[1]"), describe(CO2, "is a record of None")),
    "an edited energy": (
        lambda: lower(CO2),
        describe(CO2, "was changed .*delete it and run again, or .*--accept-edited"),
    ),
    "a word for a number": (
        lambda: change(CO2, forge=True, energy_ev="low"),
        describe(CO2, "corrupt record: .*energy_ev"),
    ),
    "not a number": (
        lambda: change(CO2, forge=True, energy_ev=float("nan")),
        describe(CO2, "corrupt record: .*energy_ev"),
    ),
    "a number without end": (
        lambda: change(CO2, forge=True, energy_ev=10**400),
        describe(CO2, r"corrupt record: energy_ev = 10{79}\.\.\.: "),
    ),
    "one more field": (
        lambda: change(CO2, forge=True, mood="good"),
        describe(CO2, "corrupt record: unknown key 'mood'"),
    ),
    "a newer protocol": (
        lambda: raise_protocol(CO2),
        describe(CO2, r"protocol = 99 is newer .*update clusterflow"),
    ),
    "a newer schema": (
        lambda: change(CO2, forge=True, schema_version=2),
        describe(CO2, "schema_version = 2 is newer .*update clusterflow"),
    ),
    "an older schema": (
        lambda: change(CO2, forge=True, schema_version=0),
        describe(CO2, "corrupt record: schema_version"),
    ),
    "of another stage": (
        lambda: shutil.copy(FOLDER / "vibrate/Cu2/CO.json", CO2),
        describe(CO2, "is a record of 'vibrate', expected 'gas'"),
    ),
    "of no stage": (
        lambda: change(CO2, forge=True, stage="boil"),
        describe(CO2, "is a record of 'boil'"),
    ),
    "of another cluster": (
        lambda: shutil.copy(CU4, CU2),
        describe(CU2, "holds the record relax/Cu4, not that of its name"),
    ),
    "two swapped": (
        lambda: swap(CO2, CO),
        describe(rf"{CO.parent}/CO2?\.json", "holds the record gas/gfn1-xtb/CO"),
    ),
    "of another level": (
        lambda: rename_level(CO2),
        describe(CO2, "holds the record gas/gfn2-xtb/CO2, not that of its name"),
    ),
    "twice there": (
        lambda: shutil.copy(CO2, CO2.with_name("CO2-copy.json")),
        describe(CO2.with_name("CO2-copy.json"), "holds the record gas/gfn1-xtb/CO2"),
    ),
    "a link to itself": (lambda: loop(CO2), describe(CO2, "cannot be read")),
    "a folder": (lambda: make_folder(CO2), describe(CO2, "cannot be read")),
    "a pipe": (lambda: make_pipe(CO2), describe(CO2, "cannot be read")),
}
GASES = CO.parent.parent


def test_a_stage_that_cannot_be_looked_into_is_not_left_out(folder, capfd):
    shutil.rmtree(GASES)
    GASES.symlink_to(GASES.name)
    for verb in ("verify", "collect"):
        assert main([verb, str(folder)]) == 2
        out, err = capfd.readouterr()
        assert out == "" and re.fullmatch(describe(GASES, "cannot be read"), err), err


def test_a_kind_of_item_that_cannot_be_looked_into_is_not_left_out(folder, capfd):
    own = Path("structures/clusters")
    own.parent.mkdir()
    own.symlink_to(own.name)
    assert main(["list", "clusters"]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith(f"error: {own}: ") and err.count("\n") == 1


def read_by_rule():
    """Stage thermo of Cu2, as its rule runs it."""
    own = [CU2, *sorted(FOLDER.glob("*/Cu2/*.json"))]
    gases = sorted(FOLDER.glob("gas/*/*.json"))
    return main(["thermo", *map(str, [*own, *gases]), "--output", str(THERMO)])


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("verb", ["verify", "collect"])
def test_a_folder_with_a_damaged_record_is_refused(folder, capfd, damage, verb):
    harm, says = DAMAGED[damage]
    harm()
    assert main([verb, str(folder)]) == 2
    out, err = capfd.readouterr()
    assert out == "" and re.fullmatch(says, err), err
    assert not (folder / "energies.csv").exists()


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_stage_refuses_a_damaged_record(folder, capfd, damage):
    DAMAGED[damage][0]()
    assert read_by_rule() == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1, err
    assert "/gfn1-xtb/CO" in err or "/relax/Cu2.json" in err
    assert not THERMO.exists()


def test_sound_records_are_read_by_both(folder, capfd):
    assert read_by_rule() == 0
    again = read_record(THERMO, ThermoRecord).species
    assert again and main(["verify", str(folder)]) in (0, 1)
    assert "provenance" in capfd.readouterr().out
    assert main(["query", str(folder), "records", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert rows and not any(row["edited"] for row in rows)


def read_provenance_gates(folder, capfd):
    main(["verify", str(folder), "--json"])
    gates = json.loads(capfd.readouterr().out)
    return {g["subject"]: g for g in gates if g["name"] == "provenance"}


def test_a_forged_checksum_does_not_fit_what_was_made_from_the_record(folder, capfd):
    assert read_provenance_gates(folder, capfd)["thermo/Cu2"]["verdict"] != "FAIL"
    lower(CO2, forge=True)
    for cluster in ("Cu2", "Cu4"):
        gate = read_provenance_gates(folder, capfd)[f"thermo/{cluster}"]
        assert gate["verdict"] == "FAIL"
        assert f"changed since: {CO2}" in gate["detail"]
    main(["query", str(folder), "energies", "--json"])
    rows = json.loads(capfd.readouterr().out)
    numbers = [row for row in rows if row["formation_ev"] is not None]
    assert numbers and all("changed-input" in row["flags"] for row in numbers)


def test_records_made_from_one_another_must_fit(folder, capfd):
    thermo = FOLDER / "thermo/Cu2.json"
    content = json.loads(thermo.read_text())
    change(
        path := FOLDER / "vibrate/Cu2/CO.json",
        forge=True,
        provenance=content["provenance"]
        | {"protocol": 1, "inputs": {str(CU2): "of another"}},
    )
    assert read_by_rule() == 2
    err = capfd.readouterr().err
    assert f"{path}: was made from another {CU2} than the one there now" in err
    assert "run stage 'vibrate' again" in err


def test_the_same_record_twice_is_refused(folder, capfd):
    twice = [str(CU2), str(CO2), str(CO2)]
    assert main(["thermo", *twice, "--output", str(THERMO)]) == 2
    assert f"{CO2}: gas/gfn1-xtb/CO2 is given twice" in capfd.readouterr().err


def test_an_accepted_edit_is_marked_wherever_it_goes(folder, capfd):
    assert read_by_rule() == 0
    before = {s.name: s for s in read_record(THERMO, ThermoRecord).species}
    lower(FOLDER / "vibrate/Cu2/CO.json")
    own = [CU2, *sorted(FOLDER.glob("*/Cu2/*.json")), *sorted(CO.parent.glob("*"))]
    thermo, che = FOLDER / "thermo/Cu2.json", FOLDER / "che/Cu2.json"
    accept = ["--accept-edited"]
    assert main([*accept, "thermo", *map(str, own), "--output", str(thermo)]) == 0
    record = read_record(thermo, ThermoRecord)
    assert record.provenance.edited == (str(FOLDER / "vibrate/Cu2/CO.json"),)
    after = {s.name: s for s in record.species}
    marked = {name for name, s in after.items() if "edited-record" in s.flags}
    assert marked == {"*CO"} == {n for n in after if after[n] != before[n]}
    profiles = ["che", str(thermo), "--reaction", "CO2-to-CO", "--output", str(che)]
    assert main(profiles) == 0
    assert main([*accept, "query", str(folder), "potentials", "--json"]) == 0
    rows = {row["cluster"]: row for row in json.loads(capfd.readouterr().out)}
    assert "edited-record" in rows["Cu2"]["flags"]
    assert "edited-record" not in rows["Cu4"]["flags"]
    main([*accept, "query", str(folder), "records", "--json"])
    rows = json.loads(capfd.readouterr().out)
    edited = {r["stage"] for r in rows if r["edited"]}
    assert edited == {"vibrate", "thermo", "che"}
    gates = read_provenance_gates(folder, capfd)
    assert gates["vibrate/Cu2/CO"]["verdict"] == "UNVERIFIABLE"


def test_an_edited_anchor_marks_everything(folder):
    lower(CO2)
    own = [CU2, *sorted(FOLDER.glob("*/Cu2/*.json")), *sorted(CO.parent.glob("*"))]
    output = ["--output", str(THERMO)]
    assert main(["--accept-edited", "thermo", *map(str, own), *output]) == 0
    species = read_record(THERMO, ThermoRecord).species
    numbers = [s for s in species if s.formation_ev is not None]
    assert numbers and all("edited-record" in s.flags for s in numbers)


def test_a_record_without_a_checksum_is_read_and_counted(folder, capfd):
    for path in folder.glob("*/**/*.json"):
        content = json.loads(path.read_text())
        del content["checksum"]
        path.write_text(json.dumps(content))
    n_records = len(list(folder.glob("*/**/*.json")))
    study = read_provenance_gates(folder, capfd)["study"]
    assert f"{n_records} of {n_records} records were written without" in study["detail"]


def test_another_indentation_is_no_change(folder):
    CO2.write_text(json.dumps(json.loads(CO2.read_text()), indent=4))
    assert read_by_rule() == 0
