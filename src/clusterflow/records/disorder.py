"""Sites of a file with labels and occupancies: which are uncertain, which to keep."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.errors import StructureError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ase import Atoms

# Below this a site is not always occupied.
FULL = 0.999
# How many offending sites a message names.
_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One site as a file lists it."""

    number: int
    label: str
    occupancy: float
    assembly: str
    group: str


def choose_kept_rows(rows: Sequence[Row], disorder: str, file: Path) -> set[int]:
    """Numbers of the rows to keep of disordered ones.

    Raises
    ------
    StructureError
        If no site has the alternative that is asked for, or nothing says which to keep.
    """
    if not disorder:
        return {row.number for row in rows}
    ordered = {row.number for row in rows if not row.group and row.occupancy > FULL}
    others = [row for row in rows if row.number not in ordered]
    if disorder == "major":
        return ordered | _find_major_rows(others, file)
    chosen = {row.number for row in others if row.group == disorder}
    if not chosen:
        known = sorted({row.group for row in rows if row.group}) or ["none"]
        raise StructureError(
            f"{file}: --disorder {disorder}: no site is in that group; "
            f"there are {', '.join(known)}, or use --disorder major"
        )
    without = {row.number for row in others if not row.group}
    return ordered | chosen | without


def note_dropped_rows(rows: Sequence[Row], kept: set[int]) -> tuple[str, ...]:
    """A note of the rows left out that are an alternative to nothing."""
    lone = [row for row in rows if row.number not in kept and not row.group]
    shown = few([f"{row.label} ({row.occupancy:.2f})" for row in lone])
    return (f"left out, not always there: {shown}",) if lone else ()


def _find_major_rows(rows: Sequence[Row], file: Path) -> set[int]:
    """Rows of the most occupied group of each assembly; lone ones over one half."""
    halves = sorted(
        row.label for row in rows if not row.group and abs(row.occupancy - 0.5) < 0.01
    )
    if halves:
        raise StructureError(
            f"{file}: --disorder major: {few(halves)} are occupied by half and in no "
            "disorder group, so nothing says which stay; give those that do an "
            "occupancy of 1 in the file and take the others out"
        )
    groups: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    kept = set()
    for row in rows:
        if row.group:
            groups[row.assembly][row.group].append(row)
        elif row.occupancy > 0.5:
            kept.add(row.number)
    for assembly in groups.values():
        # The first of equals, so that two halves give one whole.
        best = max(assembly.values(), key=lambda group: group[0].occupancy)
        kept |= {row.number for row in best}
    return kept


def uncertain(atoms: Atoms) -> list[str]:
    """Sites that are not always occupied, each once, such as ``C7 (0.62)``.

    One that elements share is ``mixed site Ag1 (Ag 0.40, Au 0.60)``.
    """
    sites: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for index, share in enumerate(atoms.arrays["occupancies"]):
        if share < FULL:
            place = tuple(np.round(atoms.positions[index], 2) + 0.0)
            sites[place].append(index)
    return sorted({_describe_site(atoms, here) for here in sites.values()})


def describe_uncertain(sites: Sequence[str]) -> str:
    """That sites are not always occupied, and which."""
    return f"sites that are not always occupied: {few(sites)}"


def _describe_site(atoms: Atoms, indices: Sequence[int]) -> str:
    """Label and occupancies of the atoms at one place."""
    labels, shares = atoms.arrays["labels"], atoms.arrays["occupancies"]
    if len(indices) == 1:
        return f"{labels[indices[0]]} ({shares[indices[0]]:.2f})"
    listed = ", ".join(f"{atoms.symbols[i]} {shares[i]:.2f}" for i in indices)
    is_mixed = len({atoms.symbols[i] for i in indices}) > 1
    return f"{'mixed site ' if is_mixed else ''}{labels[indices[0]]} ({listed})"


def few(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
