"""Files are whole or absent, and what cannot be read is said to be so."""

from __future__ import annotations

import json
import os
import stat

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from clusterflow.errors import OutputError, RecordError, StructureError
from clusterflow.records.adsorption import PoolRecord
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import BuildRecord, RelaxRecord
from clusterflow.records.files import (
    read_record,
    read_records,
    write_atomic,
    write_record,
)
from clusterflow.records.structure import Structure
from clusterflow.records.structure_files import read_atoms


@pytest.fixture
def record(provenance, structure):
    return BuildRecord(
        cluster="Cu2",
        formula="Cu2",
        material="metal",
        source="unpublished: A. Person",
        structures=(structure(["Cu", "Cu"], [[0, 0, 0], [0, 0, 2.22]]),),
        provenance=provenance,
    )


@pytest.mark.parametrize("dies_in", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize(
    ("how", "seen"), [(OSError, OutputError), (KeyboardInterrupt, KeyboardInterrupt)]
)
def test_a_write_that_dies_leaves_the_old_file(
    tmp_path, monkeypatch, dies_in, how, seen
):
    path = tmp_path / "record.json"
    write_atomic(path, "old")

    def die(*_args, **_kwargs):
        raise how("power cut")

    monkeypatch.setattr(os, dies_in, die)
    with pytest.raises(seen):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_replaces_makes_folders_and_obeys_the_umask(tmp_path):
    path = tmp_path / "deep" / "er" / "file.json"
    old = os.umask(0o027)
    try:
        write_atomic(path, "one")
        write_atomic(path, b"two")
    finally:
        os.umask(old)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(path.parent.iterdir()) == [path]


def test_a_record_comes_back_as_it_went(tmp_path, record):
    path = tmp_path / "Cu2.json"
    write_record(record, path)
    assert read_record(path, BuildRecord) == record


def test_the_wrong_stage_is_named(tmp_path, record):
    path = tmp_path / "Cu2.json"
    write_record(record, path)
    with pytest.raises(RecordError, match="record of 'build', expected 'relax'"):
        read_record(path, RelaxRecord)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("", "corrupt record"),
        ('{"stage": "build", "clus', "corrupt record"),
        ("[1, 2]", "record of None, expected 'build'"),
        ('{"stage": "build"}', r"corrupt record: key '\w+' is missing"),
    ],
)
def test_a_corrupt_record_is_named(tmp_path, text, says):
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RecordError, match=says) as caught:
        read_record(path, BuildRecord)
    assert str(path) in str(caught.value)


def test_unknown_keys_and_versions_are_refused(tmp_path, record):
    content = json.loads(record.model_dump_json())
    path = tmp_path / "x.json"
    path.write_text(json.dumps({**content, "extra": 1}))
    with pytest.raises(RecordError, match="unknown key 'extra'"):
        read_record(path, BuildRecord)
    path.write_text(json.dumps({**content, "schema_version": 2}))
    with pytest.raises(RecordError, match="schema_version = 2"):
        read_record(path, BuildRecord)


def test_not_a_number_never_enters_a_record(tmp_path, record):
    content = json.loads(record.model_dump_json())
    content["structures"][0]["positions"][0][0] = float("nan")
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match="finite number"):
        read_record(path, BuildRecord)


def test_structures_keep_roles_charge_and_multiplicity():
    made = Structure(
        name="ligated",
        symbols=("Cu", "S", "H"),
        positions=((0, 0, 0), (0, 0, 2.2), (1.0, 0, 2.7)),
        roles=("core", "ligand", "adsorbate"),
        charge=-1,
        multiplicity=2,
    )
    atoms = to_atoms(made)
    assert atoms.info["charge"] == -1
    # A copy and a slice, as ASE makes them, carry the roles along.
    copied = from_atoms(atoms.copy(), charge=-1, multiplicity=2, name="ligated")
    assert copied == made
    assert from_atoms(atoms[1:], charge=0, multiplicity=2).roles == made.roles[1:]


def test_atoms_without_roles_get_the_default():
    got = from_atoms(
        Atoms("CO", positions=[[0, 0, 0], [0, 0, 1.1]]),
        charge=0,
        multiplicity=1,
        default_role="adsorbate",
    )
    assert got.roles == ("adsorbate", "adsorbate")


@pytest.mark.parametrize("suffix", ["xyz", "extxyz", "pdb", "json"])
def test_one_structure_is_read(tmp_path, suffix):
    path = tmp_path / f"water.{suffix}"
    positions = [[0, 0, 0.1], [0, 0.8, -0.5], [0, -0.8, -0.5]]
    write(path, Atoms("OH2", positions=positions))
    atoms = read_atoms(path)
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    # PDB keeps three decimals.
    assert np.abs(atoms.positions - positions).max() < 1e-3


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("missing.xyz", None, "no such file"),
        ("empty.xyz", "", "is empty"),
        ("garbage.xyz", "hello\nworld\nagain\n", "line 1 is 'hello', where the number"),
        ("short.xyz", "3\n\nCu 0 0 0\n", "says 3, the file holds 1 atoms"),
        ("letters.xyz", "1\n\nCu a b c\n", "line 3: 'a' is no coordinate"),
        ("element.xyz", "1\n\nQq 0 0 0\n", r"\(Qq\) names no element"),
        ("two.xyz", "1\n\nCu 0 0 0\n1\n\nCu 0 0 0\n", "holds 2 structures"),
        ("none.xyz", "0\n\n", "holds no atoms"),
        ("garbage.cif", "hello\n", "holds 0 structures|cannot be read"),
        ("POSCAR", "hello\n", "cannot be read as what its name says"),
        ("garbage.json", "{", "cannot be read as what its name says"),
        ("what.docx", "hello", "cannot be read as what its name says"),
    ],
)
def test_what_is_no_structure_is_refused(tmp_path, name, text, says):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(StructureError, match=says) as caught:
        read_atoms(path)
    assert str(path) in str(caught.value)


def test_records_of_a_study_are_sorted_by_stage(tmp_path, record, provenance):
    pool = PoolRecord(cluster="Cu2", isomers=(), provenance=provenance)
    write_record(record, tmp_path / "build" / "Cu2.json")
    write_record(pool, tmp_path / "pool" / "Cu2.json")
    found = read_records(tmp_path)
    assert found.of(BuildRecord) == (record,)
    assert found.of(PoolRecord) == (pool,)
    assert found.records == (record, pool)
    only = read_records(tmp_path, [tmp_path / "pool" / "Cu2.json"])
    assert only.records == (pool,)


def test_no_records_is_an_error(tmp_path):
    with pytest.raises(RecordError, match="holds no records"):
        read_records(tmp_path)


def test_the_array_of_a_structure_is_of_its_positions_and_ones_own(structure):
    pair = structure(["Cu", "Cu"], [[0, 0, 0], [0, 0, 2.22]])
    array = pair.xyz
    assert array.tolist() == [[0, 0, 0], [0, 0, 2.22]]
    array[0] += 1.0
    assert pair.xyz.tolist() == [[0, 0, 0], [0, 0, 2.22]]
    moved = pair.model_copy(update={"positions": ((0.0, 0.0, 1.0), (0.0, 0.0, 3.0))})
    assert moved.xyz.tolist() == [[0, 0, 1], [0, 0, 3]]
    assert pair == pair.model_copy()
    assert structure([], np.empty((0, 3))).xyz.shape == (0, 3)
