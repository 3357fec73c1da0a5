"""What a structure file itself says of charge and multiplicity, where it says it."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from clusterflow.errors import InputWarning, StructureError
from clusterflow.records.atom_lines import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

_MOL: Final = (".mol", ".sdf")
_MULTIPLICITY: Final = ("multiplicity", "spin_multiplicity")
# Partial charges and moments of a computation add up to a whole number or say nothing.
_WHOLE: Final = 0.05
# Unpaired electrons of an atom by its entry in M RAD; one is a singlet carbene.
_RADICAL: Final = {"1": 0, "2": 1, "3": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWord:
    """Charge and multiplicity as a file has them, and where; None where it has none."""

    charge: int | None = None
    charge_from: str = ""
    multiplicity: int | None = None
    multiplicity_from: str = ""


NOTHING_SAID: Final = OwnWord()


def read_own_word(file: Path, atoms: Atoms) -> OwnWord:
    """What a file says of charge and multiplicity of the atoms read from it.

    Of a MOL or SDF file the lines `M  CHG` and `M  RAD`, of extended XYZ and what else
    ASE reads the keys `charge` and `multiplicity`, or else initial charges and
    magnetic moments of the atoms. A file without them says nothing, not zero.
    """
    if file.suffix.lower() in _MOL:
        text = read_text(file)
        if text.count("M  END") > 1:  # of which record is not known here
            return NOTHING_SAID
        charges = [int(value) for value in _list_entries(text, "CHG")]
        radicals = [_RADICAL.get(value, 0) for value in _list_entries(text, "RAD")]
        return OwnWord(
            charge=sum(charges) if charges else None,
            charge_from="M  CHG",
            multiplicity=sum(radicals) + 1 if radicals else None,
            multiplicity_from="M  RAD",
        )
    charge, charge_from = _read_info(atoms, ("charge",))
    multiplicity, multiplicity_from = _read_info(atoms, _MULTIPLICITY)
    if charge is None and atoms.has("initial_charges"):
        charge = _round_whole(atoms.get_initial_charges().sum())
        charge_from = "initial charges"
    if multiplicity is None and atoms.has("initial_magmoms"):
        unpaired = _round_whole(abs(atoms.get_initial_magnetic_moments().sum()))
        multiplicity = None if unpaired is None else unpaired + 1
        multiplicity_from = "initial magnetic moments"
    return OwnWord(
        charge=charge,
        charge_from=charge_from,
        multiplicity=multiplicity,
        multiplicity_from=multiplicity_from,
    )


def _list_entries(text: str, kind: str) -> list[str]:
    """Values of all atoms in lines such as `M  CHG  2   1   1   5  -1`."""
    lines = re.findall(rf"^M  {kind}\s+\d+(.*)$", text, re.MULTILINE)
    return [value for line in lines for value in line.split()[1::2]]


def _read_info(atoms: Atoms, keys: tuple[str, ...]) -> tuple[int | None, str]:
    for key in keys:
        value = atoms.info.get(key)
        if isinstance(value, (int, float)) or hasattr(value, "dtype"):
            return _round_whole(float(value)), key
    return None, ""


def _round_whole(value: float) -> int | None:
    return round(value) if abs(value - round(value)) < _WHOLE else None


def choose_claim(
    what: Literal["charge", "multiplicity"],
    called: int | None,
    word: OwnWord,
    file: Path,
    trust: str,
) -> int | None:
    """The charge or multiplicity to take; None where neither side says one.

    Where the file alone says one, it is taken and warned of.

    Parameters
    ----------
    called
        What the call says.
    word, file
        What the file says, and the file.
    trust
        ``file``, ``call``, or empty to refuse a contradiction.

    Raises
    ------
    StructureError
        Which names both, or for any other word in `trust`.
    """
    if trust not in ("", "file", "call"):
        raise StructureError(f"--trust {trust}: use file or call")
    if what == "charge":
        said, said_by, sign = word.charge, word.charge_from, "+d"
    else:
        said, said_by, sign = word.multiplicity, word.multiplicity_from, "d"
    if said is None or said == called or trust == "call":
        return called
    if called is None:
        note = f"{file}: {what} {said:{sign}} is taken from the file ({said_by})"
        warnings.warn(note, InputWarning, stacklevel=2)
        return said
    if trust == "file":
        return said
    raise StructureError(
        f"{file}: {said_by} says {what} {said:{sign}}, the call says {called:{sign}}; "
        "correct one, or choose with --trust file or --trust call"
    )
