"""All structures of a study as extended XYZ in one file, or as a folder of CIF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.errors import OutputError, RecordError
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import replacing
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.results.database import rows
from clusterflow.results.tables import write_csv
from clusterflow.stage_table import record_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ase import Atoms

    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords

# Å between a cluster and its image, so that what reads a crystal sees no bond to it.
BOX_A = 10.0
INDEX = "structures.csv"
# ASE keeps its own energy beside these; those without a value are left out of XYZ.
KEYS = (
    *("id", "kind", "cluster", "adsorbate", "gas", "level", "rank", "chosen"),
    *("fate", "site", "found_by", "charge", "multiplicity", "energy_ev"),
    *("gibbs_ev", "formation_ev", "temperature_k", "status", "flags", "record"),
)


def list_structures(records: StudyRecords) -> Iterator[Atoms]:
    """Each structure with its energy and, in `info`, what it is and where it is from.

    A free energy stands at the geometry that its vibrations are of, which takes the
    place of the minimum that it was relaxed from.
    """
    free = {
        (thermo.cluster, thermo.level.name, species.name): (thermo, species)
        for thermo in records.of(ThermoRecord)
        if thermo.level is not None
        for species in thermo.species
    }
    molecules = {(level, name): found for (_, level, name), found in free.items()}
    vibrated = {
        (v.cluster, v.adsorbate, v.minimum): v for v in records.of(VibrateRecord)
    }
    for atoms, keys in rows(records):
        found = None
        if keys["kind"] == "gas":
            found = molecules.get((keys["level"], f"{keys['gas']}(g)"))
        elif keys["kind"] == "adsorbed" and keys.get("chosen"):
            name = f"*{keys['adsorbate']}"
            found = free.get((keys["cluster"], keys["level"], name))
            record = vibrated.get((keys["cluster"], keys["adsorbate"], keys["rank"]))
            if record is not None:
                _move_to_vibrated(atoms, keys, record)
        elif keys["kind"] in ("cluster", "isomer"):
            found = free.get((keys["cluster"], keys["level"], "*"))
            # Of several isomers it is that of one: the lowest, or what a pool has.
            if found and not _has_energy(found[1], atoms.get_potential_energy()):
                found = None
        _describe(atoms, keys, found)
        yield atoms


def write_xyz(records: StudyRecords, file: Path) -> int:
    """All structures as extended XYZ in one file; how many there are."""
    import ase.io

    images = _list_all(records)
    with replacing(file) as temporary:
        ase.io.write(temporary, images, format="extxyz")
    return len(images)


def write_cif(records: StudyRecords, folder: Path) -> int:
    """Each structure as a CIF file, and a table of them; how many there are.

    A cluster stands alone in a box, `BOX_A` larger than it is along each axis, without
    symmetry; one on a periodic support keeps its cell.

    Raises
    ------
    OutputError
        If the folder holds something: what is no more would stay among the new files.
    """
    import ase.io

    images = _list_all(records)
    refuse_full_folder(folder)
    for atoms in images:
        boxed = atoms.copy()
        if not boxed.pbc.any():
            boxed.center(vacuum=BOX_A / 2)
        with replacing(folder / f"{atoms.info['id']}.cif") as temporary:
            ase.io.write(temporary, boxed, format="cif", wrap=False)
    table = ({key: atoms.info.get(key) for key in KEYS} for atoms in images)
    with (
        replacing(folder / INDEX) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        write_csv(stream, "", table, digits=8)
    return len(images)


def refuse_full_folder(folder: Path) -> None:
    """Raise where something is there, other than an empty folder.

    Raises
    ------
    OutputError
        If there is.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder}: is not an empty folder; name another one")


def _list_all(records: StudyRecords) -> Sequence[Atoms]:
    images = list(list_structures(records))
    if not images:
        raise RecordError(
            f"{records.folder}: has no structures; a table of energies has none"
        )
    return images


def _move_to_vibrated(
    atoms: Atoms, keys: dict[str, Any], record: VibrateRecord
) -> None:
    """Put atoms and energy where the vibrations were computed."""
    from ase.calculators.singlepoint import SinglePointCalculator

    if record.structure is None or record.energy_ev is None:
        return
    atoms.positions = record.structure.xyz
    atoms.calc = SinglePointCalculator(atoms, energy=record.energy_ev)
    keys |= {"net_charge": record.structure.charge, "record": str(record_name(record))}
    keys["multiplicity"] = record.structure.multiplicity


def _has_energy(species: SpeciesFreeEnergy, energy_ev: float) -> bool:
    return species.terms is not None and species.terms.energy_ev == energy_ev


def _describe(
    atoms: Atoms,
    keys: dict[str, Any],
    found: tuple[ThermoRecord, SpeciesFreeEnergy] | None,
) -> None:
    """Write into `info` all that is known of a structure."""
    known = {**keys, "id": _make_id(keys), "charge": keys["net_charge"]}
    known |= {"energy_ev": atoms.get_potential_energy(), "formation_ev": None}
    if found is not None:
        thermo, species = found
        known |= {"gibbs_ev": species.gibbs_ev, "formation_ev": species.formation_ev}
        known |= {"temperature_k": thermo.temperature_k, "status": species.status}
        known |= {"flags": " ".join(species.flags)}
    atoms.info = {key: known[key] for key in KEYS if known.get(key) not in (None, "")}


def _make_id(keys: dict[str, Any]) -> str:
    """The record, what of it, and which: ``adsorb/Cd6Se6/COOH/0``."""
    parts = keys["record"].removesuffix(".json").split("/")
    adsorbate = keys.get("adsorbate")
    if adsorbate and parts[-1] != adsorbate:
        parts.append(adsorbate)
    return "/".join([*parts, *([str(keys["rank"])] if "rank" in keys else [])])
