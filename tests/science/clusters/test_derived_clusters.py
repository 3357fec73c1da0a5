"""Capped, substituted and stripped clusters, as their YAML asks for them."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import yaml
from ase import Atoms

from clusterflow.errors import ClusterflowError, LibraryError
from clusterflow.library.find import Library, package_data
from clusterflow.science.clusters.builders.binary import (
    core_at_cage,
    zincblende_tetrahedron,
)
from clusterflow.science.clusters.builders.metal import icosahedron
from clusterflow.science.clusters.derived_clusters import find_leaving_atoms
from clusterflow.science.clusters.equivalent_atoms import isometries
from clusterflow.science.clusters.ligands import add_ligands
from clusterflow.science.geometry.bonds import bond_graph, distance_ratios
from clusterflow.science.geometry.symmetry import find_symmetry
from clusterflow.stages.build import build, build_structures
from clusterflow.stages.parts.job import Job
from clusterflow.study.electrons import electrons
from clusterflow.study.plan import Plan

pytestmark = pytest.mark.rounding

SUBSTITUTED = {"parent": "Cu13", "isomer": "ico", "element": "Co", "count": 1}
CORE = {"metal": "Cd", "anion": "Se", "bond_a": 2.65, "core_axis": [1, 1, 1]}
CHLORINE = Atoms("Cl")
CLUSTERS = package_data() / "structures/clusters"


@pytest.fixture
def built(tmp_path, root):
    """Structures of an item written to a folder that is searched first."""
    folder = tmp_path / "clusters"
    folder.mkdir()

    def build(name, formula, multiplicity=1, **content):
        item = {"name": name, "formula": formula, "multiplicity": multiplicity}
        item |= {"source": "unpublished: test", **content}
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(item), encoding="utf-8")
        library = Library((tmp_path, root / "structures"))
        return build_structures(library.cluster(name), folder, library)

    return build


def substituted(name="Co", caps=(), **parameters):
    how = {"builder": "substitute", "parameters": SUBSTITUTED | parameters}
    return [{"name": name, **how}]


def built_of(library, name):
    folder = library.path("clusters", name).parent
    return build_structures(library.cluster(name), folder, library)


def capped(**caps):
    start = {"name": "main", "builder": "core_at_cage", "parameters": CORE}
    return [start | {"caps": [{"ligand": "NH3", "element": "Cd", **caps}]}]


def names(structures):
    return [structure.name for structure in structures]


def test_cobalt_at_a_corner_and_in_the_centre(library):
    corner, centre = build_structures(library.cluster("Cu12Co"), None, library)
    assert names((corner, centre)) == ["corner", "centre"]
    for structure, radius in ((corner, 2.42), (centre, 0.0)):
        assert Counter(structure.symbols) == {"Cu": 12, "Co": 1}
        place = structure.positions[structure.symbols.index("Co")]
        assert np.linalg.norm(place) == pytest.approx(radius, abs=1e-6)
        assert structure.multiplicity == 2
    # The model of a corner has nothing else: ten operations of C5v keep it.
    for name in ("Cu12Fe-corner", "Cu12Co-corner", "Cu12Ni-corner"):
        (only,) = build_structures(library.cluster(name), None, library)
        assert only.positions == corner.positions
        assert len(isometries(only.symbols, only.xyz)) == 10


def test_sodium_takes_each_place_of_an_atom_of_cu5_and_no_electron(library):
    # Five places: three of the trapezoid, C2v, and two of the bipyramid, D3h.
    found = build_structures(library.cluster("Cu4Na-cation"), None, library)
    ways = ["flat-1", "flat-2", "flat-3", "bipyramid-1", "bipyramid-2"]
    assert names(found) == ways
    touched = []
    for structure in found:
        assert Counter(structure.symbols) == {"Cu": 4, "Na": 1}
        assert (structure.charge, structure.multiplicity) == (1, 1)
        place = structure.symbols.index("Na")
        gaps = np.linalg.norm(structure.xyz - structure.xyz[place], axis=1)
        touched.append(sum(gaps < 2.5) - 1)
    assert sorted(touched[:3]) == [2, 3, 4]
    assert sorted(touched[3:]) == [3, 4]


def test_ethynyl_and_thiolate_stand_on_the_same_six_of_eight_silver_atoms(library):
    bearers = []
    for name, donor in (("Ag8SH6", "S"), ("Ag8CCH6", "C")):
        (found,) = build_structures(library.cluster(name), None, library)
        bonds = bond_graph(found.symbols, found.xyz)
        held = {i: [found.symbols[j] for j in bonds[i] if j >= 8] for i in range(8)}
        assert sorted(held.values()) == [[]] * 2 + [[donor]] * 6
        bearers.append([i for i in held if held[i]])
        # Eight 5s electrons less one for each ligand.
        assert electrons(name, None, library).n_superatom == 2
    assert bearers[0] == bearers[1]


@pytest.mark.parametrize(
    ("n", "mirror_images", "number"),
    [(2, "merged", 3), (4, "merged", 10), (4, "kept", 12), (6, "merged", 18)],
)
def test_corners_in_all_distinct_ways(built, n, mirror_images, number):
    how = {"count": n, "sites": "vertex", "mirror_images": mirror_images}
    found = built("mine", f"Cu{13 - n}Co{n}", 2, structures=substituted(**how))
    assert names(found) == [f"Co-{k}" for k in range(1, number + 1)]
    # Distances between the atoms replaced tell most of them apart.
    assert len({structure.symbols for structure in found}) == number


def test_every_isomer_of_the_parent_is_taken_unless_one_is_named(built, library):
    found = built("mine", "Cu12Co", 2, structures=substituted(isomer=None))
    by_isomer = Counter(name.split("-")[1] for name in names(found))
    low, ico = build_structures(library.cluster("Cu13"), CLUSTERS, library)
    for structure in (low, ico):
        group = find_symmetry(structure.symbols, structure.xyz)
        fixed = (group.permutations == np.arange(13)).sum(axis=1)
        # Burnside's lemma.
        assert by_isomer[structure.name] == fixed.mean()
    assert by_isomer == {"low": 6, "ico": 2}


def test_a_threefold_axis_leaves_five_places_for_manganese(library):
    # The pair on the axis keeps one Cd; twelve on the cage fall into four triples.
    found = build_structures(library.cluster("Cd12MnSe13"), None, library)
    assert len(found) == 5
    assert {structure.multiplicity for structure in found} == {6}
    # Burnside: (C(13, 2) + 2 · 0) / 3, no pair being its own image under C3.
    pairs = build_structures(library.cluster("Cd11Co2Se13"), None, library)
    assert (len(pairs), pairs[0].multiplicity) == (26, 7)


def test_only_the_most_spread_ways_are_made_if_so_many_are_asked_for(built):
    changes = {"count": 2, "sites": "vertex"}
    every = built("mine", "Cu11Co2", 2, structures=substituted(**changes))
    few = substituted(**changes, choices=2)
    one, two = built("few", "Cu11Co2", 2, structures=few)

    def gap(found):
        ends = found.xyz[[s == "Co" for s in found.symbols]]
        return np.linalg.norm(ends[0] - ends[1])

    farthest = sorted((gap(found) for found in every), reverse=True)
    assert len(farthest) == 3
    assert [gap(one), gap(two)] == pytest.approx(farthest[:2])
    # The first corners are opposite, with the centre between them.
    assert gap(one) == pytest.approx(2 * 2.42, abs=1e-3)


@pytest.mark.parametrize(
    ("formula", "changes", "message"),
    [
        ("Co13", {"count": 13, "sites": "vertex"}, "there are 12 of them, 13 are"),
        ("Cu12Co", {"isomer": "cube"}, "no isomer 'cube'; choose from low, ico"),
        ("Cu12Co", {"count": 2}, "but the formula says Cu12Co"),
        ("Cu12Co", {"parent": "mine"}, "made from itself"),
        ("Cu12Co", {"parent": "Cu4", "isomer": None, "sites": "edge"}, "flat cluster"),
        ("Cu12Co", {"sites": "corner"}, "'vertex', 'edge', 'face', 'core' or 'shell'"),
        ("Cu12Co", {"colour": "red"}, "unknown key"),
        ("Cd12CoSe13", {"parent": "Cd13Se13", "isomer": None}, "by `replaces`"),
    ],
)
def test_what_cannot_be_substituted_is_refused(built, formula, changes, message):
    with pytest.raises(ClusterflowError, match=message):
        built("mine", formula, 2, structures=substituted(**changes))


def test_ammonia_stands_on_each_cadmium_of_the_cage(built):
    (found,) = built("mine", "(CdSe)13(NH3)12", structures=capped())
    assert found.roles == ("core",) * 26 + ("ligand",) * 48
    positions = found.xyz
    graph = bond_graph(found.symbols, positions)
    for k in range(12):
        nitrogen = 26 + 4 * k
        bound = Counter(found.symbols[j] for j in graph[nitrogen])
        assert bound == {"H": 3, "Cd": 1}
        (cadmium,) = (j for j in graph[nitrogen] if found.symbols[j] == "Cd")
        # It points away from the three selenium neighbours, as a fourth bond would.
        bonds = positions[[j for j in graph[cadmium] if j < 26]] - positions[cadmium]
        out = positions[nitrogen] - positions[cadmium]
        cosines = bonds @ out / np.linalg.norm(bonds, axis=1) / np.linalg.norm(out)
        assert len(bonds) == 3
        assert (cosines < -0.2).all()


def test_every_atom_is_capped_once_before_any_twice():
    bare = zincblende_tetrahedron("Cd", "Se", 2)
    atoms = add_ligands(bare, CHLORINE, element="Cd", count=12)
    graph = bond_graph(atoms.get_chemical_symbols(), atoms.positions)
    n_caps = Counter(
        sum(atoms.symbols[j] == "Cl" for j in graph[i])
        for i in range(14)
        if atoms.symbols[i] == "Cd"
    )
    assert n_caps == {1: 8, 2: 2}
    # 10 Cd need 40 bonds, 4 Se supply 16.
    full = add_ligands(bare, CHLORINE, element="Cd")
    assert len(full) - len(bare) == 24
    assert distance_ratios(list(full.symbols), full.positions).min() > 0.75


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"element": "Zn"}, "there is no Zn on the outside"),
        ({"element": "Cd", "count": 13}, "13 ligands on Cd: there are 12 free places"),
    ],
)
def test_ligands_without_a_place_are_refused(how, message):
    with pytest.raises(ValueError, match=message):
        add_ligands(core_at_cage("Cd", "Se", bond_a=2.65), CHLORINE, **how)


def test_ligands_that_would_overlap_are_refused():
    backwards = Atoms("NI", [(0, 0, 0), (0, 0, -2.0)])
    with pytest.raises(ValueError, match=r"no room for 12 ligands: .* Å apart"):
        add_ligands(core_at_cage("Cd", "Se", bond_a=2.65), backwards, element="Cd")


def test_a_phosphine_on_each_corner_of_a_metal_cluster():
    phosphine = Atoms(
        "PH3", [(0, 0, 0), (1.2, 0, 0.8), (-0.6, 1, 0.8), (-0.6, -1, 0.8)]
    )
    bare = icosahedron("Cu", 2, 2.42)
    atoms = add_ligands(bare, phosphine, element="Cu", coordination=1)
    assert Counter(atoms.symbols) == {"Cu": 13, "P": 12, "H": 36}
    donors = atoms.positions[13::4]
    for corner, donor in zip(atoms.positions[1:13], donors, strict=True):
        # Radial by symmetry.
        assert np.cross(corner, donor) == pytest.approx([0, 0, 0], abs=0.05)


def test_a_ligand_without_atoms_cannot_be_put(built):
    with pytest.raises(ClusterflowError, match="ligand SPh has no `atoms`"):
        built("mine", "(CdSe)13(SC6H5)12", structures=capped(ligand="SPh"))
    with pytest.raises(LibraryError, match="no ligand called 'NH7'"):
        built("other", "(CdSe)13(NH3)12", structures=capped(ligand="NH7"))


def test_ammonia_is_lost_from_distinct_places(built):
    built("whole", "(CdSe)13(NH3)12", structures=capped())
    removed = {"ligand": "ammonia", "count": 1}
    found = built("less", "(CdSe)13(NH3)11", parent="whole", removed=removed)
    assert names(found) == ["main-1", "main-2", "main-3", "main-4"]
    for structure in found:
        assert Counter(structure.roles) == {"core": 26, "ligand": 44}


def test_of_two_like_hydrides_one_state_remains(library):
    (state,) = build_structures(library.cluster("Cu2H"), None, library)
    assert state.name == "rhombus"
    assert state.symbols == ("Cu", "H", "Cu")
    assert state.roles.count("hydride") == 1


def test_a_ligand_that_binds_twice_breaks_no_symmetry(built, library):
    """Of D3h, 6, 3 and 2 hydrides are alike; ligands by Burnside's lemma."""
    (whole,) = built_of(library, "Cu20H11-S2PH2")
    assert len(built_of(library, "Cu20H10-S2PH2")) == 3
    ligands = [frozenset(range(k, k + 5)) for k in range(31, 76, 5)]
    ways = {frozenset(pair) for pair in combinations(ligands, 2)}
    fixed = [
        sum(
            {frozenset(row[i] for i in ligand) for ligand in way} == way for way in ways
        )
        for row in isometries(whole.symbols, whole.xyz).tolist()
    ]
    removed = {"ligand": "S2PH2", "count": 2}
    left = {"parent": "Cu20H11-S2PH2", "removed": removed, "material": "metal"}
    found = built("less", "Cu20H11(S2PH2)7", **left, charge=2)
    assert len(found) == sum(fixed) / len(fixed)


