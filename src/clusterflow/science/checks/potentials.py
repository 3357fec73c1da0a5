"""Gate on limiting potentials: they follow from their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import constants

from clusterflow.science.checks.balance import read_equation
from clusterflow.science.checks.evidence import (
    judge_fit,
    judge_value,
    leave_open,
    skip_gate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.records.profiles import Pathway, ReactionResult
    from clusterflow.science.checks.evidence import Evidence, Gate

_POTENTIAL_V: Final = 1e-6
# Bard and Faulkner, Electrochemical Methods (2001): saturated KCl, 298.15 K.
_ZERO_V_SHE: Final = {"she": 0.0, "ag-agcl": 0.197, "sce": 0.241}

_BOLTZMANN_EV_PER_K: Final[float] = constants.k / constants.e


def potential_scale(evidence: Evidence) -> Iterator[Gate]:
    """Limiting potentials follow from their steps, and fit their scale and pH."""
    for che in evidence.che:
        for result in che.results:
            yield _judge_potential(f"{che.cluster}/{result.reaction}", result)


def _judge_potential(subject: str, result: ReactionResult) -> Gate:
    name = "potential-scale"
    if result.scale not in _ZERO_V_SHE and result.scale != "rhe":
        shown = str(result.scale)
        detail = "no scale is stated"
        return judge_fit(
            name,
            subject,
            False,
            value=shown,
            limit="rhe, she, ag-agcl or sce",
            detail=detail,
        )
    on_scale, on_rhe = result.limiting_potential_v, result.limiting_potential_v_rhe
    if on_rhe is None:
        return skip_gate(name, subject, result.reason or "no electrochemical step")
    best = [p for p in result.pathways if p.name == result.best_pathway]
    if on_scale is None or not best:
        detail = "a potential without its scale's value or its pathway"
        return judge_fit(
            name, subject, False, value=None, limit=_POTENTIAL_V, detail=detail
        )
    nernst = _BOLTZMANN_EV_PER_K * result.temperature_k * np.log(10.0) * result.ph
    shift = 0.0
    if result.scale != "rhe":
        shift = nernst + _ZERO_V_SHE[result.scale]
    from_steps = _compute_limiting_potential(best[0], nernst)
    if from_steps is None:
        return leave_open(name, subject, "a step cannot be read or has no number")
    by_scale, by_steps = abs(on_scale + shift - on_rhe), abs(from_steps - on_rhe)
    label = f"{on_scale:+.3f} V vs {result.scale.upper()}, pH {result.ph:g}"
    detail = f"off by, V: scale {by_scale:.1e}, steps {by_steps:.1e}; {label}"
    return judge_value(name, subject, max(by_scale, by_steps), _POTENTIAL_V, detail)


def _compute_limiting_potential(pathway: Pathway, nernst_ev: float) -> float | None:
    """U_L from ΔG(0)/n_e of the electrochemical steps, V against RHE.

    −max over the steps of a reduction that take up electrons; for an oxidation max over
    those that give them off, counted as positive. A step of fewer protons than
    electrons moves with pH on this scale. Electrons and protons are counted in the
    equation of each step.
    """
    taken_up: list[float] = []
    given_off: list[float] = []
    electrons = 0
    for step in pathway.steps:
        terms = read_equation(step.name)
        if terms is None or step.dg0_ev is None:
            return None
        # Hydroxide is water less a proton.
        n_e, n_h = -terms["e-"], terms["OH-(aq)"] - terms["H+"]
        electrons += n_e
        if n_e:
            turning = -(step.dg0_ev + (n_h - n_e) * nernst_ev) / n_e
            (taken_up if n_e > 0 else given_off).append(turning)
    if electrons < 0:
        return max(given_off)
    return min(taken_up, default=None)
