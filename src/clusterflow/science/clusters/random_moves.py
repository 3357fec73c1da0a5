"""Random clusters, and the moves by which a search leaves a minimum.

All lengths are in units of bond lengths, so that any elements can be mixed. What is
random comes from the generator that is handed in: the same seed, the same geometry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.geometry.bonds import (
    bond_lengths,
    count_pieces,
    distance_ratios,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clusterflow.science.geometry.bonds import FloatArray

    PairPotential = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

# Pairs closer than this, in bond lengths, are pushed apart before they are relaxed.
CLOSEST = 0.8
# Largest displacement of an atom along each axis in a shake, in mean bond lengths; the
# usual third to half (D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997),
# doi:10.1021/jp970984n).
_SHAKE = 0.4
# Random points fill a ball in which each atom has this share of a cubed bond length:
# about twice that of a close-packed crystal, 1/√2.
_ROOM = 1.4
_FLAT_ROOM = 1.7  # likewise in a disc, √3/2 in the triangular lattice
_MAX_TRIES = 20


def random_cluster(
    symbols: Sequence[str], rng: np.random.Generator, *, planar: bool = False
) -> FloatArray:
    """A compact random geometry: random points, drawn together by pair forces.

    It is a minimum of Σ r⁻¹² − 2 r⁻⁶ over all pairs, r in bond lengths.

    Parameters
    ----------
    symbols
        Element of each atom.
    rng
        What is random comes from here.
    planar
        Whether all atoms lie in the plane z = 0.

    Returns
    -------
    positions : Å, shape (n_atoms, 3), about their centre

    Raises
    ------
    ValueError
        If no try gives one piece without clashes.

    Examples
    --------
    >>> made = random_cluster(["Cu"] * 4, np.random.default_rng(0))
    >>> gaps = np.linalg.norm(made[:, None] - made[None], axis=-1)
    >>> bool(np.ptp(gaps[gaps > 0]) < 1e-3)  # only the tetrahedron has equal edges
    True
    """
    for _ in range(_MAX_TRIES):
        points = _make_random_points(symbols, rng, planar)
        points = _minimise_pairs(
            symbols, remove_clashes(symbols, points), _attract_pairs
        )
        if is_sane(symbols, points):
            return np.asarray(points - points.mean(axis=0))
    raise ValueError(
        f"no compact geometry of {len(symbols)} atoms in {_MAX_TRIES} tries"
    )


def is_sane(symbols: Sequence[str], positions: FloatArray) -> bool:
    """Whether a geometry is one piece without clashes.

    Examples
    --------
    >>> is_sane(["Cu", "Cu"], np.array([[0, 0, 0], [0, 0, 6.0]]))
    False
    """
    ratios = distance_ratios(symbols, positions)
    return bool(ratios.min() > CLOSEST) and count_pieces(symbols, positions) == 1


def random_move(
    symbols: Sequence[str], positions: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """A geometry outside the basin of this one, without clashes.

    One of three moves, with equal chances: all atoms are shaken, the most weakly bound
    atom is put elsewhere on the surface, or two atoms of unlike elements change places
    (in a cluster of one element: shaken again).

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    rng
        What is random comes from here.
    """
    moves = [
        _shake_atoms,
        _relocate_atom,
        _swap_atoms if len(set(symbols)) > 1 else _shake_atoms,
    ]
    for _ in range(_MAX_TRIES):
        new = moves[rng.integers(len(moves))](symbols, positions, rng)
        new = remove_clashes(symbols, new)
        if is_sane(symbols, new):
            return new
    return remove_clashes(symbols, _shake_atoms(symbols, positions, rng))


def is_accepted(rise_ev: float, hop_ev: float, rng: np.random.Generator) -> bool:
    """Metropolis' rule: downhill always, uphill with chance exp(−rise / hop).

    Parameters
    ----------
    rise_ev
        Energy of the new minimum less that of the old one, eV.
    hop_ev
        The thermal energy of the walk, eV.
    rng
        What is random comes from here.

    References
    ----------
    N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953), doi:10.1063/1.1699114.
    """
    # The number is drawn in any case, so that a walk depends on energies alone.
    return bool(rng.random() < np.exp(-max(rise_ev, 0.0) / hop_ev))


def _make_random_points(
    symbols: Sequence[str], rng: np.random.Generator, planar: bool
) -> FloatArray:
    n = len(symbols)
    directions = rng.normal(size=(n, 3))
    if planar:
        directions[:, 2] = 0.0
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    room = n * (_FLAT_ROOM / np.pi if planar else _ROOM * 3 / (4 * np.pi))
    power = 1 / 2 if planar else 1 / 3
    radius = _average_bond_length(symbols) * room**power
    return np.asarray(directions * radius * rng.random((n, 1)) ** power)


def _shake_atoms(
    symbols: Sequence[str], positions: FloatArray, rng: np.random.Generator
) -> FloatArray:
    reach = _SHAKE * _average_bond_length(symbols)
    return positions + rng.uniform(-reach, reach, positions.shape)


def _relocate_atom(
    symbols: Sequence[str], positions: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """The atom with the least pair energy, anywhere on the sphere around the rest."""
    if len(symbols) < 3:
        return _shake_atoms(symbols, positions, rng)
    ratios = distance_ratios(symbols, positions)
    weakest = int((ratios**-6.0).sum(axis=1).argmin())
    rest = np.delete(positions, weakest, axis=0)
    centre = rest.mean(axis=0)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    along = (rest - centre) @ direction
    new = positions.copy()
    new[weakest] = centre + (along.max() + _average_bond_length(symbols)) * direction
    # From outside it falls onto what it meets first.
    return _drop_atom(symbols, new, weakest, -direction)


def _drop_atom(
    symbols: Sequence[str], positions: FloatArray, atom: int, direction: FloatArray
) -> FloatArray:
    """One atom moved along a direction until it is within a bond of another."""
    bonds = bond_lengths(symbols)[atom]
    others = np.arange(len(symbols)) != atom
    step = 0.05 * _average_bond_length(symbols)
    new = positions.copy()
    for _ in range(40 * len(symbols)):
        gaps = np.linalg.norm(positions - new[atom], axis=1)
        if (gaps[others] < bonds[others]).any():
            break
        new[atom] = new[atom] + step * direction
    return new


def _swap_atoms(
    symbols: Sequence[str], positions: FloatArray, rng: np.random.Generator
) -> FloatArray:
    first = int(rng.integers(len(symbols)))
    unlike = [i for i, s in enumerate(symbols) if s != symbols[first]]
    second = int(rng.choice(unlike))
    new = positions.copy()
    new[[first, second]] = positions[[second, first]]
    return new


def remove_clashes(symbols: Sequence[str], positions: FloatArray) -> FloatArray:
    """Positions moved apart where atoms are nearer than `CLOSEST`."""
    return _minimise_pairs(symbols, positions, _repel_pairs)


def _attract_pairs(ratios: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Energy and its slope of each pair: r⁻¹² − 2 r⁻⁶."""
    sixth = ratios**-6.0
    return sixth**2 - 2 * sixth, -12 * (sixth**2 - sixth) / ratios


