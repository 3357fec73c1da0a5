"""All structures of a study as rows of an ASE database: SQLite, or PostgreSQL."""

from __future__ import annotations

import shlex
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from clusterflow.errors import (
    ClusterflowError,
    ConfigError,
    OutputError,
    hide_passwords,
)
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import EdgesRecord, RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import replacing
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefineGasRecord,
    RefineRecord,
    RefineRelaxRecord,
    RefineSecondRecord,
)
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.science.adsorption.chosen_minimum import choose_minimum
from clusterflow.stage_table import record_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ase import Atoms

    from clusterflow.records.files import StudyRecords
    from clusterflow.records.provenance import Record
    from clusterflow.records.refinements import SinglePoint
    from clusterflow.records.structure import Structure

Key = str | int | float | bool

# Raise it when a key changes its name or meaning, and say so in docs/database.md.
SCHEMA = 1
# Key of the advisory lock that writers of one server wait for: any fixed number.
_LOCK = 7_253_412_907
_PATIENCE_S = 10

# Short and long name and unit, as ASE shows them.
KEYS: dict[str, tuple[str, str, str]] = {
    "study": ("Study", "Name of the study", ""),
    "kind": ("Kind", "cluster, isomer, gas or adsorbed", ""),
    "cluster": ("Cluster", "Cluster, by name", ""),
    "adsorbate": ("Adsorbate", "Adsorbate, by name", ""),
    "gas": ("Gas", "Molecule, by name", ""),
    "level": ("Level", "Level of theory, by name", ""),
    "rank": ("Rank", "0 is the lowest of its kind", ""),
    "fate": ("Fate", "What became of the adsorbate", ""),
    "site": ("Site", "Kind of site", ""),
    "found_by": ("Found by", "Adsorbate that pulled the cluster into this isomer", ""),
    "chosen": ("Chosen", "The minimum that tables and diagrams are made of", ""),
    "formation_ev": ("ΔG_f", "Free energy of formation of the chosen minimum", "eV"),
    "net_charge": ("Charge", "Charge of the structure", "e"),
    "multiplicity": ("2S+1", "Spin multiplicity", ""),
    "ip_ev": ("IP", "Vertical ionisation potential of the lowest isomer", "eV"),
    "ea_ev": ("EA", "Vertical electron affinity of the lowest isomer", "eV"),
    "record": ("Record", "File below results/<study>/ that it is from", ""),
}


def write_file(records: StudyRecords, study: str, path: Path) -> None:
    """Write all geometries with their energies as SQLite, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import ase.db

    with replacing(path) as temporary:
        temporary.unlink()  # ASE makes its tables in a new file only
        try:
            with ase.db.connect(temporary, type="db", use_lock_file=False) as database:
                _write_rows(database, records, study)
        except sqlite3.Error as error:
            raise OutputError(f"{path}: cannot be written ({error})") from None


def write_server(records: StudyRecords, study: str, url: str) -> None:
    """Put a study into a PostgreSQL database, in the place of what it had there.

    All rows change at once or none does; those of other studies stay.

    Raises
    ------
    ConfigError
        If the driver is missing.
    ClusterflowError
        If the server cannot be reached, or holds rows of another schema.
    """
    with _open_server(url) as database:
        _refuse_other_schema(database, url)
        name = _make_searchable(study)
        old = database.select(study=name, columns=["id"], include_data=False)
        database.delete([row.id for row in old])
        _write_rows(database, records, study)


def try_server(url: str) -> None:
    """Look whether a PostgreSQL database can be connected to; nothing is written.

    Raises
    ------
    ConfigError
        If the driver is missing, or the server does not let one in.
    """
    psycopg2, _ = _import_driver(url)
    try:
        psycopg2.connect(url, connect_timeout=_PATIENCE_S).close()
    except psycopg2.Error as error:
        lines = hide_passwords(" ".join(str(error).split()))
        raise ConfigError(
            f"collect.database {url}: {lines}; start the server, or leave the setting "
            "out and collect later"
        ) from None


def _import_driver(url: str) -> tuple[Any, Any]:
    try:
        import psycopg2
        from ase_db_backends.postgresql import PostgreSQLDatabase
    except ImportError:
        raise ConfigError(
            f"{url}: PostgreSQL needs a driver; pip install 'clusterflow[postgresql]'"
        ) from None
    return psycopg2, PostgreSQLDatabase


@contextmanager
def _open_server(url: str) -> Iterator[Any]:
    """A database in one transaction, which nobody else of this package writes to."""
    psycopg2, server_class = _import_driver(url)
    try:
        database = server_class(url).__enter__()
        # Closed by hand: its own end of a `with` cannot roll back.
        with closing(database.connection) as connection:
            # ASE takes the largest number in the table for the row just written: with
            # two writers at once, keys would land at the other one's rows.
            connection.cursor().execute(f"SELECT pg_advisory_lock({_LOCK})")
            yield database
            connection.commit()
    except psycopg2.Error as error:
        lines = hide_passwords(" ".join(str(error).split()))
        raise ClusterflowError(f"{url}: cannot be written to ({lines})") from None


def _refuse_other_schema(database: Any, url: str) -> None:
    """Raise where rows of this package are there that have other keys than today's."""
    if not database.count("kind,record") and not database.count("kind,cluster"):
        return
    found = database.metadata.get("clusterflow", {}).get("schema", 0)
    has = f"{url}: has rows of schema {found}, this clusterflow writes {SCHEMA}"
    if found > SCHEMA:
        raise ClusterflowError(f"{has}; update clusterflow")
    if found < SCHEMA:
        raise ClusterflowError(
            f"{has}; take them out with: ase db {shlex.quote(url)} kind --delete --yes;"
            " then collect each study again"
        )


