"""Crystals as CIF files have them, with disorder and with what their formula says."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.geometry import cellpar_to_cell

from clusterflow.errors import StructureError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.records.atom_lines import NONMETALS, note_isotopes, read_text
from clusterflow.records.disorder import (
    FULL,
    Row,
    choose_kept_rows,
    few,
    note_dropped_rows,
)
from clusterflow.records.file_content import Content, label_atoms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LABEL, _OCCUPANCY = "_atom_site_label", "_atom_site_occupancy"
_TYPE = "_atom_site_type_symbol"
_GROUP = "_atom_site_disorder_group"
_ASSEMBLY = "_atom_site_disorder_assembly"
_MOIETY = "_chemical_formula_moiety"
_FORMULA, _UNITS = "_chemical_formula_sum", "_cell_formula_units_Z"
_CELL = (
    *(f"_cell_length_{axis}" for axis in "abc"),
    *(f"_cell_angle_{angle}" for angle in ("alpha", "beta", "gamma")),
)
_SAME_PLACE, _SAME_METAL_SITE = 0.02, 0.5
_ORGANIC = {"H", "C", "N", "O", "F", "Cl"}


def read_cif(file: Path, disorder: str) -> Content:
    """The one crystal of a CIF, with notes of what its formula says otherwise.

    Raises
    ------
    StructureError
        If there are several, or the alternative that is asked for is not there.
    """
    from pymatgen.io.cif import CifParser

    block = _read_cif_block(file)
    _refuse_odd_sites(block, file)
    left_out: tuple[str, ...] = ()
    if disorder:
        left_out = _keep_rows(block, disorder, file)
    with warnings.catch_warnings():
        # What it warns of is checked here, or refused below.
        warnings.simplefilter("ignore")
        parser = CifParser.from_str(str(block), site_tolerance=2e-3)
        crystal = parser.parse_structures(check_occu=False, on_error="raise")[0]
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
    types = block.data.get(_TYPE, labels)
    heavy = sorted({one[0] for one in types if re.fullmatch(r"[DT]\d*", one)})
    if heavy:
        notes = (*notes, note_isotopes(heavy))
    return Content(
        atoms=label_atoms(atoms, labels, occupancies),
        notes=notes,
        moieties=_read_moieties(block.data.get(_MOIETY, "")),
    )


def _refuse_odd_sites(block: Any, file: Path) -> None:
    """Refuse sites without coordinates, or of two elements at once."""
    labels = block.data[_LABEL]
    for axis in "xyz":
        column = block.data.get(f"_atom_site_fract_{axis}", [])
        for label, value in zip(labels, column, strict=False):
            if not _strip_placeholder(value):
                raise StructureError(
                    f"{file}: site {label} has no coordinates ({value}); take it out"
                )
    for label, kind in zip(labels, block.data.get(_TYPE, []), strict=False):
        if re.match(r"[A-Z][a-z]?[\d./,]+[A-Z]", kind):
            raise StructureError(
                f"{file}: site {label} is a mixed site ({kind}); give it the commoner "
                "element, or one row and occupancy an element"
            )


def _read_moieties(text: str) -> tuple[tuple[Counter[str], int], ...]:
    """Atoms and charge of what has one in ``C25 H22 Cu3 1+, 2(F6 P 1-)``."""
    found = []
    for part in text.split(","):
        charge = re.search(r"(?:^|\s)(\d*)([+-])[\s)]*$", part)
        atoms = re.findall(r"([A-Z][a-z]?)(\d*)(?=[\s)]|$)", part)
        if charge and atoms:
            size = int(charge[1] or 1)
            counts: Counter[str] = Counter()
            for element, n in atoms:
                counts["H" if element == "D" else element] += int(n or 1)
            found.append((counts, -size if charge[2] == "-" else size))
    return tuple(found)


def _read_cif_block(file: Path) -> Any:
    """The one data block of a CIF with atoms."""
    from pymatgen.io.cif import CifFile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blocks = CifFile.from_str(read_text(file)).data
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
        Row(
            number=k,
            label=labels[k],
            occupancy=_parse_cif_number(block.data.get(_OCCUPANCY, ["1"] * n)[k]),
            # SHELX numbers a group that lies about a symmetry element negatively.
            assembly=_strip_placeholder(block.data.get(_ASSEMBLY, [""] * n)[k]),
            group=_strip_placeholder(block.data.get(_GROUP, [""] * n)[k]),
        )
        for k in range(n)
    ]
    shared = _find_shared_sites(block, rows)
    if disorder == "major":
        rows = _group_by_site(rows, shared)
    kept = choose_kept_rows(rows, disorder, file)
    mixed = _note_mixed_sites(rows, shared, kept)
    columns = next(loop for loop in block.loops if _LABEL in loop)
    for column in columns:
        block.data[column] = [
            value for k, value in enumerate(block.data[column]) if k in kept
        ]
    if _OCCUPANCY in columns:
        block.data[_OCCUPANCY] = ["1"] * len(kept)
    return (*mixed, *note_dropped_rows(rows, kept))


def _find_shared_sites(
    block: Any, rows: Sequence[Row]
) -> dict[int, list[tuple[Row, str]]]:
    """Rows, with their elements, at the site of a row that other elements share."""
    columns = [block.data.get(f"_atom_site_fract_{axis}", []) for axis in "xyz"]
    if any(len(column) != len(rows) for column in columns):
        return {}
    types = block.data.get(_TYPE) or [row.label for row in rows]
    elements = [_strip_type(one) for one in types]
    partial = [row for row in rows if row.occupancy < FULL]
    places = np.array(
        [[_parse_cif_number(c[row.number]) for c in columns] for row in partial]
    ).reshape(-1, 3)
    cell = np.array(cellpar_to_cell([_parse_cif_number(block[key]) for key in _CELL]))
    found = {}
    for row, place in zip(partial, places, strict=True):
        own = elements[row.number]
        away = places - place
        distances = np.linalg.norm((away - np.round(away)) @ cell, axis=1)
        here = [
            (other, elements[other.number])
            for other, distance in zip(partial, distances, strict=True)
            if other is row
            or (
                elements[other.number] != own
                and distance < _measure_site(own, elements[other.number])
            )
        ]
        if len(here) > 1:
            found[row.number] = here
    return found


def _group_by_site(
    rows: Sequence[Row], shared: dict[int, list[tuple[Row, str]]]
) -> list[Row]:
    """Rows of which those in no group are one alternative each of a shared site.

    Where no element of a site is the commonest, nothing says which stays.
    """
    grouped = []
    for row in rows:
        here = [other for other, _ in shared.get(row.number, ())]
        shares = sorted(other.occupancy for other in here)
        if not here or any(one.group for one in here) or shares[-1] - shares[-2] < 0.01:
            grouped.append(row)
            continue
        first = min(other.number for other in here)
        grouped.append(replace(row, assembly=f"site {first}", group=str(row.number)))
    return grouped


def _note_mixed_sites(
    rows: Sequence[Row], shared: dict[int, list[tuple[Row, str]]], kept: set[int]
) -> tuple[str, ...]:
    """Which kept rows of a CIF share their place with another element."""
    found = []
    for row in rows:
        if row.number in kept and row.number in shared:
            here = shared[row.number]
            shares = ", ".join(f"{kind} {one.occupancy:.2f}" for one, kind in here)
            own = next(kind for one, kind in here if one.number == row.number)
            found.append(f"{here[0][0].label} ({shares}) as {own}")
    if not found:
        return ()
    return (
        f"warning: mixed sites, shared by elements in the crystal: {few(found)}; "
        "compare composition and electrons with the paper",
    )


def _measure_site(first: str, second: str) -> float:
    """How near two elements share a site, Å: two metals are often refined apart."""
    return _SAME_PLACE if {first, second} & NONMETALS else _SAME_METAL_SITE


def _note_formula_gaps(
    block: Any, atoms: Atoms, occupancies: np.ndarray
) -> tuple[str, ...]:
    """Where the formula that a CIF states is not what its sites add up to."""
    stated = block.data.get(_FORMULA)
    if not stated:
        return ()
    total: Counter[str] = Counter()
    for symbol, share in zip(atoms.symbols, occupancies, strict=True):
        total[symbol] += share
    said = {
        "H" if element == "D" else element: float(count or 1)
        for element, count in re.findall(r"([A-Z][a-z]?)(\d+(?:\.\d+)?)?", stated)
    }
    if not said:
        return ()
    n_units = max(1.0, round(total.total() / sum(said.values())))
    if re.fullmatch(r"\d+(\.\d+)?", block.data.get(_UNITS) or ""):
        n_units = float(block.data[_UNITS])
    said = {element: count * n_units for element, count in said.items()}
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
    # Hydrogen and solvent are what is commonly not there; metals are on mixed sites.
    is_organic = all(
        element in _ORGANIC for element, gap in gaps.items() if abs(gap) > 0.01
    )
    why = (
        "hydrogen that was not located, or solvent taken out"
        if is_organic
        else "sites shared by elements, counter-ions or solvent taken out, or a file "
        "that was cut"
    )
    return (
        f"warning: the cell holds {', '.join(shown)} than its formula {stated.strip()} "
        f"says: {why}",
    )


def _strip_type(text: str) -> str:
    """Element of a type or label such as Au, Au1 or Au1+."""
    return (re.match(r"[A-Za-z]{1,2}", text) or ("",))[0].capitalize()


def _strip_placeholder(text: str) -> str:
    return "" if text in (".", "?") else text


def _parse_cif_number(text: str) -> float:
    """A number of a CIF without its standard deviation; 1 where it is left out."""
    return float(re.sub(r"\(\d+\)", "", text)) if _strip_placeholder(text) else 1.0


def _name_element(kind: Any) -> str:
    """Element of a species of pymatgen; deuterium counts as hydrogen."""
    symbol = str(getattr(kind, "symbol", kind))
    return "H" if symbol in ("D", "T") else symbol
