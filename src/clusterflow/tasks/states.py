"""The states of a cluster that reactions name: which they are, and their energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.core.network import parse_network, read_change, read_surface
from clusterflow.core.states import join_states
from clusterflow.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.core.states import Joined
    from clusterflow.library import Library
    from clusterflow.records import ThermoRecord
    from clusterflow.specs import ReactionSpec


def with_states(
    thermo: ThermoRecord,
    states: Sequence[ThermoRecord],
    reactions: Sequence[ReactionSpec],
    library: Library,
) -> Joined:
    """A cluster's free energies with those of the states that the reactions name.

    A state that is in no library, or without a record, is a hole with that reason.

    Raises
    ------
    RecordError
        If a record is of no such state, or was made with other settings.
    """
    terms = {term for spec in reactions for term in _surface_terms(spec)}
    changes = {change for term in terms if (change := read_surface(term)[0])}
    records = {record.cluster: record for record in states}
    clusters = {
        change: library.states(thermo.cluster, read_change(change))
        for change in sorted(changes)
    }
    named = {name for names in clusters.values() for name in names}
    if strangers := sorted(records.keys() - named):
        raise RecordError(
            f"thermo record of {strangers[0]}: the reactions name no such state of "
            f"{thermo.cluster}; give only the cluster and its states"
        )
    anchors = [c.gas for c in thermo.gas_corrections if c.is_anchor]
    return join_states(
        thermo,
        {
            change: {name: records.get(name) for name in names}
            for change, names in clusters.items()
        },
        terms,
        {anchor: library.gas(anchor).counts for anchor in anchors},
    )


def _surface_terms(spec: ReactionSpec) -> set[str]:
    overall, steps = parse_network(spec)
    terms = overall.species.union(*(step.species for step in steps))
    return {term for term in terms if term.startswith("*")}
