"""A cluster's free energies at another temperature, without its stage anew.

Energies, bonds, chosen minima and most corrections do not depend on it: they are those
of the record. Only sums over states, and the condensation of liquids, are made again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clusterflow.science.adsorption.bare_isomers import relaxed_of_mode
from clusterflow.science.thermochemistry.adsorbate_models import adsorbate_terms
from clusterflow.science.thermochemistry.lost_vibrations import lost_vibrations
from clusterflow.science.thermochemistry.partition_functions import (
    electronic_only,
    with_spin,
)
from clusterflow.science.thermochemistry.species import (
    clean_surface,
    gas_species,
    hole,
    make_species,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clusterflow.records.cluster_records import ClusterRecords
    from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
    from clusterflow.science.thermochemistry.species import Surroundings

_NUMBERS = ("terms", "layers", "gibbs_ev", "formation_ev", "formation_uncorrected_ev")


def move_to_temperature(
    known: ThermoRecord,
    records: ClusterRecords,
    around: Surroundings,
    counts: Mapping[str, Mapping[str, int]],
    temperature_k: float,
) -> ThermoRecord:
    """The record with the free energies of its species at another temperature.

    What has no number there has none here; flags and deviations stay.

    Parameters
    ----------
    known
        The record, at any temperature.
    records
        Those that it was made of.
    around
        The gases and the model of adsorbates, as the record was made with.
    counts
        Element counts of its adsorbates.
    temperature_k
        The other one.
    """
    around = replace(around, temperature_k=temperature_k)
    clean = relaxed_of_mode(records, around.isomers)
    if not clean.isomers:
        return known
    species = tuple(
        one
        if one.formation_ev is None
        else _move_species(one, records, around, counts.get(one.name[1:], {}))
        for one in known.species
    )
    update: dict[str, object] = {
        "temperature_k": temperature_k,
        "half_hydrogen_ev": _find_half_hydrogen(known, around),
        "species": species,
    }
    if records.leaving is not None:
        update["lost_vibrations"] = lost_vibrations(
            records.leaving,
            clean.isomers[0].structure.name,
            temperature_k,
            around.model.low_mode_cutoff_cm1,
        )
    return known.model_copy(update=update)


def _move_species(
    known: SpeciesFreeEnergy,
    records: ClusterRecords,
    around: Surroundings,
    counts: Mapping[str, int],
) -> SpeciesFreeEnergy:
    if known.name == "*":
        clean = relaxed_of_mode(records, around.isomers)
        moved = clean_surface(clean, around.temperature_k, records.pool)
    elif known.name.startswith("*"):
        moved = _move_adsorbed(known, records, around, counts)
    else:
        gas = known.name.partition("(")[0]
        corrections = {gas: known.layers["gas"]} if "gas" in known.layers else None
        found = gas_species(gas, around, corrections)
        moved = next(one for one in found if one.name == known.name)
    if moved.formation_ev is None:
        return moved
    return known.model_copy(update={name: getattr(moved, name) for name in _NUMBERS})


def _move_adsorbed(
    known: SpeciesFreeEnergy,
    records: ClusterRecords,
    around: Surroundings,
    counts: Mapping[str, int],
) -> SpeciesFreeEnergy:
    """An adsorbate from the vibrations of the minimum that stands for it."""
    name = known.name[1:]
    vibrated = records.vibrations_of(name)
    adsorbed = next(one for one in records.adsorptions if one.adsorbate == name)
    anchors_ev = around.anchor_energy_ev(counts)
    # The record has a number, so all of these were there when it was made.
    if vibrated is None or vibrated.minimum is None or anchors_ev is None:
        return hole(known.name, "its records are not those that it was made of")
    at_k = around.temperature_k
    terms, reason = adsorbate_terms(vibrated, around.model, at_k)
    if terms is None:
        return hole(known.name, reason, "failed")
    minimum = adsorbed.minima[vibrated.minimum]
    terms = with_spin(terms, minimum.structure.multiplicity, at_k)
    host = relaxed_of_mode(records, around.isomers).isomers[0]
    clean = electronic_only(host.energy_ev, host.structure.multiplicity, at_k)
    return make_species(known.name, terms, anchors_ev + clean.gibbs_ev, known.layers)


def _find_half_hydrogen(known: ThermoRecord, around: Surroundings) -> float | None:
    """Of the record, moved as half a hydrogen molecule moves from its anchors, eV."""
    if known.half_hydrogen_ev is None:
        return None
    before = replace(around, temperature_k=known.temperature_k)
    lies = [
        h2.gibbs_ev - anchors_ev
        for one in (around, before)
        if (h2 := one.gas_terms("H2")) is not None
        and (anchors_ev := one.anchor_energy_ev({"H": 2})) is not None
    ]
    return known.half_hydrogen_ev + (lies[0] - lies[1]) / 2 if len(lies) > 1 else None
