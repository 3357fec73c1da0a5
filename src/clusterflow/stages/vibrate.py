"""Stage vibrate: wavenumbers of an adsorbate on its cluster, and their repair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.calculator import CalculationFailed

from clusterflow.engines.calculator import Memory
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.adsorption.bare_isomers import all_isomers
from clusterflow.science.adsorption.chosen_minimum import choose_minimum, why_no_minimum
from clusterflow.science.adsorption.outcome import judge_complex, why_other_bonds
from clusterflow.science.geometry.bonds import CONTACT, distance_ratios
from clusterflow.science.thermochemistry.normal_modes import (
    NOISE_CM1,
    SOFT_CM1,
    classify,
    normal_modes,
)
from clusterflow.settings import RelaxSettings, ThermoSettings, VibrateSettings
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.finite_differences import (
    PartialHessian,
    force_error,
    partial_hessian,
    why_forces_are_wrong,
)
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.relaxation import Relaxation
from clusterflow.stages.parts.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase import Atoms

    from clusterflow.engines.calculator import EngineCalculator
    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.clusters import IsomerMode
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.adsorption import Minimum
    from clusterflow.records.clusters import Isomer
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

_MAX_REPAIRS = 2
_PUSH_A = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """What the vibrations of all minima of an adsorbate have in common."""

    adsorbed: AdsorbRecord
    adsorbate: AdsorbateSpec
    settings: VibrateSettings
    relax: RelaxSettings
    job: Job


@dataclass(slots=True, kw_only=True)
class _Vibrating:
    """A geometry with the vibrations of some of its atoms."""

    atoms: Atoms
    partial: PartialHessian
    wavenumbers: np.ndarray
    modes: np.ndarray
    moving: list[int]

    @property
    def lowest(self) -> float:
        return float(self.wavenumbers[0])


def vibrate(
    adsorbed: AdsorbRecord,
    host: Isomer | None,
    adsorbate: AdsorbateSpec,
    settings: VibrateSettings,
    job: Job,
    *,
    relax: RelaxSettings,
    isomers: IsomerMode = "fixed_core_first",
    pool: PoolRecord | None = None,
) -> VibrateRecord:
    """Vibrations of the chosen minimum, with the other cluster atoms frozen.

    The forces are compared with the energy first. An imaginary mode is followed
    downhill and the geometry relaxed again, at most twice; what is left of them is
    classified in the record. Where that leads to something else, a soft mode is left
    as it is, and in place of a saddle the next minimum stands for the adsorbate.
    Gradients wait in the job's scratch folder.
    """
    job.settings = settings_of(relax, settings) | {"isomers": isomers}
    if adsorbed.level is None or host is None:
        return _make_failed_record(adsorbed, None, why_no_minimum(adsorbed), job)
    setup = _Setup(
        adsorbed=adsorbed, adsorbate=adsorbate, settings=settings, relax=relax, job=job
    )
    not_minima: dict[int, str] = {}
    reason = why_no_minimum(adsorbed)
    while (i := choose_minimum(adsorbed, isomers, pool, not_minima)) is not None:
        own = _find_isomer_placed_on(adsorbed.minima[i], host, pool)
        found = _vibrate_minimum(setup, i, own)
        if not isinstance(found, str):
            break
        not_minima[i] = reason = found
    else:
        found = _make_failed_record(adsorbed, None, reason, job)
    return found.model_copy(
        update={
            "not_minima": tuple(not_minima),
            "not_minima_reasons": tuple(not_minima.values()),
        }
    )


def _vibrate_minimum(setup: _Setup, index: int, host: Isomer) -> VibrateRecord | str:
    """Vibrations of a minimum, or what a saddle becomes along its imaginary mode."""
    adsorbed, adsorbate, job = setup.adsorbed, setup.adsorbate, setup.job
    settings = setup.settings
    assert adsorbed.level is not None
    minimum = adsorbed.minima[index]
    n_host = len(host.structure.symbols)
    calculator = _make_calculator(minimum.structure, adsorbed.level, settings, job)
    moving = _choose_moving_atoms(minimum, n_host, settings)
    atoms = to_atoms(minimum.structure)
    calculator.start_each_from(atoms)
    try:
        error_ev_per_a = force_error(atoms, calculator, moving)
        if wrong := why_forces_are_wrong(error_ev_per_a):
            failed = _make_failed_record(adsorbed, index, wrong, job)
            return failed.model_copy(update={"force_error_ev_per_a": error_ev_per_a})
        vibrating = _compute_modes(atoms, calculator, moving, settings)
        vibrating, n_repairs, led_to = _repair_geometry(
            vibrating,
            calculator,
            setup,
            minimum.frozen,
            lambda found: _why_other_species(found, minimum, host, adsorbate),
        )
    except CalculationFailed as error:
        return _make_failed_record(
            adsorbed, index, f"scf-failed in a displacement: {error}", job
        )
    followed = f"following {-vibrating.lowest:.0f}i cm⁻¹, {adsorbate.name} {led_to}"
    if led_to and vibrating.lowest <= -SOFT_CM1:
        return followed
    structure = _take_structure(vibrating.atoms, minimum)
    record = _make_vibrate_record(adsorbed, index, structure, vibrating, n_repairs, job)
    reason = f"{record.reason}; {followed}" if led_to else record.reason
    return record.model_copy(
        update={"force_error_ev_per_a": error_ev_per_a, "reason": reason}
    )


def _why_other_species(
    atoms: Atoms, minimum: Minimum, host: Isomer, adsorbate: AdsorbateSpec
) -> str:
    """What a minimum has become where an imaginary mode led; empty: it still is that.

    Its fate says so, or its bonds: carbon monoxide on cadmium and a carbonyl selenide
    have the same fate.
    """
    structure = _take_structure(atoms, minimum)
    verdict = judge_complex(structure, host.structure, adsorbate, {})
    if verdict.fate != minimum.fate:
        detail = f" ({verdict.detail})" if verdict.detail else ""
        return f"{verdict.fate}{detail}"
    return why_other_bonds(minimum.structure, structure, adsorbate)


def _take_structure(atoms: Atoms, minimum: Minimum) -> Structure:
    return from_atoms(
        atoms,
        charge=minimum.structure.charge,
        multiplicity=minimum.structure.multiplicity,
        name=minimum.structure.name,
    )


def _find_isomer_placed_on(
    minimum: Minimum, own: Isomer, pool: PoolRecord | None
) -> Isomer:
    """The isomer a minimum was placed on: the cluster's own, or one of the pool."""
    known = {i.structure.name: i for i in all_isomers(pool)} if pool else {}
    return known.get(minimum.isomer, own)


