"""A study as entries of NOMAD: an archive file a cluster, which defines what it holds.

NOMAD's parser of ``*.archive.json`` reads data together with their definitions, so that
no plugin is needed (M. Scheidgen et al., J. Open Source Softw. 8, 5388, 2023,
doi:10.21105/joss.05388).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from clusterflow.errors import RecordError
from clusterflow.records.files import write_atomic
from clusterflow.results.columns import COLUMNS, TABLE_COLUMNS, Column
from clusterflow.results.structure_files import list_structures, refuse_full_folder
from clusterflow.results.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ase import Atoms

    from clusterflow.records.files import StudyRecords

# What is of one cluster: the tables that NOMAD gets. The others compare or count.
_TABLES: Final = ("energies", "minima", "isomers", "steps", "potentials", "edges")
_TYPES: Final = {
    "text": "string",
    "number": "np.float64",
    "integer": "np.int64",
    "truth": "bool",
}
_UNITS: Final = {
    "_ev": "eV",
    "_v": "V",
    "_v_rhe": "V",
    "_v_she": "V",
    "_k": "K",
}
# Those keys of a structure that are in no table.
_OF_STRUCTURES: Final = {
    "id": Column("text", "Record, what of it, and which."),
    "kind": Column("text", "`cluster`, `isomer` or `adsorbed`."),
    "adsorbate": Column("text", "Adsorbate, by name."),
    "chosen": Column("truth", "Whether it is the minimum that counts."),
}
_ALSO_OF_STRUCTURES: Final = (
    *("level", "charge", "multiplicity", "energy_ev", "gibbs_ev", "formation_ev"),
    *("temperature_k", "status", "flags"),
)


def write_nomad(records: StudyRecords, folder: Path) -> int:
    """An archive file for each cluster, into an empty folder; how many there are.

    Raises
    ------
    RecordError
        If the study has no cluster with a result.
    OutputError
        If the folder holds something: what is no more would stay among the new files.
    """
    contents: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    for table in _TABLES:
        for row in TABLES[table](records):
            known = {
                key: value for key, value in row.items() if value not in (None, "")
            }
            contents[str(row["cluster"])].setdefault(table, []).append(known)
    if not contents:
        raise RecordError(f"{records.folder}: has no results of a cluster to export")
    compositions = {}
    for atoms in list_structures(records):
        if cluster := atoms.info.get("cluster"):
            found = contents[cluster].setdefault("structures", [])
            found.append(_describe_structure(atoms))
            if atoms.info["kind"] == "cluster":
                compositions[cluster] = _describe_composition(atoms)
    refuse_full_folder(folder)
    definitions = {"name": "clusterflow", "sections": {"Cluster": _define_entry()}}
    study = records.folder.resolve().name
    for cluster, rows in contents.items():
        data = {
            "m_def": "#/definitions/section_definitions/0",
            "name": f"{cluster}, clusterflow study {study}",
            "elemental_composition": compositions.get(cluster, []),
            "cluster": cluster,
            "study": study,
            **rows,
        }
        archive = {"definitions": definitions, "data": data}
        text = json.dumps(archive, ensure_ascii=False, allow_nan=False, indent=1)
        write_atomic(folder / f"{cluster}.archive.json", text)
    return len(contents)


def _describe_structure(atoms: Atoms) -> dict[str, Any]:
    keys = (*_OF_STRUCTURES, *_ALSO_OF_STRUCTURES)
    return {
        **{key: atoms.info[key] for key in keys if key in atoms.info},
        "symbols": atoms.get_chemical_symbols(),
        "positions": atoms.positions.tolist(),
        **({"cell": atoms.cell.tolist()} if atoms.cell.rank else {}),
    }


def _describe_composition(atoms: Atoms) -> list[dict[str, Any]]:
    """By this NOMAD finds entries by their elements."""
    counts = Counter(atoms.get_chemical_symbols())
    return [
        {"element": element, "atomic_fraction": count / len(atoms)}
        for element, count in sorted(counts.items())
    ]


def _define_entry() -> dict[str, Any]:
    """The entry: a subsection for each table, which has a section for each row."""
    vectors = {"type": "np.float64", "unit": "angstrom"}
    tables = {table: _define_quantities(TABLE_COLUMNS[table]) for table in _TABLES}
    tables["structures"] = {
        **_define_quantities((*_OF_STRUCTURES, *_ALSO_OF_STRUCTURES)),
        "symbols": {"type": "string", "shape": ["*"], "description": "Elements."},
        "positions": {**vectors, "shape": ["*", 3], "description": "Of each atom."},
        "cell": {**vectors, "shape": [3, 3], "description": "Of a periodic support."},
    }
    return {
        "base_sections": [
            "nomad.datamodel.metainfo.basesections.v1.System",
            "nomad.datamodel.data.EntryData",
        ],
        "quantities": {
            "cluster": _define_quantity("cluster", COLUMNS["cluster"]),
            "study": {"type": "string", "description": "Study, by name."},
        },
        "sub_sections": {
            table: {"repeats": True, "section": {"quantities": quantities}}
            for table, quantities in tables.items()
        },
    }


def _define_quantities(names: Sequence[str]) -> dict[str, Any]:
    known: Mapping[str, Column] = {**COLUMNS, **_OF_STRUCTURES}
    return {name: _define_quantity(name, known[name]) for name in names}


def _define_quantity(name: str, column: Column) -> dict[str, Any]:
    units = [unit for ending, unit in _UNITS.items() if name.endswith(ending)]
    return {
        "type": _TYPES[column.kind],
        "description": column.meaning,
        **({"unit": units[0]} if units else {}),
    }
