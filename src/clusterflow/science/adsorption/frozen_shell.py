"""What of the ligands of a large cluster need not move under an adsorbate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.clusters.ligands import ligands_of
from clusterflow.science.geometry.bonds import CONTACT, distance_ratios

if TYPE_CHECKING:
    from clusterflow.records.structure import Structure


def find_shell(host: Structure) -> tuple[int, ...]:
    """Atoms of ligands that do not touch the core or a hydride.

    What binds a ligand stays free: S of a thiolate, P of a phosphine; the nearest atom
    where none touches. So do the metal atoms of staples, which are of the core.

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
    core = np.isin(roles, ("core", "hydride"))
    ratios = distance_ratios(host.symbols, host.xyz)[:, core].min(
        axis=1, initial=np.inf
    )
    shell: list[int] = []
    ligands = np.flatnonzero(roles == "ligand").tolist()
    for ligand in ligands_of(host.symbols, host.xyz, ligands):
        # Levels that bind weakly leave ammonia farther from cadmium than a contact.
        nearest = max(CONTACT, float(ratios[ligand].min()))
        shell += [i for i in ligand if ratios[i] > nearest]
    return tuple(sorted(shell))
