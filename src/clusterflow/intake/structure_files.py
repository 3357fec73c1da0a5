"""Structure files as people have them: crystals with disorder, PDB, GRO and others.

Every atom comes with its label and occupancy, so that what is uncertain can be named.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from clusterflow.errors import StructureError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.records.atoms import read_atoms, refuse_nowhere

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Below this a site is not always occupied.
FULL = 0.999
_LABEL, _OCCUPANCY = "_atom_site_label", "_atom_site_occupancy"
_GROUP = "_atom_site_disorder_group"
_ASSEMBLY = "_atom_site_disorder_assembly"
_FORMULA, _UNITS = "_chemical_formula_sum", "_cell_formula_units_Z"
# What readers raise for a file that is cut short or is not what its name says.
_UNREADABLE = (
    *(ValueError, KeyError, IndexError, TypeError, AttributeError),
    *(ArithmeticError, OSError),
)
# How many offending sites a message names.
_SHOWN = 6
# Second letters of names such as CA and CD that count carbons of a chain in Greek.
_GREEK = "ABGDEZH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file holds: atoms with the arrays ``labels`` and ``occupancies``."""

    atoms: Atoms
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One site as a file lists it."""

    number: int
    label: str
    occupancy: float
    assembly: str
    group: str


def read_content(file: Path, disorder: str = "") -> Content:
    """The atoms of a file, one cell of them if it is a crystal.

    Parameters
    ----------
    file
        CIF, PDB, GRO, or what ASE reads.
    disorder
        ``major`` keeps the most occupied alternative of disordered sites, anything
        else names a disorder group (CIF) or alternate location (PDB) to keep; by
        default all sites come, with their occupancies.

    Raises
    ------
    StructureError
        If it cannot be read, or no site has the alternative that is asked for.
    """
    if not file.is_file():
        raise StructureError(f"{file}: no such file")
    suffix = file.suffix.lower()
    if suffix == ".cif":
        return _read_cif(file, disorder)
    if suffix in (".pdb", ".ent"):
        return _read_pdb(file, disorder)
    if disorder:
        raise StructureError(
            f"{file}: --disorder {disorder}: only CIF and PDB files list alternatives"
        )
    atoms = read_atoms(file)
    if suffix == ".gro":
        names = atoms.arrays["atomtypes"]
        atoms.symbols = [_parse_element(str(name), file) for name in names]
    labels = [f"{s}{i}" for i, s in enumerate(atoms.symbols)]
    return Content(atoms=_label_atoms(atoms, labels, [1.0] * len(atoms)))


def _label_atoms(
    atoms: Atoms, labels: Sequence[str], occupancies: Sequence[float]
) -> Atoms:
    plain = Atoms(
        atoms.get_chemical_symbols(),
        positions=atoms.positions,
        cell=atoms.cell,
        pbc=atoms.pbc,
    )
    plain.set_array("labels", np.array(labels))
    plain.set_array("occupancies", np.array(occupancies, dtype=float))
    if atoms.has("roles"):
        plain.set_array("roles", atoms.get_array("roles"))
    return plain


def _choose_kept_rows(rows: Sequence[_Row], disorder: str, file: Path) -> set[int]:
    """Numbers of the rows to keep of disordered ones."""
    if not disorder:
        return {row.number for row in rows}
    ordered = {row.number for row in rows if not row.group and row.occupancy > FULL}
    others = [row for row in rows if row.number not in ordered]
    if disorder == "major":
        return ordered | _find_major_rows(others, file)
    chosen = {row.number for row in others if row.group == disorder}
    if not chosen:
        known = sorted({row.group for row in rows if row.group}) or ["none"]
        raise StructureError(
            f"{file}: --disorder {disorder}: no site is in that group; "
            f"there are {', '.join(known)}, or use --disorder major"
        )
    without = {row.number for row in others if not row.group}
    return ordered | chosen | without


def _note_dropped_rows(rows: Sequence[_Row], kept: set[int]) -> tuple[str, ...]:
    """A note of the rows left out that are an alternative to nothing."""
    lone = [row for row in rows if row.number not in kept and not row.group]
    shown = few([f"{row.label} ({row.occupancy:.2f})" for row in lone])
    return (f"left out, not always there: {shown}",) if lone else ()


def _find_major_rows(rows: Sequence[_Row], file: Path) -> set[int]:
    """Rows of the most occupied group of each assembly; lone ones over one half."""
    halves = sorted(
        row.label for row in rows if not row.group and abs(row.occupancy - 0.5) < 0.01
    )
    if halves:
        raise StructureError(
            f"{file}: --disorder major: {few(halves)} are occupied by half and in no "
            "disorder group, so nothing says which stay; give those that do an "
            "occupancy of 1 in the file and take the others out"
        )
    groups: dict[str, dict[str, list[_Row]]] = defaultdict(lambda: defaultdict(list))
    kept = set()
    for row in rows:
        if row.group:
            groups[row.assembly][row.group].append(row)
        elif row.occupancy > 0.5:
            kept.add(row.number)
    for assembly in groups.values():
        # The first of equals, so that two halves give one whole.
        best = max(assembly.values(), key=lambda group: group[0].occupancy)
        kept |= {row.number for row in best}
    return kept


def _read_cif(file: Path, disorder: str) -> Content:
    from pymatgen.io.cif import CifParser

    block = _read_cif_block(file)
    left_out: tuple[str, ...] = ()
    try:
        if disorder:
            left_out = _keep_rows(block, disorder, file)
        with warnings.catch_warnings():
            # What it warns of is checked here, or refused below.
            warnings.simplefilter("ignore")
            parser = CifParser.from_str(str(block), site_tolerance=2e-3)
            crystal = parser.parse_structures(check_occu=False, on_error="raise")[0]
    except _UNREADABLE as error:
        raise StructureError(
            f"{file}: the structure in it cannot be read ({_flatten_error(error)}); "
            "open and save it in a crystal viewer, or use XYZ"
        ) from None
    sites = [
        (str(site.label), _name_element(kind), float(share), site.coords)
        for site in crystal
        for kind, share in site.species.items()
    ]
    labels, symbols, occupancies, positions = zip(*sites, strict=True)
    for label, symbol in zip(labels, symbols, strict=True):
        if symbol not in ATOMIC_NUMBERS:
            raise StructureError(
                f"{file}: site {label} is no element ({symbol}); take it out, or name "
                "its element"
            )
    atoms = Atoms(
        symbols, positions=positions, cell=crystal.lattice.matrix.copy(), pbc=True
    )
    notes = (*left_out, *_note_formula_gaps(block, atoms, np.array(occupancies)))
    return Content(atoms=_label_atoms(atoms, labels, occupancies), notes=notes)


def _read_cif_block(file: Path) -> Any:
    """The one data block of a CIF with atoms."""
    from pymatgen.io.cif import CifFile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            blocks = CifFile.from_file(file).data
    except _UNREADABLE as error:
        raise StructureError(
            f"{file}: not a whole CIF ({_flatten_error(error)}); get it anew, or use "
            "XYZ"
        ) from None
    full = {name: block for name, block in blocks.items() if _LABEL in block.data}
    for block in full.values():
        if _OCCUPANCY in block.data:  # where it is left out, it is 1
            shares = block.data[_OCCUPANCY]
            block.data[_OCCUPANCY] = [
                one if _strip_placeholder(one) else "1" for one in shares
            ]
    if len(full) != 1:
        names = ", ".join(full) or "none"
        raise StructureError(
            f"{file}: holds {len(full)} structures ({names}); "
            "give a file with exactly one data block with atoms"
        )
    return next(iter(full.values()))


def _keep_rows(block: Any, disorder: str, file: Path) -> tuple[str, ...]:
    """Strike out the sites of a CIF that are not the chosen alternative, and say so."""
    labels = block.data[_LABEL]
    n = len(labels)
    rows = [
        _Row(
            number=k,
            label=labels[k],
            occupancy=_parse_cif_number(block.data.get(_OCCUPANCY, ["1"] * n)[k]),
            # SHELX numbers a group that lies about a symmetry element negatively.
            assembly=_strip_placeholder(block.data.get(_ASSEMBLY, [""] * n)[k]),
            group=_strip_placeholder(block.data.get(_GROUP, [""] * n)[k]),
        )
        for k in range(n)
    ]
    kept = _choose_kept_rows(rows, disorder, file)
    columns = next(loop for loop in block.loops if _LABEL in loop)
    for column in columns:
        block.data[column] = [
            value for k, value in enumerate(block.data[column]) if k in kept
        ]
    if _OCCUPANCY in columns:
        block.data[_OCCUPANCY] = ["1"] * len(kept)
    return _note_dropped_rows(rows, kept)


def few(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _flatten_error(error: BaseException) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split())


def _strip_placeholder(text: str) -> str:
    return "" if text in (".", "?") else text


def _parse_cif_number(text: str) -> float:
    """A number of a CIF without its standard deviation; 1 where it is left out."""
    return float(re.sub(r"\(\d+\)", "", text)) if _strip_placeholder(text) else 1.0


def _name_element(kind: Any) -> str:
    """Element of a species of pymatgen; deuterium counts as hydrogen."""
    symbol = str(getattr(kind, "symbol", kind))
    return "H" if symbol in ("D", "T") else symbol


def _note_formula_gaps(
    block: Any, atoms: Atoms, occupancies: np.ndarray
) -> tuple[str, ...]:
    """Where the formula that a CIF states is not what its sites add up to."""
    stated = block.data.get(_FORMULA)
    units = block.data.get(_UNITS)
    if not stated or not re.fullmatch(r"\d+(\.\d+)?", units or ""):
        return ()
    total: Counter[str] = Counter()
    for symbol, share in zip(atoms.symbols, occupancies, strict=True):
        total[symbol] += share
    said = {
        "H" if element == "D" else element: float(count or 1) * float(units)
        for element, count in re.findall(r"([A-Z][a-z]?)(\d+(?:\.\d+)?)?", stated)
    }
    gaps = {
        element: said.get(element, 0.0) - total[element]
        for element in sorted({*said, *total})
    }
    shown = [
        f"{abs(gap):g} {element} {'fewer' if gap > 0 else 'more'}"
        for element, gap in gaps.items()
        if abs(gap) > 0.01 * max(1.0, said.get(element, 0.0))
    ]
    if not shown:
        return ()
    return (
        f"warning: the cell holds {', '.join(shown)} than its formula {stated.strip()} "
        "says: hydrogen that was not located, or solvent taken out",
    )


def _read_pdb(file: Path, disorder: str) -> Content:
    from ase.io.proteindatabank import read_proteindatabank

    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    if sum(line.startswith("MODEL ") for line in lines) > 1:
        raise StructureError(f"{file}: holds several models; give a file with one")
    rows = [
        _Row(
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
    kept = _choose_kept_rows(rows, disorder, file)
    notes = _note_dropped_rows(rows, kept)
    rows = [row for row in rows if row.number in kept]
    fixed = [_fill_element_columns(lines[row.number], file) for row in rows]
    try:
        header = [line for line in lines if _is_cell(line)]
        atoms = read_proteindatabank(StringIO("\n".join([*header, *fixed]) + "\n"))
    except _UNREADABLE as error:
        raise StructureError(
            f"{file}: not a PDB file ({_flatten_error(error)}); get it anew, or use XYZ"
        ) from None
    refuse_nowhere(atoms, file)
    # Alternatives of one site share it, whatever their occupancies say.
    shares = [
        1.0 if disorder else min(row.occupancy, 0.5 if row.group else 1.0)
        for row in rows
    ]
    atoms = _label_atoms(atoms, [row.label for row in rows], shares)
    return Content(atoms=atoms, notes=notes)


def _read_pdb_occupancy(line: str) -> float:
    """Occupancy of a line; 1 where it is left out or all are written as 0."""
    try:
        return float(line[54:60]) or 1.0
    except ValueError:
        return 1.0


def _is_cell(line: str) -> bool:
    """Whether a line gives a cell; one of 1 Å stands for none."""
    return line.startswith("CRYST1") and float(line[6:15]) > 1.0


def _fill_element_columns(line: str, file: Path) -> str:
    """A line whose element columns are filled, by the name if they are empty."""
    if line[76:78].strip():
        return line
    # A name that starts in the first of its columns has an element of two letters.
    name = line[12:16]
    element = _parse_element(name.strip(), file, two=name[:1].isalpha())
    return f"{line[:76]:76}{element:>2}"


def _parse_element(name: str, file: Path, *, two: bool = True) -> str:
    """The element that an atom is named after, such as Cu of CU12.

    Raises
    ------
    StructureError
        If it may be two: CD is cadmium, or a carbon of a chain.
    """
    letters = (re.match(r"\d*([A-Za-z]+)", name) or ("", ""))[1]
    pair, first = letters[:2].capitalize(), letters[:1].upper()
    has_pair = two and len(letters) >= 2 and pair in ATOMIC_NUMBERS
    if has_pair and letters[1].islower():
        return pair
    if has_pair and first in ATOMIC_NUMBERS and letters[1] in _GREEK:
        raise StructureError(
            f"{file}: atom {name} may be {pair} or {first}; "
            f"write {pair} for the element of two letters, or use XYZ"
        )
    if has_pair:
        return pair
    if first in ATOMIC_NUMBERS:
        return first
    raise StructureError(f"{file}: atom {name} names no element; use XYZ")


def uncertain(atoms: Atoms) -> list[str]:
    """Sites that are not always occupied, each once, such as ``C7 (0.62)``."""
    found = set()
    labels, shares = atoms.arrays["labels"], atoms.arrays["occupancies"]
    for label, symbol, share in zip(labels, atoms.symbols, shares, strict=True):
        if share < FULL:
            shared = "" if label.upper().startswith(symbol.upper()) else f"{symbol} at "
            found.add(f"{shared}{label} ({share:.2f})")
    return sorted(found)
