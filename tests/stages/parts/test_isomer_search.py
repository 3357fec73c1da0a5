"""Global search: the known lowest isomer is found, the same way every time."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.engines import Meter, make_calculator
from clusterflow.errors import ClusterflowError
from clusterflow.library.clusters import ClusterSpec, IsomerSearch
from clusterflow.library.find import Library
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import BuildRecord, LevelRecord
from clusterflow.science.clusters.builders.metal import icosahedron
from clusterflow.science.clusters.builders.random_compact import random_compact
from clusterflow.science.clusters.random_moves import (
    CLOSEST,
    is_accepted,
    is_sane,
    random_move,
)
from clusterflow.science.geometry.bonds import distance_ratios
from clusterflow.settings import RelaxSettings
from clusterflow.stages.build import build_structures
from clusterflow.stages.parts.isomer_search import search_isomers
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.relaxation import Relaxation, same_geometry
from clusterflow.stages.relax import relax

pytestmark = pytest.mark.rounding


METHODS = pytest.mark.parametrize("method", ["basin_hopping", "genetic"])


def start(formula, seed=1):
    return from_atoms(random_compact(formula, seed), charge=0, multiplicity=1)


@pytest.fixture
def emt(library):
    return library.level("emt")


def relaxed(atoms, level):
    relaxation = Relaxation(atoms, make_calculator(level, 0, 1))
    assert relaxation.finish(0.02, 400) == "converged"
    return relaxation


@METHODS
def test_from_a_random_start_emt_falls_to_its_icosahedron(
    method, library, emt, provenance
):
    # The icosahedron is the lowest of 13 copper atoms in effective medium theory.
    made = start("Cu13")
    ico = relaxed(icosahedron("Cu", 2), emt)
    assert relaxed(to_atoms(made), emt).energy_ev > ico.energy_ev + 0.5
    record = relax(
        BuildRecord(
            cluster="Cu13",
            formula="Cu13",
            material="metal",
            source="unpublished: a test",
            structures=(made,),
            search=IsomerSearch(method=method, steps=15, seed=1, keep=2),
            provenance=provenance,
        ),
        LevelRecord(cluster="Cu13", level=emt, attempts=(), provenance=provenance),
        RelaxSettings(),
        Job("relax"),
    )
    best = record.isomers[0]
    assert best.structure.name == "search-1"
    assert best.energy_ev == pytest.approx(ico.energy_ev, abs=1e-3)
    assert same_geometry(to_atoms(best.structure), ico.atoms)
    # The start itself stays among the isomers, and each isomer stands there once.
    assert {"main", "search-1"} <= {i.structure.name for i in record.isomers}
    assert record.search.n_hops == 15
    assert record.search.n_isomers >= len(record.search.candidates) == 2


@METHODS
@pytest.mark.parametrize("formula", ["Au2Cu3", "Cu6"])
def test_a_search_repeats_itself_and_lists_no_isomer_twice(emt, formula, method):
    settings = IsomerSearch(method=method, steps=8, seed=3, keep=20, window_ev=10)
    first, again = (
        search_isomers([start(formula)], settings, emt, Job("relax")) for _ in range(2)
    )
    assert first == again
    energies = [c.energy_ev for c in first.candidates]
    assert energies == sorted(energies)
    # One relaxation of the start, and one of each hop.
    counted = sum(c.n_found for c in first.candidates) + sum(first.failures.values())
    assert counted == 9
    assert len(first.candidates) == first.n_isomers
    for i, one in enumerate(first.candidates):
        for other in first.candidates[i + 1 :]:
            near = abs(one.energy_ev - other.energy_ev) < 0.02
            a, b = to_atoms(one.structure), to_atoms(other.structure)
            assert not (near and same_geometry(a, b, 0.25))
    other = search_isomers(
        [start(formula)], settings.model_copy(update={"seed": 4}), emt, Job("relax")
    )
    assert other != first


@METHODS
def test_a_killed_search_goes_on_without_repeating_itself(method, emt, tmp_path):
    def run(steps):
        meter = Meter()
        job = Job("relax", scratch=tmp_path / "s", meter=meter)
        settings = IsomerSearch(method=method, steps=steps, seed=2)
        return search_isomers([start("Cu7")], settings, emt, job), meter.n_gradients

    _, first = run(3)
    whole, more = run(6)
    again, nothing = run(6)
    assert first > 0 and more > 0
    assert nothing == 0
    assert again == whole
    # It is the search that was never interrupted.
    settings = IsomerSearch(method=method, steps=6, seed=2)
    assert search_isomers([start("Cu7")], settings, emt, Job("relax")) == whole
    assert first + more == whole.n_gradients


@pytest.mark.parametrize("formula", ["Cu2", "Cu5", "Ag9", "Au6Cu7", "Cd6Se6"])
def test_moves_leave_one_piece_without_clashes(formula):
    made = random_compact(formula, 2)
    symbols = made.get_chemical_symbols()
    rng = np.random.default_rng(7)
    positions = made.positions
    for _ in range(20):
        new = random_move(symbols, positions, rng)
        assert is_sane(symbols, new)
        assert np.abs(new - positions).max() > 0.1
        positions = new


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("formula", ["Cu3", "Au14", "Ag20", "Cu10Zn5", "Pt38"])
def test_random_starts_are_compact_and_their_own(formula, seed):
    made = random_compact(formula, seed)
    ratios = distance_ratios(made.get_chemical_symbols(), made.positions)
    assert ratios.min() > CLOSEST > 0.7
    assert is_sane(made.get_chemical_symbols(), made.positions)
    assert (made.positions == random_compact(formula, seed).positions).all()
    assert not np.allclose(made.positions, random_compact(formula, seed + 5).positions)
    if len(made) > 12:
        # Compact: nobody is farther away than in a chain a third as long.
        assert made.get_all_distances().max() < len(made) * 2.6 / 3


def test_a_planar_start_is_planar():
    made = random_compact("Au10", 3, planar=True)
    assert np.ptp(made.positions[:, 2]) == 0
    assert np.linalg.matrix_rank(made.positions, tol=0.5) == 2


def test_uphill_is_accepted_as_often_as_boltzmann_says():
    rng = np.random.default_rng(0)
    n = 20_000
    taken = sum(is_accepted(0.5, 0.5, rng) for _ in range(n)) / n
    # Standard deviation of the share: √(p (1 − p) / n) = 0.0034.
    assert taken == pytest.approx(np.exp(-1), abs=4 * 0.0034)
    assert all(is_accepted(rise, 0.5, rng) for rise in (0.0, -1.0, -1e4))


def cluster(**content):
    return ClusterSpec.model_validate(
        {"name": "Mine", "source": "unpublished: a test", "multiplicity": 1}
        | {"structures": [{"builder": "anneal", "parameters": {"formula": "Cu4"}}]}
        | {"formula": "Cu4", "search": {"steps": 1}}
        | content
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            {"search": {"level": "emt"}, "formula": "Cd4"}
            | {"structures": [{"builder": "anneal", "parameters": {"formula": "Cd4"}}]},
            "'emt' has no parameters for Cd",
        ),
        ({"search": {"level": "no-such"}}, "no-such"),
        (
            {"formula": "Cd12Se12N12H36"}
            | {
                "structures": [
                    {
                        "builder": "cage",
                        "parameters": {"metal": "Cd", "anion": "Se", "n": 12},
                        "caps": [{"ligand": "NH3", "element": "Cd"}],
                    }
                ]
            },
            "search moves single atoms, and this cluster has a ligand",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_before_it_runs(
    content, says, root, tmp_path
):
    library = Library((root / "structures",))
    with pytest.raises(ClusterflowError, match=says):
        build_structures(cluster(**content), tmp_path, library)
