"""Structure files as people have them: read, or refused in one line; never misread."""

from __future__ import annotations

import random
import warnings
from io import BytesIO, StringIO

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import write

from clusterflow.cli.app import main
from clusterflow.errors import InputWarning, StructureError
from clusterflow.records.structure_files import read_atoms, read_content

TRIANGLE = np.array([[0, 0, 0], [2.4, 0, 0], [1.2, 2.08, 0]])
PLAIN = "3\nown\nCu 0 0 0\nCu 2.4 0 0\nCu 1.2 2.08 0\n"
MOL2 = """\
@<TRIPOS>MOLECULE
own
 3 0 0 0 0
SMALL
NO_CHARGES

@<TRIPOS>ATOM
  1 CuA  0.0 0.0  0.0 Cu 1 CLU 0.0
  2 S1   2.4 0.0  0.0 S.3 1 CLU 0.0
  3 C1   1.2 2.08 0.0 {kind} 1 CLU 0.0
@<TRIPOS>BOND
 1 1 2 1
"""
MOL = """\
own
  by hand

  3  1  0  0  0  0            999 V2000
    0.0000    0.0000    0.0000 Cu  0  0  0  0  0  0  0  0  0  0  0  0
    2.4000    0.0000    0.0000 S   0  0  0  0  0  0  0  0  0  0  0  0
    1.2000    2.0800    0.0000 H   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
M  END
"""


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("Cu", "29"),
        PLAIN.replace("Cu 2", "Cu2 2").replace("Cu 1", "Cu_3 1"),
        PLAIN.replace("Cu", "CU"),
        PLAIN.replace("Cu", "copper"),
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("2.4", "2.4D+00").replace("1.2", "0.12d1"),
        PLAIN.replace(" 0", " 0,0").replace(".", ","),
        "3\nown\nCu,0.0,0.0,0.0\nCu,2.4,0.0,0.0\nCu, 1.2, 2.08, 0.0\n",
        PLAIN.replace("3\n", "  3  \n", 1) + "\n\n",
    ],
)
def test_everyday_xyz_is_read(tmp_path, text):
    file = tmp_path / "own.xyz"
    file.write_bytes(text.encode())
    atoms = read_content(file).atoms
    assert atoms.get_chemical_formula() == "Cu3"
    assert atoms.positions == pytest.approx(TRIANGLE)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8"])
def test_comments_in_any_encoding_are_read(tmp_path, encoding):
    file = tmp_path / "own.xyz"
    file.write_bytes(PLAIN.replace("own", "Länge in Å").encode(encoding))
    assert read_atoms(file).positions == pytest.approx(TRIANGLE)


def test_columns_of_extended_xyz_stay(tmp_path):
    file = tmp_path / "own.extxyz"
    header = 'Properties=species:S:1:pos:R:3:roles:S:1 pbc="F F F"'
    rows = ["Cu1 0 0 0 core", "Cu2 2.4 0 0 core", "D 1.2 2.08D0 0 hydride"]
    file.write_text("\n".join(["3", header, *rows]) + "\n")
    with pytest.warns(InputWarning, match="D read as H: the masses of isotopes"):
        atoms = read_atoms(file)
    assert atoms.get_chemical_formula() == "HCu2"
    assert list(atoms.arrays["roles"]) == ["core", "core", "hydride"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PLAIN.replace("3", "2", 1), "first line says 2, the file holds 3 atoms"),
        (PLAIN.replace("3", "4", 1), "first line says 4, the file holds 3 atoms"),
        (PLAIN + PLAIN.replace("3", "4", 1), "frame 2 says 4, it holds 3 atoms"),
        (PLAIN + PLAIN, "holds 2 structures"),
        (PLAIN.replace("Cu 1", "X 1"), r"atom 2 \(X\) is a dummy atom"),
        (PLAIN.replace("Cu 1", "Bq 1"), r"atom 2 \(Bq\) is a dummy atom"),
        (PLAIN.replace("Cu 1", "Cu-Bq 1"), r"atom 2 \(Cu-Bq\) is a dummy atom"),
        (PLAIN.replace("Cu 1", "Cu: 1"), r"atom 2 \(Cu:\) is a dummy atom"),
        (PLAIN.replace("Cu", "U"), r"\(U\) is an element beyond Rn"),
        (PLAIN.replace("Cu", "92"), r"\(92\) is an element beyond Rn"),
        (PLAIN.replace("2.08", "****"), r"line 5: '\*\*\*\*' is no coordinate"),
        (PLAIN.replace("2.08", "2_0"), "'2_0' is no coordinate"),
        (PLAIN.replace("2.08", "1e300"), r"atom 2 \(Cu\) are not all numbers below"),
        (PLAIN.replace("2.08", "2,081.5"), "a comma there may part"),
        (PLAIN.replace("Cu 1.2 2.08 0", "Cu,1,2,2,08"), "a comma there may part"),
        (PLAIN.replace("Cu 1", "Cupper 1"), r"\(Cupper\) names no element"),
        ("3\n\nCu 0.000 0.000 0.000\nCu 0 0 2.400\nCu 0 0 -1.2", "ends within"),
    ],
)
def test_what_an_xyz_file_lacks_is_said(tmp_path, text, says):
    file = tmp_path / "own.xyz"
    file.write_text(text)
    with pytest.raises(StructureError, match=says):
        read_atoms(file)


