"""MOL and SDF files: atoms, and the charges and radicals that they state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
from ase import Atoms

from clusterflow.errors import StructureError
from clusterflow.records.atom_lines import find_elements, read_place, read_text
from clusterflow.records.own_word import OwnWord, keep_own_word

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_END: Final = "M  END"
_SYMBOL: Final = 3  # place of the symbol in a line of an atom, and of the charge
_CHARGE: Final = 5
# A line of an atom has coordinates in three columns of ten and a symbol behind them.
_ATOM_LINE: Final = re.compile(r"\s*\S+\s+\S+\s+\S+\s+[A-Za-z*]|[ \d.+-]{30} [A-Za-z*]")
# The column of charges of an atom; 4 is a radical (CTfile formats, BIOVIA 2020).
_CHARGE_OF: Final = {"1": 3, "2": 2, "3": 1, "5": -1, "6": -2, "7": -3}
_RADICAL: Final = "4"
# Unpaired electrons of an atom by its entry in M RAD; 1 is a singlet carbene.
_UNPAIRED_OF: Final = {"2": 1, "3": 2}


def read_mol(file: Path) -> tuple[list[Atoms], tuple[str, ...]]:
    """The records of a MOL or SDF file, and notes of what was not plain.

    Raises
    ------
    StructureError
        If a record has more or fewer atoms than it says, or is cut or of version V3000.
    """
    records = re.split(r"^\$\$\$\$.*\n?", read_text(file), flags=re.MULTILINE)
    images, notes = [], dict[str, None]()
    for record in records:
        if record.strip():
            atoms, found = _read_record(record, file)
            images.append(atoms)
            notes |= dict.fromkeys(found)
    return images, tuple(notes)


def _read_record(record: str, file: Path) -> tuple[Atoms, tuple[str, ...]]:
    table, end, _ = record.partition(f"\n{_END}")
    lines = table.split("\n")
    if "V3000" in record.partition(_END)[0]:
        raise StructureError(
            f"{file}: is of version V3000, which is not read; save it as V2000 or XYZ"
        )
    if not end:
        raise StructureError(
            f"{file}: no line 'M  END' closes it; get it anew, or use XYZ"
        )
    counts = lines[3] if len(lines) > 3 else ""
    rows = []
    for line in lines[4:]:
        if not _ATOM_LINE.match(line):
            break
        rows.append(line)
    if not re.fullmatch(r" *\d+ *", counts[:3]) or int(counts[:3]) != len(rows):
        raise StructureError(
            f"{file}: its fourth line says {counts[:3].strip() or 'nothing'!r} of its "
            f"number of atoms, and {len(rows)} follow; correct the number, or get the "
            "file anew"
        )
    fields = [_split_columns(row) for row in rows]
    where = [f"{file}: atom {k}" for k in range(1, len(rows) + 1)]
    places = [read_place(f[:3], at) for f, at in zip(fields, where, strict=True)]
    names = [one[_SYMBOL] for one in fields]
    symbols, notes = find_elements(names, np.array(places), file, symbols=True)
    atoms = Atoms(symbols, positions=places)
    keep_own_word(atoms, _read_word(lines[4 + len(rows) :], fields))
    return atoms, notes


def _split_columns(row: str) -> list[str]:
    """Three coordinates, symbol, difference of mass, and charge of a line."""
    columns = [row[0:10], row[10:20], row[20:30], row[30:34], row[34:36], row[36:39]]
    plain = [column.strip() for column in columns]
    in_place = all(re.fullmatch(r"[+-]?\d+\.\d+", one) for one in plain[:_SYMBOL])
    return plain if in_place and plain[_SYMBOL] else [*row.split(), "", ""]


def _read_word(rest: Sequence[str], fields: Sequence[Sequence[str]]) -> OwnWord:
    """What the property lines say, or without any the column of charges."""
    charges = [int(value) for value in _list_entries(rest, "CHG")]
    radicals = [_UNPAIRED_OF.get(value, 0) for value in _list_entries(rest, "RAD")]
    if charges or radicals:
        return OwnWord(
            charge=sum(charges) if charges else None,
            charge_from="M  CHG",
            multiplicity=sum(radicals) + 1 if radicals else None,
            multiplicity_from="M  RAD",
        )
    column = [one[_CHARGE] for one in fields]
    charges = [_CHARGE_OF[code] for code in column if code in _CHARGE_OF]
    return OwnWord(
        charge=sum(charges) if charges else None,
        charge_from="the column of charges",
        multiplicity=column.count(_RADICAL) + 1 if _RADICAL in column else None,
        multiplicity_from="the column of charges",
    )


def _list_entries(lines: Sequence[str], kind: str) -> list[str]:
    """Values of all atoms in lines such as `M  CHG  2   1   1   5  -1`."""
    found = [re.match(rf"M  {kind}\s+\d+(.*)$", line) for line in lines]
    return [value for one in found if one for value in one[1].split()[1::2]]
