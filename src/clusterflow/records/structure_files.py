"""Structure files as people have them: crystals with disorder, PDB, GRO and others.

Every atom comes with its label and occupancy, so that what is uncertain can be named.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from clusterflow.errors import ClusterflowError, InputWarning, StructureError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.records.atom_lines import (
    find_elements,
    note_isotopes,
    read_text,
    refuse_cut_line,
)
from clusterflow.records.own_word import NOTHING_SAID, OwnWord, read_own_word
from clusterflow.records.xyz_files import read_mol2, read_xyz

if TYPE_CHECKING:
    from collections.abc import Sequence

# Below this a site is not always occupied.
FULL = 0.999
_LABEL, _OCCUPANCY = "_atom_site_label", "_atom_site_occupancy"
_TYPE = "_atom_site_type_symbol"
_GROUP = "_atom_site_disorder_group"
_ASSEMBLY = "_atom_site_disorder_assembly"
_FORMULA, _UNITS = "_chemical_formula_sum", "_cell_formula_units_Z"
_ORGANIC = {"H", "C", "N", "O", "F", "Cl"}
# How many offending sites a message names.
_SHOWN = 6
_FORMATS = "XYZ, extxyz, CIF, PDB, GRO, MOL, MOL2 or POSCAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file holds: atoms with the arrays ``labels`` and ``occupancies``."""

    atoms: Atoms
    notes: tuple[str, ...] = ()
    said: OwnWord = NOTHING_SAID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One site as a file lists it."""

    number: int
    label: str
    occupancy: float
    assembly: str
    group: str


def split_frame(name: str, frame: str = "") -> tuple[Path, str]:
    """A file and the frame of it that is meant, also as ASE writes it.

    Raises
    ------
    StructureError
        If `frame` is given as well.

    Examples
    --------
    >>> split_frame("relax.xyz@-1")[1]
    '-1'
    """
    found = re.fullmatch(r"(.+)@(-?\d+|last)", name)
    if found is None or Path(name).exists():
        return Path(name), frame
    if frame:
        raise StructureError(f"{name}: --frame {frame}: give one frame, here or there")
    return Path(found[1]), found[2]


def read_atoms(path: Path, frame: str = "") -> Atoms:
    """The one structure in a file, as it stands, for a verb.

    As `read_whole`, without what the file says of charge and multiplicity.
    """
    return read_whole(path, frame).atoms


def read_whole(path: Path, frame: str = "") -> Content:
    """The one structure in a file with all its atoms, for a verb.

    What was not plain in it is warned of.

    Parameters
    ----------
    frame
        As `read_content` takes it.

    Raises
    ------
    StructureError
        If it cannot be read or holds no atoms, more than one structure, or sites that
        are not always occupied.
    """
    content = read_content(path, frame=frame)
    sites = uncertain(content.atoms)
    if sites:
        raise StructureError(
            f"{path}: {describe_uncertain(sites)}; bring it in by `clusterflow add` "
            "with --disorder"
        )
    for note in content.notes:
        warnings.warn(f"{path}: {note}", InputWarning, stacklevel=2)
    for name in ("labels", "occupancies"):
        del content.atoms.arrays[name]
    return content


def read_content(file: Path, disorder: str = "", frame: str = "") -> Content:
    """The atoms of a file, one cell of them if it is a crystal.

    Parameters
    ----------
    file
        XYZ, CIF, PDB, GRO, MOL2, or what ASE reads.
    disorder
        ``major`` keeps the most occupied alternative of disordered sites, anything
        else names a disorder group (CIF) or alternate location (PDB) to keep; by
        default all sites come, with their occupancies.
    frame
        ``last``, or a number counted from 0, or with a minus from the last, where
        there are several structures.

    Raises
    ------
    StructureError
        If it cannot be read, or no site has the alternative that is asked for.
    """
    if not file.is_file():
        why = "is a folder" if file.is_dir() else "no such file"
        raise StructureError(f"{file}: {why}")
    try:
        content = _read_by_suffix(file, disorder, frame)
    except ClusterflowError:
        raise
    # What dozens of readers raise for a file that is not what its name says cannot be
    # listed, and whatever it is, the file is what has to be mended.
    except Exception as error:
        raise StructureError(
            f"{file}: cannot be read as what its name says ({_flatten_error(error)}); "
            f"get it anew, or use {_FORMATS}"
        ) from None
    _refuse_no_elements(content.atoms, file)
    refuse_nowhere(content.atoms, file)
    return content


def _read_by_suffix(file: Path, disorder: str, frame: str) -> Content:
    suffix = file.suffix.lower()
    if frame and suffix in (".cif", ".pdb", ".ent", ".gro"):
        raise StructureError(
            f"{file}: --frame {frame}: no frames are read of {suffix[1:].upper()}"
        )
    if suffix == ".cif":
        return _read_cif(file, disorder)
    if suffix in (".pdb", ".ent"):
        return _read_pdb(file, disorder)
    if disorder:
        raise StructureError(
            f"{file}: --disorder {disorder}: only CIF and PDB files list alternatives"
        )
    if suffix == ".gro":
        return _read_gro(file)
    if suffix in (".xyz", ".extxyz"):
        images, notes = read_xyz(file)
    elif suffix == ".mol2":
        images, notes = read_mol2(file)
    else:
        images, notes = _read_with_ase(file), ()
    atoms = _take_frame(images, frame, file)
    said = read_own_word(file, atoms)
    labels = [f"{s}{i}" for i, s in enumerate(atoms.symbols)]
    labelled = _label_atoms(atoms, labels, [1.0] * len(atoms))
    return Content(atoms=labelled, notes=notes, said=said)


def _take_frame(images: list[Atoms], frame: str, file: Path) -> Atoms:
    if frame:
        index = "-1" if frame == "last" else frame
        is_number = re.fullmatch(r"-?\d+", index) is not None
        if not is_number or not -len(images) <= int(index) < len(images):
            raise StructureError(
                f"{file}: --frame {frame}: give last, or a number from 0 to "
                f"{len(images) - 1}"
            )
        return images[int(index)]
    if len(images) != 1 or len(images[0]) == 0:
        raise StructureError(
            f"{file}: holds {len(images)} structures; give a file with exactly one"
            + (", or take one by --frame last or a number" if len(images) > 1 else "")
        )
    return images[0]


def _read_with_ase(file: Path) -> list[Atoms]:
    import ase.io

    if file.stat().st_size == 0:
        raise StructureError(f"{file}: the file is empty; get it anew")
    # ASE takes fewer atoms than the file states, where lines are missing.
    is_mol = file.suffix.lower() in (".mol", ".sdf")
    if is_mol and not re.search(r"^M +END", read_text(file), re.MULTILINE):
        raise StructureError(
            f"{file}: no line 'M  END' closes it; get it anew, or use XYZ"
        )
    if is_mol:
        # ASE reads the first record alone.
        records = re.split(r"^\$\$\$\$.*\n?", read_text(file), flags=re.MULTILINE)
        return [
            ase.io.read(StringIO(record), format="sdf")
            for record in records
            if record.strip()
        ]
    images: list[Atoms] = ase.io.read(file, ":")
    is_poscar = file.suffix == ".vasp" or file.name.startswith(("POSCAR", "CONTCAR"))
    if is_poscar and len(images) == 1:
        text = read_text(file)
        refuse_cut_line(text, text.split("\n")[-len(images[0]) :], file)
    return images


def _refuse_no_elements(atoms: Atoms, file: Path) -> None:
    """Refuse dummy atoms, and elements without parameters in any level."""
    for index, symbol in enumerate(atoms.symbols):
        if symbol == "X" or symbol not in ATOMIC_NUMBERS:
            what = (
                "a dummy atom, no element; take it out"
                if symbol == "X"
                else "an element beyond Rn, for which no level has parameters; "
                "replace it"
            )
            raise StructureError(f"{file}: atom {index} ({symbol}) is {what}")


def refuse_nowhere(atoms: Atoms, path: Path) -> None:
    """Refuse coordinates that are no numbers.

    Raises
    ------
    StructureError
        Which names the first such atom.
    """
    lost = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(lost):
        symbol = atoms.symbols[lost[0]]
        raise StructureError(
            f"{path}: the coordinates of atom {lost[0]} ({symbol}) are not all numbers"
        )


def _read_gro(file: Path) -> Content:
    """A GRO file, with elements by its atom names."""
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
    return Content(atoms=_label_atoms(atoms, labels, [1.0] * len(atoms)), notes=notes)


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
    return Content(atoms=_label_atoms(atoms, labels, occupancies), notes=notes)


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
    mixed = _note_mixed_sites(block, rows, kept)
    columns = next(loop for loop in block.loops if _LABEL in loop)
    for column in columns:
        block.data[column] = [
            value for k, value in enumerate(block.data[column]) if k in kept
        ]
    if _OCCUPANCY in columns:
        block.data[_OCCUPANCY] = ["1"] * len(kept)
    return (*mixed, *_note_dropped_rows(rows, kept))


def _note_mixed_sites(
    block: Any, rows: Sequence[_Row], kept: set[int]
) -> tuple[str, ...]:
    """Which kept rows of a CIF share their place with another element."""
    columns = [block.data.get(f"_atom_site_fract_{axis}", []) for axis in "xyz"]
    if any(len(column) != len(rows) for column in columns):
        return ()
    places: dict[tuple[float, ...], list[_Row]] = defaultdict(list)
    for row in rows:
        place = (_parse_cif_number(column[row.number]) for column in columns)
        places[tuple(round(x % 1.0, 4) for x in place)].append(row)
    types = block.data.get(_TYPE) or [row.label for row in rows]
    elements = [_strip_type(one) for one in types]
    found = []
    for here in places.values():
        taken = [elements[row.number] for row in here if row.number in kept]
        if taken and len({elements[row.number] for row in here}) > 1:
            shares = ", ".join(
                f"{elements[row.number]} {row.occupancy:.2f}" for row in here
            )
            found.append(f"{here[0].label} ({shares}) as {taken[0]}")
    if not found:
        return ()
    return (
        f"warning: mixed sites, shared by elements in the crystal: {few(found)}; "
        "compare composition and electrons with the paper",
    )


def _strip_type(text: str) -> str:
    """Element of a type or label such as Au, Au1 or Au1+."""
    return (re.match(r"[A-Za-z]{1,2}", text) or ("",))[0].capitalize()


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


def _read_pdb(file: Path, disorder: str) -> Content:
    from ase.io.proteindatabank import read_proteindatabank

    lines = read_text(file).split("\n")
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


def _read_pdb_element(line: str) -> str:
    """The element that a line states, or nothing where it states none."""
    stated = line[76:78].strip().capitalize()
    is_known = stated in ATOMIC_NUMBERS or stated in ("D", "T")
    return stated if is_known else ""


def uncertain(atoms: Atoms) -> list[str]:
    """Sites that are not always occupied, each once, such as ``C7 (0.62)``.

    One that elements share is ``mixed site Ag1 (Ag 0.40, Au 0.60)``.
    """
    sites: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for index, share in enumerate(atoms.arrays["occupancies"]):
        if share < FULL:
            place = tuple(np.round(atoms.positions[index], 2) + 0.0)
            sites[place].append(index)
    return sorted({_describe_site(atoms, here) for here in sites.values()})


def describe_uncertain(sites: Sequence[str]) -> str:
    """That sites are not always occupied, and which."""
    return f"sites that are not always occupied: {few(sites)}"


def _describe_site(atoms: Atoms, indices: Sequence[int]) -> str:
    """Label and occupancies of the atoms at one place."""
    labels, shares = atoms.arrays["labels"], atoms.arrays["occupancies"]
    if len(indices) == 1:
        return f"{labels[indices[0]]} ({shares[indices[0]]:.2f})"
    listed = ", ".join(f"{atoms.symbols[i]} {shares[i]:.2f}" for i in indices)
    is_mixed = len({atoms.symbols[i] for i in indices}) > 1
    return f"{'mixed site ' if is_mixed else ''}{labels[indices[0]]} ({listed})"