@pytest.mark.parametrize("which", [0, 1])
def test_the_thiolate_that_leaves_is_the_one_the_state_lacks(library, which):
    (whole,) = built_of(library, "Cu2S2H2")
    left = [(2, 3), (4, 5)][which]
    kept = [i for i in range(6) if i not in left]
    turned = Atoms([whole.symbols[i] for i in kept], whole.xyz[kept])
    turned.rotate(70, (1, 2, 3))
    turned.rattle(0.05, seed=3)
    state = whole.model_copy(
        update={
            "symbols": tuple(turned.get_chemical_symbols()),
            "positions": tuple(map(tuple, turned.positions + 5.0)),
        }
    )
    # A little off the symmetry by which the two thiolates are one.
    uneven = whole.xyz + np.linspace(0.0, 0.3, 18).reshape(6, 3)
    whole = whole.model_copy(update={"positions": tuple(map(tuple, uneven))})
    found = find_leaving_atoms(library.cluster("Cu2SH"), whole, state, library)
    assert found == list(left)


def test_of_a_ligand_the_binding_atom_may_stay(library):
    (whole, *_) = built_of(library, "Au25SCH318-anion")
    spec = library.cluster("Au25SCH317S-anion")
    (state, *_) = built_of(library, spec.name)
    found = find_leaving_atoms(spec, whole, state, library)
    assert Counter(whole.symbols[i] for i in found) == {"C": 1, "H": 3}
    kept = [i for i in range(len(whole.symbols)) if i not in found]
    np.testing.assert_allclose(whole.xyz[kept], state.xyz, atol=1e-9)


