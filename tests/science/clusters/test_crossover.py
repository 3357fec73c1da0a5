"""A child has a part of each parent, all atoms, and no clash."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from clusterflow.science.clusters.crossover import cut_and_splice
from clusterflow.science.clusters.random_moves import CLOSEST, is_sane, random_cluster
from clusterflow.science.geometry.bonds import distance_ratios


def parents(symbols, seed):
    rng = np.random.default_rng(seed)
    return random_cluster(symbols, rng), random_cluster(symbols, rng), rng


@pytest.mark.parametrize("symbols", [["Cu"] * 13, ["Au"] * 3 + ["Cu"] * 5, ["Cu"] * 2])
def test_a_child_is_one_piece_without_clashes(symbols):
    mother, father, rng = parents(symbols, 1)
    children = [cut_and_splice(symbols, mother, father, rng) for _ in range(10)]
    made = [child for child in children if child is not None]
    assert len(made) >= 5
    for child in made:
        assert child.shape == mother.shape
        assert is_sane(symbols, child)
        assert distance_ratios(symbols, child).min() > CLOSEST


def gaps(positions):
    return np.linalg.norm(positions[:, None] - positions[None], axis=-1)


def comes_from(child, mother, father):
    """How far a child is from the best split between two parents, atom by atom, Å."""
    own, of_mother, of_father = gaps(child), gaps(mother), gaps(father)
    atoms = range(len(child))
    best = np.inf
    for size in atoms[1:]:
        for part in combinations(atoms, size):
            rest = [i for i in atoms if i not in part]
            off = max(
                np.abs((own - of_mother)[np.ix_(part, part)]).max(),
                np.abs((own - of_father)[np.ix_(rest, rest)]).max(),
            )
            best = min(best, off)
    return best


def test_each_atom_keeps_its_place_in_one_of_the_parents():
    # Of unlike elements, so that every atom can be told in all three.
    symbols = ["Cu", "Ag", "Au", "Pt", "Pd", "Ni", "Co", "Fe"]
    mother, father, rng = parents(symbols, 2)
    children = [cut_and_splice(symbols, mother, father, rng) for _ in range(12)]
    found = [comes_from(child, mother, father) for child in children]
    # Atoms at the seam are pushed apart; those of strangers would not fit at all.
    strangers = [random_cluster(symbols, rng) for _ in range(12)]
    others = [comes_from(one, mother, father) for one in strangers]
    assert np.median(found) < 0.5 * np.median(others)


def test_one_atom_has_no_parents():
    rng = np.random.default_rng(0)
    assert cut_and_splice(["Cu"], np.zeros((1, 3)), np.zeros((1, 3)), rng) is None
