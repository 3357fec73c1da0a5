"""Ligands cut to models: who is cut, where the hydrogens go, what is refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from clusterflow.formula import n_electrons
from clusterflow.science.clusters.ligand_truncation import truncate_ligands


def on_copper(*names: str) -> Atoms:
    """Ligands 30 Å apart, each with its S, Se or P on a copper dimer of its own."""
    whole = Atoms()
    for k, name in enumerate(names):
        ligand = LIGANDS[name]()
        for donor in [a.index for a in ligand if a.symbol in ("S", "Se", "P")]:
            away = ligand.positions[donor] - ligand.positions.mean(axis=0)
            place = ligand.positions[donor] + 2.25 * away / np.linalg.norm(away)
            ligand += Atoms("Cu", [place])
        ligand.translate((30.0 * k, 0, 0))
        whole += ligand
    return whole


def ethanethiolate() -> Atoms:
    thiol = molecule("CH3CH2SH")
    graph_h = [a.index for a in thiol if a.symbol == "H"]
    sulfur = next(a.index for a in thiol if a.symbol == "S")
    del thiol[min(graph_h, key=lambda i: thiol.get_distance(i, sulfur))]
    return thiol


def swapped(symbol: str, stretch: float) -> Atoms:
    """Ethanethiolate with another donor, its bond to carbon longer."""
    atoms = ethanethiolate()
    donor = next(a.index for a in atoms if a.symbol == "S")
    carbon = min(
        (a.index for a in atoms if a.symbol == "C"),
        key=lambda i: atoms.get_distance(i, donor),
    )
    atoms.set_distance(carbon, donor, stretch, fix=0)
    atoms.symbols[donor] = symbol
    return atoms


def trimethylphosphine() -> Atoms:
    amine = molecule("C3H9N")
    centre = next(a.index for a in amine if a.symbol == "N")
    amine.symbols[centre] = "P"
    for carbon in [a.index for a in amine if a.symbol == "C"]:
        group = [carbon] + [
            a.index
            for a in amine
            if a.symbol == "H" and amine.get_distance(carbon, a.index) < 1.3
        ]
        bond = amine.positions[carbon] - amine.positions[centre]
        amine.positions[group] += (1.84 / np.linalg.norm(bond) - 1) * bond
    return amine


def chain(*middle: str) -> Atoms:
    """Two PH2 or S ends on a zigzag of CH2, as in DPPM and DPPE; no other groups."""
    symbols: list[str] = []
    places: list[tuple[float, float, float]] = []
    for k, symbol in enumerate(middle):
        x, y = 1.55 * k, 0.45 * (k % 2)
        symbols.append(symbol)
        places.append((x, y, 0.0))
        if symbol == "C":
            side = y + (0.6 if k % 2 else -0.6)
            symbols += ["H", "H"]
            places += [(x, side, 0.9), (x, side, -0.9)]
        if symbol == "P":
            out = x + (-0.6 if k == 0 else 0.6)
            symbols += ["H", "H"]
            places += [(out, y + 0.6, 1.1), (out, y + 0.6, -1.1)]
    return Atoms(symbols, positions=places)


LIGANDS = {
    "SEt": ethanethiolate,
    "SeR": lambda: swapped("Se", 1.96),
    "PMe3": trimethylphosphine,
    "DPPE": lambda: chain("P", "C", "C", "P"),
    "DPPM": lambda: chain("P", "C", "P"),
    "S2CH2": lambda: chain("S", "C", "S"),
}


def cut(atoms, *models):
    return truncate_ligands(atoms.get_chemical_symbols(), atoms.positions, models)


@pytest.mark.parametrize(
    ("name", "model", "formula", "bond", "length"),
    [
        ("SEt", "SH", {"Cu": 1, "S": 1, "H": 1}, ("S", "H"), 1.336),
        ("SEt", "SCH3", {"Cu": 1, "S": 1, "C": 1, "H": 3}, ("C", "H"), 1.087),
        ("SeR", "SeH", {"Cu": 1, "Se": 1, "H": 1}, ("Se", "H"), 1.460),
        ("PMe3", "PH3", {"Cu": 1, "P": 1, "H": 3}, ("P", "H"), 1.421),
    ],
)
def test_a_ligand_becomes_its_model(name, model, formula, bond, length):
    atoms = on_copper(name)
    found = cut(atoms, model)
    small = Atoms(list(found.symbols), positions=found.positions)
    assert Counter(found.symbols) == formula
    (centre,) = (a.index for a in small if a.symbol == bond[0])
    hydrogens = [a.index for a in small if a.symbol == "H"]
    # Methyl keeps the C-H bonds it had; what is put on has the usual length.
    lengths = small.get_distances(centre, hydrogens)
    assert lengths == pytest.approx(length, abs=0.01)
    angles = [
        small.get_angle(i, centre, j)
        for k, i in enumerate(hydrogens)
        for j in hydrogens[:k]
    ]
    assert all(90 < angle < 118 for angle in angles)
    before, after = (
        n_electrons(Counter(symbols), 0) for symbols in (atoms.symbols, found.symbols)
    )
    assert before % 2 == after % 2
    for new, old in enumerate(found.kept):
        assert found.symbols[new] == atoms.symbols[old]
        assert found.positions[new] == pytest.approx(atoms.positions[old])


def test_hydrogen_lies_along_the_bond_that_was_cut():
    atoms = on_copper("SEt")
    found = cut(atoms, "SH")
    sulfur = next(a.index for a in atoms if a.symbol == "S")
    carbon = min(
        (a.index for a in atoms if a.symbol == "C"),
        key=lambda i: atoms.get_distance(i, sulfur),
    )
    old = atoms.positions[carbon] - atoms.positions[sulfur]
    new = found.positions[-1] - atoms.positions[sulfur]
    assert np.cross(old, new) == pytest.approx(np.zeros(3), abs=1e-9)
    assert old @ new > 0


def test_all_kinds_are_cut_at_once_and_counted():
    found = cut(on_copper("SEt", "PMe3", "SEt"), "SH", "PH3")
    assert [str(one) for one in found.cuts] == [
        "2 × C2H5S -> SH, 2 bonds cut",
        "1 × C3H9P -> PH3, 3 bonds cut",
    ]
    assert Counter(found.symbols) == {"Cu": 3, "S": 2, "P": 1, "H": 5}


def test_ligands_of_other_donors_stay():
    found = cut(on_copper("SEt", "PMe3"), "PH3")
    assert Counter(found.symbols)["C"] == 2


@pytest.mark.parametrize(
    ("name", "before", "bonds"), [("DPPE", "C2H8P2", 2), ("DPPM", "CH6P2", 2)]
)
def test_a_chelating_phosphine_becomes_two(name, before, bonds):
    found = cut(on_copper(name), "PH3")
    assert [str(one) for one in found.cuts] == [
        f"1 × {before} (chelating) -> 2 PH3, {bonds} bonds cut"
    ]
    assert Counter(found.symbols) == {"Cu": 2, "P": 2, "H": 6}


def test_the_hydrogens_of_two_donors_on_one_carbon_are_no_molecule():
    found = cut(on_copper("DPPM"), "PH3")
    new = found.positions[-2:]
    assert np.linalg.norm(new[0] - new[1]) == pytest.approx(1.6)
    phosphorus = found.positions[[s == "P" for s in found.symbols]]
    bonds = np.linalg.norm(new[:, None] - phosphorus[None], axis=-1).min(axis=1)
    assert bonds == pytest.approx([1.421, 1.421])


def test_two_models_of_one_donor_are_refused():
    with pytest.raises(ValueError, match="SH and SCH3 both replace ligands of S"):
        cut(on_copper("SEt"), "SH", "SCH3")


def test_a_flat_carbon_becomes_a_tetrahedral_methyl():
    ring = molecule("C6H6")
    hydrogen = 6
    carbon = int(ring.get_distances(hydrogen, range(6)).argmin())
    out = ring.positions[hydrogen] - ring.positions[carbon]
    out /= np.linalg.norm(out)
    ring.symbols[hydrogen] = "S"
    ring.positions[hydrogen] = ring.positions[carbon] + 1.77 * out
    side = np.cross(out, (0, 0, 1.0))
    ring += Atoms("Cu", [ring.positions[hydrogen] + 2.2 * side])
    found = cut(ring, "SCH3")
    small = Atoms(list(found.symbols), positions=found.positions)
    assert Counter(found.symbols) == {"Cu": 1, "S": 1, "C": 1, "H": 3}
    for k in (3, 4, 5):
        assert small.get_distance(2, k) == pytest.approx(1.087)
        assert small.get_angle(0, 2, k) == pytest.approx(109.47, abs=0.01)


@pytest.mark.parametrize(
    ("atoms", "models", "message"),
    [
        (lambda: on_copper("S2CH2"), ["SH"], r"S0 and S4 share C1.*one electron more"),
        (lambda: on_copper("PMe3"), ["SH"], "no ligand to become SH"),
        # A dithiophosphate: S on P.
        (
            lambda: Atoms(
                "CuSPO", [(0, 0, 0), (2.2, 0, 0), (2.9, 1.85, 0), (4.4, 2, 0)]
            ),
            ["SH"],
            "S1 is bonded to metal and P: no SR to cut",
        ),
        # A thioether.
        (
            lambda: Atoms(
                "CuSC2", [(0, 0, 0), (2.2, 0, 0), (2.9, 1.7, 0), (2.9, -1.7, 0)]
            ),
            ["SH"],
            "S1 is bonded to metal and C, C",
        ),
        # The rest holds a nitrogen on another copper.
        (
            lambda: Atoms(
                "CuSCNCu",
                [(0, 0, 0), (2.2, 0, 0), (2.9, 1.6, 0), (1.9, 2.5, 0), (0.0, 2.7, 0)],
            ),
            ["SH"],
            "N3 binds the metal as well as S1",
        ),
    ],
)
def test_what_is_not_understood_is_refused(atoms, models, message):
    with pytest.raises(ValueError, match=message):
        cut(atoms(), *models)
