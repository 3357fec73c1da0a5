"""Stage claims: what the joint samples of all errors say of a claim, level by level."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.library.claims import ClaimSpec
from clusterflow.library.find import describe_error, validate
from clusterflow.records.adsorption import PoolRecord
from clusterflow.records.claims import ClaimRecord, LevelVerdict
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import (
    RefinedCheRecord,
    RefinedThermoRecord,
    name_composite,
)
from clusterflow.science.adsorption.bare_isomers import all_isomers
from clusterflow.science.reactions.che import Electrode, free_energies_of
from clusterflow.science.reactions.claim_language import (
    Choice,
    Difference,
    read_claim,
)
from clusterflow.science.reactions.claimed_steps import resolve_steps
from clusterflow.science.reactions.cluster_states import add_cluster_states
from clusterflow.science.thermochemistry.level_layer import is_calibrated
from clusterflow.science.uncertainty.claimed_lengths import (
    WeighedIsomers,
    judge_lengths,
)
from clusterflow.science.uncertainty.claims import (
    Surface,
    judge_claim,
    reactions_of,
    terms_of,
)
from clusterflow.science.uncertainty.comparison import rebuild_network
from clusterflow.science.uncertainty.deviations import deviations_of
from clusterflow.stages.parts.job import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.clusters import Isomer
    from clusterflow.science.reactions.claim_language import Claim, ReadClaim
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profiles:
    """The profiles of a cluster with the free energies they are of, states included.

    `level` is the name of the level, or of the composite one; `hashes` tell it apart.
    """

    record: CheRecord
    thermo: ThermoRecord
    level: str
    hashes: str


def run(inputs: Inputs, job: Job) -> ClaimRecord:
    """Judge the claim at the level, and at the composite level if there is one."""
    try:
        spec = validate(inputs.sections.get("claims", {}), ClaimSpec)
    except ValidationError as error:
        raise ConfigError(f"claims: {describe_error(error)}") from None
    job.settings = settings_of(spec)
    read = read_claim(spec)
    try:
        read = replace(read, claim=resolve_steps(read.claim, inputs.library))
        if isinstance(read.claim, Difference) and read.claim.is_of_lengths:
            verdicts = [_judge_lengths(read, read.claim, inputs)]
        else:
            verdicts = _judge_energies(read, inputs)
    except (ConfigError, LibraryError) as error:
        raise ConfigError(f"claims: {spec.name}: {error}") from None
    first = verdicts[0].judgement
    return ClaimRecord(
        claim=spec,
        quantities=str(read.claim),
        unit=_name_unit(read.claim),
        verdicts=tuple(verdicts),
        status="ok" if first.probability is not None else "failed",
        reason=first.reason,
        provenance=job.provenance(),
    )


def _judge_energies(read: ReadClaim, inputs: Inputs) -> list[LevelVerdict]:
    plain = _read_profiles(inputs, read)
    verdicts = [_judge(read, plain)]
    if refined := _read_refined_profiles(inputs, read):
        verdicts.append(_judge(read, refined, is_composite=True))
    return verdicts


def _judge_lengths(read: ReadClaim, claim: Difference, inputs: Inputs) -> LevelVerdict:
    """The verdict on geometries, which DFT at those geometries does not change."""
    thermo = [
        one
        for one in (*inputs.every(ThermoRecord), *inputs.peers(ThermoRecord))
        if one.cluster in claim.clusters
    ]
    relaxed = (*inputs.every(RelaxRecord), *inputs.peers(RelaxRecord))
    pools = (*inputs.every(PoolRecord), *inputs.peers(PoolRecord))
    geometries: dict[str, list[Isomer]] = defaultdict(list)
    for one in relaxed:
        geometries[one.cluster] += one.isomers
    for pool in pools:
        geometries[pool.cluster] += all_isomers(pool)
    isomers = {
        one.cluster: weighed
        for one in thermo
        if (weighed := _weigh_isomers(one, geometries[one.cluster]))
    }
    judgement = judge_lengths(read, claim, isomers)
    levels = (one.level.name for one in thermo if one.level)
    return LevelVerdict(
        level=", ".join(dict.fromkeys(levels)) or "none",
        is_composite=False,
        temperature_k=thermo[0].temperature_k if thermo else None,
        basis=None if judgement.probability is None else "screening",
        judgement=judgement,
    )


def _weigh_isomers(
    thermo: ThermoRecord, geometries: Sequence[Isomer]
) -> WeighedIsomers | None:
    """The isomers of a cluster with their shares, where there are geometries."""
    known = {(one.structure.name, one.energy_ev): one.structure for one in geometries}
    weights = {(one.isomer, one.energy_ev): one.weight for one in thermo.isomer_weights}
    if not weights or not weights.keys() <= known.keys():
        return None
    level = thermo.level
    return WeighedIsomers(
        cluster=thermo.cluster,
        structures=[known[key] for key in weights],
        weights=list(weights.values()),
        basis={
            "level": f"{level.name} ({level.hash})" if level else "none",
            "temperature_k": f"{thermo.temperature_k:g}",
        },
    )


def _read_profiles(inputs: Inputs, read: ReadClaim) -> list[_Profiles]:
    """The profiles of the clusters that a claim names."""
    thermo = (*inputs.every(ThermoRecord), *inputs.peers(ThermoRecord))
    return [
        _Profiles(
            record=one,
            thermo=joined,
            level=one.level.name if one.level else "none",
            hashes=one.level.hash if one.level else "none",
        )
        for one in (*inputs.every(CheRecord), *inputs.peers(CheRecord))
        if one.cluster in read.claim.clusters
        and (joined := _join_states(one, thermo, inputs.library))
    ]


def _read_refined_profiles(inputs: Inputs, read: ReadClaim) -> list[_Profiles]:
    """Those of the composite level, where there are some."""
    refined = (*inputs.every(RefinedThermoRecord), *inputs.peers(RefinedThermoRecord))
    thermo = [one.energies for one in refined]
    found = []
    for one in (*inputs.every(RefinedCheRecord), *inputs.peers(RefinedCheRecord)):
        joined = _join_states(one.profiles, thermo, inputs.library)
        if one.cluster not in read.claim.clusters or joined is None:
            continue
        levels = [level.hash for level in (one.dft_level, one.level) if level]
        found.append(
            _Profiles(
                record=one.profiles,
                thermo=joined,
                level=name_composite(one.level, one.dft_level),
                hashes="//".join(levels),
            )
        )
    return found


def _join_states(
    profiles: CheRecord, thermo: Sequence[ThermoRecord], library: Library
) -> ThermoRecord | None:
    """The free energies of some profiles, those of the cluster's states included."""
    by_cluster = {one.cluster: one for one in thermo}
    if profiles.cluster not in by_cluster:
        return None
    states = [
        by_cluster[name] for name in profiles.states.values() if name in by_cluster
    ]
    own = by_cluster[profiles.cluster]
    return add_cluster_states(own, states, profiles.networks, library).thermo


