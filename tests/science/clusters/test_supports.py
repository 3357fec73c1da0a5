"""Clusters on supports: placed in contact, frozen below, with sites on top only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111
from ase.io import write

from clusterflow.engines import make_calculator
from clusterflow.errors import StructureError
from clusterflow.intake.add import Claims, add
from clusterflow.intake.importing import Choices
from clusterflow.library.clusters import ClusterSpec
from clusterflow.library.find import Library
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import BuildRecord
from clusterflow.science.adsorption.outcome import judge_complex
from clusterflow.science.clusters.builders.support import zr6_node
from clusterflow.science.clusters.supports import cut_out, put_beside
from clusterflow.science.geometry.bonds import radii
from clusterflow.science.geometry.symmetry import find_symmetry
from clusterflow.settings import (
    AdsorbSettings,
    RelaxSettings,
    SitesSettings,
    VibrateSettings,
)
from clusterflow.stages.adsorb import adsorb
from clusterflow.stages.build import build, build_structures
from clusterflow.stages.inputs import level_record
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.relaxation import Relaxation, rattled, same_geometry
from clusterflow.stages.relax import relax
from clusterflow.stages.sites import sites
from clusterflow.stages.vibrate import vibrate

pytestmark = pytest.mark.rounding


def test_a_cluster_comes_down_until_it_touches():
    slab = fcc111("Ag", (4, 4, 2), vacuum=8.0)
    dimer = Atoms("Cu2", [(0, 0, 0), (0, 0, 2.2)])
    placed = put_beside(slab, dimer, (0, 0, 1), contact=1.1)
    gaps = np.linalg.norm(placed.positions[:, None] - slab.positions[None], axis=-1)
    reach = radii(["Cu", "Ag"]).sum()
    assert gaps.min() / reach == pytest.approx(1.1, abs=1e-4)
    assert placed.get_distance(0, 1) == pytest.approx(2.2)
    assert placed.positions[:, 2].min() > slab.positions[:, 2].max()


def test_the_node_is_symmetric_and_has_its_bonds():
    node = zr6_node()
    assert node.get_chemical_formula() == "C12H16O32Zr6"
    symmetry = find_symmetry(node.get_chemical_symbols(), node.positions, 0.01)
    assert symmetry.point_group == "Td"
    zr, o = node.symbols == "Zr", node.symbols == "O"
    lengths = np.sort(node.get_all_distances()[np.ix_(zr, o)], axis=1)
    # Each Zr has two oxides and two hydroxides on its faces, and four formate groups.
    expected = [2.041] * 2 + [2.264] * 4 + [2.272] * 2
    assert lengths[:, :8] == pytest.approx(np.tile(expected, (6, 1)), abs=1e-3)


def test_a_cell_survives_the_way_through_a_record():
    slab = fcc111("Ag", (2, 2, 1), vacuum=5.0)
    slab.pbc = True
    again = to_atoms(from_atoms(slab, charge=0, multiplicity=1))
    assert again.pbc.all()
    assert np.array(again.cell) == pytest.approx(np.array(slab.cell), abs=1e-7)
    assert to_atoms(from_atoms(Atoms("Cu"), charge=0, multiplicity=2)).pbc.any() == 0


def test_a_support_stays_where_it_is():
    atoms = Atoms("Cu3", [(0, 0, 0), (2.6, 0, 0), (1.3, 2.6, 0.2)])
    atoms.set_array("roles", np.array(["support", "support", "core"]))
    relaxation = Relaxation(rattled(atoms, 0.05), make_calculator("emt"))
    assert relaxation.finish(0.01, 200) == "converged"
    moved = np.abs(relaxation.atoms.positions - atoms.positions).max(axis=1)
    assert moved[:2].max() == 0
    assert moved[2] > 0.1
    forces = np.linalg.norm(relaxation.atoms.get_forces(), axis=1)
    assert forces[2] < 0.01 < forces[:2].max()
    assert relaxation.fmax_ev_per_a == pytest.approx(forces[2])


def test_nothing_moves_where_all_is_support():
    atoms = Atoms("Cu2", [(0, 0, 0), (2.0, 0, 0)])
    atoms.set_array("roles", np.array(["support", "support"]))
    relaxation = Relaxation(atoms, make_calculator("emt"))
    assert relaxation.finish(0.01, 5) == "converged"
    assert relaxation.n_gradients == 1


def test_a_periodic_support_from_build_to_vibrations(library, tmp_path):
    """EMT on Cu4/Ag(111): the slab carries no sites and neither moves nor vibrates."""
    spec = library.cluster("Cu4-Ag111")
    built = build(spec, tmp_path, library, Job("build"))
    start = built.structures[0]
    relaxed = relax(
        built, level_record("emt", spec.name), RelaxSettings(), Job("relax")
    )
    isomer = relaxed.isomers[0]
    assert isomer.structure.cell == start.cell is not None
    assert isomer.structure.positions[4:] == start.positions[4:]
    found = sites(relaxed, SitesSettings(), Job("sites"))
    assert found.sites
    assert {atom for site in found.sites for atom in site.atoms} <= {0, 1, 2, 3}
    # Nothing comes up from below: the slab is in the way.
    assert all(site.normal[2] > -0.2 for site in found.sites)
    adsorbate = library.adsorbate("CO")
    settings = AdsorbSettings(max_screened=4, max_relaxed=1)
    adsorbed = adsorb(
        relaxed,
        found,
        adsorbate,
        settings,
        Job("adsorb"),
        others={},
        relax=RelaxSettings(),
    )
    minimum = adsorbed.minima[0]
    assert minimum.structure.cell == start.cell
    assert minimum.structure.positions[4:36] == start.positions[4:]
    vibrations = vibrate(
        adsorbed,
        isomer,
        adsorbate,
        VibrateSettings(),
        Job("vibrate"),
        relax=RelaxSettings(),
    )
    assert vibrations.status == "ok", vibrations.reason
    assert not set(vibrations.moving) & set(range(4, 36))


def hosted(**host):
    return ClusterSpec.model_validate(
        {
            "name": "Cu2-hosted",
            "source": "unpublished: a test",
            "formula": "Cu2Ag4",
            "charge": host.pop("charge", 0),
            "multiplicity": host.pop("multiplicity", 1),
            "structures": [
                {
                    "builder": "rows",
                    "parameters": {"element": "Cu", "rows": [2]},
                    "host": {
                        "builder": "fcc111",
                        "parameters": {"element": "Ag", "size": [2, 2, 1]},
                    }
                    | host,
                }
            ],
        }
    )


def test_a_cluster_can_be_put_at_a_place(library, tmp_path):
    spec = hosted(centre_a=(3.0, 2.0, 14.0))
    structure = build_structures(spec, tmp_path, library)[0]
    middle = structure.xyz[:2].mean(axis=0)
    assert middle == pytest.approx([3.0, 2.0, 14.0])
    assert structure.roles == ("core", "core", *["support"] * 4)


def test_a_charged_cell_is_refused(library, tmp_path):
    with pytest.raises(StructureError, match=r"charge \+1 on a periodic support"):
        build_structures(hosted(charge=1, multiplicity=2), tmp_path, library)


@pytest.mark.parametrize(
    "host",
    [
        {"parameters": {"element": "Ag", "size": [1, 4, 1]}},  # its image
        {"centre_a": (0.0, 0.0, 10.4)},  # the slab beyond a wall
        {"centre_a": (3.0, 2.0, 21.6)},  # the slab from below
    ],
)
def test_a_cluster_bonded_through_the_walls_is_refused(library, tmp_path, host):
    with pytest.raises(StructureError, match="through the walls of the cell"):
        build_structures(hosted(**host), tmp_path, library)


def test_what_binds_to_the_support_alone_has_left_the_cluster(library, tmp_path):
    bare = build_structures(library.cluster("Cu4-Ag111"), tmp_path, library)[0]
    fates = set()
    for x, y, z in bare.positions:
        place = (x, y, z + 1.6)
        complex_ = bare.model_copy(
            update={
                "symbols": (*bare.symbols, "H"),
                "positions": (*bare.positions, place),
                "roles": (*bare.roles, "adsorbate"),
            }
        )
        copper = np.linalg.norm(bare.xyz[:4] - place, axis=1).min()
        fate = judge_complex(complex_, bare, library.adsorbate("H"), {}).fate
        # 1.35 sums of the radii of Cu and H, 1.32 + 0.31 Å.
        assert fate == ("intact" if copper < 1.35 * 1.63 else "desorbed")
        fates.add(fate)
    assert fates == {"intact", "desorbed"}


def test_a_charged_state_of_a_neutral_cell_is_refused(library, tmp_path):
    state = {
        "name": "Cu3-Ag111-cation",
        "source": "unpublished: a test",
        "formula": "Cu3Ag32",
        "charge": 1,
        "multiplicity": 1,
        "parent": "Cu4-Ag111",
        "removed": {"element": "Cu", "count": 1},
    }
    with pytest.raises(StructureError, match=r"charge \+1 on a periodic support"):
        build_structures(ClusterSpec.model_validate(state), tmp_path, library)


def test_orbitals_are_shared_out_by_the_overlap():
    """H2 by symmetry half and half; a far-off lithium keeps its electron."""
    h2 = Atoms("H2", [(0, 0, 0), (0.3, 0.5, 0.46)])
    h2.calc = make_calculator("gfn1-xtb")
    h2.get_potential_energy()
    assert h2.calc.frontier_weights() == pytest.approx(np.full((2, 2), 0.5))
    pair = Atoms("LiHe", [(0, 0, 0), (0, 0, 15.0)])
    pair.calc = make_calculator("gfn1-xtb", multiplicity=2)
    pair.get_potential_energy()
    weights = pair.calc.frontier_weights()
    assert weights.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert weights[0] == pytest.approx([1.0, 0.0], abs=1e-6)


@pytest.fixture(scope="module")
def framework():
    """Nodes on an fcc lattice, joined by benzene rings between their carboxylates."""
    node = zr6_node()
    carbons = node.positions[node.symbols == "C"]
    reach = float(np.linalg.norm(carbons[0]))
    ring = 1.40 * np.exp(1j * np.pi / 3 * np.arange(6))
    edge = 2 * (reach + 1.49 + 1.40)  # from node to node
    del node[[k for k in range(18, 66) if node.symbols[k] == "H"]]
    cell = edge / np.sqrt(2) * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    for out in carbons / reach:
        if tuple(out) > (0, 0, 0):  # one of the two nodes that a ring joins
            side = np.cross(out, [1, 1, 1] if abs(sum(out)) < 1e-6 else [1, -1, 1])
            side /= np.linalg.norm(side)
            for corner in ring:
                place = (edge / 2 + corner.real) * out + corner.imag * side
                node += Atoms("C", [place])
                if abs(corner.imag) > 0.1:
                    away = corner * (1 + 1.087 / 1.40)
                    place = (edge / 2 + away.real) * out + away.imag * side
                    node += Atoms("H", [place])
    node.cell, node.pbc = cell, True
    node.wrap()
    return node


def test_the_node_cut_out_of_its_framework_is_the_node_with_formate(framework):
    assert framework.get_chemical_formula() == "C48H28O32Zr6"
    metal = framework.positions[framework.symbols == "Zr"]
    found = cut_out(framework, metal[0], 2.0)
    assert found.atoms.get_chemical_formula() == "C12H16O32Zr6"
    assert found.n_caps == 12
    assert same_geometry(found.atoms, zr6_node(), tolerance_a=2e-3)


def test_a_wider_cut_keeps_whole_rings(framework):
    """Benzene with the acid that is near, whose metals are cut off: one hydrogen."""
    is_carbon = framework.symbols == "C"
    ring = framework.positions[is_carbon][-1]
    found = cut_out(framework, ring, 3.0)
    assert found.atoms.get_chemical_formula() == "C7H6O2"


def test_the_record_says_where_the_frontier_orbitals_lie(structure, provenance):
    """Water has its HOMO in its own lone pair, whatever helium is frozen nearby."""
    water = [(0, 0, 0.1), (0.76, 0.1, 0.7), (-0.76, 0, 0.7)]
    helium = [(0.2, 0, -3.0), (0.2, 2.5, -3.5)]
    whole = structure(["O", "H", "H", "He", "He"], [*water, *helium])
    roles = ("core", "core", "core", "support", "support")
    built = BuildRecord(
        cluster="H2O-He2",
        formula="H2OHe2",
        material="other",
        source="unpublished: a test",
        structures=(whole.model_copy(update={"roles": roles}),),
        provenance=provenance,
    )
    level = level_record("gfn1-xtb", "H2O-He2")
    isomer = relax(built, level, RelaxSettings(), Job("relax")).isomers[0]
    assert isomer.structure.positions[3:] == whole.positions[3:]
    assert isomer.homo_by_role["core"] > 0.95
    for shares in (isomer.homo_by_role, isomer.lumo_by_role):
        assert sum(shares.values()) == pytest.approx(1.0)


def test_a_host_of_ones_own_holds_a_cluster(framework, tmp_path, monkeypatch):
    """Cut out of a crystal, added to the library, and named as the host."""
    monkeypatch.chdir(tmp_path)
    write("mof.cif", framework)
    claims = Claims(
        name="my-node", charge=0, multiplicity=1, source="unpublished: a test"
    )
    lines = add(Path("mof.cif"), claims, Choices(host_centre="Zr1", host_radius_a=2.0))
    assert "roles: 66 support" in lines
    spec = ClusterSpec.model_validate(
        {
            "name": "Cu2-node",
            "source": "unpublished: a test",
            "formula": "Cu2C12H16O32Zr6",
            "multiplicity": 1,
            "structures": [
                {
                    "builder": "rows",
                    "parameters": {"element": "Cu", "rows": [2]},
                    "host": {"cluster": "my-node", "contact": 1.3},
                }
            ],
        }
    )
    assert spec.parents == ("my-node",)
    structure = build_structures(spec, tmp_path, Library.default())[0]
    assert structure.roles == (*["core"] * 2, *["support"] * 66)
    assert structure.cell is None