def test_mol2_is_read_by_its_types(tmp_path):
    file = tmp_path / "own.mol2"
    file.write_text(MOL2.format(kind="C.ar"))
    assert read_atoms(file).get_chemical_formula() == "CCuS"
    file.write_text(MOL2.format(kind="Du"))
    with pytest.raises(StructureError, match=r"\(Du\) is a dummy atom"):
        read_atoms(file)
    file.write_text(MOL2.format(kind="C.ar").replace(" 3 0", " 4 0"))
    with pytest.raises(StructureError, match=r"says 4 .* holds 3"):
        read_atoms(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MOL.replace("  3  1", "  2  1", 1), "says '2' .* and 3 follow"),
        (MOL.replace("  3  1", "  4  1", 1), "says '4' .* and 3 follow"),
        (MOL.replace("V2000", "V3000"), "is of version V3000, which is not read"),
        (MOL.replace(" H  ", " LP ", 1), r"\(LP\) is a dummy atom"),
        (MOL.replace(" H  ", " A  ", 1), r"\(A\) names no element"),
        (MOL.replace("2.4000", "2,4000"), "'2,4000' is no coordinate"),
        (MOL + "$$$$\n" + MOL, "holds 2 structures"),
        ("t\n\n\n  0  0  0  0  0            999 V2000\nM  END\n", "holds no atoms"),
    ],
)
def test_what_a_mol_file_lacks_is_said(tmp_path, text, says):
    file = tmp_path / "own.sdf"
    file.write_text(text)
    with pytest.raises(StructureError, match=says):
        read_atoms(file)


def test_a_mol_file_may_hold_deuterium_capitals_and_no_blanks(tmp_path):
    file = tmp_path / "own.mol"
    text = MOL.replace(" Cu ", " CU ").replace(" H  ", " D  ", 1)
    text = text.replace("    2.4000    0.0000", "-1024.0000-2000.0000")
    file.write_text(text)
    with pytest.warns(InputWarning, match="D read as H"):
        atoms = read_atoms(file)
    assert list(atoms.symbols) == ["Cu", "S", "H"]
    assert atoms.positions[1] == pytest.approx([-1024, -2000, 0])


@pytest.mark.parametrize("n_rows", [2, 4])
def test_the_counts_of_a_poscar_are_held_against_its_lines(tmp_path, n_rows):
    rows = ["0 0 0", "0.2 0 0", "0.1 0.2 0", "0.1 0.1 0.2"]
    head = ["own", "1.0", "12 0 0", "0 12 0", "0 0 12", "Cu S H", "1 1 1", "Direct"]
    file = tmp_path / "POSCAR"
    file.write_text("\n".join([*head, *rows[:3], "", *rows[:3]]) + "\n")
    assert len(read_atoms(file)) == 3  # velocities stand behind an empty line
    file.write_text("\n".join([*head, *rows[:n_rows]]) + "\n")
    with pytest.raises(StructureError, match="POSCAR: "):
        read_atoms(file)


def test_a_cell_without_volume_is_refused(tmp_path):
    lattice = 'Lattice="9 0 0 0 9 0 9 9 0" Properties=species:S:1:pos:R:3'
    file = tmp_path / "own.xyz"
    file.write_text(PLAIN.replace("own", lattice))
    with pytest.raises(StructureError, match="span no volume"):
        read_atoms(file)
    file.write_text(PLAIN.replace("own", f'{lattice} pbc="T T F"'))
    assert len(read_atoms(file)) == 3


