"""Clusters out of other people's files: crystals, disorder, hosts; own inventions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from clusterflow.cli.app import main
from clusterflow.errors import ClusterflowError, StructureError
from clusterflow.formula import parse_formula
from clusterflow.intake.importing import Choices, import_cluster
from clusterflow.library.clusters import ClusterSpec
from clusterflow.library.find import load_spec
from clusterflow.science.geometry.bonds import bond_graph, distances
from clusterflow.science.geometry.molecules import broken_bonds, find_molecules
from clusterflow.stages.build import guess_material

A = 12.0
RHOMBUS = np.array([[1.2, 0, 0], [0, 2.08, 0], [-1.2, 0, 0], [0, -2.08, 0]])
CIF = """\
data_own
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
{header}loop_
_space_group_symop_operation_xyz
{operations}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_disorder_assembly
_atom_site_disorder_group
{sites}
"""


def site(label, place, occupancy="1", assembly=".", group="."):
    element = label.rstrip("0123456789")
    x, y, z = np.asarray(place) / A
    return f"{label} {element} {x:.5f} {y:.5f} {z:.5f} {occupancy} {assembly} {group}"


def write_cif(path, sites, operations=("x,y,z",), header=""):
    text = CIF.format(
        a=A, header=header, operations="\n".join(operations), sites="\n".join(sites)
    )
    path.write_text(text)
    return path


WATER = [(3, 6, 5), (3.76, 6.59, 5), (2.24, 6.59, 5)]
COPPER = [site("Cu1", RHOMBUS[0]), site("Cu2", RHOMBUS[1])]
SOLVENT = [
    site(f"{s}{k}", p) for k, (s, p) in enumerate(zip("OHH", WATER, strict=True))
]
INVERSION = ("x,y,z", "-x,-y,-z")
THREE = [("Au", "0.35"), ("Ag", "0.40"), ("Cu", "0.25")]


def test_a_cluster_about_a_corner_is_whole_again(tmp_path):
    """Half of it is listed; the rest is made by inversion, in the next cells."""
    file = write_cif(tmp_path / "c.cif", COPPER, INVERSION)
    atoms = import_cluster(file, Choices()).atoms
    expected = np.sort(distances(RHOMBUS).ravel())
    assert atoms.get_chemical_formula() == "Cu4"
    assert np.sort(distances(atoms.positions).ravel()) == pytest.approx(
        expected, abs=1e-3
    )


def test_solvent_is_listed_and_left_out_only_when_the_cluster_is_chosen(tmp_path):
    file = write_cif(tmp_path / "c.cif", COPPER + SOLVENT, INVERSION)
    with pytest.raises(StructureError, match=r"1: Cu4 × 1, 2: H2O × 2.*--molecule"):
        import_cluster(file, Choices())
    for choice in ("1", "Cu4"):
        found = import_cluster(file, Choices(molecule=choice))
        assert found.atoms.get_chemical_formula() == "Cu4"
        assert "left out of c.cif: H2O × 2" in found.notes
    water = import_cluster(file, Choices(molecule="H2O"))
    assert "one of 2 copies in the cell of c.cif" in water.notes
    with pytest.raises(StructureError, match="--molecule Cu5: there is none"):
        import_cluster(file, Choices(molecule="Cu5"))


def test_symmetry_copies_are_one_cluster_and_others_are_not(tmp_path):
    dimer = [(3, 3, 3), (3, 3, 5.22)]
    other = [(3, 8, 3), (3, 8, 5.40)]
    pair = [site("Cu1", dimer[0]), site("Cu2", dimer[1])]
    file = write_cif(tmp_path / "one.cif", pair, INVERSION)
    assert len(import_cluster(file, Choices()).atoms) == 2
    both = [*pair, site("Cu3", other[0]), site("Cu4", other[1])]
    file = write_cif(tmp_path / "two.cif", both)
    with pytest.raises(StructureError, match=r"more than one molecule Cu2: 1: Cu2 × 1"):
        import_cluster(file, Choices(molecule="Cu2"))
    second = import_cluster(file, Choices(molecule="2")).atoms
    assert second.get_distance(0, 1) == pytest.approx(2.40, abs=1e-3)


DISORDERED = [
    *(site(f"Cu{k}", p) for k, p in enumerate(RHOMBUS[:3], start=1)),
    site("Cu4", RHOMBUS[3], "0.7(1)", "A", "1"),
    site("Cu5", RHOMBUS[3] + [0.9, 0, 0.9], "0.3(1)", "A", "2"),
]


@pytest.mark.parametrize(
    ("disorder", "shift"),
    [("major", (0, 0, 0)), ("1", (0, 0, 0)), ("2", (0.9, 0, 0.9))],
)
def test_disorder_is_chosen(tmp_path, disorder, shift):
    file = write_cif(tmp_path / "d.cif", DISORDERED)
    found = import_cluster(file, Choices(disorder=disorder))
    expected = np.vstack([RHOMBUS[:3], RHOMBUS[3] + shift])
    assert np.sort(distances(found.atoms.positions).ravel()) == pytest.approx(
        np.sort(distances(expected).ravel()), abs=1e-3
    )
    assert f"d.cif: {disorder} sites of disorder" in found.notes


def test_disorder_is_refused_by_name(tmp_path):
    file = write_cif(tmp_path / "d.cif", DISORDERED)
    with pytest.raises(StructureError, match=r"Cu4 \(0\.70\), Cu5 \(0\.30\).*major"):
        import_cluster(file, Choices())
    with pytest.raises(
        StructureError, match="no site is in that group; there are 1, 2"
    ):
        import_cluster(file, Choices(disorder="3"))


def test_disorder_of_what_is_left_out_does_not_matter(tmp_path):
    half = [line.replace(" 1 . .", " 0.5 . .") for line in SOLVENT]
    file = write_cif(tmp_path / "c.cif", COPPER + half, INVERSION)
    found = import_cluster(file, Choices(molecule="Cu4"))
    assert found.atoms.get_chemical_formula() == "Cu4"


def test_two_elements_on_one_site_are_refused_or_the_major_one_taken(tmp_path):
    mixed = [
        *COPPER[:1],
        site("Cu2", RHOMBUS[1], "0.8"),
        site("Ag2", RHOMBUS[1], "0.2"),
    ]
    file = write_cif(tmp_path / "m.cif", mixed, INVERSION)
    with pytest.raises(StructureError, match=r"mixed site Ag2 \(Cu 0\.80, Ag 0\.20\)"):
        import_cluster(file, Choices(molecule="1"))
    found = import_cluster(file, Choices(disorder="major"))
    assert found.atoms.get_chemical_formula() == "Cu4"
    # Of three, none with more than one half, the commonest.
    three = [site(f"{element}2", RHOMBUS[1], share) for element, share in THREE]
    file = write_cif(tmp_path / "three.cif", [*COPPER[:1], *three], INVERSION)
    found = import_cluster(file, Choices(disorder="major"))
    assert found.atoms.get_chemical_formula() == "Ag2Cu2"
    assert any("(Au 0.35, Ag 0.40, Cu 0.25) as Ag" in note for note in found.notes)
    # Refined a little apart, they share the site all the same.
    mixed[-1] = site("Ag2", RHOMBUS[1] + [0.1, 0.0, 0.0], "0.2")
    file = write_cif(tmp_path / "apart.cif", mixed, INVERSION)
    found = import_cluster(file, Choices(disorder="major"))
    assert any("Cu2 (Cu 0.80, Ag 0.20) as Cu" in note for note in found.notes)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (COPPER[1].replace(" Cu ", " Au0.6Ag0.4 "), r"mixed site \(Au0.6Ag0.4\)"),
        ("Cu2 Cu . . . 1 . .", r"site Cu2 has no coordinates \(\.\)"),
        ("Cu2 Cu 0.1 0.1 ? 1 . .", r"site Cu2 has no coordinates \(\?\)"),
    ],
)
def test_a_site_without_element_or_place_is_named(tmp_path, row, says):
    file = write_cif(tmp_path / "odd.cif", [COPPER[0], row], INVERSION)
    with pytest.raises(StructureError, match=says):
        import_cluster(file, Choices())


def test_single_sites_that_major_leaves_out_are_named_and_halves_refused(tmp_path):
    """Copper with a hydride that is there four times in ten, or every second time."""
    hydride = RHOMBUS[0] + [0.0, 1.6, 0.0]
    header = "_chemical_formula_sum 'Cu2 H'\n_cell_formula_units_Z 1\n"
    rare = [*COPPER, site("H1", hydride, "0.4")]
    found = import_cluster(
        write_cif(tmp_path / "h.cif", rare, header=header), Choices(disorder="major")
    )
    assert found.atoms.get_chemical_formula() == "Cu2"
    assert "left out, not always there: H1 (0.40)" in found.notes
    assert any("1 H fewer than its formula Cu2 H" in note for note in found.notes)
    half = write_cif(tmp_path / "half.cif", [*COPPER, site("H1", hydride, "0.5")])
    with pytest.raises(StructureError, match="H1 are occupied by half and in no"):
        import_cluster(half, Choices(disorder="major"))


def test_a_pdb_file_names_the_single_sites_that_major_leaves_out(tmp_path):
    row = (
        "HETATM    {} {:4} LIG A   1    {:8.3f}{:8.3f}   0.000{:6.2f}  0.00" + 10 * " "
    )
    lines = [
        row.format(1, "CU", 0, 0, 1) + "CU",
        row.format(2, "CU", 2.2, 0, 1) + "CU",
        row.format(3, " H1", 1.1, 1.3, 0.3) + " H",
    ]
    file = tmp_path / "lone.pdb"
    file.write_text("\n".join(lines) + "\n")
    found = import_cluster(file, Choices(disorder="major"))
    assert found.atoms.get_chemical_formula() == "Cu2"
    assert "left out, not always there: H1 (0.30)" in found.notes


def test_an_occupancy_that_is_left_out_is_one(tmp_path):
    given = [line.replace(" 1 . .", " . . .") for line in COPPER]
    file = write_cif(tmp_path / "dot.cif", given)
    assert import_cluster(file, Choices()).atoms.get_chemical_formula() == "Cu2"


def test_a_peak_without_an_element_is_named(tmp_path):
    file = write_cif(tmp_path / "q.cif", [*COPPER, site("Q1", (6, 6, 6))])
    with pytest.raises(StructureError, match="site Q1 is no element"):
        import_cluster(file, Choices())


def test_hydrogens_that_were_not_located_are_missed(tmp_path):
    methanethiolate = [(0, 0, 0), (2.2, 0, 0), (2.8, 1.7, 0)]
    sites = [
        site(label, np.add(place, 3))
        for label, place in zip(("Cu1", "S1", "C1"), methanethiolate, strict=True)
    ]
    header = "_chemical_formula_sum 'C H3 Cu S'\n_cell_formula_units_Z 1\n"
    file = write_cif(tmp_path / "h.cif", sites, header=header)
    with pytest.raises(StructureError, match=r"atoms are missing: C1 has 1 neighbour"):
        import_cluster(file, Choices())
    found = import_cluster(file, Choices(truncate=("SH",)))
    assert found.atoms.get_chemical_formula() == "HCuS"
    assert any("holds 3 H fewer than its formula" in note for note in found.notes)


def test_an_atom_bonded_to_nothing_is_missed():
    positions = np.array([[0, 0, 0], [0, 0, 2.22], [0, 0, 8.0]])
    assert broken_bonds(["Cu", "Cu", "H"], positions) == ["H2 is bonded to nothing"]


@pytest.mark.parametrize(
    "name",
    ["CO", "HCN", "C2H2", "C2H4", "C6H6", "CH3COOH", "CO2", "C60", "H2CO", "NCCN"],
)
def test_whole_molecules_lack_nothing(name):
    from ase.build import molecule

    atoms = molecule(name)
    assert broken_bonds(atoms.get_chemical_symbols(), atoms.positions) == []


def test_a_chain_through_the_walls_is_endless():
    chain = Atoms("Cu4", [(x, 0, 0) for x in (0, 2.3, 4.6, 6.9)], cell=[9.2, 12, 12])
    chain.pbc = True
    assert [m.is_endless for m in find_molecules(chain)] == [True]


PDB = """\
CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1
HETATM    1 CU1  LIG A   1       0.000   0.000   0.000  1.00  0.00          CU
HETATM    2 CU2 ALIG A   1       0.000   0.000   2.220  0.60  0.00          CU
HETATM    3 CU2 BLIG A   1       0.000   2.300   0.000  0.40  0.00          CU
END
"""


def test_alternate_locations_of_a_pdb_file(tmp_path):
    file = tmp_path / "a.pdb"
    file.write_text(PDB)
    with pytest.raises(StructureError, match=r"CU2A \(0\.50\), CU2B \(0\.40\)"):
        import_cluster(file, Choices())
    lengths = [
        import_cluster(file, Choices(disorder=d)).atoms.get_distance(0, 1)
        for d in ("major", "A", "B")
    ]
    assert lengths == pytest.approx([2.22, 2.22, 2.30])


def test_a_pdb_file_without_elements_is_read_by_its_names(tmp_path):
    file = tmp_path / "a.pdb"
    lines = [line[:76] for line in PDB.splitlines() if "BLIG" not in line]
    file.write_text("\n".join(lines).replace("ALIG", " LIG").replace("0.60", "1.00"))
    assert import_cluster(file, Choices()).atoms.get_chemical_formula() == "Cu2"


def gro(*names):
    rows = [
        f"    1LIG  {n:>5}{k:5}   0.100   0.100{0.1 + 0.22 * k:8.3f}"
        for k, n in enumerate(names)
    ]
    return "\n".join(["own", str(len(names)), *rows, "   2.0   2.0   2.0"]) + "\n"


def test_a_gro_file_is_read_in_nm_and_by_its_names(tmp_path):
    file = tmp_path / "a.gro"
    file.write_text(gro("CU1", "Cu2"))
    atoms = import_cluster(file, Choices()).atoms
    assert atoms.get_chemical_formula() == "Cu2"
    assert atoms.get_distance(0, 1) == pytest.approx(2.2)
    file.write_text(gro("CD1", "Cd2"))
    with pytest.raises(StructureError, match="CD1 may be Cd or C; write Cd"):
        import_cluster(file, Choices())


# Zn at the corners of a cube, joined along its edges by rods of N≡C-C≡N.
EDGE = 7.68
ROD = (("N", 1.95), ("C", 3.10), ("C", EDGE - 3.10), ("N", EDGE - 1.95))


@pytest.fixture
def framework(tmp_path):
    rods = [(symbol, x * axis) for axis in np.eye(3) for symbol, x in ROD]
    middle = np.full(3, EDGE / 2)
    guest = [("Cu", middle + np.array([0, 0, z])) for z in (-1.11, 1.11)]
    symbols, places = zip(("Zn", np.zeros(3)), *rods, *guest, strict=True)
    file = tmp_path / "f.cif"
    write(file, Atoms(symbols, positions=places, cell=[EDGE] * 3, pbc=True))
    return file


def test_a_framework_is_no_cluster(framework):
    with pytest.raises(StructureError, match=r"1: C6N6Zn × 1 \(endless\), 2: Cu2 × 1"):
        import_cluster(framework, Choices())
    with pytest.raises(StructureError, match=r"periodic image.*--host-centre"):
        import_cluster(framework, Choices(molecule="1"))


@pytest.mark.parametrize("centre", ["Zn1", "1,1,1"])
def test_a_node_is_cut_at_single_bonds_and_capped(framework, centre):
    """A metal keeps its ligands, a triple bond is kept, the C-C bond becomes C-H."""
    found = import_cluster(framework, Choices(host_centre=centre, host_radius_a=1.0))
    assert found.atoms.get_chemical_formula() == "C6H6N6Zn"
    assert found.support == tuple(range(19))
    graph = bond_graph(found.atoms.get_chemical_symbols(), found.atoms.positions)
    for i, j in graph.edges:
        if found.atoms.symbols[i] == "C" and found.atoms.symbols[j] == "H":
            assert found.atoms.get_distance(i, j) == pytest.approx(1.087, abs=1e-3)
    caps = found.atoms.positions[found.atoms.symbols == "H"]
    zinc = found.atoms.positions[found.atoms.symbols == "Zn"]
    gaps = np.linalg.norm(caps - zinc, axis=1)
    assert gaps == pytest.approx(np.full(6, 3.10 + 1.087), abs=1e-3)


def test_a_cluster_comes_with_the_host_around_it(framework):
    """The twelve edges about the pore; N that loses its metal is a neutral donor."""
    found = import_cluster(framework, Choices(molecule="Cu2", host_radius_a=6.0))
    assert found.atoms.get_chemical_formula() == "C24Cu2N24"
    assert found.support == tuple(range(2, 50))
    assert list(found.atoms.symbols[:2]) == ["Cu", "Cu"]
    assert "host: C24N24, cut out of f.cif at 6 Å" in found.notes[-1]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"host_centre": "Zn1"}, "--host-centre needs --host-radius-a"),
        ({"host_centre": "Zn7", "host_radius_a": 3}, "no site has that label"),
        ({"host_centre": "0,0", "host_radius_a": 3}, "three fractional"),
        ({"host_centre": "0,0,nan", "host_radius_a": 3}, "three fractional"),
        ({"host_centre": "0.25,0.25,0.25", "host_radius_a": 1}, "no atom of the"),
        ({"molecule": "Cu2", "host_radius_a": -1}, "must be more than 0"),
        ({"molecule": "Cu2", "host_radius_a": np.nan}, "must be more than 0"),
        ({"truncate": ("OH",)}, "--truncate-ligands OH: use one of SH, SCH3, SeH"),
        ({"molecule": "Cu2", "truncate": ("SH",)}, "there is no ligand to become SH"),
    ],
)
def test_what_cannot_be_is_said(framework, choices, message):
    with pytest.raises(ClusterflowError, match=message):
        import_cluster(framework, Choices(**choices))


def test_carboxylates_that_lose_their_metal_are_acids(tmp_path):
    """A formate on two Zn; each oxygen holds one, and both are cut off."""
    places = {
        "C1": (5, 5, 5.0),
        "H1": (5, 5, 6.1),
        "O1": (6.12, 5, 4.41),
        "O2": (3.88, 5, 4.41),
        "Zn1": (7.2, 5, 2.8),
        "Zn2": (2.8, 5, 2.8),
    }
    # A line of Zn through the walls makes it endless.
    sites = [site(k, p) for k, p in places.items()]
    sites += [site(f"Zn{k}", (x, 5, 2.8)) for k, x in enumerate((9.3, 11.4, 0.9), 3)]
    file = write_cif(tmp_path / "acid.cif", sites)
    found = import_cluster(file, Choices(host_centre="C1", host_radius_a=0.5))
    assert found.atoms.get_chemical_formula() == "CH2O2"
    assert found.atoms.get_distance(0, len(found.atoms) - 1) < 2.2


def test_the_page_shows_what_is_said(root, tmp_path, monkeypatch):
    page = (root / "docs/adding.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for sites, operations in ((COPPER + SOLVENT, INVERSION), (DISORDERED, ("x,y,z",))):
        file = write_cif(Path("mine.cif"), sites, operations)
        with pytest.raises(StructureError) as error:
            import_cluster(file, Choices())
        assert f"\n    error: {error.value}\n" in page


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.cif", "data_own\n"),
        ("words.cif", "not a structure"),
        ("short.cif", "data_own\nloop_\n_atom_site_label\nloop_\n"),
        ("number.cif", CIF.replace("{a}", "twelve").replace("{sites}", COPPER[0])),
        ("words.pdb", "not a structure"),
        ("cell.pdb", "CRYST1 bad\n" + PDB.splitlines()[1]),
        ("number.pdb", PDB.replace("2.220", "2.2zz").replace("BLIG", " LIG")),
        ("bare.pdb", "ATOM\n"),
        ("nan.pdb", PDB.replace("2.220", "  nan").replace("BLIG", " LIG")),
        ("nan.xyz", "2\n\nCu 0 0 0\nCu 0 0 nan\n"),
        ("words.gro", "not a structure"),
    ],
)
@pytest.mark.parametrize("disorder", ["", "major"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, name, content, disorder):
    (tmp_path / name).write_text(content)
    with pytest.raises(StructureError, match=name) as error:
        import_cluster(tmp_path / name, Choices(disorder=disorder))
    assert "\n" not in str(error.value)


def test_a_multiplicity_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.xyz").write_text("2\n\nCu 0 0 0\nCu 0 0 2.2\n")
    options = ["--charge", "1", "--source", "unpublished: A. Person", "--multiplicity"]
    assert main(["add", "own.xyz", "--name", "O1", *options, "auto"]) == 0
    written = Path("structures/clusters/O1.yaml")
    assert "multiplicity: auto" in written.read_text()
    spec = load_spec(written, ClusterSpec)
    assert (spec.multiplicity, spec.auto_multiplicity) == (2, True)
    assert main(["add", "own.xyz", "--name", "O2", *options, "x"]) == 2


@pytest.mark.parametrize(
    ("formula", "material"),
    [
        ("Au24CdS18H18", "metal"),
        ("Au20Cd4S18H18", "metal"),
        ("Cu12CoSe2", "metal"),
        ("Cd12CuSe13", "ii-vi"),
        ("Cd13Se13", "ii-vi"),
        ("Zn12O12", "ii-vi"),
        ("Zn4", "metal"),
        ("Si4", "other"),
    ],
)
def test_the_material_is_that_of_the_core(formula, material):
    assert guess_material(parse_formula(formula)) == material


def test_the_material_of_the_library_is_what_would_be_guessed(library):
    guessed = {
        name: guess_material(parse_formula(library.cluster(name).formula))
        for name in library.paths("clusters")
    }
    assert guessed == {name: library.cluster(name).material for name in guessed}
