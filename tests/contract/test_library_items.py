"""What every file of structures/ must do: load, build, balance, name its source."""

from __future__ import annotations

import re
import time
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from ase import Atoms
from ase.data import covalent_radii
from networkx.algorithms.isomorphism import categorical_node_match

from clusterflow.engines import ENGINES
from clusterflow.library.find import KINDS, Library, load_spec, package_data
from clusterflow.library.levels import OwnCalculator
from clusterflow.records.atoms import to_atoms
from clusterflow.science.adsorption.outcome import intended_graphs
from clusterflow.science.clusters.builders import BUILDERS
from clusterflow.science.clusters.builders import build as build_shape
from clusterflow.science.geometry.bond_groups import as_adsorbate, know_molecules
from clusterflow.science.geometry.bonds import (
    count_pieces,
    distance_ratios,
    hill_formula,
)
from clusterflow.science.geometry.symmetry import find_symmetry
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import (
    build_network,
    is_solute,
    read_change,
    read_surface,
)
from clusterflow.stages.build import build_structures

LIBRARY = Library((package_data() / "structures",))
FILES = [
    (kind, path) for kind in KINDS for path in sorted(LIBRARY.paths(kind).values())
]


def names(kind):
    return pytest.mark.parametrize("name", sorted(LIBRARY.paths(kind)))


def test_the_library_is_not_empty():
    assert {kind for kind, _ in FILES} == set(KINDS)
    loose = set((package_data() / "structures").rglob("*.yaml"))
    assert {path for _, path in FILES} == loose
    # Some disks do not tell capitals from small letters.
    assert len({(kind, path.stem.casefold()) for kind, path in FILES}) == len(FILES)


@pytest.mark.parametrize(
    ("kind", "path"), FILES, ids=[f"{k}/{p.stem}" for k, p in FILES]
)
def test_it_loads_and_has_a_source(kind, path):
    spec = load_spec(path, KINDS[kind])
    assert spec.name == path.stem
    # A DOI, words after `unpublished:`, or a named collection.
    assert re.search(r"10\.\d{4,9}/\S+|^unpublished: \S|CODATA", spec.source)
    assert spec.description


@names("clusters")
def test_a_cluster_builds_without_clash_and_matches_its_formula(name):
    spec = LIBRARY.cluster(name)
    structures = build_structures(spec, LIBRARY.path("clusters", name).parent, LIBRARY)
    assert structures
    for structure in structures:
        atoms = to_atoms(structure)
        assert Counter(structure.symbols) == spec.counts
        assert (structure.charge, structure.multiplicity) == (
            spec.charge,
            spec.multiplicity,
        )
        radius = covalent_radii[atoms.numbers]
        ratios = atoms.get_all_distances() / np.add.outer(radius, radius)
        np.fill_diagonal(ratios, 9)
        # No bond is shorter than 0.75 sums of radii, and bonds connect all atoms.
        assert ratios.min() > 0.75
        assert nx.is_connected(nx.from_numpy_array(ratios < 1.35))
    names = [structure.name for structure in structures]
    assert len(set(names)) == len(names)


def test_the_whole_library_is_built_in_a_minute():
    begin = time.perf_counter()
    for name, path in LIBRARY.paths("clusters").items():
        build_structures(LIBRARY.cluster(name), path.parent, LIBRARY)
    assert time.perf_counter() - begin < 60


@names("ligands")
def test_a_ligand_with_atoms_is_one_piece_above_its_binding_atom(name):
    atoms = LIBRARY.ligand(name).atoms
    positions = np.array([line[1:] for line in atoms]).reshape(-1, 3)
    if atoms:
        assert positions[1:, 2].min(initial=1) > 0
        assert count_pieces([line[0] for line in atoms], positions) == 1


