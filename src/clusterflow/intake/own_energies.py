"""A person's own energies: a table, an ASE database or a tree of outputs.

ASE's energies are eV, so neither a database nor an output needs to say its unit. Both
hold the atoms as well, and a species is held against them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clusterflow.errors import ConfigError
from clusterflow.intake.cathub_export import read_cathub_export
from clusterflow.intake.energy_columns import read_cell, read_columns, read_names
from clusterflow.intake.energy_table import read_energy_table
from clusterflow.intake.output_folder import (
    FREQUENCIES,
    Entry,
    find_output,
    find_vibrations,
    list_entries,
)
from clusterflow.intake.wavenumbers import has_vasp_modes, read_wavenumbers
from clusterflow.library.energy_rows import Origin, OwnEnergyRow
from clusterflow.library.find import describe_error
from clusterflow.records.xyz_files import refuse_wrong_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ase import Atoms
    from ase.db.row import AtomsRow

    from clusterflow.library.find import Library

# Keys of a database that are columns of a table; others are a person's own.
_KEYS = {*OwnEnergyRow.model_fields, "multiplicity"} - {"origin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Computed:
    """A row, the atoms it is of, and where both stand."""

    row: OwnEnergyRow
    counts: Counter[str]
    where: str


def read_energies(path: Path, library: Library) -> list[OwnEnergyRow]:
    """The rows of a table, of a database or of a tree of outputs.

    Raises
    ------
    ConfigError
        Which names the file, the entry and what is wrong.
    """
    if path.is_dir():
        computed = list(_read_folder_rows(path, library))
    elif (
        path.suffix == ".json"
        and path.is_file()
        and (reactions := read_cathub_export(path))
    ):
        return reactions
    elif path.suffix in (".db", ".json"):
        computed = list(_read_database_rows(path))
    else:
        return read_energy_table(path)
    if not computed:
        raise ConfigError(
            f"{path}: holds no energies; see docs/che.md for what is read"
        )
    _check_atoms(computed, library)
    return [item.row for item in computed]


def describe_rows(rows: Sequence[OwnEnergyRow]) -> str:
    """What was read, as lines of text: one a row, in the units that are used."""
    heads = (
        "species",
        "state",
        "surface",
        "site",
        "E or G / eV",
        "modes / cm⁻¹",
        "from",
    )
    table = [heads, *map(_list_shown_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)


def _list_shown_cells(row: OwnEnergyRow) -> tuple[str, ...]:
    kind, energy = (
        ("G", row.gibbs_ev) if row.energy_ev is None else ("E", row.energy_ev)
    )
    modes = [f"{mode:.0f}" for mode in sorted(row.frequencies_cm1 or ())]
    ends = "-".join(dict.fromkeys((modes[0], modes[-1]))) if modes else ""
    shown = f"{len(modes)}: {ends}" if modes else "-"
    return (
        *(row.species, row.state, row.surface or "-", row.site or "-"),
        *(f"{kind} {energy:.3f}", shown, str(row.origin)),
    )


def _read_database_rows(path: Path) -> Iterator[_Computed]:
    """Rows of an ASE database; `frequencies_cm1` may be a key or stand in the data."""
    import ase.db

    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    # What ase.db raises for a file that is none depends on its backend.
    try:
        rows = list(ase.db.connect(path).select())
    except Exception as error:
        raise ConfigError(f"{path}: not an ASE database ({error})") from None
    for row in rows:
        where = Origin(file=str(path), row=f"id {row.id}")
        keys = _read_database_keys(row, where)
        if row.get("calculator", "unknown") != "unknown":
            keys.setdefault("level", row.calculator)
        if row.get("energy") is not None:
            keys["energy_ev"] = row.energy
        counts = Counter(row.toatoms().get_chemical_symbols())
        yield _Computed(row=_validate_row(keys, where), counts=counts, where=str(where))


def _read_database_keys(row: AtomsRow, where: Origin) -> dict[str, Any]:
    """Keys and data that are columns of a table; a name may be a number, as 111."""
    pairs = dict(row.key_value_pairs)
    pairs |= {k: v for k, v in row.data.items() if k.startswith("frequencies")}
    columns = {
        key: column
        for key, column in read_columns(pairs, {}).items()
        if column.field in _KEYS
    }
    cells: dict[str, Any] = {}
    try:
        for key, column in columns.items():
            texts = OwnEnergyRow.model_fields.get(column.field)
            is_text = texts is not None and texts.annotation is str
            value = str(pairs[key]) if is_text else pairs[key]
            cells[column.field] = read_cell(column, value, "none")
        if "species" not in cells:
            raise ValueError("has no key 'species'")
        names = read_names(cells)
        if not {"state", "surface"} & cells.keys() and names["state"] == "gas":
            raise ValueError("has no key 'state'")
    except ValueError as error:
        advice = (
            "; an entry needs species, state (gas, ads or clean) and, unless it is a "
            "gas, surface"
        )
        lacks = str(error).startswith("has no key")
        raise ConfigError(f"{where}: {error}{advice if lacks else ''}") from None
    return names


def _read_folder_rows(root: Path, library: Library) -> Iterator[_Computed]:
    """Rows of a tree of outputs."""
    for entry in list_entries(root, library):
        file = find_output(entry)
        where = Origin(file=str(file))
        if entry.is_gas and entry.names["species"] not in library.paths("gases"):
            raise ConfigError(
                f"{where}: {entry.names['species']!r} is no gas of the library "
                f"(clusterflow list gases); name the file or folder by its formula, "
                "such as C2H6, or add it to structures/gases"
            )
        atoms = _read_output(file)
        keys: dict[str, Any] = {
            **entry.names,
            "energy_ev": _read_energy_ev(atoms, file),
        }
        frequencies = _read_frequencies(entry, file, atoms, library)
        if frequencies is not None:
            keys["frequencies_cm1"] = frequencies
        counts = Counter(atoms.get_chemical_symbols())
        yield _Computed(row=_validate_row(keys, where), counts=counts, where=str(file))


def _read_output(path: Path) -> Atoms:
    """The last structure of an output; of finite differences the one not displaced."""
    import ase.io

    if path.suffix in (".xyz", ".extxyz"):
        refuse_wrong_count(path)
    # ASE's readers of some sixty formats raise whatever they meet.
    try:
        atoms = ase.io.read(path, index=0 if has_vasp_modes(path) else -1)
    except Exception as error:
        raise ConfigError(
            f"{path}: not an output ASE can read ({type(error).__name__}: {error})"
        ) from None
    return atoms


def _read_energy_ev(atoms: Atoms, path: Path) -> float:
    if atoms.calc is None or "energy" not in atoms.calc.results:
        raise ConfigError(
            f"{path}: holds a structure but no energy; "
            "give the output of the calculation"
        )
    return float(atoms.calc.results["energy"])


def _read_frequencies(entry: Entry, file: Path, atoms: Atoms, library: Library) -> Any:
    """Wavenumbers, cm⁻¹: beside the output, inside it, or in a folder of their own."""
    path = entry.where
    name = path.name.partition(".")[0]
    beside = (
        path / FREQUENCIES if path.is_dir() else path.with_name(f"{name}.{FREQUENCIES}")
    )
    if beside.is_file():
        return ";".join(beside.read_text(encoding="utf-8").split())
    inside = atoms.info.get("frequencies_cm1")
    if inside is not None:
        return [float(w) for w in (inside if hasattr(inside, "__len__") else [inside])]
    n_modes = _count_modes(entry.names["species"], library) if entry.is_gas else None
    return read_wavenumbers(find_vibrations(entry) or file, n_modes)


def _count_modes(gas: str, library: Library) -> int:
    """Vibrations of a molecule."""
    import numpy as np

    positions = np.array([line[1:] for line in library.gas(gas).atoms])
    n_axes = np.linalg.matrix_rank(positions - positions[0], tol=1e-3)
    return 3 * len(positions) - {0: 3, 1: 5}.get(int(n_axes), 6)


def _validate_row(keys: Mapping[str, Any], where: Origin) -> OwnEnergyRow:
    try:
        row = OwnEnergyRow.model_validate(keys)
    except ValidationError as error:
        reason = describe_error(error)
    except ValueError as error:
        reason = str(error)
    else:
        return row.model_copy(update={"origin": where})
    raise ConfigError(f"{where} ({keys['species']}): {reason}")


def _check_atoms(computed: Sequence[_Computed], library: Library) -> None:
    """Refuse an energy of other atoms than its species has."""
    clean = {c.row.surface: c.counts for c in computed if c.row.state == "clean"}
    for item in computed:
        row = item.row
        if row.state == "gas":
            expected = library.gas(row.species).counts
        elif row.state == "ads" and row.surface in clean:
            expected = clean[row.surface] + library.adsorbate(row.species).counts
        else:
            continue
        if item.counts != expected:
            raise ConfigError(
                f"{item.where} ({row.species}): holds {_format_formula(item.counts)}, "
                f"but {row.species} ({row.state}) is {_format_formula(expected)}"
            )


def _format_formula(counts: Mapping[str, int]) -> str:
    return "".join(f"{e}{n if n > 1 else ''}" for e, n in sorted(counts.items()))
