"""Stage gas: a molecule at a level, relaxed, with its vibrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.calculator import CalculationFailed

from clusterflow.engines import check_elements
from clusterflow.errors import ClusterflowError
from clusterflow.records.atoms import as_drawn, from_atoms
from clusterflow.records.vibrations import GasRecord
from clusterflow.science.geometry.symmetry import (
    find_symmetry,
    rotational_symmetry_number,
)
from clusterflow.science.thermochemistry.normal_modes import (
    classify,
    normal_modes,
    project_out_motion,
)
from clusterflow.science.thermochemistry.partition_functions import gas_free_energy
from clusterflow.settings import GasSettings
from clusterflow.stages.parts.finite_differences import (
    force_error,
    partial_hessian,
    why_forces_are_wrong,
)
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.relaxation import Relaxation, rattled
from clusterflow.units import j_per_mol_k_from_ev_per_k

if TYPE_CHECKING:
    from ase import Atoms

    from clusterflow.library.gases import GasSpec
    from clusterflow.library.levels import LevelSpec
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

_MAX_STEPS = 300
_TIGHT = 0.1
# A library geometry may be more symmetric than the level's minimum (a linear water
# must bend), so it is shaken a little first.
_RATTLE_A = 0.02
_SYMMETRY_TOLERANCE_A = 0.05


def gas(spec: GasSpec, level: LevelSpec, settings: GasSettings, job: Job) -> GasRecord:
    """Energy, geometry and all vibrations of a molecule.

    Gases never feel the level's solvent: that is a correction of its own.

    Raises
    ------
    EngineError
        If the level has no parameters for an element.
    """
    job.settings = settings_of(settings)
    level = level.model_copy(update={"solvent": None})
    check_elements(level, spec.counts, spec.name)
    start = as_drawn(spec)
    calculator = job.calculator(level, spec.charge, spec.multiplicity, _TIGHT)
    relaxation = Relaxation(rattled(start, _RATTLE_A), calculator)
    outcome = relaxation.finish(settings.fmax_ev_per_a, _MAX_STEPS)
    if outcome != "converged":
        return _make_failed_record(spec, level, f"{outcome}: {relaxation.reason}", job)
    try:
        return _vibrate_molecule(relaxation, spec, level, settings, job)
    except CalculationFailed as error:
        return _make_failed_record(
            spec, level, f"scf-failed in a displacement: {error}", job
        )


def _vibrate_molecule(
    relaxation: Relaxation,
    spec: GasSpec,
    level: LevelSpec,
    settings: GasSettings,
    job: Job,
) -> GasRecord:
    atoms = relaxation.atoms
    energy = relaxation.energy_ev
    symbols = atoms.get_chemical_symbols()
    error_ev_per_a = None
    if len(atoms) > 1:
        error_ev_per_a = force_error(atoms, atoms.calc, range(len(atoms)))
        if wrong := why_forces_are_wrong(error_ev_per_a):
            failed = _make_failed_record(spec, level, wrong, job)
            return failed.model_copy(update={"force_error_ev_per_a": error_ev_per_a})
    frequencies, n_motions, asymmetry, fmax = _compute_frequencies(atoms, settings)
    group = find_symmetry(symbols, atoms.positions, _SYMMETRY_TOLERANCE_A).point_group
    found = rotational_symmetry_number(group)
    imaginary = tuple(float(-f) for f in frequencies if f < 0)
    reason = ""
    if found != spec.symmetry_number:
        reason = (
            f"symmetry number {found} of the relaxed geometry ({group}) is not the "
            f"{spec.symmetry_number} of the library"
        )
    if imaginary:
        shown = ", ".join(f"{f:.0f}i" for f in imaginary)
        reason = f"not a minimum: {shown} cm⁻¹ ({classify(imaginary)})"
    moments = sorted(abs(float(m)) for m in atoms.get_moments_of_inertia())
    return GasRecord(
        gas=spec.name,
        level=level,
        structure=from_atoms(
            atoms,
            charge=spec.charge,
            multiplicity=spec.multiplicity,
            name=spec.name,
            default_role="adsorbate",
        ),
        energy_ev=energy,
        symmetry_number=spec.symmetry_number,
        electronic_degeneracy=spec.electronic_degeneracy,
        linear=n_motions == 5,
        mass_amu=float(atoms.get_masses().sum()),
        moments_amu_a2=(moments[0], moments[1], moments[2]),
        frequencies_cm1=tuple(float(f) for f in frequencies if f > 0),
        imaginary_cm1=imaginary,
        fmax_ev_per_a=fmax,
        hessian_asymmetry_ev_per_a2=asymmetry,
        force_error_ev_per_a=error_ev_per_a,
        status="failed" if reason else "ok",
        reason=reason,
        provenance=job.provenance(level),
    )


def _compute_frequencies(
    atoms: Atoms, settings: GasSettings
) -> tuple[np.ndarray, int, float, float]:
    """Signed wavenumbers without rigid motions, their number, asymmetry and fmax."""
    if len(atoms) == 1:
        return np.array([]), 3, 0.0, 0.0
    partial = partial_hessian(
        atoms, atoms.calc, range(len(atoms)), settings.displacement_a
    )
    masses = atoms.get_masses()
    clean, n_motions = project_out_motion(partial.hessian, atoms.positions, masses)
    wavenumbers, _ = normal_modes(clean, masses)
    rigid = np.argsort(np.abs(wavenumbers))[:n_motions]
    return (
        np.delete(wavenumbers, rigid),
        n_motions,
        partial.asymmetry_ev_per_a2,
        partial.fmax_ev_per_a,
    )


def _make_failed_record(
    spec: GasSpec, level: LevelSpec, reason: str, job: Job
) -> GasRecord:
    return GasRecord(
        gas=spec.name,
        level=level,
        structure=None,
        energy_ev=None,
        symmetry_number=spec.symmetry_number,
        electronic_degeneracy=spec.electronic_degeneracy,
        status="failed",
        reason=reason,
        provenance=job.provenance(level),
    )


def summary(
    record: GasRecord, temperature_k: float, pressure_pa: float
) -> dict[str, object]:
    """Energy, entropy and Gibbs energy of a molecule at a temperature and pressure.

    Raises
    ------
    ClusterflowError
        If the molecule could not be computed.
    """
    terms = gas_free_energy(record, temperature_k, pressure_pa)
    if terms is None:
        raise ClusterflowError(
            f"gas {record.gas!r} at level {record.level.name!r}: {record.reason}"
        )
    return {
        "gas": record.gas,
        "level": record.level.name,
        "temperature_k": temperature_k,
        "pressure_pa": pressure_pa,
        "energy_ev": terms.energy_ev,
        "zpe_ev": terms.zpe_ev,
        "enthalpy_correction_ev": terms.thermal_ev,
        "entropy_j_per_mol_k": j_per_mol_k_from_ev_per_k(
            -terms.minus_ts_ev / temperature_k
        ),
        "gibbs_ev": terms.gibbs_ev,
        "symmetry_number": record.symmetry_number,
        "frequencies_cm1": list(record.frequencies_cm1),
    }


def run(inputs: Inputs, job: Job) -> GasRecord:
    """Compute a molecule at a level, both by name."""
    spec, level = _find_subject(inputs)
    return gas(spec, level, inputs.settings(GasSettings), job)


def give_up(inputs: Inputs, job: Job, reason: str) -> GasRecord:
    """No energy, because the job that was to compute it crashed."""
    return _make_failed_record(*_find_subject(inputs), reason, job)


def _find_subject(inputs: Inputs) -> tuple[GasSpec, LevelSpec]:
    level = inputs.library.level(inputs.of.get("level", inputs.level_name))
    return inputs.library.gas(inputs.of["gas"]), level
