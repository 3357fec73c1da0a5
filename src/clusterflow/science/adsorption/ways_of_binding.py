"""The minima of an adsorbate that stand for its ways of binding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.science.adsorption.chosen_minimum import USABLE_FATES
from clusterflow.science.adsorption.surface_bonds import surface_bonds

if TYPE_CHECKING:
    from clusterflow.records.adsorption import AdsorbRecord
    from clusterflow.records.structure import Structure
    from clusterflow.records.vibrations import VibrateRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOfBinding:
    """A minimum by its index, as it was relaxed last, and the bonds that hold it."""

    minimum: int
    structure: Structure
    bonds: tuple[str, ...]


def ways_of_binding(
    adsorbed: AdsorbRecord, vibrated: VibrateRecord | None = None
) -> tuple[WayOfBinding, ...]:
    """The lowest minimum of each set of bonds, and the one that was vibrated.

    The order of a cheap level is not taken for that of a better one: a way of binding
    counts however far up its minimum lies. Only minima on the cluster's own isomer
    count, those with its bonds kept before those that changed them, and none that
    vibrations have shown to be a saddle point.
    """
    not_minima = vibrated.not_minima if vibrated else ()
    chosen = vibrated.minimum if vibrated else None
    own = adsorbed.isomers_tried[:1]
    usable = [
        (i, m)
        for i, m in enumerate(adsorbed.minima)
        if m.fate in USABLE_FATES
        and i not in not_minima
        and (not own or m.isomer in own)
    ]
    # A stable sort: minima come lowest first.
    usable.sort(key=lambda pair: (pair[0] != chosen, USABLE_FATES.index(pair[1].fate)))
    found: dict[tuple[str, ...], WayOfBinding] = {}
    for index, minimum in usable:
        structure = minimum.structure
        if vibrated is not None and index == chosen and vibrated.structure is not None:
            structure = vibrated.structure
        bonds = tuple(map(str, surface_bonds(structure)))
        if bonds not in found:
            found[bonds] = WayOfBinding(minimum=index, structure=structure, bonds=bonds)
    return tuple(found.values())
