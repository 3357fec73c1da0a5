"""Supports of clusters: fragments cut out of frameworks, and clusters beside them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.science.clusters.ligand_truncation import (
    H_BOND_A,
    CapAtom,
    hydrogen_cap,
)
from clusterflow.science.geometry.bonds import FORMED, NONMETALS, radii
from clusterflow.science.geometry.molecules import periodic_bonds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.science.geometry.bonds import FloatArray

# Bonds between non-metals shorter than this, in sums of covalent radii, are multiple
# and not cut: 1.44 Å for carbon, between benzene (1.40) and biphenyl (1.49).
_SINGLE = 0.95
# A fragment larger than this has found no bond to end at.
_MOST_ATOMS = 2000

# Steps by which a cluster comes down on a support, Å, and where they end.
_STEP_A, _CLOSE_A = 0.1, 1e-4

# An atom of the cell and the cell it is in.
PeriodicAtom = tuple[int, tuple[int, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Part of a framework without its cell; the caps stand last.

    `origins` are the atoms of the cell that the others are images of.
    """

    atoms: Atoms
    n_caps: int
    origins: tuple[int, ...]


def cut_out(
    framework: Atoms, centres: FloatArray, radius_a: float, keep_out: Sequence[int] = ()
) -> Fragment:
    """The atoms of a framework about some places, with hydrogen where bonds are cut.

    Only single bonds between non-metals are cut, and bonds of an organic donor to a
    metal beyond it; a metal keeps all its ligands, and metals that bind each other,
    directly or by oxide or hydroxide, stay together. Of donors that lose their metal,
    O, S and Se with one neighbour get a hydrogen, those of a carboxylate one together,
    and none where they keep another metal; N, ethers and water stay as they are.

    Parameters
    ----------
    framework
        A periodic structure.
    centres : Å, shape (n, 3)
    radius_a
        Everything this near to a centre belongs to the fragment.
    keep_out
        Atoms that are no part of the framework, such as a cluster inside it.

    Raises
    ------
    ValueError
        If nothing is so near, or no single bond ends the fragment.
    """
    bonds = _Bonds(framework)
    start = [
        node
        for node in _find_near_images(framework, np.atleast_2d(centres), radius_a)
        if node[0] not in set(keep_out)
    ]
    if not start:
        raise ValueError(f"no atom of the framework is within {radius_a:g} Å")
    inside = _grow_fragment(bonds, start)
    caps = list(_cap_cut_bonds(bonds, inside))
    nodes = sorted(inside)
    return Fragment(
        atoms=Atoms(
            [*(bonds.symbols[i] for i, _ in nodes), *(cap.symbol for cap in caps)],
            positions=[
                *(bonds.place(node) for node in nodes),
                *(cap.position for cap in caps),
            ],
        ),
        n_caps=len(caps),
        origins=tuple(i for i, _ in nodes),
    )


class _Bonds:
    """Bonds of a periodic structure, from any of its images."""

    def __init__(self, atoms: Atoms) -> None:
        self.symbols = atoms.get_chemical_symbols()
        self.positions = atoms.positions
        self.cell = np.array(atoms.cell)
        self.radius = radii(self.symbols)
        self._near = periodic_bonds(atoms, FORMED)

    def place(self, node: PeriodicAtom) -> FloatArray:
        """Where an image of an atom is, Å."""
        return np.asarray(self.positions[node[0]] + np.array(node[1]) @ self.cell)

    def of(self, node: PeriodicAtom) -> Iterator[PeriodicAtom]:
        """Images that an image of an atom is bonded to."""
        i, cell = node
        for j, vector in self._near[i]:
            offset = self.positions[i] + vector - self.positions[j]
            shift = np.rint(np.linalg.solve(self.cell.T, offset)).astype(int)
            a, b, c = (int(k) for k in np.array(cell) + shift)
            yield j, (a, b, c)

    def n_neighbours(self, atom: int) -> int:
        """Number of bonds of an atom."""
        return len(self._near[atom])

    def is_metal(self, node: PeriodicAtom) -> bool:
        """Whether an atom is none of the non-metals."""
        return self.symbols[node[0]] not in NONMETALS

    def _is_organic(self, node: PeriodicAtom) -> bool:
        """Whether an atom holds more than metals and hydrogen: no oxide, no metal."""
        near = [self.symbols[j] for j, _ in self._near[node[0]]]
        return not self.is_metal(node) and bool(set(near) & (NONMETALS - {"H"}))

    def may_be_cut(self, inner: PeriodicAtom, outer: PeriodicAtom) -> bool:
        """Whether the fragment may end between two bonded atoms."""
        if self.is_metal(inner) or self.is_metal(outer):
            return self.is_metal(outer) and self._is_organic(inner)
        if self.n_neighbours(outer[0]) == 1 or self.n_neighbours(inner[0]) == 1:
            return False
        length = np.linalg.norm(self.place(inner) - self.place(outer))
        reach = self.radius[inner[0]] + self.radius[outer[0]]
        return bool(length > _SINGLE * reach)


