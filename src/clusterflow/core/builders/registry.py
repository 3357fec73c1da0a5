"""Builders by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from clusterflow.errors import LibraryError
from clusterflow.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ase import Atoms

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
    try:
        atoms = builder(**parameters)
    except KeyError as error:
        raise LibraryError(
            f"{who}: builder {name!r} refused: {error} is unknown"
        ) from None
    except (ValueError, TypeError) as error:
        raise LibraryError(f"{who}: builder {name!r} refused: {error}") from None
    if not len(atoms):
        raise LibraryError(f"{who}: builder {name!r} made no atoms of {parameters}")
    return atoms
