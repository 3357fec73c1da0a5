"""Reactions of Catalysis-Hub, as its interface gives them, as rows of energies.

A reaction that makes one adsorbate from gases and a free site is its energy of
formation from those gases (K. T. Winther et al., Sci. Data 6, 75, 2019,
doi:10.1038/s41597-019-0081-y). Every other reaction is left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clusterflow.errors import ConfigError
from clusterflow.intake.energy_columns import read_names
from clusterflow.library.energy_rows import Origin, OwnEnergyRow

if TYPE_CHECKING:
    from pathlib import Path


def read_cathub_export(path: Path) -> list[OwnEnergyRow] | None:
    """Rows of a file of reactions; None if it is none.

    Raises
    ------
    ConfigError
        If a reaction lacks its energy, or none of them makes an adsorbate.
    """
    reactions = _find_reactions(path)
    if reactions is None:
        return None
    found = []
    for number, reaction in enumerate(reactions, start=1):
        where = Origin(file=str(path), row=f"reaction {number}")
        try:
            made = _read_formation(reaction)
            energy = float(reaction["reactionEnergy"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{where}: cannot be read ({error!r})") from None
        if made is not None:
            found.append((where, reaction, made, energy))
    if not found:
        raise ConfigError(
            f"{path}: no reaction makes one adsorbate from gases and a free site, such "
            "as CO2gas + 0.5 H2gas + star -> COOHstar"
        )
    gases = sorted({gas for _, _, (_, used), _ in found for gas in used})
    kind = f"formation from {', '.join(gases)}"
    return [
        OwnEnergyRow(
            **read_names(_list_cells(reaction, name)),
            energy_ev=energy,
            energy_kind=kind,
            level=reaction.get("dftFunctional") or "",
            origin=where,
        )
        for where, reaction, (name, _), energy in found
    ]


def _find_reactions(path: Path) -> list[dict[str, Any]] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    for key in ("data", "reactions", "edges"):
        if isinstance(content, dict):
            content = content.get(key, content)
    if not isinstance(content, list):
        return None
    nodes = [item.get("node", item) for item in content if isinstance(item, dict)]
    known = all({"reactants", "products"} <= node.keys() for node in nodes)
    return nodes if nodes and known else None


def _read_formation(reaction: dict[str, Any]) -> tuple[str, list[str]] | None:
    """The adsorbate that a reaction makes, and from which gases."""
    before, after = (_read_side(reaction[key]) for key in ("reactants", "products"))
    made = [name for name in after if name != "star"]
    free = before.pop("star", 0)
    if (
        len(made) != 1
        or not made[0].endswith("star")
        or (free, after[made[0]]) != (1, 1)
        or not all(name.endswith("gas") for name in before)
    ):
        return None
    gases = [name.removesuffix("gas") for name in before]
    return made[0].removesuffix("star"), gases


def _read_side(side: Any) -> dict[str, float]:
    counted = json.loads(side) if isinstance(side, str) else side
    return {name: float(n) for name, n in counted.items()}


def _list_cells(reaction: dict[str, Any], name: str) -> dict[str, str]:
    metal = reaction.get("surfaceComposition") or reaction.get("chemicalComposition")
    facet = reaction.get("facet")
    cells = {"species": name, "state": "ads"}
    cells["surface"] = f"{metal}({facet})" if facet else str(metal)
    sites = reaction.get("sites")
    site = json.loads(sites) if isinstance(sites, str) and sites[:1] == "{" else sites
    if isinstance(site, dict):
        site = site.get(name) or site.get(f"{name}star")
    return {**cells, "site": str(site)} if site else cells
