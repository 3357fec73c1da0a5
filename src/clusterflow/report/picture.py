"""Small still pictures of structures: balls and sticks as plain SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from clusterflow.records import Structure

    Array = NDArray[np.float64]

_SIZE = 150.0
_MARGIN = 6.0
_MAX_SCALE = 26.0  # picture units per Å, so that a molecule is not drawn as a giant
BALL = 0.62  # drawn radius of an atom, of its covalent radius
BOND = 1.25  # atoms closer than this, times the sum of their radii, are joined
_TURN, _NOD = 0.30, 0.22  # rad: off the symmetry planes, so that fewer atoms hide


def draw_structure(structure: Structure, *, alt: str) -> str:
    """A structure as an ``<svg>`` element, nearer atoms on top, adsorbates upwards."""
    root = ElementTree.Element(
        "svg",
        {
            "class": "atoms",
            "role": "img",
            "aria-label": alt,
            "viewBox": f"0 0 {_SIZE:g} {_SIZE:g}",
        },
    )
    if structure.symbols:
        _draw(root, structure)
    return ElementTree.tostring(root, encoding="unicode")


def _draw(root: ElementTree.Element, structure: Structure) -> None:
    """Atoms from the far side to the near one, each bond before its nearer atom."""
    from ase.data import atomic_numbers, covalent_radii

    numbers = [atomic_numbers[symbol] for symbol in structure.symbols]
    radii = np.asarray(covalent_radii[numbers], dtype=float)
    view = view_of(structure)
    drawn, scale = _fit(view, radii * BALL)
    order = np.argsort(view[:, 2], kind="stable")
    distances = np.linalg.norm(view[:, None] - view[None], axis=-1)
    bonded = distances < BOND * (radii[:, None] + radii[None])
    for rank, near in enumerate(order):
        for far in order[:rank]:
            if bonded[near, far]:
                _bond(root, drawn[far], drawn[near])
        radius = float(radii[near]) * BALL * scale
        _ball(root, drawn[near], radius, _color(numbers[near]))


def element_styles(symbols: Iterable[str]) -> dict[str, dict[str, float | str]]:
    """Covalent radius in Å and colour of each element, by its symbol."""
    from ase.data import atomic_numbers, covalent_radii

    return {
        symbol: {
            "radius": float(covalent_radii[atomic_numbers[symbol]]),
            "color": _color(atomic_numbers[symbol]),
        }
        for symbol in sorted(symbols)
    }


def _color(number: int) -> str:
    """Jmol's colour of an element."""
    from ase.data.colors import jmol_colors

    return "#" + "".join(f"{round(255 * part):02x}" for part in jmol_colors[number])


def view_of(structure: Structure) -> Array:
    """Positions as the reader sees them, Å: x right, y up, z towards the eye.

    Shape (n_atoms, 3), about their mean.
    """
    positions = np.array(structure.positions, dtype=float)
    if not len(positions):
        return positions.reshape(0, 3)
    positions -= positions.mean(axis=0)
    flat, middle, _ = np.linalg.eigh(positions.T @ positions)[1].T
    adsorbed = np.array([role == "adsorbate" for role in structure.roles])
    if adsorbed.any() and not adsorbed.all():
        up = positions[adsorbed].mean(axis=0) - positions[~adsorbed].mean(axis=0)
        up /= max(float(np.linalg.norm(up)), 1e-9)
    else:
        up = _oriented(middle)
    # The thinnest direction that is square to `up` becomes the depth.
    depths = [axis - (axis @ up) * up for axis in (flat, middle)]
    depth = _oriented(depths[0] if np.linalg.norm(depths[0]) > 0.1 else depths[1])
    frame = np.array([np.cross(up, depth), up, depth])
    return np.asarray(positions @ frame.T @ _turned())


def _oriented(vector: Array) -> Array:
    """The unit vector whose largest component is positive: a sign that stays."""
    largest = vector[int(np.argmax(np.abs(vector).round(6)))]
    return np.asarray(np.sign(largest) * vector / np.linalg.norm(vector))


def _turned() -> Array:
    """A rotation about the vertical, then about the horizontal."""
    c, s = np.cos(_TURN), np.sin(_TURN)
    about_y = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    c, s = np.cos(_NOD), np.sin(_NOD)
    about_x = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    return np.asarray(about_y @ about_x)


def _fit(view: Array, radii: Array) -> tuple[Array, float]:
    """Picture coordinates of each atom, and picture units per Å."""
    low = (view[:, :2] - radii[:, None]).min(axis=0)
    high = (view[:, :2] + radii[:, None]).max(axis=0)
    scale = min((_SIZE - 2 * _MARGIN) / float((high - low).max()), _MAX_SCALE)
    centred = (view[:, :2] - (low + high) / 2) * scale
    return np.asarray(centred * [1, -1] + _SIZE / 2), scale


def _bond(root: ElementTree.Element, start: Array, end: Array) -> None:
    """A stick with a dark rim."""
    ends = {
        name: f"{value:.1f}"
        for name, value in zip(("x1", "y1", "x2", "y2"), (*start, *end), strict=True)
    }
    for kind in ("rim", "stick"):
        ElementTree.SubElement(root, "line", {**ends, "class": kind})


def _ball(root: ElementTree.Element, centre: Array, radius: float, color: str) -> None:
    """A ball with a highlight."""
    x, y = centre
    place = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{radius:.1f}"}
    ElementTree.SubElement(root, "circle", {**place, "fill": color, "class": "ball"})
    shine = {
        "cx": f"{x - 0.3 * radius:.1f}",
        "cy": f"{y - 0.3 * radius:.1f}",
        "r": f"{0.32 * radius:.1f}",
    }
    ElementTree.SubElement(root, "circle", {**shine, "class": "shine"})
