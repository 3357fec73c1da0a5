"""Roles of atoms: by rule, by hand, and on their way through files and transforms."""

from __future__ import annotations

from collections import Counter

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from clusterflow.errors import ClusterflowError
from clusterflow.library.clusters import ClusterSpec
from clusterflow.records.adsorption import SitesRecord
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import RelaxRecord
from clusterflow.science.adsorption.starts_on_sites import place_adsorbate
from clusterflow.science.clusters.atom_roles import guess_roles
from clusterflow.science.clusters.builders.binary import core_at_cage, ring
from clusterflow.science.clusters.builders.metal import icosahedron
from clusterflow.science.clusters.ligands import add_ligands
from clusterflow.science.sites.sites import find_sites
from clusterflow.stages.build import build_structures
from clusterflow.stages.inputs import Inputs

THIOL = Atoms("SH", positions=[[0, 0, 0], [1.2, 0, 0.6]])
AMMONIA = Atoms(
    "NH3",
    positions=[[0, 0, 0], [0.94, 0, 0.38], [-0.47, 0.81, 0.38], [-0.47, -0.81, 0.38]],
)
CHLORIDE = Atoms("Cl", positions=[[0, 0, 0]])
CAGE = core_at_cage("Cd", "Se", bond_a=2.65)
HYDRIDES = ring("Cu", "H", 2, 1.65)


def guessed(atoms):
    return dict(
        Counter(
            f"{role} {symbol}"
            for role, symbol in zip(
                guess_roles(atoms.get_chemical_symbols(), atoms.positions),
                atoms.get_chemical_symbols(),
                strict=True,
            )
        )
    )


@pytest.mark.parametrize(
    ("atoms", "expected"),
    [
        (icosahedron("Cu", 2), {"core Cu": 13}),
        (CAGE, {"core Cd": 13, "core Se": 13}),
        (HYDRIDES, {"core Cu": 2, "hydride H": 2}),
        (
            add_ligands(icosahedron("Au", 2), THIOL, element="Au", count=4),
            {"core Au": 13, "ligand S": 4, "ligand H": 4},
        ),
        (
            add_ligands(CAGE, AMMONIA, element="Cd", count=2),
            {"core Cd": 13, "core Se": 13, "ligand N": 2, "ligand H": 6},
        ),
        (
            add_ligands(CAGE, CHLORIDE, element="Cd", count=2),
            {"core Cd": 13, "core Se": 13, "ligand Cl": 2},
        ),
        # A hydride beside the hydrogen of a thiolate.
        (
            add_ligands(HYDRIDES, THIOL, element="Cu", count=2),
            {"core Cu": 2, "hydride H": 2, "ligand S": 2, "ligand H": 2},
        ),
        # A carbon inside an octahedron, as in carbides, and a sulphide.
        (
            Atoms("Cu6C", [*(2.0 * np.vstack([np.eye(3), -np.eye(3)])), [0, 0, 0]]),
            {"core Cu": 6, "core C": 1},
        ),
        (
            Atoms("Cu2S", [[0, 0, 0], [2.4, 0, 0], [1.2, 1.9, 0]]),
            {"core Cu": 2, "core S": 1},
        ),
        (molecule("CH4"), {"core C": 1, "core H": 4}),
    ],
    ids=str,
)
def test_roles_by_rule(atoms, expected):
    assert guessed(atoms) == expected
    rng = np.random.default_rng(0)
    assert guessed(atoms[rng.permutation(len(atoms))]) == expected


@pytest.fixture
def built(tmp_path, library):
    """The first structure of a cluster from a file of atoms and changes to its YAML."""

    def make(atoms, *, file="mine.extxyz", **changes):
        ase.io.write(tmp_path / file, atoms)
        spec = ClusterSpec.model_validate(
            {
                "name": "mine",
                "formula": atoms.get_chemical_formula(),
                "charge": 0,
                "multiplicity": 1,
                "source": "unpublished: a test",
                "structures": [{"file": file}],
                **changes,
            }
        )
        return build_structures(spec, tmp_path, library)[0]

    return make


