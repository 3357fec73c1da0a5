"""Counter-ions that a crystal holds beside a cluster, and the charge they imply."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import molecule
from ase.io import write

from clusterflow.cli.app import main
from clusterflow.formula import n_electrons
from clusterflow.intake.counter_ions import imply_charge
from clusterflow.library.find import Library
from clusterflow.science.geometry.molecules import Molecule

RHOMBUS = np.array([[1.2, 0, 0], [0, 2.08, 0], [-1.2, 0, 0], [0, -2.08, 0]])
OCTAHEDRON = 1.6 * np.array([*np.eye(3), *-np.eye(3)])
IONS = {ion.name: ion for ion in Library.default().ions()}
ADD = ["--multiplicity", "auto", "--source", "unpublished: a test", "--name", "mine"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def crystal(*others):
    """A cell with a Cu4 and others in a row behind it."""
    cell = Atoms("Cu4", positions=RHOMBUS + 4)
    for k, other in enumerate(others, start=1):
        other.positions += np.array([4, 4, 4 + 8 * k]) - other.positions.mean(axis=0)
        cell += other
    cell.set_cell([9, 9, 8 * len(others) + 8])
    cell.pbc = True
    write("c.cif", cell)
    return "c.cif"


def hexafluorophosphate():
    return Atoms("PF6", positions=[(0, 0, 0), *OCTAHEDRON])


def add(file, charge, *more):
    return main(["add", file, "--molecule", "Cu4", f"--charge={charge}", *ADD, *more])


def written_charge(folder):
    text = (folder / "structures/clusters/mine.yaml").read_text()
    return yaml.safe_load(text).get("charge", 0)


@pytest.mark.parametrize("name", sorted(IONS))
def test_an_ion_is_a_closed_shell(name):
    ion = IONS[name]
    assert ion.charge and n_electrons(ion.counts, ion.charge) % 2 == 0


def test_no_two_ions_have_the_same_atoms():
    alike = Counter(tuple(sorted(ion.counts.items())) for ion in IONS.values())
    assert set(alike.values()) == {1}


def test_anions_left_out_make_the_cluster_a_cation(folder, capsys):
    file = crystal(hexafluorophosphate(), hexafluorophosphate(), molecule("H2O"))
    assert add(file, 0) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "c.cif: what is left out (PF6- × 2 for 1 Cu4) says charge +2" in line
    assert not (folder / "structures").exists()
    assert add(file, 0, "--trust", "file") == 0
    assert written_charge(folder) == 2
    out = capsys.readouterr().out
    assert "counter-ions left out: PF6- × 2 for 1 Cu4: charge +2" in out


def test_the_right_charge_is_taken_and_said(folder, capsys):
    assert add(crystal(Atoms("K")), -1) == 0
    out = capsys.readouterr().out
    assert "counter-ions left out: potassium+ × 1 for 1 Cu4: charge -1" in out


def test_two_clusters_share_one_dication(folder, capsys):
    file = crystal(Atoms("Cu4", positions=RHOMBUS), Atoms("Na"), Atoms("Cs"))
    assert add(file, -1) == 0
    assert "charge -1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (Atoms("Ag2", [(0, 0, 0), (2.7, 0, 0)]), "Ag2 may be charged too"),
        (molecule("NO2"), "NO2 may be charged too"),
        (Atoms("Cu4", positions=RHOMBUS), "that would be -0.50"),
    ],
)
def test_no_charge_follows_where_a_doubt_is_left(other, why, folder, capsys):
    assert add(crystal(Atoms("K"), other), 0) == 0
    assert f"no charge follows, {why}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("moieties", "charge"),
    [
        ("Cu4 2+, 2(F6 P 1-), H2 O", 2),
        ("2(C24 H20 P +), Cu4 H2 2-", -2),  # hydrogen that was not located
        ("Cu4, 2(C H2 Cl2)", None),
        ("Cu3 2+, F6 P -", None),
        ("?", None),
    ],
)
def test_ions_without_sites_are_in_the_formula(folder, capsys, moieties, charge):
    """As where they were taken out of the density with the solvent."""
    file = crystal(molecule("H2O"))
    text = (folder / file).read_text()
    line = f"_chemical_formula_moiety '{moieties}'\n"
    (folder / file).write_text(
        text.replace("_cell_length_a", line + "_cell_length_a", 1)
    )
    assert add(file, 5) == (0 if charge is None else 2)
    if charge is not None:
        assert f"by moieties says charge {charge:+d}" in capsys.readouterr().err
        assert add(file, charge) == 0


def test_what_may_be_charged_is_named_without_a_known_ion(folder, capsys):
    assert add(crystal(Atoms("Hg"), molecule("H2O")), 0) == 0
    out = capsys.readouterr().out
    assert "warning: left out: Hg, which may be charged" in out
    assert "H2O, which" not in out


def test_solvent_alone_says_nothing(folder, capsys):
    assert add(crystal(molecule("H2O")), 1) == 0
    assert "counter-ions" not in capsys.readouterr().out


def test_an_ion_on_half_its_sites_counts_half():
    def single(symbol):
        return Molecule(
            indices=(0,),
            symbols=(symbol,),
            positions=np.zeros((1, 3)),
            is_endless=False,
        )

    cell = [(single("Cu"), 1.0), (single("K"), 0.5), (single("K"), 0.5)]
    word, _ = imply_charge(single("Cu"), cell, list(IONS.values()))
    assert word.charge == -1