# Every builder once, as docs/builders.md shows it, and the atoms it must give.
SULFIDE = Atoms("S")
MBD = Atoms(
    [line[0] for line in LIBRARY.ligand("MBD").atoms],
    positions=[line[1:] for line in LIBRARY.ligand("MBD").atoms],
)
II_VI = {"metal": "Cd", "anion": "Te"}
EXAMPLES = {
    "anneal": ({"formula": "Cu9Ag", "seed": 3}, "AgCu9"),
    "bipyramid": ({"element": "Cu", "n": 5}, "Cu7"),
    "bridged_octahedron": ({"element": "Cu", "ligand": MBD}, "C42H30Cu6N12S6"),
    "cage": (II_VI | {"n": 12}, "Cd12Te12"),
    "capped_tetrahedron": ({"element": "Cu"}, "Cu8"),
    "centred_cube": ({"centre": "Au", "cube": "Ag", "caps": "Cu"}, "Ag8AuCu6"),
    "core_at_cage": (II_VI, "Cd13Te13"),
    "cuboctahedron": ({"element": "Pd", "shells": 3}, "Pd55"),
    "decahedron": ({"element": "Cu", "p": 2, "q": 2}, "Cu13"),
    "dodecahedron": ({"element": "Cu"}, "Cu8"),
    "fcc111": ({"element": "Ag", "size": [4, 4, 2]}, "Ag32"),
    "icosahedron": ({"element": "Cu", "shells": 2}, "Cu13"),
    "icosahedron_with_triangles": ({"element": "Cu"}, "Cu25"),
    "mx2": ({"formula": "MoS2", "size": [3, 3]}, "Mo9S18"),
    "octahedron": ({"element": "Cu", "length": 4, "cutoff": 1}, "Cu38"),
    "rhombus": ({"element": "Cu"}, "Cu4"),
    "ring": (II_VI | {"n": 3}, "Cd3Te3"),
    "rows": ({"element": "Cu", "rows": [1, 2, 3]}, "Cu6"),
    "stacked_rings": (II_VI | {"n": 3, "layers": 2}, "Cd6Te6"),
    "stapled_biicosahedron": ({"element": "Au", "ligand": SULFIDE}, "Au38S24"),
    "stapled_icosahedron": ({"element": "Ag", "ligand": SULFIDE}, "Ag25S18"),
    "tetrahedron": ({"element": "Au", "length": 4}, "Au20"),
    "wulff": (
        {
            "element": "Cu",
            "surfaces": [[1, 1, 1], [1, 0, 0]],
            "energies": [1.0, 1.15],
            "size": 79,
        },
        "Cu79",
    ),
    "wurtzite": (II_VI | {"radius_a": 8.0, "centre": [0.66667, 0.33333, 0.2]}, None),
    "zincblende_tetrahedron": (II_VI | {"layers": 2}, "Cd10Te4"),
    "zr6_node": ({}, "C12H16O32Zr6"),
}


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_a_builder_makes_one_piece_without_clash(name):
    parameters, formula = EXAMPLES[name]
    atoms = build_shape(name, parameters, "example")
    symbols = atoms.get_chemical_symbols()
    if formula is not None:
        assert hill_formula(symbols) == formula
    assert distance_ratios(symbols, atoms.positions).min() > 0.7
    assert count_pieces(symbols, atoms.positions) == 1


@pytest.mark.parametrize("anion", ["O", "S", "Se", "Te"])
@pytest.mark.parametrize("metal", ["Zn", "Cd", "Mn", "Co", "Hg"])
def test_two_elements_that_take_turns_have_only_bonds_between_them(metal, anion):
    pair = {"metal": metal, "anion": anion}
    for name in ("cage", "core_at_cage", "stacked_rings"):
        atoms = build_shape(name, EXAMPLES[name][0] | pair, "example")
        symbols = atoms.get_chemical_symbols()
        close = distance_ratios(symbols, atoms.positions) < 1.1
        near = np.argwhere(np.triu(close))
        # A metal may be wider than a square is long; anions never touch.
        assert all({symbols[i], symbols[j]} != {anion} for i, j in near)
        unlike = sum(symbols[i] != symbols[j] for i, j in near)
        assert unlike >= 18


