"""Gates on forces: small at the end, the slope of the energy, symmetric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.science.checks.evidence import (
    judge_value,
    leave_open,
    list_found_isomers,
    list_minima,
    list_mode_records,
    name_gas,
    name_vibrated,
    read_setting,
    skip_gate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.records.provenance import Provenance
    from clusterflow.science.checks.evidence import Evidence, Gate

# Only adsorbate and binding atoms move; the forces come from a tighter SCF than that of
# the relaxation, so they may lie above its limit, but not by much.
_VIBRATING_FACTOR: Final = 2.0
# Forces are smooth, so the asymmetry is the truncation error of central differences,
# h²/6 (V_iiij − V_ijjj): measured with GFN1-xTB it goes with h² from 0.0025 to 0.04 Å
# (CO2 on its axis of the records: 0.004 to 1.09 eV/Å²) and depends on the orientation.
# At h = 0.01 Å the largest of 15 orientations is 0.081 eV/Å² for CO2, 0.049 for CO and
# 0.027 for H2O; SCF noise at accuracy 1 adds 0.01 at 0.01 and 0.005 Å. The limit
# is also the stiffness of a 48 cm⁻¹ mode of a carbon atom: more could make or hide a
# mode above the low-mode cut-off of 50 cm⁻¹.
_ASYMMETRY_EV_PER_A2: Final = 0.1
_ASYMMETRY_STEP_A: Final = 0.01

# The limit of the stages that record it; nine of ten directions of forces known to be
# wrong were off by 0.05 eV/Å and more.
_FORCE_ERROR_EV_PER_A: Final = 0.003


def forces(evidence: Evidence) -> Iterator[Gate]:
    """The forces left are below the study's limit, twice that where atoms vibrate."""
    for relaxed in evidence.relaxations:
        for isomer in relaxed.isomers:
            subject = f"{relaxed.cluster}/{isomer.structure.name}"
            yield _judge_force(subject, isomer.fmax_ev_per_a, relaxed.provenance)
    for pool, isomer in list_found_isomers(evidence):
        subject = f"{pool.cluster}/{isomer.structure.name}"
        yield _judge_force(subject, isomer.fmax_ev_per_a, pool.provenance)
    for subject, record, minimum in list_minima(evidence):
        yield _judge_force(subject, minimum.fmax_ev_per_a, record.provenance)
    for gas in evidence.gases:
        if gas.structure is None:
            yield skip_gate("forces", name_gas(gas), gas.reason)
        else:
            yield _judge_force(name_gas(gas), gas.fmax_ev_per_a, gas.provenance)
    for vibrated in evidence.vibrations:
        subject, fmax = name_vibrated(vibrated), vibrated.fmax_ev_per_a
        if vibrated.status == "failed":
            yield skip_gate("forces", subject, vibrated.reason)
        else:
            yield _judge_force(subject, fmax, vibrated.provenance, _VIBRATING_FACTOR)


def _judge_force(
    subject: str, fmax: float | None, provenance: Provenance, factor: float = 1.0
) -> Gate:
    limit = read_setting(provenance, "fmax_ev_per_a")
    if limit is None:
        return leave_open(
            "forces", subject, "provenance lacks the setting fmax_ev_per_a"
        )
    if fmax is None:
        return leave_open("forces", subject, "the record has no forces")
    detail = "largest force, eV/Å"
    return judge_value("forces", subject, fmax, factor * limit, detail)


def force_error(evidence: Evidence) -> Iterator[Gate]:
    """The recorded forces are the slope of the energy along one random direction."""
    name = "force-error"
    for subject, record in list_mode_records(evidence):
        error = record.force_error_ev_per_a
        if error is not None:
            detail = "force less slope of the energy, eV/Å"
            yield judge_value(name, subject, error, _FORCE_ERROR_EV_PER_A, detail)
        elif record.status == "failed":
            yield skip_gate(name, subject, record.reason)
        elif record.structure is not None and len(record.structure.symbols) == 1:
            yield skip_gate(name, subject, "a single atom feels no force")
        else:
            yield leave_open(name, subject, "the record has no check of its forces")


def hessian_symmetry(evidence: Evidence) -> Iterator[Gate]:
    """The Hessian before symmetrisation is as symmetric as finite differences allow."""
    name = "hessian-symmetry"
    for subject, record in list_mode_records(evidence):
        if record.status == "failed":
            yield skip_gate(name, subject, record.reason)
        elif record.hessian_asymmetry_ev_per_a2 is None:
            yield leave_open(name, subject, "the record has no asymmetry")
        else:
            step = (
                read_setting(record.provenance, "displacement_a") or _ASYMMETRY_STEP_A
            )
            limit = _ASYMMETRY_EV_PER_A2 * max(1.0, step / _ASYMMETRY_STEP_A) ** 2
            value = record.hessian_asymmetry_ev_per_a2
            detail = f"eV/Å² at a step of {step:g} Å"
            yield judge_value(name, subject, value, limit, detail)
