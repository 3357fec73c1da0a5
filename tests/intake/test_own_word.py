"""A file's own charge, multiplicity and frames against what the call says."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from clusterflow.cli.app import main
from clusterflow.records.files import read_json

RHOMBUS = np.array([[1.2, 0, 0], [0, 2.08, 0], [-1.2, 0, 0], [0, -2.08, 0]])
SDF = """\
copper

made by hand
  2  1  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 Cu  0  0  0  0  0  0
    {bond:.4f}    0.0000    0.0000 Cu  0  0  0  0  0  0
  1  2  1  0
{properties}M  END
$$$$
"""
ADD = ["--source", "unpublished: a test", "--name", "mine"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def add(file, charge, multiplicity, *more):
    words = [file, f"--charge={charge}", "--multiplicity", str(multiplicity)]
    return main(["add", *words, *ADD, *more])


def written(folder):
    path = folder / "structures/clusters/mine.yaml"
    return yaml.safe_load(path.read_text())


def anion(info=None, moments=None):
    atoms = Atoms("Cu4", positions=RHOMBUS, info=info or {})
    if moments is not None:
        atoms.set_initial_magnetic_moments(moments)
    write("c.extxyz", atoms)
    return "c.extxyz"


def test_a_charge_of_the_file_against_the_call(folder, capsys):
    file = anion({"charge": -1})
    assert add(file, 0, 1) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "c.extxyz: charge says charge -1, the call says +0" in line
    assert "--trust file" in line and not (folder / "structures").exists()
    assert add(file, 0, 2, "--trust", "file") == 0
    assert written(folder)["charge"] == -1


def test_the_call_can_be_trusted_and_agreement_is_silent(folder, capsys):
    file = anion({"charge": -1})
    assert add(file, 0, 1, "--trust", "call") == 0
    assert "charge" not in written(folder)
    file = anion({"charge": -1, "multiplicity": 2})
    assert (
        main(
            [
                "add",
                file,
                "--charge=-1",
                "--multiplicity",
                "2",
                *ADD[:2],
                "--name",
                "other",
            ]
        )
        == 0
    )
    assert add(file, 0, 1, "--trust", "both") == 2


def test_moments_say_a_multiplicity(folder, capsys):
    file = anion(moments=[0.5, 0.5, 0.5, 0.5])
    assert add(file, 0, 1) == 2
    assert "initial magnetic moments says multiplicity 3" in capsys.readouterr().err
    assert add(file, 0, 3) == 0


def test_lines_of_an_sdf_are_its_word(folder, capsys):
    text = SDF.format(bond=2.2, properties="M  CHG  1   2   1\nM  RAD  1   1   2\n")
    (folder / "d.sdf").write_text(text)
    assert add("d.sdf", 0, 1) == 2
    assert "d.sdf: M  CHG says charge +1, the call says +0" in capsys.readouterr().err
    assert add("d.sdf", 1, 2) == 0
    assert written(folder)["charge"] == 1


XYZ = "2\n{}\nCu 0 0 0\nCu 2.2 0 0\n"
ATOMS = 'Properties=species:S:1:pos:R:3 pbc="F F F" {}'
CHARGES = (
    '2\nProperties=species:S:1:pos:R:3:charges:R:1 pbc="F F F"\n'
    "Cu 0 0 0 0.5\nCu 2.2 0 0 0.5\n"
)
COLUMN = SDF.replace("0.0000 Cu  0  0", "0.0000 Cu  0  {}", 1).replace(
    "{bond:.4f}", "2.2"
)
GAUSSIAN = "# pbe/def2svp\n\nown\n\n1 2\nCu 0.0 0.0 0.0\nCu 2.2 0.0 0.0\n\n"
LOG = """ Entering Gaussian System, Link 0=g16
 Charge =  1 Multiplicity = 2
                         Standard orientation:
 ---------------------------------------------------------------------
 Center     Atomic      Atomic             Coordinates (Angstroms)
 Number     Number       Type             X           Y           Z
 ---------------------------------------------------------------------
      1         29           0        0.000000    0.000000    0.000000
      2         29           0        2.200000    0.000000    0.000000
 ---------------------------------------------------------------------
 SCF Done:  E(RPBE) =  -3279.1     A.U. after   10 cycles
