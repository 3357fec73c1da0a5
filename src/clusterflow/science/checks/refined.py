"""Gates on numbers with energies of DFT: whose they are, and how pure their spin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.science.checks.evidence import (
    judge_value,
    leave_open,
    skip_gate,
    warn_above,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.refinements import RefinedThermoRecord, SinglePoint
    from clusterflow.science.checks.evidence import Evidence, Gate

_SAME_ENERGY_EV: Final = 1e-6
# Of ⟨S²⟩ above S(S + 1): an eighth of a doublet's own, from where on a determinant
# mixes spin states.
_CONTAMINATION: Final = 0.1


def refined_energy(evidence: Evidence) -> Iterator[Gate]:
    """The electronic energy of a refined species is the lowest that DFT has of it."""
    name = "refined-energy"
    for subject, species, points in _list_species(evidence):
        if species.terms is None:
            yield skip_gate(name, subject, species.reason)
            continue
        known = [p.energy_ev for p in points if p.energy_ev is not None]
        if not known:
            yield leave_open(name, subject, "no DFT energy among the records")
            continue
        gap = min((species.terms.energy_ev - e for e in known), key=abs)
        if species.name.startswith("*"):
            gap = species.terms.energy_ev - min(known)
        detail = f"eV from the lowest of {len(known)} by DFT"
        yield judge_value(name, subject, gap, _SAME_ENERGY_EV, detail)


def spin_purity(evidence: Evidence) -> Iterator[Gate]:
    """⟨S²⟩ of the determinant behind a DFT energy is near S(S + 1)."""
    name = "spin-purity"
    for subject, species, points in _list_species(evidence):
        if species.terms is None:
            yield skip_gate(name, subject, species.reason)
            continue
        energy = species.terms.energy_ev
        point = next((p for p in points if p.energy_ev == energy), None)
        if point is None or point.scf is None:
            yield leave_open(name, subject, "no report of its SCF")
            continue
        spin = (point.structure.multiplicity - 1) / 2
        pure = spin * (spin + 1)
        detail = f"⟨S²⟩ {point.scf.s2:.3f}, of a pure spin {pure:.2f}"
        yield warn_above(name, subject, point.scf.s2 - pure, _CONTAMINATION, detail)


def _list_species(
    evidence: Evidence,
) -> Iterator[tuple[str, SpeciesFreeEnergy, list[SinglePoint]]]:
    """Species of composite levels, with all DFT energies that are theirs."""
    for record in evidence.refined_thermo:
        for species in record.energies.species:
            subject = f"refined/{record.cluster}/{species.name}"
            yield subject, species, _list_points(species.name, record, evidence)


def _list_points(
    species: str, record: RefinedThermoRecord, evidence: Evidence
) -> list[SinglePoint]:
    """Of the first isomer, of each way an adsorbate binds, or of a gas at any level."""
    cluster = record.cluster
    if species == "*":
        own = (bare for bare in evidence.refined_bare if bare.cluster == cluster)
        return [bare.isomers[0].point for bare in own if bare.isomers]
    if species.startswith("*"):
        return [
            one.point
            for found in evidence.refined_adsorbates
            if (found.cluster, f"*{found.adsorbate}") == (cluster, species)
            for one in found.minima
        ]
    gas = species.partition("(")[0]
    points = (found.point for found in evidence.refined_gases if found.gas == gas)
    return [point for point in points if point is not None]