def test_a_state_is_its_parent_less_what_was_removed():
    for name in LIBRARY.paths("clusters"):
        spec = LIBRARY.cluster(name)
        if spec.parent is not None:
            parent = LIBRARY.cluster(spec.parent)
            gone = parent.counts - spec.counts
            if spec.removed.element is not None:
                one = Counter([spec.removed.element])
            else:
                ligand = LIBRARY.ligand(spec.removed.ligand)
                one = ligand.counts
                if spec.removed.keep_binding_atom:
                    one = one - Counter([ligand.atoms[0][0]])
            assert gone == {e: n * spec.removed.count for e, n in one.items()}


@names("adsorbates")
def test_every_form_has_the_fragments_of_its_name_and_the_same_bonds(name):
    # One fragment; two that sit side by side have a hyphen between their names.
    spec = LIBRARY.adsorbate(name)
    same = categorical_node_match("element", "")
    parts = name.split("-")
    for graph, form in zip(intended_graphs(spec), spec.forms, strict=True):
        pieces = [graph.subgraph(c) for c in nx.connected_components(graph)]
        assert len(pieces) == len(parts)
        assert all(set(piece) & set(form.binding) for piece in pieces)
        if len(parts) > 1:
            alone = [intended_graphs(LIBRARY.adsorbate(part))[0] for part in parts]
            for piece in pieces:
                found = (nx.is_isomorphic(piece, a, node_match=same) for a in alone)
                assert any(found)
    first, *others = intended_graphs(spec)
    assert all(nx.is_isomorphic(first, g, node_match=same) for g in others)


@names("adsorbates")
def test_a_form_stands_on_its_binding_atoms(name):
    for form in LIBRARY.adsorbate(name).forms:
        positions = np.array([line[1:] for line in form.atoms])
        assert positions[:, 2].min() >= 0
        binding = positions[list(form.binding)]
        if len(binding) == 1:
            assert binding[0].tolist() == [0, 0, 0]
        elif len(binding) == 3:
            assert np.abs(binding.mean(axis=0)).max() < 1e-3
            assert np.ptp(binding[:, 2]) == 0
        else:
            # Along x, as far to the left as to the right.
            assert binding[0] == pytest.approx(-binding[1], abs=1e-9)
            assert binding[:, 1:].tolist() == [[0, 0], [0, 0]]
        assert form.sites


def test_no_two_adsorbates_have_the_same_bonds():
    same = categorical_node_match("element", "")
    graphs = {
        name: intended_graphs(LIBRARY.adsorbate(name))[0]
        for name in LIBRARY.paths("adsorbates")
    }
    for a, first in graphs.items():
        for b, second in graphs.items():
            if a < b:
                assert not nx.is_isomorphic(first, second, node_match=same), (a, b)


@names("groups")
def test_a_group_is_among_the_bonds_of_its_gases(name):
    (group,) = (group for group in LIBRARY.groups() if group.name == name)
    gases = {gas: as_adsorbate(LIBRARY.gas(gas).atoms) for gas in group.gases}
    known = know_molecules(gases, LIBRARY.groups())
    assert all(molecule.groups[name] >= 1 for molecule in known.values())


@names("gases")
def test_the_bonds_of_a_gas_are_whole(name):
    """No length of a molecule at rest falls between two groups."""
    drawn = {name: as_adsorbate(LIBRARY.gas(name).atoms)}
    found = know_molecules(drawn, LIBRARY.groups())[name].groups
    assert all(n == round(n) for n in found.values())


@names("reactions")
def test_a_reaction_balances_and_has_a_pathway(name):
    spec = LIBRARY.reaction(name)
    network = build_network(spec, composition_of(LIBRARY))
    assert network.pathways
    used = {step.name for path in network.pathways for step in path}
    assert used == {" ".join(step.split()) for step in spec.steps}
    released = {s.partition("(")[0] for s in network.overall.products}
    assert spec.product in released
    if not any(is_solute(term) for term in network.species):
        assert network.overall.n_e == network.overall.n_h


