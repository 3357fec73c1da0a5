"""Structures to and from ASE, and out of files that ASE reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import StructureError
from clusterflow.records.structure import Structure

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from clusterflow.library.gases import GasSpec
    from clusterflow.records.structure import Vector


def to_atoms(structure: Structure) -> Atoms:
    """ASE atoms; roles ride along as the array ``roles``."""
    import numpy as np
    from ase import Atoms

    atoms = Atoms(
        list(structure.symbols),
        positions=structure.xyz,
        cell=structure.cell,
        pbc=structure.cell is not None,
    )
    atoms.set_array("roles", np.array(structure.roles, dtype="U10"))
    atoms.info.update(
        name=structure.name,
        charge=structure.charge,
        multiplicity=structure.multiplicity,
    )
    return atoms


def as_drawn(spec: GasSpec) -> Atoms:
    """A molecule as the library draws it, positions in Å."""
    from ase import Atoms

    return Atoms(
        [line[0] for line in spec.atoms], positions=[line[1:] for line in spec.atoms]
    )


def from_atoms(
    atoms: Atoms,
    *,
    charge: int,
    multiplicity: int,
    name: str = "main",
    default_role: str = "core",
) -> Structure:
    """A structure from ASE atoms; atoms without a role get `default_role`."""
    roles = atoms.arrays.get("roles", [default_role] * len(atoms))
    return Structure(
        name=name,
        symbols=tuple(atoms.get_chemical_symbols()),
        positions=tuple(
            (round(float(x), 8), round(float(y), 8), round(float(z), 8))
            for x, y, z in atoms.positions
        ),
        roles=tuple(str(role) for role in roles),
        charge=charge,
        multiplicity=multiplicity,
        cell=_get_cell_vectors(atoms) if atoms.pbc.any() else None,
    )


def _get_cell_vectors(atoms: Atoms) -> tuple[Vector, Vector, Vector]:
    """The three vectors of a cell, Å."""
    a, b, c = (
        (round(float(x), 8), round(float(y), 8), round(float(z), 8))
        for x, y, z in atoms.cell.tolist()
    )
    return a, b, c


# What ASE's many readers raise for a file that is not what its name says.
_UNREADABLE = (
    *(ValueError, KeyError, IndexError, OSError),
    *(AssertionError, RuntimeError, StopIteration),
)


def read_atoms(path: Path) -> Atoms:
    """The one structure in a file that ASE or pymatgen can read.

    Raises
    ------
    StructureError
        If it cannot be read or holds no atoms, or more than one structure.
    """
    import ase.io
    from ase.io.formats import UnknownFileTypeError

    if not path.is_file():
        raise StructureError(f"{path}: no such file")
    try:
        images = ase.io.read(path, index=":")
    except (*_UNREADABLE, UnknownFileTypeError) as error:
        raise StructureError(
            f"{path}: not a structure ASE can read ({error}); "
            "use XYZ, extxyz, CIF or POSCAR"
        ) from None
    if len(images) != 1 or len(images[0]) == 0:
        raise StructureError(
            f"{path}: holds {len(images)} structures; give a file with exactly one"
        )
    refuse_nowhere(images[0], path)
    return images[0]


def refuse_nowhere(atoms: Atoms, path: Path) -> None:
    """Refuse coordinates that are no numbers.

    Raises
    ------
    StructureError
        Which names the first such atom.
    """
    import numpy as np

    lost = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(lost):
        symbol = atoms.symbols[lost[0]]
        raise StructureError(
            f"{path}: the coordinates of atom {lost[0]} ({symbol}) are not all numbers"
        )