def test_the_charge_of_what_is_left_of_an_ion_must_be_stated(built):
    removed = {"ligand": "SH", "count": 1}
    lost = {"parent": "Au25SH18-anion", "removed": removed, "formula": "Au25(SH)17"}
    with pytest.raises(ClusterflowError, match=r"has charge -1; state the `charge`"):
        built("silent", **lost)
    assert {s.charge for s in built("said", charge=0, **lost)} == {0}


def test_acetate_binds_by_one_oxygen(built):
    """Six of them make a tetrahedron Cd4Se of 2+ cadmium neutral."""
    start = {
        "builder": "zincblende_tetrahedron",
        "parameters": {"metal": "Cd", "anion": "Se", "layers": 1},
        "caps": [{"ligand": "OAc", "element": "Cd", "count": 6}],
    }
    (found,) = built("mine", "Cd4Se(C2H3O2)6", structures=[start])
    bonds = bond_graph(found.symbols, found.xyz)
    cadmium = [i for i, symbol in enumerate(found.symbols) if symbol == "Cd"]
    held = [sum(found.symbols[j] == "O" for j in bonds[i]) for i in cadmium]
    assert sum(held) == 6
    carbon = [i for i, symbol in enumerate(found.symbols) if symbol == "C"]
    assert sorted(bonds.degree[i] for i in carbon) == [3] * 6 + [4] * 6


