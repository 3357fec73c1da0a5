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
from clusterflow.science.adsorption.surface_bonds import holds_carbonyl_chalcogenide
from clusterflow.science.clusters.spin import spin_free_energy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from clusterflow.library.clusters import IsomerMode
    from clusterflow.records.adsorption import AdsorbRecord, Fate, Minimum, PoolRecord
    from clusterflow.records.cluster_records import ClusterRecords
    from clusterflow.records.clusters import Isomer
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.structure import Structure
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
    # Carbonyl selenide is no carbon monoxide, however low it lies.
    minima.sort(key=lambda pair: holds_carbonyl_chalcogenide(pair[1].structure))
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


def minimum_of_mode(
    records: ClusterRecords, record: AdsorbRecord, mode: IsomerMode
) -> int | None:
    """Index of the minimum that stands for one of the adsorbates on a cluster.

    That is `choose_minimum` with what the cluster's pool and vibrations say.
    """
    vibrated = records.vibrations_of(record.adsorbate)
    not_minima = vibrated.not_minima if vibrated else ()
    return choose_minimum(record, mode, records.pool, not_minima)


def _is_on_other_species(
    record: AdsorbRecord, minimum: Minimum, pool: PoolRecord | None
) -> bool:
    """Whether the cluster under an adsorbate is, or may be, another species."""
    known = isomers_of_minimum(pool, record.adsorbate, minimum) if pool else None
    if pool is None or known is None:
        return False
    others = {p.isomer.structure.name for p in pool.left_out if p.other_species}
    return known.host is None or known.host in others


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
    records: ClusterRecords,
    mode: IsomerMode,
    temperature_k: float,
    bond_layers_ev: Callable[[Structure], Mapping[str, float] | None],
) -> OtherIsomers | None:
    """Formation energies by the other choice of isomers: ``pool``, or else fixed core.

    An adsorbate moves by what its minimum and the bare cluster move by, in energy,
    spin and the layers that follow from bonds; vibrations and other corrections stay.
    Where both choices take one minimum, that does not move. None without a pool, or
    without a bare cluster.

    Parameters
    ----------
    species
        Free energies by the choice `mode`.
    records
        Those of the cluster, from which they were made.
    bond_layers_ev
        Layers of the adsorbate of a complex, by name; None where one is not known.
    """
    if records.pool is None or not records.relaxed.isomers:
        return None
    other: IsomerMode = "fixed_core_first" if mode == "pool" else "pool"
    if reason := why_not_pooled(records.pool, records.adsorptions):
        return OtherIsomers(isomers=other, reason=reason)
    here, there = (relaxed_of_mode(records, m).isomers[0] for m in (mode, other))
    adsorptions = {f"*{record.adsorbate}": record for record in records.adsorptions}
    found: dict[str, float] = {}
    for item in species:
        if item.formation_ev is None or item.terms is None:
            continue
        shift_ev = 0.0
        if item.name in adsorptions:
            record = adsorptions[item.name]
            old, new = (minimum_of_mode(records, record, m) for m in (mode, other))
            if old is None or new is None:
                continue
            if new != old:
                layers = bond_layers_ev(record.minima[new].structure)
                if layers is None:
                    continue
                shift_ev = sum(
                    ev - item.layers.get(layer, 0.0) for layer, ev in layers.items()
                )
                shift_ev += _sum_energy_and_spin(record.minima[new], temperature_k)
                shift_ev -= _sum_energy_and_spin(record.minima[old], temperature_k)
                # Of what was vibrated: relaxed again where a mode was imaginary.
                shift_ev += record.minima[old].energy_ev - item.terms.energy_ev
            shift_ev -= _sum_energy_and_spin(there, temperature_k)
            shift_ev += _sum_energy_and_spin(here, temperature_k)
        found[item.name] = item.formation_ev + shift_ev
    return OtherIsomers(isomers=other, formation_ev=found)


def _sum_energy_and_spin(geometry: Minimum | Isomer, temperature_k: float) -> float:
    """Energy and spin of a relaxed geometry, eV."""
    return geometry.energy_ev + spin_free_energy(
        geometry.structure.multiplicity, temperature_k
    )
