"""Gates on free energies: closed, plausible, with all their modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import constants

from clusterflow.science.checks.balance import STATE_TERM, read_equation
from clusterflow.science.checks.evidence import (
    judge_fit,
    judge_value,
    leave_open,
    name_gas,
    name_vibrated,
    skip_gate,
)
from clusterflow.units import STANDARD_PRESSURE_PA, STANDARD_TEMPERATURE_K

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.profiles import Pathway, ReactionResult
    from clusterflow.records.structure import Structure
    from clusterflow.science.checks.evidence import Evidence, Gate

_CLOSURE_EV: Final = 1e-3

# Beyond this an adsorbate is neither bound nor a plausible molecule: the largest
# formation energies of the library's species are near 3 eV (*COH on Cd6Se6).
_DG_WINDOW_EV: Final = 5.0
# More of it an oxidised nitrogen: nitric acid is 6.3 eV above N2, H2O and H2.
_OXIDISED_NITROGEN_EV: Final = 3.0

# Second principal extent of a molecule, Å: relaxed CO2 has 1e-4, H2O 0.5.
_LINEAR_A: Final = 0.02

_EV_PER_KJ_PER_MOL: Final[float] = 1000.0 / (constants.e * constants.N_A)
_EV_PER_WAVENUMBER: Final[float] = constants.h * constants.c * 100.0 / constants.e


def closure(evidence: Evidence) -> Iterator[Gate]:
    """The steps of each complete pathway add up to the measured ΔG of the reaction.

    This is bookkeeping: intermediates cancel, so it says nothing about them.
    """
    conditions = {thermo.cluster: thermo for thermo in evidence.thermo}
    for che in evidence.che:
        for result in che.results:
            for number, pathway in enumerate(result.pathways, start=1):
                subject = f"{che.cluster}/{result.reaction}, pathway {number}"
                thermo = conditions.get(che.cluster)
                yield _judge_closure(subject, result, pathway, thermo, evidence)


def _judge_closure(
    subject: str,
    result: ReactionResult,
    pathway: Pathway,
    thermo: ThermoRecord | None,
    evidence: Evidence,
) -> Gate:
    if not pathway.complete:
        return skip_gate("closure", subject, pathway.reason or "an incomplete pathway")
    if thermo is None or "correct" not in thermo.provenance.settings:
        return leave_open(
            "closure", subject, "no thermo record with its correction layers"
        )
    why = _why_not_closed(result.equation, thermo)
    if why:
        return skip_gate("closure", subject, why)
    return _judge_step_sum(subject, result, pathway, evidence)


def _judge_step_sum(
    subject: str, result: ReactionResult, pathway: Pathway, evidence: Evidence
) -> Gate:
    measured = measured_reaction_ev(result.equation, evidence)
    if measured is None:
        why = f"the library cannot measure {result.equation}"
        return leave_open("closure", subject, why)
    steps = [step.dg0_ev for step in pathway.steps if step.dg0_ev is not None]
    if len(steps) < len(pathway.steps):
        detail = "called complete, but a step has no number"
        return judge_fit(
            "closure", subject, False, value=None, limit=_CLOSURE_EV, detail=detail
        )
    gap = sum(steps) - measured
    detail = f"gap in eV: steps {sum(steps):+.4f}, measured {measured:+.4f}"
    return judge_value("closure", subject, gap, _CLOSURE_EV, detail)


def _why_not_closed(equation: str, thermo: ThermoRecord) -> str:
    """Why the steps need not meet experiment here; empty where they must."""
    if abs(thermo.temperature_k - STANDARD_TEMPERATURE_K) > 1e-6:
        return f"at {thermo.temperature_k:g} K; experiment is for 298.15 K"
    settings = thermo.provenance.settings
    if "gas" not in settings["correct"]:
        return "the gas layer is off"
    corrected = {c.gas for c in thermo.gas_corrections}
    if any(STATE_TERM.match(term) for term in read_equation(equation) or ()):
        return "the cluster is changed, which nobody measured"
    pressures = settings.get("pressure_pa", {})
    molecules = [t for t in read_equation(equation) or () if t.endswith((")", "H+"))]
    for term in molecules:
        gas = "H2" if term == "H+" else term.partition("(")[0]
        if gas not in corrected:
            return f"{gas} has no gas correction"
        # Neither a liquid nor the hydrogen of the pair feels a partial pressure.
        pressure = pressures.get(gas, STANDARD_PRESSURE_PA)
        if term.endswith("(g)") and pressure != STANDARD_PRESSURE_PA:
            return f"{gas} is at {pressure:g} Pa; experiment is for 1 bar"
    return ""


def measured_reaction_ev(equation: str, evidence: Evidence) -> float | None:
    """ΔG of a reaction at 298.15 K, 1 bar and 0 V (RHE) from the library's data, eV.

    ΔfG = ΔfH − T (S − Σ S of the elements); H⁺ + e⁻ counts as ½ H2, which is zero.
    None where a datum is missing.

    Examples
    --------
    >>> from clusterflow.science.checks.evidence import Evidence, Measured, Substance
    >>> water = Measured(enthalpy_kj_per_mol=-285.83, entropy_j_per_mol_k=69.95)
    >>> form = (("O", 0, 0, 0), ("H", 0, 0, 1), ("H", 0, 1, 0))
    >>> evidence = Evidence(
    ...     molecules={"H2O": Substance(forms=(form,), liquid=water)},
    ...     adsorbates={},
    ...     element_entropies_j_per_mol_k={"H": 65.34, "O": 102.576},
    ... )
    >>> round(measured_reaction_ev("H2O(l) -> 2 H+ + 2 e-", evidence), 3)
    2.458
    """
    terms = read_equation(equation)
    if terms is None or terms["H+"] != terms["e-"]:
        return None
    total = 0.0
    for term, number in terms.items():
        if term in ("H+", "e-", "*"):
            continue
        formation = _compute_formation_ev(term, evidence)
        if formation is None:
            return None
        total += number * formation
    return total


def _compute_formation_ev(term: str, evidence: Evidence) -> float | None:
    """ΔfG of a term such as ``H2O(l)``, eV."""
    name, _, phase = term.partition("(")
    substance = evidence.molecules.get(name)
    if substance is None or phase == "aq)":
        return None
    data = substance.gas if phase == "g)" else substance.liquid
    elements = evidence.element_entropies_j_per_mol_k
    if data is None or any(element not in elements for element in substance.counts):
        return None
    entropy = data.entropy_j_per_mol_k
    entropy -= sum(n * elements[element] for element, n in substance.counts.items())
    kj = data.enthalpy_kj_per_mol - STANDARD_TEMPERATURE_K * entropy / 1000.0
    return kj * _EV_PER_KJ_PER_MOL


def dg_window(evidence: Evidence) -> Iterator[Gate]:
    """Free energies of formation of adsorbates lie where an adsorbate can lie."""
    for thermo in evidence.thermo:
        for species in thermo.species:
            if not species.name.startswith("*") or species.name == "*":
                continue
            subject = f"{thermo.cluster}/{species.name}"
            value = species.formation_ev
            if value is None:
                yield skip_gate("dg-window", subject, species.reason)
                continue
            limit = _DG_WINDOW_EV
            substance = evidence.adsorbates.get(species.name[1:])
            if substance is not None and substance.counts["O"]:
                limit += _OXIDISED_NITROGEN_EV * substance.counts["N"]
            inside = abs(value) <= limit
            detail = "ΔG of formation, eV"
            detail += "" if inside else ", outside the sanity window"
            yield judge_value("dg-window", subject, value, limit, detail)


def zpe(evidence: Evidence) -> Iterator[Gate]:
    """Bound species have three modes an atom and the zero-point energy of these."""
    for vibrated in evidence.vibrations:
        subject = name_vibrated(vibrated)
        if vibrated.status == "failed" or vibrated.structure is None:
            yield skip_gate("zpe", subject, vibrated.reason)
            continue
        n_real, n_imaginary = len(vibrated.frequencies_cm1), len(vibrated.imaginary_cm1)
        wanted = 3 * vibrated.structure.roles.count("adsorbate")
        n_modes = n_real + n_imaginary
        # Binding atoms that were let go bring three modes each.
        more = vibrated.provenance.settings.get("include_binding_atoms", False)
        counted = n_modes == wanted or (
            bool(more) and n_modes > wanted and n_modes % 3 == 0
        )
        energy = 0.5 * _EV_PER_WAVENUMBER * sum(vibrated.frequencies_cm1)
        fits = counted and energy > 0 and min(vibrated.frequencies_cm1) >= 0
        shown = f"{energy:.3f} eV, {n_real} real and {n_imaginary} imaginary modes"
        limit = f"above 0 eV, {wanted}{' or more' if more else ''} modes"
        yield judge_fit("zpe", subject, fits, value=shown, limit=limit)
    yield from _judge_summed_zpe(evidence)


def _judge_summed_zpe(evidence: Evidence) -> Iterator[Gate]:
    for thermo in evidence.thermo:
        for species in thermo.species:
            given = species.terms and species.terms.model in ("given", "given-terms")
            if species.name.startswith("*") and species.name != "*" and species.terms:
                if given:
                    subject = f"{thermo.cluster}/{species.name}, thermo"
                    yield skip_gate("zpe", subject, "its free energy was given")
                    continue
                subject = f"{thermo.cluster}/{species.name}, thermo"
                shown = f"{species.terms.zpe_ev:.3f} eV"
                fits = species.terms.zpe_ev > 0
                yield judge_fit("zpe", subject, fits, value=shown, limit="above 0 eV")


def gas_frequencies(evidence: Evidence) -> Iterator[Gate]:
    """Molecules have 3N − 6 real modes (3N − 5 if linear) and no imaginary one."""
    for gas in evidence.gases:
        subject = name_gas(gas)
        if gas.structure is None or gas.status == "failed":
            yield skip_gate("gas-frequencies", subject, gas.reason)
            continue
        wanted = 3 * len(gas.structure.symbols) - _count_rigid_motions(gas.structure)
        n_real, n_imaginary = len(gas.frequencies_cm1), len(gas.imaginary_cm1)
        fits = (
            n_real == wanted
            and n_imaginary == 0
            and min(gas.frequencies_cm1, default=1) > 0
        )
        shown = f"{n_real} real and {n_imaginary} imaginary modes"
        limit = f"{wanted} real and 0 imaginary modes"
        yield judge_fit("gas-frequencies", subject, fits, value=shown, limit=limit)


def _count_rigid_motions(structure: Structure) -> int:
    """Translations and rotations of a molecule: 3, 5 or 6."""
    if len(structure.symbols) == 1:
        return 3
    positions = structure.xyz
    extents = np.linalg.svd(positions - positions.mean(axis=0), compute_uv=False)
    return 5 if extents[1] < _LINEAR_A else 6
