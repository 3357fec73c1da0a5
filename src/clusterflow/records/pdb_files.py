"""Files of biomolecules, whose atoms stand in columns: PDB and GRO."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

from clusterflow.errors import StructureError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.records.atom_lines import find_elements, read_text
from clusterflow.records.disorder import (
    Row,
    choose_kept_rows,
    note_dropped_rows,
)
from clusterflow.records.file_content import Content, label_atoms
from clusterflow.records.own_word import OwnWord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_pdb(file: Path, disorder: str) -> Content:
    """The one model of a PDB file, with elements by its atom names where none stand.

    Raises
    ------
    StructureError
        If there are several, or the alternative that is asked for is not there.
    """
    from ase.io.proteindatabank import read_proteindatabank

    lines = read_text(file).split("\n")
    if sum(line.startswith("MODEL ") for line in lines) > 1:
        raise StructureError(f"{file}: holds several models; give a file with one")
    rows = [
        Row(
            number=k,
            label=f"{line[12:16].strip()}{line[16:17].strip()}",
            occupancy=_read_pdb_occupancy(line),
            assembly=line[21:27],
            group=line[16:17].strip(),
        )
        for k, line in enumerate(lines)
        if line.startswith(("ATOM", "HETATM"))
    ]
    if not rows:
        raise StructureError(f"{file}: holds no ATOM or HETATM")
    kept = choose_kept_rows(rows, disorder, file)
    notes = note_dropped_rows(rows, kept)
    rows = [row for row in rows if row.number in kept]
    for row in rows:
        if len(lines[row.number].rstrip()) < 54:
            raise StructureError(
                f"{file}: line {row.number + 1} ends within its coordinates; get the "
                "file anew"
            )
    # Elements are set below; ASE reads hydrogen for all.
    fixed = [f"{lines[row.number][:76]:76} H" for row in rows]
    header = [line for line in lines if _is_cell(line)]
    atoms = read_proteindatabank(StringIO("\n".join([*header, *fixed]) + "\n"))
    names = [lines[row.number][12:16] for row in rows]
    stated = [_read_pdb_element(lines[row.number]) for row in rows]
    pairs = list(zip(stated, names, strict=True))
    symbols, found = find_elements(
        [one or name.strip() for one, name in pairs],
        atoms.positions,
        file,
        # A name that starts in the first of its columns has an element of two letters.
        aligned=[
            bool(one) or name[:1].isalpha()
            for one, name in zip(stated, names, strict=True)
        ],
    )
    atoms.symbols = symbols
    notes = (*notes, *found)
    if not any(line.startswith("END") for line in lines):
        notes = (*notes, "warning: no END closes the file: was it cut?")
    # Alternatives of one site share it, whatever their occupancies say.
    shares = [
        1.0 if disorder else min(row.occupancy, 0.5 if row.group else 1.0)
        for row in rows
    ]
    atoms = label_atoms(atoms, [row.label for row in rows], shares)
    said = _read_pdb_word([lines[row.number] for row in rows])
    return Content(atoms=atoms, notes=notes, said=said)


def _read_pdb_word(lines: Sequence[str]) -> OwnWord:
    """What the formal charges of atoms, such as ``1+``, add up to."""
    found = [re.fullmatch(r"(\d)([+-])", line[78:80]) for line in lines]
    charges = [int(one[2] + one[1]) for one in found if one]
    return OwnWord(
        charge=sum(charges) if charges else None, charge_from="columns 79-80"
    )


def _read_pdb_occupancy(line: str) -> float:
    """Occupancy of a line; 1 where it is left out or all are written as 0."""
    try:
        return float(line[54:60]) or 1.0
    except ValueError:
        return 1.0


def _is_cell(line: str) -> bool:
    """Whether a line gives a cell; one of 1 Å stands for none."""
    return line.startswith("CRYST1") and float(line[6:15]) > 1.0


def _read_pdb_element(line: str) -> str:
    """The element that a line states, or nothing where it states none."""
    stated = line[76:78].strip().capitalize()
    is_known = stated in ATOMIC_NUMBERS or stated in ("D", "T")
    return stated if is_known else ""


def read_gro(file: Path) -> Content:
    """A GRO file, with elements by its atom names.

    Raises
    ------
    StructureError
        If lines are missing, or coordinates stand in other columns.
    """
    from ase.io.gromacs import read_gromacs

    text = read_text(file)
    lines = text.rstrip().split("\n")
    # ASE leaves an empty line where there is no box.
    is_boxed = re.fullmatch(r"[\s\d.+-]+", lines[-1]) is not None
    rows = lines[2:-1] if is_boxed else lines[2:]
    said = lines[1].strip() if len(lines) > 1 else ""
    if said != str(len(rows)) or not rows:
        raise StructureError(
            f"{file}: its second line says {said!r}, the file holds {len(rows)} atoms; "
            "get it anew"
        )
    for k, row in enumerate(rows, start=3):
        if [m.start() for m in re.finditer(r"\.", row[20:44])] != [4, 12, 20]:
            raise StructureError(
                f"{file}: line {k}: coordinates are not in columns of 8 with three "
                "decimals; write it with that precision, or use XYZ"
            )
    box = lines[-1] if is_boxed else ""
    atoms = read_gromacs(StringIO("\n".join([*lines[:2], *rows, box, ""])))
    names = [row[10:15].strip() for row in rows]
    symbols, notes = find_elements(names, atoms.positions, file)
    atoms.symbols = symbols
    labels = [f"{name}{k}" for k, name in enumerate(names)]
    return Content(atoms=label_atoms(atoms, labels, [1.0] * len(atoms)), notes=notes)
