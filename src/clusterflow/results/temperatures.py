"""Free energies at other temperatures than the study's, from finished records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clusterflow.errors import ClusterflowError, RecordError
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.vibrations import GasRecord, LeavingRecord, VibrateRecord
from clusterflow.science.reactions.che import free_energies_of
from clusterflow.science.reactions.cluster_states import add_cluster_states
from clusterflow.science.reactions.evaluate import add_solutes
from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.thermochemistry.other_temperatures import move_to_temperature
from clusterflow.science.uncertainty.deviations import deviations_of
from clusterflow.settings import ThermoSettings
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.own_thermo import (
    own_gases,
    own_thermo,
    read_shift_tables,
)
from clusterflow.stages.thermo import surroundings_of, thermo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import CheRecord
    from clusterflow.science.reactions.che import FreeEnergies
    from clusterflow.science.uncertainty.deviations import Deviations

# Liquid water: where the hydrogen electrode of this workflow is meant for.
TEMPERATURES_K: Final = (273.15, 298.15, 323.15, 348.15, 373.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnergies:
    """Free energies of a cluster's steps at 0 V and pH 0.

    `dg0_ev` has one value for each of `temperatures_k`, by the name of the step;
    `reason` says why there are no other temperatures than the study's. `deviations`
    are those of the species at the study's temperature.
    """

    temperatures_k: tuple[float, ...] = ()
    dg0_ev: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    reason: str = ""
    deviations: Deviations | None = None


def thermo_at(
    known: ThermoRecord, records: StudyRecords, temperature_k: float, library: Library
) -> ThermoRecord:
    """Stage thermo at another temperature, with the settings of the recorded one.

    Parameters
    ----------
    known
        The record at the study's temperature.
    records
        Those it was made from, among any others.
    temperature_k
        The other temperature.
    library
        Of adsorbates and gases.

    Raises
    ------
    RecordError
        If a record that the free energies rest on is missing.
    """
    settings = _read_settings(known, temperature_k)
    if known.own:
        return _own_thermo_at(known, settings, library)
    of_cluster = _find_records_of(known, records, temperature_k)
    return thermo(of_cluster, settings, library, Job("thermo"))


def _read_settings(known: ThermoRecord, temperature_k: float) -> ThermoSettings:
    """The settings of the recorded stage, at another temperature."""
    return ThermoSettings.model_validate(
        {**known.provenance.settings, "temperature_k": temperature_k}
    )


def _find_records_of(
    known: ThermoRecord, records: StudyRecords, temperature_k: float
) -> ClusterRecords:
    """The records that free energies were made of, among any others."""
    cluster, names = known.cluster, [s.name for s in known.species]
    gases = {n.partition("(")[0] for n in names if not n.startswith("*")}
    relaxed = [r for r in records.of(RelaxRecord) if r.cluster == cluster]
    found = {r.adsorbate: r for r in records.of(AdsorbRecord) if r.cluster == cluster}
    adsorbates = [n[1:] for n in names if n.startswith("*") and n != "*"]
    missing = [STAGES["adsorb"].path(cluster, n) for n in adsorbates if n not in found]
    missing += [] if relaxed else [STAGES["relax"].path(cluster)]
    if missing:
        raise RecordError(
            f"{cluster} at {temperature_k:g} K: no record {missing[0]}; "
            "give the whole results folder"
        )
    pools = [r for r in records.of(PoolRecord) if r.cluster == cluster]
    leaving = [r for r in records.of(LeavingRecord) if r.cluster == cluster]
    return ClusterRecords(
        relaxed=relaxed[0],
        adsorptions=[found[name] for name in adsorbates],
        vibrations=[v for v in records.of(VibrateRecord) if v.cluster == cluster],
        gases=[g for g in records.of(GasRecord) if g.gas in gases],
        pool=pools[0] if pools else None,
        leaving=leaving[0] if leaving else None,
    )


def _list_thermo_at(
    known: ThermoRecord,
    records: StudyRecords,
    temperatures_k: Sequence[float],
    library: Library,
) -> list[ThermoRecord]:
    """The record at some temperatures, numbers alone: what it is made of stays.

    Raises
    ------
    RecordError
        If a record that the free energies rest on is missing.
    """
    if known.own or known.level is None:
        return [
            known
            if temperature_k == known.temperature_k
            else thermo_at(known, records, temperature_k, library)
            for temperature_k in temperatures_k
        ]
    of_cluster = _find_records_of(known, records, temperatures_k[0])
    settings = _read_settings(known, known.temperature_k)
    around = surroundings_of(known.level, of_cluster.gases, settings, library)
    names = [adsorbed.adsorbate for adsorbed in of_cluster.adsorptions]
    counts = {name: library.adsorbate(name).counts for name in names}
    return [
        known
        if temperature_k == known.temperature_k
        else move_to_temperature(known, of_cluster, around, counts, temperature_k)
        for temperature_k in temperatures_k
    ]


def _own_thermo_at(
    known: ThermoRecord, settings: ThermoSettings, library: Library
) -> ThermoRecord:
    """The same from a person's own energies, which the record holds."""
    assert known.level is not None
    found = own_thermo(
        known.cluster,
        known.own,
        own_gases(known.own, settings, library, given_at_k=known.temperature_k),
        known.level,
        library,
        Job("thermo"),
        shifts_ev=read_shift_tables(settings, known.cluster, library),
    )
    lost = [
        s.reason
        for before, s in zip(known.species, found.species, strict=True)
        if before.formation_ev is not None and s.formation_ev is None
    ]
    if lost:
        raise RecordError(f"{known.cluster}: {lost[0]}")
    return found


def step_energies(
    che: CheRecord,
    records: StudyRecords,
    library: Library,
    temperatures_k: Sequence[float] = TEMPERATURES_K,
) -> StepEnergies:
    """Free energies of all steps on a cluster at some temperatures and its own."""
    known = {record.cluster: record for record in records.of(ThermoRecord)}
    clusters = (che.cluster, *che.states.values())
    if any(name not in known for name in clusters):
        return StepEnergies(reason="no thermo record")
    own = known[che.cluster].temperature_k
    steps = {s.name for r in che.results for p in r.pathways for s in p.steps}
    equations = [parse_equation(name) for name in sorted(steps)]

    terms = set().union(*(equation.species for equation in equations))
    chosen = sorted({own, *temperatures_k})

    def join(first: ThermoRecord, *states: ThermoRecord) -> ThermoRecord:
        return add_cluster_states(first, states, che.networks, library).thermo

    def complete(thermo: ThermoRecord) -> FreeEnergies:
        return add_solutes(
            *(free_energies_of(thermo), terms, library),
            *(thermo.temperature_k, thermo.pressure_pa),
        )

    deviations = None
    try:
        deviations = deviations_of(join(*(known[name] for name in clusters)))
        moved = [_list_thermo_at(known[n], records, chosen, library) for n in clusters]
        at = [complete(join(*of_one)) for of_one in zip(*moved, strict=True)]
    except (ClusterflowError, ValueError) as error:
        # Intervals are of the study's temperature, and stay without another one.
        reason = f"no other temperature: {error}"
        return StepEnergies(reason=reason, deviations=deviations)
    return StepEnergies(
        temperatures_k=tuple(chosen),
        dg0_ev={
            e.name: tuple(found.reaction_ev(e)[0] for found in at) for e in equations
        },
        deviations=deviations,
    )