def test_a_structure_may_have_a_source_of_its_own(built, tmp_path, root):
    rhombus = {"name": "flat", "builder": "rhombus", "parameters": {"element": "Cu"}}
    other = {
        "name": "compact",
        "builder": "tetrahedron",
        "parameters": {"element": "Cu", "length": 2},
        "source": "10.1063/1.4935061",
    }
    built("mine", "Cu4", structures=[rhombus, other])
    library = Library((tmp_path, root / "structures"))
    record = build(library.cluster("mine"), tmp_path, library, Job("build"))
    assert record.source == "unpublished: test"
    assert record.sources == {"compact": "10.1063/1.4935061"}


def test_more_than_there_is_cannot_be_removed(built):
    with pytest.raises(
        ClusterflowError, match="cannot remove 3 H from Cu2H2: there are 2"
    ):
        built("mine", "Cu2", parent="Cu2H2", removed={"element": "H", "count": 3})
    with pytest.raises(ClusterflowError, match="cannot remove 1 NH3 from Cu2H2"):
        built("mine2", "Cu2", parent="Cu2H2", removed={"ligand": "NH3", "count": 1})
    with pytest.raises(ClusterflowError, match="either element or ligand"):
        built("mine3", "Cu2", parent="Cu2H2", removed={"count": 1})


def test_a_build_follows_all_it_is_made_from(root):
    plan = Plan.from_config({"clusters": ["Cd12MnSe13"]}, [])
    found = {path.name for path in plan.structure_files("Cu12Co")}
    assert found == {"Cu13.yaml", "Cu13-low.xyz"}
    capped_files = plan.structure_files("Cd13Se13-13NH3")
    assert {path.name for path in capped_files} == {"ammonia.yaml"}
    assert {path.name for path in plan.structure_files("Cu2H")} == {"Cu2H2.yaml"}
