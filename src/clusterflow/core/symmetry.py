"""Point groups of clusters, by pymatgen, and how they permute the atoms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.core.topology import distances

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.core.topology import FloatArray

# Relative difference of moments of inertia that still counts as equal: noise of
# 0.01 Å moves those of a 13-atom icosahedron by less than a tenth of the first. A
# cluster whose moments are equal by accident is searched for fewer axes than it has,
# so a strict second try follows and the larger group counts.
_INERTIA_TOLERANCES = (0.05, 0.003)
# Operations are looked for loosely and then held to what the caller allows.
_CANDIDATE_A = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """A point group as operations about the centre of mass.

    permutations : shape (n_operations, n_atoms); atom i is sent to permutations[k, i].
    rotations : shape (n_operations, 3, 3), proper and improper.
    """

    point_group: str
    permutations: np.ndarray
    rotations: np.ndarray


def find_symmetry(
    symbols: Sequence[str], positions: FloatArray, tolerance_a: float = 0.1
) -> Symmetry:
    """The approximate point group of a molecule.

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    tolerance_a
        Distance within which an atom and an image of another count as one, Å.

    Examples
    --------
    >>> line = np.array([[0, 0, -1.16], [0, 0, 0], [0, 0, 1.16]])
    >>> find_symmetry(["O", "C", "O"], line).point_group
    'D*h'
    """
    if len(symbols) == 1:
        return _only_identity("Kh", 1)
    tries = [_search(symbols, positions, tolerance_a, t) for t in _INERTIA_TOLERANCES]
    return max(tries, key=lambda found: len(found.permutations))


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """How one atom follows from another by an operation of the whole geometry.

    permutation : shape (n_atoms,); atom i is sent to permutation[i].
    rotation : shape (3, 3), proper or improper.
    """

    source: int
    permutation: np.ndarray
    rotation: np.ndarray


def find_images(
    symbols: Sequence[str],
    positions: FloatArray,
    indices: Sequence[int],
    tolerance_a: float,
) -> dict[int, Image]:
    """Those of some atoms that are images of others of them, and by what operation.

    Every operation maps the whole geometry onto itself, and `indices` onto `indices`.
    Sources are no images themselves.

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    indices
        The atoms of interest.
    tolerance_a
        No atom may be farther than this from where the operation puts it, Å.

    Examples
    --------
    >>> line = np.array([[0, 0, -1.16], [0, 0, 0], [0, 0, 1.16]])
    >>> found = find_images(["O", "C", "O"], line, [0, 1, 2], 1e-3)
    >>> {atom: image.source for atom, image in found.items()}
    {2: 0}
    """
    images: dict[int, Image] = {}
    # The search is slow to import and most adsorbates have no two atoms alike.
    if not _any_alike(symbols, positions, indices, tolerance_a):
        return images
    centred = positions - positions.mean(axis=0)
    operations = [
        (permutation, rotation)
        for permutation, rotation in _best_operations(symbols, centred)
        if {permutation[i] for i in indices} == set(indices)
        and _misfit(centred, permutation, rotation) < tolerance_a
    ]
    sources = set()
    for source in indices:
        if source in images:
            continue
        sources.add(source)
        for permutation, rotation in operations:
            target = int(permutation[source])
            if target not in images and target not in sources:
                images[target] = Image(
                    source=source, permutation=permutation, rotation=rotation
                )
    return images


def _any_alike(
    symbols: Sequence[str],
    positions: FloatArray,
    indices: Sequence[int],
    tolerance_a: float,
) -> bool:
    """Whether two of the atoms see the same elements at the same distances."""
    gaps = distances(positions)
    kinds = np.unique(np.array(symbols), return_inverse=True)[1]
    seen = {i: gaps[i][np.lexsort((gaps[i], kinds))] for i in indices}
    return any(
        symbols[i] == symbols[k]
        and np.abs(seen[i] - seen[k]).max(initial=0.0) < 2 * tolerance_a
        for i, k in combinations(indices, 2)
    )


def _best_operations(
    symbols: Sequence[str], centred: FloatArray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Operations of the loose group, each turned to where it fits best.

    The axes found go through atoms and are only as good as these; the best matrix of a
    permutation is that of W. Kabsch, Acta Cryst. A 32, 922 (1976),
    doi:10.1107/S0567739476001873.
    """
    loose = find_symmetry(symbols, centred, _CANDIDATE_A)
    for permutation, rotation in zip(loose.permutations, loose.rotations, strict=True):
        # What a line or a plane leaves open stays as it was found.
        overlap = centred[permutation].T @ centred + 1e-3 * rotation
        left, _, right = np.linalg.svd(overlap)
        yield permutation, left @ right


