"""Starting geometries that know no sites: an adsorbate comes in from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records.adsorption import Site
from clusterflow.science.adsorption.starts_on_sites import Start, join
from clusterflow.science.geometry.bonds import bond_graph, bond_lengths, distance_ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.records.structure import Structure
    from clusterflow.science.geometry.bonds import FloatArray

# The first contact, in bond lengths by covalent radii: that of placed adsorbates.
_CONTACT = 1.05
_BEARING = ("core", "hydride")
# Ligands can cover a cluster from all sides.
_MOST_DIRECTIONS = 200


def place_anywhere(
    host: Structure,
    adsorbate: AdsorbateSpec,
    *,
    multiplicity: int,
    seed: Sequence[int],
) -> Start | None:
    """An adsorbate that came in from a random direction, in a random orientation.

    It moves along a ray through the middle of the cluster and stops where two atoms
    first touch; None if ligands are always in the way. The site of the start is the
    atom that was touched.

    Parameters
    ----------
    seed
        Whole numbers that fix everything random about it.
    """
    rng = np.random.default_rng(seed)
    form = adsorbate.forms[rng.integers(len(adsorbate.forms))]
    symbols = [line[0] for line in form.atoms]
    own = np.array([line[1:] for line in form.atoms], dtype=float)
    own = (own - own.mean(axis=0)) @ _draw_rotation(rng)
    positions = host.xyz
    middle = own + positions.mean(axis=0)
    for _ in range(_MOST_DIRECTIONS):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        distance = _find_first_contact(host, symbols, middle, direction)
        if distance is None:  # a small adsorbate may fly straight through a ring
            continue
        placed = middle + distance * direction
        structure = join(host, symbols, placed, adsorbate, multiplicity)
        site = touched_site(structure, len(positions))
        if host.roles[site.atoms[0]] in _BEARING:
            return Start(
                structure=structure,
                site=site,
                form=form.name,
                clearance=_CONTACT,
                placed="random",
            )
    return None


def _draw_rotation(rng: np.random.Generator) -> FloatArray:
    """A rotation matrix, all equally likely: from a random unit quaternion."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _find_first_contact(
    host: Structure, symbols: Sequence[str], middle: FloatArray, direction: FloatArray
) -> float | None:
    """How far from the middle the adsorbate stops on its way in, Å; None if never."""
    n_host = len(host.symbols)
    reach = _CONTACT * bond_lengths([*host.symbols, *symbols])[:n_host, n_host:]
    offsets = middle[None, :] - host.xyz[:, None]
    along = offsets @ direction
    across = (offsets**2).sum(axis=-1) - along**2
    meets = reach**2 > across
    stops = np.sqrt((reach**2 - across)[meets]) - along[meets]
    return float(stops.max()) if len(stops) else None


def touched_site(complex_: Structure, n_host: int) -> Site:
    """The atom of the cluster that is closest to the adsorbate, in bond lengths.

    Its normal points from the middle of the cluster to that of the adsorbate.

    Parameters
    ----------
    complex_
        Host atoms first, `n_host` of them, then those of the adsorbate.
    """
    symbols, positions = complex_.symbols, complex_.xyz
    ratios = distance_ratios(symbols, positions)[:n_host, n_host:]
    atom = int(ratios.min(axis=1).argmin())
    outward = positions[n_host:].mean(axis=0) - positions[:n_host].mean(axis=0)
    x, y, z = (float(v) for v in outward / np.linalg.norm(outward))
    graph = bond_graph(symbols[:n_host], positions[:n_host])
    return Site(
        kind="hydride" if complex_.roles[atom] == "hydride" else "top",
        atoms=(atom,),
        elements=(symbols[atom],),
        multiplicity=1,
        position=complex_.positions[atom],
        normal=(x, y, z),
        coordination_numbers=(graph.degree[atom],),
    )
