"""Gates on limiting potentials: from their steps, and as they will be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import constants

from clusterflow.science.checks.balance import read_equation
from clusterflow.science.checks.evidence import (
    judge_fit,
    judge_value,
    leave_open,
    skip_gate,
    warn_above,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from clusterflow.records.profiles import Pathway, ReactionResult
    from clusterflow.science.checks.evidence import Evidence, Gate

_POTENTIAL_V: Final = 1e-6
# Bard and Faulkner, Electrochemical Methods (2001): saturated KCl, 298.15 K.
_ZERO_V_SHE: Final = {"she": 0.0, "ag-agcl": 0.197, "sce": 0.241}

_BOLTZMANN_EV_PER_K: Final[float] = constants.k / constants.e


def potential_scale(evidence: Evidence) -> Iterator[Gate]:
    """Limiting potentials follow from their steps, and fit their scale and pH."""
    for subject, result in _list_results(evidence):
        yield _judge_potential(subject, result)


def best_estimate(evidence: Evidence) -> Iterator[Gate]:
    """The best estimate of a limiting potential lies inside its own interval."""
    name = "best-estimate"
    for subject, result in _list_results(evidence):
        found, estimate = result.uncertainty, result.limiting_potential_v_rhe
        if found is None or estimate is None:
            yield skip_gate(name, subject, result.reason or "no interval")
            continue
        low, high = found.lower_v_rhe, found.upper_v_rhe
        outside = max(low - estimate, estimate - high, 0.0)
        detail = (
            f"V outside: best estimate {estimate:+.3f}, 90 % interval {low:+.3f} to "
            f"{high:+.3f} V vs RHE; read the median, {found.median_v_rhe:+.3f}"
        )
        yield warn_above(name, subject, outside, 0.0, detail)


def overpotential_sign(evidence: Evidence) -> Iterator[Gate]:
    """No limiting potential lies above the equilibrium potential of its reaction.

    The steps add up to −n e U_eq. If each electron step is downhill above U_eq, then
    chemical steps climb what is left, and no potential helps there. Of an oxidation the
    same holds below U_eq.
    """
    for subject, result in _list_results(evidence):
        yield judge_overpotential(subject, result)


def judge_overpotential(subject: str, result: ReactionResult) -> Gate:
    """The verdict on one reaction; its culprit is the highest chemical step."""
    name = "overpotential-sign"
    equilibrium = result.equilibrium_potential_v_rhe
    potentials = [result.limiting_potential_v_rhe]
    if result.uncertainty is not None:
        potentials.append(result.uncertainty.median_v_rhe)
    known = [potential for potential in potentials if potential is not None]
    if equilibrium is None or not known:
        why = result.reason or "no equilibrium potential, or none that limits"
        return skip_gate(name, subject, why)
    terms = read_equation(result.equation)
    oxidizes = terms is not None and terms["e-"] > 0
    gaps = [p - equilibrium for p in known]
    beyond = max(-min(gaps) if oxidizes else max(gaps), 0.0)
    gate = warn_above(name, subject, beyond, _POTENTIAL_V, "")
    if gate.verdict == "PASS":
        return gate
    culprit, climb = _find_highest_chemical_step(result)
    hidden = (
        f"{culprit} hides {climb:+.2f} eV" if culprit else "no chemical step climbs"
    )
    side = "below" if oxidizes else "above"
    detail = (
        f"V {side} the equilibrium potential, {equilibrium:+.3f} V vs RHE: {hidden}"
    )
    return replace(gate, culprit=culprit, detail=detail)


def _list_results(evidence: Evidence) -> Iterator[tuple[str, ReactionResult]]:
    for che in evidence.che:
        yield from ((f"{che.cluster}/{r.reaction}", r) for r in che.results)


def _find_highest_chemical_step(result: ReactionResult) -> tuple[str, float]:
    """The step of the best pathway that climbs most without electrons, and its ΔG."""
    best = [p for p in result.pathways if p.name == result.best_pathway]
    climbs = [
        (step.dg0_ev, step.name)
        for pathway in best
        for step in pathway.steps
        if step.dg0_ev is not None and "e-" not in step.name.split()
    ]
    climb, name = max(climbs, default=(0.0, ""))
    return (name, climb) if climb > 0 else ("", 0.0)


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
    from_steps = _compute_limiting_potential(
        best[0], nernst, combined=result.pcet == "combined"
    )
    if from_steps is None:
        return leave_open(name, subject, "a step cannot be read or has no number")
    by_scale, by_steps = abs(on_scale + shift - on_rhe), abs(from_steps - on_rhe)
    label = f"{on_scale:+.3f} V vs {result.scale.upper()}, pH {result.ph:g}"
    detail = f"off by, V: scale {by_scale:.1e}, steps {by_steps:.1e}; {label}"
    return judge_value(name, subject, max(by_scale, by_steps), _POTENTIAL_V, detail)


def _compute_limiting_potential(
    pathway: Pathway, nernst_ev: float, *, combined: bool
) -> float | None:
    """U_L from ΔG(0)/n_e of the electrochemical steps, V against RHE.

    −max over the steps of a reduction that take up electrons; for an oxidation max over
    those that give them off, counted as positive. A step of fewer protons than
    electrons moves with pH on this scale. Electrons and protons are counted in the
    equation of each step. Combined, what the adsorption of an adsorbate climbed is owed
    by the step that takes it up.
    """
    taken_up: list[float] = []
    given_off: list[float] = []
    owed: dict[str, float] = {}
    electrons = 0
    for step in pathway.steps:
        terms = read_equation(step.name)
        if terms is None or step.dg0_ev is None:
            return None
        n_e, n_h = _count_transferred(terms)
        electrons += n_e
        debts = sum(owed.pop(term, 0.0) for term, n in terms.items() if n < 0)
        if n_e:
            judged = step.dg0_ev + (debts if combined else 0.0)
            turning = -(judged + (n_h - n_e) * nernst_ev) / n_e
            (taken_up if n_e > 0 else given_off).append(turning)
        elif (adsorbed := _find_adsorbed(terms)) is not None:
            owed[adsorbed] = max(step.dg0_ev, 0.0)
    if electrons < 0:
        return max(given_off)
    return min(taken_up, default=None)


def _count_transferred(terms: Counter[str]) -> tuple[int, int]:
    """Electrons and protons that an equation takes up; hydroxide is water less one."""
    return -terms["e-"], terms["OH-(aq)"] - terms["H+"]


def _find_adsorbed(terms: Counter[str]) -> str | None:
    """The one adsorbate that molecules make on a free site, and nothing else."""
    made = [(term, n) for term, n in terms.items() if n > 0]
    sites = [term for term, n in terms.items() if n < 0 and term.startswith("*")]
    if len(made) != 1 or made[0][1] != 1 or len(sites) != 1:
        return None
    adsorbed, site = made[0][0], sites[0]
    free = site == "*" or site.endswith("]")
    name = adsorbed.removeprefix(site)
    fits = free and name != adsorbed and bool(name) and not name.startswith("[")
    return adsorbed if fits else None