def _misfit(
    centred: FloatArray, permutation: np.ndarray, rotation: np.ndarray
) -> float:
    """Largest distance of an atom from where an operation puts it, Å."""
    gaps = centred @ rotation.T - centred[permutation]
    return float(np.linalg.norm(gaps, axis=1).max())


def _search(
    symbols: Sequence[str],
    positions: FloatArray,
    tolerance_a: float,
    inertia_tolerance: float,
) -> Symmetry:
    from pymatgen.core import Molecule
    from pymatgen.symmetry.analyzer import PointGroupAnalyzer

    analyzer = PointGroupAnalyzer(
        Molecule(list(symbols), positions),
        tolerance=tolerance_a,
        eigen_tolerance=inertia_tolerance,
    )
    centred = np.asarray(analyzer.centered_mol.cart_coords)
    permutations, rotations = [], []
    for operation in analyzer.get_symmetry_operations():
        rotation = np.asarray(operation.rotation_matrix)
        permutation = _permutation(symbols, centred, rotation, tolerance_a)
        if permutation is not None:
            permutations.append(permutation)
            rotations.append(rotation)
    return Symmetry(
        point_group=analyzer.sch_symbol,
        permutations=np.array(permutations),
        rotations=np.array(rotations),
    )


def _only_identity(point_group: str, n_atoms: int) -> Symmetry:
    return Symmetry(
        point_group=point_group,
        permutations=np.arange(n_atoms)[None, :],
        rotations=np.eye(3)[None],
    )


def _permutation(
    symbols: Sequence[str], centred: FloatArray, rotation: FloatArray, tolerance: float
) -> np.ndarray | None:
    """Where each atom goes under a rotation; None if it is not a symmetry."""
    images = centred @ rotation.T
    gaps = np.linalg.norm(images[:, None] - centred[None, :], axis=-1)
    element = np.array(symbols)
    gaps[element[:, None] != element[None, :]] = np.inf
    target = gaps.argmin(axis=1)
    within = gaps[np.arange(len(target)), target] < 3 * tolerance
    if not within.all() or len(set(target)) != len(target):
        return None
    return np.asarray(target)


def rotational_symmetry_number(point_group: str) -> int:
    """Number of proper rotations of a molecular point group in Schoenflies notation.

    References
    ----------
    A. Fernández-Ramos et al., Theor. Chem. Acc. 118, 813 (2007),
    doi:10.1007/s00214-007-0328-0, table 1.

    Examples
    --------
    >>> [rotational_symmetry_number(g) for g in ("C2v", "Td", "D*h", "C*v", "D3h")]
    [2, 12, 2, 1, 6]
    """
    fixed = {"C*v": 1, "D*h": 2, "Kh": 1, "T": 12, "Td": 12, "Th": 12}
    fixed |= {"O": 24, "Oh": 24, "I": 60, "Ih": 60, "C1": 1, "Cs": 1, "Ci": 1}
    if point_group in fixed:
        return fixed[point_group]
    order = int("".join(c for c in point_group if c.isdigit()))
    if point_group.startswith("S"):
        return order // 2
    return 2 * order if point_group.startswith("D") else order
