"""Pairs of neighbouring sites for two molecules, each distinct pair once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.geometry.bonds import bond_graph
from clusterflow.science.geometry.symmetry import find_symmetry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records.adsorption import Site
    from clusterflow.records.structure import Structure
    from clusterflow.science.geometry.bonds import FloatArray

# Normals that differ by less than this belong to one site.
_SAME_NORMAL = 0.2
# A site is looked at from this far above its atoms, Å, so that its two sides differ.
_LOOKOUT_A = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePair:
    """Two sites side by side; each is one of the distinct sites or like one."""

    first: Site
    second: Site
    gap_a: float


def site_pairs(
    host: Structure, sites: Sequence[Site], *, alike: bool, tolerance_a: float = 0.1
) -> list[SitePair]:
    """Distinct pairs of sites that share an atom or have atoms bonded to each other.

    Two pairs are one if the cluster looks the same from both, mirror images included.

    Parameters
    ----------
    host
        The cluster.
    sites
        Its distinct sites; their images by symmetry are found here. Without symmetry
        those merged with them are taken for themselves: their neighbours differ.
    alike
        Whether the two molecules are the same, so that they may change places.
    tolerance_a
        Symmetry tolerance, Å.

    Returns
    -------
    pairs
        Nearest first; with symmetry the first of each pair is one of `sites`.
    """
    positions = host.xyz
    merged = [[site, *_list_merged_sites(site, positions)] for site in sites]
    firsts = [(orbit, site) for orbit, own in enumerate(merged) for site in own]
    everywhere = [
        (orbit, image)
        for orbit, images in enumerate(_list_images(host, merged, tolerance_a))
        for image in images
    ]
    near = _list_neighbourhoods(host, positions)
    found: dict[tuple[int, int], list[tuple[FloatArray, SitePair]]] = {}
    for (a, first), (b, second) in product(firsts, everywhere):
        if alike and b < a:
            continue
        if _is_same_site(first, second) or not _is_touching(first, second, near):
            continue
        view = _fingerprint_pair(host, positions, first, second, alike=alike)
        known = found.setdefault((a, b), [])
        if all(np.abs(view - other).max() > 3 * tolerance_a for other, _ in known):
            gap = float(view[0])
            known.append((view, SitePair(first=first, second=second, gap_a=gap)))
    pairs = [pair for group in found.values() for _, pair in group]
    return sorted(pairs, key=lambda pair: round(pair.gap_a, 3))


def _list_merged_sites(site: Site, positions: FloatArray) -> list[Site]:
    """The sites for which a distinct one stands without symmetry."""
    return [
        _move_site(site, atoms, np.array(normal), positions)
        for atoms, normal in site.alike
    ]


def _list_images(
    host: Structure, sites: Sequence[Sequence[Site]], tolerance_a: float
) -> list[list[Site]]:
    """All images of the first of each kind of sites by the symmetry of the host.

    Those that are given come first.
    """
    positions = host.xyz
    symmetry = find_symmetry(host.symbols, positions, tolerance_a)
    found = [list(given) for given in sites]
    for permutation, rotation in zip(
        symmetry.permutations, symmetry.rotations, strict=True
    ):
        for images in found:
            image = _map_site(images[0], permutation, rotation, positions)
            if not any(_is_same_site(image, known) for known in images):
                images.append(image)
    return found


def _map_site(
    site: Site, permutation: np.ndarray, rotation: FloatArray, positions: FloatArray
) -> Site:
    atoms = tuple(int(permutation[i]) for i in site.atoms)
    return _move_site(site, atoms, rotation @ np.array(site.normal), positions)


def _move_site(
    site: Site, atoms: tuple[int, ...], normal: FloatArray, positions: FloatArray
) -> Site:
    """A site like another on other atoms."""
    x, y, z = (float(v) for v in positions[list(atoms)].mean(axis=0))
    u, v, w = (float(value) for value in normal)
    moved = {"atoms": atoms, "position": (x, y, z), "normal": (u, v, w), "alike": ()}
    return site.model_copy(update=moved)


def _is_same_site(first: Site, second: Site) -> bool:
    if first.kind != second.kind or set(first.atoms) != set(second.atoms):
        return False
    turn = np.array(first.normal) - np.array(second.normal)
    return bool(np.linalg.norm(turn) < _SAME_NORMAL)


def _list_neighbourhoods(host: Structure, positions: FloatArray) -> dict[int, set[int]]:
    """Each atom with all that is bonded to it."""
    graph = bond_graph(host.symbols, positions)
    return {i: {i, *graph[i]} for i in graph}


def _is_touching(first: Site, second: Site, near: dict[int, set[int]]) -> bool:
    return any(near[i] & set(second.atoms) for i in first.atoms)


def _fingerprint_pair(
    host: Structure, positions: FloatArray, first: Site, second: Site, *, alike: bool
) -> FloatArray:
    """What tells two pairs apart: distances between the sites, and to all atoms.

    Sums and differences of each atom's two distances, sorted by element.
    """
    eyes = [
        np.array(site.position) + _LOOKOUT_A * np.array(site.normal)
        for site in (first, second)
    ]
    one, other = (np.linalg.norm(positions - eye, axis=1) for eye in eyes)
    difference = np.abs(one - other) if alike else one - other
    kinds = np.unique(np.array(host.symbols), return_inverse=True)[1]
    sorted_ = [
        values[np.lexsort((values, kinds))] for values in (one + other, difference)
    ]
    gap = np.linalg.norm(np.array(first.position) - np.array(second.position))
    return np.concatenate([[gap, np.linalg.norm(eyes[0] - eyes[1])], *sorted_])
