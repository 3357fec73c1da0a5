"""Structure files as people have them: crystals with disorder, PDB, GRO and others.

Every atom comes with its label and occupancy, so that what is uncertain can be named.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.errors import ClusterflowError, InputWarning, StructureError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.records.atom_lines import find_suffix, read_text, refuse_cut_line
from clusterflow.records.cif_files import read_cif
from clusterflow.records.disorder import (
    describe_uncertain,
    uncertain,
)
from clusterflow.records.file_content import Content, label_atoms
from clusterflow.records.mol_files import read_mol
from clusterflow.records.own_word import (
    OUTPUTS,
    keep_own_word,
    read_output,
    read_own_word,
)
from clusterflow.records.pdb_files import read_gro, read_pdb
from clusterflow.records.xyz_files import read_mol2, read_xyz

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

# How formats end that say no number of atoms, by ASE's names.
_ENDINGS = {
    "turbomole": (r"^\$end", "no $end"),
    "res": (r"^END", "no END"),
    # The line of charge and multiplicity, the atoms, and an empty line.
    "gaussian-in": (r"^ *-?\d+[ ,]+\d+ *\n([ \t]*\S.*\n)+[ \t]*\n", "no empty line"),
}
_FARTHEST = 1e6  # Å; distances from there overflow, or lose their decimals
_FORMATS = "XYZ, extxyz, CIF, PDB, GRO, MOL, MOL2 or POSCAR"


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
        with warnings.catch_warnings():
            # Of readers that move elsewhere, and of programs that are not installed.
            warnings.simplefilter("ignore")
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
    _refuse_flat_cell(content.atoms, file)
    return content


def _read_by_suffix(file: Path, disorder: str, frame: str) -> Content:
    suffix = find_suffix(file)
    if frame and suffix in (".cif", ".pdb", ".ent", ".gro"):
        raise StructureError(
            f"{file}: --frame {frame}: no frames are read of {suffix[1:].upper()}"
        )
    if suffix == ".cif":
        return read_cif(file, disorder)
    if suffix in (".pdb", ".ent"):
        return read_pdb(file, disorder)
    if disorder:
        raise StructureError(
            f"{file}: --disorder {disorder}: only CIF and PDB files list alternatives"
        )
    if suffix == ".gro":
        return read_gro(file)
    if suffix in (".xyz", ".extxyz"):
        images, notes = read_xyz(file)
    elif suffix == ".mol2":
        images, notes = read_mol2(file)
    elif suffix in (".mol", ".sdf"):
        images, notes = read_mol(file)
    else:
        images, notes = _read_with_ase(file)
    atoms = _take_frame(images, frame, file)
    said = read_own_word(file, atoms)
    labels = [f"{s}{i}" for i, s in enumerate(atoms.symbols)]
    labelled = label_atoms(atoms, labels, [1.0] * len(atoms))
    return Content(atoms=labelled, notes=notes, said=said)


def _take_frame(images: list[Atoms], frame: str, file: Path) -> Atoms:
    if not any(len(atoms) for atoms in images):
        raise StructureError(
            f"{file}: holds no atoms, read as what its name says; get it anew, or give "
            "it the ending of what it is"
        )
    if frame:
        index = "-1" if frame == "last" else frame
        is_number = re.fullmatch(r"-?\d+", index) is not None
        if not is_number or not -len(images) <= int(index) < len(images):
            raise StructureError(
                f"{file}: --frame {frame}: give last, or a number from 0 to "
                f"{len(images) - 1}"
            )
        return images[int(index)]
    if len(images) != 1:
        raise StructureError(
            f"{file}: holds {len(images)} structures; give a file with exactly one, or "
            "take one by --frame last or a number"
        )
    return images[0]


def _read_with_ase(file: Path) -> tuple[list[Atoms], tuple[str, ...]]:
    import ase.io

    if file.stat().st_size == 0:
        raise StructureError(f"{file}: the file is empty; get it anew")
    kind = ase.io.formats.filetype(str(file))
    if kind.startswith("lammps"):
        raise StructureError(
            f"{file}: of LAMMPS, whose types are no elements; write XYZ"
        )
    # Its charge and multiplicity are its calculator's.
    more = {"attach_calculator": True} if kind == "gaussian-in" else {}
    images: list[Atoms] = ase.io.read(file, ":", **more)
    for atoms in images if kind in OUTPUTS else []:
        keep_own_word(atoms, read_output(read_text(file), kind))
    is_poscar = find_suffix(file) == ".vasp" or file.name.startswith(
        ("POSCAR", "CONTCAR")
    )
    if is_poscar and len(images) == 1:
        _refuse_other_rows(read_text(file), len(images[0]), file)
    if kind == "gen" and read_text(file).split()[0] != str(len(images[0])):
        raise StructureError(
            f"{file}: says {read_text(file).split()[0]} atoms, holds {len(images[0])}; "
            "get it anew"
        )
    if kind in ("gen", "xsf") and len(images) == 1:
        text = read_text(file)
        refuse_cut_line(text, text.split("\n")[-len(images[0]) :], file)
    ending, is_missing = _ENDINGS.get(kind, ("", ""))
    if ending and not re.search(ending, read_text(file), re.MULTILINE):
        return images, (f"warning: {is_missing} closes the file: was it cut?",)
    return images, ()


def _refuse_other_rows(text: str, n_atoms: int, file: Path) -> None:
    """Refuse a POSCAR whose counts do not add up to its lines with coordinates."""
    lines = text.rstrip().split("\n")
    is_named = re.match(r"\s*\d", lines[5]) is None
    mode = 7 if is_named else 6
    below = lines[mode + (2 if re.match(r"\s*[sS]", lines[mode]) else 1) :]
    n_rows = next((k for k in range(len(below)) if not _is_row(below[k : k + 1])), None)
    n_rows = len(below) if n_rows is None else n_rows
    if n_rows != n_atoms:
        raise StructureError(
            f"{file}: its counts say {n_atoms} atoms, and {n_rows} lines follow; "
            "correct the counts, or get the file anew"
        )
    if n_rows == len(below):
        refuse_cut_line(text, below, file)


def _is_row(lines: Sequence[str]) -> bool:
    """Whether there is a line, and it begins with three numbers."""
    return bool(lines) and re.match(r"(\s*[+-]?[\d.]\S*){3}", lines[0]) is not None


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
    # Also false where one is not finite.
    near = np.abs(atoms.positions) < _FARTHEST
    lost = np.flatnonzero(~near.all(axis=1))
    if len(lost):
        symbol = atoms.symbols[lost[0]]
        raise StructureError(
            f"{path}: the coordinates of atom {lost[0]} ({symbol}) are not all numbers "
            f"below {_FARTHEST:.0e} Å"
        )


def _refuse_flat_cell(atoms: Atoms, file: Path) -> None:
    """Refuse a periodic structure whose vectors span no cell."""
    vectors = np.asarray(atoms.cell)[atoms.pbc]
    if not np.isfinite(vectors).all() or (
        len(vectors) and np.linalg.matrix_rank(vectors) < len(vectors)
    ):
        raise StructureError(
            f"{file}: the vectors of its cell span no volume; correct them, or give an "
            "isolated cluster without cell"
        )


def _flatten_error(error: BaseException) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split())
