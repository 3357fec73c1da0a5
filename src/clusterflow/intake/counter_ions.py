"""The charge of a cluster by the counter-ions that a crystal holds beside it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from clusterflow.formula import n_electrons
from clusterflow.records.own_word import NOTHING_SAID, OwnWord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.ions import IonSpec
    from clusterflow.science.geometry.molecules import Molecule

# Of these a molecule with an even number of electrons is taken for a neutral solvent.
_OF_SOLVENTS: Final = {
    *("H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I"),
}
_WHOLE: Final = 0.05


def imply_charge(
    chosen: Molecule,
    amounts: Sequence[tuple[Molecule, float]],
    ions: Sequence[IonSpec],
) -> tuple[OwnWord, list[str]]:
    """The charge that makes a cell neutral, and notes of how it follows or why not.

    Parameters
    ----------
    chosen
        The molecule that is taken.
    amounts
        All molecules of the cell, that one too, and how often each is there: less than
        once where its sites are not always occupied.
    ions
        Those that are known.

    Returns
    -------
    Nothing is said without a known ion, or beside one that nobody knows: a molecule
    with a metal, a framework, or an odd number of electrons.
    """
    known = {_key(ion.counts): ion for ion in ions}
    n_copies, total = 0.0, 0.0
    found: dict[str, float] = {}
    unclear: dict[str, bool] = {}
    own = _key(Counter(chosen.symbols))
    for molecule, amount in amounts:
        counts = Counter(molecule.symbols)
        ion = known.get(_key(counts))
        if _key(counts) == own:
            n_copies += amount
        elif ion is not None and not molecule.is_endless:
            total += ion.charge * amount
            found[ion.label] = found.get(ion.label, 0.0) + amount
        elif molecule.is_endless or not _is_neutral(counts):
            unclear[molecule.formula] = molecule.is_endless
    if not found:
        alone = [formula for formula, is_endless in unclear.items() if not is_endless]
        return NOTHING_SAID, [
            f"warning: left out: {formula}, which may be charged; a charge of the "
            "cluster that it implies is yours to give"
            for formula in alone
        ]
    listed = ", ".join(f"{label} × {amount:g}" for label, amount in found.items())
    listed += f" for {n_copies:g} {chosen.formula}"
    charge = -total / n_copies
    if unclear:
        why = f"{', '.join(unclear)} may be charged too"
    elif abs(charge - round(charge)) > _WHOLE:
        why = f"that would be {charge:+.2f}"
    else:
        word = OwnWord(charge=round(charge), charge_from=f"what is left out ({listed})")
        return word, [f"counter-ions left out: {listed}: charge {round(charge):+d}"]
    return NOTHING_SAID, [
        f"warning: counter-ions left out: {listed}: no charge follows, {why}"
    ]


def _key(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items()))


def _is_neutral(counts: Counter[str]) -> bool:
    return counts.keys() <= _OF_SOLVENTS and n_electrons(counts, 0) % 2 == 0
