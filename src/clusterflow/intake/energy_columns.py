"""What columns and cells of a person's table mean: units, numbers and names.

A heading is a quantity and its unit, ``energy_kj_mol`` or ``Energy (kJ/mol)``; the unit
may also stand in a row of units below it. What could mean two things is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clusterflow.intake.table_file import SPECIES_HEADINGS, fold_heading
from clusterflow.units import (
    EV_PER_WAVENUMBER,
    HARTREE_EV,
    KJ_PER_MOL_PER_EV,
    PLANCK_EV_S,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.intake.table_file import TableRow

_EV = {
    "ev": 1.0,
    "mev": 1e-3,
    "kj_mol": 1 / KJ_PER_MOL_PER_EV,
    "kcal_mol": 4.184 / KJ_PER_MOL_PER_EV,
    "hartree": HARTREE_EV,
    "ha": HARTREE_EV,
    "ry": HARTREE_EV / 2,
    "rydberg": HARTREE_EV / 2,
}
_CM1 = {
    "cm1": 1.0,
    "mev": 1e-3 / EV_PER_WAVENUMBER,
    "thz": 1e12 * PLANCK_EV_S / EV_PER_WAVENUMBER,
}
_PA = {"pa": 1.0, "kpa": 1e3, "mbar": 100.0, "bar": 1e5, "atm": 101325.0}
# Quantities with a unit: the field of a row, and what a unit is in that of the field.
_QUANTITIES = {
    **{
        name: (f"{name}_ev", _EV)
        for name in ("energy", "gibbs", "zpe", "cp", "ts", "correction", "solvation")
    },
    **dict.fromkeys(("deviation", "std", "sigma"), ("deviation_ev", _EV)),
    **dict.fromkeys(
        ("frequencies", "frequency", "freq", "wavenumbers", "vibrations"),
        ("frequencies_cm1", _CM1),
    ),
    "pressure": ("pressure_pa", _PA),
}
# Other headings for fields without a unit.
_ALIASES = {
    **dict.fromkeys(SPECIES_HEADINGS, "species"),
    **{"phase": "state", "slab": "surface", "facet": "surface", "comment": "note"},
    **{"coverage": "note", "notes": "note", "functional": "level", "method": "level"},
    **{"symmetry": "symmetry_number", "kind": "energy_kind"},
}
_NUMBERS = {"symmetry_number", "spin", "multiplicity"}
_STATES = {
    **dict.fromkeys(("gas", "g", "molecule", "gas_phase"), "gas"),
    **dict.fromkeys(("ads", "s", "adsorbed", "adsorbate", "surface"), "ads"),
    **dict.fromkeys(("clean", "slab", "bare", "clean_surface"), "clean"),
}
# Words for a site that people hang on a name, as in H-fcc.
_SITES = (
    *("top", "ontop", "atop", "bridge", "brg", "br", "hollow", "hol", "fcc", "hcp"),
    *("fourfold", "4fold", "3fold", "threefold", "step", "edge", "corner", "terrace"),
)
_ON_SITE = re.compile(rf"(?P<name>.+?)[-_@ ](?P<site>{'|'.join(_SITES)})", re.I)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a heading means: a field of a row, and its unit in that of the field."""

    heading: str
    field: str
    factor: float = 1.0
    units: tuple[str, ...] = ()


def read_columns(
    headings: Iterable[str], units: Mapping[str, str]
) -> dict[str, Column]:
    """What each heading means.

    Parameters
    ----------
    headings
        As they were typed.
    units
        Cells of a row of units, by heading.

    Raises
    ------
    ValueError
        If a row of units contradicts a heading, or two columns are one field.

    Examples
    --------
    >>> columns = read_columns(["Species", "energy_kcal_mol"], {})
    >>> columns["Species"].field, round(columns["energy_kcal_mol"].factor, 4)
    ('species', 0.0434)
    """
    return {h: _read_column(h, units.get(h, "")) for h in headings}


