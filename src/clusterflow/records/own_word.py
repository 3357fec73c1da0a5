"""What a structure file itself says of charge and multiplicity, where it says it."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from clusterflow.errors import InputWarning, StructureError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ase import Atoms

_CHARGE: Final = ("charge", "total_charge")
_MULTIPLICITY: Final = ("multiplicity", "spin_multiplicity", "mult")
# Partial charges and moments of a computation add up to a whole number or say nothing.
_WHOLE: Final = 0.05
_KEPT: Final = "clusterflow_own_word"
# Where outputs of programs say charge and multiplicity, by ASE's names of the formats.
OUTPUTS: Final = {
    "gaussian-out": (r"Charge\s*=\s*(-?\d+)", r"Multiplicity\s*=\s*(\d+)"),
    "orca-output": (
        r"Total Charge\s+Charge[\s.]+(-?\d+)",
        r"Multiplicity\s+Mult[\s.]+(\d+)",
    ),
}
_COMMENT: Final = re.compile(
    r"\b(?:(?P<charge>(?:total[ _])?charge)|(?:spin[ _])?mult(?:iplicity)?)"
    r"\s*[:=]\s*[\"']?(?P<value>[+-]?\d+[+-]?)(?![\w.])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWord:
    """Charge and multiplicity as a file has them, and where; None where it has none."""

    charge: int | None = None
    charge_from: str = ""
    multiplicity: int | None = None
    multiplicity_from: str = ""


NOTHING_SAID: Final = OwnWord()


def keep_own_word(atoms: Atoms, word: OwnWord) -> None:
    """Leave with the atoms of a file what it says of them, for `read_own_word`."""
    atoms.info[_KEPT] = word


def read_comment(comment: str) -> dict[str, str]:
    """Charge and multiplicity in the comment of an XYZ file, however written.

    >>> read_comment("Cu3 cation, charge: +1, mult = 1")
    {'charge': '+1', 'multiplicity': '1'}
    """
    return {
        "charge" if found["charge"] else "multiplicity": found["value"]
        for found in _COMMENT.finditer(comment)
    }


def read_output(text: str, kind: str) -> OwnWord:
    """What the output of a program says, whose format is one of `OUTPUTS`."""
    found = [re.search(pattern, text) for pattern in OUTPUTS[kind]]
    charge, multiplicity = (int(one[1]) if one else None for one in found)
    return OwnWord(
        charge=charge,
        charge_from="the output",
        multiplicity=multiplicity,
        multiplicity_from="the output",
    )


def read_own_word(file: Path, atoms: Atoms) -> OwnWord:
    """What a file says of charge and multiplicity of the atoms read from it.

    Its reader may have kept it with them. Else it is what ASE reads: the keys `charge`
    and `multiplicity`, or else charges and magnetic moments of the atoms, initial or
    computed. A file without them says nothing, not zero.

    Raises
    ------
    StructureError
        If such a key holds no whole number.
    """
    kept = atoms.info.get(_KEPT)
    if isinstance(kept, OwnWord):
        return kept
    stated = {str(key).lower(): value for key, value in _list_statements(atoms)}
    charge, charge_from = _read_statement(stated, _CHARGE, file)
    multiplicity, multiplicity_from = _read_statement(stated, _MULTIPLICITY, file)
    if charge is None:
        charge, charge_from = _add_charges(atoms)
    if multiplicity is None:
        multiplicity, multiplicity_from = _add_moments(atoms)
    return OwnWord(
        charge=charge,
        charge_from=charge_from,
        multiplicity=multiplicity,
        multiplicity_from=multiplicity_from,
    )


def _list_statements(atoms: Atoms) -> Iterator[tuple[Any, Any]]:
    """Keys and values that may name a charge; later ones go before."""
    yield from atoms.info.get("key_value_pairs", {}).items()  # of an ASE database
    yield from getattr(atoms.calc, "parameters", {}).items()  # of a program's input
    yield from atoms.info.items()


def _read_statement(
    stated: Mapping[str, Any], keys: tuple[str, ...], file: Path
) -> tuple[int | None, str]:
    for key in keys:
        value = stated.get(key)
        if value is None or isinstance(value, bool):  # a comment that has the word
            continue
        text = re.sub(r"^(\d+)([+-])$", r"\2\1", str(value).strip())  # 1+ is +1
        try:
            whole = round_whole(float(text))
        except ValueError:
            whole = None
        if whole is None:
            raise StructureError(f"{file}: {key}={value}: write a whole number")
        return whole, key
    return None, ""


def _add_charges(atoms: Atoms) -> tuple[int | None, str]:
    if atoms.has("initial_charges"):
        return round_whole(atoms.get_initial_charges().sum()), "initial charges"
    computed = np.array(_list_results(atoms).get("charges", ()), dtype=float)
    if not computed.any():
        return None, ""
    return round_whole(computed.sum()), "computed charges"


def _add_moments(atoms: Atoms) -> tuple[int | None, str]:
    if atoms.has("initial_magmoms"):
        total, said_by = (
            atoms.get_initial_magnetic_moments().sum(),
            "initial magnetic moments",
        )
    else:
        total = _list_results(atoms).get("magmom") or 0.0
        said_by = "computed magnetic moment"
        if not total:  # as programs write it for closed shells that were assumed
            return None, ""
    unpaired = round_whole(abs(float(total)))
    return (None if unpaired is None else unpaired + 1), said_by


def _list_results(atoms: Atoms) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(atoms.calc, "results", None) or {}
    return found


def round_whole(value: float) -> int | None:
    """A sum of partial charges or moments as a whole number, or None."""
    is_whole = np.isfinite(value) and abs(value - round(value)) < _WHOLE
    return round(value) if is_whole else None


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