def _make_calculator(
    structure: Structure, level: LevelSpec, settings: VibrateSettings, job: Job
) -> EngineCalculator:
    """A calculator that keeps its gradients, if the job has a scratch folder."""
    key = (structure.charge, structure.multiplicity, settings.accuracy)
    memory = None
    if job.scratch is not None:
        memory = Memory(
            Scratch(job.scratch), (level.hash, *key, STAGES["vibrate"].protocol)
        )
    return job.calculator(level, *key, memory=memory)


def _choose_moving_atoms(
    minimum: Minimum, n_host: int, settings: VibrateSettings
) -> list[int]:
    structure = minimum.structure
    moving = list(range(n_host, len(structure.symbols)))
    if settings.include_binding_atoms:
        ratios = distance_ratios(structure.symbols, structure.xyz)
        near = (ratios[:n_host, n_host:] < CONTACT).any(axis=1)
        near &= np.array(structure.roles[:n_host]) != "support"
        near[list(minimum.frozen)] = False
        moving = [int(i) for i in np.flatnonzero(near)] + moving
    return moving


def _compute_modes(
    atoms: Atoms,
    calculator: EngineCalculator,
    moving: list[int],
    settings: VibrateSettings,
) -> _Vibrating:
    partial = partial_hessian(atoms, calculator, moving, settings.displacement_a)
    wavenumbers, modes = normal_modes(partial.hessian, atoms.get_masses()[moving])
    return _Vibrating(
        atoms=atoms,
        partial=partial,
        wavenumbers=wavenumbers,
        modes=modes,
        moving=moving,
    )


