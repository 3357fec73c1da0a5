"""Gate on sums: a free energy is its terms, its layers and its references."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.science.checks.evidence import judge_value, leave_open, skip_gate

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        references = _References(thermo, evidence)
        for species in thermo.species:
            subject = f"{thermo.cluster}/{species.name}"
            if species.formation_ev is None or "calibration" in species.layers:
                yield skip_gate("term-sum", subject, species.reason)
            else:
                yield _judge_sums(subject, species, references)


def _judge_sums(
    subject: str, species: SpeciesFreeEnergy, references: _References
) -> Gate:
    terms, name = species.terms, "term-sum"
    if terms is None or species.gibbs_ev is None or species.formation_ev is None:
        return leave_open(name, subject, "a number without its terms")
    parts = terms.energy_ev + terms.zpe_ev + terms.thermal_ev + terms.minus_ts_ev
    reference = references.sum_ev(species.name)
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


class _References:
    """What formation is counted from: the bare cluster, and anchors at 1 bar."""

    def __init__(self, thermo: ThermoRecord, evidence: Evidence) -> None:
        known = {s.name: s for s in thermo.species}
        self._evidence = evidence
        self._host = known["*"].gibbs_ev if "*" in known else None
        self._anchors: dict[str, float] = {}
        for gas in (c.gas for c in thermo.gas_corrections if c.is_anchor):
            anchor = known.get(f"{gas}(g)")
            if anchor is None or anchor.terms is None:
                continue
            if anchor.formation_uncorrected_ev is None:
                continue
            if gas in evidence.molecules:
                # What its own partial pressure adds is its formation.
                at_1_bar = anchor.terms.gibbs_ev - anchor.formation_uncorrected_ev
                self._anchors[gas] = at_1_bar
        self._made_of = tuple(
            (gas, frozenset(evidence.molecules[gas].counts.items()))
            for gas in self._anchors
        )

    def sum_ev(self, species: str) -> float | None:
        """Free energy of the bare cluster and of the anchors of a species, eV."""
        if species == "*":
            return self._host
        adsorbed = species.startswith("*")
        substance = (
            self._evidence.adsorbates.get(species[1:])
            if adsorbed
            else self._evidence.molecules.get(species.partition("(")[0])
        )
        if substance is None or (adsorbed and self._host is None):
            return None
        numbers = _solve_anchors(frozenset(substance.counts.items()), self._made_of)
        if numbers is None:
            return None
        total = sum(
            n * ev for n, ev in zip(numbers, self._anchors.values(), strict=True)
        )
        return total + (self._host or 0.0 if adsorbed else 0.0)


# Of a dozen adsorbates, on thousands of surfaces.
@cache
def _solve_anchors(
    wanted: frozenset[tuple[str, int]],
    made_of: tuple[tuple[str, frozenset[tuple[str, int]]], ...],
) -> tuple[float, ...] | None:
    """How many of each anchor hold these atoms; None if they cannot."""
    if not made_of:
        return None
    atoms, anchors = dict(wanted), [dict(content) for _, content in made_of]
    elements = sorted({*atoms, *(e for counts in anchors for e in counts)})
    matrix = np.array(
        [[counts.get(e, 0) for counts in anchors] for e in elements], float
    )
    target = np.array([atoms.get(e, 0) for e in elements], float)
    found = np.linalg.lstsq(matrix, target, rcond=None)[0]
    if np.abs(matrix @ found - target).max() > 1e-9:
        return None
    return tuple(found.tolist())
