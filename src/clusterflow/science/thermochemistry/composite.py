"""Free energies of a composite level: electronic energies by DFT, the rest by a level.

DFT energies take the place of the level's in copies of its records. What free energies
are made of then follows from these as it does for any level: corrections of gases and
of groups of bonds are derived anew, and no number of the level's own energies is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.science.adsorption.chosen_minimum import choose_minimum

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clusterflow.library.clusters import IsomerMode
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.adsorption import AdsorbRecord
    from clusterflow.records.clusters import Isomer, RelaxRecord
    from clusterflow.records.refinements import (
        RefineBareRecord,
        RefineGasRecord,
        RefineRecord,
    )
    from clusterflow.records.structure import Structure
    from clusterflow.records.vibrations import GasRecord, VibrateRecord

# On a free energy whose minimum is lowest by DFT and was not vibrated.
OTHER_VIBRATIONS_FLAG = "other-vibrations"
# On one whose lowest state by DFT is of another multiplicity than the level has it.
OTHER_MULTIPLICITY_FLAG = "other-multiplicity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinements:
    """DFT records of one cluster and of the gases at its level."""

    bare: RefineBareRecord
    gases: Sequence[RefineGasRecord] = ()
    adsorbates: Sequence[RefineRecord] = ()

    @property
    def dft_level(self) -> LevelSpec:
        """The level of the electronic energies."""
        return self.bare.dft_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """Records that hold DFT energies, and what is to be said of them by adsorbate.

    Adsorbates without a DFT energy are not among the records; `reasons` says why.
    `flags` are of adsorbates, and of the bare cluster under the empty name.
    """

    records: ClusterRecords
    reasons: Mapping[str, str]
    flags: Mapping[str, tuple[str, ...]]


def compose_records(
    records: ClusterRecords, found: Refinements, mode: IsomerMode
) -> Composite:
    """The records of a cluster with electronic energies by DFT.

    The minimum that stands for an adsorbate is the lowest by DFT. If that is not the
    one whose vibrations were computed, it has the vibrations of that one.
    """
    level = found.dft_level
    adsorptions, vibrations = [], []
    reasons: dict[str, str] = {}
    flags = {"": _flag_bare(records.relaxed, found.bare)}
    refined = {one.adsorbate: one for one in found.adsorbates}
    for adsorbed in records.adsorptions:
        name = adsorbed.adsorbate
        if name not in refined:
            continue
        if refined[name].reason:
            reasons[name] = refined[name].reason
            continue
        composed = _compose_adsorption(adsorbed, refined[name], level)
        adsorptions.append(composed)
        own = records.vibrations_of(name)
        index = choose_minimum(composed, mode)
        if own is None or index is None:
            continue
        by_dft = {m.point.structure: m for m in refined[name].minima}
        chosen = by_dft[composed.minima[index].structure]
        by_level = adsorbed.minima[chosen.minimum].structure
        flags[name] = (
            *(() if chosen.vibrated else (OTHER_VIBRATIONS_FLAG,)),
            *_flag_state(chosen.point.structure, by_level),
        )
        vibrations.append(_compose_vibrations(own, composed, index, level))
    return Composite(
        records=ClusterRecords(
            relaxed=_compose_relaxation(records.relaxed, found.bare),
            adsorptions=adsorptions,
            vibrations=vibrations,
            gases=[*_compose_gases(records.gases, found.gases, level)],
            leaving=records.leaving,
        ),
        reasons=reasons,
        flags=flags,
    )


def _flag_state(by_dft: Structure, by_level: Structure) -> tuple[str, ...]:
    same = by_dft.multiplicity == by_level.multiplicity
    return () if same else (OTHER_MULTIPLICITY_FLAG,)


def _flag_bare(relaxed: RelaxRecord, bare: RefineBareRecord) -> tuple[str, ...]:
    """Flags of the isomer that adsorbates count from."""
    if not relaxed.isomers or not bare.isomers:
        return ()
    return _flag_state(bare.isomers[0].point.structure, relaxed.isomers[0].structure)


def _compose_relaxation(relaxed: RelaxRecord, bare: RefineBareRecord) -> RelaxRecord:
    """The isomers that have a DFT energy, in their order; none without the first."""
    points = {one.isomer: one.point for one in bare.isomers}
    isomers: list[Isomer] = []
    for isomer in relaxed.isomers:
        point = points.get(isomer.structure.name)
        if point is not None and point.energy_ev is not None:
            by_dft = {"energy_ev": point.energy_ev, "structure": point.structure}
            isomers.append(isomer.model_copy(update=by_dft))
        elif not isomers:
            break
    return relaxed.model_copy(
        update={
            "isomers": tuple(isomers),
            "level": bare.dft_level,
            "status": "ok" if isomers else "failed",
            "reason": "" if isomers else bare.reason,
        }
    )


def _compose_adsorption(
    adsorbed: AdsorbRecord, found: RefineRecord, level: LevelSpec
) -> AdsorbRecord:
    """The refined minima, lowest by DFT first, at the geometries of their energies."""
    minima = [
        adsorbed.minima[one.minimum].model_copy(
            update={"energy_ev": one.point.energy_ev, "structure": one.point.structure}
        )
        for one in found.minima
        if one.point.energy_ev is not None
    ]
    minima.sort(key=lambda minimum: minimum.energy_ev)
    return adsorbed.model_copy(update={"minima": tuple(minima), "level": level})


def _compose_vibrations(
    vibrated: VibrateRecord, adsorbed: AdsorbRecord, index: int, level: LevelSpec
) -> VibrateRecord:
    return vibrated.model_copy(
        update={
            "level": level,
            "minimum": index,
            "energy_ev": adsorbed.minima[index].energy_ev,
            "structure": None,
            # Of the level's own order, and left out when points were chosen.
            "not_minima": (),
            "not_minima_reasons": (),
        }
    )


def _compose_gases(
    gases: Sequence[GasRecord], refined: Sequence[RefineGasRecord], level: LevelSpec
) -> Iterator[GasRecord]:
    """Molecules with DFT energies; one without says why."""
    by_name = {(one.gas, one.level.hash): one for one in refined}
    for gas in gases:
        one = by_name.get((gas.gas, gas.level.hash))
        if one is None:
            continue
        energy = None if one.point is None else one.point.energy_ev
        failed = {"status": "failed", "reason": one.reason} if one.reason else {}
        yield gas.model_copy(update={"level": level, "energy_ev": energy, **failed})
