"""What files say of one atom: its element, by symbol, number or name, and its place."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_names, chemical_symbols, covalent_radii
from ase.io.formats import get_compression, open_with_compression

from clusterflow.errors import StructureError
from clusterflow.formula import ATOMIC_NUMBERS, ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

# Second letters of names such as CA and CD that count carbons of a chain in Greek.
_GREEK = "ABGDEZH"
_NOBLE_GASES = {"He", "Ne", "Ar", "Kr", "Xe", "Rn"}
# Ions as CHARMM names them (10.1002/jcc.21287), which begin like other elements.
_IONS = {"SOD": "Na", "POT": "K", "CES": "Cs", "LIT": "Li", "RUB": "Rb"}
_ISOTOPE = re.compile(r"[DT]\d*")
_DUMMY = re.compile(r"(0|X|XX|Du|Q|Bq|Gh|Lp|EP|MW|VS)\d*", re.IGNORECASE)
# A basis without its atom, as Gaussian and ORCA write it.
_GHOST = re.compile(r"[A-Za-z]+\d*(-Bq.*|:)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FORTRAN = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
NONMETALS = {"H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I"}
# Distances in sums of covalent radii. No metal is bonded to a non-metal nearer than the
# first, only some, as in Cr=O, than the second; bonded non-metals are never farther
# apart than the third, and the last is where bonds end.
_TOO_NEAR, _NEAR_FOR_METAL, _NEAR, _BONDED = 0.75, 0.88, 1.12, 1.25


def find_suffix(file: Path) -> str:
    """The ending that says the format, in small letters: ``.cif`` of a.CIF.gz."""
    name: str = get_compression(file.name)[0]
    return Path(name).suffix.lower()


def read_text(file: Path) -> str:
    """The text of a file, in UTF-8 or UTF-16 with a mark, or else in Latin-1.

    It may be compressed, as its name says: gz, bz2 or xz.

    Raises
    ------
    StructureError
        If it is empty or no text.
    """
    try:
        with open_with_compression(str(file), "rb") as stream:
            raw: bytes = stream.read()
    except OSError as error:
        raise StructureError(
            f"{file}: cannot be opened ({error.strerror or error}); check its name and "
            "rights"
        ) from None
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = raw.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if not text.strip():
        raise StructureError(f"{file}: the file is empty; get it anew")
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        raise StructureError(
            f"{file}: holds no text, which its name promises; get it anew, or give it "
            "the ending of what it is"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def refuse_cut_line(text: str, rows: Sequence[str], file: Path) -> None:
    """Refuse a file whose last number lost digits where the file was cut.

    Parameters
    ----------
    text
        All of the file.
    rows
        Its lines with coordinates, as they come in columns.
    """
    if text.endswith("\n") or len(rows) < 2 or not text.rstrip().endswith(rows[-1]):
        return
    ends = [row.split()[-1].partition(".")[2] for row in rows]
    others = {len(end) for end in ends[:-1]}
    if len(others) == 1 and len(ends[-1]) < others.pop():
        raise StructureError(
            f"{file}: ends within the number {rows[-1].split()[-1]!r}, which has fewer "
            "digits than those above it; get the file anew"
        )


def split_fields(line: str, where: str) -> list[str]:
    """The fields of a line, decimal commas and Fortran's exponents made usual.

    Raises
    ------
    StructureError
        If a comma may separate decimals or columns.
    """
    fields = line.split()
    if "," not in line:
        return [fields[0], *(_FORTRAN.sub("e", field) for field in fields[1:])]
    numbers = fields[1:4]
    if any(_DECIMAL_COMMA.fullmatch(field) for field in numbers) and not any(
        "." in field for field in numbers
    ):
        return [fields[0], *(field.replace(",", ".") for field in fields[1:])]
    columns = [field.strip() for field in line.split(",")]
    numbers = columns[1:4]
    if len(numbers) == 3 and all(_is_number(one) and "." in one for one in numbers):
        return columns
    raise StructureError(
        f"{where}: {line.strip()!r}: a comma there may part decimals or columns; write "
        "decimal points and blanks"
    )


def read_place(fields: Sequence[str], where: str) -> tuple[float, float, float]:
    """Three coordinates in the unit of the file.

    Raises
    ------
    StructureError
        If there are fewer, or one is no number.
    """
    if len(fields) < 3:
        raise StructureError(f"{where}: has {len(fields)} coordinates and needs 3")
    for field in fields[:3]:
        if not _is_number(field):
            raise StructureError(f"{where}: {field!r} is no coordinate; write a number")
    x, y, z = (float(field) for field in fields[:3])
    return x, y, z


def _is_number(field: str) -> bool:
    return _NUMBER.fullmatch(field) is not None


def find_elements(
    names: Sequence[str],
    positions: np.ndarray,
    file: Path,
    *,
    aligned: Sequence[bool] | None = None,
    symbols: bool = False,
) -> tuple[list[str], tuple[str, ...]]:
    """Elements of atoms by symbol, atomic number, label or a force field's name.

    ``CA`` may be calcium or a carbon: distances to its neighbours decide.

    Parameters
    ----------
    names
        As the file has them, such as ``Cu``, ``29``, ``Cu1``, ``AUS``, ``HO``, ``D``.
    positions
        Å, shape (n_atoms, 3).
    aligned
        Whether a name stands where one with an element of two letters does (PDB).
    symbols
        The file means symbols: two capitals alone are an element of two letters.

    Returns
    -------
    Symbols, and notes of what was not plain.

    Raises
    ------
    StructureError
        If an atom is a dummy, of no element, or may be of two.
    """
    options = [_list_options(name, index, file) for index, name in enumerate(names)]
    found = []
    decided: dict[str, set[str]] = defaultdict(set)
    for index, (name, both) in enumerate(zip(names, options, strict=True)):
        if len(both) == 1:
            found.append(both[0])
            continue
        ratios = _measure_neighbours(index, options, positions)
        is_symbol = symbols and name.isalpha() and len(name) == 2
        is_chain = _strip_digits(name)[1].upper() in _GREEK
        in_place = aligned is None or aligned[index]
        is_sure = is_symbol or (in_place and not is_chain)
        element = _decide_by_distance(both, ratios, is_sure=is_sure)
        if element is None:
            raise StructureError(
                f"{file}: atom {name} may be {both[0]} or {both[1]}; "
                f"write {both[0]} for the element of two letters, or use XYZ"
            )
        if element == both[1] or not is_sure:
            decided[element].add(name)
        found.append(element)
    return found, _note_names(names, decided)


def _list_options(name: str, index: int, file: Path) -> tuple[str, ...]:
    """Elements that a name may mean, that of two letters first."""
    if name.isdecimal() and 0 < int(name) < len(ELEMENTS):
        return (ELEMENTS[int(name)],)
    if name in ATOMIC_NUMBERS and name != "X":
        return (name,)
    if _ISOTOPE.fullmatch(name):
        return ("H",)
    if _DUMMY.fullmatch(name) or _GHOST.fullmatch(name):
        raise StructureError(
            f"{file}: atom {index} ({name}) is a dummy atom, no element; take it out"
        )
    letters = _strip_digits(name)
    whole = letters.capitalize()
    if whole in _heavy_elements() or name in _heavy_numbers():
        raise StructureError(
            f"{file}: atom {index} ({name}) is an element beyond Rn, for which no "
            "level has parameters; replace it"
        )
    if letters in _IONS:
        return (_IONS[letters],)
    if len(letters) > 3 and whole in atomic_names[: len(ELEMENTS)]:
        return (ELEMENTS[atomic_names.index(whole)],)
    options = _list_beginnings(letters)
    if not options:
        raise StructureError(
            f"{file}: atom {index} ({name}) names no element; write its symbol"
        )
    return options


def _list_beginnings(letters: str) -> tuple[str, ...]:
    """Elements whose symbol a name begins with."""
    pair, first = letters[:2].capitalize(), letters[:1].upper()
    is_word = letters[1:].islower() and len(letters) > 2
    if is_word or len(letters) > 4:
        return ()
    if len(letters) > 1 and letters[:2] == pair:  # Cu, not CU
        return (pair,) if pair in ATOMIC_NUMBERS else ()
    known = [e for e in (pair, first) if e in ATOMIC_NUMBERS and e != "X"]
    found = list(dict.fromkeys(known))
    # A noble gas is in no molecule: NE is a nitrogen.
    return tuple(found[1:] if len(found) > 1 and found[0] in _NOBLE_GASES else found)


def _strip_digits(name: str) -> str:
    """The first letters of a name."""
    return (re.match(r"\d*([A-Za-z]*)", name) or ("", ""))[1]


def _heavy_elements() -> set[str]:
    return set(chemical_symbols[len(ELEMENTS) :])


def _heavy_numbers() -> set[str]:
    return {str(z) for z in range(len(ELEMENTS), len(chemical_symbols))}


def _measure_neighbours(
    index: int, options: Sequence[tuple[str, ...]], positions: np.ndarray
) -> tuple[float, float, float]:
    """Shortest distances of an atom, in sums of covalent radii.

    As the element of two letters to any that its neighbours may be, as that of one
    letter likewise, and as that of one letter to non-metals.
    """
    lengths = np.linalg.norm(positions - positions[index], axis=1)
    lengths[index] = np.inf
    two, one = (_covalent_radius(element) for element in options[index])
    near = [int(k) for k in np.flatnonzero(lengths < 4.0)]
    pairs = [(lengths[k], element) for k in near for element in options[k]]
    return (
        min((d / (two + _covalent_radius(e)) for d, e in pairs), default=np.inf),
        min((d / (one + _covalent_radius(e)) for d, e in pairs), default=np.inf),
        min(
            (d / (one + _covalent_radius(e)) for d, e in pairs if e in NONMETALS),
            default=np.inf,
        ),
    )


def _covalent_radius(element: str) -> float:
    return float(covalent_radii[ATOMIC_NUMBERS[element]])


def _decide_by_distance(
    options: Sequence[str], ratios: tuple[float, float, float], *, is_sure: bool
) -> str | None:
    """The element of two letters, or of one, or None if both fit.

    `ratios` are what `_measure_neighbours` returns.
    """
    two, one, one_to_nonmetal = ratios
    if two < _TOO_NEAR and one_to_nonmetal < _BONDED:
        return options[1]
    if two < _NEAR_FOR_METAL and one_to_nonmetal < _NEAR:
        return options[1]
    return options[0] if is_sure or one > _BONDED else None


def _note_names(names: Sequence[str], decided: dict[str, set[str]]) -> tuple[str, ...]:
    notes = [
        f"atom names {', '.join(sorted(found))} read as {element}, by the distances to "
        "their neighbours"
        for element, found in sorted(decided.items())
    ]
    heavy = sorted({name[0] for name in names if _ISOTOPE.fullmatch(name)})
    if heavy:
        notes.append(note_isotopes(heavy))
    return tuple(notes)


def note_isotopes(found: Sequence[str]) -> str:
    """That deuterium or tritium counts as hydrogen."""
    return f"{', '.join(found)} read as H: the masses of isotopes are not used"