def _read_column(heading: str, unit: str) -> Column:
    folded = fold_heading(heading)
    below = fold_heading(unit)
    for quantity, (field, factors) in _QUANTITIES.items():
        if folded != quantity and not folded.startswith(f"{quantity}_"):
            continue
        own = folded.removeprefix(quantity).lstrip("_")
        if own and below and below in factors and below != own:
            raise ValueError(
                f"column {heading!r}: the row below says {unit!r}; write one unit"
            )
        factor = factors.get(own or below)
        if factor is not None:
            named = tuple(u for u, f in factors.items() if f == factor)
            return Column(heading=heading, field=field, factor=factor, units=named)
    return Column(heading=heading, field=_ALIASES.get(folded, folded))


def take_units_row(
    rows: Sequence[TableRow],
) -> tuple[dict[str, str], Sequence[TableRow]]:
    """The cells of a row of units below the headings, and the rows without it."""
    every = {*_EV, *_CM1, *_PA}
    cells = {h: str(c) for h, c in rows[0].cells.items()}
    units = {h: c for h, c in cells.items() if fold_heading(c) in every}
    dashes = {h for h, c in cells.items() if not c.strip("-–—() ")}
    if units and len(units) + len(dashes) == len(cells):
        return units, rows[1:]
    return {}, rows


def decide_comma(rows: Sequence[TableRow], columns: Mapping[str, Column]) -> str:
    """What a comma inside a number is: ``decimal``, ``thousands`` or ``unknown``.

    One table has one habit: a point somewhere, or a number that has four digits and no
    comma, tells which.
    """
    texts = [
        tidy_number(cell)
        for row in rows
        for heading, cell in row.cells.items()
        if isinstance(cell, str) and _is_number(columns[heading])
    ]
    with_comma = [text for text in texts if "," in text]
    if not with_comma:
        return "none"
    like_thousands = all(_THOUSANDS.fullmatch(text) for text in with_comma)
    has_point = any("." in text for text in texts)
    if has_point:
        return "thousands" if like_thousands else "unknown"
    if not like_thousands or any(re.search(r"\d{4}", text) for text in texts):
        return "decimal"
    return "unknown"


def _is_number(column: Column) -> bool:
    """Whether a column holds one number a cell."""
    return (
        bool(column.units) and column.field != "frequencies_cm1"
    ) or column.field in _NUMBERS


def tidy_number(text: str) -> str:
    """A number with a plain minus and without the spaces between groups of digits."""
    return re.sub(r"(?<=\d)[\u00a0\u202f' ](?=\d{3}\b)", "", _tidy_minus(text))


def _tidy_minus(text: str) -> str:
    return text.strip().replace("\u2212", "-").replace("–", "-")


def read_cell(column: Column, cell: Any, comma: str) -> Any:
    """The value of a cell, in the unit of its field.

    Raises
    ------
    ValueError
        If it is none; says what to write.
    """
    if column.field == "frequencies_cm1":
        return _read_wavenumbers(column, cell, comma)
    if _is_number(column) and isinstance(cell, str):
        return _read_number(column, cell, comma) * column.factor
    if column.units and isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell * column.factor
    if column.field == "linear" and isinstance(cell, str):
        words = {"yes": True, "true": True, "no": False, "false": False}
        return words.get(cell.lower(), cell)
    return cell


def _read_number(column: Column, text: str, comma: str) -> float:
    plain = tidy_number(text)
    number, _, rest = plain.partition(" ")
    if rest or not re.search(r"[\d.]$", number):
        found = re.match(r"[+-]?[\d.,]+(?:[eEdD][+-]?\d+)?", plain)
        number = found.group(0) if found else plain
        rest = plain.removeprefix(number).strip()
        if rest and fold_heading(rest) not in column.units:
            raise ValueError(
                f"column {column.heading!r}: {text!r} is no number in "
                f"{' or '.join(column.units[:1]) or 'one'}; write the number alone"
            )
    if "," in number:
        if comma == "unknown":
            raise ValueError(
                f"column {column.heading!r}: {text!r}: is the comma a decimal sign or "
                f"one between thousands? write {number.replace(',', '.')} or "
                f"{number.replace(',', '')}"
            )
        number = number.replace(",", "." if comma == "decimal" else "")
    if not _NUMBER.fullmatch(number):
        raise ValueError(
            f"column {column.heading!r}: {text!r} is no number; write one such as "
            "-6.771, or leave the cell empty"
        )
    return float(number.replace("D", "E").replace("d", "e"))