def make_thiolate():
    """p-Mercaptobenzoic acid on two gold atoms, with a force field's atom names."""
    ring = molecule("C6H6")
    sulfur = ring.positions[6] * 1.0 / np.linalg.norm(ring.positions[6])
    out = -sulfur  # para to it is the acid
    places = [*ring.positions[:6], *ring.positions[7:9], *ring.positions[10:12]]
    names = ["CA"] * 6 + ["HA"] * 4
    acid = out * (1.395 + 1.48)
    side = np.cross(out, [1.0, 0, 0])
    carbonyl, hydroxyl = acid + 0.6 * out + 1.07 * side, acid + 0.7 * out - 1.15 * side
    places += [acid, carbonyl, hydroxyl, hydroxyl + 0.96 * out]
    names += ["C", "O2", "OH", "HO"]
    thiol = sulfur * (1.395 + 1.78)
    places += [thiol, thiol + 1.9 * sulfur + [1.4, 0, 0]]
    places += [thiol + 1.9 * sulfur - [1.4, 0, 0]]
    names += ["S12", "AUL", "AU1"]
    return names, np.array(places) + 5.0


def test_names_of_a_force_field_are_read_by_the_distances(tmp_path):
    """CA is no calcium, HO no holmium, and AUL is gold."""
    names, places = make_thiolate()
    gro = tmp_path / "own.gro"
    rows = [
        f"    1MBA  {name:>5}{k:5}" + "".join(f"{x / 10:8.3f}" for x in place)
        for k, (name, place) in enumerate(zip(names, places, strict=True))
    ]
    head = ["own", f"{len(rows)}"]
    gro.write_text("\n".join([*head, *rows, "   3.0   3.0   3.0"]) + "\n")
    pdb = tmp_path / "own.pdb"
    lines = [
        f"ATOM  {k:5} {name if name.startswith('A') else ' ' + name:4} MBA A   1    "
        + "".join(f"{x:8.3f}" for x in place)
        for k, (name, place) in enumerate(zip(names, places, strict=True))
    ]
    pdb.write_text("\n".join([*lines, "END"]) + "\n")
    for file in (gro, pdb):
        with pytest.warns(InputWarning, match="CA read as C, by the distances|HO read"):
            atoms = read_atoms(file)
        assert atoms.get_chemical_formula() == "C7H5Au2O2S"
    gro.write_text("\n".join([head[0], "99", *rows, "   3.0   3.0   3.0"]) + "\n")
    with pytest.raises(StructureError, match=r"says '99', the file holds 17 atoms"):
        read_atoms(gro)


def test_metals_keep_their_names(tmp_path):
    """A name is gold's or copper's neighbour alone: distances say nothing of carbon."""
    rows = ["CU1 0 0 0", "CU2 2.2 0 0", "CO3 1.1 2.0 0", "HG4 1.1 0.7 2.6"]
    file = tmp_path / "own.xyz"
    file.write_text("\n".join(["3", "", *rows[:3]]) + "\n")
    assert read_content(file).atoms.get_chemical_formula() == "CoCu2"
    file.write_text("\n".join(["4", "", *rows]) + "\n")
    assert "Hg" in read_content(file).atoms.symbols


CLUSTER = Atoms(
    ["Cu", "Cu", "Cu", "S", "H"],
    np.array([*TRIANGLE, [1.2, 0.7, 1.7], [1.2, 0.7, 3.05]]) + 1.23456,
    cell=[12, 12, 12],
)
# Name, ASE's name of the format, digits that it keeps.
FORMATS = {
    "own.xyz": ("xyz", 8),
    "own.extxyz": ("extxyz", 8),
    "own.cif": ("cif", 4),
    "own.pdb": ("proteindatabank", 3),
    "own.gro": ("gromacs", 2),
    "own.vasp": ("vasp", 8),
    "POSCAR": ("vasp", 8),
    "own.json": ("json", 8),
    "own.traj": ("traj", 8),
    "own.com": ("gaussian-in", 4),
    "own.gen": ("gen", 4),
    "coord": ("turbomole", 4),
    "own.mol2": (None, 2),
    "own.mol": (None, 4),
    "own.sdf": (None, 4),
}


def make_content(name):
    """A whole file of one format."""
    kind, _ = FORMATS[name]
    if kind is None:
        return (MOL2.format(kind="H") if name == "own.mol2" else MOL).encode()
    atoms = CLUSTER.copy()
    atoms.pbc = kind in ("cif", "vasp")
    if kind in ("traj", "cif"):
        stream = BytesIO()
        write(stream, atoms, format=kind)
        return stream.getvalue()
    text = StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(text, atoms, format=kind)
    return text.getvalue().encode()


