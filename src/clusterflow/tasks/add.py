"""Adding a cluster of one's own to the library."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from clusterflow.errors import LibraryError, StructureError
from clusterflow.io import read_atoms, write_atomic
from clusterflow.library import Library, explain
from clusterflow.specs import ClusterSpec
from clusterflow.tasks.build import (
    assign_roles,
    guess_material,
    refuse_overlap,
    refuse_periodic,
    refuse_pieces,
)

if TYPE_CHECKING:
    from ase import Atoms

_SOURCE = re.compile(r"^(10\.\d{4,9}/\S+|unpublished: \S.*)$")


def add(
    file: Path,
    *,
    name: str,
    charge: int,
    multiplicity: int,
    source: str,
    material: str = "",
) -> list[str]:
    """Write a cluster's YAML and structure to ``structures/clusters/`` here.

    Returns
    -------
    What was written and assumed, line by line.

    Raises
    ------
    StructureError
        If the file cannot be read, is periodic, or atoms overlap.
    LibraryError
        If the name is taken, the source is neither DOI nor `unpublished:`, or charge
        and multiplicity do not fit.
    """
    if not _SOURCE.match(source):
        raise LibraryError(
            f"--source {source!r}: give a DOI such as 10.1038/nmat1056, "
            "or `unpublished: NAME`"
        )
    if name in Library.default().paths("clusters"):
        raise LibraryError(
            f"--name {name}: there is a cluster of that name; choose another"
        )
    atoms = _read_isolated(file)
    refuse_overlap(atoms, str(file))
    refuse_pieces(atoms, str(file))
    spec = _spec(atoms, name, charge, multiplicity, source, material)
    folder = Path("structures/clusters")
    # The structure first: a YAML without its file would break every later run.
    write_atomic(folder / f"{name}.xyz", _xyz(atoms, source))
    write_atomic(folder / f"{name}.yaml", _yaml(spec))
    roles = Counter(assign_roles(atoms, spec))
    return [
        f"wrote {folder / name}.yaml and {folder / name}.xyz",
        f"{spec.formula}: {len(atoms)} atoms, charge {charge:+d}, "
        f"multiplicity {multiplicity}, material {spec.material}",
        "roles: " + ", ".join(f"{n} {role}" for role, n in roles.items()),
        f"to compute it, add {name} to `clusters` in config.yaml",
    ]


def _read_isolated(file: Path) -> Atoms:
    """The atoms of a file; a cell with vacuum all around is taken off."""
    atoms = read_atoms(file)
    if atoms.pbc.any():
        atoms = _cut_from_cell(atoms, file)
    refuse_periodic(atoms, str(file))
    return atoms


def _cut_from_cell(atoms: Atoms, file: Path) -> Atoms:
    """The molecule of a periodic cell, whole, if it is the only one.

    Raises
    ------
    StructureError
        If it is bonded to its own image.
    """
    import numpy as np
    from ase.geometry import find_mic

    from clusterflow.core.topology import BROKEN, radii

    whole = atoms.copy()
    radius = radii(atoms.get_chemical_symbols())
    reached, waiting = {0}, [0]
    while waiting:
        i = waiting.pop()
        vectors, lengths = find_mic(
            whole.positions - whole.positions[i], atoms.cell, atoms.pbc
        )
        for j in np.flatnonzero(lengths < BROKEN * (radius + radius[i])):
            if int(j) not in reached:
                whole.positions[j] = whole.positions[i] + vectors[j]
                reached.add(int(j))
                waiting.append(int(j))
    if len(reached) < len(atoms):
        raise StructureError(
            f"{file}: the cell holds more than one molecule; "
            "give a file with the cluster alone"
        )
    images = whole.copy()
    direct = np.linalg.norm(whole.positions[:, None] - whole.positions[None], axis=-1)
    nearest = images.get_all_distances(mic=True)
    limit = BROKEN * (radius[:, None] + radius[None, :])
    if ((nearest < limit) & (direct > nearest + 0.1)).any():
        raise StructureError(
            f"{file}: the structure is bonded to its periodic image; "
            "give an isolated cluster"
        )
    whole.pbc = False
    whole.cell = None
    return whole


def _spec(
    atoms: Atoms,
    name: str,
    charge: int,
    multiplicity: int,
    source: str,
    material: str,
) -> ClusterSpec:
    counts = Counter(atoms.get_chemical_symbols())
    try:
        return ClusterSpec.model_validate(
            {
                "name": name,
                "formula": "".join(
                    f"{e}{n if n > 1 else ''}" for e, n in sorted(counts.items())
                ),
                "material": material or guess_material(set(counts)),
                "charge": charge,
                "multiplicity": multiplicity,
                "source": source,
                "structures": [{"name": "main", "file": f"{name}.xyz"}],
            }
        )
    except ValidationError as error:
        raise LibraryError(explain(error)) from None


def _yaml(spec: ClusterSpec) -> str:
    content = spec.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _xyz(atoms: Atoms, source: str) -> str:
    lines = [str(len(atoms)), source]
    lines += [
        f"{s:2} {x:12.6f} {y:12.6f} {z:12.6f}"
        for s, (x, y, z) in zip(
            atoms.get_chemical_symbols(), atoms.positions, strict=True
        )
    ]
    return "\n".join(lines) + "\n"
