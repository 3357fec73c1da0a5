"""Structures to and from ASE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.structure import Structure

if TYPE_CHECKING:
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
