"""The flags that the numbers of a study carry, and what each means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.provenance import CHANGED_FLAG, EDITED_FLAG
from clusterflow.records.refinements import RefinedCheRecord, RefinedThermoRecord
from clusterflow.science.checks.effects import EFFECTS, WARNINGS, failure_flag
from clusterflow.science.reactions.flags import ORIGIN_FLAGS, group_flags
from clusterflow.science.thermochemistry.level_layer import UNMEASURED_FLAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.levels import DomainSpec
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords


# How much a flag weighs: the number is not to be used; it may be off by about so many
# eV; it is as good as the others.
Weight = Literal["out", "moves", "note"]

# *COOH on Cd6Se6, whose carbon GFN1 binds to selenium, less PBE/def2-SVP on the same
# geometry, eV.
_BOND_TO_NONMETAL_EV: Final = 1.5
# The standard deviation, by its name in a record, that a flag stands for.
_DEVIATIONS: Final = {
    UNMEASURED_FLAG: "level",
    "unknown-bond": "group",
    "no-solvation-value": "solvation",
}
_OUT: Final = {
    *(EDITED_FLAG, CHANGED_FLAG),
    *({failure_flag(gate) for gate in EFFECTS} - WARNINGS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag with its mark in the tables, what it means and what to do about it.

    `moves_ev` is about how far off the numbers of the study that carry it are, at the
    most, where its weight is ``moves``.
    """

    mark: str
    name: str
    reason: str
    way_out: str
    source: str
    weight: Weight
    moves_ev: float | None


def flags_of(records: StudyRecords, domain: Sequence[DomainSpec]) -> tuple[Flag, ...]:
    """Every flag that a number of the study carries, marked a, b, c, ..."""
    energies = [
        *records.of(ThermoRecord),
        *(one.energies for one in records.of(RefinedThermoRecord)),
    ]
    profiles = [
        *records.of(CheRecord),
        *(one.profiles for one in records.of(RefinedCheRecord)),
    ]
    species = [s for t in energies for s in t.species]
    carried = {name for s in species for name in s.flags}
    results = [result for che in profiles for result in che.results]
    steps = (s for result in results for p in result.pathways for s in p.steps)
    carried |= {name for s in steps for name, _ in group_flags(s.flags)}
    carried |= {name for r in results for name, _ in group_flags(r.flags)}
    limits = {entry.name: entry for entry in domain}
    found = []
    for index, name in enumerate(sorted(carried)):
        reason, way_out = ORIGIN_FLAGS.get(name, ("not in the domain table", ""))
        source = ""
        if name in limits:
            entry = limits[name]
            reason, way_out, source = entry.description, entry.way_out, entry.source
        mark = chr(ord("a") + index)
        moves_ev = _find_move(name, limits.get(name), species)
        found.append(
            Flag(
                mark=mark,
                name=name,
                reason=reason,
                way_out=way_out,
                source=source,
                weight=_weigh(name, limits.get(name), moves_ev),
                moves_ev=moves_ev,
            )
        )
    return tuple(found)


def _weigh(name: str, limit: DomainSpec | None, moves_ev: float | None) -> Weight:
    """Beyond a limit or against a check a number is out, unless somebody measured."""
    if name in _OUT:
        return "out"
    if moves_ev is not None:
        return "moves"
    return "note" if limit is None else "out"


def _find_move(
    name: str, limit: DomainSpec | None, species: Sequence[SpeciesFreeEnergy]
) -> float | None:
    """How far off the numbers with a flag are, at the most, eV; None: not known."""
    if limit is not None:
        return limit.moves_ev
    moves = [_measure_move(name, one) for one in species if name in one.flags]
    return max((move for move in moves if move is not None), default=None)


def _measure_move(name: str, species: SpeciesFreeEnergy) -> float | None:
    """What a species' own record says that a flag moves it by, eV."""
    if name == "large-gas-correction":
        return abs(species.layers.get("gas", 0.0))
    if name in _DEVIATIONS:
        return species.deviations.get(_DEVIATIONS[name])
    if name == "bonded-to-nonmetal":
        if "level" in species.layers and UNMEASURED_FLAG not in species.flags:
            return species.deviations.get("level")  # the mean error is taken off
        return _BOND_TO_NONMETAL_EV
    if name in ("reconstructed", "ligand-migrated"):
        if species.de_host_ev is None or species.de_placed_ev is None:
            return None
        return abs(species.de_host_ev - species.de_placed_ev)
    return None
