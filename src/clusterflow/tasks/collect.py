"""Stage collect: every record into one database and a few tables."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterflow.core.adsorption import USABLE_FATES
from clusterflow.io import StudyRecords, to_atoms, write_atomic
from clusterflow.records import CollectRecord, Structure
from clusterflow.tables import TABLES, to_csv
from clusterflow.tasks.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase import Atoms

    from clusterflow.library import Library
    from clusterflow.tasks.job import Job


def collect(
    records: StudyRecords, folder: Path, study: str, library: Library, job: Job
) -> CollectRecord:
    """Write tables, gates and ``results.db`` to a folder, each whole or not at all."""
    written = []
    n_failures = 0
    for name, make_rows in TABLES.items():
        rows = list(make_rows(records))
        write_atomic(folder / f"{name}.csv", to_csv(name, rows))
        written.append(f"{name}.csv")
        if name == "failures":
            n_failures = len(rows)
    gates = [{**asdict(gate)} for gate in verify(records, library)]
    write_atomic(folder / "gates.csv", to_csv("gates", gates))
    write_database(records, folder / "results.db")
    return CollectRecord(
        study=study,
        tables=(*written, "gates.csv", "results.db"),
        n_records=len(records.all()),
        n_failures=n_failures,
        provenance=job.provenance(),
    )


def write_database(records: StudyRecords, path: Path) -> None:
    """All geometries with their energies as an ASE database (SQLite)."""
    import ase.db

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".db")
    os.close(handle)
    Path(temporary).unlink()
    try:
        with ase.db.connect(temporary, type="db", use_lock_file=False) as database:
            for atoms, keys in _rows(records):
                database.write(atoms, key_value_pairs=keys)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _rows(records: StudyRecords) -> Iterator[tuple[Atoms, dict[str, Any]]]:
    formation = {
        (t.cluster, s.name): s.formation_ev for t in records.thermo for s in t.species
    }
    vertical = {e.cluster: {"ip_ev": e.ip_ev, "ea_ev": e.ea_ev} for e in records.edges}
    for relaxed in records.relaxations:
        for rank, isomer in enumerate(relaxed.isomers):
            keys: dict[str, Any] = {
                "kind": "cluster",
                "cluster": relaxed.cluster,
                "rank": rank,
            }
            keys |= {"level": _level(relaxed), "fate": "intact"}
            if rank == 0:
                found = vertical.get(relaxed.cluster, {})
                keys |= {k: v for k, v in found.items() if v is not None}
            yield _with_energy(isomer.structure, isomer.energy_ev), keys
    for pool in records.pools:
        for rank, pooled in enumerate((*pool.isomers, *pool.left_out)):
            if pooled.found_by is not None:
                keys = {"kind": "isomer", "cluster": pool.cluster, "rank": rank}
                keys |= {"found_by": pooled.found_by, "level": _level(pool)}
                isomer = pooled.isomer
                yield _with_energy(isomer.structure, isomer.energy_ev), keys
    for gas in records.gases:
        if gas.structure is not None and gas.energy_ev is not None:
            keys = {"kind": "gas", "gas": gas.gas, "level": gas.level.name}
            yield _with_energy(gas.structure, gas.energy_ev), keys
    for adsorbed in records.adsorptions:
        dg = formation.get((adsorbed.cluster, f"*{adsorbed.adsorbate}"))
        for rank, minimum in enumerate(adsorbed.minima):
            keys = {"kind": "adsorbed", "cluster": adsorbed.cluster, "rank": rank}
            keys |= {"adsorbate": adsorbed.adsorbate, "level": _level(adsorbed)}
            keys |= {"fate": minimum.fate, "site": minimum.site_kind}
            if dg is not None and minimum.fate in USABLE_FATES:
                keys["best_formation_ev"] = dg
            yield _with_energy(minimum.structure, minimum.energy_ev), keys


def _level(record: object) -> str:
    level = getattr(record, "level", None)
    return level.name if level else "none"


def _with_energy(structure: Structure, energy_ev: float) -> Atoms:
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = to_atoms(structure)
    atoms.calc = SinglePointCalculator(atoms, energy=energy_ev)
    return atoms