def test_roles_of_the_yaml_go_before_the_rule(built):
    assert built(HYDRIDES).roles == ("core", "hydride", "core", "hydride")
    by_hand = built(HYDRIDES, roles={"ligand": [1], "support": [2]})
    assert by_hand.roles == ("core", "ligand", "support", "hydride")


def test_roles_of_the_file_go_before_the_rule(built):
    atoms = HYDRIDES.copy()
    atoms.set_array("roles", np.array(["support", "hydride", "core", "ligand"]))
    assert built(atoms).roles == ("support", "hydride", "core", "ligand")
    assert built(atoms, roles={"core": [0]}).roles[0] == "core"


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"ligand": [4]}, r"roles.ligand names atom 4, but there are 4"),
        ({"ligand": [1], "core": [1]}, "atom 1 both ligand and core; choose one"),
        ({"metal": [1]}, "metal"),
    ],
)
def test_roles_that_make_no_sense_are_refused(built, roles, message):
    with pytest.raises((ClusterflowError, ValueError), match=message):
        built(HYDRIDES, roles=roles)


def test_an_unknown_role_in_a_file_is_refused(built):
    atoms = HYDRIDES.copy()
    atoms.set_array("roles", np.array(["metal", "core", "core", "core"]))
    with pytest.raises(ClusterflowError, match=r"role 'metal'.*choose from core"):
        built(atoms)


def test_roles_survive_writing_and_reading(built, tmp_path):
    structure = built(add_ligands(HYDRIDES, THIOL, element="Cu", count=2))
    ase.io.write(tmp_path / "out.extxyz", to_atoms(structure))
    again = from_atoms(ase.io.read(tmp_path / "out.extxyz"), charge=0, multiplicity=1)
    assert again.roles == structure.roles
    assert set(again.roles) == {"core", "hydride", "ligand"}


def test_roles_go_with_substitution_and_removal(library):
    parent = build_structures(library.cluster("Cu2H2"), None, library)[0]
    (state,) = build_structures(library.cluster("Cu2H"), None, library)
    assert Counter(parent.roles) - Counter(state.roles) == {"hydride": 1}
    capped = library.cluster("Cu2S2H2")
    folder = library.path("clusters", "Cu2S2H2").parent
    doped = ClusterSpec.model_validate(
        {
            "name": "doped",
            "formula": "AgCu(SH)2",
            "charge": 0,
            "multiplicity": 1,
            "source": "unpublished: a test",
            "structures": [
                {
                    "builder": "substitute",
                    "parameters": {"parent": "Cu2S2H2", "element": "Ag", "count": 1},
                }
            ],
        }
    )
    (found,) = build_structures(doped, folder, library)
    (whole,) = build_structures(capped, folder, library)
    assert found.roles == whole.roles
    assert [found.symbols[i] for i, r in enumerate(found.roles) if r == "core"] == [
        "Ag",
        "Cu",
    ]


def test_roles_go_with_placement(built, library):
    host = built(HYDRIDES)
    _, sites = find_sites(host.symbols, host.xyz, roles=host.roles)
    start = place_adsorbate(
        host, sites, library.adsorbate("CO"), multiplicity=1, max_starts=1
    )[0]
    assert start.structure.roles == (*host.roles, "adsorbate", "adsorbate")


def test_roles_go_with_relaxation():
    inputs = Inputs.read("adsorb", ["Cu2H2"])
    relaxed, sites = inputs.one(RelaxRecord), inputs.one(SitesRecord)
    roles = relaxed.isomers[0].structure.roles
    assert roles == ("core", "hydride", "core", "hydride")
    on = {relaxed.isomers[0].structure.symbols[i] for s in sites.sites for i in s.atoms}
    assert on == {"Cu", "H"}