def _read_wavenumbers(column: Column, cell: Any, comma: str) -> list[float]:
    if isinstance(cell, str):
        parts = _split_wavenumbers(column, _tidy_minus(cell.strip(" []()")), comma)
    else:
        parts = list(cell) if hasattr(cell, "__len__") else [cell]
    found = []
    for part in parts:
        text = str(part).strip()
        if re.fullmatch(r"[\d.,]+\s*i|i\s*[\d.,]+|-[\d.,]+|[\d.,]+j", text):
            raise ValueError(
                f"column {column.heading!r}: {text} is imaginary; a minimum has no "
                "such mode, so leave it out or relax further"
            )
        found.append(_read_number(column, text, comma) * column.factor)
    return found


def _split_wavenumbers(column: Column, text: str, comma: str) -> list[str]:
    if re.search(r"[;|\s]", text):
        parts = re.split(r"[;|\s]+", text)
        return [part.strip(",") for part in parts if part.strip(",")]
    if "," not in text or comma == "decimal":
        return [text]
    first, *rest = text.split(",")
    if len(rest) == 1 and _THOUSANDS.fullmatch(text) and int(first) < 6:
        raise ValueError(
            f"column {column.heading!r}: {text!r}: one wavenumber or two? separate "
            "them by ';' and write no comma between thousands"
        )
    return [part for part in (first, *rest) if part]


def read_names(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Species, state, surface and site, whatever the species was dressed with.

    Raises
    ------
    ValueError
        If the dress contradicts another cell.

    Examples
    --------
    >>> read_names({"species": "*CO", "surface": "Cu"})
    {'species': 'CO', 'surface': 'Cu', 'state': 'ads'}
    >>> read_names({"species": "H-fcc", "surface": "Pt", "state": "ads"})
    {'species': 'H', 'surface': 'Pt', 'state': 'ads', 'site': 'fcc'}
    """
    found = dict(cells)
    name = str(found.get("species", "")).strip()
    said = _STATES.get(fold_heading(str(found.get("state", ""))))
    state, bare = _undress_name(name)
    if said and state and said != state:
        raise ValueError(
            f"species {name!r} is {state} by its name, but its state is {said!r}"
        )
    on_site = _ON_SITE.fullmatch(bare) if (said or state) != "gas" else None
    if on_site is not None and found.get("surface"):
        site = str(found.get("site", on_site["site"]))
        if site.lower() != on_site["site"].lower():
            raise ValueError(f"species {name!r} is on another site than {site!r}")
        bare, found["site"] = on_site["name"], on_site["site"]
    if name:
        found["species"] = bare or "clean"
    if not found.get("state") or said:
        guess = "ads" if found.get("surface") else "gas"
        if found.get("species") == "clean" or fold_heading(bare) in ("slab", "bare"):
            guess = "clean"
        found["state"] = said or state or guess
    if found["state"] == "gas" and fold_heading(str(found.get("surface", ""))) in (
        *("none", "gas", "n_a", "na"),
    ):
        found.pop("surface")
    if "multiplicity" in found:
        found["spin"] = (float(found.pop("multiplicity")) - 1) / 2
    return found


def _undress_name(name: str) -> tuple[str, str]:
    """The state that a name wears, or nothing, and the name without it."""
    if name in ("*", "**", "slab", "clean"):
        return "clean", "clean"
    for pattern, state in (
        (r"\*+\s*(.+)|(.+?)\s*\*+|(.+)_s|(.+)\(ads?\)|(.+)_ads|(.+)star", "ads"),
        (r"(.+)_g|(.+)\((?:g|gas)\)|(.+)_gas|(.+)gas", "gas"),
    ):
        if (found := re.fullmatch(pattern, name)) is not None:
            return state, next(part for part in found.groups() if part)
    return "", name
