"""Small still pictures of structures: balls and sticks as plain SVG.

Pictures of one page share their balls, which `ball_definitions` gives once, and are
drawn in units of 0.01 Å, so that their coordinates are short whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from clusterflow.figures import style_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from clusterflow.records.structure import Structure

    Array = NDArray[np.float64]

_UNITS = 100  # picture units per Å
_MARGIN_A = 0.3
_LEAST_A = 5.8  # side of the smallest picture, so that a molecule is not a giant
BALL = 0.62  # drawn radius of an atom, of its covalent radius
BOND = 1.25  # atoms closer than this, times the sum of their radii, are joined
_PANEL, _LINE = 240, 32  # px: a picture in a file of its own, and the name below it
_RULES = ("svg.atoms path", ".ball", ".shine")  # of the pages' style sheet
_TURN, _NOD = 0.30, 0.22  # rad: off the symmetry planes, so that fewer atoms hide


def ball_definitions(symbols: Iterable[str]) -> str:
    """An ``<svg>`` without a size that holds the ball of each element."""
    root = ElementTree.Element("svg", {"class": "balls", "aria-hidden": "true"})
    _define_balls(root, symbols)
    return ElementTree.tostring(root, encoding="unicode")


def _define_balls(root: ElementTree.Element, symbols: Iterable[str]) -> None:
    for symbol, style in element_styles(symbols).items():
        radius = style.radius_a * BALL * _UNITS
        ball = ElementTree.SubElement(root, "g", {"id": f"ball-{symbol}"})
        outline = {"r": f"{radius:.0f}", "fill": style.color, "class": "ball"}
        ElementTree.SubElement(ball, "circle", outline)
        lit = dict.fromkeys(("cx", "cy"), f"{-0.3 * radius:.0f}")
        shine = {**lit, "r": f"{0.32 * radius:.0f}", "class": "shine"}
        ElementTree.SubElement(ball, "circle", shine)


def picture_file(structures: Mapping[str, Structure], *, alt: str) -> str:
    """An SVG file of structures side by side, each with its name below."""
    width = _PANEL * len(structures)
    size = {"width": str(width), "height": str(_PANEL + _LINE)}
    root = ElementTree.Element(
        "svg",
        {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-label": alt}
        | size,
    )
    rules = style_sheet().splitlines()
    style = ElementTree.SubElement(root, "style")
    style.text = "\n".join(rule for rule in rules if rule.startswith(_RULES))
    ElementTree.SubElement(root, "rect", {**size, "fill": "#fff"})
    symbols = {symbol for one in structures.values() for symbol in one.symbols}
    _define_balls(ElementTree.SubElement(root, "defs"), symbols)
    for column, (name, structure) in enumerate(structures.items()):
        left = column * _PANEL
        place = {"x": str(left), "width": str(_PANEL), "height": str(_PANEL)}
        panel = ElementTree.SubElement(root, "svg", {"class": "atoms", **place})
        _draw_atoms(panel, structure)
        middle = {"x": str(left + _PANEL // 2), "y": str(_PANEL + _LINE // 2)}
        font = {"text-anchor": "middle", "font-family": "sans-serif", "font-size": "14"}
        ElementTree.SubElement(root, "text", middle | font).text = name
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def draw_structure(structure: Structure, *, alt: str) -> str:
    """A structure as an ``<svg>`` element, nearer atoms on top, adsorbates upwards."""
    root = ElementTree.Element(
        "svg", {"class": "atoms", "role": "img", "aria-label": alt}
    )
    if structure.symbols:
        _draw_atoms(root, structure)
    return ElementTree.tostring(root, encoding="unicode")


def _draw_atoms(root: ElementTree.Element, structure: Structure) -> None:
    """Atoms from the far side to the near one, each bond before its nearer atom."""
    styles = element_styles(set(structure.symbols))
    radii = np.array([styles[symbol].radius_a for symbol in structure.symbols])
    view = view_of(structure)
    root.set("viewBox", _fit_view_box(view[:, :2] * [1, -1], radii * BALL))
    order = np.argsort(view[:, 2], kind="stable")
    distances = np.linalg.norm(view[:, None] - view[None], axis=-1)
    bonded = distances < BOND * (radii[:, None] + radii[None])
    for rank, near in enumerate(order):
        lines = []
        for far in order[:rank]:
            if bonded[near, far]:
                # From the rim of the farther ball, so that no stick lies on it.
                rim = 0.9 * BALL * radii[far] / distances[near, far]
                start = view[far] + rim * (view[near] - view[far])
                lines.append(f"M{_format_point(start)}L{_format_point(view[near])}")
        if lines:
            ElementTree.SubElement(root, "path", {"d": "".join(lines)})
        x, y = _format_point(view[near]).split()
        ball = {"href": f"#ball-{structure.symbols[near]}", "x": x, "y": y}
        ElementTree.SubElement(root, "use", ball)


def _format_point(point: Array) -> str:
    """Where a point is in the picture."""
    x, y, _ = (point * _UNITS).tolist()
    return f"{x:.0f} {-y:.0f}"


def _fit_view_box(places: Array, radii: Array) -> str:
    """A square around all balls, Å, as a ``viewBox``."""
    low = (places - radii[:, None]).min(axis=0) - _MARGIN_A
    high = (places + radii[:, None]).max(axis=0) + _MARGIN_A
    side = max(float((high - low).max()), _LEAST_A)
    left, top = ((low + high - side) / 2 * _UNITS).tolist()
    return f"{left:.0f} {top:.0f} {side * _UNITS:.0f} {side * _UNITS:.0f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementStyle:
    """How an element is drawn: its covalent radius and its colour."""

    radius_a: float
    color: str


def element_styles(symbols: Iterable[str]) -> dict[str, ElementStyle]:
    """Radius and Jmol's colour of each element, by its symbol."""
    from ase.data import atomic_numbers, covalent_radii
    from ase.data.colors import jmol_colors

    return {
        symbol: ElementStyle(
            radius_a=float(covalent_radii[atomic_numbers[symbol]]),
            color="#"
            + "".join(
                f"{round(255 * c):02x}" for c in jmol_colors[atomic_numbers[symbol]]
            ),
        )
        for symbol in sorted(symbols)
    }


