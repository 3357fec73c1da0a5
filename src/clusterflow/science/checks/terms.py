"""Gate on sums: a free energy is its terms, its layers and its references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.science.checks.evidence import judge_value, leave_open, skip_gate

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
    from clusterflow.science.checks.evidence import Evidence, Gate

# Of rounding, in sums of total energies: 1e5 eV have 1e-11.
_SUM_EV: Final = 1e-6


def term_sum(evidence: Evidence) -> Iterator[Gate]:
    """Terms and layers add up to G; G less the references is that of formation.

    References are the bare cluster and the anchors that hold the atoms, each with the
    free energy that the same record has for it.
    """
    for thermo in evidence.thermo:
        for species in thermo.species:
            subject = f"{thermo.cluster}/{species.name}"
            if species.formation_ev is None or "calibration" in species.layers:
                yield skip_gate("term-sum", subject, species.reason)
            else:
                yield _judge_sums(subject, species, thermo, evidence)


def _judge_sums(
    subject: str, species: SpeciesFreeEnergy, thermo: ThermoRecord, evidence: Evidence
) -> Gate:
    terms, name = species.terms, "term-sum"
    if terms is None or species.gibbs_ev is None or species.formation_ev is None:
        return leave_open(name, subject, "a number without its terms")
    parts = terms.energy_ev + terms.zpe_ev + terms.thermal_ev + terms.minus_ts_ev
    reference = _sum_references(species.name, thermo, evidence)
    if reference is None:
        return leave_open(name, subject, "no reference can be summed up")
    layers = sum(species.layers.values())
    off = {
        "terms": parts - terms.gibbs_ev,
        "layers": terms.gibbs_ev + layers - species.gibbs_ev,
        "formation": species.gibbs_ev - reference - species.formation_ev,
    }
    worst = max(off, key=lambda key: abs(off[key]))
    detail = f"largest gap of a sum, eV: {worst}"
    return judge_value(name, subject, off[worst], _SUM_EV, detail)


def _sum_references(
    species: str, thermo: ThermoRecord, evidence: Evidence
) -> float | None:
    """Free energy of the bare cluster and of the anchors of a species, eV."""
    known = {s.name: s for s in thermo.species}
    host = known["*"].gibbs_ev if "*" in known else None
    if species == "*":
        return host
    adsorbed = species.startswith("*")
    substances = evidence.adsorbates if adsorbed else evidence.molecules
    substance = substances.get(species[1:] if adsorbed else species.partition("(")[0])
    anchors = {}
    for gas in (c.gas for c in thermo.gas_corrections if c.is_anchor):
        anchor = known.get(f"{gas}(g)")
        if anchor is None or anchor.terms is None:
            continue
        if anchor.formation_uncorrected_ev is None or gas not in evidence.molecules:
            continue
        # At 1 bar: what its own partial pressure adds is its formation.
        anchors[gas] = anchor.terms.gibbs_ev - anchor.formation_uncorrected_ev
    if substance is None or (adsorbed and host is None):
        return None
    counts = {gas: evidence.molecules[gas].counts for gas in anchors}
    numbers = _solve_anchors(substance.counts, counts)
    if numbers is None:
        return None
    total = sum(numbers[gas] * anchors[gas] for gas in anchors)
    return total + (host or 0.0 if adsorbed else 0.0)


def _solve_anchors(
    wanted: Counter[str], anchors: Mapping[str, Counter[str]]
) -> dict[str, float] | None:
    """How many of each anchor hold these atoms; None if they cannot."""
    elements = sorted({*wanted, *(e for counts in anchors.values() for e in counts)})
    if not anchors:
        return None
    matrix = np.array([[anchors[gas][e] for gas in anchors] for e in elements], float)
    target = np.array([wanted[e] for e in elements], float)
    found = np.linalg.lstsq(matrix, target, rcond=None)[0]
    if np.abs(matrix @ found - target).max() > 1e-9:
        return None
    return dict(zip(anchors, found.tolist(), strict=True))
