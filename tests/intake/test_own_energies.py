"""Energies from a database and a folder: the same as from a table."""

from __future__ import annotations

import ase.db
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc111, molecule
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from clusterflow.errors import ConfigError
from clusterflow.intake.own_energies import read_energies
from clusterflow.intake.own_profiles import read_own_study
from clusterflow.library.energy_rows import OwnEnergyRow
from clusterflow.settings import CheSettings, ThermoSettings

MODES = {"H": [1050.0, 1120.0, 1180.0], "gas_H2": [4401.0]}


@pytest.fixture(scope="module")
def computed():
    """Atoms with their energies by effective medium theory, by name of the entry."""
    slab = fcc111("Cu", (1, 1, 2), vacuum=6)
    covered = slab.copy()
    add_adsorbate(covered, "H", 1.0, "fcc")
    found = {}
    for name, atoms in (
        ("clean", slab),
        ("H", covered),
        ("gas_H2", molecule("H2")),
    ):
        plain = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        plain.calc = EMT()
        energy = plain.get_potential_energy()
        plain.calc = SinglePointCalculator(plain, energy=energy)
        found[name] = plain
    return found


def expected(computed):
    """The same as rows of a table, written by hand."""
    energy = {k: a.get_potential_energy() for k, a in computed.items()}
    return {
        ("clean", "clean", "Cu111", energy["clean"], None),
        ("H", "ads", "Cu111", energy["H"], (1050.0, 1120.0, 1180.0)),
        ("H2", "gas", "", energy["gas_H2"], (4401.0,)),
    }


def facts(rows):
    return {
        (r.species, r.state, r.surface, r.energy_ev, r.frequencies_cm1) for r in rows
    }


def key(name):
    state = "gas" if name.startswith("gas_") else "clean" if name == "clean" else "ads"
    surface = {} if state == "gas" else {"surface": "Cu111"}
    return {"species": name.removeprefix("gas_"), "state": state, **surface}


@pytest.mark.parametrize("suffix", [".db", ".json"])
@pytest.mark.parametrize("where", ["data", "key"])
def test_a_database(tmp_path, library, computed, suffix, where):
    path = tmp_path / f"mine{suffix}"
    with ase.db.connect(path) as database:
        for name, atoms in computed.items():
            pairs, data, modes = key(name), {}, MODES.get(name)
            if modes and where == "data":
                data = {"frequencies_cm1": modes}
            elif modes:
                pairs["frequencies_cm1"] = ";".join(map(str, modes)) + ";"
            database.write(atoms, key_value_pairs=pairs, data=data)
    assert facts(read_energies(path, library)) == expected(computed)


def test_a_folder_of_files(tmp_path, library, computed):
    folder = tmp_path / "Cu111"
    folder.mkdir()
    for name, atoms in computed.items():
        copy = atoms.copy()
        copy.calc = atoms.calc
        if name == "H":
            copy.info["frequencies_cm1"] = MODES[name]
        write(folder / f"{name}.extxyz", copy)
    (folder / "gas_H2.frequencies_cm1.txt").write_text("4401\n")
    found = facts(read_energies(folder, library))
    assert {row[:3] for row in found} == {row[:3] for row in expected(computed)}
    assert {row[4] for row in found} == {row[4] for row in expected(computed)}
    energies = sorted(row[3] for row in found)
    by_hand = sorted(row[3] for row in expected(computed))
    assert energies == pytest.approx(by_hand, abs=1e-6)


def test_a_folder_of_subfolders_takes_the_last_image(tmp_path, library, computed):
    folder = tmp_path / "Cu111"
    for name, atoms in computed.items():
        (folder / name).mkdir(parents=True)
        far = atoms.copy()
        far.calc = SinglePointCalculator(far, energy=99.0)
        write(folder / name / "relax.traj", [far, atoms])
        if name in MODES:
            text = " ".join(map(str, MODES[name]))
            (folder / name / "frequencies_cm1.txt").write_text(text)
    assert facts(read_energies(folder, library)) == expected(computed)


def test_the_energies_give_the_step(tmp_path, library, computed):
    """ΔG of * + H+ + e- -> *H by hand, from the three energies alone."""
    path = tmp_path / "mine.db"
    with ase.db.connect(path) as database:
        for name, atoms in computed.items():
            modes = {"frequencies_cm1": MODES[name]} if name in MODES else {}
            database.write(atoms, key_value_pairs=key(name), data=modes)
    study = read_own_study(
        path,
        reactions=["HER"],
        settings=CheSettings(),
        thermo_settings=ThermoSettings(correct=[]),
    )
    found = {x.name: x.gibbs_ev for x in study.thermo[0].species}
    electronic = computed["H"].get_potential_energy()
    quanta = [w * 1.239841984e-4 for w in MODES["H"]]
    # Oscillators of 0.13 eV at 26 meV are in their ground state to 1 %.
    assert found["*H"] == pytest.approx(electronic + sum(quanta) / 2, abs=1e-3)


def test_other_atoms_than_the_species_has_are_refused(tmp_path, library, computed):
    folder = tmp_path / "Cu111"
    folder.mkdir()
    write(folder / "clean.extxyz", computed["clean"])
    write(folder / "CO.extxyz", computed["H"])
    with pytest.raises(ConfigError, match=r"CO.extxyz \(CO\): holds Cu2H, but .*CCu2O"):
        read_energies(folder, library)


def test_a_structure_is_no_energy(tmp_path, library):
    write(tmp_path / "H.extxyz", Atoms("H"))
    with pytest.raises(ConfigError, match="holds a structure but no energy"):
        read_energies(tmp_path, library)


def test_two_outputs_are_not_guessed_between(tmp_path, library, computed):
    (tmp_path / "H").mkdir()
    for name in ("a", "b"):
        write(tmp_path / "H" / f"{name}.extxyz", computed["H"])
    with pytest.raises(ConfigError, match=r"holds a.extxyz, b.extxyz; leave the one"):
        read_energies(tmp_path, library)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.db", "no database", "x.db: not an ASE database"),
        ("x.json", "no database", "x.json: not an ASE database"),
        ("d/H/OUTCAR", "nothing", "OUTCAR: not an output ASE can read"),
        ("d/H/notes.pdf", "nothing", "H: holds no output; looked for"),
        ("d/.hidden", "nothing", "d: holds no energies"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, library, name, content, says):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    top = tmp_path / name.split("/")[0]
    with pytest.raises(ConfigError, match=says):
        read_energies(top, library)


def test_an_entry_without_keys_says_what_it_needs(tmp_path, library, computed):
    path = tmp_path / "mine.db"
    with ase.db.connect(path) as database:
        database.write(computed["H"], species="H")
    with pytest.raises(ConfigError, match=r"mine.db: id 1: has no key 'state'"):
        read_energies(path, library)


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        *[("energy", "energy_ev, in eV"), ("Gibbs", "gibbs_ev, in eV")],
        *[("frequencies", "frequencies_cm1"), ("pressure", "pressure_pa, in Pa")],
    ],
)
def test_a_column_without_a_unit_is_refused(column, unit):
    row = {"species": "H", "state": "ads", "surface": "S", column: 1.0}
    with pytest.raises(ValueError, match=f"does not say its unit: name it {unit}"):
        OwnEnergyRow.model_validate(row)