def view_of(structure: Structure) -> Array:
    """Positions as the reader sees them, Å: x right, y up, z towards the eye.

    Shape (n_atoms, 3), about their mean.
    """
    positions = structure.xyz
    if not len(positions):
        return positions
    return np.asarray((positions - positions.mean(axis=0)) @ view_rotation(structure).T)


def view_rotation(structure: Structure) -> Array:
    """The rotation from the record's axes to those of the reader, shape (3, 3)."""
    positions = structure.xyz
    if not len(positions):
        return np.eye(3)
    positions -= positions.mean(axis=0)
    flat, middle, _ = np.linalg.eigh(positions.T @ positions)[1].T
    adsorbed = np.array([role == "adsorbate" for role in structure.roles])
    if adsorbed.any() and not adsorbed.all():
        up = positions[adsorbed].mean(axis=0) - positions[~adsorbed].mean(axis=0)
        up /= max(float(np.linalg.norm(up)), 1e-9)
    else:
        up = _orient_vector(middle)
    # The thinnest direction that is square to `up` becomes the depth.
    depths = [axis - (axis @ up) * up for axis in (flat, middle)]
    depth = _orient_vector(depths[0] if np.linalg.norm(depths[0]) > 0.1 else depths[1])
    frame = np.array([np.cross(up, depth), up, depth])
    return np.asarray(_make_view_rotation().T @ frame)


def _orient_vector(vector: Array) -> Array:
    """The unit vector whose largest component is positive: a sign that stays."""
    largest = vector[int(np.argmax(np.abs(vector).round(6)))]
    return np.asarray(np.sign(largest) * vector / np.linalg.norm(vector))


def _make_view_rotation() -> Array:
    """A rotation about the vertical, then about the horizontal."""
    c, s = np.cos(_TURN), np.sin(_TURN)
    about_y = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    c, s = np.cos(_NOD), np.sin(_NOD)
    about_x = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    return np.asarray(about_y @ about_x)
