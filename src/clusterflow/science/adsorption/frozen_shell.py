"""What of the ligands of a large cluster need not move under an adsorbate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.geometry.bonds import CONTACT, distance_ratios

if TYPE_CHECKING:
    from clusterflow.records.structure import Structure


def find_shell(host: Structure) -> tuple[int, ...]:
    """Ligand atoms that touch no atom of the core and no hydride.

    What binds a ligand stays free: S of a thiolate, P of a phosphine. So do the metal
    atoms of staples, which are of the core.

    Examples
    --------
    >>> from clusterflow.records.structure import Structure
    >>> positions = ((0, 0, 0), (0, 0, 2.3), (0, 0.9, 3.3))
    >>> find_shell(
    ...     Structure(
    ...         symbols=("Au", "S", "H"),
    ...         positions=positions,
    ...         roles=("core", "ligand", "ligand"),
    ...         charge=0,
    ...         multiplicity=1,
    ...     )
    ... )
    (2,)
    """
    roles = np.array(host.roles)
    # As adsorbates touch: ammonia on cadmium is bound by more than a bond's length.
    near = distance_ratios(host.symbols, host.xyz) < CONTACT
    bound = near[:, np.isin(roles, ("core", "hydride"))].any(axis=1)
    return tuple(int(i) for i in np.flatnonzero((roles == "ligand") & ~bound))
