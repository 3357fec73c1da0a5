"""What is read from a structure file, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.records.own_word import NOTHING_SAID, OwnWord

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file holds: atoms with the arrays ``labels`` and ``occupancies``.

    moieties
        Atoms and charge of each ion that a crystal states, also of those without sites.
    """

    atoms: Atoms
    notes: tuple[str, ...] = ()
    said: OwnWord = NOTHING_SAID
    moieties: tuple[tuple[Counter[str], int], ...] = ()


def label_atoms(
    atoms: Atoms, labels: Sequence[str], occupancies: Sequence[float]
) -> Atoms:
    """Atoms with their cell and roles, and with arrays of labels and occupancies."""
    plain = Atoms(
        atoms.get_chemical_symbols(),
        positions=atoms.positions,
        cell=atoms.cell,
        pbc=atoms.pbc,
    )
    plain.set_array("labels", np.array(labels))
    plain.set_array("occupancies", np.array(occupancies, dtype=float))
    if atoms.has("roles"):
        plain.set_array("roles", atoms.get_array("roles"))
    return plain
