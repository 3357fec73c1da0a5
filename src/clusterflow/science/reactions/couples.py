"""Redox couples against which band edges are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.library.reactions import BandEdge
from clusterflow.model import Model
from clusterflow.science.reactions.che import nernst_slope
from clusterflow.science.reactions.evaluate import standard_potential
from clusterflow.science.reactions.network import parse_equation
from clusterflow.units import STANDARD_TEMPERATURE_K, ev_per_k_from_j_per_mol_k

if TYPE_CHECKING:
    from clusterflow.library.find import Library
    from clusterflow.library.reactions import CoupleSpec


class Couple(Model):
    """A couple's potential at a pH, V against SHE; None with the reason why not.

    Gases and dissolved species are in their standard states, but for the pH.
    """

    name: str
    equation: str | None
    edge: BandEdge
    n_e: int
    n_h: int
    standard_potential_v_she: float | None
    ph: float
    potential_v_she: float | None
    source: str
    reason: str = ""


def couples(library: Library, *, ph: float, temperature_k: float) -> list[Couple]:
    """All couples of the library, from the most negative to the most positive.

    E(pH) = E° − (n_H / n_e) kT ln10 pH / e. Those without a potential come last.
    """
    found = [
        _evaluate_couple(library.couple(name), library, ph, temperature_k)
        for name in library.paths("couples")
    ]
    return sorted(found, key=_by_potential)


def _by_potential(couple: Couple) -> tuple[bool, float]:
    return couple.potential_v_she is None, couple.potential_v_she or 0.0


def _evaluate_couple(
    spec: CoupleSpec, library: Library, ph: float, temperature_k: float
) -> Couple:
    reason = ""
    standard: float | None
    if spec.equation is not None:
        overall = parse_equation(spec.equation)
        n_e, n_h = overall.n_e, overall.n_h
        standard = standard_potential(overall, temperature_k, library)
    else:
        assert spec.electrons is not None and spec.protons is not None
        n_e, n_h = spec.electrons, spec.protons
        standard, reason = _move_quoted_potential(spec, library, temperature_k)
    shift = n_h / n_e * nernst_slope(temperature_k) * ph
    return Couple(
        name=spec.name,
        equation=spec.equation,
        edge=spec.edge,
        n_e=n_e,
        n_h=n_h,
        standard_potential_v_she=standard,
        ph=ph,
        potential_v_she=None if standard is None else standard - shift,
        source=spec.source,
        reason=reason,
    )


def _move_quoted_potential(
    spec: CoupleSpec, library: Library, temperature_k: float
) -> tuple[float | None, str]:
    """A quoted E° at a temperature, V against SHE, or None and the reason.

    dE°/dT = ΔS°/nF, taken as constant, where ΔS° is that of the cell whose other half
    is the hydrogen electrode: n/2 H2 → n H⁺ + n e⁻, with S°(H⁺, aq) = 0 (A. J. de
    Bethune, T. S. Licht, N. Swendeman, J. Electrochem. Soc. 106, 616, 1959,
    doi:10.1149/1.2427448).
    """
    assert spec.electrons is not None and spec.standard_potential_v is not None
    warmer_k = temperature_k - STANDARD_TEMPERATURE_K
    if warmer_k == 0:
        return spec.standard_potential_v, ""
    if spec.entropies is None:
        return None, (
            f"quoted at {STANDARD_TEMPERATURE_K:g} K without entropies: no potential "
            f"at {temperature_k:g} K"
        )
    hydrogen = library.gas("H2").experiment.entropy_j_per_mol_k
    change = spec.entropies.products_j_per_mol_k - spec.entropies.reactants_j_per_mol_k
    change -= spec.electrons / 2 * hydrogen
    slope = ev_per_k_from_j_per_mol_k(change) / spec.electrons
    return spec.standard_potential_v + slope * warmer_k, ""
