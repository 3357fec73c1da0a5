"""Free energies of the vibrations that leave a cluster with some of its atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.energies import LostVibrations
from clusterflow.science.thermochemistry.normal_modes import SOFT_CM1, classify
from clusterflow.science.thermochemistry.partition_functions import harmonic_adsorbate

if TYPE_CHECKING:
    from clusterflow.records.vibrations import LeavingGroup, LeavingRecord


def lost_vibrations(
    leaving: LeavingRecord,
    isomer: str,
    temperature_k: float,
    low_mode_cutoff_cm1: float,
) -> tuple[LostVibrations, ...]:
    """Harmonic free energies of what leaves for each state, or why there is none.

    Low and soft imaginary modes count as those of adsorbates do: at the cut-off.

    Parameters
    ----------
    isomer
        The one of the cluster whose energy counts, by name.
    """
    found = []
    for group in leaving.groups:
        reason = _why_no_vibrations(group, leaving, isomer, low_mode_cutoff_cm1)
        if reason:
            found.append(LostVibrations(state=group.state, reason=reason))
            continue
        soft = [low_mode_cutoff_cm1] * len(group.imaginary_cm1)
        terms = harmonic_adsorbate(
            energy_ev=0.0,
            frequencies_cm1=[*group.frequencies_cm1, *soft],
            temperature_k=temperature_k,
            low_mode_cutoff_cm1=low_mode_cutoff_cm1,
        )
        found.append(LostVibrations(state=group.state, terms=terms))
    return tuple(found)


def _why_no_vibrations(
    group: LeavingGroup, leaving: LeavingRecord, isomer: str, cutoff_cm1: float
) -> str:
    who = f"what {leaving.cluster} loses for {group.state}"
    if group.reason:
        return f"{who} has no vibrations: {group.reason}"
    if leaving.isomer != isomer:
        return (
            f"{who} was vibrated on isomer {leaving.isomer}, and {isomer} of the pool "
            "counts; choose other thermo.isomers"
        )
    hard = [w for w in group.imaginary_cm1 if w > cutoff_cm1 or w >= SOFT_CM1]
    if hard:
        shown = ", ".join(f"{w:.0f}i" for w in hard)
        return f"{who} is not at a minimum: {shown} cm⁻¹ ({classify(hard)})"
    return ""