def _repel_pairs(ratios: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A spring between pairs closer than 1.1 `CLOSEST`; nothing between others."""
    short = (1.1 * CLOSEST - ratios).clip(min=0.0)
    return short**2, -2 * short


def _minimise_pairs(
    symbols: Sequence[str], positions: FloatArray, pair: PairPotential
) -> FloatArray:
    """The geometry of least Σ pair(r) below this one, r in bond lengths."""
    from scipy.optimize import minimize  # slow to import, and few jobs need it

    first, second = np.triu_indices(len(symbols), k=1)
    bonds = bond_lengths(symbols)[first, second]

    def energy_and_gradient(flat: FloatArray) -> tuple[float, FloatArray]:
        points = flat.reshape(-1, 3)
        arrows = points[first] - points[second]
        gaps = np.linalg.norm(arrows, axis=1).clip(min=1e-3)
        energies, slopes = pair(gaps / bonds)
        along = (slopes / bonds / gaps)[:, None] * arrows
        gradient = np.zeros_like(points)
        np.add.at(gradient, first, along)
        np.subtract.at(gradient, second, along)
        return float(energies.sum()), gradient.ravel()

    if not len(first):
        return positions
    found = minimize(
        energy_and_gradient, positions.ravel(), jac=True, method="L-BFGS-B"
    )
    return np.asarray(found.x.reshape(-1, 3))


def _average_bond_length(symbols: Sequence[str]) -> float:
    return float(np.diag(bond_lengths(symbols)).mean())
