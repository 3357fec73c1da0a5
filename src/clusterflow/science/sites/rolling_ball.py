"""Where a ball that rolls over a cluster can rest: on one, two, three or four atoms.

The ball must be able to come in straight along its outward direction without touching
another atom. This needs no surface normal and no periodic cell, so it works for planar,
hollow and non-convex clusters alike, and ligands cast shadows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.geometry.symmetry import own_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scipy.sparse import csr_array

    from clusterflow.science.geometry.bonds import FloatArray

# Directions on the sphere and around a bond; the spacing (about 6° and 2.5°) is finer
# than any opening a ball of 1 Å can enter between two atoms.
_N_SPHERE = 1200
_N_CIRCLE = 144
# Smaller openings (0.2 sr, or 5° around a bond) are slits that the lattice cannot
# resolve: they would come and go with the orientation of the cluster.
_FEWEST_ON_SPHERE = 18
_FEWEST_ON_CIRCLE = 3
# A ball that rests on some atoms may overlap others by this much, Å: rounding, and the
# thermal breathing of nearly equal distances.
_OVERLAP_A = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BallRest:
    """A place where the ball rests: on which atoms, and in which direction.

    position, centre : Å, shape (3,); the middle of the atoms, and of the ball.
    normal : shape (3,), the direction in which the ball leaves.
    solid_angle_sr : of the directions, seen from `position`, along which the ball can
        come straight in until it touches the atoms. On several atoms only those less
        than 90° off the normal count.
    """

    atoms: tuple[int, ...]
    position: FloatArray
    centre: FloatArray
    normal: FloatArray
    solid_angle_sr: float


@dataclass(frozen=True, kw_only=True)
class RollingBall:
    """The ball: how close its centre may come to each atom.

    positions : Å, shape (n_atoms, 3)
    reach_a : Å, shape (n_atoms,); radius of the atom and of the ball.
    """

    positions: FloatArray
    reach_a: FloatArray

    @cached_property
    def _axes(self) -> FloatArray:
        """The cluster's own axes, shape (3, 3): directions turn with it."""
        return own_axes(self.positions)

    @cached_property
    def _sphere(self) -> FloatArray:
        return _spread_directions() @ self._axes

    def rests_on(self, atoms: tuple[int, ...]) -> Iterator[BallRest]:
        """The ways to rest on one to four atoms, four in ring order."""
        rests = (
            self._rest_on_one,
            self._rest_on_two,
            self._rest_on_three,
            self._rest_on_four,
        )
        yield from rests[len(atoms) - 1](atoms)

    def _is_free(
        self,
        foot: FloatArray,
        directions: FloatArray,
        heights: FloatArray,
        resting_on: Sequence[int],
    ) -> np.ndarray:
        """Whether the ball comes in to `heights` above `foot` without a touch.

        Without the way in, pockets inside a cluster would count as its surface.
        """
        others = np.ones(len(self.reach_a), dtype=bool)
        others[list(resting_on)] = False
        offsets = self.positions[others] - foot
        along = directions @ offsets.T
        nearest = np.maximum(along, heights[:, None])
        gaps = (offsets**2).sum(axis=1) + nearest * (nearest - 2 * along)
        limits = np.maximum(self.reach_a[others] - _OVERLAP_A, 0.0) ** 2
        return np.asarray((gaps > limits).all(axis=1))

    def _is_open(
        self, foot: FloatArray, directions: FloatArray, atoms: Sequence[int]
    ) -> np.ndarray:
        """Whether the ball comes straight towards `foot` until it touches the atoms."""
        offsets = self.positions[list(atoms)] - foot
        along = directions @ offsets.T
        room = along**2 - (offsets**2).sum(axis=1) + self.reach_a[list(atoms)] ** 2
        heights = np.where(room >= 0, along + np.sqrt(room.clip(min=0)), -np.inf)
        touching = heights.max(axis=1)
        found = np.isfinite(touching)
        found[found] = self._is_free(foot, directions[found], touching[found], atoms)
        return np.asarray(found)

    def _make_rest(
        self, atoms: tuple[int, ...], centre: FloatArray, normal: FloatArray
    ) -> BallRest:
        """A rest on several atoms, with its opening."""
        middle = self.positions[list(atoms)].mean(axis=0)
        half = self._sphere[self._sphere @ normal > 0]
        n_open = int(self._is_open(middle, half, atoms).sum())
        return BallRest(
            atoms=atoms,
            position=middle,
            centre=centre,
            normal=normal,
            solid_angle_sr=4 * np.pi * n_open / _N_SPHERE,
        )

    def _rest_on_one(self, atoms: tuple[int, ...]) -> Iterator[BallRest]:
        centre = self.positions[atoms[0]]
        reach = float(self.reach_a[atoms[0]])
        heights = np.full(_N_SPHERE, reach)
        open_ = self._is_free(centre, self._sphere, heights, atoms)
        for patch in _find_patches(open_, _find_sphere_neighbours()):
            if len(patch) < _FEWEST_ON_SPHERE:
                continue
            normal = _average_direction(self._sphere[patch])
            # A patch around a ligand is a ring, and the ligand is in its middle.
            if not self._comes_in(centre, normal, reach, atoms):
                normal = _find_widest_direction(
                    self._sphere[patch], self._sphere[~open_]
                )
            yield BallRest(
                atoms=atoms,
                position=centre,
                centre=centre + reach * normal,
                normal=normal,
                solid_angle_sr=4 * np.pi * len(patch) / _N_SPHERE,
            )

    def _rest_on_two(self, atoms: tuple[int, ...]) -> Iterator[BallRest]:
        start, end = self.positions[list(atoms)]
        reach = self.reach_a[list(atoms)]
        length = float(np.linalg.norm(end - start))
        axis = (end - start) / length
        along = (length**2 + reach[0] ** 2 - reach[1] ** 2) / (2 * length)
        square = reach[0] ** 2 - along**2
        if square <= 0:
            return
        directions = _spread_around_axis(axis, self._axes)
        foot, height = start + along * axis, float(np.sqrt(square))
        open_ = self._is_free(foot, directions, np.full(_N_CIRCLE, height), atoms)
        for patch in _find_patches(open_, _find_circle_neighbours()):
            if len(patch) >= _FEWEST_ON_CIRCLE:
                normal = _average_direction(directions[patch])
                yield self._make_rest(atoms, foot + height * normal, normal)

    def _rest_on_three(self, atoms: tuple[int, ...]) -> Iterator[BallRest]:
        corners = self.positions[list(atoms)]
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        normal = normal / np.linalg.norm(normal)
        for side in (normal, -normal):
            foot, square = _find_foot(corners, self.reach_a[list(atoms)], side)
            if square >= 0 and self._comes_in(foot, side, np.sqrt(square), atoms):
                yield self._make_rest(atoms, foot + np.sqrt(square) * side, side)

    def _rest_on_four(self, atoms: tuple[int, ...]) -> Iterator[BallRest]:
        corners = self.positions[list(atoms)]
        middle = corners.mean(axis=0)
        _, spread, axes = np.linalg.svd(corners - middle)
        span = np.linalg.norm(corners - middle, axis=1).mean()
        square = self.reach_a[list(atoms)].mean() ** 2 - span**2
        if spread[2] > span / 2 or square <= 0:
            return
        for side in (axes[2], -axes[2]):
            if self._comes_in(middle, side, np.sqrt(square), atoms):
                yield self._make_rest(atoms, middle + np.sqrt(square) * side, side)

    def _comes_in(
        self, foot: FloatArray, side: FloatArray, height: float, atoms: Sequence[int]
    ) -> bool:
        return bool(self._is_free(foot, side[None], np.array([height]), atoms)[0])


