"""Results written for spreadsheets and for other programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from clusterflow.errors import RecordError
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import check_output, replacing, write_atomic
from clusterflow.results.cathub_folder import make_cathub_folder, write_cathub_folder
from clusterflow.results.catmap_files import MODEL, TABLE, make_catmap_input
from clusterflow.results.chain import list_chain
from clusterflow.results.crate import write_crate
from clusterflow.results.nomad_archive import write_nomad
from clusterflow.results.structure_files import (
    BOX_A,
    INDEX,
    refuse_full_folder,
    write_cif,
    write_xyz,
)
from clusterflow.results.tables import write_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from clusterflow.library.find import Library
    from clusterflow.records.files import StudyRecords

# A sum of a dozen such numbers is right to 1e-7 eV.
_DIGITS: Final = 8


def write_chain(records: StudyRecords, library: Library, file: Path) -> Sequence[str]:
    """One CSV file of the chain of each number; what was written, in words."""
    if not records.of(ThermoRecord):
        raise RecordError(f"{records.folder}: has no free energies to export")
    check_output(file)
    with (
        replacing(file) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        n_rows = write_csv(stream, "", list_chain(records, library), digits=_DIGITS)
        stream.flush()
        os.fsync(stream.fileno())
    return [f"wrote {file}, {n_rows} rows"]


def write_catmap(
    records: StudyRecords, library: Library, folder: Path
) -> Sequence[str]:
    """The table and the model of CatMAP; what was written and left out, in words."""
    found = make_catmap_input(records, library)
    for name, text in ((TABLE, found.table), (MODEL, found.model)):
        write_atomic(folder / name, text)
    return [*found.notes, f"wrote {folder / TABLE} and {folder / MODEL}"]


def write_cathub(
    records: StudyRecords, library: Library, folder: Path
) -> Sequence[str]:
    """A folder of Catalysis-Hub; what was written and left out, in words.

    Raises
    ------
    OutputError
        If the folder holds something: what is no more would stay among the new files.
    """
    refuse_full_folder(folder)
    found = make_cathub_folder(records, library)
    write_cathub_folder(found, folder)
    return [
        *found.notes,
        f"wrote {len(found.files)} structures below {folder}; "
        f"fill in {folder / 'publication.txt'}",
    ]


def write_structures(
    records: StudyRecords, library: Library, file: Path
) -> Sequence[str]:
    """All structures as extended XYZ; what was written, in words."""
    check_output(file)
    return [f"wrote {file}, {write_xyz(records, file)} structures"]


def write_crystals(
    records: StudyRecords, library: Library, folder: Path
) -> Sequence[str]:
    """All structures as CIF; what was written, in words."""
    n_files = write_cif(records, folder)
    return [
        f"wrote {n_files} structures below {folder}, listed in {folder / INDEX}; "
        f"clusters stand in a box with {BOX_A:g} Å between images"
    ]


def write_rocrate(
    records: StudyRecords, library: Library, folder: Path
) -> Sequence[str]:
    """An RO-Crate; what is left out or to be filled in, and what was written."""
    return [*write_crate(records, folder), f"wrote {folder}"]


def write_entries(
    records: StudyRecords, library: Library, folder: Path
) -> Sequence[str]:
    """Entries of NOMAD; what was written, in words."""
    n_files = write_nomad(records, folder)
    return [f"wrote {n_files} entries below {folder}; zip the folder to upload it"]


WRITERS: Final[dict[str, Callable[[StudyRecords, Library, Path], Sequence[str]]]] = {
    "chain": write_chain,
    "catmap": write_catmap,
    "cathub": write_cathub,
    "xyz": write_structures,
    "cif": write_crystals,
    "rocrate": write_rocrate,
    "nomad": write_entries,
}
