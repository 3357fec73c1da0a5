"""Bonds of adsorbates to clusters, on geometries whose Lewis structure is known."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.library.find import Library
from clusterflow.records.structure import Structure
from clusterflow.science.adsorption.surface_bonds import SurfaceBond, surface_bonds

# A row of copper below, 2.5 Å apart.
ROW = [("Cu", (2.5 * i, 0.0, 0.0)) for i in range(-1, 2)]


def put_on(host, atoms, multiplicity=1):
    symbols = [s for s, _ in host] + [s for s, _ in atoms]
    return Structure(
        symbols=tuple(symbols),
        positions=tuple(p for _, p in (*host, *atoms)),
        roles=("core",) * len(host) + ("adsorbate",) * len(atoms),
        charge=0,
        multiplicity=multiplicity,
    )


def names(structure):
    return [str(bond) for bond in surface_bonds(structure)]


def of_library(adsorbate, form, height=1.95):
    """A form of the library above the middle of the row, as it is drawn."""
    spec = Library.default().adsorbate(adsorbate)
    chosen = next(f for f in spec.forms if f.name == form)
    atoms = [(line[0], (line[1], line[2], line[3] + height)) for line in chosen.atoms]
    return put_on(ROW, atoms)


@pytest.mark.parametrize(
    ("adsorbate", "form", "expected"),
    [
        ("H", "atom", "hydride on Cu"),
        ("CO", "c-down", "carbonyl on Cu"),
        ("COOH", "trans", "acyl on Cu"),
        ("CHO", "c-down", "acyl on Cu"),
        ("CH3", "umbrella", "alkyl on Cu"),
        ("CH2OH", "c-down", "alkyl on Cu"),
        ("CH2", "upright", "carbene on Cu"),
        ("CHOH", "trans", "Fischer carbene on Cu"),
        ("CH", "upright", "carbyne on Cu"),
        ("COH", "c-down", "Fischer carbyne on Cu"),
        ("C", "atom", "carbide on Cu"),
        ("O", "atom", "oxide on Cu"),
        ("OH", "bent", "alkoxide on Cu"),
        ("OCH3", "upright", "alkoxide on Cu"),
        ("OCHO", "monodentate", "carboxylate on Cu"),
        ("CH2O", "o-down", "molecular on Cu"),
        ("HCOOH", "o-down", "molecular on Cu"),
        ("H2O", "o-down", "molecular on Cu"),
        ("OOH", "end-on", "peroxide on Cu"),
        ("N", "atom", "nitride on Cu"),
        ("NH", "upright", "imide on Cu"),
        ("NH2", "upright", "amide on Cu"),
        ("NH3", "n-down", "molecular on Cu"),
        ("N2", "end-on", "molecular on Cu"),
        ("NNH", "end-on", "amide on Cu"),
        ("NNH2", "end-on", "imide on Cu"),
        ("NHNH", "end-on", "molecular on Cu"),
        ("NO", "n-down", "nitrosyl on Cu"),
        ("NOH", "n-down", "imide on Cu"),
        ("HNO", "n-down", "molecular on Cu"),
        ("HNOH", "n-down", "amide on Cu"),
        ("NO2", "n-down", "nitro on Cu"),
        ("NO2", "o-o", "nitrito on Cu"),
        ("HNO2", "o-down", "molecular on Cu"),
        ("NO3", "monodentate", "nitrato on Cu"),
        ("NO3", "bidentate", "nitrato on Cu"),
        ("HNO3", "o-down", "molecular on Cu"),
        ("N2O", "n-down", "molecular on Cu"),
    ],
)
def test_kinds_of_the_library(adsorbate, form, expected):
    assert names(of_library(adsorbate, form)) == [expected]


def test_formate_by_two_oxygen_atoms_is_one_bond():
    formate = put_on(
        ROW,
        [
            ("C", (0.0, 0.0, 2.6)),
            ("O", (-1.1, 0.0, 1.98)),
            ("O", (1.1, 0.0, 1.98)),
            ("H", (0.0, 0.0, 3.7)),
        ],
    )
    assert names(formate) == ["carboxylate on Cu"]


@pytest.mark.parametrize(
    ("bond_a", "expected"),
    [
        (1.24, ["side-on on Cu"]),
        (1.38, ["alkoxide on Cu", "alkyl on Cu"]),
    ],
)
def test_formaldehyde_with_a_single_bond_is_held_twice(bond_a, expected):
    """Over two atoms; stretched, it is no double bond that lies side-on."""
    over = [
        ("C", (-bond_a / 2, 0.0, 1.55)),
        ("O", (bond_a / 2, 0.0, 1.5)),
        ("H", (-bond_a / 2 - 0.5, 0.93, 1.9)),
        ("H", (-bond_a / 2 - 0.5, -0.93, 1.9)),
    ]
    pair = [("Cu", (-1.7, 0.0, 0.0)), ("Cu", (1.7, 0.0, 0.0))]
    assert names(put_on(pair, over)) == expected


def test_carbon_dioxide_bent_by_its_carbon_lies_side_on():
    bent = put_on(
        ROW,
        [
            ("C", (0.0, 0.0, 2.0)),
            ("O", (-1.1, 0.0, 2.5)),
            ("O", (1.1, 0.0, 2.5)),
        ],
    )
    assert names(bent) == ["side-on on Cu"]


@pytest.mark.parametrize(
    ("height", "expected"), [(1.9, "acyl on Se"), (2.7, "acyl on Cd")]
)
def test_the_nearest_element_counts(height, expected):
    """A carbon between Cd and Se belongs to the one it is bonded to."""
    host = [("Se", (0.0, 0.0, 0.0)), ("Cd", (0.0, 0.0, 4.9))]
    formyl = [
        ("C", (0.0, 0.0, height)),
        ("O", (1.1, 0.0, height)),
        ("H", (-1.0, 0.4, height)),
    ]
    assert names(put_on(host, formyl)) == [expected]


def test_bond_to_two_elements_names_both():
    host = [("Cd", (-1.9, 0.0, 0.0)), ("Se", (1.9, 0.0, 0.0))]
    assert names(put_on(host, [("O", (0.05, 0.0, 0.1))])) == ["oxide on Cd+Se"]


def test_two_adsorbates_have_a_bond_each():
    both = put_on(
        ROW,
        [
            ("H", (-2.5, 0.0, 1.55)),
            ("C", (2.5, 0.0, 1.85)),
            ("O", (2.5, 0.0, 3.0)),
        ],
    )
    assert names(both) == ["carbonyl on Cu", "hydride on Cu"]


def test_what_touches_nothing_has_no_bond():
    assert names(put_on(ROW, [("H", (0.0, 0.0, 6.0))])) == []
    far = put_on(ROW, [("C", (0.0, 0.0, 6.0)), ("O", (0.0, 0.0, 7.1))])
    assert names(far) == []


def test_bare_cluster_has_no_bond():
    assert surface_bonds(put_on(ROW, [])) == ()


def test_bonds_do_not_hang_on_orientation_or_order_of_atoms():
    structure = of_library("COOH", "trans")
    turned, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    order = np.random.default_rng(1).permutation(len(structure.symbols))
    moved = structure.xyz @ turned.T
    shuffled = structure.model_copy(
        update={
            "symbols": tuple(structure.symbols[i] for i in order),
            "roles": tuple(structure.roles[i] for i in order),
            "positions": tuple(tuple(float(x) for x in moved[i]) for i in order),
        }
    )
    assert surface_bonds(shuffled) == surface_bonds(structure)


def test_bond_reads_as_a_phrase():
    assert str(SurfaceBond("acyl", "Cd+Se")) == "acyl on Cd+Se"


@pytest.mark.parametrize(
    ("foot", "foot_a", "expected"),
    [
        ("Se", 1.69, "carbonyl chalcogenide on Se"),  # as in OCSe
        ("Se", 2.45, "carbonyl on Se"),
        ("Cd", 2.3, "carbonyl on Cd"),
    ],
)
def test_carbon_monoxide_taken_up_by_an_anion_is_no_carbonyl(foot, foot_a, expected):
    carbonyl = [("C", (0.0, 0.0, foot_a)), ("O", (0.0, 0.0, foot_a + 1.16))]
    assert names(put_on([(foot, (0.0, 0.0, 0.0))], carbonyl)) == [expected]
