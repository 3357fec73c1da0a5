"""The layer `level`: what the bonds of an adsorbate to its cluster are wrong by."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

from clusterflow.science.adsorption.surface_bonds import surface_bonds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.library.level_errors import LevelErrorsSpec
    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.structure import Structure


# Of a species that a bond holds whose error nobody measured.
UNMEASURED_FLAG: Final = "bond-not-measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLayer:
    """The correction of one adsorbate by the bonds that hold it.

    Attributes
    ----------
    correction_ev
        To be added, eV: less the mean errors of the bonds that were measured.
    deviation_ev
        What is left of the error, eV; None where a bond was not measured and the level
        states no error of its own.
    bonds
        Kind and element of each; none where nothing touches the cluster.
    unmeasured
        Those of which no mean is known.
    """

    correction_ev: float
    deviation_ev: float | None
    bonds: tuple[str, ...]
    unmeasured: tuple[str, ...]


def level_layer(
    structure: Structure, table: LevelErrorsSpec | None, unmeasured_ev: float | None
) -> LevelLayer:
    """What a level is wrong by for the adsorbate of a relaxed complex.

    Bonds add up: each brings its mean error, and the variances of several are summed.
    A bond that was not measured is not corrected, and as uncertain as the level is.

    Parameters
    ----------
    structure
        The atoms of the adsorbate have that role.
    table
        Errors of the level on clusters of these elements; None if not measured.
    unmeasured_ev
        Standard deviation of the level for a bond that is not in the table.
    """
    bonds = tuple(map(str, surface_bonds(structure)))
    entries = {bond: table.of_bond(bond) if table else None for bond in bonds}
    unmeasured = tuple(bond for bond in bonds if entries[bond] is None)
    correction, variance = 0.0, 0.0
    for bond in bonds:
        if entry := entries[bond]:
            correction -= entry.mean_ev
            variance += entry.deviation_ev**2
    n_unknown = len(unmeasured) if bonds else 1
    deviation = None
    if unmeasured_ev is not None or not n_unknown:
        deviation = sqrt(variance + n_unknown * (unmeasured_ev or 0.0) ** 2)
    return LevelLayer(
        correction_ev=correction,
        deviation_ev=deviation,
        bonds=bonds,
        unmeasured=unmeasured,
    )


def is_calibrated(thermo: ThermoRecord, terms: Iterable[str]) -> bool:
    """Whether the error of each adsorbate's bond to the cluster is measured.

    Parameters
    ----------
    thermo
        Of the cluster.
    terms
        Species, of which those without a free energy do not count.
    """
    if thermo.level_shares is None:
        return False
    known = {s.name: s for s in thermo.species if s.formation_ev is not None}
    adsorbed = [known[term] for term in terms if term in known and term[0] == "*"]
    return all("level" in s.layers for s in adsorbed if s.name != "*") and not any(
        UNMEASURED_FLAG in s.flags for s in adsorbed
    )
