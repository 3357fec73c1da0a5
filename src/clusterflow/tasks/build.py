"""Stage build: the starting geometries of a cluster."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from clusterflow.core.builders import build as build_shape
from clusterflow.core.capping import cap
from clusterflow.core.hydrides import place_hydrides
from clusterflow.core.topology import clashes, n_fragments
from clusterflow.errors import StructureError
from clusterflow.io import from_atoms, read_atoms
from clusterflow.records import BuildRecord, Structure
from clusterflow.specs import LIGAND
from clusterflow.tasks.derive import derive_states, numbered, substitute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clusterflow.library import Library
    from clusterflow.specs import (
        Cap,
        ClusterSpec,
        Hydrides,
        Material,
        StartingStructure,
    )
    from clusterflow.tasks.job import Job

# Elements whose hydrogens are part of the cluster's own lattice, not of a ligand.
_II, _VI = {"Zn", "Cd", "Hg", "Mn", "Co"}, {"O", "S", "Se", "Te"}
_METALS = {"Cu", "Ag", "Au", "Pd", "Pt", "Ni", "Fe", "Co", "Zn", "Al", "In", "Sn"}
_HYDRIDE_NEIGHBOURS = {"H", "C", "N", "O", "S", "P", "Se", "Si", "B"}


def build(spec: ClusterSpec, folder: Path, library: Library, job: Job) -> BuildRecord:
    """Starting geometries of a cluster, checked against what its YAML claims.

    Parameters
    ----------
    spec
        The cluster.
    folder
        Where files named by the YAML are: beside it.
    library
        Where a state's parent is found.

    Raises
    ------
    StructureError
        If a geometry does not match the formula, or atoms overlap.
    """
    return BuildRecord(
        cluster=spec.name,
        formula=spec.formula,
        material=spec.material,
        source=spec.source,
        structures=tuple(build_structures(spec, folder, library)),
        auto_multiplicity=spec.auto_multiplicity,
        provenance=job.provenance(),
    )


def build_structures(
    spec: ClusterSpec, folder: Path, library: Library
) -> list[Structure]:
    """The geometries of a cluster or of a state of one.

    Raises
    ------
    StructureError
        If one does not match the formula, atoms overlap, or there is no room.
    LibraryError
        If a builder, a parent or a ligand is not there or refuses.
    """
    if spec.parent is not None:
        return derive_states(spec, _geometries(spec.parent, library), library)
    found: list[Structure] = []
    for start in spec.structures:
        if start.substitution is not None:
            parents = _geometries(start.substitution.parent, library)
            found += substitute(spec, start, parents)
        else:
            found += _built(spec, start, folder, library)
    return found


def _geometries(name: str, library: Library) -> list[Structure]:
    """Starting geometries of a cluster of the library."""
    library.ancestors(name)  # refuses clusters that are made from themselves
    folder = library.path("clusters", name).parent
    return build_structures(library.cluster(name), folder, library)


def _built(
    spec: ClusterSpec, start: StartingStructure, folder: Path, library: Library
) -> list[Structure]:
    if start.builder is not None:
        parameters = _with_ligand(start.parameters, spec.name, library)
        atoms = build_shape(start.builder, parameters, spec.name)
    else:
        atoms = read_atoms(folder / str(start.file))
    n_bare = len(atoms)
    said = atoms.get_array("roles") if atoms.has("roles") else [""] * n_bare
    for one in start.caps:
        atoms = _capped(atoms, one, spec.name, library)
    said = [*said, *["ligand"] * (len(atoms) - n_bare)]
    ways = _with_hydrides(atoms, start.hydrides, spec.name)
    names = numbered(start.name, len(ways))
    return [
        _checked(whole, spec, name, said)
        for name, whole in zip(names, ways, strict=True)
    ]


def _checked(
    atoms: Atoms, spec: ClusterSpec, name: str, said: Sequence[str]
) -> Structure:
    """A structure of a cluster; atoms behind the roles that were said are hydrides."""
    check_geometry(atoms, spec)
    roles = [*said, *["hydride"] * (len(atoms) - len(said))]
    atoms.set_array("roles", np.array(assign_roles(atoms, spec, roles)))
    return from_atoms(
        atoms, charge=spec.charge, multiplicity=spec.multiplicity, name=name
    )


def _with_hydrides(atoms: Atoms, wanted: Hydrides | None, who: str) -> list[Atoms]:
    if wanted is None:
        return [atoms]
    try:
        return place_hydrides(
            atoms,
            wanted.count,
            neighbours=wanted.neighbours,
            apart_a=wanted.apart_a,
            most=wanted.choices,
        )
    except ValueError as error:
        raise StructureError(f"{who}: hydrides: {error}") from None


def _with_ligand(
    parameters: Mapping[str, Any], who: str, library: Library
) -> dict[str, Any]:
    """Parameters of a builder, with the atoms of a ligand in place of its name."""
    if LIGAND not in parameters:
        return dict(parameters)
    name = str(parameters[LIGAND])
    return {**parameters, LIGAND: _ligand_atoms(name, who, library)}


def _ligand_atoms(name: str, who: str, library: Library) -> Atoms:
    ligand = library.ligand(name)
    if not ligand.atoms:
        raise StructureError(
            f"{who}: ligand {ligand.name} has no `atoms`, so it cannot be put anywhere"
        )
    return Atoms(
        [line[0] for line in ligand.atoms],
        positions=[line[1:] for line in ligand.atoms],
    )


def _capped(atoms: Atoms, wanted: Cap, who: str, library: Library) -> Atoms:
    ligand = _ligand_atoms(wanted.ligand, who, library)
    try:
        return cap(
            atoms,
            ligand,
            element=wanted.element,
            count=wanted.count,
            coordination=wanted.coordination,
        )
    except ValueError as error:
        raise StructureError(f"{who}: caps: {error}") from None


def check_geometry(atoms: Atoms, spec: ClusterSpec) -> None:
    """Refuse a geometry that is not the cluster its YAML describes.

    Raises
    ------
    StructureError
        For a wrong formula, a periodic cell, or overlapping atoms.
    """
    symbols = atoms.get_chemical_symbols()
    if Counter(symbols) != spec.counts:
        raise StructureError(
            f"{spec.name}: the structure is {atoms.get_chemical_formula()}, "
            f"but the formula says {spec.formula}; correct one of them"
        )
    refuse_periodic(atoms, spec.name)
    refuse_overlap(atoms, spec.name)
    refuse_pieces(atoms, spec.name)


def refuse_periodic(atoms: Atoms, who: str) -> None:
    """Refuse a periodic cell.

    Raises
    ------
    StructureError
        If any direction is periodic.
    """
    if atoms.pbc.any():
        raise StructureError(
            f"{who}: the structure is periodic; give an isolated cluster without cell"
        )


def refuse_overlap(atoms: Atoms, who: str) -> None:
    """Refuse atoms on top of each other.

    Raises
    ------
    StructureError
        Which names the closest pair and its distance.
    """
    close = clashes(atoms.get_chemical_symbols(), atoms.positions)
    if close:
        i, j = min(close, key=lambda pair: atoms.get_distance(*pair))
        raise StructureError(
            f"{who}: atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) "
            f"overlap at {atoms.get_distance(i, j):.2f} Å; remove one of them"
        )


def refuse_pieces(atoms: Atoms, who: str) -> None:
    """Refuse a structure that is not one piece.

    Raises
    ------
    StructureError
        If no bond, however long, connects all atoms.
    """
    pieces = n_fragments(atoms.get_chemical_symbols(), atoms.positions)
    if pieces > 1:
        raise StructureError(
            f"{who}: the structure is {pieces} separate pieces; "
            "give one cluster, and check the unit of the coordinates (Å)"
        )


def assign_roles(
    atoms: Atoms, spec: ClusterSpec, said: Sequence[str] = ()
) -> list[str]:
    """Role of each atom: as the YAML says, else hydride for H on metal, else core.

    Where `said`, one entry an atom, is not empty, it goes before hydride and core.
    """
    roles = ["core"] * len(atoms)
    has_ligand_atoms = set(atoms.get_chemical_symbols()) & (_HYDRIDE_NEIGHBOURS - {"H"})
    for index, symbol in enumerate(atoms.get_chemical_symbols()):
        if symbol == "H" and not has_ligand_atoms:
            roles[index] = "hydride"
    for index, role in enumerate(said):
        roles[index] = str(role) or roles[index]
    for role, indices in spec.roles.items():
        for index in indices:
            if not 0 <= index < len(atoms):
                raise StructureError(
                    f"{spec.name}: roles.{role} names atom {index}, "
                    f"but there are {len(atoms)} (counted from 0)"
                )
            roles[index] = role
    return roles


def guess_material(elements: set[str]) -> Material:
    """The material class of a cluster without one, by its elements."""
    if elements & _II and elements & _VI:
        return "ii-vi"
    return "metal" if elements & _METALS else "other"