def read_quietly(path):
    """What is read, or None if it was refused in one line that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read_content(path)
    except StructureError as error:
        assert "\n" not in str(error)
        assert str(path) in str(error)
        return None


def is_same(content, whole, digits):
    """Whether all atoms are there, each where it was."""
    old, new = whole.atoms, content.atoms
    return list(old.symbols) == list(new.symbols) and np.allclose(
        old.positions, new.positions, atol=10.0**-digits
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_cut_file_is_refused_or_warned_of(tmp_path, name):
    """Cut anywhere, the atoms are those of the whole file, or something is said."""
    raw, digits = make_content(name), FORMATS[name][1]
    path = tmp_path / name
    path.write_bytes(raw)
    whole = read_quietly(path)
    assert whole is not None
    cuts = random.Random(7).sample(range(len(raw)), min(40, len(raw)))
    for cut in sorted({0, 1, *cuts, len(raw) - 9, len(raw) - 2}):
        path.write_bytes(raw[:cut])
        found = read_quietly(path)
        said = found is None or any("warning" in note for note in found.notes)
        assert said or is_same(found, whole, digits), (cut, raw[:cut][-80:])


@pytest.mark.parametrize("name", FORMATS)
def test_a_renamed_file_is_refused_or_read_right(tmp_path, name):
    path = tmp_path / name
    for other in FORMATS:
        path.write_bytes(make_content(other))
        found = read_quietly(path)
        counts = ({"Cu": 3, "S": 1, "H": 1}, {"Cu": 1, "S": 1, "H": 1})
        assert found is None or found.atoms.symbols.formula.count() in counts, other


@pytest.mark.parametrize("name", [*FORMATS, "own.db", "own.txt"])
def test_noise_is_refused(tmp_path, name):
    chance = random.Random(11)
    path = tmp_path / name
    for size in (0, 1, 30, 400, 3000):
        path.write_bytes(chance.randbytes(size))
        assert read_quietly(path) is None
    path.write_bytes(b" \n" * 20)
    assert read_quietly(path) is None


@pytest.mark.parametrize("name", ["own.xyz", "own.cif", "own.pdb", "own.gro"])
def test_flipped_characters_give_no_traceback(tmp_path, name):
    chance, raw = random.Random(3), make_content(name)
    path = tmp_path / name
    for _ in range(40):
        broken = bytearray(raw)
        for _ in range(3):
            broken[chance.randrange(len(raw))] = chance.choice(b"0 9.-x\n\xe9'#_")
        path.write_bytes(bytes(broken))
        read_quietly(path)


@pytest.mark.parametrize("verb", ["relax", "sites", "level", "build", "electrons"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.cif", make_content("own.cif")[:700]),
        ("noise.json", b'{"a": 1'),
        ("noise.db", b"SQLite format 3\x00" + bytes(range(200))),
        ("uranium.xyz", PLAIN.replace("Cu", "U").encode()),
        ("empty.pdb", b""),
        ("dump.lammpstrj", b"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\n"),
        ("close.xyz", PLAIN.replace("2.4", "0.2").encode()),
        ("input.cell", b"%BLOCK POSITIONS_ABS\nCu 0 0 0\n%ENDBLOCK POSITIONS_ABS\n"),
    ],
)
def test_every_verb_says_it_in_one_line(tmp_path, capsys, verb, name, content):
    file = tmp_path / name
    file.write_bytes(content)
    assert main([verb, str(file)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 1
    assert name.partition(".")[0] in said


def test_a_multiplicity_that_cannot_be_is_one_line(tmp_path, capsys):
    file = tmp_path / "Cu1.xyz"
    file.write_text("1\n\nCu 0 0 0\n")
    assert main(["relax", str(file), "--multiplicity", "1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "multiplicity 1 does not fit 29 electrons" in said


@pytest.mark.parametrize(
    ("verb", "text", "says"),
    [
        (["relax"], "2\n\nZn 0 0 0\nZn 2.5 0 0\n", "own: level 'emt' has no"),
        (["adsorb", "CHO"], "2\n\nZn 0 0 0\nZn 2.5 0 0\n", "parameters for Zn"),
        (["adsorb", "SH-x"], PLAIN, "SH-x: level 'emt' has no parameters for S"),
    ],
)
def test_a_level_without_an_element_is_one_line(
    tmp_path, capsys, monkeypatch, verb, text, says
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.xyz").write_text(text)
    (tmp_path / "SH-x.xyz").write_text("2\n\nS 0 0 0\nH 0.9 0 1.0\n")
    assert main(["add-adsorbate", "SH-x.xyz", "--binding", "S"]) == 0
    assert main([verb[0], "own.xyz", *verb[1:], "--level", "emt"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert says in line


def test_names_of_files_become_legal(tmp_path, capsys):
    file = tmp_path / "amené Cu₃.xyz"
    file.write_text(PLAIN)
    assert main(["build", str(file)]) == 0
    assert '"cluster": "ameneCu3"' in capsys.readouterr().out
