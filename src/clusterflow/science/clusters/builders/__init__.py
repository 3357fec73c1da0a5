"""Starting geometries of clusters, by rule."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from clusterflow.errors import LibraryError, choose
from clusterflow.science.clusters.builders import (
    binary,
    bridged,
    metal,
    protected,
    random_compact,
    support,
)
from clusterflow.science.geometry.bonds import clashes, distance_ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ase import Atoms

# No two atoms of a built cluster are closer, in sums of covalent radii.
_CLOSEST = 0.7

# By the names that structures give them. A builder's arguments are the `parameters`
# of the YAML; it raises ValueError for values it cannot use.
BUILDERS: dict[str, Callable[..., Atoms]] = {
    "anneal": random_compact.random_compact,
    "bipyramid": metal.bipyramid,
    "bridged_octahedron": bridged.bridged_octahedron,
    "cage": binary.cage,
    "capped_tetrahedron": metal.capped_tetrahedron,
    "centred_cube": metal.centred_cube,
    "core_at_cage": binary.core_at_cage,
    "cuboctahedron": metal.cuboctahedron,
    "decahedron": metal.decahedron,
    "dodecahedron": metal.dodecahedron,
    "fcc111": support.fcc111,
    "icosahedron": metal.icosahedron,
    "icosahedron_with_triangles": protected.icosahedron_with_triangles,
    "mx2": support.mx2,
    "octahedron": metal.octahedron,
    "rhombus": metal.rhombus,
    "ring": binary.ring,
    "rows": metal.rows,
    "stacked_rings": binary.stacked_rings,
    "stapled_biicosahedron": protected.stapled_biicosahedron,
    "stapled_icosahedron": protected.stapled_icosahedron,
    "tetrahedron": metal.tetrahedron,
    "wulff": metal.wulff,
    "wurtzite": binary.wurtzite,
    "zincblende_tetrahedron": binary.zincblende_tetrahedron,
    "zr6_node": support.zr6_node,
}


def build(name: str, parameters: Mapping[str, Any], who: str) -> Atoms:
    """The geometry a builder makes of its parameters.

    Raises
    ------
    LibraryError
        If the builder is unknown, the parameters are not its own, or it makes nothing
        of them.
    """
    try:
        builder = choose(BUILDERS, name, "builder")
    except LibraryError as error:
        raise LibraryError(f"{who}: {error}") from None
    signature = inspect.signature(builder)
    try:
        signature.bind(**parameters)
    except TypeError as error:
        takes = ", ".join(signature.parameters)
        raise LibraryError(
            f"{who}: builder {name!r}: {error}; it takes {takes}"
        ) from None
    bond_a = parameters.get("bond_a")
    if isinstance(bond_a, int | float) and bond_a <= 0:
        raise LibraryError(
            f"{who}: builder {name!r}: bond_a {bond_a:g}: must be above 0"
        )
    try:
        atoms = builder(**parameters)
    except KeyError as error:
        raise LibraryError(
            f"{who}: builder {name!r} refused: {error} is unknown"
        ) from None
    except (ValueError, TypeError) as error:
        raise LibraryError(f"{who}: builder {name!r} refused: {error}") from None
    except (ArithmeticError, IndexError):  # what they say is of no use to a person
        raise LibraryError(
            f"{who}: builder {name!r} can make nothing of {parameters}"
        ) from None
    if not len(atoms):
        raise LibraryError(f"{who}: builder {name!r} made no atoms of {parameters}")
    _refuse_crowded(atoms, name, who)
    return atoms


def _refuse_crowded(atoms: Atoms, name: str, who: str) -> None:
    symbols = atoms.get_chemical_symbols()
    close = clashes(symbols, atoms.positions, _CLOSEST)
    if close:
        i, j = close[0]
        ratio = distance_ratios(symbols, atoms.positions)[i, j]
        raise LibraryError(
            f"{who}: builder {name!r} puts atoms {i} ({symbols[i]}) and {j} "
            f"({symbols[j]}) {ratio:.2f} sums of covalent radii apart, less "
            f"than {_CLOSEST:g}; choose other parameters"
        )