def _write_rows(database: Any, records: StudyRecords, study: str) -> None:
    name = _make_searchable(study)
    for atoms, keys in rows(records):
        known = {k: _make_searchable(v) for k, v in keys.items() if v not in (None, "")}
        # Nothing has moved since; to compare all atoms took a quarter of the time.
        atoms.calc.check_state = lambda *_: []
        database.write(atoms, key_value_pairs={"study": name, **known})
        # ASE would commit after 5000 rows, and a reader see half of a study.
        database.change_count = 0
    own = {"clusterflow": {"schema": SCHEMA}, "key_descriptions": KEYS}
    database.metadata = {**database.metadata, **own}


def _make_searchable(value: Key) -> Key:
    """A name that ASE would read as a number or truth value gets a `_` behind it.

    >>> _make_searchable("Cd6Se6"), _make_searchable("2024"), _make_searchable(2024)
    ('Cd6Se6', '2024_', 2024)
    """
    from ase.db.core import convert_str_to_int_float_bool_or_str as read_as

    is_other = isinstance(value, str) and not isinstance(read_as(value), str)
    return f"{value}_" if is_other else value


def rows(records: StudyRecords) -> Iterator[tuple[Atoms, dict[str, Any]]]:
    """Every structure with an energy, and the keys by which it is found."""
    yield from _list_cluster_rows(records)
    yield from _list_isomer_rows(records)
    for gas in records.of(GasRecord):
        if gas.structure is not None and gas.energy_ev is not None:
            keys = {"kind": "gas", "gas": gas.gas, **_describe_origin(gas)}
            yield _make_database_row(gas.structure, gas.energy_ev, keys)
    yield from _list_adsorbed_rows(records)
    yield from _list_refined_rows(records)


def _list_refined_rows(
    records: StudyRecords,
) -> Iterator[tuple[Atoms, dict[str, Any]]]:
    """Energies by DFT, at the geometries that they were computed at."""
    found: list[tuple[Any, SinglePoint | None, dict[str, Any]]] = []
    for gas in records.of(RefineGasRecord):
        found.append((gas, gas.point, {"kind": "gas", "gas": gas.gas}))
    for bare in records.of(RefineBareRecord):
        keys: dict[str, Any] = {"kind": "cluster", "cluster": bare.cluster}
        for rank, isomer in enumerate(bare.isomers):
            found.append((bare, isomer.point, {**keys, "rank": rank}))
    for refined in records.of(RefineRecord):
        keys = {"kind": "adsorbed", "cluster": refined.cluster}
        keys["adsorbate"] = refined.adsorbate
        for one in refined.minima:
            found.append((refined, one.point, {**keys, "rank": one.minimum}))
    # Gases of the same ways stand in their refine_gas record alone.
    for again in (*records.of(RefineRelaxRecord), *records.of(RefineSecondRecord)):
        keys = {"cluster": again.cluster, "rank": 0}
        found.append((again, again.bare, {"kind": "cluster", **keys}))
        for minimum in again.minima:
            keys = {"kind": "adsorbed", "cluster": again.cluster}
            keys |= {"adsorbate": minimum.adsorbate, "rank": minimum.minimum}
            found.append((again, minimum.point, keys))
    for record, point, keys in found:
        if point is not None and point.energy_ev is not None:
            keys |= {**_describe_origin(record), "level": record.dft_level.name}
            yield _make_database_row(point.structure, point.energy_ev, keys)


