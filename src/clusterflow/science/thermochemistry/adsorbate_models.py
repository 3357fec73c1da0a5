"""Which model gives an adsorbate its free energy, and what that needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from clusterflow.science.geometry.bonds import CONTACT, distance_ratios
from clusterflow.science.thermochemistry.partition_functions import (
    harmonic_adsorbate,
    hindered_adsorbate,
    quasi_rrho_adsorbate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.records.energies import FreeEnergyTerms
    from clusterflow.records.structure import Structure
    from clusterflow.records.vibrations import VibrateRecord
    from clusterflow.science.geometry.bonds import FloatArray
    from clusterflow.science.thermochemistry.partition_functions import Barriers

# A proton 0.7 Å off the axis has 0.5 amu Å²; what has less stands upright, like CO, and
# its turning is no motion of nuclei.
_SMALLEST_MOMENT_AMU_A2 = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AdsorbateModel:
    """How the modes of adsorbates become free energies.

    `barriers` are those of the hindered model, by adsorbate.
    """

    name: Literal["harmonic", "quasi-rrho", "hindered"]
    low_mode_cutoff_cm1: float
    barriers: Mapping[str, Barriers]


def adsorbate_terms(
    vibrated: VibrateRecord, model: AdsorbateModel, temperature_k: float
) -> tuple[FreeEnergyTerms | None, str]:
    """Free energy by the study's model, or None and the reason why that cannot be.

    Where the model has no meaning (a single atom has no moment of inertia) or the user
    gave no barriers, the terms are harmonic and say why. Imaginary modes count as modes
    at the cut-off: the caller lets only soft ones through.
    """
    assert vibrated.energy_ev is not None
    cutoff = model.low_mode_cutoff_cm1
    modes = [*vibrated.frequencies_cm1, *[cutoff] * len(vibrated.imaginary_cm1)]
    harmonic = harmonic_adsorbate(
        energy_ev=vibrated.energy_ev,
        frequencies_cm1=modes,
        temperature_k=temperature_k,
        low_mode_cutoff_cm1=cutoff,
    )
    if model.name == "harmonic":
        return harmonic, ""
    structure = vibrated.structure
    if structure is None or not vibrated.moving:
        return None, "its vibrations do not say which atoms move: run vibrate again"
    if model.name == "hindered":
        if vibrated.adsorbate not in model.barriers:
            return _note_fallback(
                harmonic, "no barriers are given in thermo.hindered"
            ), ""
        return _make_hindered_terms(vibrated, structure, modes, model, temperature_k)
    moment = _compute_mean_moment(structure, vibrated.moving)
    if moment == 0:
        return _note_fallback(harmonic, "a single atom has no moment of inertia"), ""
    terms = quasi_rrho_adsorbate(
        energy_ev=vibrated.energy_ev,
        frequencies_cm1=modes,
        mean_moment_amu_a2=moment,
        temperature_k=temperature_k,
        low_mode_cutoff_cm1=cutoff,
    )
    return terms, ""


def _note_fallback(harmonic: FreeEnergyTerms, reason: str) -> FreeEnergyTerms:
    return harmonic.model_copy(update={"fallback_reason": reason})


def _make_hindered_terms(
    vibrated: VibrateRecord,
    structure: Structure,
    modes: Sequence[float],
    model: AdsorbateModel,
    temperature_k: float,
) -> tuple[FreeEnergyTerms | None, str]:
    assert vibrated.energy_ev is not None
    own = np.flatnonzero(np.array(structure.roles) == "adsorbate")
    if set(vibrated.moving) != set(own.tolist()):
        return None, (
            "the hindered model takes the lowest modes for those of the adsorbate: "
            "vibrate it without its binding atoms"
        )
    masses = _get_masses(structure)
    moment = _compute_turning_moment(structure, own, masses)
    if moment is None:
        return None, "it touches no atom of the cluster: no axis to turn around"
    if moment < _SMALLEST_MOMENT_AMU_A2:
        return None, (
            f"upright, with {moment:.2f} amu Å² about its axis, it does not turn: "
            "take it out of thermo.hindered"
        )
    terms = hindered_adsorbate(
        energy_ev=vibrated.energy_ev,
        frequencies_cm1=modes,
        mass_amu=float(masses[own].sum()),
        moment_amu_a2=moment,
        barriers=model.barriers[vibrated.adsorbate],
        temperature_k=temperature_k,
        low_mode_cutoff_cm1=model.low_mode_cutoff_cm1,
    )
    return terms, ""


def _get_masses(structure: Structure) -> FloatArray:
    from ase.data import atomic_masses, atomic_numbers

    return np.array([atomic_masses[atomic_numbers[s]] for s in structure.symbols])


def _compute_mean_moment(structure: Structure, moving: Sequence[int]) -> float:
    """Mean principal moment of inertia of some atoms, amu Å²: ⅔ Σ m r²."""
    atoms = list(moving)
    masses = _get_masses(structure)[atoms]
    positions = structure.xyz[atoms]
    centred = positions - masses @ positions / masses.sum()
    return float(2 / 3 * masses @ (centred**2).sum(axis=1))


def _compute_turning_moment(
    structure: Structure, own: np.ndarray, masses: FloatArray
) -> float | None:
    """Moment about the line from the cluster atoms it touches to its own, amu Å²."""
    positions = structure.xyz
    touching = distance_ratios(structure.symbols, positions) < CONTACT
    host = np.setdiff1d(np.arange(len(positions)), own)
    between = touching[np.ix_(host, own)]
    if not between.any():
        return None
    foot = positions[host[between.any(axis=1)]].mean(axis=0)
    axis = positions[own[between.any(axis=0)]].mean(axis=0) - foot
    axis /= np.linalg.norm(axis)
    off_axis = np.cross(positions[own] - foot, axis)
    return float(masses[own] @ (off_axis**2).sum(axis=1))
