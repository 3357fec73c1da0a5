"""What DFT may still change about the limiting potentials of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.science.reactions.che import Electrode, free_energies_of
from clusterflow.science.reactions.cluster_states import add_cluster_states
from clusterflow.science.reactions.evaluate import build_networks
from clusterflow.science.reactions.network import read_surface
from clusterflow.science.reactions.transfers import direction
from clusterflow.science.uncertainty.sampling import (
    N_SAMPLES,
    SEED,
    Shifts,
    propagate,
)
from clusterflow.settings import CheSettings
from clusterflow.stages.parts.job import Job
from clusterflow.stages.refined_thermo import calibration_of, refined_thermo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from clusterflow.library.find import Library
    from clusterflow.records.cluster_records import ClusterRecords
    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.profiles import CheRecord
    from clusterflow.science.thermochemistry.composite import Refinements
    from clusterflow.science.uncertainty.sampling import LimitingPotential

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterOutlook:
    """Free energies of a cluster as far as DFT went, and what it may still say.

    Attributes
    ----------
    thermo
        Of the composite level; what has no DFT energy is calibrated.
    outcomes_ev
        By adsorbate without a DFT energy, samples of its free energy by DFT less the
        calibrated one, shape (n_samples,).
    unknown
        Adsorbates that only a DFT energy would give a number to.
    """

    cluster: str
    thermo: ThermoRecord
    outcomes_ev: Mapping[str, Floats]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PotentialOutlook:
    """A limiting potential under all that DFT may still say; `sign` 1 of a reduction.

    `species` are the adsorbates of the reaction, with the cluster that each is on.
    """

    cluster: str
    reaction: str
    sign: int
    found: LimitingPotential | None
    species: frozenset[tuple[str, str]]


def look_ahead(
    records: ClusterRecords, base: ThermoRecord, found: Refinements, library: Library
) -> ClusterOutlook:
    """What is known of one cluster, and what may come.

    Parameters are those of `refined_thermo`.
    """
    refined = refined_thermo(records, base, found, library, Job("refined_thermo"))
    has_energy = {
        one.adsorbate
        for one in found.adsorbates
        if any(m.point.energy_ev is not None for m in one.minima)
    }
    computed = {s.name for s in base.species if s.formation_ev is not None}
    left = [
        a.adsorbate
        for a in records.adsorptions
        if f"*{a.adsorbate}" in computed and a.adsorbate not in has_energy
    ]
    calibration = calibration_of(records, base, found, library)
    outcomes = calibration.sample_outcomes(left, N_SAMPLES, SEED) if calibration else {}
    return ClusterOutlook(
        cluster=base.cluster,
        thermo=refined.energies,
        outcomes_ev=outcomes,
        unknown=tuple(n for n in left if n not in outcomes) if calibration else (),
    )


def foresee_potentials(
    profiles: CheRecord, clusters: Mapping[str, ClusterOutlook], library: Library
) -> Iterator[PotentialOutlook]:
    """The limiting potential of each reaction on a cluster, sample by sample.

    Only what DFT may still say is sampled: what stays, as the error of DFT itself and
    of gases, no refinement takes away.

    Parameters
    ----------
    profiles
        Of the level: reactions and settings.
    clusters
        By name, the states of the cluster among them.
    """
    own = clusters[profiles.cluster]
    settings = CheSettings.model_validate(profiles.provenance.settings)
    states = [clusters[name].thermo for name in profiles.states.values()]
    joined = add_cluster_states(own.thermo, states, profiles.networks, library)
    electrode = Electrode(
        potential_v=settings.potential_v,
        scale=settings.scale,
        ph=settings.ph,
        temperature_k=own.thermo.temperature_k,
    )
    networks = build_networks(profiles.networks, library, settings.pcet)
    energies = free_energies_of(joined.thermo, profiles.solutes_ev)
    for network in networks:
        on = {
            term: _place_term(term, profiles.cluster, joined.states)
            for term in network.species
            if term.startswith("*")
        }
        known = sorted(term for term in network.species if term in energies.values)
        shifts = _collect_shifts(known, on, clusters)
        sampled = propagate(network, energies, electrode, shifts)
        yield PotentialOutlook(
            cluster=profiles.cluster,
            reaction=network.spec.name,
            sign=1 if direction(network.pathways[0]) > 0 else -1,
            found=None if sampled is None else sampled.best,
            species=frozenset(place for place in on.values() if place[1]),
        )


def _place_term(term: str, cluster: str, states: Mapping[str, str]) -> tuple[str, str]:
    """The cluster that a surface term is on, itself or a state, and the adsorbate."""
    change, adsorbate = read_surface(term)
    return (states.get(change, cluster) if change else cluster), adsorbate


def _collect_shifts(
    terms: Sequence[str],
    on: Mapping[str, tuple[str, str]],
    clusters: Mapping[str, ClusterOutlook],
) -> Shifts:
    values = np.zeros((N_SAMPLES, len(terms)))
    for column, term in enumerate(terms):
        cluster, adsorbate = on.get(term, ("", ""))
        if cluster in clusters and adsorbate in clusters[cluster].outcomes_ev:
            values[:, column] = clusters[cluster].outcomes_ev[adsorbate]
    return Shifts(species=tuple(terms), values_ev=values)