def _list_cluster_rows(records: StudyRecords) -> Iterator[tuple[Atoms, dict[str, Any]]]:
    vertical = {
        e.cluster: {"ip_ev": e.ip_ev, "ea_ev": e.ea_ev} for e in records.of(EdgesRecord)
    }
    for relaxed in records.of(RelaxRecord):
        for rank, isomer in enumerate(relaxed.isomers):
            keys = {"kind": "cluster", "cluster": relaxed.cluster, "rank": rank}
            keys |= {"fate": "intact", "chosen": rank == 0, **_describe_origin(relaxed)}
            keys |= vertical.get(relaxed.cluster, {}) if rank == 0 else {}
            yield _make_database_row(isomer.structure, isomer.energy_ev, keys)


def _list_isomer_rows(records: StudyRecords) -> Iterator[tuple[Atoms, dict[str, Any]]]:
    for pool in records.of(PoolRecord):
        for rank, pooled in enumerate((*pool.isomers, *pool.left_out)):
            if pooled.found_by is not None:
                keys = {"kind": "isomer", "cluster": pool.cluster, "rank": rank}
                keys |= {"found_by": pooled.found_by, **_describe_origin(pool)}
                isomer = pooled.isomer
                yield _make_database_row(isomer.structure, isomer.energy_ev, keys)


def _list_adsorbed_rows(
    records: StudyRecords,
) -> Iterator[tuple[Atoms, dict[str, Any]]]:
    formation = {
        (t.cluster, s.name): s.formation_ev
        for t in records.of(ThermoRecord)
        for s in t.species
    }
    modes = {thermo.cluster: thermo.isomers for thermo in records.of(ThermoRecord)}
    pools = {pool.cluster: pool for pool in records.of(PoolRecord)}
    without = {
        (v.cluster, v.adsorbate): v.not_minima for v in records.of(VibrateRecord)
    }
    for adsorbed in records.of(AdsorbRecord):
        mode = modes.get(adsorbed.cluster, "fixed_core_first")
        out = without.get((adsorbed.cluster, adsorbed.adsorbate), ())
        best = choose_minimum(adsorbed, mode, pools.get(adsorbed.cluster), out)
        dg_ev = formation.get((adsorbed.cluster, f"*{adsorbed.adsorbate}"))
        for rank, minimum in enumerate(adsorbed.minima):
            keys = {"kind": "adsorbed", "cluster": adsorbed.cluster, "rank": rank}
            keys |= {"adsorbate": adsorbed.adsorbate, **_describe_origin(adsorbed)}
            keys |= {"fate": minimum.fate, "site": minimum.site_kind}
            # A free energy is of one minimum: the others have none.
            keys |= {"chosen": rank == best}
            keys |= {"formation_ev": dg_ev if rank == best else None}
            yield _make_database_row(minimum.structure, minimum.energy_ev, keys)


def _describe_origin(record: Record) -> dict[str, str]:
    level = getattr(record, "level", None)
    return {
        "level": level.name if level else "none",
        "record": str(record_name(record)),
    }


def _make_database_row(
    structure: Structure, energy_ev: float, keys: dict[str, Any]
) -> tuple[Atoms, dict[str, Any]]:
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = to_atoms(structure)
    atoms.calc = SinglePointCalculator(atoms, energy=energy_ev)
    spin = {"net_charge": structure.charge, "multiplicity": structure.multiplicity}
    return atoms, {**keys, **spin}
