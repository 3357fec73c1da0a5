"""Isomers of the bare cluster, and which of them an adsorption energy is taken from.

An adsorbate can pull a cluster into another isomer. Its energy then has three readings,
each E(complex) − E(bare) − E(anchors), negative = binding, with the bare cluster

- *placed*: the isomer it was placed on, so that the fall is counted as adsorption;
- *host*: what stays without the adsorbate, relaxed again: the bond alone;
- *pool*: the lowest isomer known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records.adsorption import PooledIsomer
from clusterflow.records.energies import IsomerWeight
from clusterflow.science.geometry.bonds import count_pieces, like_ion_bonds
from clusterflow.units import BOLTZMANN_EV_PER_K

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.clusters import IsomerMode
    from clusterflow.records.adsorption import (
        AdsorbRecord,
        Minimum,
        MinimumIsomers,
        PoolRecord,
    )
    from clusterflow.records.cluster_records import ClusterRecords
    from clusterflow.records.clusters import Isomer, RelaxRecord
    from clusterflow.records.structure import Structure
    from clusterflow.science.geometry.bonds import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class BareEnergies:
    """Energies of the bare clusters that a minimum is held against, eV."""

    placed_ev: float | None
    stripped_ev: float | None = None
    lowest_ev: float | None = None

    def differences(self, energy_ev: float) -> dict[str, float | None]:
        """An energy less each of them, by the name it has in records, eV.

        >>> bare = BareEnergies(placed_ev=-1.0, stripped_ev=-3.0, lowest_ev=-3.5)
        >>> bare.differences(-4.0)
        {'de_placed_ev': -3.0, 'de_host_ev': -1.0, 'de_pool_ev': -0.5}
        """
        bare = {
            "de_placed_ev": self.placed_ev,
            "de_host_ev": self.stripped_ev,
            "de_pool_ev": self.lowest_ev,
        }
        return {k: None if e is None else energy_ev - e for k, e in bare.items()}


def bare_energies(
    records: ClusterRecords, adsorbate: str, minimum: Minimum
) -> BareEnergies:
    """The bare clusters of a minimum; without a pool, only the one it was placed on."""
    pool = records.pool
    if pool is None:
        own = {i.structure.name: i.energy_ev for i in records.relaxed.isomers}
        return BareEnergies(placed_ev=own.get(minimum.isomer))
    energies = {i.structure.name: i.energy_ev for i in all_isomers(pool)}
    known = isomers_of_minimum(pool, adsorbate, minimum)
    host = known.host if known else None
    return BareEnergies(
        placed_ev=energies.get(minimum.isomer),
        stripped_ev=None if host is None else energies[host],
        lowest_ev=lowest_energy_ev(pool),
    )


def lowest_energy_ev(pool: PoolRecord | None) -> float | None:
    """Energy of the lowest isomer, eV; None where not all are known."""
    if pool is None or pool.status == "failed" or not pool.isomers:
        return None
    return pool.isomers[0].isomer.energy_ev


def all_isomers(pool: PoolRecord) -> list[Isomer]:
    """Every isomer that was found, those left out too."""
    return [pooled.isomer for pooled in (*pool.isomers, *pool.left_out)]


def isomers_of_minimum(
    pool: PoolRecord, adsorbate: str, minimum: Minimum
) -> MinimumIsomers | None:
    """The bare isomers of a minimum, found by its energy; None if the pool has none."""
    for known in pool.hosts:
        same = known.adsorbate == adsorbate and known.placed_on == minimum.isomer
        if same and known.energy_ev == minimum.energy_ev:
            return known
    return None


def boltzmann_weights(
    energies_ev: Sequence[float],
    temperature_k: float,
    degeneracies: Sequence[float] | None = None,
) -> FloatArray:
    """Shares of states in equilibrium: g exp(−E / kT) / Σ g exp(−E / kT).

    Parameters
    ----------
    energies_ev : shape (n_states,)
    temperature_k
        Temperature, K.
    degeneracies : shape (n_states,)
        Weight g of each state; one if not given.

    Returns
    -------
    weights : shape (n_states,), of sum 1

    Examples
    --------
    >>> kt = BOLTZMANN_EV_PER_K * 300
    >>> boltzmann_weights([-1.0, -1.0 + kt * np.log(3)], 300).round(6).tolist()
    [0.75, 0.25]
    """
    energies = np.asarray(energies_ev, dtype=float)
    g = np.ones(len(energies)) if degeneracies is None else np.asarray(degeneracies)
    kt = BOLTZMANN_EV_PER_K * temperature_k
    # From the lowest on, or total energies of xTB would be beyond any exponent.
    factors = g * np.exp(-(energies - energies.min(initial=np.inf)) / kt)
    return np.asarray(factors / factors.sum())


def isomer_weights(
    relaxed: RelaxRecord, pool: PoolRecord | None, temperature_k: float
) -> list[IsomerWeight]:
    """All isomers known of a cluster with their Boltzmann weights, lowest first.

    By electronic energy and spin multiplicity. Other species, such as redox isomers,
    are none; isomers outside the pool's window are.
    """
    if pool is None:
        found = [PooledIsomer(isomer=isomer) for isomer in relaxed.isomers]
    else:
        found = [p for p in (*pool.isomers, *pool.left_out) if not p.other_species]
    found.sort(key=lambda pooled: pooled.isomer.energy_ev)
    energies = [pooled.isomer.energy_ev for pooled in found]
    spins = [pooled.isomer.structure.multiplicity for pooled in found]
    weights = boltzmann_weights(energies, temperature_k, spins)
    return [
        IsomerWeight(
            isomer=pooled.isomer.structure.name,
            multiplicity=spin,
            energy_ev=pooled.isomer.energy_ev,
            above_lowest_ev=pooled.isomer.energy_ev - energies[0],
            weight=float(weight),
            round=pooled.round,
            found_by=pooled.found_by,
        )
        for pooled, spin, weight in zip(found, spins, weights, strict=True)
    ]


def why_other_species(bare: Structure, own: Structure) -> str:
    """Why a stripped and relaxed cluster is no isomer of `own`; empty if it is one.

    It must hang together like `own`, and may have no more bonds between like ions:
    a chalcogenide with such a bond is a redox isomer.
    """
    positions = bare.xyz
    pieces = count_pieces(bare.symbols, positions)
    if pieces > count_pieces(own.symbols, own.xyz):
        return f"the cluster is in {pieces} pieces"
    like = like_ion_bonds(bare.symbols, positions)
    if len(like) > len(like_ion_bonds(own.symbols, own.xyz)):
        bonds = sorted(
            {"-".join(sorted((bare.symbols[i], bare.symbols[j]))) for i, j in like}
        )
        return f"redox isomer, with bonds {', '.join(bonds)} between like ions"
    return ""


def split_pool(
    found: Sequence[PooledIsomer], window_ev: float, stay: Sequence[str]
) -> tuple[list[PooledIsomer], list[PooledIsomer]]:
    """Isomers in the pool and those left out, with reasons; both lowest first.

    In the pool is what lies within the window above the lowest, and what is named in
    `stay`, because it has been tried; never another species.
    """
    found = sorted(found, key=lambda pooled: pooled.isomer.energy_ev)
    same = [pooled for pooled in found if not pooled.other_species]
    lowest = same[0].isomer.energy_ev if same else 0.0
    inside, outside = [], [pooled for pooled in found if pooled.other_species]
    for pooled in same:
        above = pooled.isomer.energy_ev - lowest
        if above <= window_ev or pooled.isomer.structure.name in stay:
            inside.append(pooled.model_copy(update={"reason": ""}))
            continue
        reason = f"{above:.2f} eV above the lowest, the window is {window_ev:g} eV"
        outside.append(pooled.model_copy(update={"reason": reason}))
    return inside, sorted(outside, key=lambda pooled: pooled.isomer.energy_ev)


def why_not_pooled(pool: PoolRecord | None, adsorptions: Sequence[AdsorbRecord]) -> str:
    """Why global minima cannot be offered; empty if all was tried on all isomers."""
    if pool is None:
        return "there is no pool record; give it too"
    if pool.status == "failed":
        return f"its isomers are not all known: {pool.reason}"
    members = [pooled.isomer.structure.name for pooled in pool.isomers]
    for record in adsorptions:
        missing = [name for name in members if name not in record.isomers_tried]
        if missing:
            return (
                f"*{record.adsorbate} was not tried on isomer {', '.join(missing)}; "
                "raise pool.rounds"
            )
    return ""


def relaxed_of_mode(records: ClusterRecords, mode: IsomerMode) -> RelaxRecord:
    """The relaxed cluster as diagrams refer to it, the clean surface first.

    That is the lowest isomer of the pool if the mode is ``pool``, else the cluster's
    own lowest one.
    """
    if mode != "pool" or records.pool is None:
        return records.relaxed
    members = tuple(pooled.isomer for pooled in records.pool.isomers)
    return records.relaxed.model_copy(update={"isomers": members})
