"""Which minimum stands for an adsorbate, and how far it may be trusted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clusterflow.records.energies import OtherIsomers
from clusterflow.science.adsorption.bare_isomers import (
    isomers_of_minimum,
    relaxed_of_mode,
    why_not_pooled,
)
from clusterflow.science.clusters.spin import spin_free_energy

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from clusterflow.library.clusters import IsomerMode
    from clusterflow.records.adsorption import AdsorbRecord, Fate, Minimum, PoolRecord
    from clusterflow.records.clusters import Isomer, RelaxRecord
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.vibrations import VibrateRecord

# Best first: what was asked for on the cluster it was asked for, then the same on a
# cluster that changed its bonds.
USABLE_FATES: tuple[Fate, ...] = (
    "intact",
    "ligand-migrated",
    "reconstructed",
)


def choose_minimum(
    record: AdsorbRecord,
    isomers: IsomerMode = "fixed_core_first",
    pool: PoolRecord | None = None,
    not_minima: Collection[int] = (),
) -> int | None:
    """Index of the minimum that stands for an adsorbate, if there is one.

    Parameters
    ----------
    isomers
        ``fixed_core``: the lowest intact minimum on the cluster's own isomer;
        ``fixed_core_first``: else the lowest there on a changed cluster; ``pool``: the
        lowest of both on any isomer, unless its cluster is another species.
    pool
        Says which clusters are another species.
    not_minima
        Indices left out: their vibrations led to something else.
    """
    minima = [(i, m) for i, m in enumerate(record.minima) if i not in not_minima]
    if isomers == "pool":
        for index, minimum in minima:
            if minimum.fate in USABLE_FATES and not _is_on_other_species(
                record, minimum, pool
            ):
                return index
        return None
    own = record.isomers_tried[:1]
    for fate in USABLE_FATES if isomers == "fixed_core_first" else USABLE_FATES[:1]:
        for index, minimum in minima:
            if minimum.fate == fate and (not own or minimum.isomer in own):
                return index
    return None


def _is_on_other_species(
    record: AdsorbRecord, minimum: Minimum, pool: PoolRecord | None
) -> bool:
    """Whether the cluster under an adsorbate is, or may be, another species."""
    host = isomers_of_minimum(pool, record.adsorbate, minimum) if pool else None
    if pool is None or host is None:
        return False
    others = {p.isomer.structure.name for p in pool.left_out if p.other_species}
    return host.host is None or host.host in others


def representative_minimum(
    record: AdsorbRecord, vibrations: Sequence[VibrateRecord]
) -> Minimum | None:
    """The minimum an adsorbate's numbers come from.

    The one whose vibrations were computed, else the lowest intact one, else the lowest.

    Parameters
    ----------
    vibrations
        Those of adsorbates on the same cluster.
    """
    for vibration in vibrations:
        index = vibration.minimum
        same = vibration.adsorbate == record.adsorbate
        if same and index is not None and index < len(record.minima):
            return record.minima[index]
    intact = [minimum for minimum in record.minima if minimum.fate == "intact"]
    return next(iter(intact or record.minima), None)


def why_no_minimum(record: AdsorbRecord) -> str:
    """What became of an adsorbate that has no usable minimum."""
    if record.reason:
        return record.reason
    fates = Counter(
        f"{m.fate} ({m.detail})" if m.detail else m.fate for m in record.minima
    )
    found = ", ".join(fates)
    return f"no bound minimum of {record.adsorbate}: {found}"


def by_other_isomers(
    species: Sequence[SpeciesFreeEnergy],
    relaxed: RelaxRecord,
    adsorptions: Sequence[AdsorbRecord],
    pool: PoolRecord | None,
    mode: IsomerMode,
    not_minima: Mapping[str, Collection[int]],
    temperature_k: float,
) -> OtherIsomers | None:
    """Formation energies by the other choice of isomers: ``pool``, or else fixed core.

    An adsorbate moves by what its minimum and the bare cluster move by, in energy and
    spin; vibrations and corrections stay. None without a pool, or without a bare
    cluster.

    Parameters
    ----------
    species
        Free energies by the choice `mode`.
    relaxed
        The cluster's own isomers.
    not_minima
        By adsorbate, as for `choose_minimum`.
    """
    if pool is None or not relaxed.isomers:
        return None
    other: IsomerMode = "fixed_core_first" if mode == "pool" else "pool"
    if reason := why_not_pooled(pool, adsorptions):
        return OtherIsomers(isomers=other, reason=reason)
    here, there = (relaxed_of_mode(relaxed, pool, m).isomers[0] for m in (mode, other))
    records = {f"*{record.adsorbate}": record for record in adsorptions}
    found: dict[str, float] = {}
    for item in species:
        if item.formation_ev is None:
            continue
        shift_ev = 0.0
        if item.name in records:
            record = records[item.name]
            out = not_minima.get(record.adsorbate, ())
            old, new = (choose_minimum(record, m, pool, out) for m in (mode, other))
            if old is None or new is None:
                continue
            shift_ev = _sum_energy_and_spin(record.minima[new], temperature_k)
            shift_ev -= _sum_energy_and_spin(record.minima[old], temperature_k)
            shift_ev -= _sum_energy_and_spin(there, temperature_k)
            shift_ev += _sum_energy_and_spin(here, temperature_k)
        found[item.name] = item.formation_ev + shift_ev
    return OtherIsomers(isomers=other, formation_ev=found)


def _sum_energy_and_spin(geometry: Minimum | Isomer, temperature_k: float) -> float:
    """Energy and spin of a relaxed geometry, eV."""
    return geometry.energy_ev + spin_free_energy(
        geometry.structure.multiplicity, temperature_k
    )