def _judge(
    read: ReadClaim,
    profiles: Sequence[_Profiles],
    *,
    is_composite: bool = False,
) -> LevelVerdict:
    surfaces = {one.record.cluster: _make_surface(one) for one in profiles}
    basis: Literal["calibrated", "screening"] = "screening"
    if all(
        is_calibrated(one.thermo, terms_of(read, surfaces[one.record.cluster]))
        for one in profiles
    ):
        basis = "calibrated"
    judgement = judge_claim(read, surfaces)
    return LevelVerdict(
        level=", ".join(dict.fromkeys(one.level for one in profiles)) or "none",
        is_composite=is_composite,
        temperature_k=profiles[0].thermo.temperature_k if profiles else None,
        basis=None if judgement.probability is None else basis,
        judgement=judgement,
        flags=tuple(
            dict.fromkeys(
                flag
                for one in profiles
                for flag in _list_flags(read, one, surfaces[one.record.cluster])
            )
        ),
    )


def _make_surface(profiles: _Profiles) -> Surface:
    record, thermo = profiles.record, profiles.thermo
    read_as = {result.reaction: result.pcet for result in record.results}
    networks = {
        spec.name: rebuild_network(spec, read_as[spec.name])
        for spec in record.networks
        if spec.name in read_as
    }
    ph = record.results[0].ph if record.results else 0.0
    return Surface(
        cluster=record.cluster,
        energies=free_energies_of(thermo, record.solutes_ev),
        deviations=deviations_of(thermo),
        networks=networks,
        electrode=Electrode(ph=ph, temperature_k=thermo.temperature_k),
        basis={
            "level": f"{profiles.level} ({profiles.hashes})",
            "temperature_k": f"{thermo.temperature_k:g}",
            "thermo.isomers": thermo.isomers,
            "che.ph": f"{ph:g}",
            "che.pcet": ", ".join(sorted(set(read_as.values()))),
        },
    )


def _list_flags(
    read: ReadClaim, profiles: _Profiles, surface: Surface
) -> Iterator[str]:
    """Flags of the numbers that a claim rests on, with the cluster and the species."""
    cluster = profiles.record.cluster
    reactions = reactions_of(read, surface)
    for result in profiles.record.results:
        if result.reaction in reactions:
            yield from (f"{cluster} {flag}" for flag in result.flags)
    if isinstance(read.claim, Choice):
        return
    terms = read.claim.terms
    free = [q for _, q in terms if q.kind != "U_L" and q.cluster == cluster]
    wanted = {term for quantity in free for term in quantity.equation.species}
    for species in profiles.thermo.species:
        if species.name in wanted:
            yield from (f"{cluster} {species.name}: {flag}" for flag in species.flags)


def _name_unit(claim: Claim) -> str:
    """Of median and interval; a difference of potentials has no scale."""
    if isinstance(claim, Choice):
        return "V" if claim.of == "product" else ""
    is_difference = not sum(sign for sign, _ in claim.terms)
    return claim.unit if claim.unit != "V" or is_difference else "V vs RHE"
