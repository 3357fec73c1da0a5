"""Staples: chains SR-M-SR that hold two metal atoms of a kernel.

Where the chain atoms lie follows from distances alone: bonds are sums of covalent
radii, a metal atom of a chain is linear, the angle at a chalcogen is that of thiolates
on gold, and all else keeps away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.science.geometry.bonds import bond_lengths, distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.geometry.bonds import FloatArray

# Angles between metal atoms at a chalcogen and from metal to its substituent, degrees:
# a pair of p orbitals, as in H2S and its like.
_BRIDGE_DEG = 90.0
_SUBSTITUENT_DEG = 100.0
# Closest that atoms without a bond may come, in sums of covalent radii.
_APART = 1.25
# Height of the first guess above the kernel atoms, Å: about a bond.
_ARCH_A = 2.4
# Weight of an angle or a contact against a bond.
_SOFT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Staple:
    """A chain of `n_metals` + 1 ligands with metal atoms between, over a kernel.

    It goes from kernel atom `first` to kernel atom `last`, bulging away from `centre`
    (Å, shape (3,)).
    """

    first: int
    last: int
    n_metals: int
    centre: FloatArray


def staple_kernel(
    kernel: Atoms, staples: Sequence[Staple], metal: str, ligand: Atoms
) -> Atoms:
    """A kernel with its staples: kernel, metal of staples, then ligand by ligand.

    Parameters
    ----------
    kernel
        The metal atoms that the staples hold.
    staples
        The chains; substituents stand on alternate sides along each.
    metal
        Element within the chains.
    ligand
        Its binding atom first.

    Returns
    -------
    With the roles ``core`` and ``ligand`` in the array `roles`.
    """
    donor = str(ligand.symbols[0])
    chains = _number_chains(len(kernel), staples)
    symbols = list(kernel.symbols)
    for chain in chains:
        symbols += [metal if k % 2 else donor for k in range(len(chain) - 2)]
    start = np.vstack([kernel.positions, *(_guess_arc(kernel, s) for s in staples)])
    positions = _settle_chains(symbols, start, len(kernel), chains)
    # Donors have odd places in a chain; every other one is turned to the same side.
    pieces = [
        _place_ligand(ligand, positions[chain[k - 1 : k + 2]], 1 if k % 4 == 1 else -1)
        for chain in chains
        for k in range(1, len(chain) - 1, 2)
    ]
    metals = [i for chain in chains for i in chain[2:-1:2]]
    whole = kernel + Atoms([metal] * len(metals), positions=positions[metals])
    roles = ["core"] * len(whole)
    for piece in pieces:
        whole += piece
        roles += ["ligand"] * len(piece)
    plain = Atoms(whole.symbols, positions=whole.positions)
    plain.set_array("roles", np.array(roles))
    return plain


def _number_chains(n_kernel: int, staples: Sequence[Staple]) -> list[list[int]]:
    """Atoms of each chain in order, from kernel atom to kernel atom."""
    chains, following = [], n_kernel
    for staple in staples:
        n = 2 * staple.n_metals + 1
        inner = range(following, following + n)
        chains.append([staple.first, *inner, staple.last])
        following += n
    return chains


def _guess_arc(kernel: Atoms, staple: Staple) -> FloatArray:
    """A first guess: an arch over the two kernel atoms."""
    ends = kernel.positions[[staple.first, staple.last]] - staple.centre
    n = 2 * staple.n_metals + 1
    share = (np.arange(n) + 1)[:, None] / (n + 1)
    along = (1 - share) * ends[0] + share * ends[1]
    lengths = np.linalg.norm(along, axis=1, keepdims=True)
    height = np.linalg.norm(ends, axis=1).mean() + _ARCH_A
    return np.asarray(staple.centre + along / lengths * height)


def _settle_chains(
    symbols: Sequence[str], start: FloatArray, n_kernel: int, chains: list[list[int]]
) -> FloatArray:
    """Positions that fit all distances best, with the kernel where it was."""
    from scipy.optimize import minimize

    wanted, weight = _make_wanted_distances(symbols, chains)
    wanted[:n_kernel, :n_kernel] = 0.0
    apart = _APART * bond_lengths(symbols)

    def misfit(flat: FloatArray) -> tuple[float, FloatArray]:
        positions = np.vstack([start[:n_kernel], flat.reshape(-1, 3)])
        gaps = distances(positions)
        np.fill_diagonal(gaps, 1.0)
        off = np.where(weight > 0, gaps - wanted, np.minimum(gaps - apart, 0.0))
        strength = np.where(weight > 0, weight, _SOFT)
        np.fill_diagonal(strength, 0.0)
        pull = 2 * strength * off / gaps
        vectors = positions[:, None] - positions[None]
        slopes = (pull[..., None] * vectors).sum(axis=1)
        return float((strength * off**2).sum() / 2), slopes[n_kernel:].ravel()

    found = minimize(
        misfit, start[n_kernel:].ravel(), jac=True, method="L-BFGS-B", tol=1e-12
    )
    return np.vstack([start[:n_kernel], found.x.reshape(-1, 3)])


def _make_wanted_distances(
    symbols: Sequence[str], chains: list[list[int]]
) -> tuple[FloatArray, FloatArray]:
    """Distances of bonds and across angles, Å, and their weights; 0 for other pairs."""
    bonds = bond_lengths(symbols)
    wanted, weight = np.zeros_like(bonds), np.zeros_like(bonds)
    bridge = 2 * np.sin(np.radians(_BRIDGE_DEG) / 2)
    for chain in chains:
        for k, i in enumerate(chain[:-1]):
            j = chain[k + 1]
            wanted[i, j], weight[i, j] = bonds[i, j], 1.0
        # A chain begins with a metal atom: donors have odd places.
        for k, i in enumerate(chain[:-2]):
            j, middle = chain[k + 2], chain[k + 1]
            stretch = 2.0 if k % 2 else bridge
            length = (bonds[i, middle] + bonds[middle, j]) / 2
            wanted[i, j], weight[i, j] = stretch * length, _SOFT
    return wanted + wanted.T, weight + weight.T


def _place_ligand(ligand: Atoms, bridge: FloatArray, side: int) -> Atoms:
    """A ligand on a bridge metal, donor, metal; its rest on one side of their plane."""
    placed = ligand.copy()
    if len(ligand) > 1:
        to_metal = bridge[[0, 2]] - bridge[1]
        to_metal /= np.linalg.norm(to_metal, axis=1, keepdims=True)
        outward = -to_metal.sum(axis=0)
        half = np.linalg.norm(outward) / 2
        outward /= 2 * half
        across = np.cross(*to_metal)
        across /= np.linalg.norm(across)
        # The substituent makes the same angle with both bonds to metal.
        up = -np.cos(np.radians(_SUBSTITUENT_DEG)) / half
        direction = up * outward + side * np.sqrt(1 - up**2) * across
        placed.rotate(ligand.positions[1] - ligand.positions[0], direction)
    placed.positions += bridge[1]
    return placed