def _find_foot(
    corners: FloatArray, reach_a: FloatArray, side: FloatArray
) -> tuple[FloatArray, float]:
    """Below a ball that touches three atoms, in their plane; and its height squared."""
    edges = 2 * (corners[1:] - corners[0])
    squares = (corners**2).sum(axis=1) - reach_a**2
    rows = np.vstack([edges, side])
    right = np.append(squares[1:] - squares[0], side @ corners[0])
    foot = np.linalg.solve(rows, right)
    return foot, float(reach_a[0] ** 2 - ((foot - corners[0]) ** 2).sum())


@cache
def _spread_directions() -> FloatArray:
    """Nearly even directions (Fibonacci lattice), shape (n, 3)."""
    k = np.arange(_N_SPHERE) + 0.5
    polar = np.arccos(1 - 2 * k / _N_SPHERE)
    azimuth = np.pi * (1 + 5**0.5) * k
    around = [np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar)]
    return np.stack([*around, np.cos(polar)], axis=1)


def _spread_around_axis(axis: FloatArray, axes: FloatArray) -> FloatArray:
    """Even directions square to an axis, shape (n, 3), the first by one of `axes`."""
    helper = axes[np.abs(axes @ axis).argmin()]
    across = np.cross(axis, helper)
    across /= np.linalg.norm(across)
    angles = 2 * np.pi * np.arange(_N_CIRCLE)[:, None] / _N_CIRCLE
    return np.asarray(np.cos(angles) * across + np.sin(angles) * np.cross(axis, across))


@cache
def _find_sphere_neighbours() -> csr_array:
    """Which directions are next to each other: about √(4π/n) apart."""
    from scipy.sparse import csr_array

    spacing = 1.7 * np.sqrt(4 * np.pi / _N_SPHERE)
    return csr_array(_spread_directions() @ _spread_directions().T > np.cos(spacing))


@cache
def _find_circle_neighbours() -> csr_array:
    from scipy.sparse import csr_array

    k = np.arange(_N_CIRCLE)
    steps = np.abs(k[:, None] - k[None, :])
    return csr_array(np.minimum(steps, _N_CIRCLE - steps) <= 2)


def _find_patches(open_: np.ndarray, neighbours: csr_array) -> list[np.ndarray]:
    """Connected groups of open directions, as indices."""
    from scipy.sparse.csgraph import connected_components

    found = np.flatnonzero(open_)
    if not len(found):
        return []
    n, labels = connected_components(neighbours[found][:, found], directed=False)
    return [found[labels == k] for k in range(n)]


def _find_widest_direction(directions: FloatArray, blocked: FloatArray) -> FloatArray:
    """The direction with the most room to all sides."""
    return np.asarray(directions[(directions @ blocked.T).max(axis=1).argmin()])


def _average_direction(directions: FloatArray) -> FloatArray:
    mean = directions.mean(axis=0)
    if np.linalg.norm(mean) < 0.05:  # open on all sides: any direction will do
        mean = directions[0]
    return np.asarray(mean / np.linalg.norm(mean))
