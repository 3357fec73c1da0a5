"""Gates on a person's own energies: rows without a doubt, sums that were measured."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final

from clusterflow.science.checks.balance import read_equation
from clusterflow.science.checks.evidence import (
    judge_fit,
    judge_value,
    leave_open,
    skip_gate,
)
from clusterflow.science.checks.thermochemistry import measured_reaction_ev
from clusterflow.units import (
    BOLTZMANN_EV_PER_K,
    STANDARD_PRESSURE_PA,
    STANDARD_TEMPERATURE_K,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.profiles import ReactionResult
    from clusterflow.science.checks.evidence import Evidence, Gate

# Functionals without a correction are wrong about CO2 by 0.2 to 0.45 eV
# (10.1039/c0ee00071j); a slip of a unit or a doubled product is off by more.
_MEASURED_SUM_EV: Final = 0.6
# No electrode goes there: water and its ions end long before.
_POTENTIAL_WINDOW_V: Final = 3.0


def own_rows(evidence: Evidence) -> Iterator[Gate]:
    """The rows of a person's own energies are what the library expects of them.

    What is odd stays open: only the person knows.
    """
    for thermo in evidence.thermo:
        for note in thermo.notes:
            yield leave_open("own-rows", thermo.cluster, note)
        if thermo.own and not thermo.notes:
            shown = f"{len(thermo.own)} rows"
            yield judge_fit(
                "own-rows", thermo.cluster, True, value=shown, limit="nothing odd"
            )


def measured_sum(evidence: Evidence) -> Iterator[Gate]:
    """The steps of the best pathway add up to about what was measured.

    Of a person's own energies, whose gases nobody else has looked at. Intermediates
    cancel, so this is about gases, units and the equation alone.
    """
    own = {thermo.cluster: thermo for thermo in evidence.thermo if thermo.own}
    for che in evidence.che:
        for result in che.results:
            if che.cluster in own:
                subject = f"{che.cluster}/{result.reaction}"
                yield _judge_sum(subject, result, own[che.cluster], evidence)


def _judge_sum(
    subject: str, result: ReactionResult, thermo: ThermoRecord, evidence: Evidence
) -> Gate:
    name = "measured-sum"
    steps = [step.dg0_ev for step in result.steps]
    known = [value for value in steps if value is not None]
    if not steps or len(known) < len(steps):
        return skip_gate(name, subject, result.reason or "no complete pathway")
    if abs(thermo.temperature_k - STANDARD_TEMPERATURE_K) > 1e-6:
        why = f"at {thermo.temperature_k:g} K; experiment is for 298.15 K"
        return skip_gate(name, subject, why)
    measured = measured_reaction_ev(result.equation, evidence)
    if measured is None:
        why = f"the library cannot measure {result.equation}"
        return leave_open(name, subject, why)
    kt = BOLTZMANN_EV_PER_K * thermo.temperature_k
    for term, number in (read_equation(result.equation) or {}).items():
        gas, _, phase = term.partition("(")
        if phase == "g)" and gas in thermo.pressure_pa:
            ratio = thermo.pressure_pa[gas] / STANDARD_PRESSURE_PA
            measured += number * kt * log(ratio)
    gap = sum(known) - measured
    detail = f"gap in eV: steps add to {sum(known):+.3f}, measured {measured:+.3f}"
    return judge_value(name, subject, gap, _MEASURED_SUM_EV, detail)


def potential_window(evidence: Evidence) -> Iterator[Gate]:
    """Limiting potentials from a person's own energies lie where chemistry is."""
    own = {thermo.cluster for thermo in evidence.thermo if thermo.own}
    for che in evidence.che:
        for result in che.results:
            value = result.limiting_potential_v_rhe
            if che.cluster in own and value is not None:
                subject = f"{che.cluster}/{result.reaction}"
                detail = f"V against RHE, set by {result.determining_step}"
                yield judge_value(
                    "potential-window", subject, value, _POTENTIAL_WINDOW_V, detail
                )
