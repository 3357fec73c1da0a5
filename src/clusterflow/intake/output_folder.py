"""A tree of outputs: which of them is which species, on which surface.

The tree may be one surface, ``COOH/OUTCAR`` or ``COOH.extxyz``; several, one folder
each, with gases in a folder ``gas``; or the folders of CatHub. A calculation of
vibrations may stand in a folder ``vib`` below its species.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError
from clusterflow.intake.energy_columns import read_names
from clusterflow.intake.table_file import fold_heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clusterflow.library.find import Library

# What is read of a subfolder with several files, first match first.
OUTPUTS = (
    *("OUTCAR", "vasprun.xml", "*.extxyz", "*.traj", "*.xml", "*.out", "*.log"),
    *("*.txt", "*.xyz"),
)
FREQUENCIES = "frequencies_cm1.txt"
_BY_NAME = ("OUTCAR", "vasprun.xml")
_GAS = "gas_"
_GAS_FOLDERS = ("gas", "gases", "gas_phase", "molecules")
_CLEAN = ("clean", "slab", "bare", "surface", "empty_slab", "clean_slab")
_VIBRATIONS = ("vib", "vibs", "vibrations", "freq", "freqs", "frequencies")
# CatHub keeps a bulk beside its surfaces, and transition states beside adsorbates.
_NO_SPECIES = ("_bulk", "bulk")
# Its files about the data, and the places it keeps for what is not there yet.
_ABOUT = ("publication.txt", "energy_corrections.txt")
_MISSING = "MISSING:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A species of a tree, and the files that say something of it."""

    names: dict[str, str]
    where: Path
    folders: tuple[str, ...]

    @property
    def is_gas(self) -> bool:
        """Whether it belongs to no surface."""
        return self.names["state"] == "gas"


def list_entries(root: Path, library: Library) -> list[Entry]:
    """Every species of a tree, with `surface` among its names.

    A surface is called after its folders below those that all share; a tree of one
    surface after its last folder.

    Raises
    ------
    ConfigError
        If a name contradicts its folder.
    """
    found = list(_walk(root, (), library))
    places = dict.fromkeys(entry.folders for entry in found if not entry.is_gas)
    called = _call_surfaces(list(places), root.resolve().name)
    return [
        entry
        if entry.is_gas
        else Entry(
            names={**entry.names, "surface": called[entry.folders]},
            where=entry.where,
            folders=entry.folders,
        )
        for entry in found
    ]


def _walk(folder: Path, folders: tuple[str, ...], library: Library) -> Iterator[Entry]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", _MISSING)) or path.name.endswith(FREQUENCIES):
            continue
        # The database it is collected into stands in the tree.
        if path.name in _ABOUT or path.suffix == ".db":
            continue
        if path.is_dir() and not _is_entry(path, library):
            below = path.name
            # A folder of CatHub for one reaction is of the surface around it.
            is_own = fold_heading(below) in _GAS_FOLDERS or "__" in below
            deeper = folders if is_own and "__" in below else (*folders, below)
            yield from _walk(path, deeper, library)
        elif not _is_no_species(path, top=not folders):
            name = path.name if path.is_dir() else path.name.partition(".")[0]
            names = _read_entry_name(name, folders, path)
            yield Entry(names=names, where=path, folders=folders)


def _is_no_species(path: Path, *, top: bool) -> bool:
    """Whether a file below the first level is of something else than a species."""
    stem = path.name.partition(".")[0]
    if path.is_dir() or top:
        return False
    return stem.endswith(_NO_SPECIES) or stem.startswith("TS") or not _is_output(path)


def _is_output(path: Path) -> bool:
    return any(path.match(pattern) for pattern in OUTPUTS)


def _is_entry(folder: Path, library: Library) -> bool:
    """Whether a folder is one species, and not a surface with several."""
    inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if any(path.name in _BY_NAME for path in inside) or _is_species(
        folder.name, library
    ):
        return True
    if fold_heading(folder.name) in _GAS_FOLDERS:
        return False
    below = [
        path
        for path in inside
        if path.is_dir() and fold_heading(path.name) not in _VIBRATIONS
    ]
    stems = (path.name.partition(".")[0] for path in inside if _is_output(path))
    return not below and not any(_is_species(stem, library) for stem in stems)


def _is_species(name: str, library: Library) -> bool:
    """Whether a name is one of a species, dressed or not."""
    if fold_heading(name) in _CLEAN or name.startswith(_GAS):
        return True
    bare = read_names({"species": name, "surface": "s"})["species"]
    return bare in library.paths("adsorbates") or bare in library.paths("gases")


def _read_entry_name(name: str, folders: Sequence[str], where: Path) -> dict[str, str]:
    """What the name of an entry and its folders say: gas_CO, clean, COOH, H-fcc."""
    in_gas = any(fold_heading(folder) in _GAS_FOLDERS for folder in folders)
    if name.startswith(_GAS):
        return {"species": name.removeprefix(_GAS), "state": "gas"}
    if fold_heading(name) in _CLEAN:
        return {"species": name, "state": "clean"}
    cells = {"species": name, "surface": "" if in_gas else "s"}
    try:
        names = read_names({**cells, **({"state": "gas"} if in_gas else {})})
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
    return {key: str(value) for key, value in names.items() if key != "surface"}


def _call_surfaces(
    places: Sequence[tuple[str, ...]], root: str
) -> dict[tuple[str, ...], str]:
    """The name of each folder of a surface."""
    if len(places) < 2:
        return {place: place[-1] if place else root for place in places}
    shared = 0
    while all(len(p) > shared and p[shared] == places[0][shared] for p in places):
        shared += 1
    return {place: "-".join(place[shared:]) or root for place in places}


def find_output(entry: Entry) -> Path:
    """The file that holds the energy of an entry.

    Raises
    ------
    ConfigError
        If there is none, or more than one.
    """
    folder = entry.where
    if not folder.is_dir():
        return folder
    for pattern in OUTPUTS:
        found = sorted(p for p in folder.glob(pattern) if p.name != FREQUENCIES)
        if len(found) > 1:
            names = ", ".join(p.name for p in found)
            raise ConfigError(f"{folder}: holds {names}; leave the one to be read")
        if found:
            return found[0]
    raise ConfigError(
        f"{folder}: holds no output; looked for, in this order: {', '.join(OUTPUTS)}"
    )


def find_vibrations(entry: Entry) -> Path | None:
    """The output of a calculation of vibrations in a folder of its own, if any."""
    if not entry.where.is_dir():
        return None
    for folder in sorted(entry.where.iterdir()):
        if folder.is_dir() and fold_heading(folder.name) in _VIBRATIONS:
            return find_output(Entry(names=entry.names, where=folder, folders=()))
    return None
