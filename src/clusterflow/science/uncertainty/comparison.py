"""Which of two surfaces is the better, and with what probability."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Final, TypeAlias

from clusterflow.errors import RecordError
from clusterflow.science.reactions.che import (
    THERMALLY_CLOSED_EV,
    Electrode,
    free_energies_of,
)
from clusterflow.science.reactions.network import Network, find_pathways, parse_network
from clusterflow.science.reactions.transfers import direction
from clusterflow.science.uncertainty.deviations import deviations_of
from clusterflow.science.uncertainty.sampling import (
    probability_better,
    sample_potential,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.library.levels import LevelSpec
    from clusterflow.library.reactions import Pcet, ReactionSpec
    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.profiles import CheRecord, ReactionResult
    from clusterflow.science.uncertainty.sampling import UncertainPotential


# So many of the best of a reaction are compared, pair by pair: of a thousand clusters
# all pairs would be half a million, of which nobody reads those at the end.
LEADERS: Final = 50
_Candidate: TypeAlias = "tuple[CheRecord, ReactionResult, ThermoRecord, Network]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contender:
    """One cluster's result for a reaction, and the samples of its potential."""

    cluster: str
    level: LevelSpec
    result: ReactionResult
    sampled: UncertainPotential


def ranking_key(result: ReactionResult) -> tuple[bool, bool, float, float]:
    """Sorts results: best limiting potential first, holes last.

    The best is the highest, of an oxidation the lowest, of the medians, as in all that
    is printed, or of the best estimates without errors.
    A chemical step that heat does not climb puts a surface behind those without one;
    a tie goes to the smaller chemical step.
    """
    potential = result.headline_v_rhe
    chemical = result.chemical_bottleneck_ev or 0.0
    closed = chemical > THERMALLY_CLOSED_EV
    sign = direction(result.steps)
    return potential is None, closed, -sign * (potential or 0.0), chemical


def probability_a_beats_b(a: Contender, b: Contender) -> float:
    """Probability that A has the better limiting potential, from paired samples.

    What both share cancels: the errors of gases, of the method and of bonds.

    Raises
    ------
    RecordError
        If they are not of one reaction, level and temperature, judged in one way: the
        difference of two methods is not that of two clusters.
    """
    for what, of_a, of_b in (
        ("reaction", a.result.equation, b.result.equation),
        ("level", f"{a.level.name} {a.level.hash}", f"{b.level.name} {b.level.hash}"),
        ("temperature_k", a.result.temperature_k, b.result.temperature_k),
        ("che.pcet", a.result.pcet, b.result.pcet),
    ):
        if of_a != of_b:
            raise RecordError(
                f"{a.cluster} and {b.cluster} cannot be ranked: {what} {of_a} "
                f"against {of_b}; compute both at one"
            )
    sign = direction(a.result.steps)
    return probability_better(
        sign * a.sampled.best.samples_v_rhe, sign * b.sampled.best.samples_v_rhe
    )


def contenders(
    thermo: Sequence[ThermoRecord], che: Sequence[CheRecord]
) -> Iterator[list[Contender]]:
    """Clusters that can be ranked with each other for a reaction, best first.

    One list a reaction, level, temperature and way to judge transfers, with `LEADERS`
    clusters at most; a cluster without a limiting potential, with a deviation unknown,
    or whose samples cannot be drawn anew from its own free energies is in none.
    """
    energies = {record.cluster: record for record in thermo}
    networks: dict[tuple[ReactionSpec, Pcet], Network] = {}
    groups: dict[tuple[str, str, float, Pcet], list[_Candidate]] = {}
    for record in che:
        specs = {spec.name: spec for spec in record.networks}
        for result in record.results:
            spec, own = specs.get(result.reaction), energies.get(record.cluster)
            if spec is None or own is None or record.level is None:
                continue
            read_as = spec, result.pcet
            if read_as not in networks:
                networks[read_as] = rebuild_network(*read_as)
            level, temperature = record.level.hash, result.temperature_k
            key = result.reaction, level, temperature, result.pcet
            candidate = record, result, own, networks[read_as]
            groups.setdefault(key, []).append(candidate)
    for group in groups.values():
        group.sort(key=lambda candidate: _order_candidate(*candidate[:2]))
        # To draw the samples takes longer than all else.
        found = [_make_contender(*candidate) for candidate in group[:LEADERS]]
        if leaders := [contender for contender in found if contender is not None]:
            yield leaders


def _order_candidate(
    record: CheRecord, result: ReactionResult
) -> tuple[tuple[bool, bool, float, float], str]:
    return ranking_key(result), record.cluster


def rebuild_network(spec: ReactionSpec, pcet: Pcet) -> Network:
    """A recorded network; its balance was checked when it was computed."""
    overall, steps = parse_network(spec)
    paths = find_pathways(overall, steps)
    return Network(
        spec=spec, overall=overall, pathways=tuple(map(tuple, paths)), pcet=pcet
    )


def _make_contender(
    record: CheRecord, result: ReactionResult, thermo: ThermoRecord, network: Network
) -> Contender | None:
    deviations = deviations_of(thermo)
    if (
        record.level is None
        or deviations is None
        or result.limiting_potential_v_rhe is None
        or result.temperature_k != thermo.temperature_k
    ):
        return None
    electrode = Electrode(ph=result.ph, temperature_k=result.temperature_k)
    energies = free_energies_of(thermo, record.solutes_ev)
    sampled = sample_potential(
        network, energies, deviations, electrode, surface=record.cluster
    )
    if sampled is None or not _are_samples_of(result, sampled):
        return None
    return Contender(
        cluster=record.cluster, level=record.level, result=result, sampled=sampled
    )


def _are_samples_of(result: ReactionResult, sampled: UncertainPotential) -> bool:
    """Whether samples drawn anew are those that the record's numbers were made of.

    They are not where pathways lead over states of the cluster, which have records of
    their own.
    """
    if result.uncertainty is None:
        return True
    return isclose(
        sampled.best.median_v_rhe, result.uncertainty.median_v_rhe, abs_tol=1e-9
    )