def _repair_geometry(
    vibrating: _Vibrating,
    calculator: EngineCalculator,
    setup: _Setup,
    frozen: tuple[int, ...],
    why_other: Callable[[Atoms], str],
) -> tuple[_Vibrating, int, str]:
    """Follow imaginary modes, as long as the species stays what it is.

    Returns the last geometry that is this species, how many modes led to it, and what
    the next one leads to where that is another.
    """
    for attempt in range(_MAX_REPAIRS):
        if vibrating.lowest > -NOISE_CM1:
            return vibrating, attempt, ""
        pushed = vibrating.atoms.copy()
        push = vibrating.modes[0] / np.abs(vibrating.modes[0]).max()
        pushed.positions[vibrating.moving] += _PUSH_A * push
        relaxation = Relaxation(pushed, calculator, frozen)
        # Tighter than the first time: the mode was missed because it is flat.
        fmax_ev_per_a = setup.relax.fmax_ev_per_a / 2
        outcome = relaxation.finish(fmax_ev_per_a, setup.relax.max_steps)
        if outcome != "converged" or relaxation.energy_ev > vibrating.partial.energy_ev:
            return vibrating, attempt, ""
        relaxed = relaxation.atoms.copy()
        if other := why_other(relaxed):
            return vibrating, attempt, other
        calculator.start_each_from(relaxed)
        vibrating = _compute_modes(
            relaxed, calculator, vibrating.moving, setup.settings
        )
    return vibrating, _MAX_REPAIRS, ""


def _make_vibrate_record(
    adsorbed: AdsorbRecord,
    index: int,
    structure: Structure,
    vibrating: _Vibrating,
    n_repairs: int,
    job: Job,
) -> VibrateRecord:
    imaginary = tuple(float(-w) for w in vibrating.wavenumbers if w < 0)
    point = classify(imaginary)
    shown = ", ".join(f"{w:.0f}i" for w in imaginary)
    return VibrateRecord(
        cluster=adsorbed.cluster,
        adsorbate=adsorbed.adsorbate,
        level=adsorbed.level,
        minimum=index,
        structure=structure,
        energy_ev=vibrating.partial.energy_ev,
        frequencies_cm1=tuple(float(w) for w in vibrating.wavenumbers if w >= 0),
        imaginary_cm1=imaginary,
        hessian_asymmetry_ev_per_a2=vibrating.partial.asymmetry_ev_per_a2,
        fmax_ev_per_a=vibrating.partial.fmax_ev_per_a,
        n_repairs=n_repairs,
        moving=tuple(vibrating.moving),
        stationary_point=point,
        reason=f"{shown} cm⁻¹ left ({point})" if imaginary else "",
        provenance=job.provenance(adsorbed.level),
    )


def _make_failed_record(
    adsorbed: AdsorbRecord, index: int | None, reason: str, job: Job
) -> VibrateRecord:
    return VibrateRecord(
        cluster=adsorbed.cluster,
        adsorbate=adsorbed.adsorbate,
        level=adsorbed.level,
        minimum=index,
        status="failed",
        reason=reason,
        provenance=job.provenance(adsorbed.level),
    )


def run(inputs: Inputs, job: Job) -> VibrateRecord:
    """Compute the vibrations of an adsorbate on a cluster."""
    adsorbed = inputs.one(AdsorbRecord)
    hosts = inputs.one(RelaxRecord).isomers
    return vibrate(
        adsorbed,
        hosts[0] if hosts else None,
        inputs.library.adsorbate(adsorbed.adsorbate),
        inputs.settings(VibrateSettings),
        job,
        relax=inputs.settings(RelaxSettings),
        isomers=inputs.settings(ThermoSettings).isomers,
        pool=inputs.optional(PoolRecord),
    )


def give_up(inputs: Inputs, job: Job, reason: str) -> VibrateRecord:
    """No wavenumbers, because the job that was to compute them crashed."""
    return _make_failed_record(inputs.one(AdsorbRecord), None, reason, job)
