"""Records and structures, to and from files and ASE."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from clusterflow.errors import RecordError, StructureError
from clusterflow.library import explain
from clusterflow.records import Record, Structure, Vector
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from clusterflow.specs import GasSpec

R = TypeVar("R", bound=Record)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: to a temporary name, flushed, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; results are as readable as any other file.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_record(record: Record, path: Path) -> None:
    """Write a record as JSON, whole or not at all."""
    write_atomic(path, record.model_dump_json(indent=1) + "\n")


def read_record(path: Path, model: type[R]) -> R:
    """A record of the given kind.

    Raises
    ------
    RecordError
        If the file is missing, corrupt or another kind of record.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise RecordError(
            f"{path}: corrupt record ({error}); delete it and run again"
        ) from None
    wanted = model.model_fields["stage"].default
    found = content.get("stage") if isinstance(content, dict) else None
    if found != wanted:
        raise RecordError(f"{path}: is a record of {found!r}, expected {wanted!r}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise RecordError(
            f"{path}: corrupt record: {explain(error)}; delete it and run again"
        ) from None


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
        cell=_cell(atoms) if atoms.pbc.any() else None,
    )


def _cell(atoms: Atoms) -> tuple[Vector, Vector, Vector]:
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


@dataclass(frozen=True, kw_only=True)
class StudyRecords:
    """Every record of a study, stage after stage, and the folder it is from."""

    folder: Path
    records: tuple[Record, ...]

    def of(self, model: type[R]) -> tuple[R, ...]:
        """The records of a stage, by their class."""
        return tuple(self._by_model.get(model, ()))  # type: ignore[arg-type]

    @cached_property
    def _by_model(self) -> dict[type[Record], list[Record]]:
        by_model: dict[type[Record], list[Record]] = {}
        for record in self.records:
            by_model.setdefault(type(record), []).append(record)
        return by_model


def read_records(folder: Path, paths: Sequence[Path] | None = None) -> StudyRecords:
    """All records below a results folder, or those named by `paths`.

    Raises
    ------
    RecordError
        If the folder holds none, or one is corrupt.
    """
    chosen = sorted(paths) if paths is not None else _record_files(folder)
    if not chosen:
        raise RecordError(f"{folder}: holds no records; run the study first")
    by_stage: dict[str, list[Record]] = {name: [] for name in STAGES}
    for path in chosen:
        # Those of earlier rounds and of the whole study are in folders of their own.
        stage = path.relative_to(folder).parts[0]
        if stage in STAGES:
            by_stage[stage].append(read_record(path, STAGES[stage].model))
    found = (record for records in by_stage.values() for record in records)
    return StudyRecords(folder=folder, records=tuple(found))


def _record_files(folder: Path) -> list[Path]:
    """Every JSON file below a folder's stages; hidden ones are work in progress."""
    return sorted(
        path
        for path in folder.glob("*/**/*.json")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
