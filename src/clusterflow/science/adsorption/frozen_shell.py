"""What of the ligands of a large cluster need not move under an adsorbate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.science.geometry.bonds import bond_graph

if TYPE_CHECKING:
    from clusterflow.records.structure import Structure


def find_shell(host: Structure) -> tuple[int, ...]:
    """Ligand atoms that no atom of the core or hydride is bonded to.

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
    graph = bond_graph(host.symbols, host.xyz)
    return tuple(
        i
        for i, role in enumerate(host.roles)
        if role == "ligand"
        and not any(host.roles[j] in ("core", "hydride") for j in graph[i])
    )