@names("reactions")
def test_a_step_moves_one_pair_or_none_and_all_go_one_way(name):
    network = build_network(LIBRARY.reaction(name), composition_of(LIBRARY))
    sign = -1 if network.overall.n_e < 0 else 1
    for path in network.pathways:
        for step in path:
            assert step.n_e in (0, sign)
            assert step.n_h == step.n_e or any(map(is_solute, step.species))
        assert sum(s.n_e for s in path) == network.overall.n_e


@names("reactions")
def test_a_loss_takes_its_ligand_and_no_more(name):
    spec = LIBRARY.reaction(name)
    if spec.loss is None:
        return
    network = build_network(spec, composition_of(LIBRARY))
    (left,) = (t for t in network.overall.products if t.startswith("*"))
    lost = {e: -n for e, n in read_change(read_surface(left)[0]).items()}
    assert lost == LIBRARY.ligand(spec.loss.ligand).counts
    assert LIBRARY.ligand_loss(spec.loss.ligand, spec.loss.route) == spec


@names("solutes")
def test_the_charge_of_a_solute_ends_its_name(name):
    spec = LIBRARY.solute(name)
    found = re.search(r"([+-])(\d?)$", name)
    assert spec.charge == (0 if found is None else int(found[1] + (found[2] or "1")))
    letters = Counter(re.findall(r"[A-Z][a-z]?", name))
    assert letters.keys() == spec.counts.keys()


@names("gases")
def test_the_symmetry_number_is_that_of_the_geometry(name):
    spec = LIBRARY.gas(name)
    positions = np.array([line[1:] for line in spec.atoms])
    found = find_symmetry([line[0] for line in spec.atoms], positions, 0.05)
    if found.point_group in ("C*v", "D*h"):
        proper = 2 if found.point_group == "D*h" else 1
    else:
        proper = sum(np.linalg.det(r) > 0 for r in found.rotations)
    assert spec.symmetry_number == proper


@names("gases")
def test_a_gas_does_not_lie_along_the_axes(name):
    positions = np.array([line[1:] for line in LIBRARY.gas(name).atoms])
    bonds = positions[1:] - positions[0]
    if not len(bonds):  # an atom lies along none
        return
    # xtb-python errs for molecules in a coordinate plane.
    assert (np.abs(bonds).max(axis=0) > 0.1).all()


@names("gases")
def test_elements_of_a_gas_have_their_entropy(name):
    for element in LIBRARY.gas(name).counts:
        assert LIBRARY.element(element).entropy_j_per_mol_k > 0


@names("gases")
def test_a_liquid_is_less_disordered_and_lower_in_enthalpy(name):
    spec = LIBRARY.gas(name)
    if spec.liquid is not None:
        gas, liquid = spec.experiment, spec.liquid
        # Trouton: 85 to 110 J/mol/K, more with hydrogen bonds; half for dimers.
        drop = gas.entropy_j_per_mol_k - liquid.entropy_j_per_mol_k
        assert 60 < drop < 130
        assert liquid.enthalpy_kj_per_mol < gas.enthalpy_kj_per_mol


def test_elements_in_their_standard_state_form_for_nothing():
    for gas, element in (("H2", "H"), ("O2", "O"), ("N2", "N")):
        spec = LIBRARY.gas(gas)
        assert spec.experiment.enthalpy_kj_per_mol == 0
        assert spec.experiment.entropy_j_per_mol_k == pytest.approx(
            2 * LIBRARY.element(element).entropy_j_per_mol_k, abs=1e-9
        )


@names("levels")
def test_a_level_names_an_engine_or_a_calculator(name):
    engine = LIBRARY.level(name).engine
    assert isinstance(engine, OwnCalculator) or engine in ENGINES


@names("domain")
def test_a_limit_can_hold_and_says_its_numbers(name):
    entry = next(e for e in LIBRARY.domain() if e.name == name)
    methods = {LIBRARY.level(level).method for level in LIBRARY.paths("levels")}
    assert set(entry.methods) <= methods
    assert set(entry.motifs) <= set(LIBRARY.paths("gases"))
    for term in {*entry.species} - {"edges"}:
        composition_of(LIBRARY)(term)

    assert re.search(r"\d\.\d", entry.description)
