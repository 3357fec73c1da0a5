"""A person's own energies: a table, an ASE database or a folder of outputs.

ASE's energies are eV, so neither a database nor an output needs to say its unit. Both
hold the atoms as well, and a species is held against them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clusterflow.errors import ConfigError
from clusterflow.library.find import describe_error
from clusterflow.library.own_tables import read_rows
from clusterflow.records.xyz_files import refuse_wrong_count
from clusterflow.science.reactions.own_free_energies import OwnEnergyRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ase import Atoms

    from clusterflow.library.find import Library

# Keys of a database that are columns of a table; `level` says what made the number.
_KEYS = (
    *("species", "state", "surface", "energy_kind", "gibbs_ev", "frequencies_cm1"),
    *("pressure_pa", "symmetry_number", "spin", "level"),
)
# What is read of a subfolder with several files, first match first.
_OUTPUTS = (
    *("OUTCAR", "vasprun.xml", "*.extxyz", "*.traj", "*.xml", "*.out", "*.log"),
    *("*.txt", "*.xyz"),
)
_FREQUENCIES = "frequencies_cm1.txt"
_GAS = "gas_"
_CLEAN = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Computed:
    """A row, the atoms it is of, and where both stand."""

    row: OwnEnergyRow
    counts: Counter[str]
    where: str


def read_energies(path: Path, library: Library) -> list[OwnEnergyRow]:
    """The rows of a table, of a database or of a folder.

    Raises
    ------
    ConfigError
        Which names the file, the entry and what is wrong.
    """
    if path.is_dir():
        computed = list(_read_folder_rows(path))
    elif path.suffix in (".db", ".json"):
        computed = list(_read_database_rows(path))
    else:
        return read_rows(path, OwnEnergyRow)
    if not computed:
        raise ConfigError(
            f"{path}: holds no energies; see docs/che.md for what is read"
        )
    _check_atoms(computed, library)
    return [item.row for item in computed]


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
        where = f"{path}: id {row.id}"
        keys = {key: row.get(key) for key in _KEYS if row.get(key) is not None}
        keys |= {k: v for k, v in row.data.items() if k == "frequencies_cm1"}
        if missing := [key for key in ("species", "state") if key not in keys]:
            raise ConfigError(
                f"{where}: has no key {missing[0]!r}; an entry needs species, state "
                "(gas, ads or clean) and, unless it is a gas, surface"
            )
        if row.get("calculator", "unknown") != "unknown":
            keys.setdefault("level", row.calculator)
        if row.get("energy") is not None:
            keys["energy_ev"] = row.energy
        counts = Counter(row.toatoms().get_chemical_symbols())
        yield _Computed(row=_validate_row(keys, where), counts=counts, where=where)


def _read_folder_rows(folder: Path) -> Iterator[_Computed]:
    """Rows of a folder: its name is the surface, its entries are the species."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(_FREQUENCIES):
            continue
        name = path.name if path.is_dir() else path.name.partition(".")[0]
        file = _find_output(path) if path.is_dir() else path
        atoms = _read_output(file)
        keys: dict[str, Any] = _parse_entry_name(name, folder.resolve().name)
        keys["energy_ev"] = _read_energy_ev(atoms, file)
        frequencies = _read_frequencies(path, name, atoms)
        if frequencies is not None:
            keys["frequencies_cm1"] = frequencies
        counts = Counter(atoms.get_chemical_symbols())
        yield _Computed(
            row=_validate_row(keys, str(file)), counts=counts, where=str(file)
        )


def _parse_entry_name(name: str, surface: str) -> dict[str, Any]:
    """What the name of an entry says: gas_CO, clean or COOH."""
    if name.startswith(_GAS):
        return {"species": name.removeprefix(_GAS), "state": "gas"}
    state = "clean" if name == _CLEAN else "ads"
    return {"species": name, "state": state, "surface": surface}


def _find_output(folder: Path) -> Path:
    """The file of a subfolder that holds the energy."""
    for pattern in _OUTPUTS:
        found = sorted(p for p in folder.glob(pattern) if p.name != _FREQUENCIES)
        if len(found) > 1:
            names = ", ".join(p.name for p in found)
            raise ConfigError(f"{folder}: holds {names}; leave the one to be read")
        if found:
            return found[0]
    raise ConfigError(
        f"{folder}: holds no output; looked for, in this order: {', '.join(_OUTPUTS)}"
    )


def _read_output(path: Path) -> Atoms:
    """The last structure of an output."""
    import ase.io

    if path.suffix in (".xyz", ".extxyz"):
        refuse_wrong_count(path)
    # ASE's readers of some sixty formats raise whatever they meet.
    try:
        atoms = ase.io.read(path, index=-1)
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


def _read_frequencies(path: Path, name: str, atoms: Atoms) -> Any:
    """Wavenumbers, cm⁻¹, beside the output or inside an extended XYZ; None without."""
    beside = (
        path / _FREQUENCIES
        if path.is_dir()
        else path.with_name(f"{name}.{_FREQUENCIES}")
    )
    if beside.is_file():
        return ";".join(beside.read_text(encoding="utf-8").split())
    inside = atoms.info.get("frequencies_cm1")
    return None if inside is None else [float(w) for w in _wrap_scalar(inside)]


def _wrap_scalar(value: Any) -> Sequence[Any]:
    return value if hasattr(value, "__len__") else [value]


def _validate_row(keys: Mapping[str, Any], where: str) -> OwnEnergyRow:
    try:
        return OwnEnergyRow.model_validate(keys)
    except ValidationError as error:
        reason = describe_error(error)
    except ValueError as error:
        reason = str(error)
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
