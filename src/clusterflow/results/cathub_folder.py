"""Structures and energies of a study in the folders that Catalysis-Hub reads.

The layout is that of `cathub make-folders`, which `cathub folder2db` collects into a
database: ``CODE/METHOD/gas`` for molecules, ``CODE/METHOD/CLUSTER_cluster/NA`` for a
cluster, below it one folder a reaction that makes an adsorbate (K. T. Winther et al.,
Sci. Data 6, 75, 2019, doi:10.1038/s41597-019-0081-y). Wavenumbers, for which it has no
place, stand beside the structures in files that it leaves alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.errors import RecordError
from clusterflow.formula import parse_formula
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.results.summands import surroundings_of_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from clusterflow.library.find import Library
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.structure import Structure

# Where Catalysis-Hub has a crystal and a facet of it; ASE's keys refuse a number there.
_CRYSTAL, _FACET = "cluster", "NA"
_MODES = "frequencies_cm1.txt"


@dataclass(frozen=True, slots=True)
class StructureFile:
    """A structure with its energy, and the path of its file without suffix."""

    path: str
    structure: Structure
    energy_ev: float
    frequencies_cm1: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CathubFolder:
    """All files of a folder, and what could not be written into it."""

    publication: str
    files: tuple[StructureFile, ...]
    notes: tuple[str, ...]


def make_cathub_folder(records: StudyRecords, library: Library) -> CathubFolder:
    """The files of a study's results.

    Energies are electronic; correction layers have no place there.

    Raises
    ------
    RecordError
        If the results hold no structures.
    """
    thermo = [t for t in records.of(ThermoRecord) if t.level is not None]
    if not records.of(RelaxRecord) or not thermo:
        raise RecordError(
            f"{records.folder}: Catalysis-Hub wants structures, and these results have "
            "none; energies of one's own go out by --format catmap or chain"
        )
    files: dict[str, StructureFile] = {}
    notes: list[str] = []
    for record in thermo:
        for file in _list_files(record, records, library, notes):
            files[file.path] = file
    year = max(t.provenance.created for t in thermo)[:4]
    return CathubFolder(
        publication=_describe_publication(records.folder.name, year),
        files=tuple(files.values()),
        notes=tuple(notes),
    )


def write_cathub_folder(found: CathubFolder, folder: Path) -> None:
    """Write `publication.txt`, structures as ASE trajectories, and wavenumbers."""
    import ase.io
    from ase.calculators.singlepoint import SinglePointCalculator

    from clusterflow.records.atoms import to_atoms
    from clusterflow.records.files import replacing, write_atomic

    write_atomic(folder / "publication.txt", found.publication)
    for file in found.files:
        atoms = to_atoms(file.structure)
        atoms.calc = SinglePointCalculator(atoms, energy=file.energy_ev)
        path = folder / f"{file.path}.traj"
        with replacing(path) as temporary:
            ase.io.write(temporary, atoms, format="traj")
        if file.frequencies_cm1:
            modes = "\n".join(f"{mode:.4f}" for mode in file.frequencies_cm1)
            write_atomic(path.with_name(f"{path.stem}.{_MODES}"), f"{modes}\n")


def _list_files(
    thermo: ThermoRecord, records: StudyRecords, library: Library, notes: list[str]
) -> Iterator[StructureFile]:
    """Molecules, the bare cluster, and each adsorbate on it."""
    level = thermo.level
    assert level is not None
    base = f"{_as_name(level.engine_name)}/{_as_name(level.method)}"
    for gas in records.of(GasRecord):
        if gas.level.hash != level.hash or gas.structure is None:
            continue
        if gas.energy_ev is not None:
            yield StructureFile(
                f"{base}/gas/{gas.gas}_gas",
                *(gas.structure, gas.energy_ev, gas.frequencies_cm1),
            )
    cluster = thermo.cluster
    below = f"{base}/{_as_name(cluster)}_{_CRYSTAL}/{_FACET}"
    relaxed = next((r for r in records.of(RelaxRecord) if r.cluster == cluster), None)
    bare = next((s.terms for s in thermo.species if s.name == "*"), None)
    host = next(
        (i for i in relaxed.isomers if bare and i.energy_ev == bare.energy_ev)
        if relaxed
        else iter(()),
        None,
    )
    if host is None:
        notes.append(f"left out: {cluster}: its bare cluster has no structure")
        return
    yield StructureFile(f"{below}/empty_slab", host.structure, host.energy_ev)
    around = surroundings_of_record(thermo, records, library)
    energies = {s.name: s for s in thermo.species}
    for found in records.of(VibrateRecord):
        species = energies.get(f"*{found.adsorbate}")
        if found.cluster != cluster or species is None:
            continue
        if species.terms is None or found.structure is None:
            why = species.reason or "its record has no structure"
            notes.append(f"left out: {cluster}/{species.name}: {why}")
            continue
        if len(found.structure.symbols) > 2 * len(host.structure.symbols):
            notes.append(
                f"left out: {cluster}/{species.name}: has more atoms than the cluster, "
                "which Catalysis-Hub reads as another cell"
            )
            continue
        counts = library.adsorbate(found.adsorbate).counts
        reaction = _name_reaction(
            around.anchors_of(counts) or {}, _name_formula(found.adsorbate, library)
        )
        yield StructureFile(
            f"{below}/{reaction}/{found.adsorbate}",
            *(found.structure, species.terms.energy_ev, found.frequencies_cm1),
        )


def _name_reaction(anchors: Mapping[str, float], adsorbate: str) -> str:
    """The folder of a reaction: ``CO2gas_0.5H2gas_star__COOHstar``."""
    gases = [f"{'' if n == 1 else f'{n:g}'}{gas}gas" for gas, n in anchors.items()]
    return f"{'_'.join([*gases, 'star'])}__{adsorbate}star"


def _name_formula(adsorbate: str, library: Library) -> str:
    """The name of an adsorbate, or its formula where the name is none."""
    spec = library.adsorbate(adsorbate)
    is_plain = re.fullmatch(r"[A-Za-z0-9]+", adsorbate) is not None
    return (
        adsorbate
        if is_plain and parse_formula(adsorbate) == spec.counts
        else (spec.formula)
    )


def _as_name(text: str) -> str:
    """A text as the name of a folder whose parts ``_`` and ``/`` would split."""
    return re.sub(r"[\s/_]+", "-", text)


def _describe_publication(title: str, year: str) -> str:
    """`publication.txt`, whose authors and journal a person fills in."""
    lines = (
        f"title: {title!r}",
        "authors: ['Lastname, Firstname']",
        *("journal: ''", "volume: ''", "number: ''", "pages: ''"),
        f"year: {year!r}",
        *("email: ''", "publisher: ''", "doi: ''", "tags: []"),
    )
    return "\n".join(lines) + "\n"
