"""Electronic energies of binding at one level, its errors in gases taken off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clusterflow.records.structure import Structure
    from clusterflow.science.thermochemistry.group_errors import GroupModel
    from clusterflow.science.thermochemistry.species import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingScale:
    """What bindings at a level count from.

    Two levels are compared by these, for what either is off by in molecules is no
    part of them.

    Parameters
    ----------
    around, groups
        The gases at the level, and the corrections that they give adsorbates.
    hosts_ev
        Energies of bare isomers by name.
    """

    around: Surroundings
    groups: GroupModel
    hosts_ev: Mapping[str, float | None]

    def binding_ev(
        self,
        energy_ev: float | None,
        isomer: str,
        counts: Mapping[str, int],
        structure: Structure,
    ) -> float | None:
        """From the anchors and a bare isomer, eV; None where anything is missing.

        Parameters
        ----------
        energy_ev
            Of the complex.
        isomer
            That the adsorbate is on.
        counts
            Its atoms by element.
        structure
            The complex, whose bonds say which corrections it carries.
        """
        host_ev = self.hosts_ev.get(isomer)
        anchors_ev = self.around.anchor_energy_ev(counts, electronic=True)
        carried_ev = self.groups.correction_of(structure).correction_ev
        if (
            energy_ev is None
            or host_ev is None
            or anchors_ev is None
            or carried_ev is None
        ):
            return None
        return energy_ev - host_ev - anchors_ev + carried_ev