"""
PDB = (
    "HETATM    1 CU   CLU A   1       0.000   0.000   0.000  1.00  0.00          CU{}\n"
    "HETATM    2 CU   CLU A   1       2.200   0.000   0.000  1.00  0.00          CU\n"
    "END\n"
)
MOL2 = (
    "@<TRIPOS>MOLECULE\nown\n 2 0 0 0 0\nSMALL\n{}\n\n@<TRIPOS>ATOM\n# by hand\n"
    "1 Cu1 0.0 0.0 0.0 Cu 1 CLU 0.5\n2 Cu2 2.2 0.0 0.0 Cu 1 CLU 0.5\n"
)
RECORDS = SDF.format(bond=2.2, properties="") + SDF.format(
    bond=2.2, properties="M  CHG  1   2   1\n"
)


@pytest.mark.parametrize(
    ("file", "text", "charge"),
    [
        ("d.xyz", XYZ.format("Charge: 1, mult = 2"), 1),
        ("d.xyz", XYZ.format("energy: -1.0 xtb: 6.6.0 charge=1+"), 1),
        ("d.xyz", XYZ.format("charge transfer complex"), None),
        ("d.xyz", XYZ.format("charge_model: 2, discharge: 1, charge: 0.31"), None),
        ("d.xyz", XYZ.format(ATOMS.format("total_charge=1")), 1),
        ("d.xyz", CHARGES, 1),
        ("d.mol", COLUMN.format(3, properties=""), 1),
        ("d.mol", COLUMN.format(3, properties="M  CHG  1   1   2\n"), 2),
        ("d.mol", COLUMN.format(0, properties=""), None),
        ("d.sdf@1", RECORDS, 1),
        ("d.sdf@0", RECORDS, None),
        ("d.com", GAUSSIAN, 1),
        ("d.log", LOG, 1),
        ("d.pdb", PDB.format("1+"), 1),
        ("d.pdb", PDB.format("  "), None),
        ("d.mol2", MOL2.format("USER_CHARGES"), 1),
        ("d.mol2", MOL2.format("NO_CHARGES"), None),
    ],
)
def test_the_charge_of_a_file_however_it_says_it(folder, capsys, file, text, charge):
    (folder / file.partition("@")[0]).write_text(text)
    assert built(file)["charge"] == (charge or 0)
    said = capsys.readouterr().err
    assert (f"charge {charge:+d} is taken from" in said) if charge else not said
    assert main(["build", file, f"--charge={charge or 5}"]) == 0
    assert main(["build", file, "--charge=5"]) == (2 if charge else 0)


def test_a_compressed_file_is_read_as_it_would_be_without(folder, capsys):
    for name, text in (("d.mol", COLUMN.format(3, properties="")), ("d.pdb", PDB)):
        with gzip.open(f"{name}.gz", "wt") as stream:
            stream.write(text.format("1+"))
        assert built(f"{name}.gz")["charge"] == 1
    (folder / "cut.pdb.gz").write_bytes((folder / "d.pdb.gz").read_bytes()[:-9])
    (folder / "no.xyz.gz").write_text(XYZ)
    for name in ("cut.pdb.gz", "no.xyz.gz"):
        capsys.readouterr()
        assert main(["build", name]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line.startswith(f"error: {name}: ")


def test_a_key_that_is_no_whole_number_is_refused(folder, capsys):
    for value in ("0.5", "nan", "high"):
        (folder / "d.xyz").write_text(XYZ.format(ATOMS.format(f"charge={value}")))
        assert main(["build", "d.xyz"]) == 2
        assert f"charge={value}: write a whole" in capsys.readouterr().err


def test_computed_moments_say_a_multiplicity(folder, capsys):
    atoms = Atoms("Cu2", positions=[(0, 0, 0), (2.2, 0, 0)])
    for moment, multiplicity in ((2.0, 3), (0.0, 1)):
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0, magmom=moment)
        write("d.traj", atoms)
        assert built("d.traj")["multiplicity"] == multiplicity
        assert ("computed magnetic moment" in capsys.readouterr().err) == (moment > 0)


def test_several_records_are_refused_and_one_can_be_taken(folder, capsys):
    two = [SDF.format(bond=bond, properties="") for bond in (2.2, 2.4)]
    (folder / "d.sdf").write_text("".join(two))
    assert add("d.sdf", 0, 1) == 2
    assert "holds 2 structures" in capsys.readouterr().err
    assert add("d.sdf", 0, 1, "--frame", "2") == 2
    assert "a number from 0 to 1" in capsys.readouterr().err
    assert add("d.sdf", 0, 1, "--frame", "last") == 0
    last = (folder / "structures/clusters/mine.xyz").read_text().splitlines()[-1]
    assert float(last.split()[1]) == pytest.approx(2.4)


def test_a_frame_of_a_trajectory(folder):
    frames = [Atoms("Cu4", positions=scale * RHOMBUS) for scale in (1.0, 1.05, 1.1)]
    write("t.xyz", frames)
    assert add("t.xyz", 0, 1) == 2
    assert add("t.xyz", 0, 1, "--frame", "1") == 0
    first = (folder / "structures/clusters/mine.xyz").read_text().splitlines()[2]
    assert float(first.split()[1]) == pytest.approx(1.26)


VERBS = {
    "build": ["build"],
    "level": ["level", "--levels", "gfn1-xtb"],
    "relax": ["relax", "--level", "gfn1-xtb"],
    "edges": ["edges", "--level", "gfn1-xtb"],
    "sites": ["sites"],
    "adsorb": ["adsorb", "H", "--level", "gfn1-xtb"],
    "vibrate": ["vibrate", "--adsorbate", "H", "--level", "gfn1-xtb"],
    "thermo": ["thermo", "--level", "gfn1-xtb"],
    "electrons": ["electrons"],
}


def call(verb, file, *more):
    first, *options = VERBS[verb]
    adsorbate = [options.pop(0)] if verb == "adsorb" else []
    return main([first, file, *adsorbate, *options, *more])


@pytest.mark.parametrize("verb", sorted({*VERBS} - {"sites"}))
def test_every_verb_holds_the_call_against_the_file(verb, folder, capsys):
    assert call(verb, anion({"charge": -1}), "--charge=1") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "c.extxyz: charge says charge -1, the call says +1" in line


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_no_verb_guesses_a_frame(verb, folder, capsys):
    write("t.xyz", [Atoms("Cu4", positions=scale * RHOMBUS) for scale in (1.0, 1.1)])
    assert call(verb, "t.xyz") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "t.xyz: holds 2 structures" in line and "--frame last" in line
    assert call(verb, "t.xyz", "--frame", "2") == 2
    assert "a number from 0 to 1" in capsys.readouterr().err
    assert call(verb, "t.xyz@0", "--frame", "last") == 2
    assert "give one frame, here or there" in capsys.readouterr().err


def built(*words):
    assert main(["build", *words, "--output", "b.json"]) == 0
    return read_json(Path("b.json"))["structures"][0]


def test_the_word_of_a_file_is_taken_where_the_call_has_none(folder, capsys):
    file = anion({"charge": -1})
    one = built(file)
    assert (one["charge"], one["multiplicity"]) == (-1, 2)
    assert (
        "note: c.extxyz: charge -1 is taken from the file (charge)"
        in capsys.readouterr().err
    )
    assert built(file, "--charge=1", "--trust", "file")["charge"] == -1
    assert built(file, "--charge=1", "--trust", "call")["charge"] == 1
    assert built(file, "--trust", "call")["charge"] == 0
    assert built(anion(moments=[0.5] * 4))["multiplicity"] == 3


@pytest.mark.parametrize(
    "words", [["t.xyz@-1"], ["t.xyz", "--frame", "last"], ["t.xyz", "--frame=-1"]]
)
def test_the_last_frame_by_the_names_it_has(words, folder):
    write("t.xyz", [Atoms("Cu4", positions=scale * RHOMBUS) for scale in (1.0, 1.1)])
    assert built(*words)["positions"][0][0] == pytest.approx(1.32)


def test_a_yaml_names_a_frame(folder):
    write("t.xyz", [Atoms("Cu4", positions=scale * RHOMBUS) for scale in (1.0, 1.1)])
    content = {
        "name": "Cu4-mine",
        "source": "unpublished: a test",
        "formula": "Cu4",
        "multiplicity": 1,
        "material": "metal",
        "structures": [{"file": "t.xyz", "frame": "1"}],
    }
    (folder / "Cu4-mine.yaml").write_text(yaml.safe_dump(content))
    assert built("Cu4-mine.yaml")["positions"][0][0] == pytest.approx(1.32)


@pytest.mark.parametrize("option", ["--charge=1", "--frame=last", "--trust=file"])
def test_what_is_said_of_a_file_is_not_taken_for_a_cluster(option, folder, capsys):
    assert main(["build", "Cu4", option]) == 2
    assert "is for a structure file; Cu4 has its own" in capsys.readouterr().err


def test_an_adsorbate_keeps_the_word_of_its_file(folder, capsys):
    methyl = Atoms(
        "CH3", [(0, 0, 0), (1.08, 0, 0), (-0.54, 0.935, 0), (-0.54, -0.935, 0)]
    )
    ethyl = Atoms("CCl3", positions=1.6 * methyl.positions)
    write("r.xyz", [methyl, ethyl])
    assert main(["add-adsorbate", "r.xyz@-1", "--binding", "C", "--name", "CCl3"]) == 0
    out = capsys.readouterr().out
    assert "*CCl3: CCl3, charge +0, multiplicity 2" in out
    ethyl.info["charge"] = -1
    write("s.extxyz", ethyl)
    words = ["add-adsorbate", "s.extxyz", "--binding", "C", "--name", "CCl3-x"]
    assert main([*words, "--charge", "0"]) == 2
    assert "s.extxyz: charge says charge -1" in capsys.readouterr().err
