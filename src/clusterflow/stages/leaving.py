"""Stage leaving: vibrations of the atoms of a cluster that its states lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ase.calculators.calculator import CalculationFailed

from clusterflow.errors import ClusterflowError
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.vibrations import LeavingGroup, LeavingRecord
from clusterflow.science.clusters.derived_clusters import find_leaving_atoms
from clusterflow.science.thermochemistry.normal_modes import normal_modes
from clusterflow.settings import VibrateSettings
from clusterflow.stages.parts.finite_differences import (
    force_error,
    partial_hessian,
    why_forces_are_wrong,
)
from clusterflow.stages.parts.job import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase.calculators.calculator import Calculator

    from clusterflow.library.find import Library
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def leaving(
    relaxed: RelaxRecord,
    states: Sequence[RelaxRecord],
    library: Library,
    settings: VibrateSettings,
    job: Job,
) -> LeavingRecord:
    """Vibrations of what the lowest isomer of each state lacks, the rest frozen.

    As those of an adsorbate, except that no imaginary mode is followed: the cluster
    stays the isomer whose energy counts.
    """
    job.settings = settings_of(settings)
    level = relaxed.level
    if level is None or not relaxed.isomers:
        return LeavingRecord(
            cluster=relaxed.cluster,
            level=level,
            status="failed",
            reason=relaxed.reason,
            provenance=job.provenance(level),
        )
    whole = relaxed.isomers[0].structure
    calculator = job.calculator(
        level, whole.charge, whole.multiplicity, settings.accuracy
    )
    groups = tuple(
        _vibrate_group(whole, state, library, calculator, settings) for state in states
    )
    failed = [group for group in groups if group.reason]
    return LeavingRecord(
        cluster=relaxed.cluster,
        level=level,
        isomer=whole.name,
        groups=groups,
        status="failed" if failed else "ok",
        reason="; ".join(f"{group.state}: {group.reason}" for group in failed),
        provenance=job.provenance(level),
    )


def _vibrate_group(
    whole: Structure,
    state: RelaxRecord,
    library: Library,
    calculator: Calculator,
    settings: VibrateSettings,
) -> LeavingGroup:
    """The group that one state lacks, or why it has no vibrations."""
    found = LeavingGroup(state=state.cluster)
    if not state.isomers:
        return found.model_copy(update={"reason": state.reason})
    spec = library.cluster(state.cluster)
    atoms = to_atoms(whole)
    try:
        moving = find_leaving_atoms(spec, whole, state.isomers[0].structure, library)
        found = found.model_copy(update={"atoms": tuple(moving)})
        error_ev_per_a = force_error(atoms, calculator, moving)
        found = found.model_copy(update={"force_error_ev_per_a": error_ev_per_a})
        if wrong := why_forces_are_wrong(error_ev_per_a):
            return found.model_copy(update={"reason": wrong})
        partial = partial_hessian(atoms, calculator, moving, settings.displacement_a)
    except CalculationFailed as error:
        reason = f"scf-failed in a displacement: {error}"
        return found.model_copy(update={"reason": reason})
    except ClusterflowError as error:
        return found.model_copy(update={"reason": str(error)})
    wavenumbers, _ = normal_modes(partial.hessian, atoms.get_masses()[moving])
    return found.model_copy(
        update={
            "frequencies_cm1": tuple(float(w) for w in wavenumbers if w >= 0),
            "imaginary_cm1": tuple(float(-w) for w in wavenumbers if w < 0),
            "hessian_asymmetry_ev_per_a2": partial.asymmetry_ev_per_a2,
            "fmax_ev_per_a": partial.fmax_ev_per_a,
        }
    )


def run(inputs: Inputs, job: Job) -> LeavingRecord:
    """Compute what leaves a cluster for the states whose records are given."""
    relaxed = inputs.one(RelaxRecord)
    peers = inputs.peers(RelaxRecord)
    for state in peers:
        parent = inputs.library.cluster(state.cluster).parent
        if parent != relaxed.cluster:
            raise ClusterflowError(
                f"{state.cluster}: its YAML does not name {relaxed.cluster} as "
                "`parent`; give the relax record of the cluster, then those of its "
                "states"
            )
    settings = inputs.settings(VibrateSettings)
    return leaving(relaxed, peers, inputs.library, settings, job)


def give_up(inputs: Inputs, job: Job, reason: str) -> LeavingRecord:
    """No vibrations, because the job that was to compute them crashed."""
    relaxed = inputs.one(RelaxRecord)
    return LeavingRecord(
        cluster=relaxed.cluster,
        level=relaxed.level,
        status="failed",
        reason=reason,
        provenance=job.provenance(relaxed.level),
    )
