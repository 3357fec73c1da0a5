"""Gates on geometry: the fate of a minimum, judged anew, and what stands for it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from clusterflow.science.checks.evidence import (
    Gate,
    judge_fit,
    leave_open,
    list_minima,
    name_vibrated,
    skip_gate,
)
from clusterflow.science.geometry.bonds import BROKEN, CONTACT, FORMED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.library.common import AtomLine
    from clusterflow.records.adsorption import Minimum
    from clusterflow.records.structure import Structure
    from clusterflow.science.checks.evidence import Evidence, Substance
    from clusterflow.science.geometry.bonds import FloatArray

# In sums of covalent radii: both lie away from the limits that judge a minimum.
_BONDED: Final = 1.2
_REACH: Final = 1.5
# A covalent bond to the cluster, whichever way the stages round; and none.
_COVALENT: Final = 1.1
_NOT_COVALENT: Final = 1.2
_NONMETALS: Final = {"C", "N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"}


def fragments(evidence: Evidence) -> Iterator[Gate]:
    """The fate of each minimum is what a second look at its bonds says.

    Bonds are those below 1.2 sums of covalent radii, contact that below 1.5. A
    disagreement where a distance lies within the band of hysteresis decides nothing.
    Whether the cluster kept its bonds is not looked at.
    """
    name = "fragments"
    for subject, record, minimum in list_minima(evidence):
        if minimum.fate not in (*_KEPT, "desorbed", *_CHANGED):
            yield skip_gate(name, subject, f"no test for the fate {minimum.fate}")
        elif record.adsorbate not in evidence.adsorbates:
            yield leave_open(name, subject, f"the library has no {record.adsorbate}")
        elif "adsorbate" not in minimum.structure.roles:
            yield leave_open(name, subject, "no atom has the role of an adsorbate")
        else:
            intended = evidence.adsorbates[record.adsorbate]
            became = evidence.adsorbates.get(minimum.detail, intended)
            yield _judge_fate(subject, minimum, intended, became)


def substitution(evidence: Evidence) -> Iterator[Gate]:
    """What vibrates is the minimum found, and inherits only from what it still is.

    Both are seen in covalent bonds between the adsorbate, without its hydrogen, and
    nonmetals of the cluster: none that the minimum lacks, and none on what inherits.
    """
    name = "substitution"
    found = {(r.cluster, r.adsorbate): r.minima for r in evidence.adsorptions}
    inherited = {
        (thermo.cluster, species.name): species.inherits
        for thermo in evidence.thermo
        for species in thermo.species
    }
    for vibrated in evidence.vibrations:
        subject = name_vibrated(vibrated)
        minima = found.get((vibrated.cluster, vibrated.adsorbate), ())
        if vibrated.structure is None or vibrated.minimum is None:
            yield skip_gate(name, subject, vibrated.reason or "no structure")
            continue
        if vibrated.minimum >= len(minima):
            yield leave_open(name, subject, f"no minimum {vibrated.minimum}")
            continue
        before = minima[vibrated.minimum].structure
        bonds = _list_covalent_bonds(vibrated.structure, _COVALENT)
        new = bonds - _list_covalent_bonds(before, _NOT_COVALENT)
        motifs = inherited.get((vibrated.cluster, f"*{vibrated.adsorbate}"), {})
        detail = "covalent bonds to nonmetals of the cluster"
        if new:
            detail = "the minimum that it stands for has no such bond"
        elif bonds and motifs:
            detail = f"inherits the error of {', '.join(motifs)} in spite of it"
        shown = ", ".join(sorted(bonds)) or "none"
        fits = not new and not (bonds and motifs)
        yield judge_fit(
            name, subject, fits, value=shown, limit="as found", detail=detail
        )


def _list_covalent_bonds(structure: Structure, ratio: float) -> set[str]:
    ratios = _measure_ratios(structure.symbols, structure.positions)
    atoms = list(zip(structure.symbols, structure.roles, strict=True))
    return {
        f"{a}-{b}"
        for i, (a, role) in enumerate(atoms)
        for j, (b, other) in enumerate(atoms)
        if role == "adsorbate" != other and a != "H" and b in _NONMETALS
        if ratios[i, j] < ratio
    }


_KEPT: Final = ("intact", "ligand-migrated", "reconstructed")
_CHANGED: Final = ("dissociated", "became")


def _judge_fate(
    subject: str, minimum: Minimum, intended: Substance, became: Substance
) -> Gate:
    ratios = _measure_ratios(minimum.structure.symbols, minimum.structure.positions)
    own = np.array([role == "adsorbate" for role in minimum.structure.roles])
    inner, outer = ratios[np.ix_(own, own)], ratios[np.ix_(own, ~own)]
    symbols = [
        s for s, is_own in zip(minimum.structure.symbols, own, strict=True) if is_own
    ]
    reach = float(outer.min(initial=np.inf))
    pieces = int(connected_components(inner < _BONDED, directed=False)[0])
    # Two molecules side by side are one adsorbate of the library.
    whole = intended if minimum.fate in _KEPT else became
    if pieces > max(map(_count_form_pieces, whole.forms), default=1):
        found = "dissociated"
    elif _list_bonds(symbols, inner) not in [
        _list_form_bonds(form) for form in intended.forms
    ]:
        found = "became"
    else:
        found = "intact" if reach < _REACH else "desorbed"
    fate = "intact" if minimum.fate in _KEPT else minimum.fate
    shown = f"{found}: {pieces} piece(s), nearest contact {reach:.2f}"
    border = _describe_border(symbols, inner, reach)
    if found != fate and border:
        detail = f"labelled {minimum.fate}; {border} lies within the hysteresis"
        return Gate(
            name="fragments",
            verdict="UNVERIFIABLE",
            subject=subject,
            value=shown,
            limit=fate,
            detail=detail,
        )
    detail = f"labelled {minimum.fate}; contact in sums of covalent radii"
    return judge_fit(
        "fragments", subject, found == fate, value=shown, limit=fate, detail=detail
    )


def _describe_border(symbols: Sequence[str], inner: FloatArray, reach: float) -> str:
    """The distance that is neither a bond nor none, in sums of covalent radii."""
    band = (inner > FORMED) & (inner < BROKEN)
    for i, j in np.argwhere(np.triu(band)):
        return f"{symbols[i]}-{symbols[j]} at {inner[i, j]:.2f}"
    return f"the contact at {reach:.2f}" if CONTACT < reach < _REACH else ""


def _measure_ratios(symbols: Sequence[str], positions: object) -> FloatArray:
    """Distances over sums of covalent radii; infinite on the diagonal."""
    xyz = np.array(positions, dtype=float).reshape(-1, 3)
    radii = covalent_radii[[atomic_numbers[symbol] for symbol in symbols]]
    ratios = cdist(xyz, xyz) / np.add.outer(radii, radii)
    np.fill_diagonal(ratios, np.inf)
    return np.asarray(ratios)


def _list_bonds(symbols: Sequence[str], ratios: FloatArray) -> list[str]:
    """Each atom with its neighbours, such as ``C:HO``, sorted."""
    found = []
    for symbol, row in zip(symbols, ratios < _BONDED, strict=True):
        near = [s for s, bonded in zip(symbols, row, strict=True) if bonded]
        found.append(f"{symbol}:{''.join(sorted(near))}")
    return sorted(found)


@cache
def _list_form_bonds(form: tuple[AtomLine, ...]) -> list[str]:
    symbols = [line[0] for line in form]
    return _list_bonds(symbols, _measure_ratios(symbols, [line[1:] for line in form]))


@cache
def _count_form_pieces(form: tuple[AtomLine, ...]) -> int:
    ratios = _measure_ratios([line[0] for line in form], [line[1:] for line in form])
    return int(connected_components(ratios < _BONDED, directed=False)[0])
