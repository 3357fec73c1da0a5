"""DFT energies of what decides, computed once more in another way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from clusterflow.records.refinements import (
    BindingDifference,
    Recomputation,
    RecomputedMinimum,
)
from clusterflow.science.thermochemistry.binding import BindingScale
from clusterflow.stages.thermo import group_model_of, surroundings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from clusterflow.library.find import Library
    from clusterflow.library.levels import DeviationSource, LevelSpec
    from clusterflow.records.refinements import (
        RefinedMinimum,
        RefineRecord,
        SinglePoint,
    )
    from clusterflow.records.vibrations import GasRecord
    from clusterflow.science.thermochemistry.composite import Refinements
    from clusterflow.settings import ThermoSettings
    from clusterflow.stages.parts.job import Job

    # The other way: of an energy, and the charge of the host of an adsorbate.
    Compute = Callable[[SinglePoint, int | None], SinglePoint]

R = TypeVar("R", bound=Recomputation)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherWay:
    """How energies are computed once more, and at which level."""

    level: LevelSpec
    compute: Compute


def recompute(
    found: Refinements, wanted: Collection[str], way: OtherWay, model: type[R], job: Job
) -> R:
    """The lowest minimum of each adsorbate asked for, and the bare cluster.

    Parameters
    ----------
    found
        The energies so far.
    wanted
        Names of adsorbates.
    way
        The other way.
    model
        The record to make.
    """
    bare: SinglePoint | None = None
    minima: list[RecomputedMinimum] = []
    reason = f"bare cluster: {found.bare.reason}"
    if found.bare.isomers and found.bare.isomers[0].point.energy_ev is not None:
        bare, minima, reason = _recompute_points(found, wanted, way.compute)
    content = {
        "cluster": found.bare.cluster,
        "level": found.bare.level,
        "dft_level": way.level,
        "bare": bare,
        "minima": tuple(minima),
        "status": "failed" if reason else "ok",
        "reason": reason,
        "provenance": job.provenance(way.level),
    }
    return model.model_validate(content)


def _recompute_points(
    found: Refinements, wanted: Collection[str], compute: Compute
) -> tuple[SinglePoint, list[RecomputedMinimum], str]:
    """The points, and what failed of them."""
    start = found.bare.isomers[0].point
    bare = compute(start, None)
    minima = []
    for record in found.adsorbates:
        lowest = lowest_minimum(record)
        if record.adsorbate in wanted and lowest is not None:
            point = compute(lowest.point, start.structure.charge)
            minima.append(
                RecomputedMinimum(
                    adsorbate=record.adsorbate, minimum=lowest.minimum, point=point
                )
            )
    failed = [
        f"{name}: {point.reason}"
        for name, point in (
            ("bare cluster", bare),
            *((f"*{one.adsorbate}", one.point) for one in minima),
        )
        if point.energy_ev is None
    ]
    return bare, minima, "; ".join(failed)


def find_differences(
    found: Refinements,
    again: Recomputation,
    gases: Sequence[GasRecord],
    settings: ThermoSettings,
    library: Library,
) -> tuple[BindingDifference, ...]:
    """What the second way changes of each binding; those with holes are left out.

    Parameters
    ----------
    found, again
        The first way and the second.
    gases
        At the level of the geometries, whose thermal parts corrections need.
    """
    level = found.bare.level
    # Gases feel no solvent.
    surface = level.model_copy(update={"solvent": None}).hash if level else ""
    own = [gas for gas in gases if gas.level.hash == surface]
    refined = [gas for gas in found.gases if gas.level.hash == surface]
    host = found.bare.isomers[0] if found.bare.isomers else None
    if host is None or again.bare is None:
        return ()

    def make_scale(
        level: LevelSpec, energies: Mapping[str, SinglePoint], host_ev: float | None
    ) -> BindingScale:
        around = surroundings_of(
            level,
            [
                gas.model_copy(
                    update={"level": level, "energy_ev": energies[gas.gas].energy_ev}
                )
                for gas in own
                if gas.gas in energies
            ],
            settings,
            library,
        )
        groups = group_model_of(around, library)
        hosts = {host.isomer: host_ev}
        return BindingScale(around=around, groups=groups, hosts_ev=hosts)

    source = _find_source(found.dft_level, again)
    others = {
        gas.gas: gas.relaxed if source == "geometry" else gas.second for gas in refined
    }
    first = make_scale(
        found.dft_level,
        {gas.gas: gas.point for gas in refined if gas.point is not None},
        host.point.energy_ev,
    )
    second = make_scale(
        again.dft_level,
        {gas: point for gas, point in others.items() if point is not None},
        again.bare.energy_ev,
    )
    before = {record.adsorbate: record for record in found.adsorbates}
    differences = []
    for one in again.minima:
        start = (
            lowest_minimum(before[one.adsorbate]) if one.adsorbate in before else None
        )
        if start is None or start.minimum != one.minimum:
            continue
        counts = library.adsorbate(one.adsorbate).counts
        was, now = (
            scale.binding_ev(point.energy_ev, host.isomer, counts, point.structure)
            for scale, point in ((first, start.point), (second, one.point))
        )
        if was is not None and now is not None:
            differences.append(
                BindingDifference(
                    adsorbate=one.adsorbate,
                    source=source,
                    level=again.dft_level.name,
                    binding_ev=was,
                    difference_ev=now - was,
                )
            )
    return tuple(differences)


def _find_source(level: LevelSpec, again: Recomputation) -> DeviationSource:
    """What a second way tells of: what it has otherwise."""
    if again.stage == "refine_relax":
        return "geometry"
    first, second = level.dft, again.dft_level.dft
    if first and second and first.functional == second.functional:
        return "basis"
    return "functional"


def lowest_minimum(record: RefineRecord) -> RefinedMinimum | None:
    """The lowest by DFT of an adsorbate's minima; None where no energy is known."""
    known = [one for one in record.minima if one.point.energy_ev is not None]
    return min(known, key=lambda one: one.point.energy_ev or 0.0, default=None)
