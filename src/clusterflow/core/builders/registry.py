"""Builders by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from clusterflow.core.topology import clashes, distance_ratios
from clusterflow.errors import LibraryError
from clusterflow.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ase import Atoms

# No two atoms of a built cluster are closer, in sums of covalent radii.
_CLOSEST = 0.7

BUILDERS: Registry[Callable[..., Atoms]] = Registry("builder")


def build(name: str, parameters: Mapping[str, Any], who: str) -> Atoms:
    """The geometry a builder makes of its parameters.

    Raises
    ------
    LibraryError
        If the builder is unknown, the parameters are not its own, or it makes nothing
        of them.
    """
    try:
        builder = BUILDERS.get(name)
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
