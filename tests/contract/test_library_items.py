"""What every file of structures/ must do: load, build, balance, name its source."""

from __future__ import annotations

import re
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from ase.data import covalent_radii
from networkx.algorithms.isomorphism import categorical_node_match

from clusterflow.core.fate import intended_graphs
from clusterflow.core.network import build_network
from clusterflow.core.symmetry import find_symmetry
from clusterflow.engines import ENGINES
from clusterflow.io import to_atoms
from clusterflow.library import KINDS, Library, load_spec, package_data
from clusterflow.tasks.build import build_structures
from clusterflow.tasks.che import composition_of

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
        # No bond is shorter than 0.75 sums of radii, and every atom has one.
        assert ratios.min() > 0.75
        graph = nx.Graph(zip(*np.nonzero(ratios < 1.35), strict=True))
        assert len(graph) == len(atoms)
        assert nx.is_connected(graph)


def test_a_state_is_its_parent_less_what_was_removed():
    for name in LIBRARY.paths("clusters"):
        spec = LIBRARY.cluster(name)
        if spec.parent is not None:
            parent = LIBRARY.cluster(spec.parent)
            gone = parent.counts - spec.counts
            assert gone == {spec.removed.element: spec.removed.count}


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


@names("adsorbates")
def test_what_is_inherited_is_a_gas_of_the_library(name):
    spec = LIBRARY.adsorbate(name)
    for motif, share in spec.inherits.items():
        assert motif in LIBRARY.paths("gases")
        assert 0 < share <= 2
        assert not LIBRARY.gas(motif).counts - spec.counts


@names("reactions")
def test_a_reaction_balances_and_has_a_pathway(name):
    spec = LIBRARY.reaction(name)
    network = build_network(spec, composition_of(LIBRARY))
    assert network.pathways
    used = {step.name for path in network.pathways for step in path}
    assert used == {" ".join(step.split()) for step in spec.steps}
    released = {s.partition("(")[0] for s in network.overall.products}
    assert spec.product in released
    assert network.overall.n_e == network.overall.n_h > 0


@names("reactions")
def test_a_step_takes_one_pair_or_none(name):
    network = build_network(LIBRARY.reaction(name), composition_of(LIBRARY))
    for path in network.pathways:
        assert {(s.n_e, s.n_h) for s in path} <= {(0, 0), (1, 1)}
        assert sum(s.n_e for s in path) == network.overall.n_e


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
def test_a_level_names_an_engine(name):
    level = LIBRARY.level(name)
    assert level.engine in ENGINES.names()


@names("domain")
def test_a_limit_can_hold_and_says_its_numbers(name):
    entry = next(e for e in LIBRARY.domain() if e.name == name)
    methods = {LIBRARY.level(level).method for level in LIBRARY.paths("levels")}
    assert set(entry.methods) <= methods
    assert set(entry.motifs) <= set(LIBRARY.paths("gases"))
    for term in {*entry.species} - {"edges"}:
        composition_of(LIBRARY)(term)

    assert re.search(r"\d\.\d", entry.description)