def _find_near_images(
    atoms: Atoms, centres: FloatArray, radius_a: float
) -> list[PeriodicAtom]:
    """Images of atoms within a radius of any centre."""
    cell = np.array(atoms.cell)
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    reach = np.ceil(radius_a / heights).astype(int) + 1
    fractional = np.linalg.solve(cell.T, centres.T).T
    low = np.floor(fractional.min(axis=0)).astype(int) - reach
    high = np.floor(fractional.max(axis=0)).astype(int) + reach
    found = []
    for a, b, c in product(*(range(m, n + 1) for m, n in zip(low, high, strict=True))):
        images = atoms.positions + np.array([a, b, c]) @ cell
        gaps = np.linalg.norm(images[:, None] - centres[None], axis=-1).min(axis=1)
        found += [(int(i), (a, b, c)) for i in np.flatnonzero(gaps < radius_a)]
    return found


def _grow_fragment(bonds: _Bonds, start: Sequence[PeriodicAtom]) -> set[PeriodicAtom]:
    """Atoms with all that hangs on them by bonds which are not cut."""
    inside = set(start)
    waiting = list(start)
    while waiting:
        node = waiting.pop()
        for other in bonds.of(node):
            if other not in inside and not bonds.may_be_cut(node, other):
                inside.add(other)
                waiting.append(other)
        if len(inside) > _MOST_ATOMS:
            raise ValueError(
                f"the fragment has more than {_MOST_ATOMS} atoms: "
                "no single bond ends it there; take a smaller radius or another centre"
            )
    return inside


def _cap_cut_bonds(bonds: _Bonds, inside: set[PeriodicAtom]) -> Iterator[CapAtom]:
    """Hydrogens along the cut bonds."""
    settled: set[PeriodicAtom] = set()
    for node in sorted(inside):
        for other in sorted(bonds.of(node)):
            if other in inside or bonds.symbols[node[0]] not in H_BOND_A:
                continue
            if bonds.is_metal(other):
                if node in settled or not _is_acid(bonds, node):
                    continue
                # With one hydrogen an acid group is neutral, and with a metal that the
                # fragment has kept it needs none.
                donors = {node, *_find_siblings(bonds, node)}
                settled |= donors
                if any(
                    bonds.is_metal(m)
                    for d in donors
                    for m in bonds.of(d)
                    if m in inside
                ):
                    continue
            symbol = bonds.symbols[node[0]]
            yield hydrogen_cap(symbol, bonds.place(node), bonds.place(other))


def _is_acid(bonds: _Bonds, donor: PeriodicAtom) -> bool:
    """Whether a donor is charged without its metal: RO⁻, RS⁻; not N, ethers, water."""
    held = [j for j in bonds.of(donor) if not bonds.is_metal(j)]
    return bonds.symbols[donor[0]] in ("O", "S", "Se") and len(held) == 1


def _find_siblings(bonds: _Bonds, donor: PeriodicAtom) -> set[PeriodicAtom]:
    """Atoms of the same element on the same carbon."""
    return {
        other
        for carbon in bonds.of(donor)
        if bonds.symbols[carbon[0]] == "C"
        for other in bonds.of(carbon)
        if bonds.symbols[other[0]] == bonds.symbols[donor[0]]
    }


def bond_through_walls(atoms: Atoms, n_own: int) -> tuple[int, int] | None:
    """An atom of a cluster and one whose image it is bonded to, or None.

    Parameters
    ----------
    atoms
        The cluster, then its support, side by side in the cell.
    n_own
        Number of atoms of the cluster.

    Examples
    --------
    >>> pair = Atoms("Cu2", [(0, 0, 0), (2.3, 0, 0)], cell=[5, 9, 9], pbc=True)
    >>> bond_through_walls(pair, 2)
    (0, 1)
    """
    from ase.neighborlist import neighbor_list

    reach = FORMED * radii(atoms.get_chemical_symbols())
    for i, j, shift in zip(*neighbor_list("ijS", atoms, reach), strict=True):
        if i < n_own and shift.any():
            return int(i), int(j)
    return None


def put_beside(
    support: Atoms, cluster: Atoms, direction: Sequence[float], contact: float = 1.0
) -> Atoms:
    """A cluster moved along a line through a support's middle until it touches it.

    It comes from outside; a support with a cell keeps it, and is touched in it only.

    Parameters
    ----------
    support, cluster
        The cluster is not turned.
    direction
        From the support to the cluster; any length.
    contact
        Distance of the nearest pair, in sums of covalent radii.

    Examples
    --------
    >>> above = put_beside(Atoms("Cu"), Atoms("Cu"), (0, 0, 2))
    >>> round(float(above.positions[0, 2]), 2)
    2.64
    """
    unit = np.array(direction) / np.linalg.norm(direction)
    centred = cluster.positions - cluster.positions.mean(axis=0)
    centred += support.positions.mean(axis=0)
    reach = radii(cluster.get_chemical_symbols())[:, None]
    reach = contact * (reach + radii(support.get_chemical_symbols()))

    def is_free(height: float) -> bool:
        moved = centred + height * unit
        gaps = np.linalg.norm(moved[:, None] - support.positions[None], axis=-1)
        return bool((gaps > reach).all())

    extent = np.ptp(support.positions, axis=0).max() + np.ptp(centred, axis=0).max()
    high = float(extent + 2 * reach.max())
    while is_free(high - _STEP_A):
        high -= _STEP_A
    low = high - _STEP_A
    while high - low > _CLOSE_A:
        middle = (high + low) / 2
        low, high = (low, middle) if is_free(middle) else (middle, high)
    moved_cluster = cluster.copy()
    moved_cluster.positions = centred + high * unit
    return moved_cluster
