"""A random compact cluster of any elements."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from clusterflow.formula import parse_formula
from clusterflow.science.clusters.random_moves import random_cluster


def random_compact(formula: str, seed: int = 0, planar: bool = False) -> Atoms:
    """A random compact geometry, the same for the same seed.

    Atoms are spread at random and drawn together by pair forces; no two end closer
    than 0.8 bond lengths, the sum of their covalent radii. `planar` keeps them in a
    plane.
    """
    symbols = sorted(parse_formula(formula).elements())
    rng = np.random.default_rng(seed)
    return Atoms(symbols, positions=random_cluster(symbols, rng, planar=planar))
