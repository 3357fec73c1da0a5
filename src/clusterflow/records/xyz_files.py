"""XYZ and MOL2 as people have them, made plain before they are read."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

import ase.io
import numpy as np
from ase import Atoms

from clusterflow.errors import StructureError
from clusterflow.records.atom_lines import (
    find_elements,
    read_place,
    read_text,
    refuse_cut_line,
    split_fields,
)
from clusterflow.records.own_word import (
    NOTHING_SAID,
    OwnWord,
    keep_own_word,
    read_comment,
    round_whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Columns of extended XYZ begin so, unless it says otherwise.
_USUAL = "Properties=species:S:1:pos:R:3"


def read_xyz(file: Path) -> tuple[list[Atoms], tuple[str, ...]]:
    """All frames of an XYZ or extended XYZ file, and notes of what was not plain.

    Raises
    ------
    StructureError
        If a frame has more or fewer atoms than it says, or a line is none of an atom.
    """
    text = read_text(file)
    lines = text.rstrip().split("\n")
    plain: list[str] = []
    comments: list[str] = []
    notes: dict[str, None] = {}
    rows: list[str] = []
    for first, count in _find_frames(lines, file):
        head, rows = lines[first : first + 2], lines[first + 2 : first + 2 + count]
        is_extended = "Properties=" in head[1]
        if not is_extended or _USUAL in head[1]:
            where = [f"{file}: line {first + 3 + k}" for k in range(count)]
            rows, found = _make_rows_plain(rows, where, file, is_extended=is_extended)
            notes |= dict.fromkeys(found)
        plain += [str(count), head[1], *rows]
        comments.append(head[1])
    refuse_cut_line(text, lines[-len(rows) :], file)
    images = ase.io.read(StringIO("\n".join(plain) + "\n"), ":", format="extxyz")
    for atoms, comment in zip(images, comments, strict=True):
        atoms.info |= read_comment(comment)
    return images, tuple(notes)


def refuse_wrong_count(file: Path) -> None:
    """Refuse an XYZ file with a frame that says other atoms than it holds.

    Raises
    ------
    StructureError
        If one does: readers of XYZ would count up to what it says.
    """
    for _ in _find_frames(read_text(file).rstrip().split("\n"), file):
        pass


def _find_frames(lines: Sequence[str], file: Path) -> Iterator[tuple[int, int]]:
    """Where each frame begins, and its number of atoms."""
    start, frame = 0, 0
    while start < len(lines):
        count = lines[start].strip()
        frame += 1
        if not re.fullmatch(r"\+?\d{1,18}", count):
            raise StructureError(
                f"{file}: line {start + 1} is {lines[start].strip()[:40]!r}, where the "
                "number of atoms should be; is it an XYZ file?"
            )
        rows = _count_atom_lines(lines, start + 2)
        n_atoms = int(count)
        beyond = lines[start + 2 + n_atoms] if rows > n_atoms else ""
        if rows < n_atoms or len(beyond.split()) > 1:
            says = "the first line says" if frame == 1 else f"frame {frame} says"
            holds = "the file holds" if frame == 1 else "it holds"
            raise StructureError(
                f"{file}: {says} {n_atoms}, {holds} {rows} atoms; correct the number, "
                "or get the file anew if it was cut"
            )
        if n_atoms == 0:
            raise StructureError(f"{file}: holds no atoms")
        yield start, n_atoms
        start += 2 + n_atoms
        while start < len(lines) and _is_between_frames(lines[start]):
            start += 1


def _count_atom_lines(lines: Sequence[str], start: int) -> int:
    """Lines from `start` on that have the fields of an atom."""
    for n in range(start, len(lines)):
        line = lines[n]
        if len(re.split(r"[\s,]+", line.strip())) < 4 or line.startswith("VEC"):
            return n - start
    return max(len(lines) - start, 0)


def _is_between_frames(line: str) -> bool:
    """Whether a line is empty or a vector of the cell."""
    return not line.strip() or line.startswith("VEC")


def _make_rows_plain(
    rows: Sequence[str], where: Sequence[str], file: Path, *, is_extended: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Lines of atoms with symbols and points, and notes."""
    fields = [split_fields(row, at) for row, at in zip(rows, where, strict=True)]
    places = [read_place(f[1:4], at) for f, at in zip(fields, where, strict=True)]
    names = [one[0] for one in fields]
    symbols, notes = find_elements(names, np.array(places), file, symbols=True)
    if any("," in row for row in rows):
        notes = (*notes, "commas read as decimal points or between columns")
    plain = [
        " ".join([symbol, *(one[1:] if is_extended else one[1:4])])
        for symbol, one in zip(symbols, fields, strict=True)
    ]
    return plain, notes


def read_mol2(file: Path) -> tuple[list[Atoms], tuple[str, ...]]:
    """The molecules of a MOL2 file, and notes of what was not plain.

    Elements are the first part of SYBYL's atom types, such as ``C.ar``.

    Raises
    ------
    StructureError
        If it has more or fewer atoms than it says, or an atom is a dummy.
    """
    images: list[Atoms] = []
    notes: tuple[str, ...] = ()
    for part in read_text(file).split("@<TRIPOS>MOLECULE")[1:]:
        header, _, rest = part.partition("@<TRIPOS>ATOM")
        lines = rest.partition("@<TRIPOS>")[0].split("\n")
        rows = [line for line in lines if line.strip() and not line.startswith("#")]
        said = [line.split()[0] for line in header.split("\n")[2:3] if line.strip()]
        if said != [str(len(rows))]:
            raise StructureError(
                f"{file}: says {' '.join(said) or 'nothing'} of its number of atoms, "
                f"and holds {len(rows)}; get it anew, or use XYZ"
            )
        fields = [row.split() for row in rows]
        where = [f"{file}: atom {k}" for k in range(1, len(rows) + 1)]
        places = [read_place(f[2:5], at) for f, at in zip(fields, where, strict=True)]
        types = [(*f, "", "", "")[5].partition(".")[0] for f in fields]
        symbols, found = find_elements(types, np.array(places), file, symbols=True)
        atoms = Atoms(symbols, positions=places)
        if "NO_CHARGES" not in header:
            keep_own_word(atoms, _read_mol2_word([f[8:9] for f in fields]))
        images.append(atoms)
        notes += found
    return images, notes


def _read_mol2_word(column: Sequence[Sequence[str]]) -> OwnWord:
    """What partial charges of all atoms add up to, if to a whole number."""
    try:
        charges = np.array([float(one[0]) for one in column])
    except (IndexError, ValueError):
        return NOTHING_SAID
    if not charges.any():
        return NOTHING_SAID
    return OwnWord(charge=round_whole(charges.sum()), charge_from="its charges")
