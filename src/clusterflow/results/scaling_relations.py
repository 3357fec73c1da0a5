"""Lines through the free energies of adsorbates on several clusters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from clusterflow.results.ranking import level_key
from clusterflow.science.reactions.scaling_line import fit_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.records.energies import ThermoRecord
    from clusterflow.science.reactions.scaling_line import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Free energies of all adsorbates on the clusters of one level and temperature.

    `values_ev` has one row a cluster and one column a species; `lines` are by the
    columns of x and y.
    """

    level: str
    temperature_k: float
    species: tuple[str, ...]
    clusters: tuple[str, ...]
    values_ev: tuple[tuple[float | None, ...], ...]
    lines: Mapping[tuple[int, int], Line]
    first: tuple[int, int]


def scalings_of(thermo: Iterable[ThermoRecord]) -> tuple[Scaling, ...]:
    """One a level and temperature at which two clusters and two adsorbates have ΔG."""
    groups: dict[tuple[str, str, float], list[ThermoRecord]] = {}
    for record in thermo:
        key = (*level_key(record.level), record.temperature_k)
        groups.setdefault(key, []).append(record)
    found = (_fit_scaling(name, group) for (name, _, _), group in groups.items())
    return tuple(scaling for scaling in found if scaling is not None)


def _fit_scaling(level: str, group: Sequence[ThermoRecord]) -> Scaling | None:
    known = {
        record.cluster: {
            s.name: s.formation_ev
            for s in record.species
            if s.name.startswith("*") and s.name != "*" and s.formation_ev is not None
        }
        for record in group
    }
    known = {cluster: values for cluster, values in known.items() if values}
    species = sorted({name for values in known.values() for name in values})
    if len(known) < 2 or len(species) < 2:
        return None
    rows = [[values.get(name) for name in species] for values in known.values()]
    lines, shared = {}, {}
    for x, y in permutations(range(len(species)), 2):
        pairs = [
            (at_x, at_y)
            for row in rows
            if (at_x := row[x]) is not None and (at_y := row[y]) is not None
        ]
        shared[x, y] = len(pairs)
        line, _ = fit_line([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        if line is not None:
            lines[x, y] = line
    return Scaling(
        level=level,
        temperature_k=group[0].temperature_k,
        species=tuple(species),
        clusters=tuple(known),
        values_ev=tuple(tuple(row) for row in rows),
        lines=lines,
        first=_choose_first_pair(species, shared),
    )


def _choose_first_pair(
    species: Sequence[str], shared: Mapping[tuple[int, int], int]
) -> tuple[int, int]:
    """The pair of most clusters; of these, one with *CO as its abscissa."""

    def rank(pair: tuple[int, int]) -> tuple[int, bool, bool]:
        names = [species[index] for index in pair]
        return shared[pair], names[0] == "*CO", names[1] in ("*COOH", "*CHO")

    return max(shared, key=rank)
